"""Two PostgreSQL of a test's own: a primary, and a standby that has every commit before its answer.

Streaming replication with synchronous commit, as under `ops/ha`, but nobody watches: the test kills
the primary and promotes the standby. `url` names both and asks for the one that can be written to.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from scripts import local_postgres
from scripts.local_postgres import LocalPostgres, free_port
from tests.mortal_postgres import DATABASE, MortalPostgres

_ATTACHED = (
    "DO $$ BEGIN WHILE NOT EXISTS "
    "(SELECT FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')) "
    "LOOP PERFORM pg_sleep(0.02), pg_stat_clear_snapshot(); END LOOP; END $$"
)


@dataclass(frozen=True, kw_only=True)
class PairedPostgres:
    primary: MortalPostgres
    standby: LocalPostgres
    url: str

    def promote(self) -> None:
        """The standby takes over; returns when it can be written to."""
        with _administrator(self.standby) as connection:
            row = connection.execute("SELECT pg_promote(wait => true, wait_seconds => 30)")
            assert row.fetchone() == (True,)


@contextmanager
def paired_postgres() -> Iterator[PairedPostgres]:
    """With an empty database; no commit is acknowledged before the standby has it on its disk."""
    primary = local_postgres.start(port=free_port())
    try:
        primary.create_database(DATABASE)
        standby = _standby_of(primary)
        try:
            mortal = MortalPostgres(primary)
            mortal.set("synchronous_standby_names", "*")
            with _administrator(primary) as connection:
                connection.execute("SET statement_timeout = '30s'")
                connection.execute(_ATTACHED)
            yield PairedPostgres(primary=mortal, standby=standby, url=_url(primary, standby))
        finally:
            standby.stop()
    finally:
        primary.stop()


def _standby_of(primary: LocalPostgres) -> LocalPostgres:
    folder = Path(tempfile.mkdtemp(prefix="bol-pg-"))
    account: dict[str, Any] = local_postgres.account_to_run_as() or {}
    if account:
        os.chown(folder, account["user"], account["group"])
    _copy(primary, folder / "data", account)
    port = free_port()
    command = [str(primary.programs / "postgres"), "-D", str(folder / "data")]
    command += ["-k", str(folder), "-h", "127.0.0.1", "-p", str(port)]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **account)
    standby = LocalPostgres(
        folder=folder,
        process=process,
        programs=primary.programs,
        port=port,
        user=primary.user,
        password=primary.password,
    )
    standby.await_ready()
    return standby


def _copy(primary: LocalPostgres, data: Path, account: dict[str, Any]) -> None:
    """A base backup that begins as a standby of the server it was taken from."""
    command = [str(primary.programs / "pg_basebackup"), f"--pgdata={data}", "--checkpoint=fast"]
    command += ["--wal-method=stream", "--write-recovery-conf", "--no-sync", "--no-password"]
    command += [f"--host={primary.folder}", f"--port={primary.port}", f"--username={primary.user}"]
    subprocess.run(
        command,
        env={**os.environ, "PGPASSWORD": primary.password},
        cwd=data.parent,
        check=True,
        capture_output=True,
        **account,
    )


def _administrator(server: LocalPostgres) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=str(server.folder),
        port=server.port,
        user=server.user,
        password=server.password,
        dbname="postgres",
        autocommit=True,
    )


def _url(*servers: LocalPostgres) -> str:
    hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in servers)
    owner = f"{servers[0].user}:{quote(servers[0].password)}"
    return f"postgresql+psycopg://{owner}@/{DATABASE}?{hosts}&target_session_attrs=read-write"
