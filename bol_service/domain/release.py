"""The release guard: no container leaves the gate without the bill.

A carrier that lets cargo go without the surrendered bill is liable without limit, even when a
forged bill deceived it. So GATE_OUT is allowed only if every line below holds, in this order:

1. the bill exists, is a bill for this shipment, and the container is on it;
2. its surrender for delivery has been accepted by the carrier;
3. the container has not left already;
4. a delivery order for it counts: the latest that is not cancelled, not expired when the act is
   recorded;
5. customs has released the container, if the booking asks for it;
6. the order that was shown is that order, made out to this terminal; the one-time code is the
   order's, and the collector is the one it names.

No letter of indemnity, copy, payment or message ever takes the place of one of them.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Protocol

from bol_service.domain import errors
from bol_service.domain.events import GateOut, Recorded
from bol_service.domain.states import (
    CustodyState,
    DeliveryOrder,
    DraftState,
    Place,
    Reader,
    Status,
)


class Releasable(Protocol):
    """What the guard asks of a bill: its state, or what evidence of it shows."""

    @property
    def reference(self) -> str: ...

    @property
    def containers(self) -> tuple[str, ...]: ...

    @property
    def status(self) -> str: ...

    def order_for(self, container: str) -> DeliveryOrder | None: ...


class Booked(Protocol):
    """What the guard asks of a booking."""

    @property
    def customs_release(self) -> bool: ...


class Box(Protocol):
    """What the guard asks of a container's custody."""

    @property
    def place(self) -> Place: ...

    @property
    def customs_released(self) -> str | None: ...

    @property
    def released_under(self) -> str | None: ...


def check(
    world: Reader,
    act: Recorded,
    event: GateOut,
    draft: DraftState,
    state: CustodyState | None,
) -> None:
    """Let a GATE_OUT pass or refuse it, naming the first line that does not hold."""
    _, shipment, container = event.stream.split(":")
    bill = world.bill(event.bill)
    if bill is None or bill.shipment != shipment:
        raise errors.NoSurrender(
            f"bill {event.bill} is not a bill for shipment {shipment}", pointer="/details/bill"
        )
    order = require_releasable(bill, draft, state, container, act.recorded_at)
    if order.digest != event.order:
        raise errors.NoDeliveryOrder(
            f"order {event.order} was shown, order {order.digest} counts for {container}",
            pointer="/details/order",
        )
    if order.terminal != event.actor:
        raise errors.NoDeliveryOrder(
            f"the order is made out to {order.terminal}, not to {event.actor}", pointer="/actor"
        )
    if not hmac.compare_digest(order.code_hash, event.code_digest):
        raise errors.WrongCode("the code shown is not this order's", pointer="/details/code")
    if order.pick_up != event.collected_by:
        raise errors.WrongPickUp(
            f"{event.collected_by.name} ({event.collected_by.reference}) collects, the order names "
            f"{order.pick_up.name} ({order.pick_up.reference})",
            pointer="/details/collectedBy",
        )


def require_releasable(
    bill: Releasable,
    draft: Booked,
    state: Box | None,
    container: str,
    moment: datetime,
) -> DeliveryOrder:
    """The order under which `container` may leave at `moment`, or the refusal that says why not.

    Leaves out what only the collector can show (order, code, name), so that a release check can
    ask it beforehand.
    """
    if container not in bill.containers:
        raise errors.NotOnBill(
            f"container {container} is not on bill {bill.reference} ({', '.join(bill.containers)})",
            pointer="/stream",
        )
    if bill.status != Status.SURRENDERED_FOR_DELIVERY:
        raise errors.NoSurrender(
            f"bill {bill.reference} is {bill.status}, not SURRENDERED_FOR_DELIVERY",
            pointer="/details/bill",
        )
    if state is not None and state.place is Place.GATE_OUT:
        raise errors.OrderReplay(
            f"{container} left the gate under order {state.released_under}", pointer="/stream"
        )
    order = bill.order_for(container)
    if order is None:
        raise errors.NoDeliveryOrder(
            f"no delivery order for {container} counts on bill {bill.reference}",
            pointer="/details/order",
        )
    if moment >= order.expires:
        raise errors.OrderExpired(
            f"the order expired at {order.expires.isoformat()}, it is {moment.isoformat()}",
            pointer="/details/order",
        )
    if draft.customs_release and (state is None or state.customs_released is None):
        raise errors.CustomsHold(
            f"no customs authority has released {container}", pointer="/stream"
        )
    return order
