"""Reading what of the log is public: nodes of the tree, 72-byte entries, cosignatures."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, collate, func, or_, select, text

from bol_service.application.witness_ports import Cosignature
from bol_service.ledger.entry import Entry, public_entry, stream_tag
from bol_service.storage import tables

_COMPLETE = text(
    "SELECT hash FROM nodes WHERE level = :level AND idx >= :first AND idx < :end ORDER BY idx"
)


class SqlPublicReading:
    """Implements `application.witness_ports.PublicReading`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def complete_nodes(self, level: int, first: int, count: int) -> list[bytes]:
        span = {"level": level, "first": first, "end": first + count}
        rows = self._connection.execute(_COMPLETE, span).fetchall()
        return [found for (found,) in rows]

    def public_entries(self, first: int, count: int) -> list[bytes]:
        table = tables.entries
        rows = self._connection.execute(
            select(table.c.stream, table.c.sequence, table.c.event, table.c.recorded_at)
            .where(table.c.idx >= first, table.c.idx < first + count)
            .order_by(table.c.idx)
        )
        return [_public(row) for row in rows]

    def cosignatures(self, size: int) -> list[Cosignature]:
        table = tables.cosignatures
        rows = self._connection.execute(
            select(table).where(table.c.size == size).order_by(table.c.witness)
        )
        return [_cosignature(row) for row in rows]

    def cosigned(self, at_least: int, limit: int, *, newest: bool) -> list[Cosignature]:
        table = tables.cosignatures
        order = table.c.size.desc() if newest else table.c.size.asc()
        rows = self._connection.execute(
            select(table).where(table.c.size >= at_least).order_by(order).limit(limit)
        )
        return [_cosignature(row) for row in rows]

    def cosigned_after(
        self, after: tuple[int, str], limit: int
    ) -> list[tuple[Cosignature, str | None]]:
        table, notes = tables.cosignatures, tables.checkpoints
        size, witness = table.c.size, self._by_code_point(table.c.witness)
        query = (
            select(table, notes.c.note)
            .outerjoin(notes, notes.c.size == size)
            .where(or_(size > after[0], and_(size == after[0], witness > after[1])))
            .order_by(size, witness)
            .limit(limit)
        )
        return [(_cosignature(row), row.note) for row in self._connection.execute(query)]

    def _by_code_point(self, column: ColumnElement[str]) -> ColumnElement[str]:
        postgresql = self._connection.dialect.name == "postgresql"
        return collate(column, "C") if postgresql else column

    def last_cosigned(self, witness: str) -> int:
        table = tables.cosignatures
        found: int | None = self._connection.execute(
            select(func.max(table.c.size)).where(table.c.witness == witness)
        ).scalar_one()
        return found or 0


def _public(row: Any) -> bytes:
    entry = Entry(event=row.event, recorded_at=row.recorded_at)
    return public_entry(stream_tag(row.stream), row.sequence, entry.digest)


def _cosignature(row: Row[Any]) -> Cosignature:
    return Cosignature(size=row.size, witness=row.witness, line=row.line)
