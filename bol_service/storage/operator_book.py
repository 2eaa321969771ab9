"""What the operator's pages read beside the ledger; see `application.operator_desk`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Row, and_, case, func, select

from bol_service.application.exchange_ports import Flow, Outbound
from bol_service.application.operator_desk import Applicant, Arrival, HookLine
from bol_service.application.webhook_ports import Stage
from bol_service.storage import tables
from bol_service.storage.exchange import SqlExchange
from bol_service.storage.store import SqlStore, reached

_HOOKS, _QUEUE = tables.webhooks, tables.deliveries
_IN, _FLOWS = tables.inbound_transfers, tables.flows


class SqlOperatorBook:
    """Implements `application.operator_desk.OperatorBook`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._exchange = SqlExchange(store)

    def hooks(self, limit: int) -> list[HookLine]:
        in_stage = {
            stage: func.sum(case((_QUEUE.c.stage == stage, 1), else_=0)).label(stage.lower())
            for stage in Stage
        }
        counts = (
            select(_QUEUE.c.webhook, *in_stage.values(), func.max(_QUEUE.c.tried).label("last"))
            .group_by(_QUEUE.c.webhook)
            .subquery()
        )
        newest = (
            select(_QUEUE.c.webhook, func.max(_QUEUE.c.notice).label("notice"), _QUEUE.c.tried)
            .group_by(_QUEUE.c.webhook, _QUEUE.c.tried)
            .subquery()
        )
        same_try = and_(newest.c.webhook == _HOOKS.c.id, newest.c.tried == counts.c.last)
        of_try = and_(_QUEUE.c.webhook == _HOOKS.c.id, _QUEUE.c.notice == newest.c.notice)
        query = (
            select(_HOOKS, counts, _QUEUE.c.status, _QUEUE.c.fault)
            .outerjoin(counts, counts.c.webhook == _HOOKS.c.id)
            .outerjoin(newest, same_try)
            .outerjoin(_QUEUE, of_try)
            .order_by(_HOOKS.c.failures.desc(), _HOOKS.c.party, _HOOKS.c.created)
            .limit(limit)
        )
        with reached(), self._store.engine.begin() as connection:
            return [_hook(row) for row in connection.execute(query)]

    def applicants(self, limit: int) -> list[Applicant]:
        table, keys = tables.peer_applications, tables.keys
        query = (
            select(table)
            .outerjoin(keys, keys.c.kid == table.c.kid)
            .where(keys.c.kid.is_(None))
            .order_by(table.c.number)
            .limit(limit)
        )
        with reached(), self._store.engine.begin() as connection:
            return [_applicant(row) for row in connection.execute(query)]

    def arrivals(self, limit: int) -> list[Arrival]:
        columns = (_IN.c.reference, _IN.c.bill, _IN.c.sender, _IN.c.opened, _IN.c.status)
        query = select(*columns).order_by(_IN.c.opened.desc(), _IN.c.reference).limit(limit)
        with reached(), self._store.engine.begin() as connection:
            return [Arrival(**row._mapping) for row in connection.execute(query)]

    def departures(self, limit: int) -> list[Outbound]:
        return self._exchange.outbounds(None, limit)

    def flows(self, before: int | None, limit: int) -> list[tuple[int, Flow]]:
        query = select(_FLOWS).order_by(_FLOWS.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(_FLOWS.c.number < before)
        members = Flow.__dataclass_fields__
        with reached(), self._store.engine.begin() as connection:
            rows = connection.execute(query).all()
        return [
            (row.number, Flow(**{name: getattr(row, name) for name in members})) for row in rows
        ]


def _applicant(row: Row[Any]) -> Applicant:
    return Applicant(
        number=row.number,
        platform=row.platform,
        name=row.name,
        party=row.party,
        kid=row.kid,
        details=json.loads(row.application),
        at=row.at,
    )


def _hook(row: Row[Any]) -> HookLine:
    return HookLine(
        party=row.party,
        host=urlsplit(row.url).netloc,
        created=row.created,
        paused=row.paused,
        failures=row.failures,
        waiting=row.waiting or 0,
        delivered=row.delivered or 0,
        given_up=row.given_up or 0,
        tried=row.last,
        status=row.status,
        fault=row.fault,
    )
