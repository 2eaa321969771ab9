"""What waits for a party's signature, told from the acts that it may sign now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bol_service.application.portal_lists import Line
from bol_service.application.portal_shipments import ShipmentLine
from bol_service.domain.events import Action


@dataclass(frozen=True, kw_only=True)
class Task:
    """`kind` is a key of the words `task.`, `href` where it is done; `since` an instant."""

    kind: str
    subject: str
    href: str
    since: str | None = None
    bill: str | None = None
    place: str = ""


# Which acts, once a party may sign them, wait for it. Acts that a holder may sign at any time
# (transfer, surrender) wait for nobody.
_WAITING = {
    Action.REFUSE: "received",
    Action.SREJ: "answer_surrender",
    Action.VOID: "void",
    Action.ON_BOARD_NOTATION: "notation",
    Action.CONFIRM_DELIVERY: "confirm",
}


def bill_tasks(lines: Iterable[Line]) -> list[Task]:
    """Tasks on bills, oldest first."""
    found = [task for line in lines for task in _of(line)]
    return sorted(found, key=lambda task: task.since or "")


def _of(line: Line) -> Iterable[Task]:
    page = f"/portal/bills/{line.bill}"
    for action, kind in _WAITING.items():
        if action in line.allowed:
            yield _task(kind, line, page)
    if line.awaits_order:
        act = f"{page}/acts/{Action.DELIVERY_ORDER}"
        yield _task("order", line, act, ", ".join(line.awaits_order))
    for container in line.to_hand_out:
        yield _task("hand_out", line, f"/portal/gate?container={container}", container)


def _task(kind: str, line: Line, href: str, place: str = "") -> Task:
    return Task(
        kind=kind,
        subject=line.reference,
        href=href,
        since=line.changed_at,
        bill=line.bill,
        place=place,
    )


def shipment_tasks(lines: Iterable[ShipmentLine]) -> list[Task]:
    """Bookings and drafts that wait for this party, oldest first."""
    found = [
        Task(
            kind=line.waits,
            subject=line.reference,
            href=f"/portal/shipments/{line.shipment}",
            since=line.changed_at,
        )
        for line in lines
        if line.waits
    ]
    return sorted(found, key=lambda task: task.since or "")
