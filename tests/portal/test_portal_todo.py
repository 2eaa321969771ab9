"""The to-do list: what waits longest stands first, and what waits for nobody is not in it."""

from __future__ import annotations

from typing import Any

from bol_service.application.portal_lists import Line
from bol_service.application.portal_shipments import ShipmentLine
from bol_service.domain.events import Action
from bol_service.portal.todo import bill_tasks, shipment_tasks

EARLY, LATE = "2027-03-01T04:00:00.000Z", "2027-03-02T04:00:00.000Z"


def line(reference: str, changed_at: str | None, **more: Any) -> Line:
    empty: dict[str, Any] = dict.fromkeys(Line.__dataclass_fields__)
    empty |= {"bill": reference, "reference": reference, "changed_at": changed_at}
    empty |= {"allowed": (), "awaits_order": (), "to_hand_out": ()}
    return Line(**(empty | more))


def shipment(reference: str, changed_at: str, waits: str | None) -> ShipmentLine:
    empty: dict[str, Any] = dict.fromkeys(ShipmentLine.__dataclass_fields__)
    empty |= {"reference": reference, "changed_at": changed_at, "waits": waits}
    return ShipmentLine(**empty)


def test_of_the_bills_the_one_that_waits_longest_stands_first() -> None:
    lines = [
        line("B", LATE, allowed=(Action.REFUSE,)),
        line("C", EARLY, to_hand_out=("XLCU7001127",)),
        line("A", None, allowed=(Action.VOID,)),
    ]
    assert [(task.subject, task.kind) for task in bill_tasks(lines)] == [
        ("A", "void"),
        ("C", "hand_out"),
        ("B", "received"),
    ]


def test_of_the_shipments_the_one_that_waits_longest_stands_first() -> None:
    lines = [shipment("B", LATE, "approve"), shipment("A", EARLY, "publish")]
    assert [task.subject for task in shipment_tasks(lines)] == ["A", "B"]


def test_what_a_holder_may_do_at_any_time_waits_for_nobody() -> None:
    at_any_time = (Action.TRANSFER, Action.SURRENDER_FOR_DELIVERY, Action.SIGN)
    assert not bill_tasks([line("A", EARLY, allowed=at_any_time)])
    assert not shipment_tasks([shipment("A", EARLY, None)])
