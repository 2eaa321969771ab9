"""The one transaction that appends to the log, and what it keeps up to date beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select, text, update

from bol_service.application.audit_ports import Cache, CacheRow
from bol_service.application.ports import Batch, LogState, StoredEntry
from bol_service.domain.document import DocumentFacts
from bol_service.storage import tables
from bol_service.storage.cache_tables import CacheTables
from bol_service.storage.codec import encode_facts
from bol_service.storage.reading import SqlReading, log_state
from bol_service.wire.event_fields import instant_text

_MOVE_HEAD = text(
    "UPDATE log SET size = :size, frontier = :frontier, recorded_at = :recorded_at, note = :note "
    "WHERE size = :before"
)


class LogMoved(RuntimeError):  # noqa: N818 - says what happened
    """The head changed under us: another writer appended although we hold the lock."""


class SqlWriting(SqlReading):
    """Implements `application.ports.Writing`; holds the lock on the log's row."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._caches = CacheTables(connection)
        self._head = connection.execute(select(tables.log).with_for_update()).one()

    def log(self) -> LogState:
        return log_state(self._head)

    def append(self, batch: Batch, log: LogState) -> None:
        """Write the batch and move the head to `log`; raises LogMoved if it is not as read."""
        with self._statements.together():
            self._insert(batch, log)
        if batch.entries:
            self._move_head(batch, log)

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
        self._caches.replace(contents)
        table = tables.documents
        for found in facts:
            self._connection.execute(
                update(table)
                .where(table.c.digest == found.received_bytes)
                .values(facts=encode_facts(found))
            )

    def _move_head(self, batch: Batch, log: LogState) -> None:
        before = batch.entries[0].index
        moved = self._connection.execute(
            _MOVE_HEAD,
            {
                "size": log.size,
                "frontier": log.frontier.to_bytes(),
                "recorded_at": instant_text(log.recorded_at) if log.recorded_at else None,
                "note": log.note,
                "before": before,
            },
        )
        if moved.rowcount != 1:
            raise LogMoved(f"the log is no longer at size {before}")


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
            "facts": json.dumps(notice.facts, ensure_ascii=False, sort_keys=True),
        }
        for notice, index in batch.notices
    ]
