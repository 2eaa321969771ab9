"""Database connections with the settings that durability and order depend on.

SQLite: WAL with synchronous=FULL (an acknowledged event survives power loss), foreign keys,
recursive triggers (so that INSERT OR REPLACE meets the append-only triggers), and transactions
begun by us: BEGIN IMMEDIATE to write, BEGIN to read. Exactly one process may write; it holds an OS
lock on `<database>.lock`.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url


class DatabaseBusy(RuntimeError):  # noqa: N818 - says what is the matter
    """Another process writes to this SQLite file."""


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///PATH` or `postgresql+psycopg://...`."""
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        _configure_sqlite(engine)
    return engine


def is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def _configure_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "busy_timeout=10000",
            "foreign_keys=ON",
            "recursive_triggers=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


class WriterLock:
    """Held for the life of the process that writes to a SQLite file."""

    def __init__(self, url: str) -> None:
        database = make_url(url).database
        if not database or database == ":memory:":
            raise ValueError(f"{url} names no database file")
        self._path = Path(f"{database}.lock")
        self._handle: int | None = None

    def acquire(self) -> None:
        """Raises DatabaseBusy naming the file if another process holds it."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise DatabaseBusy(
                f"another process writes to this database; it holds {self._path}. Stop it first, "
                "or use PostgreSQL for several processes"
            ) from None
        self._handle = handle

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
