"""What a terminal or customs authority here can sign for a container of another platform's ledger.

Read from kept evidence, to offer a person what that platform would most likely accept; the law is
applied there. Who is the custodian of a leg the evidence does not show, so the role counts here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bol_service.application.delivery_abroad_kept import read_kept
from bol_service.application.delivery_abroad_ports import DeliveryBook, DeliveryPeers, Kept
from bol_service.application.delivery_abroad_shown import ShownBill
from bol_service.application.portal_custody import BoxAtDesk
from bol_service.application.ports import Clock, Store
from bol_service.domain import errors, release
from bol_service.domain.events import Action, Role
from bol_service.domain.identifiers import custody_stream, party_stream
from bol_service.domain.states import DeliveryOrder, Head, PartyState, Place


@dataclass(frozen=True, kw_only=True)
class BoxAbroad:
    """A container at the desk, and as whom (`name`) on which ledger (`origin`) it is signed for.

    `head` is that of its custody stream in the evidence.
    """

    platform: str
    origin: str
    name: str
    head: Head | None
    box: BoxAtDesk


class DeskAbroad:
    def __init__(
        self, store: Store, clock: Clock, book: DeliveryBook, peers: DeliveryPeers
    ) -> None:
        self._store = store
        self._clock = clock
        self._book = book
        self._peers = peers

    def boxes(self, container: str, reader: str) -> list[BoxAbroad]:
        """The container on every bill of another platform of which evidence is kept."""
        return list(self._boxes(container, reader))

    def _boxes(self, container: str, reader: str) -> Iterator[BoxAbroad]:
        roles = self._roles(reader)
        for kept in self._book.kept_for(container, reader):
            cover, shown, _ = read_kept(kept)
            if cover.party is None or kept.platform not in self._peers:
                continue
            box = _box(kept, shown, container, roles, cover.party, self._clock.now())
            stream = custody_stream(shown.shipment, container)
            yield BoxAbroad(
                platform=kept.platform,
                origin=cover.origin,
                name=cover.party,
                head=shown.heads.get(stream),
                box=box,
            )

    def _roles(self, party: str) -> frozenset[Role]:
        stream = party_stream(party)
        with self._store.reading() as reading:
            state, _ = reading.states([stream]).get(stream, (None, None))
        return state.roles if isinstance(state, PartyState) else frozenset()


def _box(
    kept: Kept,
    shown: ShownBill,
    container: str,
    roles: frozenset[Role],
    name: str,
    now: datetime,
) -> BoxAtDesk:
    found = shown.boxes.get(container)
    order = _order(shown, container, name, now)
    acts = []
    if found is not None and Role.TERMINAL in roles and found.place is Place.VESSEL_DEPARTED:
        acts.append(Action.DISCHARGED)
    if found is not None and found.place is Place.DISCHARGED and order is not None:
        acts.append(Action.GATE_OUT)
    if (
        found is not None
        and Role.CUSTOMS in roles
        and found.place is not Place.GATE_OUT
        and found.customs_released is None
    ):
        acts.append(Action.CUSTOMS_RELEASE)
    return BoxAtDesk(
        shipment=shown.shipment,
        container=container,
        place=found.place if found is not None else None,
        loading=None,
        bill=kept.bill,
        reference=shown.reference,
        order=order,
        acts=tuple(acts),
    )


def _order(shown: ShownBill, container: str, name: str, now: datetime) -> DeliveryOrder | None:
    """The order under which it may leave, if it is made out to this terminal."""
    box = shown.boxes.get(container)
    try:
        order = release.require_releasable(shown, shown, box, container, now)
    except errors.Refusal:
        return None
    return order if order.terminal == name else None
