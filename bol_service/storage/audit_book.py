"""The book of an audit: one SQLite file with the caches as the entries make them.

1. It has the cache tables of the ledger's own schema, written by the same `CacheTables` with the
   same statements.
2. What is put lies in one open transaction; `keep` commits it together with how far it goes. A
   killed audit therefore leaves the book as it was kept last.
3. The file is marked, so that no ledger, and nothing else, is ever taken for a book; one audit at
   a time uses it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Engine, TextClause, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateTable

from bol_service.application.audit_ports import BookError, Cache, CacheRow, Cosigned, Reached
from bol_service.application.ports import Batch, Claim
from bol_service.domain.document import DocumentFacts
from bol_service.domain.states import Head, State
from bol_service.ledger.merkle import Frontier
from bol_service.storage import tables
from bol_service.storage.cache_tables import CacheTables, in_order
from bol_service.storage.codec import decode_state
from bol_service.storage.reading import SqlReading
from bol_service.storage.statements import Sent, Statements

_HEADER_SIZE = 100
MARK = 0x626F6C41  # "bolA"
_REACHED = (
    "CREATE TABLE reached (id INTEGER PRIMARY KEY CHECK (id = 1), origin TEXT NOT NULL, "
    "version TEXT NOT NULL, vkeys TEXT NOT NULL, frontier BLOB NOT NULL, "
    "recorded_at TEXT NOT NULL, at TEXT NOT NULL)"
)
_COSIGNED = (
    "CREATE TABLE IF NOT EXISTS cosigned (size INTEGER, witness TEXT, digest TEXT NOT NULL, "
    "PRIMARY KEY (size, witness)) WITHOUT ROWID"
)

_REMEMBERED = (
    "CREATE TABLE IF NOT EXISTS remembered (name TEXT, key TEXT, digest TEXT NOT NULL, "
    "PRIMARY KEY (name, key)) WITHOUT ROWID"
)
_NOW = "CREATE TEMP TABLE IF NOT EXISTS now (key TEXT PRIMARY KEY, digest TEXT NOT NULL)"


class BookReading(SqlReading):
    """Asked for a few streams at a time, so often that the shortest way counts."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._direct = _direct(connection)

    def states(self, streams: Iterable[str]) -> dict[str, tuple[State, Head]]:
        query = "SELECT kind, state, sequence, digest FROM states WHERE stream = ?"
        found: dict[str, tuple[State, Head]] = {}
        for stream in streams:
            row = self._direct.execute(query, (stream,)).fetchone()
            if row is not None:
                kind, state, sequence, digest = row
                found[stream] = decode_state(kind, state), Head(sequence=sequence, digest=digest)
        return found

    def facts(self, digests: Iterable[str]) -> list[DocumentFacts]:
        return []


class BookStatements(Statements):
    """The same statements through the driver itself: SQLite takes them as they are written."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._direct = _direct(connection)

    def send(self, statement: TextClause, parameters: Any) -> Sent:
        if isinstance(parameters, list):
            return self._direct.executemany(statement.text, parameters)
        return self._direct.execute(statement.text, parameters)


class SqlBook:
    """Implements `application.audit_ports.Book` on the one connection of a book."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._caches = CacheTables(connection, BookStatements(connection))
        self._direct = _direct(connection)
        self.reading = BookReading(connection)

    def reached(self) -> Reached | None:
        row = self._direct.execute(
            "SELECT origin, version, vkeys, frontier, recorded_at, at FROM reached"
        ).fetchone()
        if row is None:
            return None
        try:
            return Reached(
                origin=row[0],
                version=row[1],
                vkeys=tuple(json.loads(row[2])),
                frontier=Frontier.from_bytes(row[3]),
                recorded_at=row[4],
                at=row[5],
            )
        except (ValueError, TypeError) as error:
            raise BookError(f"the book is damaged: {error}; remove it and audit anew") from None

    def owner(self, claim: Claim) -> str | None:
        query = "SELECT owner FROM claims WHERE kind = ? AND value = ?"
        row = self._direct.execute(query, (claim.kind, claim.value)).fetchone()
        return str(row[0]) if row else None

    def put(self, *groups: Batch) -> None:
        self._caches.put(*groups)

    def keep(self, reached: Reached) -> None:
        self._direct.execute(
            "REPLACE INTO reached VALUES (1, ?, ?, ?, ?, ?, ?)",
            (
                reached.origin,
                reached.version,
                json.dumps(reached.vkeys),
                reached.frontier.to_bytes(),
                reached.recorded_at,
                reached.at,
            ),
        )
        self._direct.execute("COMMIT")
        self._direct.execute("BEGIN IMMEDIATE")

    def cosigned(self, after: tuple[int, str], up_to: tuple[int, str] | None) -> list[Cosigned]:
        query = "SELECT size, witness, digest FROM cosigned WHERE (size, witness) > (?, ?)"
        if up_to is None:
            return self._direct.execute(query, after).fetchall()
        until = f"{query} AND (size, witness) <= (?, ?)"
        return self._direct.execute(until, (*after, *up_to)).fetchall()

    def put_cosigned(self, verified: Sequence[Cosigned]) -> None:
        self._direct.executemany("REPLACE INTO cosigned VALUES (?, ?, ?)", verified)

    def compared(self, table: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
        self._direct.execute(_NOW)
        self._direct.execute("DELETE FROM now")
        self._direct.executemany("REPLACE INTO now VALUES (?, ?)", rows)
        gone = self._direct.execute(
            "SELECT r.key FROM remembered r LEFT JOIN now n ON n.key = r.key "
            "WHERE r.name = ? AND (n.key IS NULL OR n.digest <> r.digest) ORDER BY r.key",
            (table,),
        ).fetchall()
        self._direct.execute(
            "INSERT OR IGNORE INTO remembered SELECT ?, key, digest FROM now", (table,)
        )
        return (key for (key,) in gone)

    def ordered(self, cache: Cache) -> Iterator[CacheRow]:
        rows: Iterator[CacheRow] = self._direct.execute(in_order(cache).text)
        return rows


@contextmanager
def open_book(file: Path | None) -> Iterator[SqlBook]:
    """See `application.ports.Store.audit_book`. What was not kept is gone when the block ends."""
    if file is None:
        with (
            TemporaryDirectory(prefix="bol-audit-") as folder,
            _opened(Path(folder) / "book") as book,
        ):
            yield book
        return
    _refuse_short_file(file)
    with _opened(file, durable=True) as book:
        yield book


def _refuse_short_file(file: Path) -> None:
    """SQLite itself would take anything shorter than its header for an empty database."""
    if file.is_file() and 0 < file.stat().st_size < _HEADER_SIZE:
        raise BookError(f"{file} cannot be used as the book of an audit: it is no database")


@contextmanager
def _opened(file: Path, *, durable: bool = False) -> Iterator[SqlBook]:
    engine = _engine(file, durable)
    try:
        try:
            connection = engine.connect()
            _begin(connection, file)
        except (DatabaseError, sqlite3.Error) as error:
            reason = str(getattr(error, "orig", error))
            raise BookError(f"{file} cannot be used as the book of an audit: {reason}") from None
        try:
            yield SqlBook(connection)
        finally:
            _direct(connection).execute("ROLLBACK")
            connection.close()
    finally:
        engine.dispose()


def _engine(file: Path, durable: bool) -> Engine:
    """Transactions are begun by hand; a book that nobody goes on from is written without care."""
    engine = create_engine(
        f"sqlite:///{file}", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
        connection.execute("PRAGMA cache_size=-65536")  # 64 MiB, whatever the size of the log

    return engine


def _begin(connection: Connection, file: Path) -> None:
    """Leave the connection within the transaction in which the audit works."""
    direct = _direct(connection)
    direct.execute("BEGIN IMMEDIATE")
    (tables_there,) = direct.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (mark,) = direct.execute("PRAGMA application_id").fetchone()
    if tables_there == 0:
        direct.execute(f"PRAGMA application_id={MARK}")
        direct.execute(_REACHED)
        for cache in Cache:  # without their indexes: a row is only ever asked for by its key
            connection.execute(CreateTable(tables.metadata.tables[cache]))
    elif mark != MARK:
        raise BookError(
            f"{file} is a database, but not the book of an audit; give a file that is not there "
            "yet, or one that an audit made"
        )
    direct.execute(_COSIGNED)  # a book of before has none
    direct.execute(_REMEMBERED)


def _direct(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
