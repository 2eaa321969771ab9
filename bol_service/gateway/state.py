"""What a gateway remembers: one SQLite file, written through to the disk before anything is sent.

- `issuances`: each request of the carrier's system that was acknowledged, and what came of it.
- `surrenders`: each signed surrender that the carrier's system is asked about, and its answer.
- `acts`: the exact text of each event that was signed, kept before it is sent, and its receipt.
- `deliveries`: what is owed to the carrier's system and to subscribers, until they have it.
- `statuses`, `unseen`, `marks`: the last known state of each bill and draft, the bills to look at
  in the next round, up to which notice was read.

One process at a time: the folder is held by an OS lock as long as the state is open.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from bol_service.wire.event_fields import instant_text

OPEN, ANSWERED, CLOSED = "OPEN", "ANSWERED", "CLOSED"
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS issuances (number INTEGER PRIMARY KEY AUTOINCREMENT, "
    "document TEXT NOT NULL, sub_document TEXT NOT NULL, bill TEXT NOT NULL, body BLOB NOT NULL, "
    "at TEXT NOT NULL, code TEXT)",
    "CREATE INDEX IF NOT EXISTS issuances_document ON issuances (document, sub_document)",
    "CREATE TABLE IF NOT EXISTS acts (name TEXT PRIMARY KEY, compact TEXT NOT NULL, receipt TEXT)",
    "CREATE TABLE IF NOT EXISTS surrenders (reference TEXT PRIMARY KEY, bill TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, state TEXT NOT NULL, action TEXT, reason TEXT)",
    "CREATE TABLE IF NOT EXISTS deliveries (name TEXT PRIMARY KEY, target TEXT NOT NULL, "
    "path TEXT NOT NULL, body BLOB NOT NULL, attempts INTEGER NOT NULL, due TEXT NOT NULL, "
    "ended TEXT)",
    "CREATE TABLE IF NOT EXISTS statuses (subject TEXT PRIMARY KEY, status TEXT NOT NULL, "
    "changes INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS unseen (bill TEXT PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
)


class StateError(RuntimeError):
    """The folder cannot be used, or another gateway uses it."""


@dataclass(frozen=True, kw_only=True)
class Issuance:
    """`code` is None while nothing came of the request yet."""

    number: int
    document: str
    bill: str
    body: bytes
    code: str | None


@dataclass(frozen=True, kw_only=True)
class Surrender:
    """`reference` is the digest of the signed surrender, `sequence` its place in the stream."""

    reference: str
    bill: str
    sequence: int
    state: str
    action: str | None
    reason: str | None


@dataclass(frozen=True, kw_only=True)
class KeptAct:
    compact: str
    receipt: str | None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    name: str
    target: str
    path: str
    body: bytes
    attempts: int


class State:
    """Raises StateError for a folder that cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._mutex = threading.RLock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / "gateway.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateError(f"{folder} cannot be used: {error.strerror}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path = folder / "gateway.db"
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            path.chmod(0o600)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            for table in _TABLES:
                self._connection.execute(table)
        except BlockingIOError:
            os.close(self._lock)
            raise StateError(f"another gateway uses {folder}; stop it first") from None
        except sqlite3.Error as error:
            os.close(self._lock)
            raise StateError(f"{folder} holds no state of a gateway: {error}") from None

    def close(self) -> None:
        with self._mutex:
            self._connection.close()
            os.close(self._lock)

    def belong_to(self, owner: str) -> None:
        """Of one carrier on one platform for ever; raises StateError for another one's."""
        known = self.mark("owner")
        if known not in ("", owner):
            self.close()
            raise StateError(f"the state is that of {known}, not of {owner}; use another folder")
        self.set_mark("owner", owner)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested ones join the outer."""
        with self._mutex:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    # -- issuances -------------------------------------------------------------------------------

    def add_issuance(
        self, document: str, sub_document: str | None, bill: str, body: bytes, at: datetime
    ) -> None:
        self._run(
            "INSERT INTO issuances (document, sub_document, bill, body, at) VALUES (?, ?, ?, ?, ?)",
            document,
            sub_document or "",
            bill,
            body,
            instant_text(at),
        )

    def last_issuance(self, document: str, sub_document: str | None) -> Issuance | None:
        found = self._issuances(
            "WHERE document = ? AND sub_document = ? ORDER BY number DESC LIMIT 1",
            document,
            sub_document or "",
        )
        return found[0] if found else None

    def waiting_issuances(self) -> list[Issuance]:
        return self._issuances("WHERE code IS NULL ORDER BY number")

    def end_issuance(self, number: int, code: str) -> None:
        self._run("UPDATE issuances SET code = ? WHERE number = ?", code, number)

    def _issuances(self, where: str, *values: object) -> list[Issuance]:
        query = f"SELECT number, document, bill, body, code FROM issuances {where}"  # noqa: S608
        return [
            Issuance(number=row[0], document=row[1], bill=row[2], body=row[3], code=row[4])
            for row in self._rows(query, *values)
        ]

    # -- acts ------------------------------------------------------------------------------------

    def act(self, name: str) -> KeptAct | None:
        rows = self._rows("SELECT compact, receipt FROM acts WHERE name = ?", name)
        return KeptAct(compact=rows[0][0], receipt=rows[0][1]) if rows else None

    def keep_act(self, name: str, compact: str) -> None:
        self._run("INSERT INTO acts (name, compact) VALUES (?, ?)", name, compact)

    def keep_receipt(self, name: str, receipt: str) -> None:
        self._run("UPDATE acts SET receipt = ? WHERE name = ?", receipt, name)

    def drop_act(self, name: str) -> None:
        """Of an act that the platform certainly did not record."""
        self._run("DELETE FROM acts WHERE name = ? AND receipt IS NULL", name)

    # -- surrenders ------------------------------------------------------------------------------

    def add_surrender(self, reference: str, bill: str, sequence: int) -> None:
        values = (reference, bill, sequence, OPEN)
        self._run(
            "INSERT INTO surrenders (reference, bill, sequence, state) VALUES (?, ?, ?, ?)", *values
        )

    def surrender(self, reference: str) -> Surrender | None:
        found = self._surrenders("WHERE reference = ?", reference)
        return found[0] if found else None

    def open_surrenders(self) -> list[Surrender]:
        return self._surrenders("WHERE state = ?", OPEN)

    def answer_surrender(self, reference: str, action: str, reason: str | None) -> None:
        """What the carrier's system wants; it is signed next."""
        query = "UPDATE surrenders SET action = ?, reason = ? WHERE reference = ?"
        self._run(query, action, reason, reference)

    def forget_answer(self, reference: str) -> None:
        """Another answer may follow."""
        query = "UPDATE surrenders SET action = NULL, reason = NULL WHERE reference = ?"
        self._run(query, reference)

    def end_surrender(self, reference: str, state: str) -> None:
        self._run("UPDATE surrenders SET state = ? WHERE reference = ?", state, reference)

    def _surrenders(self, where: str, *values: object) -> list[Surrender]:
        query = f"SELECT reference, bill, sequence, state, action, reason FROM surrenders {where}"  # noqa: S608
        return [
            Surrender(
                reference=row[0],
                bill=row[1],
                sequence=row[2],
                state=row[3],
                action=row[4],
                reason=row[5],
            )
            for row in self._rows(query, *values)
        ]

    # -- deliveries ------------------------------------------------------------------------------

    def owe(self, name: str, target: str, path: str, body: bytes, due: datetime) -> None:
        """Once per `name`; a second one changes nothing."""
        query = "INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?, ?, 0, ?, NULL)"
        self._run(query, name, target, path, body, instant_text(due))

    def owed(self, now: datetime) -> list[Delivery]:
        """What is due by `now`, the longest due first."""
        query = (
            "SELECT name, target, path, body, attempts FROM deliveries "
            "WHERE ended IS NULL AND due <= ? ORDER BY due, rowid"
        )
        return [
            Delivery(name=row[0], target=row[1], path=row[2], body=row[3], attempts=row[4])
            for row in self._rows(query, instant_text(now))
        ]

    def postpone(self, name: str, due: datetime) -> None:
        query = "UPDATE deliveries SET attempts = attempts + 1, due = ? WHERE name = ?"
        self._run(query, instant_text(due), name)

    def end_delivery(self, name: str, how: str) -> None:
        """What has ended stays so."""
        query = "UPDATE deliveries SET ended = ? WHERE name = ? AND ended IS NULL"
        self._run(query, how, name)

    # -- bills, drafts and marks -----------------------------------------------------------------

    def status(self, subject: str) -> str | None:
        """The last known state of a bill (its id) or a draft (its stream)."""
        rows = self._rows("SELECT status FROM statuses WHERE subject = ?", subject)
        return str(rows[0][0]) if rows else None

    def set_status(self, subject: str, status: str) -> int:
        """How often it has changed, this time included."""
        query = (
            "INSERT INTO statuses VALUES (?, ?, 1) ON CONFLICT (subject) DO UPDATE "
            "SET status = excluded.status, changes = changes + 1 RETURNING changes"
        )
        return int(self._rows(query, subject, status)[0][0])

    def see(self, bill: str) -> None:
        """Look at it in the next round."""
        self._run("INSERT OR IGNORE INTO unseen VALUES (?)", bill)

    def unseen(self) -> list[str]:
        return [row[0] for row in self._rows("SELECT bill FROM unseen ORDER BY rowid")]

    def seen(self, bill: str) -> None:
        self._run("DELETE FROM unseen WHERE bill = ?", bill)

    def mark(self, name: str) -> str:
        rows = self._rows("SELECT value FROM marks WHERE name = ?", name)
        return str(rows[0][0]) if rows else ""

    def set_mark(self, name: str, value: str) -> None:
        self._run("REPLACE INTO marks VALUES (?, ?)", name, value)

    def _run(self, query: str, *values: object) -> None:
        with self._mutex:
            self._connection.execute(query, values)

    def _rows(self, query: str, *values: object) -> Sequence[Any]:
        with self._mutex:
            return self._connection.execute(query, values).fetchall()
