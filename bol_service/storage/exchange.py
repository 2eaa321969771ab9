"""Transfers of originals that are under way, and the log of what crossed the border.

None of it is part of the ledger. The rows of outbound transfers are shared by all processes of the
service: one takes a row by a lease, which ends by itself if that process dies.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bol_service.application.exchange_ports import (
    CLOSED,
    Flow,
    Inbound,
    LeaseLost,
    Outbound,
    Stage,
)
from bol_service.storage import tables
from bol_service.storage.store import SqlStore

_IN = tables.inbound_transfers
_OUT = tables.outbound_transfers
_FREE = ""


class SqlExchange:
    """Implements `application.exchange_ports.ExchangeBook`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    # -- in ------------------------------------------------------------------------------------

    def open_transfer(self, bill: str) -> Inbound | None:
        return self._inbound(_IN.c.bill == bill, _IN.c.answer.is_(None))

    def answered(self, manifest: str) -> list[Inbound]:
        answered = (_IN.c.manifest == manifest) & _IN.c.answer.is_not(None)
        query = select(_IN).where(answered).order_by(_IN.c.opened.desc())
        with self._store.engine.begin() as connection:
            return [Inbound(**row._mapping) for row in connection.execute(query)]

    def inbound(self, reference: str) -> Inbound | None:
        return self._inbound(_IN.c.reference == reference)

    def keep_inbound(self, transfer: Inbound) -> None:
        values = {name: getattr(transfer, name) for name in Inbound.__dataclass_fields__}
        with self._store.changing() as connection:
            connection.execute(delete(_IN).where(_IN.c.reference == transfer.reference))
            connection.execute(insert(_IN).values(values))

    def swap_inbound(self, was: Inbound, becomes: Inbound) -> bool:
        status = _IN.c.status.is_(None) if was.status is None else _IN.c.status == was.status
        unchanged = (
            (_IN.c.reference == was.reference)
            & (_IN.c.manifest == was.manifest)
            & _IN.c.answer.is_(None)
            & status
        )
        values = {name: getattr(becomes, name) for name in Inbound.__dataclass_fields__}
        with self._store.changing() as connection:
            if connection.execute(delete(_IN).where(unchanged)).rowcount != 1:
                return False
            connection.execute(insert(_IN).values(values))
        return True

    def inbounds(self, bill: str | None, limit: int, *, only_open: bool) -> list[Inbound]:
        query = select(_IN).order_by(_IN.c.opened.desc(), _IN.c.reference).limit(limit)
        if bill is not None:
            query = query.where(_IN.c.bill == bill)
        if only_open:
            query = query.where(_IN.c.answer.is_(None))
        with self._store.engine.begin() as connection:
            return [Inbound(**row._mapping) for row in connection.execute(query)]

    def held(self, bill: str) -> frozenset[str]:
        table = tables.inbound_documents
        with self._store.engine.begin() as connection:
            rows = connection.execute(select(table.c.checksum).where(table.c.bill == bill))
            return frozenset(row.checksum for row in rows)

    def hold(self, bill: str, checksum: str) -> None:
        try:
            with self._store.changing() as connection:
                values = {"bill": bill, "checksum": checksum}
                connection.execute(insert(tables.inbound_documents).values(values))
        except IntegrityError:
            return  # it came twice

    def _inbound(self, *conditions: Any) -> Inbound | None:
        with self._store.engine.begin() as connection:
            row = connection.execute(
                select(_IN).where(*conditions).order_by(_IN.c.opened.desc()).limit(1)
            ).one_or_none()
        return None if row is None else Inbound(**row._mapping)

    # -- out -----------------------------------------------------------------------------------

    def enlist(self, transfer: Outbound) -> None:
        try:
            with self._store.changing() as connection:
                values = {**_written(transfer), "number": transfer.number, "leased_until": _FREE}
                connection.execute(insert(_OUT).values(values))
        except IntegrityError:
            return  # another process has seen the same notice

    def last_number(self) -> int:
        with self._store.engine.begin() as connection:
            return connection.execute(select(func.max(_OUT.c.number))).scalar() or 0

    def take_due(
        self, now: str, until: str, platforms: Collection[str], *, others: bool = False
    ) -> Outbound | None:
        open_ = _OUT.c.due.is_not(None) & (_OUT.c.due <= now) & (_OUT.c.leased_until < now)
        to_them = _OUT.c.platform.in_(platforms)
        query = select(_OUT).where(open_, ~to_them if others else to_them)
        with self._store.engine.begin() as connection:
            due = connection.execute(
                query.order_by(_OUT.c.due, _OUT.c.number).limit(1)
            ).one_or_none()
        if due is None:
            return None
        with self._store.changing() as connection:
            taken = connection.execute(
                update(_OUT).where(_OUT.c.number == due.number, open_).values(leased_until=until)
            )
        return replace(_outbound(due), lease=until) if taken.rowcount == 1 else None

    def reach(self, transfer: Outbound, until: str) -> Outbound:
        self._write(transfer, until)
        return replace(transfer, lease=until)

    def give_back(self, transfer: Outbound) -> None:
        self._write(transfer, _FREE)

    def outbounds(self, bill: str | None, limit: int) -> list[Outbound]:
        query = select(_OUT).order_by(_OUT.c.number.desc()).limit(limit)
        if bill is not None:
            query = query.where(_OUT.c.bill == bill)
        with self._store.engine.begin() as connection:
            return [_outbound(row) for row in connection.execute(query)]

    def waiting(self) -> int:
        """Transfers that are not concluded."""
        query = select(func.count()).where(_OUT.c.due.is_not(None))
        with self._store.engine.begin() as connection:
            return connection.execute(query).scalar_one()

    def _write(self, transfer: Outbound, leased_until: str) -> None:
        own = (_OUT.c.number == transfer.number) & (_OUT.c.leased_until == transfer.lease)
        values = {**_written(transfer), "leased_until": leased_until}
        with self._store.changing() as connection:
            written = connection.execute(update(_OUT).where(own).values(values))
        if written.rowcount != 1:
            raise LeaseLost(f"another process works on transfer {transfer.number} now")

    # -- the flow log --------------------------------------------------------------------------

    def crossed(self, flow: Flow) -> None:
        values = {name: getattr(flow, name) for name in Flow.__dataclass_fields__}
        with self._store.changing() as connection:
            connection.execute(insert(tables.flows).values(values))

    def flows(self, after: int, limit: int) -> list[tuple[int, Flow]]:
        table = tables.flows
        query = select(table).where(table.c.number > after).order_by(table.c.number).limit(limit)
        with self._store.engine.begin() as connection:
            rows = connection.execute(query).all()
        return [(row.number, _flow(row)) for row in rows]


def _written(transfer: Outbound) -> dict[str, Any]:
    closed = transfer.stage in CLOSED
    return {
        "bill": transfer.bill,
        "platform": transfer.platform,
        "since": transfer.since,
        "stage": transfer.stage,
        "attempts": transfer.attempts,
        "due": None if closed else transfer.due,
        "reference": transfer.reference,
        "fault": transfer.fault,
        "answer": transfer.answer,
    }


def _outbound(row: Row[Any]) -> Outbound:
    return Outbound(
        number=row.number,
        bill=row.bill,
        platform=row.platform,
        since=row.since,
        stage=Stage(row.stage),
        attempts=row.attempts,
        due=row.due or "",
        reference=row.reference,
        fault=row.fault,
        answer=row.answer,
        lease=row.leased_until,
    )


def _flow(row: Row[Any]) -> Flow:
    return Flow(**{name: getattr(row, name) for name in Flow.__dataclass_fields__})
