"""A PostgreSQL of a test's own that dies as a whole, by SIGKILL to each of its processes.

Unlike the run's shared server (`tests.postgres`) it syncs as in production: what it acknowledged
must be there when it rises again and recovers from its write-ahead log.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from scripts import local_postgres
from scripts.local_postgres import LocalPostgres
from tests.processes import children, end_all

DATABASE = "ledger"


class MortalPostgres:
    def __init__(self, server: LocalPostgres) -> None:
        self._server = server
        self._command: list[str] = list(server.process.args)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        return self._server.url(DATABASE)

    @property
    def _libpq(self) -> str:
        """As the driver itself takes it, without SQLAlchemy's name for it."""
        return self.url.replace("+psycopg", "")

    @property
    def log(self) -> str:
        """What the server wrote since the beginning, over all its lives."""
        return (self._server.folder / "log").read_text(encoding="utf-8", errors="replace")

    def processes(self) -> list[int]:
        """The server's children: one for each connection, and those that write and recover."""
        return children(self._server.process.pid)

    def die(self) -> None:
        """No process of it can finish anything; returns when all are gone."""
        postmaster = self._server.process
        postmaster.send_signal(signal.SIGSTOP)  # from here on it starts no other child
        orphans = self.processes()
        postmaster.kill()
        postmaster.wait()
        end_all(orphans)

    def set(self, setting: str, value: str) -> None:
        """In its configuration, which it reads anew."""
        with psycopg.connect(self._libpq, autocommit=True) as connection:
            name, literal = sql.Identifier(setting), sql.Literal(value)
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(name, literal))
            connection.execute("SELECT pg_reload_conf()")

    def forget_settings(self) -> None:
        """All that was `set`; while it is down."""
        (self._server.folder / "data" / "postgresql.auto.conf").write_bytes(b"")

    def rise(self, before: Callable[[], None] | None = None) -> None:
        """Start again on the same data, and wait until recovery is done.

        `before` is called in the new process, as its user.
        """
        owner = (self._server.folder / "data").stat()
        account: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        with open(self._server.folder / "log", "ab") as log:
            self._server.process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                cwd=self._server.folder,
                preexec_fn=before,
                **(account if os.geteuid() == 0 else {}),
            )
        self._server.await_ready()


@contextmanager
def mortal_postgres(*settings: str) -> Iterator[MortalPostgres]:
    """A fresh server with an empty database; `settings` (`name=value`) add to its defaults."""
    server = local_postgres.start(settings=settings)
    try:
        server.create_database(DATABASE)
        yield MortalPostgres(server)
    finally:
        server.stop()
