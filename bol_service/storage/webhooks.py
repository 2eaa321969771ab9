"""A party's webhooks and their delivery log in the database; see `webhook_queue` for what is sent.

A place of five (`slot`) and each address are unique to the party, so that requests at the same
moment cannot make more of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bol_service.application.webhook_ports import (
    MOST_PER_PARTY,
    Delivery,
    Stage,
    TooManyWebhooks,
    Webhook,
    WebhookExists,
)
from bol_service.storage import tables
from bol_service.storage.store import SqlStore, reached
from bol_service.wire.event_fields import instant_text

_ATTEMPTS: Final = 3  # to find a free slot, when others of the party are added at once

_hooks, _queue, _notices = tables.webhooks, tables.deliveries, tables.notices


class SqlWebhooks:
    """Implements `application.webhook_ports.WebhookBook`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    # -- a party's own ---------------------------------------------------------------------------

    def add(self, webhook: Webhook, *, since: int | None) -> Webhook:
        for _ in range(_ATTEMPTS):
            try:
                with self._store.changing() as connection:
                    return _added(connection, webhook, since)
            except IntegrityError:
                continue  # another request of this party took the slot or the address just now
        raise TooManyWebhooks(f"others of {webhook.party} are being added; try again")

    def of(self, party: str) -> list[Webhook]:
        with self._reading() as connection:
            return [webhook_of(row) for row in _rows_of(connection, party)]

    def remove(self, party: str, webhook: str) -> bool:
        with self._store.changing() as connection:
            if not _locked(connection, party, webhook):
                return False
            connection.execute(delete(_queue).where(_queue.c.webhook == webhook))
            connection.execute(delete(_hooks).where(_hooks.c.id == webhook))
        return True

    def deliveries(
        self, party: str, webhook: str, before: int | None, limit: int
    ) -> list[Delivery] | None:
        query = (
            select(_queue, _notices.c.kind)
            .join(_notices, _notices.c.number == _queue.c.notice)
            .where(_queue.c.webhook == webhook)
        )
        if before is not None:
            query = query.where(_queue.c.notice < before)
        with self._reading() as connection:
            if not connection.execute(select(_own(party, webhook))).scalar_one():
                return None
            rows = connection.execute(query.order_by(_queue.c.notice.desc()).limit(limit))
            return [_delivery(row) for row in rows]

    def replay(self, party: str, webhook: str, number: int, now: datetime) -> bool:
        with self._store.changing() as connection:
            if not _locked(connection, party, webhook):
                return False
            found = connection.execute(
                update(_queue)
                .where(_queue.c.webhook == webhook, _queue.c.notice == number)
                .values(stage=Stage.WAITING, attempts=0, due=instant_text(now))
            )
            if found.rowcount == 0:
                return False
            connection.execute(
                update(_hooks)
                .where(_hooks.c.id == webhook)
                .values(paused=None, failures=0, rests_until="")
            )
        return True

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with reached(), self._store.engine.begin() as connection:
            yield connection


# -- adding --------------------------------------------------------------------------------------


def _added(connection: Connection, webhook: Webhook, since: int | None) -> Webhook:
    rows = _rows_of(connection, webhook.party)
    if any(row.url == webhook.url for row in rows):
        raise WebhookExists(f"{webhook.party} has a webhook to {webhook.url} already")
    if len(rows) >= MOST_PER_PARTY:
        raise TooManyWebhooks(f"{webhook.party} has {len(rows)} webhooks, which is the most")
    if since is None:
        since = connection.execute(select(func.max(_notices.c.number))).scalar_one() or 0
    slot = min(set(range(MOST_PER_PARTY)) - {row.slot for row in rows})
    values = {
        "id": webhook.id,
        "party": webhook.party,
        "slot": slot,
        "url": webhook.url,
        "kinds": json.dumps(webhook.kinds),
        "kid": webhook.kid,
        "since": since,
        "created": webhook.created,
        "looked_up_to": since,
        "failures": 0,
        "rests_until": "",
        "served": "",
        "leased_until": "",
    }
    connection.execute(insert(_hooks).values(values))
    return webhook_of(connection.execute(select(_hooks).where(_hooks.c.id == webhook.id)).one())


def _rows_of(connection: Connection, party: str) -> Sequence[Row[Any]]:
    query = select(_hooks).where(_hooks.c.party == party)
    return connection.execute(query.order_by(_hooks.c.created, _hooks.c.id)).all()


def _own(party: str, webhook: str) -> ColumnElement[bool]:
    return exists().where(_hooks.c.id == webhook, _hooks.c.party == party)


def _locked(connection: Connection, party: str, webhook: str) -> bool:
    """Whether the party has this webhook, which nobody changes until the transaction ends."""
    query = select(_hooks.c.id).where(_hooks.c.id == webhook, _hooks.c.party == party)
    return connection.execute(query.with_for_update()).first() is not None


# -- rows ----------------------------------------------------------------------------------------


def webhook_of(row: Row[Any]) -> Webhook:
    """A row of the table as a value."""
    return Webhook(
        id=row.id,
        party=row.party,
        url=row.url,
        kinds=tuple(json.loads(row.kinds)),
        kid=row.kid,
        since=row.since,
        created=row.created,
        paused=row.paused,
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        number=row.notice,
        kind=row.kind,
        stage=Stage(row.stage),
        attempts=row.attempts,
        due=row.due,
        tried=row.tried,
        status=row.status,
        fault=row.fault,
        answer=row.answer,
    )
