"""Base backup and archived write-ahead log (docs/operations.md), and what they bring back.

To the end of the archive: every entry, and the service signs on. To an earlier moment: a ledger
that is sound in itself, from which the service refuses to sign.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from bol_service.application.audit import audit
from bol_service.application.ledger_queries import LedgerQueries
from bol_service.application.startup import RollbackSuspected, require_continuity
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from scripts import local_postgres
from scripts.local_postgres import LocalPostgres
from tests.many_bills import HOLDER
from tests.recording import WritePath, write_path

DATABASE = "ledger"


@dataclass(frozen=True, kw_only=True)
class Archived:
    """A server that was backed up, archived its log, was written on, and is gone."""

    server: LocalPostgres
    path: WritePath
    account: dict[str, Any]
    sizes: tuple[int, int]  # at the moment to come back to, and at the end
    moment: str

    @contextmanager
    def restored(self, *settings: str) -> Iterator[SqlStore]:
        """A new server on a copy of the base backup, recovered from the archive and promoted."""
        folder = self.server.folder
        data = folder / f"restored-{len(settings)}"
        subprocess.run(["cp", "-a", folder / "base", data], check=True)
        (data / "recovery.signal").touch()
        command = [self.server.programs / "postgres", "-D", data, "-k", folder, "-h", ""]
        command += [f"--restore_command=cp {folder}/archive/%f %p"]
        command += ["--recovery_target_action=promote", *(f"--{setting}" for setting in settings)]
        with open(folder / "log", "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **self.account)
        self.server.process = process
        engine = open_engine(self.server.url(DATABASE))
        try:
            self.server.await_ready()
            await_promotion(engine)
            yield SqlStore(engine)
        finally:
            engine.dispose()
            process.send_signal(signal.SIGQUIT)
            process.wait()


@pytest.fixture(scope="module")
def archived() -> Iterator[Archived]:
    server = local_postgres.start(
        initdb_options=("--data-checksums", "--wal-segsize=1"),
        settings=("archive_mode=on", "archive_command=cp %p ../archive/%f", "wal_level=replica"),
    )
    account = local_postgres.account_to_run_as() or {}
    archive = server.folder / "archive"
    archive.mkdir()
    if account:
        os.chown(archive, account["user"], account["group"])
    try:
        server.create_database(DATABASE)
        with write_path(server.url(DATABASE)) as path:
            yield written(server, path, account)
    finally:
        server.stop()


def written(server: LocalPostgres, path: WritePath, account: dict[str, Any]) -> Archived:
    """Back up, write, remember the moment, write on, and lose the server."""
    base_backup(server, account)
    bill = path.maker.issue(1)[0]
    with path.store.engine.begin() as connection:
        moment = str(connection.execute(text("SELECT clock_timestamp()")).scalar_one())
    first = LedgerQueries(path.store).size()
    path.recorder.submit(path.desk.transfer(bill, HOLDER, "bankcq"))
    last = LedgerQueries(path.store).size()
    path.sequencer.stop()
    path.store.engine.dispose()
    server.process.send_signal(signal.SIGINT)  # in order: what is not archived yet is archived now
    server.process.wait(60)
    return Archived(server=server, path=path, account=account, sizes=(first, last), moment=moment)


def base_backup(server: LocalPostgres, account: dict[str, Any]) -> None:
    url = make_url(server.url())
    command = [str(server.programs / "pg_basebackup"), "--checkpoint=fast", "--wal-method=none"]
    command += [f"--pgdata={server.folder / 'base'}", f"--host={server.folder}"]
    command += [f"--port={server.port}", f"--username={server.user}", "--no-password"]
    subprocess.run(
        command,
        env={**os.environ, "PGPASSWORD": str(url.password)},
        cwd=server.folder,
        check=True,
        capture_output=True,
        **account,
    )


def await_promotion(engine: Engine) -> None:
    """It answers readers while it still recovers."""
    waited = "WHILE pg_is_in_recovery() LOOP PERFORM pg_sleep(0.05); END LOOP"
    with engine.connect() as connection:
        connection.execute(text("SET statement_timeout = '60s'"))
        connection.execute(text(f"DO $$ BEGIN {waited}; END $$"))


def test_to_the_end_of_the_archive_everything_is_back_and_the_service_signs_on(
    archived: Archived,
) -> None:
    with archived.restored() as store:
        assert LedgerQueries(store).size() == archived.sizes[1]
        assert audit(store, [archived.path.log_key]).problems == []
        require_continuity(store, archived.path.checkpoint_file, [archived.path.log_key])


def test_to_an_earlier_moment_the_ledger_is_sound_and_the_service_refuses_to_sign(
    archived: Archived,
) -> None:
    first, last = archived.sizes
    with archived.restored(f"recovery_target_time={archived.moment}") as store:
        assert LedgerQueries(store).size() == first
        assert audit(store, [archived.path.log_key]).problems == []
        refusal = f"the checkpoint file is of size {last}, the database has {first} entries"
        with pytest.raises(RollbackSuspected, match=refusal):
            require_continuity(store, archived.path.checkpoint_file, [archived.path.log_key])
