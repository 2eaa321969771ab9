"""Applications for registration in the database; see `application.registrations`."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bol_service.application.registrations import Application
from bol_service.storage import tables
from bol_service.storage.store import SqlStore, reached

_TABLE = tables.registrations


class SqlApplications:
    """Implements `application.registrations.ApplicationBook`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def add(self, application: Application, *, most: int) -> bool:
        values = {
            "id": application.id,
            "party": application.party,
            "kid": application.kid,
            "asked": json.dumps(application.asked),
            "at": application.at,
        }
        try:
            with self._store.changing() as connection:
                count = connection.execute(select(func.count()).select_from(_TABLE)).scalar_one()
                if count >= most:
                    return False
                connection.execute(insert(_TABLE).values(values))
        except IntegrityError:
            return True  # it is there already
        return True

    def get(self, application: str) -> Application | None:
        with reached(), self._store.engine.begin() as connection:
            row = connection.execute(select(_TABLE).where(_TABLE.c.id == application)).one_or_none()
        return None if row is None else _application(row)

    def all(self) -> list[Application]:
        with reached(), self._store.engine.begin() as connection:
            rows = connection.execute(select(_TABLE).order_by(_TABLE.c.at, _TABLE.c.id)).all()
        return [_application(row) for row in rows]

    def refuse(self, application: str, refusal: str) -> bool:
        waits = (_TABLE.c.id == application) & _TABLE.c.refusal.is_(None)
        with self._store.changing() as connection:
            changed = connection.execute(update(_TABLE).where(waits).values(refusal=refusal))
        return changed.rowcount == 1

    def forget(self, before: str) -> None:
        with self._store.changing() as connection:
            connection.execute(delete(_TABLE).where(_TABLE.c.at < before))


def _application(row: Row[Any]) -> Application:
    return Application(
        id=row.id,
        party=row.party,
        kid=row.kid,
        asked=json.loads(row.asked),
        at=row.at,
        refusal=row.refusal,
    )
