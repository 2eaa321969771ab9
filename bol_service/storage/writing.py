"""The one transaction that appends to the log, and what it keeps up to date beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, text, update

from bol_service.application.audit_ports import Cache, CacheRow
from bol_service.application.ports import (
    NOTHING_EXPECTED,
    Batch,
    Expected,
    LogState,
    Meanwhile,
    StoredEntry,
)
from bol_service.domain.document import DocumentFacts
from bol_service.domain.states import Head, State
from bol_service.storage import tables
from bol_service.storage.cache_tables import CacheTables
from bol_service.storage.codec import encode_facts, encode_plain
from bol_service.storage.reading import (
    SqlReading,
    acts_since,
    entries_of_acts,
    entry_of,
    head_of_log,
    log_state,
    states_among,
    states_of,
)
from bol_service.wire.event_fields import instant_text

_MOVE_HEAD = text(
    "UPDATE log SET size = CASE WHEN size = :before THEN CAST(:size AS BIGINT) END, "
    "frontier = :frontier, recorded_at = :recorded_at, note = :note"
)
"""No size at all is refused by the column: then nothing of the transaction is committed."""


class LogMoved(RuntimeError):  # noqa: N818 - says what happened
    """The head changed under us: another writer appended although we hold the lock."""


_MUCH: Final = 2_000
"""Entries that others may have recorded before a writer begins anew rather than look at them."""


class SqlWriting(SqlReading):
    """Implements `application.ports.Writing`; the lock is that on the log's row. Whoever opens one
    ends it with `finish` or `give_up`.

    What is `expected` to be read is read with the lock, in one round trip; the answers are given to
    who asks for the same. If somebody else has the lock they are read all the same, and whether
    they still hold is asked with `lock`. Who expects nothing waits for the lock.
    """

    def __init__(self, connection: Connection, expected: Expected = NOTHING_EXPECTED) -> None:
        super().__init__(connection)
        self._caches = CacheTables(connection, self._statements)
        self._expected = expected
        send, texts = self._statements.send, self._statements.texts
        acts = {"digests": texts(expected.payloads), "ids": texts(expected.ids)}
        waits = expected == NOTHING_EXPECTED or not self._statements.lock_if_free
        how = self._statements.lock if waits else self._statements.lock_if_free
        with self._statements.together():
            held = send(head_of_log(how), {})
            seen = held if waits else send(head_of_log(), {})
            # After the head: each of these sees at least what was committed when it was read.
            states = send(states_among(self._statements), {"streams": texts(expected.streams)})
            earlier = send(entries_of_acts(self._statements), acts)
        locked = held.fetchall()
        self._locked = bool(locked)
        [row] = locked or seen.fetchall()
        self._log = log_state(*row)
        self._states = states_of(states.fetchall())
        self._earlier = [entry_of(row) for row in earlier.fetchall()]

    @property
    def expected(self) -> Expected:
        return self._expected

    @property
    def locked(self) -> bool:
        return self._locked

    def lock(self) -> Meanwhile | None:
        send, seen = self._statements.send, self._log.size
        with self._statements.together():
            head = send(head_of_log(self._statements.lock), {})
            since = send(acts_since(), {"size": seen, "limit": _MUCH})
        [row] = head.fetchall()
        self._log = log_state(*row)
        self._locked = True
        acts = since.fetchall()
        if acts:  # what was read before may not be so any more
            self._expected, self._states, self._earlier = NOTHING_EXPECTED, {}, []
        if len(acts) != self._log.size - seen:
            return None
        streams, ids = (frozenset([act[at] for act in acts]) for at in range(2))
        return Meanwhile(streams=streams, ids=ids)

    def log(self) -> LogState:
        return self._log

    def states(self, streams: Iterable[str]) -> dict[str, tuple[State, Head]]:
        known = self._expected.streams
        more = [stream for stream in streams if stream not in known]
        found = {stream: self._states[stream] for stream in streams if stream in self._states}
        if more:
            found |= super().states(more)
        return found

    def earlier(
        self, payload_digests: Iterable[str], event_ids: Iterable[str]
    ) -> list[StoredEntry]:
        payloads, ids = frozenset(payload_digests), frozenset(event_ids)
        if payloads <= self._expected.payloads and ids <= self._expected.ids:
            return self._earlier
        return super().earlier(payloads, ids)

    def append(self, batch: Batch, log: LogState) -> None:
        """Send the batch and the new head `log` off, on PostgreSQL to be committed as soon as they
        are there; whether they are says `finish`."""
        assert self._locked, "nothing is written before the lock"
        with self._unmoved(), self._statements.departing():
            self._insert(batch, log)
            if batch.entries:
                self._move_head(batch, log)
            self._statements.commit()

    def finish(self) -> None:
        """Raises LogMoved if the head was not as it was read, and the driver's errors."""
        with self._unmoved():
            self._statements.arrive()

    @contextmanager
    def _unmoved(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if _says_moved(error):
                raise LogMoved(f"the log is no longer at size {self._log.size}") from error
            raise

    def give_up(self) -> None:
        """Let the transaction be rolled back, whatever is under way."""
        self._statements.give_up()

    def _insert(self, batch: Batch, log: LogState) -> None:
        insert = self._statements.insert
        if batch.entries:
            insert(tables.entries, [_entry_row(entry) for entry in batch.entries])
            nodes = [
                {"level": node.level, "idx": node.position, "hash": node.hash}
                for node in batch.nodes
            ]
            insert(tables.nodes, nodes)
            insert(tables.checkpoints, [{"size": log.size, "note": log.note}])
        self._caches.put(batch)
        insert(tables.notices, _notice_rows(batch, log))

    def replace_caches(
        self, contents: Iterable[tuple[Cache, Iterable[CacheRow]]], facts: Iterable[DocumentFacts]
    ) -> None:
        assert self._locked, "nothing is written before the lock"
        self._caches.replace(contents)
        table = tables.documents
        for found in facts:
            self._connection.execute(
                update(table)
                .where(table.c.digest == found.received_bytes)
                .values(facts=encode_facts(found))
            )

    def _move_head(self, batch: Batch, log: LogState) -> None:
        self._statements.send(
            _MOVE_HEAD,
            {
                "size": log.size,
                "frontier": log.frontier.to_bytes(),
                "recorded_at": instant_text(log.recorded_at) if log.recorded_at else None,
                "note": log.note,
                "before": batch.entries[0].index,
            },
        )


def _says_moved(error: Exception) -> bool:
    """Whether the database refused a log without a size."""
    cause = getattr(error, "orig", error)
    told = getattr(cause, "diag", None)  # PostgreSQL's messages are in its own language
    if told is None:
        return "NOT NULL" in str(cause) and "log.size" in str(cause)
    return (told.table_name, told.column_name) == ("log", "size")


def _entry_row(entry: StoredEntry) -> dict[str, Any]:
    return {
        "idx": entry.index,
        "stream": entry.stream,
        "sequence": entry.sequence,
        "event": entry.entry.event,
        "recorded_at": entry.entry.recorded_at,
        "event_id": entry.event_id,
        "actor": entry.actor,
        "action": entry.action,
        "kid": entry.kid,
        "payload_digest": entry.payload_digest,
    }


def _notice_rows(batch: Batch, log: LogState) -> list[dict[str, Any]]:
    at = instant_text(log.recorded_at) if log.recorded_at else ""
    return [
        {
            "party": notice.party,
            "kind": notice.kind,
            "stream": notice.stream,
            "idx": index,
            "at": at,
            "facts": encode_plain(notice.facts),
        }
        for notice, index in batch.notices
    ]
