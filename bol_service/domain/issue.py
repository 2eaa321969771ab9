"""The law of issuing: what must be true before a bill of lading comes into the world.

ISSUE is signed by the carrier whose registration binds the carrier code on the document. The bill's
id is the document's checksum, so the document can never change. Then, in this order:

1. the document is an ISSUED electronic bill of lading, and its DCSA issuance manifest, signed with
   a key of the same carrier, names this document and this first possessor;
2. its content is exactly that of the draft which the shipper approved last;
3. its parties are the registered parties that the act names, by their identifiers;
4. shipper and first possessor have accepted the rulebook under which the bill lives (LR-01), and
   neither operates the platform nor is its exchange desk;
5. every container is in the custody of this shipment, and the dates on the document are the dates
   that the signed custody events prove: no bill before receipt, no ante-dating (LR-06, LR-33,
   LR-35).

That number and cargo are not on another live bill spans the platform: see the platform guard.
"""

from __future__ import annotations

from bol_service.domain import errors
from bol_service.domain.custody import is_local_date
from bol_service.domain.document import BillKind, DocumentFacts, PartyReference
from bol_service.domain.events import Issue, Recorded, Role
from bol_service.domain.states import (
    OPERATOR,
    BillState,
    Control,
    CustodyState,
    DraftState,
    Giving,
    Loading,
    PartyState,
    Reader,
    Status,
    Tenure,
)

NEVER_HOLDERS = frozenset({Role.OPERATOR, Role.EXCHANGE})
"""Who runs the platform holds no bill on it."""


def issued(world: Reader, act: Recorded, event: Issue) -> BillState:
    """The new bill.

    Raises:
        errors.Refusal: The law does not allow it.
    """
    require_issuer(world, event)
    facts = _facts(world, event)
    existing = world.bill(facts.checksum)
    if existing is not None:
        raise errors.NumberUsed(
            f"bill {facts.checksum} was issued before and is {existing.status}", pointer="/stream"
        )
    draft = world.draft(event.shipment)
    if draft is None or draft.carrier != event.actor:
        raise errors.NotCarrier(
            f"{event.actor} has not booked shipment {event.shipment}", pointer="/details/shipment"
        )
    _check_document(facts, event)
    _check_manifest(world, act, event, facts)
    _check_approval(draft, facts)
    _check_parties(world, draft, event, facts)
    _check_consent(world, event)
    boxes = _custody(world, event, facts)
    _check_dates(event, facts, boxes)
    return _new_bill(event, facts)


def require_issuer(world: Reader, event: Issue) -> None:
    """The actor's registration must bind the document's carrier code; raises `NotCarrier`.

    Asked before anything else, so that a stranger learns nothing about existing bills.
    """
    actor = world.party(event.actor)
    code = actor.carrier_code if actor else None
    if code is None:
        raise errors.NotCarrier(f"{event.actor} is not registered as a carrier", pointer="/actor")
    facts = _facts(world, event)
    if (code.code, code.provider) != (facts.carrier_code, facts.carrier_code_list_provider):
        raise errors.NotCarrier(
            f"the document bears carrier code {facts.carrier_code}, {event.actor} is registered "
            f"with {code.code}",
            pointer="/actor",
        )


def _facts(world: Reader, event: Issue) -> DocumentFacts:
    facts = world.document(event.received_bytes)
    bill = event.stream.removeprefix("bill:")
    if facts is None:
        raise errors.BadEvent(
            f"no document with SHA-256 {event.received_bytes} was uploaded",
            pointer="/details/receivedBytes",
        )
    if facts.checksum != bill:
        raise errors.BadEvent(
            f"the document's checksum is {facts.checksum}, the stream names {bill}",
            pointer="/stream",
        )
    return facts


def _check_document(facts: DocumentFacts, event: Issue) -> None:
    if facts.type_code != "BOL":
        raise errors.WrongBillType(
            f"a document of type {facts.type_code} is no document of title, only BOL is issued here"
        )
    if not facts.is_electronic or facts.status != "ISSUED":
        raise errors.BadEvent(
            f"the document must be electronic with status ISSUED, it has isElectronic "
            f"{facts.is_electronic} and status {facts.status}"
        )
    expected = facts.content_digest
    if event.content_digest != expected:
        raise errors.StaleDraft(
            f"contentDigest is {event.content_digest}, the document's is {expected}",
            pointer="/details/contentDigest",
        )


def _check_manifest(world: Reader, act: Recorded, event: Issue, facts: DocumentFacts) -> None:
    pointer = "/details/issuanceManifestSignedContent"
    manifest = event.manifest
    carrier = world.party(event.actor)
    key = carrier.key(manifest.kid) if carrier else None
    if key is None or not key.counts_at(act.recorded_at):
        raise errors.KeyRevoked(
            f"the manifest is signed with {manifest.kid}, which is no valid key of {event.actor}",
            pointer=pointer,
        )
    if manifest.document_checksum != facts.checksum:
        raise errors.BadEvent(
            f"the manifest names document {manifest.document_checksum}, the bill is "
            f"{facts.checksum}",
            pointer=pointer,
        )
    if manifest.issue_to_checksum != event.issue_to_checksum:
        raise errors.BadEvent(
            f"the manifest has issueToChecksum {manifest.issue_to_checksum}, issueToParty has "
            f"{event.issue_to_checksum}",
            pointer=pointer,
        )


def _check_approval(draft: DraftState, facts: DocumentFacts) -> None:
    approved = draft.approved
    if approved is None:
        raise errors.StaleDraft(f"the draft of shipment {draft.shipment} is {draft.status}")
    if approved.content_digest != facts.content_digest:
        raise errors.StaleDraft(
            f"version {approved.version} with content {approved.content_digest} was approved, the "
            f"document has {facts.content_digest}",
            pointer="/details/contentDigest",
        )
    if draft.reference not in facts.booking_references:
        raise errors.BadEvent(
            f"the document bears booking {', '.join(facts.booking_references)}, the shipment was "
            f"booked as {draft.reference}",
            pointer="/details/shipment",
        )


def _check_parties(world: Reader, draft: DraftState, event: Issue, facts: DocumentFacts) -> None:
    parties = event.parties
    if parties.shipper != draft.shipper:
        raise errors.BadEvent(
            f"the shipper is {parties.shipper}, the booking names {draft.shipper}",
            pointer="/details/parties/shipper",
        )
    _match(world, parties.shipper, facts.shipper, "shipper")
    _match_optional(world, parties.consignee, facts.consignee, "consignee")
    title = facts.consignee if facts.kind is BillKind.STRAIGHT else facts.endorsee
    _match_optional(world, parties.title_holder, title, "titleHolder")
    for number, slug in enumerate(parties.notify):
        if not any(_fits(world, slug, reference) for reference in facts.notify):
            raise errors.BadEvent(
                f"{slug} is no notify party of the document",
                pointer=f"/details/parties/notify/{number}",
            )
    if event.issue_to in (event.actor, OPERATOR):
        raise errors.BadRecipient(
            f"{event.issue_to} cannot be the first possessor", pointer="/details/issueTo"
        )
    barred = {event.actor, OPERATOR} & {parties.shipper, parties.consignee, parties.title_holder}
    if barred:
        raise errors.BadRecipient(
            f"{', '.join(sorted(barred))} cannot be shipper or have title: neither the carrier nor "
            "the operator ever holds a bill",
            pointer="/details/parties",
        )
    if facts.kind is BillKind.STRAIGHT and event.issue_to not in (
        parties.shipper,
        parties.consignee,
    ):
        raise errors.WrongBillType(
            f"a straight bill is issued to its shipper or consignee, not to {event.issue_to}",
            pointer="/details/issueTo",
        )


def _match(world: Reader, slug: str, reference: PartyReference, member: str) -> None:
    if not _fits(world, slug, reference):
        raise errors.BadEvent(
            f"{slug} is not the registered party that the document names as {member} "
            f"({reference.name})",
            pointer=f"/details/parties/{member}",
        )


def _match_optional(
    world: Reader, slug: str | None, reference: PartyReference | None, member: str
) -> None:
    if (slug is None) != (reference is None):
        raise errors.BadEvent(
            f"{member} is {slug or 'absent'}, the document names "
            f"{reference.name if reference else 'nobody'}",
            pointer=f"/details/parties/{member}",
        )
    if slug is not None and reference is not None:
        _match(world, slug, reference, member)


def _fits(world: Reader, slug: str, reference: PartyReference) -> bool:
    """Whether the document means this party: one identifier agrees and none contradicts."""
    party = world.party(slug)
    if party is None or party.suspended:
        return False
    own = {"SLUG": slug, **{entry.type: entry.value for entry in party.identity.identifiers}}
    comparable = [(kind, value) for kind, value in reference.codes if kind in own]
    return bool(comparable) and all(own[kind] == value for kind, value in comparable)


def _check_consent(world: Reader, event: Issue) -> None:
    for slug in (event.actor, event.parties.shipper, event.issue_to):
        require_consent(world.party(slug), slug, event.rulebook)


def require_consent(party: PartyState | None, slug: str, rulebook: str) -> None:
    """The party must be able to receive a bill that lives under `rulebook`."""
    if party is None or party.suspended:
        raise errors.RecipientUnavailable(f"{slug} is unknown or suspended")
    if party.roles & NEVER_HOLDERS:
        raise errors.BadRecipient(
            f"{slug} runs the platform ({', '.join(sorted(party.roles))}) and never holds a bill"
        )
    if rulebook not in party.rulebooks:
        raise errors.ConsentMissing(f"{slug} has not accepted the rulebook {rulebook}")


def _custody(world: Reader, event: Issue, facts: DocumentFacts) -> list[CustodyState]:
    boxes = []
    for container in facts.equipment:
        box = world.custody(event.shipment, container)
        if box is None:
            raise errors.NotOnBill(
                f"container {container} was not received under shipment {event.shipment}"
            )
        boxes.append(box)
    return boxes


def _check_dates(event: Issue, facts: DocumentFacts, boxes: list[CustodyState]) -> None:
    if facts.is_shipped_on_board:
        proven, stated, name = latest_loading(boxes), facts.shipped_on_board_date, "on board"
        if proven is None:
            raise errors.NotLoaded("not every container of the bill is loaded on one vessel")
        if not any(
            (sailing.vessel, sailing.voyage) == (proven.vessel, proven.voyage)
            for sailing in facts.sailings
        ):
            raise errors.NotLoaded(
                f"the containers are on {proven.vessel} {proven.voyage}, which is not on the bill"
            )
        day = proven.local_date
    else:
        stated, name = facts.received_for_shipment_date, "received"
        if not boxes:
            raise errors.Antedating("the document says received, no container proves a day")
        day = max(box.received_on for box in boxes)
    if stated != day:
        raise errors.Antedating(
            f"the document says {name} {stated}, the custody events prove {day}"
        )
    if facts.issue_date is None or not is_local_date(facts.issue_date, event.at):
        raise errors.Antedating(
            f"the document says issued {facts.issue_date}, it is signed at {event.at.isoformat()}"
        )
    if facts.issue_date < day:
        raise errors.Antedating(
            f"the document says issued {facts.issue_date}, before the goods were {name} on {day}"
        )


def latest_loading(boxes: list[CustodyState]) -> Loading | None:
    """The last loading, if every container was loaded on the same vessel and voyage."""
    loadings = [box.loading for box in boxes if box.loading is not None]
    if len(loadings) != len(boxes) or len({(load.vessel, load.voyage) for load in loadings}) != 1:
        return None
    return max(loadings, key=lambda load: load.local_date)


def _new_bill(event: Issue, facts: DocumentFacts) -> BillState:
    control = Control(possessor=event.issue_to, title_holder=event.parties.title_holder)
    controllers = dict.fromkeys((control.possessor, control.title_holder))
    return BillState(
        bill=facts.checksum,
        reference=facts.reference,
        kind=facts.kind,
        carrier=event.actor,
        shipment=event.shipment,
        shipper=event.parties.shipper,
        consignee=event.parties.consignee,
        notify=event.parties.notify,
        containers=facts.equipment,
        sailings=facts.sailings,
        rulebook=event.rulebook,
        status=Status.ISSUED,
        control=control,
        giving=Giving(before=control, is_issue=True),
        received_on=facts.received_for_shipment_date,
        on_board_on=facts.shipped_on_board_date,
        tenures=tuple(Tenure(party=slug) for slug in controllers if slug is not None),
    )
