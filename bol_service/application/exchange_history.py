"""What this platform knows of a bill's chain: read from the ledger, and from transfers under way.

The ledger names the envelope whose chain both sides know last, and the one on its way out; the
envelopes themselves are kept as documents, by their SHA-256.
"""

from __future__ import annotations

from dataclasses import dataclass

from bol_service.application.exchange_ports import ExchangeBook, Inbound
from bol_service.application.ports import Reading
from bol_service.crypto import peer_jws
from bol_service.crypto.peer_jws import text_digest
from bol_service.domain.states import BillState, Carriage, Status
from bol_service.verification.pint_history import KnownEntry, KnownHistory, Original
from bol_service.wire.pint_envelope import (
    EblEnvelope,
    EnvelopeManifest,
    envelope_manifest,
    read_envelope,
)


class LostEnvelope(RuntimeError):  # noqa: N818 - says what is the matter
    """An envelope that the ledger names is not among the documents."""


@dataclass(frozen=True, kw_only=True)
class KeptEnvelope:
    envelope: EblEnvelope
    manifest: EnvelopeManifest


def kept_envelope(reading: Reading, digest: str) -> KeptEnvelope:
    """Raises LostEnvelope."""
    content = reading.contents([digest]).get(digest)
    if content is None:
        raise LostEnvelope(f"envelope {digest} is named by the ledger and not kept; restore it")
    envelope = read_envelope(content)
    value = peer_jws.parse(envelope.manifest).value
    return KeptEnvelope(envelope=envelope, manifest=envelope_manifest(value))


def last_known(reading: Reading, state: BillState | None) -> KeptEnvelope | None:
    """The envelope with the longest chain that was accepted, or that is on its way."""
    carriage = _carriage(state)
    return None if carriage is None else kept_envelope(reading, carriage.envelope)


def known_history(
    reading: Reading, book: ExchangeBook, bill: str, state: BillState | None
) -> KnownHistory:
    """What `verification.pint_history` compares an offered chain with."""
    begun = book.open_transfer(bill)
    waiting = None if begun is None else kept_envelope(reading, begun.envelope)
    last = last_known(reading, state)
    if last is None or state is None:
        return KnownHistory(
            open_chain=None if waiting is None else waiting.envelope.chain, held=book.held(bill)
        )
    arrivals = frozenset(state.abroad.arrivals)
    shown = last.manifest.visualisation
    return KnownHistory(
        entries=tuple(
            KnownEntry(text=text, accepted=text_digest(text) in arrivals)
            for text in last.envelope.chain
        ),
        original=_original(state),
        open_chain=None if waiting is None else waiting.envelope.chain,
        held=book.held(bill) | {each.checksum for each in last.manifest.documents},
        visualisation=shown.checksum if shown is not None and arrivals else None,
    )


def is_open(transfer: Inbound) -> bool:
    return transfer.answer is None


def _carriage(state: BillState | None) -> Carriage | None:
    if state is None:
        return None
    if state.transit is not None and state.transit.sent is not None:
        return state.transit.sent
    return state.abroad.known


def _original(state: BillState) -> Original:
    if state.status is Status.MOVED:
        return Original.ELSEWHERE
    if state.status is Status.IN_TRANSIT and state.transit and state.transit.sent is not None:
        return Original.LEAVING
    if state.home is not None and state.status is Status.SURRENDERED_FOR_DELIVERY:
        return Original.ELSEWHERE  # it ended with the carrier, on the platform of issue
    return Original.HERE
