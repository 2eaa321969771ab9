"""The law of the bill: who possesses it, to whose order it is, and how it ends.

Possession and title are two things. Endorsing changes the title and moves nothing; transferring
moves possession and endorses nothing; delivery needs both to line up.

1. Only the possessor acts on a live bill. There is exactly one, at every moment (MLETR art. 11).
2. Who receives has accepted the rulebook; carrier, operator and exchange desk never receive.
   TRANSFER moves possession at once. Straight bill: from the shipper to the consignee only.
   It may be a presentation under a letter of credit. That belongs to this giving: the next one, or
   a surrender, ends it, and a refusal brings back the one before.
3. ENDORSE, ENDORSE_TO_ORDER, BLANK_ENDORSE: by a possessor to whose order the bill is, or who holds
   it in blank; never on a straight bill, never after a final endorsement (LR-30, LR-31). With
   `transfer_to` endorsing and transferring are one act.
4. REFUSE: whoever received the bill may refuse it as long as it has signed nothing on it.
   Everything is then as before the act that gave it; what others did in between stays. A refused
   ISSUE goes back to the carrier, which can only VOID it. Returns (REFUSE, SREJ) cannot be refused.
5. ON_BOARD_NOTATION: by the carrier, once, with the vessel, voyage, port and latest date that the
   terminals' load events prove (LR-33). The document stays as it is.
6. SURRENDER_FOR_*: by a possessor that is entitled: straight: shipper or consignee; otherwise the
   title holder, or any possessor in blank. Possession rests with the carrier until it answers:
   SACC ends control for ever, SREJ gives the bill back.
7. After SACC for delivery the carrier signs delivery orders and cancels them; `release` holds the
   gate. ACCOMPLISHED is not an act: it is so when every container has left the gate.
8. What goes to a party of another platform (`CODE:slug`) waits IN_TRANSIT: possession and title
   stay where they are and nobody acts, until `exchange` records that platform's signed answer.
   The presentation under which the sender received the bill stays too.

Order of judgement: state of the document, then the actor, then the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from bol_service.domain import errors, issue
from bol_service.domain.document import BillKind
from bol_service.domain.events import (
    AcceptSurrender,
    Action,
    BillEvent,
    BlankEndorse,
    CancelDeliveryOrder,
    ConfirmDelivery,
    Endorse,
    EndorseToOrder,
    Issue,
    LaterBillEvent,
    OnBoardNotation,
    OrderDelivery,
    Recorded,
    Refuse,
    RejectSurrender,
    Sign,
    SurrenderForAmendment,
    SurrenderForDelivery,
    Transfer,
    Void,
)
from bol_service.domain.identifiers import is_foreign, platform_of
from bol_service.domain.states import (
    OPERATOR,
    BillState,
    Control,
    CustodyState,
    DeliveryOrder,
    Giving,
    Place,
    Reader,
    Status,
    Tenure,
    Transit,
)
from bol_service.domain.values import made, replaced

PENDING = (Status.PENDING_SURRENDER_FOR_DELIVERY, Status.PENDING_SURRENDER_FOR_AMENDMENT)


def apply(world: Reader, act: Recorded, event: BillEvent) -> BillState:
    """The bill's state after `event`.

    Raises:
        errors.Refusal: The law does not allow it.
    """
    if isinstance(event, Issue):
        return issue.issued(world, act, event)
    state = world.bill(event.stream.removeprefix("bill:"))
    if state is None:
        raise errors.NotFound(f"{event.stream} is unknown")
    require(world, state, event.action, event.actor)
    after = _evolve(world, state, act, event)
    if event.actor == state.control.possessor and after.giving is state.giving:
        after = replaced(after, giving=None)  # whoever signs on a bill has accepted it
    return with_tenures(state, after, event.sequence)


def status(world: Reader, state: BillState) -> Status:
    """The live status; ACCOMPLISHED once every container has left the gate."""
    left = [box for box in _boxes(world, state) if box.place is Place.GATE_OUT]
    surrendered = state.status is Status.SURRENDERED_FOR_DELIVERY and state.home is None
    if surrendered and len(left) == len(state.containers):
        return Status.ACCOMPLISHED
    return state.status


def allowed_actions(world: Reader, state: BillState, party: str) -> tuple[Action, ...]:
    """What `party` may sign on this bill now; an action not listed would be refused."""
    signer = world.party(party)
    if signer is None or signer.suspended:
        return ()
    return tuple(action for action in GUARDS if _is_allowed(world, state, action, party))


def _is_allowed(world: Reader, state: BillState, action: Action, party: str) -> bool:
    try:
        require(world, state, action, party)
    except errors.Refusal:
        return False
    return True


# -- guards: what can be said of an action before its details are known --------------------------


def require(world: Reader, state: BillState, action: Action, actor: str) -> None:
    """Refuse `action` by `actor` in this state, whatever its details."""
    GUARDS[action](world, state, actor)


def _require_here(state: BillState) -> None:
    """The original is on this platform and not on its way to another one."""
    if state.status is Status.IN_TRANSIT:
        assert state.transit is not None
        raise errors.InTransit(
            f"bill {state.reference} waits for the signed answer of {state.transit.platform}"
        )
    if state.status is Status.MOVED:
        raise errors.MovedAway(
            f"the original of bill {state.reference} is on {platform_of(state.control.possessor)}"
        )


def _require_control(_world: Reader, state: BillState, actor: str) -> None:
    _require_here(state)
    if state.status in PENDING:
        raise errors.PendingSurrender(f"bill {state.reference} is {state.status}")
    if state.status is not Status.ISSUED:
        raise errors.TerminalState(f"bill {state.reference} is {state.status}")
    if actor != state.control.possessor:
        raise errors.NotHolder(f"{actor} does not possess bill {state.reference}", pointer="/actor")


def _require_transfer(world: Reader, state: BillState, actor: str) -> None:
    _require_control(world, state, actor)
    if state.kind is BillKind.STRAIGHT and (actor != state.shipper or actor == state.consignee):
        raise errors.WrongBillType(
            f"a straight bill passes from shipper {state.shipper} to consignee {state.consignee} "
            f"only, not from {actor}"
        )


def _require_refusal(world: Reader, state: BillState, actor: str) -> None:
    _require_control(world, state, actor)
    if state.giving is None:
        raise errors.NotRefusable(
            f"{actor} has signed on bill {state.reference} since it received it, or got it back"
        )


def _require_endorsement(world: Reader, state: BillState, actor: str) -> None:
    _require_control(world, state, actor)
    if state.kind is BillKind.STRAIGHT:
        raise errors.WrongBillType(f"bill {state.reference} is straight and cannot be endorsed")
    _require_title(state, actor)
    if state.control.final:
        raise errors.FinalEndorsement(f"{actor} received a final endorsement")


def _require_title(state: BillState, actor: str) -> None:
    title_holder = state.control.title_holder
    if title_holder not in (None, actor):
        raise errors.NotTitleHolder(
            f"bill {state.reference} is to the order of {title_holder}, not of {actor}",
            pointer="/actor",
        )


def _require_surrender(world: Reader, state: BillState, actor: str) -> None:
    _require_control(world, state, actor)
    if state.kind is not BillKind.STRAIGHT:
        _require_title(state, actor)
    elif actor not in (state.shipper, state.consignee):
        raise errors.NotTitleHolder(
            f"a straight bill is surrendered by {state.shipper} or {state.consignee}, not {actor}"
        )


def _require_carrier(state: BillState, actor: str) -> None:
    if actor != state.carrier:
        raise errors.NotCarrier(
            f"{actor} is not the carrier of bill {state.reference}, {state.carrier} is",
            pointer="/actor",
        )


def _require_notation(world: Reader, state: BillState, actor: str) -> None:
    if state.status in PENDING:
        raise errors.PendingSurrender(f"bill {state.reference} is {state.status}")
    if state.status not in (Status.ISSUED, Status.IN_TRANSIT, Status.MOVED):
        raise errors.TerminalState(f"bill {state.reference} is {state.status}")
    _require_carrier(state, actor)
    if state.on_board_on is not None:
        raise errors.AlreadyOnBoard(
            f"bill {state.reference} shows on board since {state.on_board_on}"
        )
    if issue.latest_loading(_boxes(world, state)) is None:
        raise errors.NotLoaded(
            f"not every container of bill {state.reference} is loaded on one vessel"
        )


def _require_answer(_world: Reader, state: BillState, actor: str) -> None:
    _require_here(state)
    if state.status not in (*PENDING, Status.ISSUED):
        raise errors.TerminalState(f"bill {state.reference} is {state.status}")
    if state.status not in PENDING:
        raise errors.NotPending(f"bill {state.reference} is {state.status}")
    _require_carrier(state, actor)


def _require_acceptance(world: Reader, state: BillState, actor: str) -> None:
    _require_answer(world, state, actor)
    if state.status is Status.PENDING_SURRENDER_FOR_AMENDMENT:
        raise errors.NotSupported("amendment after surrender is not built; reject the request")


def _require_delivery(world: Reader, state: BillState, actor: str) -> None:
    if status(world, state) in (Status.ACCOMPLISHED, Status.VOIDED, Status.ISSUE_REFUSED):
        raise errors.TerminalState(f"bill {state.reference} is {status(world, state)}")
    if state.status is not Status.SURRENDERED_FOR_DELIVERY:
        raise errors.NoSurrender(f"bill {state.reference} is {state.status}")
    _require_carrier(state, actor)


def _require_cancellation(world: Reader, state: BillState, actor: str) -> None:
    _require_delivery(world, state, actor)
    if all(order.cancelled for order in state.orders):
        raise errors.NoDeliveryOrder(f"bill {state.reference} has no order that could be cancelled")


def _require_confirmation(world: Reader, state: BillState, actor: str) -> None:
    now = status(world, state)
    if now is not Status.ACCOMPLISHED:
        raise errors.NoSurrender(f"bill {state.reference} is {now}, not ACCOMPLISHED")
    _require_carrier(state, actor)
    if state.delivery_confirmed:
        raise errors.TerminalState(f"delivery of bill {state.reference} was confirmed already")


def _require_void(_world: Reader, state: BillState, actor: str) -> None:
    _require_here(state)
    if state.status is not Status.ISSUE_REFUSED:
        message = f"bill {state.reference} is {state.status}, only a refused one is voided"
        if state.status in PENDING:
            raise errors.PendingSurrender(message)
        if state.status is Status.ISSUED:
            raise errors.NotPending(message)
        raise errors.TerminalState(message)
    _require_carrier(state, actor)


GUARDS: dict[Action, Callable[[Reader, BillState, str], None]] = {
    Action.TRANSFER: _require_transfer,
    Action.REFUSE: _require_refusal,
    Action.ENDORSE: _require_endorsement,
    Action.ENDORSE_TO_ORDER: _require_endorsement,
    Action.BLANK_ENDORSE: _require_endorsement,
    Action.SIGN: _require_control,
    Action.ON_BOARD_NOTATION: _require_notation,
    Action.SURRENDER_FOR_DELIVERY: _require_surrender,
    Action.SURRENDER_FOR_AMENDMENT: _require_surrender,
    Action.SACC: _require_acceptance,
    Action.SREJ: _require_answer,
    Action.DELIVERY_ORDER: _require_delivery,
    Action.CANCEL_DELIVERY_ORDER: _require_cancellation,
    Action.CONFIRM_DELIVERY: _require_confirmation,
    Action.VOID: _require_void,
}


# -- what each act does --------------------------------------------------------------------------


def _evolve(world: Reader, state: BillState, act: Recorded, event: LaterBillEvent) -> BillState:
    match event:
        case Transfer():
            return _transferred(world, state, event)
        case Refuse():
            return _refused(state)
        case Endorse():
            return _endorsed(world, state, event, event.recipient, final=True)
        case EndorseToOrder():
            return _endorsed(world, state, event, event.recipient, final=False)
        case BlankEndorse():
            return _endorsed(world, state, event, None, final=False)
        case Sign():
            return state
        case OnBoardNotation():
            return _noted(world, state, event)
        case SurrenderForDelivery():
            return _surrendered(state, event, Status.PENDING_SURRENDER_FOR_DELIVERY)
        case SurrenderForAmendment():
            return _surrendered(state, event, Status.PENDING_SURRENDER_FOR_AMENDMENT)
        case AcceptSurrender():
            return _accepted(state, event)
        case RejectSurrender():
            return _given_back(state, event)
        case OrderDelivery():
            return _ordered(world, state, act, event)
        case CancelDeliveryOrder():
            return _cancelled(state, event)
        case ConfirmDelivery():
            return replaced(state, delivery_confirmed=True)
        case Void():
            return replaced(state, status=Status.VOIDED)
        case _:
            assert_never(event)


def _transferred(world: Reader, state: BillState, event: Transfer) -> BillState:
    given = _given(world, state, event, event.recipient, state.control, "/recipient")
    if given.transit is not None:
        transit = replaced(given.transit, presentation=event.presentation)
        return replaced(given, transit=transit)
    if event.presentation is None:
        return given
    return replaced(given, presentation=event.presentation)


def _given(
    world: Reader,
    state: BillState,
    event: Transfer | Endorse | EndorseToOrder | BlankEndorse,
    recipient: str,
    control: Control,
    pointer: str,
) -> BillState:
    """Possession goes to `recipient`, with the title that `control` says."""
    if recipient == state.control.possessor:
        raise errors.BadRecipient(f"{recipient} possesses the bill already", pointer=pointer)
    if state.kind is BillKind.STRAIGHT and recipient != state.consignee:
        raise errors.WrongBillType(
            f"a straight bill passes to its consignee {state.consignee} only, not to {recipient}",
            pointer=pointer,
        )
    _require_recipient(world, state, recipient, pointer)
    if is_foreign(recipient):
        return _departing(state, event, recipient, replaced(control, possessor=recipient))
    return replaced(
        state,
        control=replaced(control, possessor=recipient),
        giving=made(Giving, before=state.control, presentation=state.presentation, is_issue=False),
        presentation=None,
    )


def _require_recipient(world: Reader, state: BillState, recipient: str, pointer: str) -> None:
    if recipient in (state.carrier, OPERATOR):
        raise errors.BadRecipient(
            f"{recipient} cannot hold bill {state.reference}", pointer=pointer
        )
    if is_foreign(recipient):
        return  # whether it can receive, its own platform says in its signed answer
    issue.require_consent(world.party(recipient), recipient, state.rulebook)


def _departing(
    state: BillState,
    event: BillEvent,
    recipient: str,
    after: Control | None,
    surrender: Status | None = None,
) -> BillState:
    """On the way to `recipient` abroad: nothing has changed hands, and nobody acts; a mere notice
    (`after` is None) locks nothing."""
    transit = Transit(
        platform=platform_of(recipient),
        recipient=recipient,
        since=event.sequence,
        after=after,
        otherwise=state.status,
        surrender=surrender,
    )
    status = state.status if after is None else Status.IN_TRANSIT
    return replaced(state, status=status, transit=transit)


def _endorsed(
    world: Reader,
    state: BillState,
    event: Endorse | EndorseToOrder | BlankEndorse,
    endorsee: str | None,
    *,
    final: bool,
) -> BillState:
    if endorsee is not None:
        _require_recipient(world, state, endorsee, "/recipient")
    control = replaced(state.control, title_holder=endorsee, final=final)
    if event.transfer_to is None:
        return replaced(state, control=control)
    return _given(world, state, event, event.transfer_to, control, "/details/transferTo")


def _refused(state: BillState) -> BillState:
    giving = state.giving
    assert giving is not None  # _require_refusal
    if giving.is_issue:
        back = Control(possessor=state.carrier, title_holder=state.carrier)
        return replaced(state, status=Status.ISSUE_REFUSED, control=back, giving=None)
    return replaced(state, control=giving.before, giving=None, presentation=giving.presentation)


def _noted(world: Reader, state: BillState, event: OnBoardNotation) -> BillState:
    proven = issue.latest_loading(_boxes(world, state))
    assert proven is not None  # _require_notation
    if (event.vessel, event.voyage) != (proven.vessel, proven.voyage):
        raise errors.NotLoaded(
            f"the notation names {event.vessel} {event.voyage}, the containers are on "
            f"{proven.vessel} {proven.voyage}",
            pointer="/details/vesselName",
        )
    if event.on_board_date != proven.local_date:
        raise errors.Antedating(
            f"the notation is dated {event.on_board_date}, the last container was loaded on "
            f"{proven.local_date}",
            pointer="/details/onBoardDate",
        )
    ports = _loading_ports(world, state)
    if event.port_of_loading not in ports:
        raise errors.NotLoaded(
            f"the notation names {event.port_of_loading}, the loading terminal is at "
            f"{', '.join(sorted(ports))}",
            pointer="/details/portOfLoading",
        )
    return replaced(state, on_board_on=event.on_board_date)


def _loading_ports(world: Reader, state: BillState) -> frozenset[str]:
    loadings = [box.loading for box in _boxes(world, state) if box.loading is not None]
    terminals = [world.party(loading.terminal) for loading in loadings]
    return frozenset(
        facility.un_location_code
        for terminal in terminals
        if terminal is not None
        for facility in terminal.facilities
    )


def _surrendered(
    state: BillState, event: SurrenderForDelivery | SurrenderForAmendment, pending: Status
) -> BillState:
    asked = replaced(state.control, possessor=state.carrier)
    if is_foreign(state.carrier):
        return _departing(state, event, state.carrier, asked, surrender=pending)
    return replaced(
        state,
        status=pending,
        control=asked,
        giving=None,
        surrendered_by=state.control.possessor,
        presentation=None,
    )


def _accepted(state: BillState, event: AcceptSurrender) -> BillState:
    after = replaced(state, status=Status.SURRENDERED_FOR_DELIVERY)
    if state.surrendered_by is None or not is_foreign(state.surrendered_by):
        return after
    return _departing(after, event, state.surrendered_by, None)


def _given_back(state: BillState, event: RejectSurrender) -> BillState:
    assert state.surrendered_by is not None
    returned = replaced(state.control, possessor=state.surrendered_by)
    if is_foreign(state.surrendered_by):
        return _departing(state, event, state.surrendered_by, returned)
    return replaced(
        state,
        status=Status.ISSUED,
        control=returned,
        giving=None,
        surrendered_by=None,
    )


def _ordered(world: Reader, state: BillState, act: Recorded, event: OrderDelivery) -> BillState:
    draft = world.draft(state.shipment)
    discharge = draft.custodians.discharge if draft else None
    if event.terminal != discharge:
        raise errors.NotCustodian(
            f"the order is made out to {event.terminal}, the booking names {discharge}",
            pointer="/details/terminal",
        )
    left = {box.container for box in _boxes(world, state) if box.place is Place.GATE_OUT}
    for number, container in enumerate(event.containers):
        if container not in state.containers:
            raise errors.NotOnBill(
                f"container {container} is not on bill {state.reference}",
                pointer=f"/details/containers/{number}",
            )
        if container in left:
            raise errors.OrderReplay(
                f"container {container} has left the gate", pointer=f"/details/containers/{number}"
            )
    if event.expires <= act.recorded_at:
        raise errors.OrderExpired(
            f"the order would expire at {event.expires.isoformat()}, it is "
            f"{act.recorded_at.isoformat()}",
            pointer="/details/expires",
        )
    order = DeliveryOrder(
        digest=act.digest,
        sequence=event.sequence,
        terminal=event.terminal,
        containers=event.containers,
        pick_up=event.pick_up,
        code_hash=event.code_hash,
        expires=event.expires,
    )
    return replaced(state, orders=(*state.orders, order))


def _cancelled(state: BillState, event: CancelDeliveryOrder) -> BillState:
    if not any(order.digest == event.order and not order.cancelled for order in state.orders):
        raise errors.NoDeliveryOrder(
            f"bill {state.reference} has no order {event.order} that could be cancelled",
            pointer="/details/order",
        )
    orders = tuple(
        replaced(order, cancelled=True) if order.digest == event.order else order
        for order in state.orders
    )
    return replaced(state, orders=orders)


# -- what follows from the state -----------------------------------------------------------------


def _boxes(world: Reader, state: BillState) -> list[CustodyState]:
    boxes = [world.custody(state.shipment, container) for container in state.containers]
    return [box for box in boxes if box is not None]


def controllers(state: BillState) -> frozenset[str]:
    """Possessor, title holder, and who has surrendered the bill: those who may know all of it."""
    named = {state.control.possessor}
    if state.control.title_holder is not None:
        named.add(state.control.title_holder)
    if state.surrendered_by is not None:
        named.add(state.surrendered_by)
    return frozenset(named)


def controls(state: BillState, slug: str) -> bool:
    """Whether the party is one of the `controllers`."""
    control = state.control
    return slug in (control.possessor, control.title_holder, state.surrendered_by)


def with_tenures(before: BillState, after: BillState, sequence: int) -> BillState:
    """`after`, with the tenures that the act at `sequence` opened and closed."""
    now = controllers(after)
    if now == controllers(before):
        return after
    known = [tenure.party for tenure in before.tenures]
    kept = [
        tenure if (tenure.party in now) is (tenure.last is None) else _turned(tenure, sequence)
        for tenure in before.tenures
    ]
    opened = [Tenure(party=slug) for slug in sorted(now.difference(known))]
    return replaced(after, tenures=(*kept, *opened))


def _turned(tenure: Tenure, sequence: int) -> Tenure:
    """Ended by the act at `sequence`, or begun again with it."""
    last = sequence if tenure.last is None else None
    return made(Tenure, party=tenure.party, last=last)
