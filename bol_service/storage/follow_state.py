"""What a monitor remembers of a log: one SQLite file, changed by whole visits only.

It grows with the number of streams (40 bytes each), not with the number of entries.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bol_service.ledger.merkle import Frontier

_TABLES = (
    "CREATE TABLE IF NOT EXISTS followed (id INTEGER PRIMARY KEY CHECK (id = 1), "
    "note TEXT NOT NULL, frontier BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS streams (tag BLOB PRIMARY KEY, next INTEGER NOT NULL) "
    "WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS parties (party TEXT PRIMARY KEY, kids TEXT NOT NULL)",
)


class FollowStateError(RuntimeError):
    """The state file cannot be used."""


class FileFollowState:
    """Implements `application.following.FollowState`; FollowStateError for a file that is none."""

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(path, isolation_level=None)
            for table in _TABLES:
                self._connection.execute(table)
        except sqlite3.Error as error:
            raise FollowStateError(f"{path} cannot be used as a monitor's state: {error}") from None

    @contextmanager
    def visiting(self) -> Iterator[SqliteKept]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield SqliteKept(self._connection)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class SqliteKept:
    """Implements `application.following.Kept`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def note(self) -> str | None:
        row = self._connection.execute("SELECT note FROM followed").fetchone()
        return str(row[0]) if row else None

    def frontier(self) -> Frontier:
        row = self._connection.execute("SELECT frontier FROM followed").fetchone()
        return Frontier.from_bytes(row[0]) if row else Frontier()

    def next_sequence(self, tag: bytes) -> int:
        query = "SELECT next FROM streams WHERE tag = ?"
        row = self._connection.execute(query, (tag,)).fetchone()
        return int(row[0]) if row else 0

    def set_next_sequence(self, tag: bytes, sequence: int) -> None:
        self._connection.execute("REPLACE INTO streams VALUES (?, ?)", (tag, sequence))

    def keys(self, party: str) -> set[str] | None:
        query = "SELECT kids FROM parties WHERE party = ?"
        row = self._connection.execute(query, (party,)).fetchone()
        return set(json.loads(row[0])) if row else None

    def set_keys(self, party: str, kids: Iterable[str]) -> None:
        values = (party, json.dumps(sorted(kids)))
        self._connection.execute("REPLACE INTO parties VALUES (?, ?)", values)

    def put(self, note: str, frontier: Frontier) -> None:
        values = (note, frontier.to_bytes())
        self._connection.execute("REPLACE INTO followed VALUES (1, ?, ?)", values)
