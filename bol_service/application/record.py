"""The only write path: one signed event in, its receipt or a refusal out.

Bytes and signatures are checked here, by the thread that received them; time, keys, knowledge, head
and law are judged by the sequencer, inside the transaction that appends.
"""

from __future__ import annotations

from bol_service.application.ports import KeyRow, Store
from bol_service.application.receipts import receipt_of
from bol_service.application.sequencer import Accepted, Sequencer
from bol_service.domain import errors
from bol_service.verification import signatures
from bol_service.wire.events import SignedEvent, decode


class Recorder:
    def __init__(self, store: Store, sequencer: Sequencer) -> None:
        self._store = store
        self._sequencer = sequencer

    def submit(self, compact: str) -> Accepted:
        """Record one event given as compact JWS.

        A resend of the same act by the same actor gets the first receipt, whatever has happened
        since.

        Raises:
            errors.Refusal: Not well formed, not signed by a registered key, or not allowed.
            Busy, Uncertain: See `Sequencer.submit`.
        """
        signed = decode(compact)
        with self._store.reading() as reading:
            found = {parsed.kid: reading.key(parsed.kid) for parsed in signed.signatures}
            keys = {
                kid: signatures.public_key(row.jwk) for kid, row in found.items() if row is not None
            }
            signatures.verify(signed, keys.get)
            _require_own_key(signed, found.get(signed.parsed.kid))
            same, _ = reading.earlier(signed.event.actor, signed.payload_digest, signed.event.id)
            if same is not None and self._sequencer.failure is None:
                return Accepted(receipt=receipt_of(reading, same), resend=True)
        return self._sequencer.submit(signed)


def _require_own_key(signed: SignedEvent, key: KeyRow | None) -> None:
    """Before anything is said about the act: a stranger who repeats its payload learns nothing."""
    actor = signed.event.actor
    if key is not None and key.party != actor:
        raise errors.WrongKey(
            f"key {key.kid} belongs to {key.party}, the event names {actor} as actor",
            pointer="/actor",
        )
