"""What verified evidence shows of a delivery: enough to ask the release guard honestly.

The status is as the platform of issue states it. Orders, cancellations and custody are the signed
events themselves; an order counts only from the carrier that accepted the surrender in the same
file. What the file does not show is not assumed: no acceptance shown, no release.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bol_service.domain.custody import TRANSITIONS
from bol_service.domain.events import (
    AcceptSurrender,
    CancelDeliveryOrder,
    CustodyEvent,
    CustomsRelease,
    GateOut,
    OrderDelivery,
    Register,
    Role,
)
from bol_service.domain.states import DeliveryOrder, Head, Place, Status
from bol_service.verification.bundle import Bundle, ShownEntry, Statement
from bol_service.wire.abroad import Cover
from bol_service.wire.events import SignedEvent, decode


@dataclass(frozen=True, kw_only=True)
class ShownBox:
    """A container's custody, as `domain.release.Box`."""

    place: Place
    customs_released: str | None = None
    released_under: str | None = None


@dataclass(frozen=True, kw_only=True)
class ShownBill:
    """A bill and its booking, as `domain.release.Releasable` and `Booked`.

    `stated` is the status as the platform of issue states it, `status` what the guard may rely on.
    `heads` are those that the statement names.
    """

    bill: str
    reference: str
    shipment: str
    containers: tuple[str, ...]
    customs_release: bool
    stated: str
    status: str
    orders: tuple[DeliveryOrder, ...]
    boxes: dict[str, ShownBox]
    heads: dict[str, Head]

    def order_for(self, container: str) -> DeliveryOrder | None:
        """The latest that is not cancelled, as in `domain.states.BillState`."""
        covering = [
            order for order in self.orders if container in order.containers and not order.cancelled
        ]
        return covering[-1] if covering else None


def shown(cover: Cover, bundle: Bundle, statement: Statement) -> ShownBill:
    """What a bundle shows that was verified before, together with its cover."""
    events = [decode(item.entry.event) for item in bundle.entries if isinstance(item, ShownEntry)]
    on_bill = [signed for signed in events if signed.event.stream == f"bill:{cover.bill}"]
    acceptor = _acceptor(events, on_bill)
    boxes = _boxes(events, cover.shipment)
    return ShownBill(
        bill=cover.bill,
        reference=cover.reference,
        shipment=cover.shipment,
        containers=cover.containers,
        customs_release=cover.customs_release,
        stated=statement.status,
        status=_status(cover, statement.status, acceptor, boxes),
        orders=_orders(on_bill, acceptor),
        boxes=boxes,
        heads=dict(statement.heads),
    )


def _status(cover: Cover, stated: str, acceptor: str | None, boxes: Mapping[str, ShownBox]) -> str:
    """For the guard: surrendered only with the acceptance; accomplished is surrendered, and every
    container out."""
    left = [boxes[box].place for box in cover.containers if box in boxes]
    if stated == Status.ACCOMPLISHED and left == [Place.GATE_OUT] * len(cover.containers):
        stated = Status.SURRENDERED_FOR_DELIVERY
    if stated == Status.SURRENDERED_FOR_DELIVERY and acceptor is None:
        return "not shown to be accepted"
    return stated


def _acceptor(events: list[SignedEvent], on_bill: list[SignedEvent]) -> str | None:
    """The carrier that accepted the surrender; registered as a carrier in the same file."""
    carriers = {
        signed.event.stream.removeprefix("party:")
        for signed in events
        if isinstance(signed.event, Register) and Role.CARRIER in signed.event.roles
    }
    accepted = [s.event.actor for s in on_bill if isinstance(s.event, AcceptSurrender)]
    return accepted[-1] if accepted and accepted[-1] in carriers else None


def _orders(on_bill: Iterable[SignedEvent], acceptor: str | None) -> tuple[DeliveryOrder, ...]:
    orders: list[DeliveryOrder] = []
    for signed in on_bill:
        event = signed.event
        if event.actor != acceptor:
            continue
        if isinstance(event, OrderDelivery):
            orders.append(
                DeliveryOrder(
                    digest=signed.parsed.digest,
                    sequence=event.sequence,
                    terminal=event.terminal,
                    containers=event.containers,
                    pick_up=event.pick_up,
                    code_hash=event.code_hash,
                    expires=event.expires,
                )
            )
        if isinstance(event, CancelDeliveryOrder):
            orders = [
                replace(order, cancelled=True) if order.digest == event.order else order
                for order in orders
            ]
    return tuple(orders)


def _boxes(events: Iterable[SignedEvent], shipment: str) -> dict[str, ShownBox]:
    boxes: dict[str, ShownBox] = {}
    for signed in events:
        event = signed.event
        if not isinstance(event, CustodyEvent):
            continue
        _, of, container = event.stream.split(":")
        if of != shipment:
            continue
        boxes[container] = _after(boxes.get(container), event)
    return boxes


def _after(box: ShownBox | None, event: CustodyEvent) -> ShownBox:
    if isinstance(event, CustomsRelease):
        # The law takes none before GATE_IN.
        before = box or ShownBox(place=Place.GATE_IN)
        return replace(before, customs_released=event.reference)
    moved = replace(box or ShownBox(place=Place.GATE_IN), place=TRANSITIONS[event.action].after)
    return replace(moved, released_under=event.order) if isinstance(event, GateOut) else moved
