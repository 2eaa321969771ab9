"""Database connections with the settings that durability and order depend on.

SQLite: WAL with synchronous=FULL (an acknowledged event survives power loss), foreign keys,
recursive triggers (so that INSERT OR REPLACE meets the append-only triggers), and transactions
begun by us: BEGIN IMMEDIATE to write, BEGIN to read. Exactly one process may write; it holds an OS
lock on `<database>.lock`.

PostgreSQL: a connection that has rested is tried before it is used, so that those to a primary that
died are given up at once (of one used a moment ago only the socket is looked at: three more round
trips would be half of a short transaction); and a machine that is gone without a word is noticed
after seconds, not after the two hours of the system's keepalive. What the URL says comes first.
Whole tables are read only where no index will do.
"""

from __future__ import annotations

import select
import sqlite3
from pathlib import Path
from time import monotonic
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from bol_service.storage import arrays, greenlets
from bol_service.storage.held_file import HeldFile

_NOTICE_THE_DEAD: Final = {
    "connect_timeout": "5",  # seconds for each host
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",  # milliseconds until unanswered data ends the connection
}


RESTED_SECONDS: Final = 1.0
_USED: Final = "bol-used"


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///PATH` or `postgresql+psycopg://...`."""
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(url)
        _configure_sqlite(engine)
        return engine
    stated = make_url(url).query
    unstated = {name: value for name, value in _NOTICE_THE_DEAD.items() if name not in stated}
    engine = create_engine(url, connect_args=unstated)
    _configure_postgresql(engine)
    return engine


def is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


def _configure_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "do_connect")
    def _open(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        if not greenlets.is_patched():
            return None  # as SQLAlchemy does it
        return greenlets.connection_class().connect(*arguments, **options)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: ConnectionPoolEntry) -> None:
        arrays.register(connection)
        _settle(connection)

    @event.listens_for(engine, "checkin")
    def _rest(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_USED] = monotonic()

    @event.listens_for(engine, "checkout")
    def _try(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        rested = monotonic() - record.info.get(_USED, monotonic())
        try:
            require_alive(engine, connection, rested)
        except engine.dialect.loaded_dbapi.Error as error:
            # All of the pool, not this one alone: they lead to the same server.
            raise InvalidatePoolError(str(error)) from error


_SESSION: Final = (
    # A statement keeps the plan of its first uses, and while a log is young that is to read whole
    # tables: it went on to do so as they grew, until the server's statistics were next renewed.
    "SET enable_seqscan = off",
    # The server has to notice too when this machine is gone: it may hold the head's lock.
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = '10s'",
)


def _settle(connection: Any) -> None:
    # Whenever it rolls back, the driver forgets what it has prepared, by letting the server forget
    # everything: also the statements of `round_trip`, without which nothing more would be answered.
    connection.prepare_threshold = None
    connection.autocommit = True
    connection.execute("; ".join(_SESSION))
    connection.autocommit = False


def require_alive(engine: Engine, connection: Any, rested: float) -> None:
    """Ask the driver's connection, which nobody has used for `rested` seconds, if there is reason
    to. Raises the driver's error if the server has ended it."""
    if rested >= RESTED_SECONDS or _has_spoken(connection):
        engine.dialect.do_ping(connection)


def _has_spoken(connection: Any) -> bool:
    """Whether something came on a connection that nobody uses: the server has ended it."""
    waiting = greenlets.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


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


class WriterLock(HeldFile):
    """Held for the life of the process that writes to a SQLite file."""

    def __init__(self, url: str) -> None:
        database = make_url(url).database
        if not database or database == ":memory:":
            raise ValueError(f"{url} names no database file")
        path = Path(f"{database}.lock")
        super().__init__(
            path,
            f"another process writes to this database; it holds {path}. Stop it first, "
            "or use PostgreSQL for several processes",
        )
