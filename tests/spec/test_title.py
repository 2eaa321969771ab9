"""The law of control: possession, title, surrender and answer, as truth tables and stories.

Refusing what one was given is in `test_refusing`, what control refuses in `test_title_refused`,
delivery orders and the gate in `test_release`, notations in `test_notation`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bol_service.domain import errors
from bol_service.domain.access import disposal
from bol_service.domain.document import BillKind
from bol_service.domain.events import Action, Presentation
from bol_service.domain.states import Status, Tenure
from bol_service.domain.title import allowed_actions, controllers, status
from tests.law import Voyage, issued, pending, with_bank
from tests.law_scene import bill_of_lading, reference_to

STRAIGHT, ORDER, BLANK = BillKind.STRAIGHT, BillKind.ORDER, BillKind.BLANK
Act = Callable[[Voyage], object]


# -- who may surrender ---------------------------------------------------------------------------

YES, NO = None, errors.NotTitleHolder
SURRENDER = (
    # kind, title, possessor, refusal
    (STRAIGHT, "straits", "yunling", YES),
    (STRAIGHT, "straits", "straits", YES),
    (STRAIGHT, "straits", "bankcq", NO),
    (ORDER, "yunling", "yunling", YES),
    (ORDER, "yunling", "bankcq", NO),
    (ORDER, "bankcq", "yunling", NO),
    (ORDER, "bankcq", "bankcq", YES),
    (ORDER, None, "yunling", YES),
    (ORDER, None, "bankcq", YES),
    (BLANK, None, "yunling", YES),
    (BLANK, None, "bankcq", YES),
    (BLANK, "bankcq", "yunling", NO),
    (BLANK, "bankcq", "bankcq", YES),
)


def _says(kind: BillKind, title: str | None, possessor: str, refusal: object) -> str:
    may = "surrenders" if refusal is None else "cannot surrender"
    return f"{possessor} in possession {may} a {kind} bill with title {title or 'in blank'}"


@pytest.mark.parametrize("final", [False, True], ids=["", "after a final endorsement"])
@pytest.mark.parametrize("purpose", ["surrender", "surrender_for_amendment"])
@pytest.mark.parametrize(
    ("kind", "title", "possessor", "refusal"),
    SURRENDER,
    ids=[_says(*row) for row in SURRENDER],
)
def test_surrender_needs_possession_and_title_together(
    kind: BillKind,
    title: str | None,
    possessor: str,
    refusal: type[errors.Refusal] | None,
    purpose: str,
    final: bool,
) -> None:
    voyage = issued(kind).holding(possessor, title, final=final)
    surrender = getattr(voyage, purpose)
    if refusal is not None:
        with voyage.refuses(refusal):
            surrender(possessor)
        return
    surrender(possessor)
    assert voyage.control == ("xlsc", title, final), "possession rests with the carrier"
    assert voyage.bill.surrendered_by == possessor


# -- who may endorse -----------------------------------------------------------------------------

ENDORSEMENTS = ("endorse_finally", "endorse", "endorse_in_blank")
ENDORSING = (
    # kind, title, final, refusal of an endorsement by the possessor yunling
    (STRAIGHT, "straits", False, errors.WrongBillType),
    (STRAIGHT, "yunling", False, errors.WrongBillType),
    (ORDER, "yunling", False, None),
    (ORDER, "yunling", True, errors.FinalEndorsement),
    (ORDER, "bankcq", False, errors.NotTitleHolder),
    (ORDER, "bankcq", True, errors.NotTitleHolder),
    (ORDER, None, False, None),
    (BLANK, None, False, None),
    (BLANK, "yunling", False, None),
    (BLANK, "yunling", True, errors.FinalEndorsement),
    (BLANK, "bankcq", False, errors.NotTitleHolder),
)


@pytest.mark.parametrize("mode", ENDORSEMENTS)
@pytest.mark.parametrize("transfer_to", [None, "straits"], ids=["alone", "with transfer"])
@pytest.mark.parametrize(
    ("kind", "title", "final", "refusal"),
    ENDORSING,
    ids=[
        f"the possessor of a {kind} bill {'endorses' if no is None else 'cannot endorse'} with "
        f"title {title or 'in blank'}{' final' if final else ''}"
        for kind, title, final, no in ENDORSING
    ],
)
def test_endorsing_needs_title_and_no_final_endorsement(
    kind: BillKind,
    title: str | None,
    final: bool,
    refusal: type[errors.Refusal] | None,
    transfer_to: str | None,
    mode: str,
) -> None:
    voyage = issued(kind).holding("yunling", title, final=final)
    to = {} if mode == "endorse_in_blank" else {"to": "banksg"}
    endorse = getattr(voyage, mode)
    if refusal is not None:
        with voyage.refuses(refusal):
            endorse("yunling", transfer_to=transfer_to, **to)
        return
    endorse("yunling", transfer_to=transfer_to, **to)
    assert voyage.control == (transfer_to or "yunling", to.get("to"), mode == "endorse_finally")


# -- what each act changes -----------------------------------------------------------------------

EFFECTS: tuple[tuple[str, Callable[[], Voyage], Act, tuple[str, str | None, bool]], ...] = (
    (
        "transferring moves possession and leaves the title",
        issued,
        lambda v: v.transfer("yunling", to="bankcq"),
        ("bankcq", "yunling", False),
    ),
    (
        "transferring keeps a final endorsement final",
        lambda: issued().holding("yunling", "banksg", final=True),
        lambda v: v.transfer("yunling", to="banksg"),
        ("banksg", "banksg", True),
    ),
    (
        "a possessor without title may pass the bill on",
        with_bank,
        lambda v: v.transfer("bankcq", to="straits"),
        ("straits", "banksg", False),
    ),
    (
        "a straight bill passes from shipper to consignee",
        lambda: issued(STRAIGHT),
        lambda v: v.transfer("yunling", to="straits"),
        ("straits", "straits", False),
    ),
    (
        "a bill in blank passes by transfer alone",
        lambda: issued(BLANK),
        lambda v: v.transfer("yunling", to="nusantara"),
        ("nusantara", None, False),
    ),
    (
        "endorsing to order moves no possession",
        issued,
        lambda v: v.endorse("yunling", to="banksg"),
        ("yunling", "banksg", False),
    ),
    (
        "the possessor of a bill in blank fills in itself",
        lambda: issued(BLANK),
        lambda v: v.endorse("yunling", to="yunling"),
        ("yunling", "yunling", False),
    ),
    (
        "signing changes neither possession nor title",
        issued,
        lambda v: v.show_control("yunling", nonce="challenge"),
        ("yunling", "yunling", False),
    ),
    (
        "rejecting a surrender gives possession back to who surrendered",
        pending,
        lambda v: v.reject_surrender(),
        ("yunling", "yunling", False),
    ),
    (
        "rejecting a surrender for amendment gives possession back too",
        lambda: issued().then(lambda v: v.surrender_for_amendment("yunling")),
        lambda v: v.reject_surrender(),
        ("yunling", "yunling", False),
    ),
    (
        "an accepted surrender leaves possession with the carrier for ever",
        pending,
        lambda v: v.accept_surrender(),
        ("xlsc", "yunling", False),
    ),
)


@pytest.mark.parametrize(
    ("begin", "act", "control"), [row[1:] for row in EFFECTS], ids=[row[0] for row in EFFECTS]
)
def test_effect_on_possessor_title_and_final(
    begin: Callable[[], Voyage], act: Act, control: tuple[str, str | None, bool]
) -> None:
    assert begin().then(act).control == control


STATUSES: tuple[tuple[str, Callable[[], Voyage], Act, Status], ...] = (
    (
        "a surrender for delivery waits for the carrier",
        issued,
        lambda v: v.surrender("yunling"),
        Status.PENDING_SURRENDER_FOR_DELIVERY,
    ),
    (
        "a surrender for amendment waits for the carrier",
        issued,
        lambda v: v.surrender_for_amendment("yunling"),
        Status.PENDING_SURRENDER_FOR_AMENDMENT,
    ),
    ("a rejected surrender is undone", pending, lambda v: v.reject_surrender(), Status.ISSUED),
    (
        "an accepted surrender ends control",
        pending,
        lambda v: v.accept_surrender(),
        Status.SURRENDERED_FOR_DELIVERY,
    ),
    (
        "a bill is accomplished when its last container leaves",
        lambda: Voyage(until="cleared").then(lambda v: v.gate_out(v.bill.containers[0])),
        lambda v: v.gate_out(v.bill.containers[1]),
        Status.ACCOMPLISHED,
    ),
    (
        "a bill is not accomplished while one container is left",
        lambda: Voyage(until="cleared"),
        lambda v: v.gate_out(v.bill.containers[0]),
        Status.SURRENDERED_FOR_DELIVERY,
    ),
    (
        "confirming delivery changes no status",
        lambda: Voyage(until="gone"),
        lambda v: v.confirm_delivery(),
        Status.ACCOMPLISHED,
    ),
    (
        "a refused issue waits to be voided",
        issued,
        lambda v: v.refuse("yunling"),
        Status.ISSUE_REFUSED,
    ),
    (
        "the carrier voids a refused issue",
        lambda: issued().then(lambda v: v.refuse("yunling")),
        lambda v: v.void(),
        Status.VOIDED,
    ),
)


@pytest.mark.parametrize(
    ("begin", "act", "status"), [row[1:] for row in STATUSES], ids=[row[0] for row in STATUSES]
)
def test_effect_on_status(begin: Callable[[], Voyage], act: Act, status: Status) -> None:
    assert begin().then(act).status is status


def test_a_refused_issue_goes_back_to_the_carrier() -> None:
    voyage = issued().then(lambda v: v.refuse("yunling"))

    assert voyage.control == ("xlsc", "xlsc", False)


def test_confirmed_delivery_is_remembered() -> None:
    voyage = Voyage(until="gone")
    assert not voyage.bill.delivery_confirmed

    assert voyage.then(lambda v: v.confirm_delivery()).bill.delivery_confirmed


def test_the_giver_can_act_no_more_once_it_has_given() -> None:
    voyage = with_bank()

    assert voyage.may("yunling") == frozenset()
    assert Action.TRANSFER in voyage.may("bankcq")


def test_a_shipper_that_is_its_own_consignee_is_not_offered_a_transfer() -> None:
    voyage = Voyage(
        document=bill_of_lading(STRAIGHT, consignee=reference_to("yunling")), until="received"
    )
    voyage.issue(parties={"consignee": "yunling", "title_holder": "yunling"})

    assert Action.TRANSFER not in voyage.may("yunling")
    assert Action.SURRENDER_FOR_DELIVERY in voyage.may("yunling")


def test_cancelling_is_offered_while_an_order_counts() -> None:
    voyage = Voyage(until="accepted")
    assert Action.CANCEL_DELIVERY_ORDER not in voyage.may("xlsc")

    voyage.order_delivery()
    assert Action.CANCEL_DELIVERY_ORDER in voyage.may("xlsc")

    voyage.cancel_order()
    assert Action.CANCEL_DELIVERY_ORDER not in voyage.may("xlsc")


def test_a_void_bill_stays_void_when_its_containers_leave_under_the_next_bill() -> None:
    voyage = issued().then(lambda v: v.refuse("yunling"), lambda v: v.void())
    void = voyage.bill.bill
    voyage.take(bill_of_lading(place_of_delivery="SGJUR"))
    voyage.then(lambda v: v.publish_draft(2), lambda v: v.approve(2), lambda v: v.issue())
    voyage.until("gone")

    old = voyage.world.bill(void)
    assert old is not None
    assert (status(voyage.world, old), voyage.status) == (Status.VOIDED, Status.ACCOMPLISHED)


def test_a_suspended_party_is_offered_nothing() -> None:
    voyage = issued().then(lambda v: v.suspend("yunling"))

    assert voyage.may("yunling") == frozenset()


# -- stories of the trade ------------------------------------------------------------------------


def test_the_consignee_of_a_straight_bill_surrenders_it() -> None:
    voyage = issued(STRAIGHT).then(lambda v: v.transfer("yunling", to="straits"))

    voyage.surrender("straits")
    voyage.accept_surrender()

    assert voyage.status is Status.SURRENDERED_FOR_DELIVERY


def test_of_a_surrender_made_here_nobody_abroad_is_owed_a_notice() -> None:
    voyage = pending()
    voyage.accept_surrender()
    assert voyage.bill.transit is None


def test_a_bearer_surrenders_a_bill_that_was_never_endorsed() -> None:
    voyage = issued(BLANK).then(lambda v: v.transfer("yunling", to="nusantara"))

    voyage.surrender("nusantara")

    assert voyage.bill.surrendered_by == "nusantara"


def test_a_final_endorsee_surrenders_but_does_not_endorse_on() -> None:
    voyage = issued().then(
        lambda v: v.endorse_finally("yunling", to="banksg", transfer_to="banksg")
    )

    for mode in ("endorse", "endorse_finally"):
        with voyage.refuses(errors.FinalEndorsement):
            getattr(voyage, mode)("banksg", to="straits")
    with voyage.refuses(errors.FinalEndorsement):
        voyage.endorse_in_blank("banksg")
    voyage.surrender("banksg")


def test_the_bill_travels_through_two_banks_to_the_buyer() -> None:
    voyage = issued()

    voyage.endorse("yunling", to="banksg")
    voyage.transfer("yunling", to="bankcq")
    with voyage.refuses(errors.NotHolder):
        voyage.endorse("yunling", to="shadow")
    with voyage.refuses(errors.NotTitleHolder, pointer="/actor"):
        voyage.surrender("bankcq")
    voyage.transfer("bankcq", to="banksg")
    voyage.endorse("banksg", to="straits", transfer_to="straits")
    voyage.endorse_in_blank("straits", transfer_to="nusantara")
    voyage.refuse("nusantara")
    assert voyage.control == ("straits", "straits", False)
    voyage.endorse_in_blank("straits")
    voyage.endorse("straits", to="straits")
    voyage.surrender("straits")
    voyage.reject_surrender()
    voyage.surrender("straits")
    voyage.accept_surrender()

    assert voyage.control == ("xlsc", "straits", False)


def test_a_refused_transfer_can_be_tried_again() -> None:
    voyage = issued(STRAIGHT).then(
        lambda v: v.transfer("yunling", to="straits"), lambda v: v.refuse("straits")
    )

    voyage.transfer("yunling", to="straits")

    assert voyage.control[0] == "straits"


# -- what is remembered beside control -----------------------------------------------------------

PRESENTED = Presentation(letter_of_credit="SCB-LC-2027-00418", complete=True)


def presented() -> Voyage:
    return issued().then(
        lambda v: v.endorse("yunling", to="bankcq"),
        lambda v: v.transfer("yunling", to="bankcq", presentation=PRESENTED),
    )


def test_a_transfer_may_be_a_presentation_under_a_letter_of_credit() -> None:
    assert presented().bill.presentation == PRESENTED


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda v: v.transfer("bankcq", to="banksg"), id="the bank transfers on"),
        pytest.param(
            lambda v: v.endorse("bankcq", to="banksg", transfer_to="banksg"),
            id="the bank endorses on with transfer",
        ),
        pytest.param(lambda v: v.refuse("bankcq"), id="the bank refuses"),
        pytest.param(lambda v: v.surrender("bankcq"), id="the bank surrenders"),
    ],
)
def test_a_presentation_ends_when(act: Act) -> None:
    assert presented().then(act).bill.presentation is None


def test_refusing_a_transfer_restores_the_presentation_that_it_ended() -> None:
    voyage = presented().then(
        lambda v: v.transfer("bankcq", to="banksg"), lambda v: v.refuse("banksg")
    )

    assert voyage.bill.presentation == PRESENTED


def test_tenures_run_from_receipt_to_the_holders_own_disposal() -> None:
    voyage = with_bank()  # ISSUE 0, ENDORSE_TO_ORDER 1, TRANSFER 2
    assert voyage.bill.tenures == (
        Tenure(party="yunling", last=2),
        Tenure(party="banksg"),
        Tenure(party="bankcq"),
    )

    voyage.transfer("bankcq", to="banksg")

    assert voyage.bill.tenures == (
        Tenure(party="yunling", last=2),
        Tenure(party="banksg"),
        Tenure(party="bankcq", last=3),
    )


def test_a_party_that_gets_a_bill_back_has_one_tenure_and_reads_up_to_its_latest_disposal() -> None:
    voyage = with_bank()
    voyage.transfer("bankcq", to="banksg")
    voyage.transfer("banksg", to="bankcq")
    assert voyage.bill.tenures[-1] == Tenure(party="bankcq")

    voyage.transfer("bankcq", to="banksg")

    assert voyage.bill.tenures == (
        Tenure(party="yunling", last=2),
        Tenure(party="banksg"),
        Tenure(party="bankcq", last=5),
    )
    assert disposal(voyage.bill, "bankcq") == 5


def test_who_surrendered_keeps_its_tenure_through_pending_and_after() -> None:
    voyage = Voyage(until="accepted")

    own = [tenure for tenure in voyage.bill.tenures if tenure.party == "yunling"]

    assert own == [Tenure(party="yunling")]


def test_the_carrier_has_a_tenure_only_while_it_possesses() -> None:
    voyage = pending().then(lambda v: v.reject_surrender())

    own = [tenure for tenure in voyage.bill.tenures if tenure.party == "xlsc"]

    assert [tenure.last for tenure in own] == [3]


def test_nobody_has_a_tenure_of_a_bill_in_blank() -> None:
    voyage = issued().then(lambda v: v.endorse_in_blank("yunling"))

    assert {tenure.party for tenure in voyage.bill.tenures} == {"yunling"}


def test_a_party_that_is_not_registered_may_do_nothing() -> None:
    voyage = issued()

    assert allowed_actions(voyage.world, voyage.bill, "nobody") == ()


def test_nobody_controls_a_blank_bill_beside_its_possessor() -> None:
    voyage = issued()
    voyage.endorse_in_blank("yunling", transfer_to="bankcq")

    assert controllers(voyage.bill) == {"bankcq"}
