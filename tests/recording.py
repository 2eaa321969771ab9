"""The write path alone, on a real database, with the ports that a test wants to let fail.

`write_path(url)` migrates and names the log, and gives store, sequencer and recorder around a clock
and a checkpoint file in memory. Start and stop it with `with`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from bol_service.application.audit import AuditReport, audit
from bol_service.application.documents import Documents
from bol_service.application.platform_guard import PlatformFacts
from bol_service.application.record import Recorder
from bol_service.application.sequencer import Observed, Sequencer
from bol_service.application.startup import require_continuity
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.ledger.checkpoint import Checkpoint
from bol_service.ledger.note import KeyType, VerifierKey, sign_note
from bol_service.storage.audit_beside import opened_beside
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from tests.desk import ORIGIN, STORY, Desk
from tests.fresh_database import migrate
from tests.many_bills import RULEBOOK, Maker


@dataclass
class StandingClock:
    """Implements `application.ports.Clock`; a test moves it."""

    moment: datetime = STORY

    def now(self) -> datetime:
        return self.moment


@dataclass
class FaultyCheckpointFile:
    """Implements `application.ports.CheckpointFile` in memory; fails as often as `faults` says."""

    note: str | None = None
    faults: int = 0
    replaced: int = 0

    def read(self) -> str | None:
        return self.note

    def replace(self, note: str) -> None:
        if self.faults:
            self.faults -= 1
            raise OSError(5, "Input/output error")
        self.note = note
        self.replaced += 1


@dataclass(kw_only=True)
class WritePath:
    store: SqlStore
    desk: Desk
    clock: StandingClock
    checkpoint_file: FaultyCheckpointFile
    log_signer: LocalSigner
    groups: list[Observed] = field(default_factory=list)
    sequencer: Sequencer = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    @property
    def log_key(self) -> VerifierKey:
        public = self.log_signer.public.public_bytes_raw
        return VerifierKey(name=ORIGIN, type=KeyType.ED25519, public=public)

    @property
    def recorder(self) -> Recorder:
        return Recorder(self.store, self.sequencer)

    @property
    def maker(self) -> Maker:
        documents = Documents(self.store, self.clock, ORIGIN)
        return Maker(desk=self.desk, recorder=self.recorder, documents=documents)

    def renew(self) -> None:
        """A sequencer as after a restart; not started."""
        self.sequencer = Sequencer(
            self.store,
            self.clock,
            self._sign,
            self.checkpoint_file,
            PlatformFacts(
                reserved_keys=frozenset({self.log_signer.public.kid}),
                registrars=frozenset({self.desk.signers["operator"].public.kid}),
                rulebooks=frozenset({RULEBOOK}),
            ),
            observe=self.groups.append,
        )

    def restart(self) -> None:
        """What a new process does: compare with the checkpoint file, then a fresh sequencer."""
        if self.sequencer.alive:
            self.sequencer.stop()
        require_continuity(self.store, self.checkpoint_file, [self.log_key])
        self.renew()
        self.sequencer.start()

    def audit(self, *witnesses: VerifierKey) -> AuditReport:
        return audit(
            self.store, [self.log_key], witnesses=witnesses, beside=opened_beside(self.store)
        )

    def _sign(self, checkpoint: Checkpoint) -> str:
        signer = self.log_signer
        return sign_note(checkpoint.body(), ORIGIN, signer.sign, signer.public.public_bytes_raw)


@contextmanager
def write_path(
    url: str, *, open_store: Callable[..., SqlStore] = SqlStore, like: WritePath | None = None
) -> Iterator[WritePath]:
    """A running write path on a fresh database with an opened log.

    With `like`, another history under the very same keys: its log is not opened yet.
    """
    engine = open_engine(url)
    migrate(engine)
    path = WritePath(
        store=open_store(engine),
        desk=like.desk if like is not None else Desk(),
        clock=StandingClock(),
        checkpoint_file=FaultyCheckpointFile(),
        log_signer=like.log_signer if like else LocalSigner(generate(Algorithm.ED25519)),
    )
    path.store.create_log(ORIGIN)
    path.sequencer.start()
    try:
        if like is None:
            path.maker.open_log()
        yield path
    finally:
        if path.sequencer.alive:
            path.sequencer.stop()
        engine.dispose()
