"""Reading for people: whole pages in one consistent view, each as far as the matrix allows.

The portal shows a party exactly what the API would answer it: every group of fields goes through
`access.groups`, and what a party may not know is `NotFound`, in the words of what does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bol_service.application import views
from bol_service.application.documents import parse
from bol_service.application.loading import Loader
from bol_service.application.portal_chain import Link, all_entries, links, payload_of
from bol_service.application.portal_custody import BoxAtDesk, box_at_desk
from bol_service.application.ports import Clock, Reading, Store, StoredEntry
from bol_service.application.queries import may_read
from bol_service.domain import access, errors, issue
from bol_service.domain.access import Group, Relation
from bol_service.domain.custody import parties_to_custody, require_party_to_custody
from bol_service.domain.identifiers import (
    StreamKind,
    check_shipment,
    custody_stream,
    parse_stream,
)
from bol_service.domain.states import (
    BillState,
    Head,
    Loading,
    PartyState,
    Status,
)
from bol_service.wire.event_fields import instant

Json = dict[str, Any]
PARTIES_AT_ONCE: Final = 500


@dataclass(frozen=True, kw_only=True)
class CustodyLine:
    entry: StoredEntry
    payload: Json


@dataclass(frozen=True, kw_only=True)
class BillPage:
    """`view` is what GET /v1/bills/{bill} answers this reader; the rest is for its page only.

    `custody` is empty for a bill that was issued elsewhere: it is in that platform's ledger.
    """

    view: Json
    chain: list[Link]
    custody: dict[str, list[CustodyLine]]
    names: Mapping[str, PartyState]
    rulebook: str
    discharge: str | None
    loading: Loading | None


class PortalViews:
    def __init__(self, store: Store, clock: Clock, origin: str) -> None:
        self._store = store
        self._clock = clock
        self._origin = origin

    # -- parties ---------------------------------------------------------------------------------

    def names(self, slugs: Iterable[str]) -> dict[str, PartyState]:
        """The parties among `slugs` that are registered (public)."""
        with self._store.reading() as reading:
            return _parties(reading, slugs)

    def parties(self, limit: int) -> list[PartyState]:
        """The first `limit` parties by slug (public)."""
        with self._store.reading() as reading:
            return _parties_after(reading, "", limit)

    def all_parties(self) -> list[PartyState]:
        """Every party by slug (public), read page by page."""
        found: list[PartyState] = []
        with self._store.reading() as reading:
            while page := _parties_after(reading, found[-1].slug if found else "", PARTIES_AT_ONCE):
                found += page
        return found

    # -- heads -----------------------------------------------------------------------------------

    def custody_head(self, stream: str, reader: str) -> Head | None:
        """The head of a custody stream, None while it has none; raises NotFound for strangers."""
        try:
            parsed = parse_stream(stream)
        except ValueError as error:
            raise errors.NotFound(str(error)) from None
        if parsed.kind is not StreamKind.CUSTODY or parsed.shipment is None:
            raise errors.NotFound(f"{stream} is unknown")
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            loader.streams({f"draft:{parsed.shipment}", stream})
            require_party_to_custody(loader.world, reader, parsed.shipment)
            return loader.world.head(stream)

    # -- the gate desk ---------------------------------------------------------------------------

    def boxes(self, container: str, shipment: str, reader: str) -> list[BoxAtDesk]:
        """The container on every shipment on whose custody `reader` has a part.

        Shipments are those of bills that name the container, and `shipment` itself, if it is one.
        """
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            bills = {
                bill.shipment: bill
                for bill_id in loader.bills_with(container)
                if (bill := loader.bill(bill_id)) is not None
                and bill.home is None
                and bill.status not in (Status.VOIDED, Status.ISSUE_REFUSED)
            }
            found = [
                self._box(loader, name, container, bills.get(name), reader)
                for name in dict.fromkeys([*bills, *_shipments(shipment)])
            ]
        return [box for box in found if box is not None]

    def _box(
        self, loader: Loader, shipment: str, container: str, bill: BillState | None, reader: str
    ) -> BoxAtDesk | None:
        loader.streams({f"draft:{shipment}", custody_stream(shipment, container)})
        draft = loader.world.draft(shipment)
        if draft is None or reader not in parties_to_custody(draft):
            return None
        if draft.containers and container not in draft.containers:
            return None
        box = loader.world.custody(shipment, container)
        return box_at_desk(draft, box, container, bill, reader, self._clock.now())

    # -- bills -----------------------------------------------------------------------------------

    def documents(self, reader: str, bills: Iterable[str]) -> dict[str, Json]:
        """The transport documents among `bills` that `reader` may see whole, parsed."""
        found = {}
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            for bill_id in bills:
                state = loader.bill(bill_id)
                loader.streams({f"party:{reader}"})
                if state is None or Group.DOCUMENT not in access.groups(
                    self._related(loader, state, reader)
                ):
                    continue
                document = _document(reading, bill_id)
                if document is not None:
                    found[bill_id] = document
        return found

    def bill(self, bill_id: str, reader: str) -> BillPage:
        """Everything on the page of a bill; raises NotFound."""
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            loader.streams({f"party:{reader}"})
            state = loader.bill(bill_id)
            related = self._related(loader, state, reader) if state else frozenset()
            if state is None or not related:
                raise errors.NotFound(f"bill:{bill_id} is unknown")
            document = _document(reading, bill_id)
            view = views.bill(loader.world, state, reader, related, document)
            chain = links(_visible(reading, state, related, reader), state.carrier)
            custody = (
                {box: _custody(reading, state, box) for box in state.containers}
                if Group.CUSTODY in access.groups(related) and state.home is None
                else {}
            )
            draft = loader.world.draft(state.shipment)
            boxes = [loader.world.custody(state.shipment, box) for box in state.containers]
            names = _parties(reading, _slugs(view, chain, custody, state))
        return BillPage(
            view=view,
            chain=chain,
            custody=custody,
            names=names,
            rulebook=state.rulebook,
            discharge=draft.custodians.discharge if draft else None,
            loading=issue.latest_loading([box for box in boxes if box is not None]),
        )

    def acted_since(self, bill_id: str, moment: datetime, index: int | None) -> bool:
        """Whether the bill has an entry after that at the place `index` of the log; None: one that
        was recorded after `moment`. Whoever asks is told of nobody and of nothing else."""
        stream = f"bill:{bill_id}"
        with self._store.reading() as reading:
            _, head = reading.states([stream]).get(stream, (None, None))
            entry = reading.entry_at(stream, head.sequence) if head is not None else None
        if entry is None:
            return False
        return instant(entry.entry.recorded_at) > moment if index is None else entry.index > index

    def _related(self, loader: Loader, bill: BillState, reader: str) -> frozenset[Relation]:
        return access.relations(loader.world, bill, reader, self._clock.now())


def _shipments(text: str) -> list[str]:
    try:
        check_shipment(text)
    except ValueError:
        return []
    return [text]


def _parties_after(reading: Reading, slug: str, limit: int) -> list[PartyState]:
    streams = reading.parties(slug, limit)
    states = reading.states(streams)
    found = (states[stream][0] for stream in streams)
    return [state for state in found if isinstance(state, PartyState)]


def _parties(reading: Reading, slugs: Iterable[str]) -> dict[str, PartyState]:
    states = reading.states({f"party:{slug}" for slug in slugs})
    found = (state for state, _ in states.values())
    return {state.slug: state for state in found if isinstance(state, PartyState)}


def _document(reading: Reading, bill_id: str) -> Json | None:
    issued = reading.entry_at(f"bill:{bill_id}", 0)
    if issued is None:
        return None
    received = payload_of(issued.entry.event)["details"]["receivedBytes"]
    row = reading.document_of_bill(bill_id, received)
    return parse(row.content) if row else None


def _visible(
    reading: Reading, state: BillState, related: frozenset[Relation], reader: str
) -> list[StoredEntry]:
    entries = all_entries(reading, f"bill:{state.bill}")
    return [entry for entry in entries if may_read(state, related, reader, entry)]


def _custody(reading: Reading, state: BillState, container: str) -> list[CustodyLine]:
    entries = all_entries(reading, custody_stream(state.shipment, container))
    return [CustodyLine(entry=entry, payload=payload_of(entry.entry.event)) for entry in entries]


def _slugs(
    view: Json, chain: list[Link], custody: dict[str, list[CustodyLine]], state: BillState
) -> set[str]:
    """The parties whose names this page shows; all of them stand in what it shows."""
    control, parties = view.get("control", {}), view.get("parties", {})
    found = {state.carrier, control.get("possessor"), control.get("titleHolder")}
    found |= {parties.get("shipper"), parties.get("consignee"), *parties.get("notify", [])}
    found |= {order["terminal"] for order in view.get("deliveryOrders", [])}
    for link in chain:
        found |= {link.entry.actor, link.payload.get("recipient")}
        if link.control is not None:
            found |= {link.control.possessor, link.control.title_holder}
    found |= {line.entry.actor for lines in custody.values() for line in lines}
    return {slug for slug in found if slug is not None}
