"""The law of the gate: no container leaves without an accepted surrender and the order that counts.

Every row takes away one of the things that `release` asks for and keeps all others.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from bol_service.domain import errors
from bol_service.domain.events import Collector, Leg
from bol_service.domain.states import Place, Status
from tests.law import Refused, Voyage, rows
from tests.law_scene import (
    BOX_1,
    BOX_2,
    COLLECTOR,
    FOREIGN_BOX,
    bill_of_lading,
    digest,
)

OTHER_SHIPMENT = "0195a3c0-7c1e-7d2a-9b00-0000000000b2"


def ready() -> Voyage:
    """Surrendered, ordered, cleared by customs: the gate may open."""
    return Voyage(until="cleared")


def without(*missing: str) -> Voyage:
    """Discharged, with everything the gate asks for except what is named."""
    voyage = Voyage(until="discharged")
    if "surrender" not in missing:
        voyage.surrender("yunling")
        if "acceptance" not in missing:
            voyage.accept_surrender()
            if "order" not in missing:
                voyage.order_delivery()
    if "customs" not in missing:
        voyage.release_by_customs()
    return voyage


def with_foreign_box() -> Voyage:
    """A third box of the same shipment stands at the terminal, on another bill or on none."""
    voyage = Voyage().clock("2027-02-24 10:00")
    voyage.book(containers=())
    voyage.clock("2027-02-26 09:30").then(
        lambda v: v.submit_instructions(), lambda v: v.publish_draft(), lambda v: v.approve()
    )
    voyage.clock("2027-03-01 10:20")
    for box in (BOX_1, BOX_2, FOREIGN_BOX):
        voyage.gate_in(box)
    voyage.issue()
    for time, acts in (
        ("2027-03-01 22:30", (voyage.load_on_train, voyage.train_departs)),
        ("2027-03-03 21:10", (voyage.train_arrives, voyage.receive_for_transhipment)),
        ("2027-03-05 04:40", (voyage.load_on_vessel, voyage.vessel_departs)),
        ("2027-03-07 19:30", (voyage.discharge, voyage.release_by_customs)),
    ):
        voyage.clock(time)
        for act in acts:
            for box in (BOX_1, BOX_2, FOREIGN_BOX):
                act(box)
    return voyage.then(
        lambda v: v.surrender("yunling"),
        lambda v: v.accept_surrender(),
        lambda v: v.order_delivery(),
    )


GATE = (
    Refused(
        "no bill of this name",
        errors.NoSurrender,
        ready,
        lambda v: v.gate_out(bill=digest("no such bill")),
        "/details/bill",
    ),
    Refused(
        "the bill has not been surrendered",
        errors.NoSurrender,
        lambda: without("surrender"),
        lambda v: v.gate_out(),
        "/details/bill",
    ),
    Refused(
        "the carrier has not answered the surrender",
        errors.NoSurrender,
        lambda: without("acceptance"),
        lambda v: v.gate_out(),
        "/details/bill",
    ),
    Refused(
        "the carrier has rejected the surrender",
        errors.NoSurrender,
        lambda: without("acceptance").then(lambda v: v.reject_surrender()),
        lambda v: v.gate_out(),
        "/details/bill",
    ),
    Refused(
        "the bill was surrendered for amendment only",
        errors.NoSurrender,
        lambda: without("surrender").then(lambda v: v.surrender_for_amendment("yunling")),
        lambda v: v.gate_out(),
        "/details/bill",
    ),
    Refused(
        "the container is not on the bill",
        errors.NotOnBill,
        with_foreign_box,
        lambda v: v.gate_out(FOREIGN_BOX),
        "/stream",
    ),
    Refused(
        "the container is not on the booking",
        errors.NotOnBill,
        ready,
        lambda v: v.gate_out(FOREIGN_BOX),
        "/stream",
    ),
    Refused(
        "the container has left already",
        errors.OrderReplay,
        lambda: ready().then(lambda v: v.gate_out()),
        lambda v: v.gate_out(),
        "/stream",
    ),
    Refused(
        "the carrier has ordered nothing",
        errors.NoDeliveryOrder,
        lambda: without("order"),
        lambda v: v.gate_out(),
        "/details/order",
    ),
    Refused(
        "the order does not cover this container",
        errors.NoDeliveryOrder,
        lambda: without("order").then(lambda v: v.order_delivery(containers=(BOX_2,))),
        lambda v: v.gate_out(BOX_1),
        "/details/order",
    ),
    Refused(
        "another order is shown",
        errors.NoDeliveryOrder,
        ready,
        lambda v: v.gate_out(order=digest("forged order")),
        "/details/order",
    ),
    Refused(
        "the order was replaced by a later one",
        errors.NoDeliveryOrder,
        lambda: ready().then(lambda v: v.order_delivery()),
        lambda v: v.gate_out(order=v.bill.orders[0].digest),
        "/details/order",
    ),
    Refused(
        "the order was cancelled",
        errors.NoDeliveryOrder,
        lambda: ready().then(lambda v: v.cancel_order()),
        lambda v: v.gate_out(),
        "/details/order",
    ),
    Refused(
        "the order is made out to the terminal that had the leg before",
        errors.NoDeliveryOrder,
        lambda: ready().then(lambda v: v.appoint(Leg.DISCHARGE, "qinzhou")),
        lambda v: v.gate_out(by="qinzhou"),
        "/actor",
    ),
    Refused(
        "another terminal than the one of this leg signs",
        errors.NotCustodian,
        ready,
        lambda v: v.gate_out(by="qinzhou"),
        "/actor",
    ),
    Refused(
        "the carrier cannot open the gate itself",
        errors.NotCustodian,
        ready,
        lambda v: v.gate_out(by="xlsc"),
        "/actor",
    ),
    Refused(
        "the order expires at this very moment",
        errors.OrderExpired,
        ready,
        lambda v: v.gate_out(
            recorded_at=v.bill.orders[0].expires, at=v.bill.orders[0].expires - timedelta(hours=1)
        ),
        "/details/order",
    ),
    Refused(
        "the code is another",
        errors.WrongCode,
        ready,
        lambda v: v.gate_out(code_digest=digest("guessed")),
        "/details/code",
    ),
    Refused(
        "the code is that of the order before",
        errors.WrongCode,
        lambda: ready().then(lambda v: v.order_delivery(code_hash=digest("second code"))),
        lambda v: v.gate_out(),
        "/details/code",
    ),
    Refused(
        "somebody else collects",
        errors.WrongPickUp,
        ready,
        lambda v: v.gate_out(
            collected_by=Collector(name="Shadow Forwarding Ltd.", reference=COLLECTOR.reference)
        ),
        "/details/collectedBy",
    ),
    Refused(
        "the collector shows another reference",
        errors.WrongPickUp,
        ready,
        lambda v: v.gate_out(collected_by=Collector(name=COLLECTOR.name, reference="eDO-1")),
        "/details/collectedBy",
    ),
    Refused(
        "customs has not released it",
        errors.CustomsHold,
        lambda: without("customs"),
        lambda v: v.gate_out(),
        "/stream",
    ),
    Refused(
        "customs has released another box",
        errors.CustomsHold,
        lambda: without("customs").then(lambda v: v.release_by_customs(BOX_2)),
        lambda v: v.gate_out(BOX_1),
        "/stream",
    ),
    Refused(
        "the container is still on the vessel",
        errors.BadTransition,
        lambda: Voyage(until="noted").then(
            lambda v: v.release_by_customs(),
            lambda v: v.surrender("yunling"),
            lambda v: v.accept_surrender(),
            lambda v: v.order_delivery(),
        ),
        lambda v: v.gate_out(),
        "/action",
    ),
    Refused(
        "a buyer with a copy but no part in custody gets no answer about it",
        errors.NotFound,
        ready,
        lambda v: v.gate_out(by="straits"),
    ),
)

ORDERS = (
    Refused(
        "no order before a surrender",
        errors.NoSurrender,
        lambda: Voyage(until="discharged"),
        lambda v: v.order_delivery(),
    ),
    Refused(
        "no order while the surrender waits",
        errors.NoSurrender,
        lambda: Voyage(until="surrendered"),
        lambda v: v.order_delivery(),
    ),
    Refused(
        "no order on a bill whose issue was refused",
        errors.TerminalState,
        lambda: Voyage(until="issued").then(lambda v: v.refuse("yunling")),
        lambda v: v.order_delivery(),
    ),
    Refused(
        "no order on a void bill",
        errors.TerminalState,
        lambda: Voyage(until="issued").then(lambda v: v.refuse("yunling"), lambda v: v.void()),
        lambda v: v.order_delivery(),
    ),
    Refused(
        "no order after the last container has left",
        errors.TerminalState,
        lambda: Voyage(until="gone"),
        lambda v: v.order_delivery(),
    ),
    Refused(
        "only the carrier orders delivery",
        errors.NotCarrier,
        lambda: Voyage(until="accepted"),
        lambda v: v.order_delivery("yunling"),
        "/actor",
    ),
    Refused(
        "an order is made out to the terminal of the discharge leg",
        errors.NotCustodian,
        lambda: Voyage(until="accepted"),
        lambda v: v.order_delivery(terminal="qinzhou"),
        "/details/terminal",
    ),
    Refused(
        "an order names no foreign box",
        errors.NotOnBill,
        lambda: Voyage(until="accepted"),
        lambda v: v.order_delivery(containers=(BOX_1, FOREIGN_BOX)),
        "/details/containers/1",
    ),
    Refused(
        "an order names no box that has left",
        errors.OrderReplay,
        lambda: ready().then(lambda v: v.gate_out(BOX_2)),
        lambda v: v.order_delivery(),
        "/details/containers/1",
    ),
    Refused(
        "an order does not expire when it is made",
        errors.OrderExpired,
        lambda: Voyage(until="accepted"),
        lambda v: v.order_delivery(expires=v.now),
        "/details/expires",
    ),
    Refused(
        "nothing to cancel where nothing was ordered",
        errors.NoDeliveryOrder,
        lambda: Voyage(until="accepted"),
        lambda v: v.cancel_order(),
    ),
    Refused(
        "an unknown order is not cancelled",
        errors.NoDeliveryOrder,
        ready,
        lambda v: v.cancel_order(digest("no such order")),
        "/details/order",
    ),
    Refused(
        "a cancelled order is not cancelled again, though another counts",
        errors.NoDeliveryOrder,
        lambda: ready().then(lambda v: v.cancel_order(), lambda v: v.order_delivery()),
        lambda v: v.cancel_order(v.bill.orders[0].digest),
        "/details/order",
    ),
    Refused(
        "the only order is cancelled once",
        errors.NoDeliveryOrder,
        lambda: ready().then(lambda v: v.cancel_order()),
        lambda v: v.cancel_order(),
    ),
    Refused(
        "only the carrier cancels an order",
        errors.NotCarrier,
        ready,
        lambda v: v.cancel_order(by="yunling"),
    ),
    Refused(
        "no order is cancelled after the last container has left",
        errors.TerminalState,
        lambda: Voyage(until="gone"),
        lambda v: v.cancel_order(),
    ),
    Refused(
        "no order is cancelled before a surrender",
        errors.NoSurrender,
        lambda: Voyage(until="discharged"),
        lambda v: v.cancel_order(),
    ),
)


@pytest.mark.parametrize("row", rows(GATE))
def test_the_gate_stays_shut_because(row: Refused) -> None:
    row.check()


@pytest.mark.parametrize("row", rows(ORDERS))
def test_refused_order(row: Refused) -> None:
    row.check()


def test_the_gate_opens_when_every_line_holds() -> None:
    voyage = ready()

    voyage.gate_out()

    assert voyage.box().place is Place.GATE_OUT
    assert voyage.box().released_under == voyage.order
    assert voyage.box().custodian == "sgterm"


def test_a_bill_of_another_shipment_opens_no_gate() -> None:
    voyage = ready()
    first = voyage.document
    second = bill_of_lading(reference="XLSC2703CQSG00419", booking_references=("XLB-2",))
    voyage.book(shipment=OTHER_SHIPMENT, reference="XLB-2", containers=())
    voyage.take(second)
    voyage.publish_draft(shipment=OTHER_SHIPMENT)
    voyage.approve(shipment=OTHER_SHIPMENT)
    _bring_to_the_gate(voyage)

    with voyage.refuses(errors.NoSurrender, pointer="/details/bill"):
        voyage.gate_out(BOX_1, shipment=OTHER_SHIPMENT, bill=first.checksum)


def _bring_to_the_gate(voyage: Voyage) -> None:
    """The same box comes again under the other shipment; only the place matters here."""
    for act in (
        voyage.gate_in,
        voyage.load_on_train,
        voyage.train_departs,
        voyage.train_arrives,
        voyage.receive_for_transhipment,
        voyage.load_on_vessel,
        voyage.vessel_departs,
        voyage.discharge,
        voyage.release_by_customs,
    ):
        act(BOX_1, shipment=OTHER_SHIPMENT)


def test_a_booking_without_customs_release_needs_none() -> None:
    voyage = Voyage(customs_release=False, until="ordered")

    voyage.gate_out()

    assert voyage.box().customs_released is None


def test_one_order_releases_each_of_its_containers_once() -> None:
    voyage = ready()

    voyage.gate_out(BOX_1)
    with voyage.refuses(errors.OrderReplay):
        voyage.gate_out(BOX_1)
    voyage.gate_out(BOX_2)

    assert voyage.status is Status.ACCOMPLISHED


def test_the_latest_order_for_a_container_counts_and_leaves_others_alone() -> None:
    voyage = ready()
    first = voyage.order
    second = voyage.order_delivery(containers=(BOX_2,), code_hash=digest("second code"))

    assert voyage.bill.order_for(BOX_1).digest == first  # type: ignore[union-attr]
    assert voyage.bill.order_for(BOX_2).digest == second  # type: ignore[union-attr]
    voyage.gate_out(BOX_1, order=first)
    with voyage.refuses(errors.NoDeliveryOrder):
        voyage.gate_out(BOX_2, order=first)
    voyage.gate_out(BOX_2, order=second, code_digest=digest("second code"))

    assert voyage.status is Status.ACCOMPLISHED


def test_cancelling_the_later_order_lets_the_earlier_count_again() -> None:
    voyage = ready()
    first = voyage.order
    voyage.cancel_order(voyage.order_delivery(code_hash=digest("second code")))

    voyage.gate_out(BOX_1, order=first)

    assert voyage.box(BOX_1).released_under == first


def test_a_cancelled_order_can_be_replaced() -> None:
    voyage = ready().then(lambda v: v.cancel_order(), lambda v: v.order_delivery())

    voyage.gate_out()

    assert [order.cancelled for order in voyage.bill.orders] == [True, False]


def test_an_order_counts_until_just_before_it_expires() -> None:
    voyage = ready()
    last_moment = voyage.bill.orders[0].expires - timedelta(milliseconds=1)

    voyage.gate_out(recorded_at=last_moment, at=last_moment)

    assert voyage.box().place is Place.GATE_OUT


def test_expiry_is_judged_by_the_recording_not_by_the_signers_clock() -> None:
    voyage = ready()
    expires = voyage.bill.orders[0].expires

    with voyage.refuses(errors.OrderExpired):
        voyage.gate_out(recorded_at=expires, at=expires - timedelta(hours=3))


def test_a_newly_appointed_terminal_releases_after_a_new_order() -> None:
    voyage = ready().then(
        lambda v: v.appoint(Leg.DISCHARGE, "qinzhou"),
        lambda v: v.order_delivery(terminal="qinzhou"),
    )

    voyage.gate_out(by="qinzhou")

    assert voyage.box().custodian == "qinzhou"


def test_what_the_order_said_is_kept() -> None:
    voyage = Voyage(until="accepted")
    expires = voyage.now + timedelta(days=1)

    voyage.order_delivery(containers=(BOX_2,), expires=expires)

    (order,) = voyage.bill.orders
    head = voyage.world.head(voyage.stream)
    assert head is not None
    assert (order.digest, order.sequence) == (head.digest, head.sequence)
    assert (order.terminal, order.containers, order.expires) == ("sgterm", (BOX_2,), expires)
    assert (order.pick_up, order.code_hash) == (COLLECTOR, digest("the one-time code"))
