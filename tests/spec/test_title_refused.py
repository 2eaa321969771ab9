"""What the law of control refuses: on ended and waiting bills, to whom, by whom."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from bol_service.domain import errors
from bol_service.domain.document import BillKind
from tests.law import Refused, Voyage, issued, pending, rows, with_bank
from tests.law_scene import RULEBOOK, digest

STRAIGHT, ORDER, BLANK = BillKind.STRAIGHT, BillKind.ORDER, BillKind.BLANK
Act = Callable[[Voyage], object]


CONTROL_ACTS: tuple[tuple[str, Act], ...] = (
    ("transfer", lambda v: v.transfer("yunling", to="bankcq")),
    ("refuse", lambda v: v.refuse("yunling")),
    ("endorse in full", lambda v: v.endorse_finally("yunling", to="banksg")),
    ("endorse to order", lambda v: v.endorse("yunling", to="banksg")),
    ("endorse in blank", lambda v: v.endorse_in_blank("yunling")),
    ("sign", lambda v: v.show_control("yunling")),
    ("surrender for delivery", lambda v: v.surrender("yunling")),
    ("surrender for amendment", lambda v: v.surrender_for_amendment("yunling")),
)
ENDS: tuple[tuple[str, Callable[[], Voyage]], ...] = (
    ("the surrender was accepted", lambda: Voyage(until="accepted")),
    ("all containers have left", lambda: Voyage(until="gone")),
    ("the issue was refused", lambda: issued().then(lambda v: v.refuse("yunling"))),
    ("it is void", lambda: issued().then(lambda v: v.refuse("yunling"), lambda v: v.void())),
)
PENDINGS: tuple[tuple[str, Callable[[], Voyage]], ...] = (
    ("delivery", pending),
    ("amendment", lambda: issued().then(lambda v: v.surrender_for_amendment("yunling"))),
)
ENDED = tuple(
    Refused(f"nobody can {name} once {end}", errors.TerminalState, begin, act)
    for (name, act), (end, begin) in product(CONTROL_ACTS, ENDS)
)
WAITING = tuple(
    Refused(
        f"nobody can {name} while a surrender for {purpose} waits",
        errors.PendingSurrender,
        begin,
        act,
    )
    for (name, act), (purpose, begin) in product(CONTROL_ACTS, PENDINGS)
)
DISPOSSESSED = tuple(
    Refused(f"who gave the bill away cannot {name}", errors.NotHolder, with_bank, act, "/actor")
    for name, act in CONTROL_ACTS
)

RECIPIENTS = (
    Refused(
        "the possessor cannot transfer to itself",
        errors.BadRecipient,
        issued,
        lambda v: v.transfer("yunling", to="yunling"),
        "/recipient",
    ),
    Refused(
        "the possessor cannot endorse and transfer to itself",
        errors.BadRecipient,
        issued,
        lambda v: v.endorse("yunling", to="banksg", transfer_to="yunling"),
        "/details/transferTo",
    ),
    Refused(
        "to the carrier a bill is surrendered, not transferred",
        errors.BadRecipient,
        issued,
        lambda v: v.transfer("yunling", to="xlsc"),
        "/recipient",
    ),
    Refused(
        "the operator holds no bill",
        errors.BadRecipient,
        issued,
        lambda v: v.transfer("yunling", to="operator"),
    ),
    Refused(
        "no bill is endorsed to the carrier",
        errors.BadRecipient,
        issued,
        lambda v: v.endorse("yunling", to="xlsc"),
        "/recipient",
    ),
    Refused(
        "no bill is endorsed in full to the operator",
        errors.BadRecipient,
        issued,
        lambda v: v.endorse_finally("yunling", to="operator"),
    ),
    Refused(
        "no bill is endorsed and transferred to the carrier",
        errors.BadRecipient,
        issued,
        lambda v: v.endorse_in_blank("yunling", transfer_to="xlsc"),
        "/details/transferTo",
    ),
    Refused(
        "an unknown party receives nothing",
        errors.RecipientUnavailable,
        issued,
        lambda v: v.transfer("yunling", to="nobody"),
    ),
    Refused(
        "a suspended party receives nothing",
        errors.RecipientUnavailable,
        lambda: issued().then(lambda v: v.suspend("bankcq")),
        lambda v: v.transfer("yunling", to="bankcq"),
    ),
    Refused(
        "an unknown party is no endorsee",
        errors.RecipientUnavailable,
        issued,
        lambda v: v.endorse("yunling", to="nobody"),
    ),
    Refused(
        "who has not accepted this rulebook receives nothing",
        errors.ConsentMissing,
        lambda: _under_other_rulebook("yunling", "xlsc"),
        lambda v: v.transfer("yunling", to="bankcq"),
    ),
    Refused(
        "who has not accepted this rulebook is no endorsee",
        errors.ConsentMissing,
        lambda: _under_other_rulebook("yunling", "xlsc", "bankcq"),
        lambda v: v.endorse("yunling", to="banksg", transfer_to="bankcq"),
    ),
)


def _under_other_rulebook(*accepting: str) -> Voyage:
    voyage, other = Voyage(until="received"), digest("rulebook 2")
    assert other != RULEBOOK
    for slug in accepting:
        voyage.accept_rulebook(slug, other)
    voyage.issue(rulebook=other)
    return voyage


STRAIGHT_BILL = (
    Refused(
        "a straight bill goes to no third party",
        errors.WrongBillType,
        lambda: issued(STRAIGHT),
        lambda v: v.transfer("yunling", to="bankcq"),
        "/recipient",
    ),
    Refused(
        "the consignee of a straight bill passes it to nobody",
        errors.WrongBillType,
        lambda: issued(STRAIGHT).then(lambda v: v.transfer("yunling", to="straits")),
        lambda v: v.transfer("straits", to="nusantara"),
    ),
    Refused(
        "the consignee of a straight bill does not pass it back",
        errors.WrongBillType,
        lambda: issued(STRAIGHT).then(lambda v: v.transfer("yunling", to="straits")),
        lambda v: v.transfer("straits", to="yunling"),
    ),
    Refused(
        "a third party in possession of a straight bill passes it to nobody",
        errors.WrongBillType,
        lambda: issued(STRAIGHT).then(lambda v: v.holding("bankcq", "straits")),
        lambda v: v.transfer("bankcq", to="straits"),
    ),
)

ANSWERS = (
    Refused(
        "only the carrier accepts a surrender",
        errors.NotCarrier,
        pending,
        lambda v: v.accept_surrender("yunling"),
        "/actor",
    ),
    Refused(
        "only the carrier rejects a surrender",
        errors.NotCarrier,
        pending,
        lambda v: v.reject_surrender("yunling"),
        "/actor",
    ),
    Refused(
        "what nobody surrendered cannot be accepted",
        errors.NotPending,
        issued,
        lambda v: v.accept_surrender(),
    ),
    Refused(
        "what nobody surrendered cannot be rejected",
        errors.NotPending,
        issued,
        lambda v: v.reject_surrender(),
    ),
    Refused(
        "an accepted surrender cannot be rejected any more",
        errors.TerminalState,
        lambda: Voyage(until="accepted"),
        lambda v: v.reject_surrender(),
    ),
    Refused(
        "a surrender is accepted once",
        errors.TerminalState,
        lambda: Voyage(until="accepted"),
        lambda v: v.accept_surrender(),
    ),
    Refused(
        "amendment is not built, so its surrender can only be rejected",
        errors.NotSupported,
        lambda: issued().then(lambda v: v.surrender_for_amendment("yunling")),
        lambda v: v.accept_surrender(),
    ),
    Refused(
        "that amendment is not built is told to the carrier only",
        errors.NotCarrier,
        lambda: issued().then(lambda v: v.surrender_for_amendment("yunling")),
        lambda v: v.accept_surrender("yunling"),
    ),
    Refused(
        "a live bill cannot be voided",
        errors.NotPending,
        issued,
        lambda v: v.void(),
    ),
    Refused(
        "a bill cannot be voided while its surrender waits",
        errors.PendingSurrender,
        pending,
        lambda v: v.void(),
    ),
    Refused(
        "a surrendered bill cannot be voided",
        errors.TerminalState,
        lambda: Voyage(until="accepted"),
        lambda v: v.void(),
    ),
    Refused(
        "only the carrier voids a refused bill",
        errors.NotCarrier,
        lambda: issued().then(lambda v: v.refuse("yunling")),
        lambda v: v.void("yunling"),
    ),
    Refused(
        "a bill is voided once",
        errors.TerminalState,
        lambda: issued().then(lambda v: v.refuse("yunling"), lambda v: v.void()),
        lambda v: v.void(),
    ),
    Refused(
        "delivery is not confirmed before the last container has left",
        errors.NoSurrender,
        lambda: Voyage(until="cleared").then(lambda v: v.gate_out()),
        lambda v: v.confirm_delivery(),
    ),
    Refused(
        "only the carrier confirms delivery",
        errors.NotCarrier,
        lambda: Voyage(until="gone"),
        lambda v: v.confirm_delivery("yunling"),
    ),
    Refused(
        "delivery is confirmed once",
        errors.TerminalState,
        lambda: Voyage(until="gone").then(lambda v: v.confirm_delivery()),
        lambda v: v.confirm_delivery(),
    ),
)


@pytest.mark.parametrize(
    "row",
    rows(
        (
            *ENDED,
            *WAITING,
            *DISPOSSESSED,
            *RECIPIENTS,
            *STRAIGHT_BILL,
            *ANSWERS,
        )
    ),
)
def test_refused(row: Refused) -> None:
    row.check()
