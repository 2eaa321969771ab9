"""Who notices what a database's superuser did, and what each of them says.

- `CHECK`: the audit of the database, with the log's public key alone.
- `KEPT`: the same audit by the command line, with a checkpoint that somebody kept.
- `RECEIPT`: a party that kept receipts, and asks today's log to prove that it still holds them.
- `WITNESS`: a witness that cosigned the log, and is asked to cosign what it is now.
- `READER`: somebody who demands the witness's cosignature under the checkpoint that is served.
- `START`: the service itself, before it signs, with the checkpoint file it kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from bol_service.application.ledger_queries import LedgerQueries, NotInLog
from bol_service.application.startup import RollbackSuspected, require_continuity
from bol_service.application.witness import Witness, WitnessRefusal
from bol_service.application.witness_ports import Cosignature
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.ledger.checkpoint import open_checkpoint
from bol_service.ledger.entry import leaf
from bol_service.ledger.merkle import ProofError, verify_consistency, verify_inclusion
from bol_service.ledger.note import NoteError
from bol_service.ledger.policy import KnownLog, parse_policy, witness_id
from bol_service.ledger.receipt import Receipt
from bol_service.ledger.witnessing import AddCheckpoint, cosignature_in
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from bol_service.storage.witnessing import SqlWitnessing
from tests.command_line import run
from tests.desk import ORIGIN
from tests.fresh_database import migrate
from tests.recording import WritePath

WITNESS_NAME = "demo.sg.example/ebl/witness"
NOTHING = ""


class Who(StrEnum):
    CHECK = "check"
    KEPT = "check with a kept checkpoint"
    RECEIPT = "a kept receipt"
    WITNESS = "the witness"
    READER = "a reader who demands the witness"
    START = "the service at its start"


@dataclass(kw_only=True)
class Outsiders:
    """All that is kept outside the database of `path`; make it with `outsiders`."""

    path: WritePath
    witness: Witness
    folder: Path
    receipts: list[Receipt] = field(default_factory=list)
    kept_note: str = ""

    def keep(self, *receipts: Receipt) -> None:
        """Keep receipts and today's checkpoint, and let the witness cosign that."""
        self.receipts += receipts
        self.kept_note = LedgerQueries(self.path.store).checkpoint()
        size = open_checkpoint(self.kept_note, [self.path.log_key]).checkpoint.size
        line = self._cosigned(0)
        book = SqlWitnessing(self.path.store)
        key = witness_id(self.witness.key)
        cosignature_in(self.kept_note, line.encode(), self.witness.key)
        book.add_cosignature(Cosignature(size=size, witness=key, line=line))

    def says(self, who: Who) -> str:
        """What one of them finds wrong now; NOTHING if all is well."""
        asked: dict[Who, Callable[[], str]] = {
            Who.CHECK: self._check,
            Who.KEPT: self._kept,
            Who.RECEIPT: self._receipt,
            Who.WITNESS: self._witness,
            Who.READER: self._reader,
            Who.START: self._start,
        }
        return asked[who]()

    def _check(self) -> str:
        return "\n".join(self.path.audit(self.witness.key).problems)

    def _kept(self) -> str:
        kept = self.folder / "kept-checkpoint"
        kept.write_text(self.kept_note, encoding="utf-8")
        settings = {
            "BOL_ORIGIN": ORIGIN,
            "BOL_DATABASE_URL": self.path.store.engine.url.render_as_string(hide_password=False),
            "BOL_LOG_VKEY": self.path.log_key.vkey,
        }
        ran = run("ledger", "check", "--checkpoint", kept, **settings)
        return NOTHING if ran.code == 0 else ran.out + ran.err

    def _receipt(self) -> str:
        ledger = LedgerQueries(self.path.store)
        try:
            for receipt in self.receipts:
                self._require_still_held(ledger, receipt)
        except (NoteError, ProofError, NotInLog) as error:
            return str(error)
        return NOTHING

    def _require_still_held(self, ledger: LedgerQueries, receipt: Receipt) -> None:
        now = open_checkpoint(ledger.checkpoint(), [self.path.log_key]).checkpoint
        then = open_checkpoint(receipt.checkpoint, [self.path.log_key]).checkpoint
        _, proof = ledger.consistency(then.size, now.size)
        verify_consistency(then.size, now.size, proof, then.root, now.root)
        _, way = ledger.inclusion(receipt.index, now.size)
        own = leaf(receipt.stream, receipt.sequence, receipt.entry)
        verify_inclusion(own, receipt.index, now.size, way, now.root)

    def _witness(self) -> str:
        cosigned = open_checkpoint(self.kept_note, [self.path.log_key]).checkpoint.size
        try:
            self._cosigned(cosigned)
        except WitnessRefusal as error:
            return str(error)
        return NOTHING

    def _cosigned(self, old: int) -> str:
        """The best that a service can ask for, with whatever its database holds."""
        ledger = LedgerQueries(self.path.store)
        size = ledger.size()
        old = min(old, size)
        proof = tuple(ledger.consistency(old, size)[1])
        request = AddCheckpoint(old=old, proof=proof, note=ledger.checkpoint())
        return self.witness.add_checkpoint(request.to_bytes())

    def _reader(self) -> str:
        key = self.witness.key
        policy = parse_policy(f"witness sg {key.vkey}\nquorum sg\n")
        try:
            note = LedgerQueries(self.path.store).checkpoint()
            signed = open_checkpoint(note, [self.path.log_key, key])
        except NoteError as error:
            return str(error)
        met = policy.is_met_by({witness_id(by.key) for by in signed.by})
        return NOTHING if met else "the quorum is not met"

    def _start(self) -> str:
        try:
            require_continuity(self.path.store, self.path.checkpoint_file, [self.path.log_key])
        except RollbackSuspected as error:
            return str(error)
        return NOTHING


@contextmanager
def outsiders(path: WritePath, folder: Path) -> Iterator[Outsiders]:
    """A witness of its own database, and nothing kept yet."""
    engine = open_engine(f"sqlite:///{folder / 'witness.db'}")
    migrate(engine)
    signer = LocalSigner(generate(Algorithm.ED25519))
    witness = Witness(
        SqlWitnessing(SqlStore(engine)),
        path.clock,
        signer,
        WITNESS_NAME,
        [KnownLog(key=path.log_key, url=None)],
    )
    yield Outsiders(path=path, witness=witness, folder=folder)
    engine.dispose()
