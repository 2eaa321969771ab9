"""Collecting cosignatures from the witnesses of the policy, in the background.

1. One thread per witness looks at the latest checkpoint every second, and asks for a cosignature
   if there is none yet. Nothing that writes ever waits for a witness.
2. It sends the consistency proof from the size that the witness cosigned last, and asks once more
   with the size that the witness names if that was another one (409).
3. A cosignature is verified before it is kept.
4. A witness that is away, or answers wrongly, is asked less and less often, up to every 5 minutes.
5. A witness that has seen more of this log than the database holds, or another tree, is asked for
   what it cosigned. If our own key signed that, the database is an old one or a fork, and the
   sequencer is stopped: it must not sign.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from bol_service.application.agreement import require_agreement
from bol_service.application.ledger_queries import consistency_of
from bol_service.application.ports import Store
from bol_service.application.startup import RollbackSuspected
from bol_service.application.witness_ports import (
    Cosignature,
    CosignatureBook,
    PeerAnswer,
    WitnessAway,
    WitnessPeer,
)
from bol_service.ledger.note import NoteError, VerifierKey
from bol_service.ledger.policy import KnownWitness, Policy
from bol_service.ledger.witnessing import (
    SIZE_MEDIA_TYPE,
    AddCheckpoint,
    RequestError,
    cosignature_in,
    read_size,
)

INTERVAL_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 300.0
_ATTEMPTS: Final = 3  # a witness may be told of a newer checkpoint by another process of ours

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Lag:
    """`entries` of the log are not yet under a cosignature of this witness."""

    witness: str
    entries: int
    failures: int


class Courier:
    """Goes to one witness; `visit` may be called from any thread."""

    def __init__(
        self,
        store: Store,
        book: CosignatureBook,
        witness: KnownWitness,
        peer: WitnessPeer,
        log_keys: Sequence[VerifierKey],
    ) -> None:
        self._store = store
        self._book = book
        self._witness = witness
        self._peer = peer
        self._log_keys = log_keys
        self._lock = threading.Lock()
        self._cosigned: int | None = None
        self._failures = 0

    @property
    def name(self) -> str:
        return self._witness.name

    @property
    def pause(self) -> float:
        """Seconds until the next visit."""
        return min(INTERVAL_SECONDS * 2.0 ** min(self._failures, 20), LONGEST_PAUSE_SECONDS)

    def lag(self, size: int) -> Lag:
        covered = self._cosigned if self._cosigned is not None else self._last_cosigned()
        return Lag(witness=self.name, entries=max(0, size - covered), failures=self._failures)

    def visit(self) -> None:
        """Get the cosignature of the latest checkpoint unless it is there.

        Raises:
            RollbackSuspected: The witness holds a checkpoint of ours that the database contradicts.
        """
        with self._lock:
            try:
                self._collect()
            except RollbackSuspected:
                raise
            except Exception as error:
                self._failures += 1
                log.warning("no cosignature", witness=self.name, error=str(error), pause=self.pause)
                return
            self._failures = 0

    def _collect(self) -> None:
        old = self._cosigned if self._cosigned is not None else self._last_cosigned()
        for _ in range(_ATTEMPTS):
            size, request = self._request(old)
            if request is None or size == self._cosigned:
                return
            if old > size:
                self._dispute(f"it has cosigned {old} entries, the log has {size}")
            answer = self._peer.add_checkpoint(request.to_bytes())
            if answer.status == 200:
                self._keep(size, request.note, answer)
                return
            old = self._other_size(answer, old)
        raise WitnessAway(f"it named another size {_ATTEMPTS} times")

    def _request(self, old: int) -> tuple[int, AddCheckpoint | None]:
        """The log's size, and the request for its latest checkpoint; None while it is empty."""
        with self._store.reading() as reading:
            head = reading.log()
            if head.note is None:
                return head.size, None
            proof = consistency_of(reading, old, head.size) if old <= head.size else []
        return head.size, AddCheckpoint(old=old, proof=tuple(proof), note=head.note)

    def _other_size(self, answer: PeerAnswer, old: int) -> int:
        """The size to begin from, when the witness had cosigned another one than `old`."""
        if answer.status == 409 and answer.media_type == SIZE_MEDIA_TYPE:
            size = read_size(answer.content)
            if size != old:
                return size
        said = answer.content[:200].decode("utf-8", "replace")
        if answer.status in (409, 422):
            self._dispute(f"it answered {answer.status} {said}")
        raise WitnessAway(f"it answered {answer.status} {said}")

    def _dispute(self, reason: str) -> None:
        """The witness knows another log than ours: see whether that bears our signature."""
        require_agreement(self._store, self._peer, self._witness, self._log_keys)
        raise WitnessAway(reason)

    def _keep(self, size: int, note: str, answer: PeerAnswer) -> None:
        try:
            line = cosignature_in(note, answer.content, self._witness.key)
        except (NoteError, RequestError) as error:
            raise WitnessAway(f"its cosignature cannot be used: {error}") from None
        self._book.add_cosignature(Cosignature(size=size, witness=self._witness.id, line=line))
        self._cosigned = size

    def _last_cosigned(self) -> int:
        with self._store.reading() as reading:
            return reading.last_cosigned(self._witness.id)


class Cosigning:
    """Start it once per process; `halt` is told why the log must not be signed any more, and
    `halted` says it from then on."""

    def __init__(
        self,
        store: Store,
        book: CosignatureBook,
        policy: Policy,
        peers: Mapping[str, WitnessPeer],
        log_keys: Sequence[VerifierKey],
        halt: Callable[[str], None],
    ) -> None:
        self._store = store
        self._couriers = [
            Courier(store, book, witness, peers[witness.name], log_keys)
            for witness in policy.witnesses
            if witness.name in peers
        ]
        self._halt = halt
        self.halted: str | None = None
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(courier,), name="cosigning", daemon=True)
            for courier in self._couriers
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No witness is asked any more; one that is being asked is not waited for."""
        self._stopping.set()

    def collect(self) -> None:
        """Visit every witness now, one after the other."""
        for courier in self._couriers:
            self._visit(courier)

    def lags(self) -> list[Lag]:
        with self._store.reading() as reading:
            size = reading.log().size
        return [courier.lag(size) for courier in self._couriers]

    def _run(self, courier: Courier) -> None:
        while not self._stopping.wait(courier.pause):
            self._visit(courier)

    def _visit(self, courier: Courier) -> None:
        try:
            courier.visit()
        except RollbackSuspected as error:
            log.critical("the log is not signed any more", witness=courier.name, error=str(error))
            self._stopping.set()
            self.halted = str(error)
            self._halt(str(error))
