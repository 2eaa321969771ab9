"""The sender's reading of a receiver's signed answer (DCSA PINT 3.0, A.1 and A.8).

The original is released or kept on nothing but this. In order:

1. a compact JWS, signed by a key that is pinned for the receiver and valid now;
2. a finished response after the standard's schema;
3. about our last entry, not about another transfer;
4. a duplicate repeats what our last entry says;
5. a receipt (RECE, DUPE) lists every document that we declared.

What fails any of these is no answer: the original stays locked, and the transfer is tried again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bol_service.crypto import peer_jws
from bol_service.crypto.jws import BadJws, BadSignature
from bol_service.crypto.peer_jws import text_digest
from bol_service.wire.peers import Pins
from bol_service.wire.pint_answers import (
    FinishedResponse,
    ResponseCode,
    read_finished_response,
)
from bol_service.wire.pint_forms import PintFormatError


class UntrustedAnswer(ValueError):  # noqa: N818 - named by what it is
    """Nothing may be concluded from the answer; the message says why."""


class Outcome(StrEnum):
    MOVED = "MOVED"
    """Received there, now or before."""
    REFUSED = "REFUSED"
    """Not received; the original is ours."""
    DISPUTED = "DISPUTED"
    """Not received, and the two platforms know different histories."""
    OPEN = "OPEN"
    """Nothing is concluded; documents are wanted."""


_OUTCOMES = {
    ResponseCode.RECE: Outcome.MOVED,
    ResponseCode.DUPE: Outcome.MOVED,
    ResponseCode.BSIG: Outcome.REFUSED,
    ResponseCode.BENV: Outcome.REFUSED,
    ResponseCode.INCD: Outcome.OPEN,
    ResponseCode.MDOC: Outcome.OPEN,
    ResponseCode.DISE: Outcome.DISPUTED,
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`text` is the compact JWS, the evidence to keep; `kid` the thumbprint of the key."""

    outcome: Outcome
    response: FinishedResponse
    text: str
    kid: str


def read_answer(
    compact: str,
    *,
    pins: Pins,
    receiver: str,
    moment: datetime,
    last_entry: str,
    documents: Collection[str],
) -> Answer:
    """`last_entry` is the text of the last entry that we sent, `documents` the checksums in our
    manifest. Raises UntrustedAnswer."""
    try:
        parsed = peer_jws.parse(compact)
        key = peer_jws.verify(parsed, pins.platforms.get(receiver, ()), moment)
        response = read_finished_response(parsed.value)
    except (BadJws, BadSignature, PintFormatError) as error:
        raise UntrustedAnswer(f"no answer of {receiver}: {error}") from None
    expected = text_digest(last_entry)
    if response.last_checksum != expected:
        raise UntrustedAnswer(
            f"the answer is about {response.last_checksum}; our last entry is {expected}"
        )
    if response.code is ResponseCode.DUPE:
        _check_duplicate(response, last_entry)
    outcome = _OUTCOMES[response.code]
    if outcome is Outcome.MOVED:
        _check_receipt(response, documents)
    return Answer(outcome=outcome, response=response, text=compact, kid=key.kid)


def _check_duplicate(response: FinishedResponse, last_entry: str) -> None:
    if response.duplicate_of is None:
        raise UntrustedAnswer("the answer is DUPE without the entry that was accepted before")
    try:
        accepted = peer_jws.parse(response.duplicate_of).content_digest
    except BadJws as error:
        raise UntrustedAnswer(f"the entry accepted before: {error}") from None
    ours = peer_jws.parse(last_entry).content_digest
    if accepted != ours:
        raise UntrustedAnswer(
            f"the entry accepted before says {accepted}, our last entry says {ours}"
        )


def _check_receipt(response: FinishedResponse, documents: Collection[str]) -> None:
    unlisted = sorted(set(documents) - set(response.received or ()))
    if unlisted:
        raise UntrustedAnswer(f"the receipt does not list the document {', '.join(unlisted)}")
