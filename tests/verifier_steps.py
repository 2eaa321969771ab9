"""Transactions told from abroad, for traces: nearly all lawful, some by chance not.

A small model keeps who possesses the bill, to whose order it is and whether the carrier is asked.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from bol_service.domain.document import BillKind
from bol_service.domain.events import Action, Step
from bol_service.domain.states import BillState

ABROAD = ("SGPX:banksg", "SGPX:straits", "SGPX:nusantara", "MYPX:trader")
HERE = ("bankcq", "yunling", "straits", "nusantara")
TOLD = (
    Action.TRANSFER,
    Action.ENDORSE,
    Action.ENDORSE_TO_ORDER,
    Action.BLANK_ENDORSE,
    Action.SIGN,
    Action.SURRENDER_FOR_DELIVERY,
    Action.SURRENDER_FOR_AMENDMENT,
    Action.SACC,
    Action.SREJ,
)


@dataclass
class Told:
    """Who has what while a chain is told."""

    possessor: str
    title_holder: str | None
    waits: bool
    surrenderer: str | None


def told(c: random.Random, bill: BillState, most: int) -> tuple[Step, ...]:
    """Up to `most` transactions on this bill: nearly all lawful, ending here rather often."""
    at = Told(
        possessor=bill.control.possessor,
        title_holder=bill.control.title_holder,
        waits=bill.abroad.surrender is not None,
        surrenderer=bill.surrendered_by,
    )
    steps = [_step(c, bill, at, last=number == most - 1) for number in range(most)]
    if c.random() < 0.1 and steps:
        steps.insert(c.randrange(len(steps)), _any_step(c, bill))
    return tuple(steps)


def _step(c: random.Random, bill: BillState, at: Told, *, last: bool) -> Step:
    if at.waits:
        return _carriers(c, bill, at)
    straight = bill.kind is BillKind.STRAIGHT
    entitled = at.title_holder in (None, at.possessor)
    if straight:
        entitled = at.possessor in (bill.shipper, bill.consignee)
    if entitled and c.random() < (0.4 if last else 0.15):
        at.waits, at.surrenderer, at.possessor = True, at.possessor, bill.carrier
        kind = c.choice((*[Action.SURRENDER_FOR_DELIVERY] * 3, Action.SURRENDER_FOR_AMENDMENT))
        return Step(action=kind, actor=at.surrenderer, recipient=bill.carrier, reason="SWTP")
    if entitled and not straight and c.random() < 0.4:
        return _endorsement(c, at)
    if c.random() < 0.1:
        return Step(action=Action.SIGN, actor=at.possessor)
    to = c.choice(HERE if last and c.random() < 0.7 else ABROAD)
    if at.title_holder is not None and c.random() < 0.4:
        to = at.title_holder
    if straight and bill.consignee is not None and c.random() < 0.8:
        to = bill.consignee
    giver, at.possessor = at.possessor, to
    return Step(action=Action.TRANSFER, actor=giver, recipient=to)


def _carriers(c: random.Random, bill: BillState, at: Told) -> Step:
    kind = c.choice((Action.SACC, Action.SREJ, Action.SREJ))
    at.waits = False
    if kind is Action.SREJ and at.surrenderer is not None:
        at.possessor = at.surrenderer
    return Step(action=kind, actor=bill.carrier, recipient=at.surrenderer)


def _endorsement(c: random.Random, at: Told) -> Step:
    kind = c.choice((Action.ENDORSE, Action.ENDORSE_TO_ORDER, Action.ENDORSE_TO_ORDER, None))
    barred = ("operator", "desk", "nobody", "guoyuan")
    to = None if kind is None else c.choice(barred if c.random() < 0.1 else (*ABROAD, *HERE))
    at.title_holder = to
    return Step(action=kind or Action.BLANK_ENDORSE, actor=at.possessor, recipient=to)


def _any_step(c: random.Random, bill: BillState) -> Step:
    anybody = (*ABROAD, *HERE, bill.carrier, bill.shipper, bill.control.possessor)
    return Step(
        action=c.choice(TOLD),
        actor=c.choice(anybody),
        recipient=c.choice((None, *anybody)),
    )
