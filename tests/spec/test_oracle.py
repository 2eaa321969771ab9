"""The law of control against a second telling of it: the same answer to every act in every state.

- Every state of control that acts can lead to is visited, and in each of them every act by each
  party is tried: what one allows the other allows, with the same state after it, or both refuse
  with the same code.
- Long random voyages, seeded, do the same with more parties.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bol_service.domain import errors, title
from bol_service.domain import events as e
from bol_service.domain.document import BillKind
from bol_service.domain.states import BillState
from tests.law import Voyage
from tests.title_model import CARRIER, Model, No, new_bill

FEW = ("yunling", "straits", "bankcq")
MANY = (*FEW, "banksg", "nusantara")
STEPS = 24_000
REACHABLE = {BillKind.STRAIGHT: 12, BillKind.ORDER: 165, BillKind.BLANK: 165}
ENDED = ("SURRENDERED_FOR_DELIVERY", "ISSUE_REFUSED", "VOIDED")


@dataclass(frozen=True)
class Try:
    """One act: as the event that the law judges, and as the model's method with its arguments."""

    kind: type[e.Act]
    who: str
    members: tuple[tuple[str, Any], ...]
    method: str
    arguments: tuple[Any, ...]


def _try(kind: type[e.Act], who: str, method: str, *arguments: Any, **members: Any) -> Try:
    return Try(kind, who, tuple(members.items()), method, (who, *arguments))


def tries(parties: tuple[str, ...]) -> Iterator[Try]:
    for who in (*parties, CARRIER):
        for to in (*parties, CARRIER):
            yield _try(e.Transfer, who, "transfer", to, recipient=to)
        yield from _endorsements(who, parties)
        yield _try(e.Refuse, who, "refuse", reason="r")
        yield _try(e.Sign, who, "sign")
        yield _try(e.SurrenderForDelivery, who, "surrender", "DELIVERY")
        yield _try(e.SurrenderForAmendment, who, "surrender", "AMENDMENT", reason="COD")
        yield _try(e.AcceptSurrender, who, "answer", True)
        yield _try(e.RejectSurrender, who, "answer", False, reason="r")
        yield _try(e.Void, who, "void", reason="r")


def _endorsements(who: str, parties: tuple[str, ...]) -> Iterator[Try]:
    for then_to in (None, *parties, CARRIER):
        also = {} if then_to is None else {"transfer_to": then_to}
        for to in (*parties, CARRIER):
            for kind, last in ((e.Endorse, True), (e.EndorseToOrder, False)):
                yield _try(kind, who, "endorse", to, last, then_to, recipient=to, **also)
        yield _try(e.BlankEndorse, who, "endorse", None, False, then_to, **also)


class Pair:
    """One bill in the world and in the model."""

    def __init__(self, kind: BillKind, issue_to: str) -> None:
        self.voyage = Voyage(kind, until="received")
        self.voyage.issue(issue_to=issue_to)
        self.model = new_bill(kind.value, issue_to)
        self.bill, self.stream = self.voyage.bill, self.voyage.stream

    def both(self, attempt: Try, bill: BillState, model: Model) -> tuple[BillState, Model] | None:
        """What both say to the act in this state; None if both refuse."""
        act = self.voyage.signed(attempt.kind, attempt.who, self.stream, **dict(attempt.members))
        said, after = _law(self.voyage, bill, act)
        modelled, model_after = _telling(attempt, model)
        assert said == modelled, (attempt, model)
        if after is None or model_after is None:
            return None
        assert seen(after) == told(model_after), (attempt, model)
        return after, model_after


def _law(voyage: Voyage, bill: BillState, act: e.Recorded) -> tuple[str, BillState | None]:
    head = voyage.world.head(voyage.stream)
    assert head is not None
    voyage.world.put(voyage.stream, bill, head)
    try:
        after = title.apply(voyage.world, act, act.event)  # type: ignore[arg-type]
    except errors.Refusal as refusal:
        return refusal.code, None
    return "accepted", after


def _telling(attempt: Try, model: Model) -> tuple[str, Model | None]:
    try:
        return "accepted", getattr(model, attempt.method)(*attempt.arguments)
    except No as no:
        return str(no), None


def seen(bill: BillState) -> tuple[object, ...]:
    giving = bill.giving
    back: object = None
    if giving is not None:
        before = giving.before
        back = "ISSUE" if giving.is_issue else (before.possessor, before.title_holder, before.final)
    control = bill.control
    return (
        bill.status.value,
        control.possessor,
        control.title_holder,
        control.final,
        back,
        bill.surrendered_by,
    )


def told(model: Model) -> tuple[object, ...]:
    return (
        model.phase,
        model.holder,
        model.order_of,
        model.closed_to_endorsement,
        model.came_from,
        model.surrenderer,
    )


@pytest.mark.parametrize("kind", list(BillKind))
def test_every_act_in_every_state_that_can_be_reached(kind: BillKind) -> None:
    pair = Pair(kind, "yunling")
    attempts = list(tries(FEW))
    waiting = deque([(pair.bill, pair.model)])
    visited = {told(pair.model)}
    while waiting:
        bill, model = waiting.popleft()
        for attempt in attempts:
            after = pair.both(attempt, bill, model)
            if after is not None and told(after[1]) not in visited:
                visited.add(told(after[1]))
                waiting.append(after)
    assert len(visited) >= REACHABLE[kind]


@pytest.mark.parametrize("kind", list(BillKind))
def test_long_random_voyages(kind: BillKind) -> None:
    dice = random.Random(f"{kind} 20270305")
    by_hand = defaultdict(list)
    for attempt in tries(MANY):
        by_hand[attempt.who, attempt.method].append(attempt)
    methods = sorted({method for _, method in by_hand})
    pairs = [Pair(kind, issue_to) for issue_to in ("yunling", "straits")]
    accepted, steps = 0, 0
    while steps < STEPS // len(BillKind):
        pair = dice.choice(pairs)
        bill, model = pair.bill, pair.model
        for _ in range(dice.randrange(20, 200)):
            # Mostly who can act does: strangers alone would never get anywhere.
            able = model.holder if model.phase == "ISSUED" else CARRIER
            who = able if dice.random() < 0.8 else dice.choice((*MANY, CARRIER))
            after = pair.both(dice.choice(by_hand[who, dice.choice(methods)]), bill, model)
            steps += 1
            if after is not None:
                bill, model = after
                accepted += 1
            if model.phase in ENDED and dice.random() < 0.3:
                break
    assert accepted > steps // 20, "the voyages must get somewhere"
