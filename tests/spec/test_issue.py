"""The law of issuing: every condition of a new bill, each with a row that lacks just that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from bol_service.domain import errors
from bol_service.domain.document import BillKind, DocumentFacts, PartyReference, Sailing
from bol_service.domain.states import Control, Giving, Status, Tenure
from tests.law import Refused, Voyage, rows
from tests.law_scene import (
    BOX_1,
    BOX_2,
    FOREIGN_BOX,
    LOADED_ON,
    PARTIES,
    PORT_ONLY,
    RECEIVED_ON,
    RULEBOOK,
    altered,
    bill_of_lading,
    digest,
    reference_to,
    shipped,
)

STRAIGHT, ORDER, BLANK = BillKind.STRAIGHT, BillKind.ORDER, BillKind.BLANK
OTHER_SHIPMENT = "0195a3c0-7c1e-7d2a-9b00-0000000000b2"


def ready(kind: BillKind = ORDER, document: DocumentFacts | None = None) -> Voyage:
    """Booked, approved and received, on the day of issue."""
    return Voyage(kind, document=document, until="received")


def bearing(document: DocumentFacts) -> Callable[[], Voyage]:
    """Ready, with this document approved."""
    return lambda: ready(document=document)


def swapped(**changes: object) -> Callable[[], Voyage]:
    """Ready, but what is to be issued differs from what was approved in these members only."""
    return lambda: ready().then(lambda v: v.take(altered(v.document, **changes)))


def at_sea(document: DocumentFacts, **loading: str) -> Callable[[], Voyage]:
    """Both boxes loaded on 5 March, ready to issue a shipped-on-board bill."""

    def begin() -> Voyage:
        voyage = Voyage(document=document, custodians=PORT_ONLY, until="received")
        voyage.clock("2027-03-05 04:40")
        for box in (BOX_1, BOX_2):
            voyage.load_on_vessel(box, **loading)
        return voyage

    return begin


def named(slug: str, *codes: tuple[str, str]) -> PartyReference:
    return PartyReference(name=PARTIES[slug].name, codes=frozenset(codes))


def _issue(v: Voyage) -> object:
    return v.issue()


ISSUER = (
    Refused(
        "a shipper issues no bill",
        errors.NotCarrier,
        ready,
        lambda v: v.issue("yunling"),
        "/actor",
    ),
    Refused(
        "a forger cannot use the carrier's name with its own key",
        errors.WrongKey,
        ready,
        lambda v: v.issue("xlsc", signed_with="key-shadow-1"),
        "/actor",
    ),
    Refused(
        "another carrier cannot issue a document with this carrier's code",
        errors.NotCarrier,
        ready,
        lambda v: v.issue("merlion"),
        "/actor",
    ),
    Refused(
        "a carrier code counts only on the list that it stands on",
        errors.NotCarrier,
        bearing(bill_of_lading(carrier_code_list_provider="SMDG")),
        _issue,
        "/actor",
    ),
    Refused(
        "a carrier cannot issue for a shipment that another carrier booked",
        errors.NotCarrier,
        bearing(bill_of_lading(carrier_code="MLFL")),
        lambda v: v.issue("merlion"),
        "/details/shipment",
    ),
    Refused(
        "nobody issues for a shipment that was not booked",
        errors.NotCarrier,
        ready,
        lambda v: v.issue(shipment=OTHER_SHIPMENT),
        "/details/shipment",
    ),
)
DOCUMENT = (
    Refused(
        "the document must have been uploaded",
        errors.BadEvent,
        ready,
        lambda v: v.issue(received_bytes=digest("other bytes")),
        "/details/receivedBytes",
    ),
    Refused(
        "the stream must bear the document's checksum",
        errors.BadEvent,
        ready,
        lambda v: v.issue(stream=f"bill:{digest('other')}"),
        "/stream",
    ),
    Refused(
        "a sea waybill is no document of title",
        errors.WrongBillType,
        bearing(bill_of_lading(type_code="SWB")),
        _issue,
    ),
    Refused(
        "the document must be electronic",
        errors.BadEvent,
        bearing(bill_of_lading(is_electronic=False)),
        _issue,
    ),
    Refused(
        "the document must have the status ISSUED",
        errors.BadEvent,
        bearing(bill_of_lading(status="DRAFT")),
        _issue,
    ),
    Refused(
        "the event must give the document's content digest",
        errors.StaleDraft,
        ready,
        lambda v: v.issue(content_digest=digest("other content")),
        "/details/contentDigest",
    ),
)
MANIFEST_POINTER = "/details/issuanceManifestSignedContent"
MANIFEST = (
    Refused(
        "the manifest must be signed with a key of the carrier",
        errors.KeyRevoked,
        ready,
        lambda v: v.issue(manifest={"kid": "key-shadow-1"}),
        MANIFEST_POINTER,
    ),
    Refused(
        "the manifest must not be signed with a revoked key",
        errors.KeyRevoked,
        lambda: ready().then(lambda v: v.add_key("xlsc", 2), lambda v: v.revoke_key("xlsc", 2)),
        lambda v: v.issue(manifest={"kid": "key-xlsc-2"}),
        MANIFEST_POINTER,
    ),
    Refused(
        "the manifest must name this document",
        errors.BadEvent,
        ready,
        lambda v: v.issue(manifest={"document_checksum": digest("other")}),
        MANIFEST_POINTER,
    ),
    Refused(
        "the manifest must name this first possessor",
        errors.BadEvent,
        ready,
        lambda v: v.issue(manifest={"issue_to_checksum": digest("other")}),
        MANIFEST_POINTER,
    ),
)
APPROVAL = (
    Refused(
        "the shipper must have approved",
        errors.StaleDraft,
        lambda: ready().then(lambda v: v.request_change(1)),
        _issue,
    ),
    Refused(
        "a draft that replaced the approved one must be approved itself",
        errors.StaleDraft,
        lambda: ready().then(lambda v: v.publish_draft(2)),
        _issue,
    ),
    Refused(
        "the content must be the approved one",
        errors.StaleDraft,
        swapped(content_digest=digest("a carton less")),
        _issue,
        "/details/contentDigest",
    ),
    Refused(
        "the document must bear the booking's reference",
        errors.BadEvent,
        bearing(bill_of_lading(booking_references=("XLB-OTHER",))),
        _issue,
        "/details/shipment",
    ),
)
PARTIES_OF_THE_BILL = (
    Refused(
        "the shipper is the one of the booking",
        errors.BadEvent,
        ready,
        lambda v: v.issue(parties={"shipper": "nusantara"}),
        "/details/parties/shipper",
    ),
    Refused(
        "the document's shipper is the one of the booking",
        errors.BadEvent,
        bearing(bill_of_lading(shipper=reference_to("nusantara"))),
        lambda v: v.issue(parties={"shipper": "nusantara"}),
        "/details/parties/shipper",
    ),
    Refused(
        "a notify party that is named must be registered",
        errors.BadEvent,
        ready,
        lambda v: v.issue(parties={"notify": ("nobody",)}),
        "/details/parties/notify/0",
    ),
    Refused(
        "the document must name the shipper by its identifiers",
        errors.BadEvent,
        bearing(bill_of_lading(shipper=reference_to("nusantara"))),
        _issue,
        "/details/parties/shipper",
    ),
    Refused(
        "one identifier that contradicts is enough",
        errors.BadEvent,
        bearing(
            bill_of_lading(
                shipper=named(
                    "yunling",
                    ("LEI", "ZZZZ00SHIPPERYUNL031"),
                    ("USCC", "91500112MA60EBL24T"),
                )
            )
        ),
        _issue,
        "/details/parties/shipper",
    ),
    Refused(
        "a name alone names nobody",
        errors.BadEvent,
        bearing(bill_of_lading(shipper=named("yunling"))),
        _issue,
        "/details/parties/shipper",
    ),
    Refused(
        "an identifier of a kind that the party has not registered says nothing",
        errors.BadEvent,
        bearing(bill_of_lading(shipper=named("yunling", ("UEN", "209912345Z")))),
        _issue,
        "/details/parties/shipper",
    ),
    Refused(
        "a suspended shipper is not on a new bill",
        errors.BadEvent,
        lambda: ready().then(lambda v: v.suspend("yunling")),
        lambda v: v.issue(issue_to="bankcq"),
        "/details/parties/shipper",
    ),
    Refused(
        "the consignee of a straight bill must be named",
        errors.BadEvent,
        lambda: ready(STRAIGHT),
        lambda v: v.issue(parties={"consignee": None}),
        "/details/parties/consignee",
    ),
    Refused(
        "the consignee of a straight bill is the document's",
        errors.BadEvent,
        lambda: ready(STRAIGHT),
        lambda v: v.issue(parties={"consignee": "nusantara"}),
        "/details/parties/consignee",
    ),
    Refused(
        "no consignee where the document names none",
        errors.BadEvent,
        ready,
        lambda v: v.issue(parties={"consignee": "straits"}),
        "/details/parties/consignee",
    ),
    Refused(
        "the title holder of a straight bill is its consignee",
        errors.BadEvent,
        lambda: ready(STRAIGHT),
        lambda v: v.issue(parties={"title_holder": "yunling"}),
        "/details/parties/titleHolder",
    ),
    Refused(
        "the title holder of an order bill is its endorsee",
        errors.BadEvent,
        ready,
        lambda v: v.issue(parties={"title_holder": "banksg"}),
        "/details/parties/titleHolder",
    ),
    Refused(
        "an order bill with an endorsee is not in blank",
        errors.BadEvent,
        ready,
        lambda v: v.issue(parties={"title_holder": None}),
        "/details/parties/titleHolder",
    ),
    Refused(
        "a bill in blank has no title holder",
        errors.BadEvent,
        lambda: ready(BLANK),
        lambda v: v.issue(parties={"title_holder": "yunling"}),
        "/details/parties/titleHolder",
    ),
    Refused(
        "a notify party is one of the document's",
        errors.BadEvent,
        ready,
        lambda v: v.issue(parties={"notify": ("straits", "nusantara")}),
        "/details/parties/notify/1",
    ),
    Refused(
        "the carrier is not the first possessor",
        errors.BadRecipient,
        ready,
        lambda v: v.issue(issue_to="xlsc"),
        "/details/issueTo",
    ),
    Refused(
        "the operator is not the first possessor",
        errors.BadRecipient,
        ready,
        lambda v: v.issue(issue_to="operator"),
        "/details/issueTo",
    ),
    Refused(
        "the carrier has no title to its own bill",
        errors.BadRecipient,
        bearing(bill_of_lading(endorsee=reference_to("xlsc"))),
        lambda v: v.issue(parties={"title_holder": "xlsc"}),
        "/details/parties",
    ),
    Refused(
        "the carrier is not consignee of its own bill",
        errors.BadRecipient,
        bearing(bill_of_lading(STRAIGHT, consignee=reference_to("xlsc"))),
        lambda v: v.issue(parties={"consignee": "xlsc", "title_holder": "xlsc"}),
        "/details/parties",
    ),
    Refused(
        "the operator has no title to a bill",
        errors.BadRecipient,
        bearing(bill_of_lading(endorsee=reference_to("operator"))),
        lambda v: v.issue(parties={"title_holder": "operator"}),
        "/details/parties",
    ),
    Refused(
        "a straight bill is issued to shipper or consignee",
        errors.WrongBillType,
        lambda: ready(STRAIGHT),
        lambda v: v.issue(issue_to="bankcq"),
        "/details/issueTo",
    ),
)


def _consent(slug: str) -> Refused:
    def begin() -> Voyage:
        voyage = ready()
        for accepting in {"xlsc", "yunling", "bankcq"} - {slug}:
            voyage.accept_rulebook(accepting, digest("rulebook 2"))
        return voyage

    return Refused(
        f"{slug} must have accepted the rulebook of the bill",
        errors.ConsentMissing,
        begin,
        lambda v: v.issue(issue_to="bankcq", rulebook=digest("rulebook 2")),
    )


CONSENT = (
    _consent("xlsc"),
    _consent("yunling"),
    _consent("bankcq"),
    Refused(
        "an unknown party is not the first possessor",
        errors.RecipientUnavailable,
        ready,
        lambda v: v.issue(issue_to="nobody"),
    ),
    Refused(
        "a suspended party is not the first possessor",
        errors.RecipientUnavailable,
        lambda: ready().then(lambda v: v.suspend("bankcq")),
        lambda v: v.issue(issue_to="bankcq"),
    ),
)


def _received_over_midnight() -> Voyage:
    voyage = Voyage(until="approved").clock("2027-03-01 10:20")
    voyage.gate_in(BOX_1)
    return voyage.clock("2027-03-02 10:20").then(lambda v: v.gate_in(BOX_2))


FACTS = (
    Refused(
        "every container must have been received",
        errors.NotOnBill,
        lambda: Voyage(until="approved").clock("2027-03-01 10:20").then(lambda v: v.gate_in(BOX_1)),
        _issue,
    ),
    Refused(
        "every container must be one of this shipment",
        errors.NotOnBill,
        bearing(bill_of_lading(equipment=(BOX_1, BOX_2, FOREIGN_BOX))),
        _issue,
    ),
    Refused(
        "a received bill without containers has nothing that proves its date",
        errors.Antedating,
        bearing(bill_of_lading(equipment=())),
        _issue,
    ),
    Refused(
        "the date of receipt is not before the custody event",
        errors.Antedating,
        bearing(bill_of_lading(received_for_shipment_date=RECEIVED_ON - timedelta(days=1))),
        _issue,
    ),
    Refused(
        "the date of receipt is not after the custody event",
        errors.Antedating,
        bearing(bill_of_lading(received_for_shipment_date=RECEIVED_ON + timedelta(days=1))),
        _issue,
    ),
    Refused(
        "the date of receipt is there",
        errors.Antedating,
        bearing(bill_of_lading(received_for_shipment_date=None)),
        _issue,
    ),
    Refused(
        "the date of receipt is that of the last container",
        errors.Antedating,
        _received_over_midnight,
        _issue,
    ),
    Refused(
        "an issue date of last week is ante-dated",
        errors.Antedating,
        bearing(bill_of_lading(issue_date=RECEIVED_ON - timedelta(days=7))),
        _issue,
    ),
    Refused(
        "an issue date of next week is post-dated",
        errors.Antedating,
        bearing(bill_of_lading(issue_date=RECEIVED_ON + timedelta(days=7))),
        _issue,
    ),
    Refused(
        "the issue date is there",
        errors.Antedating,
        bearing(bill_of_lading(issue_date=None)),
        _issue,
    ),
    Refused(
        "a bill is not issued before the goods were received",
        errors.Antedating,
        # 10:00 UTC: somewhere it is still the 28th, but the boxes came in on the 1st.
        lambda: ready(document=bill_of_lading(issue_date=date(2027, 2, 28))).clock(
            "2027-03-01 19:00"
        ),
        _issue,
    ),
    Refused(
        "shipped on board needs every container loaded",
        errors.NotLoaded,
        lambda: (
            Voyage(document=shipped(), custodians=PORT_ONLY, until="received")
            .clock("2027-03-05 04:40")
            .then(lambda v: v.load_on_vessel(BOX_1))
        ),
        _issue,
    ),
    Refused(
        "shipped on board needs the vessel of the bill",
        errors.NotLoaded,
        at_sea(shipped(), vessel="OTHER VESSEL"),
        _issue,
    ),
    Refused(
        "shipped on board needs the voyage of the bill",
        errors.NotLoaded,
        at_sea(shipped(), voyage="028S"),
        _issue,
    ),
    Refused(
        "the on-board date is not before the load event",
        errors.Antedating,
        at_sea(shipped(shipped_on_board_date=LOADED_ON - timedelta(days=1))),
        _issue,
    ),
    Refused(
        "the on-board date is not after the load event",
        errors.Antedating,
        at_sea(shipped(shipped_on_board_date=LOADED_ON + timedelta(days=1))),
        _issue,
    ),
    Refused(
        "a shipped bill is not issued before its loading",
        errors.Antedating,
        at_sea(shipped(issue_date=LOADED_ON - timedelta(days=1))),
        _issue,
    ),
)


@pytest.mark.parametrize(
    "row",
    rows(
        (
            *ISSUER,
            *DOCUMENT,
            *MANIFEST,
            *APPROVAL,
            *PARTIES_OF_THE_BILL,
            *CONSENT,
            *FACTS,
        )
    ),
)
def test_refused(row: Refused) -> None:
    row.check()


# -- a bill exists once --------------------------------------------------------------------------

LIVES: tuple[tuple[str, Callable[[Voyage], object]], ...] = (
    ("issued", lambda v: None),
    ("transferred", lambda v: v.transfer("yunling", to="bankcq")),
    ("waiting for an answer", lambda v: v.surrender("yunling")),
    ("refused", lambda v: v.refuse("yunling")),
    ("void", lambda v: (v.refuse("yunling"), v.void())),
)


@pytest.mark.parametrize("live", [row[1] for row in LIVES], ids=[row[0] for row in LIVES])
def test_a_bill_is_not_issued_again_over_itself_when(live: Callable[[Voyage], object]) -> None:
    voyage = Voyage(until="issued").then(live)

    with voyage.refuses(errors.NumberUsed, pointer="/stream"):
        voyage.issue()


def test_another_carrier_learns_nothing_of_a_bill_by_issuing_over_it() -> None:
    voyage = Voyage(until="issued")
    unknown = f"bill:{digest('no such bill')}"
    own = bill_of_lading(carrier_code="MLFL")
    taken = voyage.stream
    voyage.take(own)

    for stream in (taken, unknown):
        with voyage.refuses(errors.BadEvent, pointer="/stream"):
            voyage.issue("merlion", stream=stream, sequence=0, previous=None)


# -- what a new bill is --------------------------------------------------------------------------

FIRST_CONTROL = (
    (STRAIGHT, "yunling", "straits"),
    (STRAIGHT, "straits", "straits"),
    (ORDER, "yunling", "yunling"),
    (ORDER, "bankcq", "yunling"),
    (BLANK, "yunling", None),
    (BLANK, "banksg", None),
)


@pytest.mark.parametrize(
    ("kind", "issue_to", "title"),
    FIRST_CONTROL,
    ids=[
        f"a {kind} bill issued to {to} has title {title or 'in blank'}"
        for kind, to, title in FIRST_CONTROL
    ],
)
def test_first_possessor_and_title(kind: BillKind, issue_to: str, title: str | None) -> None:
    voyage = ready(kind)

    voyage.issue(issue_to=issue_to)

    bill = voyage.bill
    assert voyage.control == (issue_to, title, False)
    assert bill.giving == Giving(
        before=Control(possessor=issue_to, title_holder=title), is_issue=True
    )
    assert {tenure.party for tenure in bill.tenures} == {issue_to, title} - {None}
    assert all(tenure == Tenure(party=tenure.party) for tenure in bill.tenures)


def test_a_new_bill_has_what_the_document_and_the_act_say() -> None:
    voyage = Voyage(until="issued")
    bill, facts = voyage.bill, voyage.document

    assert (bill.bill, bill.reference, bill.kind) == (facts.checksum, facts.reference, facts.kind)
    assert (bill.carrier, bill.shipper, bill.consignee) == ("xlsc", "yunling", None)
    assert (bill.shipment, bill.containers) == (voyage.draft.shipment, (BOX_1, BOX_2))
    assert (bill.sailings, bill.notify) == (facts.sailings, ("straits",))
    assert (bill.rulebook, bill.status) == (RULEBOOK, Status.ISSUED)
    assert (bill.received_on, bill.on_board_on) == (RECEIVED_ON, None)
    assert (bill.orders, bill.surrendered_by, bill.presentation) == ((), None, None)


def test_a_bill_issued_after_loading_is_an_on_board_bill() -> None:
    voyage = at_sea(shipped())()

    voyage.issue()

    assert (voyage.bill.received_on, voyage.bill.on_board_on) == (None, LOADED_ON)


def test_one_of_several_sailings_may_be_the_one_of_loading() -> None:
    feeder = Sailing(vessel="FEEDER", voyage="1")
    main = Sailing(vessel="XIN HE GUOYUAN", voyage="027S")
    voyage = at_sea(shipped(sailings=(feeder, main)))()

    voyage.issue()

    assert voyage.bill.on_board_on == LOADED_ON


def test_a_received_bill_bears_the_day_of_the_last_container() -> None:
    last = RECEIVED_ON + timedelta(days=1)
    voyage = Voyage(
        document=bill_of_lading(received_for_shipment_date=last, issue_date=last),
        until="approved",
    ).clock("2027-03-01 10:20")
    voyage.gate_in(BOX_1)
    voyage.clock("2027-03-02 10:20").then(lambda v: v.gate_in(BOX_2))

    voyage.issue()

    assert voyage.bill.received_on == last


@pytest.mark.parametrize(
    "codes",
    [
        (("SLUG", "yunling"),),
        (("USCC", "91500112MA60EBL160"),),
        (("LEI", "ZZZZ00SHIPPERYUNL031"), ("UEN", "209912345Z")),
    ],
    ids=["by its slug alone", "by one identifier", "beside a code of a kind it has not registered"],
)
def test_a_document_may_name_the_shipper(codes: tuple[tuple[str, str], ...]) -> None:
    voyage = ready(document=bill_of_lading(shipper=named("yunling", *codes)))

    voyage.issue()

    assert voyage.bill.shipper == "yunling"


def test_not_every_notify_party_of_the_document_must_be_registered_here() -> None:
    voyage = ready()

    voyage.issue(parties={"notify": ()})

    assert voyage.bill.notify == ()


def test_the_manifest_may_be_signed_with_another_key_of_the_carrier() -> None:
    voyage = ready().then(lambda v: v.add_key("xlsc", 2))

    voyage.issue(manifest={"kid": "key-xlsc-2"})

    assert voyage.status is Status.ISSUED


def test_a_voided_number_may_be_issued_on_a_corrected_document() -> None:
    voyage = Voyage(until="issued").then(lambda v: v.refuse("yunling"), lambda v: v.void())
    voyage.take(bill_of_lading(place_of_delivery="SGJUR"))
    voyage.publish_draft(2)
    voyage.approve(2)

    voyage.issue()

    assert voyage.status is Status.ISSUED


def test_a_notify_party_is_looked_for_among_all_that_the_document_names() -> None:
    named_both = (reference_to("straits"), reference_to("nusantara"))
    voyage = ready(document=bill_of_lading(notify=named_both))

    voyage.issue(parties={"notify": ("nusantara",)})

    assert voyage.bill.notify == ("nusantara",)
