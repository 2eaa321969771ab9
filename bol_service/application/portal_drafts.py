"""Shipments for people: from the booking to the draft that may be issued, in one consistent view.

1. Who may know a draft is `access.knows_draft`, as for the API; what a party may not know is
   `NotFound`, in the words of what does not exist.
2. The acts that are offered follow `domain.drafts`: the carrier publishes, appoints and issues; the
   shipper, or a forwarder whose mandate is valid now, instructs, asks for changes and approves.
   Once there is a bill, the draft has done its work and nothing more is offered.
3. What custody proves of the dates is told with the rule of `domain.issue`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bol_service.application import views
from bol_service.application.documents import parse
from bol_service.application.loading import Loader
from bol_service.application.portal_chain import all_entries, payload_of
from bol_service.application.portal_shipments import (
    Proven,
    ShipmentLine,
    ShipmentPage,
    Shipments,
    Version,
)
from bol_service.application.ports import Claim, Clock, DocumentRow, Reading, Store, StoredEntry
from bol_service.domain import access, errors, issue
from bol_service.domain.document import DocumentFacts
from bol_service.domain.events import Action, Leg
from bol_service.domain.identifiers import check_shipment, custody_stream
from bol_service.domain.states import (
    CustodyState,
    DraftState,
    DraftStatus,
    Head,
    PartyState,
)

Json = dict[str, Any]
SCAN = 100
_PART = 1000


class PortalDrafts:
    def __init__(self, store: Store, clock: Clock, origin: str) -> None:
        self._store = store
        self._clock = clock
        self._origin = origin

    def shipments(self, reader: str) -> Shipments:
        """The latest shipments in which `reader` is carrier, shipper or forwarder, be it under a
        mandate; newest act first."""
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            ids, cut = _latest(reading, [reader, *reading.mandators(reader)])
            states = self._states(loader, ids, reader)
            digests = {state.version.document for state in states if state.version}
            facts = {one.received_bytes: one for one in reading.facts(digests)}
            lines = [self._line(reading, loader, state, facts, reader) for state in states]
        lines.sort(key=lambda line: (line.changed_at, line.reference), reverse=True)
        return Shipments(lines=lines, cut=cut)

    def _states(self, loader: Loader, ids: list[str], reader: str) -> list[DraftState]:
        """The drafts among these that `reader` may know."""
        loader.streams({f"draft:{shipment}" for shipment in ids} | {f"party:{reader}"})
        found = [state for one in ids if (state := loader.world.draft(one)) is not None]
        parties = {state.shipper for state in found} | {state.carrier for state in found}
        loader.streams({f"party:{slug}" for slug in parties})
        now = self._clock.now()
        return [one for one in found if access.knows_draft(loader.world, one, reader, now)]

    def shipment(self, shipment: str, reader: str) -> ShipmentPage:
        """Everything on the page of a shipment; raises NotFound."""
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            state, head = self._known(loader, shipment, reader)
            entries = tuple(all_entries(reading, f"draft:{shipment}"))
            facts = _facts(reading, state)
            row = reading.document(state.instructions) if state.instructions else None
            bill = _bill_of(reading, shipment)
            return ShipmentPage(
                view=views.draft(state),
                head=head,
                versions=tuple(_versions(entries)),
                entries=entries,
                facts=facts,
                instructions=row,
                instructions_reference=state.instructions_reference,
                acts=tuple(self._acts(loader, state, reader, bill)),
                proven=_proven(loader, state, facts),
                bill=bill,
                names=_names(reading, state, entries),
            )

    def document(self, shipment: str, number: int, reader: str) -> DocumentRow:
        """The document of one published version, as uploaded; raises NotFound."""
        with self._store.reading() as reading:
            self._known(Loader(reading, self._origin), shipment, reader)
            entries = all_entries(reading, f"draft:{shipment}")
            digests = {one.number: one.document for one in _versions(tuple(entries))}
            row = reading.document(digests[number]) if number in digests else None
        if row is None:
            raise errors.NotFound(f"no version {number} of shipment {shipment}")
        return row

    def recent(self, carrier: str, limit: int) -> list[Json]:
        """The documents of the carrier's latest drafts, newest first: a start for the next one."""
        lines = self.shipments(carrier).lines
        shipments = [line for line in lines if line.carrier == carrier]
        with self._store.reading() as reading:
            states = reading.states(f"draft:{line.shipment}" for line in shipments)
            found = [states[f"draft:{line.shipment}"][0] for line in shipments]
            digests = [
                state.version.document
                for state in found
                if isinstance(state, DraftState) and state.version is not None
            ][:limit]
            contents = reading.contents(digests)
        return [parse(contents[digest]) for digest in digests if digest in contents]

    # -- what may be done ------------------------------------------------------------------------

    def _acts(
        self, loader: Loader, state: DraftState, reader: str, bill: str | None
    ) -> list[Action]:
        if bill is not None:
            return []
        if reader == state.carrier:
            ready = [Action.ISSUE] if state.approved is not None else []
            return [*ready, Action.PUBLISH_DRAFT, Action.APPOINT]
        if not self._is_shipper_side(loader, state, reader):
            return []
        if state.status is DraftStatus.DRAFT:
            return [Action.APPROVE_DRAFT, Action.REQUEST_CHANGE, Action.SUBMIT_INSTRUCTIONS]
        asks = [Action.REQUEST_CHANGE] if state.status is DraftStatus.APPROVED else []
        return [*asks, Action.SUBMIT_INSTRUCTIONS]

    def _is_shipper_side(self, loader: Loader, state: DraftState, reader: str) -> bool:
        if reader == state.shipper:
            return True
        shipper = loader.world.party(state.shipper)
        mandate = shipper.mandate(reader) if shipper else None
        return mandate is not None and mandate.covers(self._clock.now())

    def _known(self, loader: Loader, shipment: str, reader: str) -> tuple[DraftState, Head]:
        try:
            check_shipment(shipment)
        except ValueError as error:
            raise errors.NotFound(str(error)) from None
        return loader.known_draft(shipment, reader, self._clock.now())

    def _line(
        self,
        reading: Reading,
        loader: Loader,
        state: DraftState,
        known: Mapping[str, DocumentFacts],
        reader: str,
    ) -> ShipmentLine:
        stream = f"draft:{state.shipment}"
        head = loader.world.head(stream)
        last = reading.entry_at(stream, head.sequence) if head else None
        facts = known.get(state.version.document) if state.version else None
        bill = _bill_of(reading, state.shipment)
        acts = self._acts(loader, state, reader, bill)
        return ShipmentLine(
            shipment=state.shipment,
            reference=state.reference,
            status="ISSUED" if bill else state.status,
            carrier=state.carrier,
            shipper=state.shipper,
            version=state.version.version if state.version else None,
            number=facts.reference if facts else None,
            bill=bill,
            changed_at=last.entry.recorded_at if last else "",
            waits=_waits(state, acts, _proven(loader, state, facts)),
        )


def _latest(reading: Reading, parties: list[str]) -> tuple[list[str], bool]:
    """The ids of the latest shipments of these parties: a shipment's id begins with its time."""
    ids: set[str] = set()
    for party in parties:
        after = ""
        while found := reading.find_drafts(party=party, after=after, limit=_PART):
            ids.update(found)
            after = found[-1]
    ordered = sorted(ids)
    return ordered[-SCAN:], len(ordered) > SCAN


def _waits(state: DraftState, acts: list[Action], proven: Proven) -> str | None:
    """What the shipment waits for, if it waits for the party that has these acts."""
    if Action.APPROVE_DRAFT in acts:
        return "approve"
    if Action.SUBMIT_INSTRUCTIONS in acts and state.status is DraftStatus.BOOKED:
        return "instruct"
    if Action.ISSUE in acts and proven.received_on is not None:
        return "issue"
    if Action.PUBLISH_DRAFT in acts and state.status is DraftStatus.INSTRUCTED:
        return "publish"
    if Action.PUBLISH_DRAFT in acts and state.status is DraftStatus.CHANGE_REQUESTED:
        return "change"
    return None


def _proven(loader: Loader, state: DraftState, facts: DocumentFacts | None) -> Proven:
    containers = facts.equipment if facts else state.containers
    loader.streams({custody_stream(state.shipment, box) for box in containers})
    found = {box: loader.world.custody(state.shipment, box) for box in containers}
    boxes: list[CustodyState] = [box for box in found.values() if box is not None]
    whole = bool(boxes) and len(boxes) == len(found)
    return Proven(
        received_on=max(box.received_on for box in boxes) if whole else None,
        loading=issue.latest_loading(boxes) if whole else None,
        missing=tuple(number for number, box in found.items() if box is None),
    )


def _facts(reading: Reading, state: DraftState) -> DocumentFacts | None:
    found = reading.facts([state.version.document]) if state.version else []
    return found[0] if found else None


def _bill_of(reading: Reading, shipment: str) -> str | None:
    """The bill of a shipment that is not void."""
    owner = reading.claim_owner(Claim(kind="shipment", value=shipment))
    return owner.removeprefix("bill:") if owner else None


def _versions(entries: tuple[StoredEntry, ...]) -> list[Version]:
    found: list[Version] = []
    for entry in entries:
        details = payload_of(entry.entry.event)["details"]
        if entry.action == Action.PUBLISH_DRAFT:
            found.append(
                Version(
                    number=details["version"],
                    document=details["document"],
                    content_digest=details["contentDigest"],
                    entry=entry,
                )
            )
        elif entry.action == Action.REQUEST_CHANGE:
            found[-1] = replace(found[-1], change_wanted=details["comment"])
        elif entry.action == Action.APPROVE_DRAFT:
            found[-1] = replace(found[-1], approved=entry)
    return found


def _names(
    reading: Reading, state: DraftState, entries: tuple[StoredEntry, ...]
) -> dict[str, PartyState]:
    slugs = {state.carrier, state.shipper, state.forwarder, *state.customs}
    slugs |= {state.custodians.of(leg) for leg in Leg} | {entry.actor for entry in entries}
    found = reading.states({f"party:{slug}" for slug in slugs if slug is not None})
    states = (state for state, _ in found.values())
    return {one.slug: one for one in states if isinstance(one, PartyState)}
