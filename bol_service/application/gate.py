"""The answer that a gate gets: RELEASE or DO NOT RELEASE, with the reason and what to do.

It asks the same guard that judges GATE_OUT (`domain.release`), without what only the collector can
show. Whatever is not known, or not clear, is DO NOT RELEASE.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bol_service.domain import errors, release
from bol_service.domain.states import BillState
from bol_service.domain.world import World
from bol_service.wire.event_fields import instant_text

Answer = dict[str, Any]


def answer(world: World, bill: BillState, container: str, now: datetime) -> Answer:
    """The answer for one container on one bill."""
    about = {
        **_about(container, now),
        "bill": bill.bill,
        "transportDocumentReference": bill.reference,
    }
    draft = world.draft(bill.shipment)
    if draft is None:  # custody and delivery orders stay with the platform of issue
        none = errors.NoDeliveryOrder
        reason = f"{none.title}: bill {bill.reference} is delivered by orders on {bill.home}"
        return {**about, **no(none.code, reason, none.next_step)}
    box = world.custody(bill.shipment, container)
    return {**about, **judged(bill, draft, box, container, now)}


def judged(
    bill: release.Releasable,
    booked: release.Booked,
    box: release.Box | None,
    container: str,
    now: datetime,
) -> Answer:
    """What the release guard says, in words; whose evidence it is the caller adds."""
    try:
        order = release.require_releasable(bill, booked, box, container, now)
    except errors.Refusal as refusal:
        reason = f"{refusal.title}: {refusal.message}"
        return no(refusal.code, reason, refusal.next_step)
    return {
        "answer": "RELEASE",
        "code": "release",
        "reason": f"Release to {order.pick_up.name}, reference {order.pick_up.reference}, "
        f"who must show the one-time code, before {instant_text(order.expires)}.",
        "order": order.digest,
        "pickUp": {"name": order.pick_up.name, "reference": order.pick_up.reference},
        "expires": instant_text(order.expires),
        "nextStep": "Check collector and code, then sign GATE_OUT before the gate opens.",
    }


def unknown(container: str, now: datetime) -> Answer:
    """The answer when no bill for the container is known to the asking party."""
    refusal = errors.NotFound
    reason = f"No bill for container {container} is known to you."
    return {**_about(container, now), **no(refusal.code, reason, refusal.next_step)}


def first(answers: Sequence[Answer]) -> Answer | None:
    """The answer that counts when a container stands on several bills, or is known in two ways.

    One that forbids counts before one that allows; a voyage that is over, before neither.
    """
    return min(answers, key=_weight, default=None)


def _weight(found: Answer) -> int:
    if found["code"] == errors.OrderReplay.code:
        return 2
    return 1 if found["answer"] == "RELEASE" else 0


def _about(container: str, now: datetime) -> Answer:
    return {"container": container, "asOf": instant_text(now)}


def no(code: str, reason: str, next_step: str) -> Answer:
    """DO NOT RELEASE, for the reason that `code` names."""
    return {"answer": "DO NOT RELEASE", "code": code, "reason": reason, "nextStep": next_step}
