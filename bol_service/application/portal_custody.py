"""What a custodian can sign for a container now: the desk's side of the table of custody.

`domain.custody` judges; here the same table is read the other way round, to offer a person only
what would be accepted. A test plays the voyage and holds the offers against the law.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bol_service.domain import errors, release
from bol_service.domain.custody import TRANSITIONS
from bol_service.domain.events import Action
from bol_service.domain.states import (
    BillState,
    CustodyState,
    DeliveryOrder,
    DraftState,
    Loading,
    Place,
)


@dataclass(frozen=True, kw_only=True)
class BoxAtDesk:
    """A container on one shipment as its custodian sees it; `acts` are what it can sign."""

    shipment: str
    container: str
    place: Place | None
    loading: Loading | None
    bill: str | None
    reference: str | None
    order: DeliveryOrder | None
    acts: tuple[Action, ...]


def box_at_desk(
    draft: DraftState,
    box: CustodyState | None,
    container: str,
    bill: BillState | None,
    reader: str,
    now: datetime,
) -> BoxAtDesk:
    """The container as `reader` can act on it at `now`."""
    order = _releasable(bill, draft, box, container, now)
    may_leave = order is not None and order.terminal == reader
    acts = [
        action
        for action in TRANSITIONS
        if _is_next(draft, box, action, reader) and (action is not Action.GATE_OUT or may_leave)
    ]
    if _awaits_customs(draft, box, reader):
        acts.append(Action.CUSTOMS_RELEASE)
    return BoxAtDesk(
        shipment=draft.shipment,
        container=container,
        place=box.place if box else None,
        loading=box.loading if box else None,
        bill=bill.bill if bill else None,
        reference=bill.reference if bill else None,
        order=order if may_leave else None,
        acts=tuple(acts),
    )


def _is_next(draft: DraftState, box: CustodyState | None, action: Action, reader: str) -> bool:
    transition = TRANSITIONS[action]
    before = transition.before
    if action is Action.LOADED_VESSEL:
        # With rail the container comes off the train, without rail through the port's own gate.
        only = Place.RECEIVED_TRANSHIPMENT if draft.custodians.rail else Place.GATE_IN
        before = frozenset({only})
    at = box.place if box else None
    return draft.custodians.of(transition.leg) == reader and at in before


def _awaits_customs(draft: DraftState, box: CustodyState | None, reader: str) -> bool:
    inside = box is not None and box.place is not Place.GATE_OUT
    return reader in draft.customs and inside and box is not None and box.customs_released is None


def _releasable(
    bill: BillState | None,
    draft: DraftState,
    box: CustodyState | None,
    container: str,
    now: datetime,
) -> DeliveryOrder | None:
    if bill is None:
        return None
    try:
        return release.require_releasable(bill, draft, box, container, now)
    except errors.Refusal:
        return None
