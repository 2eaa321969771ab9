"""The law of refusing: who received a bill and has signed nothing on it may give it back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bol_service.domain import errors
from bol_service.domain.document import BillKind
from bol_service.domain.states import Status
from tests.law import Refused, Voyage, issued, rows, with_bank

STRAIGHT, ORDER, BLANK = BillKind.STRAIGHT, BillKind.ORDER, BillKind.BLANK
Act = Callable[[Voyage], object]


GIVINGS: tuple[tuple[str, Callable[[], Voyage], Act], ...] = (
    ("a transfer", issued, lambda v: v.transfer("yunling", to="bankcq")),
    (
        "a transfer by a possessor without title",
        with_bank,
        lambda v: v.transfer("bankcq", to="straits"),
    ),
    (
        "a transfer of a straight bill",
        lambda: issued(STRAIGHT),
        lambda v: v.transfer("yunling", to="straits"),
    ),
    (
        "an endorsement to order with transfer",
        issued,
        lambda v: v.endorse("yunling", to="banksg", transfer_to="bankcq"),
    ),
    (
        "a final endorsement with transfer, final flag and all",
        issued,
        lambda v: v.endorse_finally("yunling", to="bankcq", transfer_to="bankcq"),
    ),
    (
        "an endorsement in blank with transfer",
        issued,
        lambda v: v.endorse_in_blank("yunling", transfer_to="bankcq"),
    ),
    (
        "a transfer after a final endorsement, which stays final",
        lambda: issued().then(lambda v: v.endorse_finally("yunling", to="banksg")),
        lambda v: v.transfer("yunling", to="banksg"),
    ),
    (
        "filling in an endorsee with transfer, which is in blank again",
        lambda: issued(BLANK),
        lambda v: v.endorse("yunling", to="banksg", transfer_to="banksg"),
    ),
    (
        "the second of two transfers, and only that",
        with_bank,
        lambda v: v.transfer("bankcq", to="yunling"),
    ),
)


@pytest.mark.parametrize(
    ("begin", "give"), [row[1:] for row in GIVINGS], ids=[row[0] for row in GIVINGS]
)
def test_refusing_undoes_the_whole_act_that_gave(begin: Callable[[], Voyage], give: Act) -> None:
    voyage = begin()
    before = voyage.control

    give(voyage)
    assert voyage.control != before
    voyage.refuse(voyage.control[0])

    assert voyage.control == before
    assert voyage.status is Status.ISSUED


OTHERS: tuple[tuple[str, str, Act], ...] = (
    ("the carrier's notation", "loaded", lambda v: v.note_on_board()),
    ("the terminal's loading", "carried", lambda v: v.load_on_vessel()),
)


@pytest.mark.parametrize(
    ("stage", "act"), [row[1:] for row in OTHERS], ids=[f"after {row[0]}" for row in OTHERS]
)
@pytest.mark.parametrize("given", ["issue", "transfer"])
def test_what_others_sign_leaves_the_bill_refusable(given: str, stage: str, act: Act) -> None:
    voyage = Voyage(until=stage)
    if given == "transfer":
        voyage.transfer("yunling", to="bankcq")
    act(voyage)

    voyage.refuse(voyage.control[0])

    assert voyage.control[0] == ("xlsc" if given == "issue" else "yunling")


def test_what_others_did_in_between_stays_when_a_transfer_is_refused() -> None:
    voyage = Voyage(until="loaded").then(lambda v: v.transfer("yunling", to="bankcq"))
    voyage.note_on_board()

    voyage.refuse("bankcq")

    assert voyage.bill.on_board_on is not None


def _after_receipt(*acts: Act) -> Callable[[], Voyage]:
    return lambda: issued().then(lambda v: v.transfer("yunling", to="bankcq"), *acts)


def _titled(*acts: Act) -> Callable[[], Voyage]:
    return lambda: issued().then(
        lambda v: v.endorse("yunling", to="bankcq", transfer_to="bankcq"), *acts
    )


NOT_REFUSABLE = (
    Refused(
        "a bill is accepted by signing on it",
        errors.NotRefusable,
        _after_receipt(lambda v: v.show_control("bankcq")),
        lambda v: v.refuse("bankcq"),
    ),
    Refused(
        "an issue is accepted by signing on it",
        errors.NotRefusable,
        lambda: issued().then(lambda v: v.show_control("yunling")),
        lambda v: v.refuse("yunling"),
    ),
    Refused(
        "a bill is accepted by endorsing it",
        errors.NotRefusable,
        _titled(lambda v: v.endorse("bankcq", to="straits")),
        lambda v: v.refuse("bankcq"),
    ),
    Refused(
        "a bill that was refused comes back for good",
        errors.NotRefusable,
        _after_receipt(lambda v: v.refuse("bankcq")),
        lambda v: v.refuse("yunling"),
    ),
    Refused(
        "a bill that came back from a rejected surrender cannot be refused",
        errors.NotRefusable,
        _titled(lambda v: v.surrender("bankcq"), lambda v: v.reject_surrender()),
        lambda v: v.refuse("bankcq"),
    ),
    Refused(
        "the giver cannot refuse for the recipient",
        errors.NotHolder,
        _after_receipt(),
        lambda v: v.refuse("yunling"),
    ),
    Refused(
        "a refused issue cannot be refused again",
        errors.TerminalState,
        lambda: issued().then(lambda v: v.refuse("yunling")),
        lambda v: v.refuse("xlsc"),
    ),
)


@pytest.mark.parametrize("row", rows(NOT_REFUSABLE))
def test_not_refusable(row: Refused) -> None:
    row.check()
