"""Who has to learn what of an act: rows of the outbox, written in the act's own transaction.

Recipients learn that a bill came to them, carriers that they are asked, holders and customs that a
seal is not the one that was set, carrier and holder that somebody tried to take the cargo without
the bill, and a party that a key now speaks for it, or no more. A notice tells the reader where to
look, never what it may not see.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, assert_never

from bol_service.application.ports import Notice
from bol_service.domain import errors
from bol_service.domain.events import (
    AcceptSurrender,
    Act,
    AddKey,
    Appoint,
    ApproveDraft,
    BillAct,
    BillEvent,
    BlankEndorse,
    Booking,
    CancelDeliveryOrder,
    ConfirmDelivery,
    Discharged,
    DraftAct,
    DraftEvent,
    Endorse,
    EndorseToOrder,
    Event,
    ExchangeAct,
    ExchangeEvent,
    GateOut,
    GrantMandate,
    Imported,
    Issue,
    Moved,
    NotMoved,
    OnBoardNotation,
    OrderDelivery,
    PublishDraft,
    Refuse,
    RejectSurrender,
    RequestChange,
    Returned,
    RevokeKey,
    RevokeMandate,
    RotateKey,
    Sent,
    Sign,
    SubmitInstructions,
    SurrenderForAmendment,
    SurrenderForDelivery,
    Transfer,
    Void,
)
from bol_service.domain.identifiers import is_foreign
from bol_service.domain.states import BillState, CustodyState, DraftState, State
from bol_service.domain.world import World

EXCHANGE: Final = "~exchange"
"""No party: what has to go to another platform waits under this name."""

ALARMS = (
    errors.NoSurrender,
    errors.NoDeliveryOrder,
    errors.OrderExpired,
    errors.OrderReplay,
    errors.WrongCode,
    errors.WrongPickUp,
)


def after(world: World, event: Event, before: State | None, state: State) -> list[Notice]:
    """The notices of an accepted event; `world` already holds its effect."""
    if isinstance(state, BillState):
        assert isinstance(event, BillAct | ExchangeAct)
        return [*_about_bill(world, event, state), *_to_send(event, before, state)]
    if isinstance(state, DraftState):
        assert isinstance(event, DraftAct)
        return _about_draft(event, state)
    if isinstance(state, CustodyState):
        return _about_custody(world, event, before, state)
    if isinstance(event, GrantMandate | RevokeMandate):
        return _to([event.recipient], str(event.action), event)
    if isinstance(event, AddKey | RotateKey | RevokeKey):
        return [_about_key(event)]
    return []


def alarm(world: World, event: Event, refusal: errors.Refusal) -> list[Notice]:
    """The alarm of an attempt to release cargo without right; nothing for other refusals."""
    if not isinstance(event, GateOut) or not isinstance(refusal, ALARMS):
        return []
    bill = world.bill(event.bill)
    draft = world.draft(event.stream.split(":")[1])
    named = [draft.carrier if draft else None, bill.control.possessor if bill else None]
    facts = {
        "code": refusal.code,
        "terminal": event.actor,
        "container": event.stream.rpartition(":")[2],
        "collectedBy": event.collected_by.name,
    }
    return [
        Notice(party=slug, kind="RELEASE_ALARM", stream=event.stream, facts=facts)
        for slug in dict.fromkeys(named)
        if slug is not None
    ]


def _about_key(event: AddKey | RotateKey | RevokeKey) -> Notice:
    """To the party itself: one of its keys may be a thief's, who would tell nobody else."""
    kid = event.kid if isinstance(event, RevokeKey) else event.key.kid
    facts = {"by": event.actor, "kid": kid}
    return Notice(party=event.actor, kind=str(event.action), stream=event.stream, facts=facts)


def _to(parties: Iterable[str | None], kind: str, event: Act, **facts: object) -> list[Notice]:
    """One notice each; nobody is told of its own act."""
    return [
        Notice(party=slug, kind=kind, stream=event.stream, facts={"by": event.actor, **facts})
        for slug in dict.fromkeys(parties)
        if slug is not None and slug != event.actor and not is_foreign(slug)
    ]


def _to_send(event: Act, before: State | None, state: BillState) -> list[Notice]:
    """An act that has to reach another platform is work for the exchange desk."""
    transit = state.transit
    if transit is None or (isinstance(before, BillState) and before.transit is not None):
        return []
    facts = {"platform": transit.platform, "since": transit.since}
    return [Notice(party=EXCHANGE, kind="TO_SEND", stream=event.stream, facts=facts)]


def _about_bill(world: World, event: BillEvent | ExchangeEvent, state: BillState) -> list[Notice]:
    number = {"reference": state.reference}
    control = state.control
    match event:
        case Issue():
            return _to([control.possessor, state.shipper, *state.notify], "ISSUED", event, **number)
        case Transfer() | Endorse() | EndorseToOrder() | BlankEndorse():
            told: list[str | None] = [control.possessor, control.title_holder]
            return _to(told, str(event.action), event, **number)
        case Refuse():
            return _to([control.possessor, state.carrier], "REFUSED", event, **number)
        case SurrenderForDelivery() | SurrenderForAmendment():
            return _to([state.carrier], str(event.action), event, **number)
        case AcceptSurrender():
            draft = world.draft(state.shipment)
            terminal = draft.custodians.discharge if draft else None
            return _to([state.surrendered_by, terminal], "SURRENDER_ACCEPTED", event, **number)
        case RejectSurrender():
            told = [control.possessor]
            return _to(told, "SURRENDER_REJECTED", event, reason=event.reason, **number)
        case OrderDelivery():
            told = [event.terminal, state.surrendered_by]
            return _to(told, "DELIVERY_ORDER", event, **number)
        case OnBoardNotation():
            told = [control.possessor, control.title_holder, state.shipper]
            return _to(told, "ON_BOARD", event, **number)
        case Moved() | NotMoved():
            told = [state.surrendered_by, *_former_possessors(state)]
            return _to(told, str(event.action), event, platform=event.platform, **number)
        case Imported() | Returned():
            told = [control.possessor, control.title_holder, state.surrendered_by]
            kind = state.status if control.possessor == state.carrier else event.action
            return _to(told, str(kind), event, platform=event.platform, **number)
        case Sign() | CancelDeliveryOrder() | ConfirmDelivery() | Void() | Sent():
            return []
        case _:
            assert_never(event)


def _former_possessors(state: BillState) -> list[str | None]:
    """Who has it still, or had it until this act."""
    gone = [(tenure.last, tenure.party) for tenure in state.tenures if tenure.last is not None]
    return [state.control.possessor, *(party for _, party in sorted(gone)[-1:])]


def _about_draft(event: DraftEvent, state: DraftState) -> list[Notice]:
    shipper_side = [state.shipper, state.forwarder]
    match event:
        case PublishDraft():
            return _to(shipper_side, "DRAFT_READY", event, version=event.version)
        case SubmitInstructions() | RequestChange() | ApproveDraft():
            return _to([state.carrier], str(event.action), event)
        case Booking() | Appoint():
            return []
        case _:
            assert_never(event)


def _about_custody(
    world: World, event: Event, before: State | None, state: CustodyState
) -> list[Notice]:
    draft = world.draft(state.shipment)
    if draft is None:
        return []
    bills = [
        bill
        for bill in world.states.values()
        if isinstance(bill, BillState) and bill.shipment == state.shipment
    ]
    holders = [bill.control.possessor for bill in bills]
    box = {"container": state.container}
    notices: list[Notice] = []
    seen = len(before.exceptions) if isinstance(before, CustodyState) else 0
    for exception in state.exceptions[seen:]:
        notices += _to(
            [draft.carrier, *holders, *draft.customs],
            "SEAL_EXCEPTION",
            event,
            expected=list(exception.expected),
            found=list(exception.found),
            **box,
        )
    if isinstance(event, Discharged):
        notify = [slug for bill in bills for slug in bill.notify]
        notices += _to([draft.carrier, *holders, *notify], "ARRIVED", event, **box)
    if isinstance(event, GateOut):
        surrendered = [bill.surrendered_by for bill in bills]
        notices += _to([draft.carrier, *surrendered], "GATE_OUT", event, **box)
    return notices
