"""What a platform keeps as a witness of others, and what others cosigned for it.

Both are written apart from the log, in transactions of their own: neither waits for the lock on
the log's head, so a commit never waits for a witness. On SQLite they take their turn with the other
writers of this process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bol_service.application.witness_ports import Cosignature, Dispute, Witnessed
from bol_service.storage import tables
from bol_service.storage.store import SqlStore, reached
from bol_service.wire.event_fields import instant, instant_text

MOST_DISPUTES: Final = 1000  # of one log and one kind: strangers can send what is no fork
_FORK, _UNPROVEN = "fork", "unproven"


class SqlWitnessing:
    """Implements `application.witness_ports.CosignatureBook` and `WitnessBook`; raises Unavailable
    while the database does not answer."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def add_cosignature(self, cosignature: Cosignature) -> None:
        values = {
            "size": cosignature.size,
            "witness": cosignature.witness,
            "line": cosignature.line,
        }
        try:
            with self._store.changing() as connection:
                connection.execute(insert(tables.cosignatures).values(values))
        except IntegrityError:
            return  # another process of ours asked the same witness

    def witnessed(self, origin: str) -> Witnessed | None:
        with reached(), self._store.engine.begin() as connection:
            return _kept(connection, origin, lock=False)

    def advance(self, origin: str, decide: Callable[[Witnessed | None], Witnessed]) -> Witnessed:
        try:
            return self._advance(origin, decide)
        except IntegrityError:
            # Another process kept the first checkpoint of this log meanwhile; judge against it.
            return self._advance(origin, decide)

    def keep_dispute(self, dispute: Dispute) -> None:
        kind = _FORK if dispute.is_fork else _UNPROVEN
        table = tables.disputes
        alike = (table.c.origin == dispute.origin, table.c.kind == kind)
        values = {
            "origin": dispute.origin,
            "size": dispute.size,
            "root": dispute.root.hex(),
            "kind": kind,
            "at": instant_text(dispute.at),
            "kept": dispute.kept,
            "offered": dispute.offered,
        }
        try:
            with self._store.changing() as connection:
                count = connection.execute(select(func.count()).where(*alike)).scalar_one()
                if count < MOST_DISPUTES:
                    connection.execute(insert(table).values(values))
        except IntegrityError:
            return  # it was told before, perhaps to another process

    def disputes(self) -> list[Dispute]:
        table = tables.disputes
        query = select(table).order_by(table.c.at, table.c.origin, table.c.size, table.c.root)
        with reached(), self._store.engine.begin() as connection:
            return [
                Dispute(
                    origin=row.origin,
                    size=row.size,
                    root=bytes.fromhex(row.root),
                    is_fork=row.kind == _FORK,
                    at=instant(row.at),
                    kept=row.kept,
                    offered=row.offered,
                )
                for row in connection.execute(query)
            ]

    def count_disputes(self) -> dict[tuple[str, bool], int]:
        table = tables.disputes
        query = select(table.c.origin, table.c.kind, func.count()).group_by(
            table.c.origin, table.c.kind
        )
        with reached(), self._store.engine.begin() as connection:
            rows = connection.execute(query).all()
        return {(origin, kind == _FORK): count for origin, kind, count in rows}

    def _advance(self, origin: str, decide: Callable[[Witnessed | None], Witnessed]) -> Witnessed:
        with self._store.changing() as connection:
            kept = _kept(connection, origin, lock=True)
            fresh = decide(kept)
            if fresh != kept:
                _keep(connection, fresh, is_first=kept is None)
            return fresh


def _kept(connection: Connection, origin: str, *, lock: bool) -> Witnessed | None:
    query = select(tables.witnessed).where(tables.witnessed.c.origin == origin)
    if lock:
        query = query.with_for_update()  # SQLite's transaction holds its lock from the beginning
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Witnessed(origin=row.origin, size=row.size, root=row.root, note=row.note)


def _keep(connection: Connection, fresh: Witnessed, *, is_first: bool) -> None:
    table = tables.witnessed
    values = {"size": fresh.size, "root": fresh.root, "note": fresh.note}
    if is_first:
        connection.execute(insert(table).values(origin=fresh.origin, **values))
    else:
        connection.execute(update(table).where(table.c.origin == fresh.origin).values(values))
