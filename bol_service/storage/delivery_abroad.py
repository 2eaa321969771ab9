"""The delivery on another platform: applications, offers of evidence, evidence from abroad.

None of it is part of the ledger. Offers are shared by all processes of the service: one takes an
offer by a lease, which ends by itself if that process dies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bol_service.application.delivery_abroad_ports import (
    Applied,
    Kept,
    Offer,
    OldEvidence,
    PartyAbroad,
)
from bol_service.application.exchange_ports import Flow
from bol_service.storage import tables
from bol_service.storage.exchange import SqlExchange
from bol_service.storage.store import SqlStore

Value = TypeVar("Value")
_FREE = ""
_APPLIED = tables.peer_applications
_FOLLOWED = tables.evidence_followed
_OFFERS = tables.evidence_offers
_ABROAD = tables.parties_abroad
_KEPT = tables.kept_evidence
_BOXES = tables.kept_boxes
_ROOTS = tables.kept_checkpoints


class SqlDelivery:
    """Implements `application.delivery_abroad_ports.DeliveryBook`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._flows = SqlExchange(store)

    # -- home: who is reached through whom ---------------------------------------------------------

    def add_application(self, applied: Applied) -> bool:
        return self._added(_APPLIED, _values(applied))

    def application(self, kid: str) -> Applied | None:
        found = self._applied(_APPLIED.c.kid == kid)
        return found[0] if found else None

    def applications(self, limit: int) -> list[tuple[int, Applied]]:
        query = select(_APPLIED).order_by(_APPLIED.c.number.desc()).limit(limit)
        with self._store.engine.begin() as connection:
            return [(row.number, _read(Applied, row)) for row in connection.execute(query)]

    def applications_of(self, platform: str, name: str) -> list[Applied]:
        return self._applied(_APPLIED.c.platform == platform, _APPLIED.c.name == name)

    def applications_for(self, party: str) -> list[Applied]:
        return self._applied(_APPLIED.c.party == party)

    def _applied(self, *conditions: Any) -> list[Applied]:
        query = select(_APPLIED).where(*conditions).order_by(_APPLIED.c.number)
        with self._store.engine.begin() as connection:
            return [_read(Applied, row) for row in connection.execute(query)]

    # -- home: what is owed to whom ----------------------------------------------------------------

    def followed(self) -> int | None:
        with self._store.engine.begin() as connection:
            return connection.execute(select(_FOLLOWED.c.size)).scalar_one_or_none()

    def follow(self, size: int) -> None:
        with self._store.changing() as connection:
            further = update(_FOLLOWED).where(_FOLLOWED.c.size < size).values(size=size)
            is_there = connection.execute(select(_FOLLOWED.c.id)).first() is not None
            connection.execute(further if is_there else insert(_FOLLOWED).values(id=1, size=size))

    def owe(self, platform: str, bill: str, reader: str, due: str) -> None:
        values = {"platform": platform, "bill": bill, "reader": reader}
        fresh = {**values, "asked": 1, "attempts": 0, "due": due, "leased_until": _FREE}
        if self._added(_OFFERS, fresh):
            return
        with self._store.changing() as connection:
            connection.execute(
                update(_OFFERS)
                .where(*(_OFFERS.c[name] == value for name, value in values.items()))
                .values(attempts=0, due=due, asked=_OFFERS.c.asked + 1)
            )

    def take_offer(self, now: str, until: str) -> Offer | None:
        free = (_OFFERS.c.due <= now) & (_OFFERS.c.leased_until < now)
        with self._store.engine.begin() as connection:
            row = connection.execute(
                select(_OFFERS).where(free).order_by(_OFFERS.c.due).limit(1)
            ).one_or_none()
        if row is None:
            return None
        offer = _read(Offer, row)
        with self._store.changing() as connection:
            taken = connection.execute(
                update(_OFFERS).where(_this(offer), free).values(leased_until=until)
            )
        return offer if taken.rowcount == 1 else None

    def settle_offer(self, offer: Offer) -> None:
        outcome = {"attempts": offer.attempts, "due": offer.due, "fault": offer.fault}
        with self._store.changing() as connection:
            connection.execute(
                update(_OFFERS).where(_this(offer)).values(leased_until=_FREE, seen=offer.seen)
            )
            connection.execute(
                update(_OFFERS).where(_this(offer), _OFFERS.c.asked == offer.asked).values(outcome)
            )

    def crossed(self, flow: Flow) -> None:
        self._flows.crossed(flow)

    # -- abroad ------------------------------------------------------------------------------------

    def add_party_abroad(self, party: PartyAbroad) -> None:
        self._added(_ABROAD, _values(party))

    def parties_abroad(self, party: str) -> list[PartyAbroad]:
        query = select(_ABROAD).where(_ABROAD.c.party == party).order_by(_ABROAD.c.at)
        with self._store.engine.begin() as connection:
            return [_read(PartyAbroad, row) for row in connection.execute(query)]

    def keep(self, kept: Kept, containers: Sequence[str]) -> None:
        mine = (
            (_KEPT.c.platform == kept.platform)
            & (_KEPT.c.bill == kept.bill)
            & (_KEPT.c.reader == kept.reader)
        )
        if self._added(_KEPT, _values(kept)):
            self._keep_boxes(kept, containers)
            return
        older = or_(_KEPT.c.size < kept.size, (_KEPT.c.size == kept.size) & (_KEPT.c.at <= kept.at))
        with self._store.changing() as connection:
            changed = connection.execute(update(_KEPT).where(mine, older).values(_values(kept)))
        if changed.rowcount != 1:
            raise OldEvidence(f"newer evidence of bill {kept.bill} came in between")

    def _keep_boxes(self, kept: Kept, containers: Sequence[str]) -> None:
        place = {"platform": kept.platform, "bill": kept.bill, "reader": kept.reader}
        for container in containers:
            self._added(_BOXES, {**place, "container": container})

    def kept(self, platform: str, bill: str, reader: str) -> Kept | None:
        found = self._kept(
            select(_KEPT).where(
                _KEPT.c.platform == platform, _KEPT.c.bill == bill, _KEPT.c.reader == reader
            )
        )
        return found[0] if found else None

    def kept_by(self, reader: str, limit: int) -> list[Kept]:
        return self._kept(
            select(_KEPT)
            .where(_KEPT.c.reader == reader)
            .order_by(_KEPT.c.received.desc(), _KEPT.c.bill)
            .limit(limit)
        )

    def kept_for(self, container: str, reader: str) -> list[Kept]:
        same = (
            (_BOXES.c.platform == _KEPT.c.platform)
            & (_BOXES.c.bill == _KEPT.c.bill)
            & (_BOXES.c.reader == _KEPT.c.reader)
        )
        return self._kept(
            select(_KEPT)
            .join(_BOXES, same)
            .where(_BOXES.c.container == container, _KEPT.c.reader == reader)
            .order_by(_KEPT.c.platform, _KEPT.c.bill)
        )

    def _kept(self, query: Any) -> list[Kept]:
        with self._store.engine.begin() as connection:
            return [_read(Kept, row) for row in connection.execute(query)]

    def root_at(self, platform: str, size: int) -> str | None:
        query = select(_ROOTS.c.root).where(_ROOTS.c.platform == platform, _ROOTS.c.size == size)
        with self._store.engine.begin() as connection:
            return connection.execute(query).scalar_one_or_none()

    def keep_root(self, platform: str, size: int, root: str) -> None:
        self._added(_ROOTS, {"platform": platform, "size": size, "root": root})

    def _added(self, table: Any, values: dict[str, Any]) -> bool:
        try:
            with self._store.changing() as connection:
                _insert(connection, table, values)
        except IntegrityError:
            return False
        return True


def _insert(connection: Connection, table: Any, values: dict[str, Any]) -> None:
    connection.execute(insert(table).values(values))


def _this(offer: Offer) -> Any:
    return (
        (_OFFERS.c.platform == offer.platform)
        & (_OFFERS.c.bill == offer.bill)
        & (_OFFERS.c.reader == offer.reader)
    )


def _values(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _read(kind: type[Value], row: Row[Any]) -> Value:
    names: dict[str, Any] = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: getattr(row, name) for name in names})
