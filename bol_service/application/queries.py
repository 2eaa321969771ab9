"""Reading: who asks decides what is found, and nothing is found twice by different words.

A bill, draft or stream that the reader may not know is `NotFound`, with the same words as one that
does not exist. Lists are paged by an opaque cursor that is the last key of the page before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bol_service.application import gate, views
from bol_service.application.documents import parse
from bol_service.application.loading import Loader
from bol_service.application.ports import Clock, DocumentRow, NoticeRow, Reading, Store, StoredEntry
from bol_service.application.receipts import receipt_of
from bol_service.domain import access, errors
from bol_service.domain.access import Group, Relation
from bol_service.domain.custody import require_party_to_custody
from bol_service.domain.events import Action, Opening, Role
from bol_service.domain.identifiers import StreamKind, parse_stream
from bol_service.domain.states import BillState, DraftState, Head, PartyState, Status
from bol_service.ledger.entry import MAX_SEQUENCE
from bol_service.ledger.receipt import Receipt
from bol_service.wire.events import decode

PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Page:
    """`cursor` asks for what comes after; None on the last page."""

    items: list[Any]
    cursor: str | None


@dataclass(frozen=True, kw_only=True)
class BillAnswer:
    view: dict[str, Any]
    head: Head


class Elsewhere(Protocol):
    """The gate's answers for bills that were issued on other platforms."""

    def answers(self, container: str, reader: str) -> list[dict[str, Any]]: ...


class Queries:
    def __init__(
        self, store: Store, clock: Clock, origin: str, elsewhere: Elsewhere | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._origin = origin
        self._elsewhere = elsewhere

    # -- parties ---------------------------------------------------------------------------------

    def parties(self, after: str, limit: int) -> Page:
        with self._store.reading() as reading:
            streams = reading.parties(after, limit + 1)
            states = reading.states(streams[:limit])
        views_ = [_party_view(states[stream]) for stream in streams[:limit]]
        cursor = views_[-1]["party"] if len(streams) > limit else None
        return Page(items=views_, cursor=cursor)

    def party(self, slug: str) -> dict[str, Any]:
        with self._store.reading() as reading:
            found = reading.states([f"party:{slug}"]).get(f"party:{slug}")
        if found is None:
            raise errors.NotFound(f"party {slug} is not registered")
        return _party_view(found)

    # -- drafts ----------------------------------------------------------------------------------

    def drafts(self, reader: str, after: str, limit: int) -> Page:
        with self._store.reading() as reading:
            shipments = reading.find_drafts(party=reader, after=after, limit=limit + 1)
            states = reading.states([f"draft:{shipment}" for shipment in shipments[:limit]])
        items = [
            views.draft(state) for state, _ in states.values() if isinstance(state, DraftState)
        ]
        return Page(items=items, cursor=shipments[limit - 1] if len(shipments) > limit else None)

    def draft(self, shipment: str, reader: str) -> tuple[dict[str, Any], Head]:
        with self._store.reading() as reading:
            state, head = self._known_draft(reading, shipment, reader)
        return views.draft(state), head

    def draft_document(self, shipment: str, reader: str) -> DocumentRow:
        """The draft published last, as uploaded."""
        with self._store.reading() as reading:
            state, _ = self._known_draft(reading, shipment, reader)
            row = reading.document(state.version.document) if state.version else None
        if row is None:
            raise errors.NotFound(f"no draft is published for shipment {shipment}")
        return row

    def _known_draft(self, reading: Reading, shipment: str, reader: str) -> tuple[DraftState, Head]:
        loader = Loader(reading, self._origin)
        return loader.known_draft(shipment, reader, self._clock.now())

    # -- bills -----------------------------------------------------------------------------------

    def bills(self, reader: str, filters: Mapping[str, str], after: str, limit: int) -> Page:
        """Summaries of the bills that `reader` may know, in the order of their ids."""
        with self._store.reading() as reading:
            party = reading.states([f"party:{reader}"]).get(f"party:{reader}")
            state = party[0] if party else None
            auditor = isinstance(state, PartyState) and Role.AUDITOR in state.roles
            found = reading.find_bills(
                party=reader,
                shippers=reading.mandators(reader),
                audited_country=state.identity.country
                if auditor and isinstance(state, PartyState)
                else None,
                after=after,
                limit=limit + 1,
                filters=filters,
            )
            loader = Loader(reading, self._origin)
            items = []
            for bill_id in found[:limit]:
                bill = self._bill_if_known(loader, bill_id, reader)
                if bill is not None:
                    items.append(views.bill_summary(loader.world, bill, reader))
        return Page(items=items, cursor=found[limit - 1] if len(found) > limit else None)

    def bill(self, bill_id: str, reader: str) -> BillAnswer:
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            bill = self._known_bill(loader, bill_id, reader)
            row = self._bill_document(reading, bill_id)
            document = parse(row.content) if row else None
            related = self._related(loader, bill, reader)
            view = views.bill(loader.world, bill, reader, related, document)
            head = loader.world.head(f"bill:{bill_id}")
        assert head is not None
        return BillAnswer(view=view, head=head)

    def bill_document(self, bill_id: str, reader: str) -> DocumentRow:
        """The transport document as received, for those who may see all of it."""
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            bill = self._known_bill(loader, bill_id, reader)
            granted = access.groups(self._related(loader, bill, reader))
            row = self._bill_document(reading, bill_id)
        if Group.DOCUMENT not in granted or row is None:
            raise errors.NotFound(f"no document of bill {bill_id} for you")
        return row

    def bill_events(self, bill_id: str, reader: str, first: int, limit: int) -> Page:
        """The bill's own events, as far as `reader` may see them."""
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            bill = self._known_bill(loader, bill_id, reader)
            related = self._related(loader, bill, reader)
            entries = reading.entries(f"bill:{bill_id}", first, limit + 1)
            visible = [entry for entry in entries[:limit] if may_read(bill, related, reader, entry)]
        cursor = str(entries[limit].sequence) if len(entries) > limit else None
        return Page(items=[event_view(entry) for entry in visible], cursor=cursor)

    def custody_events(self, bill_id: str, container: str, reader: str, first: int) -> Page:
        """The custody events of one container of the bill; for who has no part in its custody any
        more, its own."""
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            loader.streams({f"party:{reader}"})
            bill = loader.bill(bill_id)
            if bill is None or container not in bill.containers:
                raise errors.NotFound(f"no custody of {container} on bill {bill_id} for you")
            granted = access.groups(self._related(loader, bill, reader))
            entries = reading.entries(f"custody:{bill.shipment}:{container}", first, PAGE + 1)
        if Group.CUSTODY not in granted:
            entries = [entry for entry in entries if entry.actor == reader]
            if not entries:
                raise errors.NotFound(f"no custody of {container} on bill {bill_id} for you")
        cursor = str(entries[PAGE].sequence) if len(entries) > PAGE else None
        return Page(items=[event_view(entry) for entry in entries[:PAGE]], cursor=cursor)

    def _known_bill(self, loader: Loader, bill_id: str, reader: str) -> BillState:
        bill = self._bill_if_known(loader, bill_id, reader)
        if bill is None:
            raise errors.NotFound(f"bill:{bill_id} is unknown")
        return bill

    def _bill_if_known(self, loader: Loader, bill_id: str, reader: str) -> BillState | None:
        bill = loader.bill(bill_id, reader)
        if bill is None or not self._related(loader, bill, reader):
            return None
        return bill

    def _related(self, loader: Loader, bill: BillState, reader: str) -> frozenset[Relation]:
        return access.relations(loader.world, bill, reader, self._clock.now())

    def _bill_document(self, reading: Reading, bill_id: str) -> DocumentRow | None:
        issued = reading.entry_at(f"bill:{bill_id}", 0)
        if issued is None:
            return None
        event = decode(issued.entry.event).event
        assert isinstance(event, Opening)
        return reading.document_of_bill(bill_id, event.received_bytes)

    # -- release ---------------------------------------------------------------------------------

    def release_check(self, container: str, reader: str) -> dict[str, Any]:
        """May this container leave the gate now? Never RELEASE by default."""
        told = self._elsewhere.answers(container, reader) if self._elsewhere is not None else []
        abroad = {answer.get("bill") for answer in told}
        now = self._clock.now()
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            answers = []
            for bill_id in loader.bills_with(container):
                bill = self._bill_if_known(loader, bill_id, reader)
                if bill is None or bill.status in (Status.VOIDED, Status.ISSUE_REFUSED):
                    continue
                granted = access.groups(self._related(loader, bill, reader))
                if Group.DELIVERY in granted and bill_id not in abroad:
                    answers.append(gate.answer(loader.world, bill, container, now))
        return gate.first([*told, *answers]) or gate.unknown(container, now)

    # -- streams, receipts, notices --------------------------------------------------------------

    def head(self, stream: str, reader: str) -> Head:
        """The head of a stream that `reader` may know."""
        try:
            parsed = parse_stream(stream)
        except ValueError as error:
            raise errors.NotFound(str(error)) from None
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            if parsed.kind is StreamKind.DRAFT and parsed.shipment:
                self._known_draft(reading, parsed.shipment, reader)
            if parsed.kind is StreamKind.BILL and parsed.bill:
                bill = self._known_bill(loader, parsed.bill, reader)
                related = self._related(loader, bill, reader)
                if Group.CONTROL not in access.groups(related):
                    raise errors.NotFound(f"{stream} is unknown")
            if parsed.kind is StreamKind.CUSTODY and parsed.shipment:
                self._require_custody(loader, parsed.shipment, reader)
            loader.streams({stream})
            head = loader.world.head(stream)
        if head is None:
            raise errors.NotFound(f"{stream} is unknown")
        return head

    def _require_custody(self, loader: Loader, shipment: str, reader: str) -> None:
        loader.streams({f"draft:{shipment}"})
        require_party_to_custody(loader.world, reader, shipment)

    def receipt(self, stream: str, sequence: int, reader: str) -> Receipt:
        """The receipt of one entry, for its actor."""
        with self._store.reading() as reading:
            entry = reading.entry_at(stream, sequence) if sequence <= MAX_SEQUENCE else None
            if entry is None or entry.sequence != sequence or entry.actor != reader:
                raise errors.NotFound(f"no entry {sequence} of yours on {stream}")
            return receipt_of(reading, entry)

    def notices(self, reader: str, after: int, limit: int) -> Page:
        with self._store.reading() as reading:
            rows = reading.notices(reader, after, limit + 1)
        items = [notice_view(row) for row in rows[:limit]]
        return Page(items=items, cursor=str(rows[limit - 1].number) if len(rows) > limit else None)


def may_read(
    bill: BillState, related: frozenset[Relation], reader: str, entry: StoredEntry
) -> bool:
    """Whether an event of the bill's stream is for this reader's eyes (matrix row CHAIN).

    Its own acts are among them: only a holder, before its disposal, and the carrier sign there.
    """
    granted = access.groups(related)
    if Group.CHAIN in granted:
        return True
    if Group.CHAIN_UNTIL_DISPOSAL in granted:
        last = access.disposal(bill, reader)
        if last is not None and entry.sequence <= last:
            return True
    if Group.ENDORSEMENTS in granted and entry.action in access.ENDORSEMENTS:
        return True
    return Group.DELIVERY in granted and entry.action in (
        Action.SACC,
        Action.DELIVERY_ORDER,
        Action.CANCEL_DELIVERY_ORDER,
    )


def event_view(entry: StoredEntry) -> dict[str, Any]:
    """One event with its place in the log; `event` is the compact JWS."""
    return {
        "index": entry.index,
        "stream": entry.stream,
        "sequence": entry.sequence,
        "action": entry.action,
        "actor": entry.actor,
        "recordedAt": entry.entry.recorded_at,
        "digest": entry.entry.event_digest,
        "event": entry.entry.event,
    }


def _party_view(found: tuple[Any, Head]) -> dict[str, Any]:
    state, head = found
    assert isinstance(state, PartyState)
    return views.party(state, head.sequence)


def notice_view(row: NoticeRow) -> dict[str, Any]:
    """A notice as its party reads it."""
    view = {
        "number": row.number,
        "kind": row.kind,
        "stream": row.stream,
        "at": row.at,
        "facts": dict(row.facts),
    }
    if row.index is not None:
        view["index"] = row.index
    return view
