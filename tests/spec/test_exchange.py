"""The law of the border: an original leaves, arrives and comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bol_service.domain import errors
from bol_service.domain import events as e
from bol_service.domain.document import BillKind
from bol_service.domain.events import Action
from bol_service.domain.states import Status
from tests.law_border import (
    TO_BANK,
    TO_STRAITS,
    Arriving,
    Leaving,
    arrived,
    asked,
    gone,
    leaving,
    sent,
    step,
)
from tests.law_scene import BOXES

A = Action


def test_a_bill_on_its_way_is_still_with_its_sender_and_locked() -> None:
    v = leaving()
    assert v.status is Status.IN_TRANSIT
    assert v.control == ("yunling", "yunling", False)
    assert v.may("yunling") == frozenset()


def test_possession_moves_with_the_signed_receipt_and_not_before() -> None:
    v = sent()
    assert v.control[0] == "yunling"
    v.moved()
    assert (v.status, v.control[0]) == (Status.MOVED, "SGPX:banksg")
    assert v.bill.transit is None


def test_a_duplicate_is_as_good_as_a_receipt() -> None:
    v = sent()
    v.moved("DUPE")
    assert v.status is Status.MOVED


@pytest.mark.parametrize("code", ["BSIG", "BENV", "DISE"])
def test_a_signed_refusal_gives_the_bill_back_as_it_was(code: str) -> None:
    v = Leaving()
    before = v.control
    v.endorse("yunling", to="SGPX:banksg", transfer_to="SGPX:banksg")
    assert v.control == before
    v.send()
    v.not_moved(code)
    assert (v.status, v.control) == (Status.ISSUED, before)
    v.transfer("yunling", to="bankcq")


def test_endorsing_and_transferring_abroad_moves_title_and_possession_together() -> None:
    v = Leaving()
    v.endorse("yunling", to="SGPX:banksg", transfer_to="SGPX:banksg")
    v.send()
    v.moved()
    assert v.control == ("SGPX:banksg", "SGPX:banksg", False)


LC, OTHER_LC = (
    e.Presentation(letter_of_credit=number, complete=complete)
    for number, complete in (("LC1", True), ("LC2", False))
)


def presented() -> Leaving:
    """With a bank here under one letter of credit, on its way abroad under another."""
    v = Leaving()
    v.transfer("yunling", to="bankcq", presentation=LC)
    v.transfer("bankcq", to="SGPX:banksg", presentation=OTHER_LC)
    v.send()
    return v


def test_the_letter_of_credit_stays_while_the_bill_is_on_its_way() -> None:
    assert presented().bill.presentation == LC


def test_a_refusal_abroad_leaves_the_letter_of_credit_under_which_the_sender_has_the_bill() -> None:
    v = presented()
    v.not_moved()
    assert v.bill.presentation == LC


def test_the_letter_of_credit_goes_with_the_bill_and_ends_when_a_chain_comes_back() -> None:
    v = presented()
    v.moved()
    assert v.bill.presentation == OTHER_LC
    v.returned(step(A.TRANSFER, "SGPX:banksg", "bankcq"))
    assert v.bill.presentation is None


@pytest.mark.parametrize("how", ["transferred", "endorsed and transferred", "surrendered"])
def test_what_leaves_under_no_letter_of_credit_leaves_none_behind(how: str) -> None:
    if how == "surrendered":
        v: Leaving = Arriving(BillKind.BLANK)
        assert isinstance(v, Arriving)
        v.arrive(TO_BANK)
        v.transfer("banksg", to="straits", presentation=LC)
        v.surrender("straits")
    else:
        v = Leaving(BillKind.BLANK)
        v.transfer("yunling", to="bankcq", presentation=LC)
        to = "SGPX:banksg"
        if how == "transferred":
            v.transfer("bankcq", to=to)
        else:
            v.endorse("bankcq", to=to, transfer_to=to)
    v.send(platform=v.transit.platform)
    assert v.bill.presentation == LC
    v.moved(platform=v.transit.platform)
    assert v.bill.presentation is None


def test_the_carrier_notes_on_board_while_the_original_is_abroad() -> None:
    v = gone()
    v.until("noted")
    assert v.bill.on_board_on is not None


def test_a_bill_that_arrives_is_what_its_transactions_make_of_it() -> None:
    v = arrived()
    assert v.status is Status.ISSUED
    assert v.control == ("straits", "straits", False)
    assert v.bill.carrier == "CQGY:xlsc"
    v.transfer("straits", to="banksg")


def test_an_arrived_bill_cannot_be_refused_but_transferred_back() -> None:
    v = arrived()
    assert A.REFUSE not in v.may("straits")
    v.transfer("straits", to="CQGY:yunling")
    assert v.status is Status.IN_TRANSIT


def test_a_surrender_abroad_reaches_the_carrier_and_its_acceptance_goes_back_as_a_notice() -> None:
    v = asked()
    assert v.status is Status.PENDING_SURRENDER_FOR_DELIVERY
    assert (v.control[0], v.bill.surrendered_by) == ("xlsc", "SGPX:straits")
    v.accept_surrender()
    assert v.status is Status.SURRENDERED_FOR_DELIVERY
    assert v.transit.after is None
    v.send()
    v.not_moved()  # a notice that is refused undoes nothing
    assert v.status is Status.SURRENDERED_FOR_DELIVERY


def test_a_bill_that_was_surrendered_abroad_for_amendment_releases_nothing() -> None:
    v = asked(surrender=A.SURRENDER_FOR_AMENDMENT)
    assert v.status is Status.PENDING_SURRENDER_FOR_AMENDMENT
    assert (v.control[0], v.bill.surrendered_by) == ("xlsc", "SGPX:straits")
    with pytest.raises(errors.NotSupported):
        v.accept_surrender()
    v.reject_surrender()
    assert (v.status, v.control[0]) == (Status.IN_TRANSIT, "xlsc")


def test_a_notice_that_is_refused_undoes_nothing_of_what_was_done_since() -> None:
    v = asked(until="discharged")
    v.accept_surrender()
    v.send()
    v.order_delivery()
    for box in BOXES:
        v.release_by_customs(box)
        v.gate_out(box)
    v.confirm_delivery()
    before = v.bill
    assert v.status is Status.ACCOMPLISHED
    v.not_moved()
    assert v.bill == replace(before, transit=None)
    assert v.status is Status.ACCOMPLISHED


def test_a_rejected_surrender_goes_back_to_who_asked_abroad() -> None:
    v = asked()
    v.reject_surrender()
    assert (v.status, v.control[0]) == (Status.IN_TRANSIT, "xlsc")
    v.send()
    v.moved()
    assert (v.status, v.control[0]) == (Status.MOVED, "SGPX:straits")
    assert v.bill.surrendered_by is None


def test_a_return_that_is_refused_leaves_the_surrender_with_the_carrier() -> None:
    v = asked()
    v.reject_surrender()
    v.send()
    v.not_moved()
    assert v.status is Status.PENDING_SURRENDER_FOR_DELIVERY
    assert v.bill.surrendered_by == "SGPX:straits"


def test_a_surrender_from_here_waits_abroad_until_the_carrier_answers() -> None:
    v = arrived()
    v.surrender("straits")
    v.send(platform="CQGY")
    v.moved(platform="CQGY")
    assert (v.status, v.bill.surrendered_by) == (Status.MOVED, "straits")
    v.returned(step(A.SREJ, "CQGY:xlsc", "straits"), platform="CQGY")
    assert (v.status, v.control[0]) == (Status.ISSUED, "straits")
    v.surrender("straits")
    v.send(platform="CQGY")
    v.moved(platform="CQGY")
    v.returned(step(A.SACC, "CQGY:xlsc", "straits"), platform="CQGY")
    assert v.status is Status.SURRENDERED_FOR_DELIVERY


def test_a_bill_that_is_told_of_without_coming_is_known_as_abroad() -> None:
    v = Arriving()
    v.arrive(TO_STRAITS)
    assert (v.status, v.control) == (Status.MOVED, ("CQGY:yunling", "straits", False))


def test_moves_inside_another_platform_may_be_left_out() -> None:
    v = gone()
    v.returned(step(A.TRANSFER, "SGPX:straits", "bankcq"))
    assert (v.status, v.control[0]) == (Status.ISSUED, "bankcq")


def test_a_sign_abroad_shows_who_possesses() -> None:
    v = gone()
    v.returned(step(A.SIGN, "SGPX:straits"), step(A.TRANSFER, "SGPX:straits", "bankcq"))
    assert v.control[0] == "bankcq"


def test_a_final_endorsement_abroad_is_final_here() -> None:
    v = Leaving()
    v.endorse("yunling", to="SGPX:banksg")
    v.gone()
    v.returned(step(A.ENDORSE, "SGPX:banksg", "bankcq"), step(A.TRANSFER, "SGPX:banksg", "bankcq"))
    assert v.control == ("bankcq", "bankcq", True)
