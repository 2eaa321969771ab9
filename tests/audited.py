"""A small stopped ledger for the tests of the audit, copied for each and changed behind its back.

It has every kind of cached row: three bills of one holder, one of them handed on, and a mandate.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bol_service.application.audit import audit
from bol_service.application.audit_findings import AuditReport
from bol_service.ledger.note import VerifierKey
from bol_service.storage.audit_beside import opened_beside
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from tests.many_bills import HOLDER
from tests.recording import WritePath, write_path

MANDATE = {"validUntil": "2027-04-01T00:00:00.000Z"}


@dataclass(frozen=True, kw_only=True)
class Audited:
    database: Path
    log_key: VerifierKey

    def copy(self, folder: Path) -> Audited:
        copied = folder / "copy.db"
        shutil.copy(self.database, copied)
        return Audited(database=copied, log_key=self.log_key)

    def tamper(self, *statements: str) -> None:
        """As an administrator: without triggers and without foreign keys."""
        with closing(sqlite3.connect(self.database)) as connection:
            guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'")
            kept = guards.fetchall()
            for name, _ in kept:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                assert connection.execute(statement).rowcount != 0, statement
            for _, sql in kept:
                connection.execute(sql)
            connection.commit()

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(query).fetchall()

    @contextmanager
    def store(self) -> Iterator[SqlStore]:
        engine = open_engine(f"sqlite:///{self.database}")
        try:
            yield SqlStore(engine)
        finally:
            engine.dispose()

    def audit(
        self,
        *,
        jobs: int = 1,
        since: Path | None = None,
        rebuild: bool = False,
        progress: Callable[[int, int], None] = lambda _done, _all: None,
        keys: tuple[VerifierKey, ...] = (),
        witnesses: tuple[VerifierKey, ...] = (),
    ) -> AuditReport:
        with self.store() as store:
            return audit(
                store,
                [self.log_key, *keys],
                progress,
                jobs=jobs,
                since=since,
                rebuild=rebuild,
                witnesses=witnesses,
                beside=opened_beside(store),
            )


def made(folder: Path, later: Callable[[WritePath], object] = lambda _path: None) -> Audited:
    """The ledger in `folder`; `later` is done with its write path at the end."""
    database = folder / "ledger.db"
    with write_path(f"sqlite:///{database}") as path:
        maker = path.maker
        maker.act(HOLDER, "GRANT_MANDATE", f"party:{HOLDER}", MANDATE, recipient="qiaolian")
        bill, *_ = maker.issue(3)
        maker.act(HOLDER, "TRANSFER", f"bill:{bill}", recipient="bankcq")
        later(path)
        key = path.log_key
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
    return Audited(database=database, log_key=key)
