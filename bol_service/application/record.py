"""The only write path: one signed event in, its receipt or a refusal out.

Bytes and signatures are checked here, by the thread that received them; resends, time, keys,
knowledge, head and law are judged by the sequencer, inside the transaction that appends.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from bol_service.application.commit import Accepted, Answer
from bol_service.application.ports import KeyRow, Store
from bol_service.application.sequencer import Sequencer
from bol_service.domain import errors
from bol_service.domain.events import ExchangeEvent
from bol_service.verification import signatures
from bol_service.wire.events import SignedEvent, decode

_REMEMBERED_KEYS = 10_000


class Recorder:
    def __init__(self, store: Store, sequencer: Sequencer) -> None:
        self._store = store
        self._sequencer = sequencer
        # A kid belongs to one party for ever, so a row read once is never stale. Whether the key
        # may still sign is not known here: the sequencer judges that.
        self._keys: dict[str, KeyRow] = {}

    def submit(self, compact: str) -> Accepted:
        """Record one event given as compact JWS.

        A resend of the same act by the same actor gets the first receipt, whatever has happened
        since.

        Raises:
            errors.Refusal: Not well formed, not signed by a registered key, or not allowed.
            Busy, Uncertain: See `Sequencer.submit`.
        """
        return self._sequencer.submit(self._verified(compact))

    def submit_own(self, compact: str) -> Accepted:
        """Record an entry of the platform's own exchange desk; raises as `submit`."""
        return self._sequencer.submit(self._verified(compact, own=True))

    def submit_all(self, compacts: Sequence[str]) -> list[Answer]:
        """Record events in their order, each answered for itself: a refused one harms no other.

        Raises:
            Busy: The queue has no room for all of them; none was taken.
            Uncertain: See `Sequencer.submit`.
        """
        answers: list[Answer | None] = [None] * len(compacts)
        lawful: list[tuple[int, SignedEvent]] = []
        for number, compact in enumerate(compacts):
            try:
                lawful.append((number, self._verified(compact)))
            except errors.Refusal as refusal:
                answers[number] = refusal
        judged = self._sequencer.submit_all([signed for _, signed in lawful])
        for (number, _), answer in zip(lawful, judged, strict=True):
            answers[number] = answer
        return [answer for answer in answers if answer is not None]

    def _verified(self, compact: str, *, own: bool = False) -> SignedEvent:
        # Signatures are what costs most, and a greenlet computes until it waits. Without giving way
        # here, whoever asks for a container at a gate waits for the signatures of all who write.
        time.sleep(0)
        signed = decode(compact)
        if isinstance(signed.event, ExchangeEvent) and not own:
            raise errors.NotExchange(
                f"{signed.event.action} is recorded by the platform itself, not sent to it",
                pointer="/action",
            )
        rows = self._rows({parsed.kid for parsed in signed.signatures})
        keys = {kid: signatures.public_key(row.jwk) for kid, row in rows.items()}
        signatures.verify(signed, keys.get)
        _require_own_key(signed, rows.get(signed.parsed.kid))
        return signed

    def _rows(self, kids: Iterable[str]) -> dict[str, KeyRow]:
        unknown = [kid for kid in kids if kid not in self._keys]
        if unknown:
            with self._store.reading() as reading:
                found = [reading.key(kid) for kid in unknown]
            if len(self._keys) > _REMEMBERED_KEYS:
                self._keys = {}
            self._keys |= {row.kid: row for row in found if row is not None}
        return {kid: self._keys[kid] for kid in kids if kid in self._keys}


def _require_own_key(signed: SignedEvent, key: KeyRow | None) -> None:
    """Before anything is said about the act: a stranger who repeats its payload learns nothing."""
    actor = signed.event.actor
    if key is not None and key.party != actor:
        raise errors.WrongKey(
            f"key {key.kid} belongs to {key.party}, the event names {actor} as actor",
            pointer="/actor",
        )
