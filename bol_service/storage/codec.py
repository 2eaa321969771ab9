"""States and document facts as bytes, for the cache tables.

msgspec writes the frozen values as JSON and reads them back by their types (docs/adr/0016). Nothing
signed or hashed goes through here: what comes out is only ever what `World.apply` made before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from bol_service.domain.document import DocumentFacts
from bol_service.domain.states import BillState, CustodyState, DraftState, PartyState, State

_KINDS: Final[dict[str, type[State]]] = {
    "party": PartyState,
    "draft": DraftState,
    "custody": CustodyState,
    "bill": BillState,
}
_encoder = msgspec.json.Encoder()
_plain_encoder = msgspec.json.Encoder(order="sorted")
_decoders = {kind: msgspec.json.Decoder(cls) for kind, cls in _KINDS.items()}
_facts_decoder = msgspec.json.Decoder(DocumentFacts)


def encode_state(state: State) -> bytes:
    return _encoder.encode(state)


def decode_state(kind: str, data: bytes) -> State:
    """Raises ValueError for bytes that no `encode_state` has written."""
    try:
        state: State = _decoders[kind].decode(data)
    except (KeyError, msgspec.MsgspecError) as error:
        raise ValueError(f"no state of kind {kind!r}: {error}") from None
    return state


def encode_facts(facts: DocumentFacts) -> bytes:
    return _encoder.encode(facts)


def encode_plain(value: Mapping[str, object]) -> str:
    """Plain JSON, members in order."""
    return _plain_encoder.encode(value).decode()


def decode_facts(data: bytes) -> DocumentFacts:
    """Raises ValueError for bytes that no `encode_facts` has written."""
    try:
        return _facts_decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise ValueError(f"no document facts: {error}") from None
