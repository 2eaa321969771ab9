"""The lists of bills that a party may know: one line each, as far as each may be shown.

A list is made by looking at most at `SCAN` bills, with a few statements for all of them, newest act
first. What stands in a line goes through `access.groups` like every other view.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bol_service.application.loading import Loader
from bol_service.application.ports import Clock, Reading, Store, StoredEntry
from bol_service.domain import access, title
from bol_service.domain.access import Group, Relation
from bol_service.domain.events import Action, Role
from bol_service.domain.states import BillState, CustodyState, DeliveryOrder, Place
from bol_service.domain.world import bill_streams

SCAN = 300


@dataclass(frozen=True, kw_only=True)
class Known:
    """A bill that the reader may know, and in which relations it stands to it."""

    state: BillState
    related: frozenset[Relation]
    last: StoredEntry

    @property
    def granted(self) -> frozenset[Group]:
        return access.groups(self.related)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One bill in a list. What the reader may not know is None or empty.

    `awaits_order` are containers that the carrier has not ordered out yet, `to_hand_out` those that
    stand discharged at the reader's terminal under an order made out to it.
    """

    bill: str
    reference: str
    status: str
    kind: str
    carrier: str
    related: frozenset[Relation]
    possessor: str | None
    title_holder: str | None
    shows_control: bool
    vessel: str | None
    voyage: str | None
    containers: tuple[str, ...]
    booking: str | None
    on_board_on: date | None
    changed_at: str | None
    allowed: tuple[str, ...]
    awaits_order: tuple[str, ...]
    to_hand_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """`cut` tells that the reader knows more bills than were looked at."""

    lines: list[Line]
    cut: bool


class PortalLists:
    def __init__(self, store: Store, clock: Clock, origin: str) -> None:
        self._store = store
        self._clock = clock
        self._origin = origin

    def bills(self, reader: str, search: str = "") -> Listing:
        """The bills that `reader` may know and, with `search`, that one of its words finds.

        Words are compared with B/L number, containers, booking and vessel, as far as each is shown.
        """
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            known, cut = self._known(reading, loader, reader)
            lines = [self._line(loader, one, reader) for one in known]
        found = [line for line in lines if _matches(line, search)]
        return Listing(lines=sorted(found, key=_newest, reverse=True), cut=cut)

    def bill_beginning(self, reader: str, digits: str) -> str | None:
        """The bill whose id begins with `digits`, among all that `reader` may know."""
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            # In the order of ids, the next one after its own beginning.
            for bill_id in _ids(reading, loader, reader, after=digits, limit=1):
                bill = loader.bill(bill_id) if bill_id.startswith(digits) else None
                now = self._clock.now()
                if bill is not None and access.relations(loader.world, bill, reader, now):
                    return bill_id
        return None

    def _known(self, reading: Reading, loader: Loader, reader: str) -> tuple[list[Known], bool]:
        ids = _ids(reading, loader, reader, after="", limit=SCAN + 1)
        loader.streams({f"bill:{bill_id}" for bill_id in ids[:SCAN]})
        states = [loader.world.bill(bill_id) for bill_id in ids[:SCAN]]
        present = [state for state in states if state is not None]
        loader.streams({name for state in present for name in bill_streams(state)})
        known = []
        for state in present:
            related = access.relations(loader.world, state, reader, self._clock.now())
            head = loader.world.head(f"bill:{state.bill}")
            last = reading.entry_at(f"bill:{state.bill}", head.sequence) if head else None
            if related and last is not None:
                known.append(Known(state=state, related=related, last=last))
        return known, len(ids) > SCAN

    def _line(self, loader: Loader, known: Known, reader: str) -> Line:
        state, granted = known.state, known.granted
        draft = loader.world.draft(state.shipment)
        sailing = state.sailings[0] if state.sailings and Group.DOCUMENT in granted else None
        shows_control = Group.CONTROL in granted
        orders = {box: state.order_for(box) for box in state.containers}
        places = {box: loader.world.custody(state.shipment, box) for box in state.containers}
        inside = [box for box, at in places.items() if at is None or at.place is not Place.GATE_OUT]
        allowed = tuple(title.allowed_actions(loader.world, state, reader))
        shows_boxes = bool(granted & {Group.CARGO, Group.CUSTODY, Group.DOCUMENT, Group.DELIVERY})
        return Line(
            bill=state.bill,
            reference=state.reference,
            status=title.status(loader.world, state),
            kind=state.kind,
            carrier=state.carrier,
            related=known.related,
            possessor=state.control.possessor if shows_control else None,
            title_holder=state.control.title_holder if shows_control else None,
            shows_control=shows_control,
            vessel=sailing.vessel if sailing else None,
            voyage=sailing.voyage if sailing else None,
            containers=state.containers if shows_boxes else (),
            booking=draft.reference if draft and Group.DOCUMENT in granted else None,
            on_board_on=state.on_board_on,
            changed_at=known.last.entry.recorded_at if Group.CHAIN in granted else None,
            allowed=allowed,
            awaits_order=tuple(
                box for box in inside if Action.DELIVERY_ORDER in allowed and orders[box] is None
            ),
            to_hand_out=tuple(box for box in inside if _is_for(orders[box], places[box], reader)),
        )


def _ids(reading: Reading, loader: Loader, reader: str, *, after: str, limit: int) -> list[str]:
    """Bills that the index has for the reader, in the order of their ids."""
    loader.streams({f"party:{reader}"})
    party = loader.world.party(reader)
    auditor = party is not None and Role.AUDITOR in party.roles
    return reading.find_bills(
        party=reader,
        shippers=reading.mandators(reader),
        audited_country=party.identity.country if party and auditor else None,
        after=after,
        limit=limit,
        filters={},
    )


def _is_for(order: DeliveryOrder | None, box: CustodyState | None, reader: str) -> bool:
    discharged = box is not None and box.place is Place.DISCHARGED
    return order is not None and order.terminal == reader and discharged


def _newest(line: Line) -> tuple[str, str]:
    return line.changed_at or "", line.reference


def _matches(line: Line, search: str) -> bool:
    words = search.casefold().split()
    shown = (line.reference, *line.containers, line.booking, line.vessel, line.voyage)
    text = "\n".join(part.casefold() for part in shown if part)
    return all(word in text for word in words)
