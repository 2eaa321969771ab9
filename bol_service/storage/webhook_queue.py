"""The queue of messages that several processes share.

1. The outbox is `notices`: a webhook remembers up to which number it has looked, and makes rows of
   `deliveries` of what it finds, when its turn comes. Recording an act writes nothing here.
2. A turn is a lease on the webhook, taken with FOR UPDATE SKIP LOCKED: no other process sends to
   the same receiver meanwhile, and one that died holds up nobody for longer than its lease.
3. The webhook that was served longest ago is next; one that failed rests, the longer the more often
   it failed. So a receiver that is away takes no turn from the others.
4. An attempt is counted when it is claimed, and settled only by who holds the lease.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from bol_service.application.webhook_ports import Outcome, Stage, Task
from bol_service.storage import tables
from bol_service.storage.reading import notice_of
from bol_service.storage.store import SqlStore, reached
from bol_service.storage.webhooks import webhook_of
from bol_service.wire.event_fields import instant_text

_LOOK_AT_MOST: Final = 200  # notices in one turn

_hooks, _queue, _notices = tables.webhooks, tables.deliveries, tables.notices


class SqlWebhookQueue:
    """Implements `application.webhook_ports.WebhookQueue`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def claim(self, now: datetime, lease_until: datetime) -> Task | None:
        moment = instant_text(now)
        while self._is_any_waiting(moment):
            with self._store.changing() as connection:
                row = connection.execute(
                    _waiting(moment)
                    .order_by(_hooks.c.served, _hooks.c.id)
                    .limit(1)
                    .with_for_update(of=_hooks, skip_locked=True)
                ).one_or_none()
                if row is None:
                    return None  # another process is faster
                task = _taken(connection, row, moment, instant_text(lease_until))
            if task is not None:
                return task
        return None

    def settle(self, task: Task, outcome: Outcome) -> None:
        hook = task.webhook.id
        with self._store.changing() as connection:
            held = connection.execute(
                update(_hooks)
                .where(_hooks.c.id == hook, _hooks.c.lease == task.lease)
                .values(
                    lease=None,
                    leased_until="",
                    served=outcome.tried,
                    failures=outcome.failures,
                    rests_until=outcome.rests_until,
                    paused=outcome.paused,
                )
            )
            if held.rowcount == 0:
                return
            connection.execute(
                update(_queue)
                .where(
                    _queue.c.webhook == hook,
                    _queue.c.notice == task.notice.number,
                    _queue.c.attempts == task.attempt,  # not replayed meanwhile
                )
                .values(
                    stage=outcome.stage,
                    due=outcome.due,
                    tried=outcome.tried,
                    status=outcome.status,
                    fault=outcome.fault,
                    answer=outcome.answer,
                )
            )

    def _is_any_waiting(self, moment: str) -> bool:
        """Asked first, so that an idle look takes the turn of nobody who writes."""
        with self._reading() as connection:
            return connection.execute(_waiting(moment).limit(1)).first() is not None

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with reached(), self._store.engine.begin() as connection:
            yield connection

    def backlog(self) -> int:
        not_looked_at = (
            select(func.count())
            .select_from(_hooks)
            .join(_notices, _new_notices())
            .where(_hooks.c.paused.is_(None), _wanted())
        )
        waiting = (
            select(func.count())
            .select_from(_queue)
            .join(_hooks, _hooks.c.id == _queue.c.webhook)
            .where(_queue.c.due.is_not(None), _hooks.c.paused.is_(None))
        )
        with self._reading() as connection:
            return sum(
                int(connection.execute(query).scalar_one()) for query in (not_looked_at, waiting)
            )

    def forget(self, before: str) -> None:
        with self._store.changing() as connection:
            connection.execute(
                delete(_queue).where(_queue.c.due.is_(None), _queue.c.tried < before)
            )


# -- taking a turn -------------------------------------------------------------------------------


def _new_notices() -> ColumnElement[bool]:
    return and_(_notices.c.party == _hooks.c.party, _notices.c.number > _hooks.c.looked_up_to)


def _wanted() -> ColumnElement[bool]:
    quoted = literal('%"').concat(_notices.c.kind).concat('"%')
    return or_(_hooks.c.kinds == "[]", _hooks.c.kinds.like(quoted))


def _waiting(moment: str) -> Any:
    """The webhooks that have something to send now."""
    is_due = exists().where(_queue.c.webhook == _hooks.c.id, _queue.c.due <= moment)
    return select(_hooks).where(
        _hooks.c.paused.is_(None),
        _hooks.c.rests_until <= moment,
        _hooks.c.leased_until <= moment,
        or_(is_due, exists().where(_new_notices())),
    )


def _taken(connection: Connection, hook: Row[Any], moment: str, lease_until: str) -> Task | None:
    """The first attempt of the webhook's turn; None if its new notices were all of other kinds."""
    looked_up_to = _look(connection, hook, moment)
    due = connection.execute(
        select(_queue)
        .where(_queue.c.webhook == hook.id, _queue.c.due <= moment)
        .order_by(_queue.c.due, _queue.c.notice)
        .limit(1)
    ).one_or_none()
    values: dict[str, Any] = {"looked_up_to": looked_up_to, "served": moment}
    if due is not None:
        values |= {"lease": str(uuid.uuid4()), "leased_until": lease_until}
    connection.execute(update(_hooks).where(_hooks.c.id == hook.id).values(values))
    if due is None:
        return None
    connection.execute(
        update(_queue)
        .where(_queue.c.webhook == hook.id, _queue.c.notice == due.notice)
        .values(attempts=due.attempts + 1)
    )
    found = connection.execute(select(_notices).where(_notices.c.number == due.notice)).one()
    return Task(
        webhook=webhook_of(hook),
        notice=notice_of(found),
        attempt=due.attempts + 1,
        failures=hook.failures,
        lease=values["lease"],
    )


def _look(connection: Connection, hook: Row[Any], moment: str) -> int:
    """Queue the new notices that are wanted; the number up to which was looked."""
    rows = connection.execute(
        select(_notices.c.number, _notices.c.kind)
        .where(_notices.c.party == hook.party, _notices.c.number > hook.looked_up_to)
        .order_by(_notices.c.number)
        .limit(_LOOK_AT_MOST)
    ).all()
    kinds = json.loads(hook.kinds)
    fresh = [
        {
            "webhook": hook.id,
            "notice": row.number,
            "stage": Stage.WAITING,
            "attempts": 0,
            "due": moment,
        }
        for row in rows
        if not kinds or row.kind in kinds
    ]
    if fresh:
        connection.execute(insert(_queue), fresh)
    return int(rows[-1].number) if rows else int(hook.looked_up_to)
