"""The rows by which bills are found; a cache of what their states say."""

from __future__ import annotations

from bol_service.application.ports import BillRow
from bol_service.domain import title
from bol_service.domain.events import Leg
from bol_service.domain.states import BillState
from bol_service.domain.world import World


def bill_row(world: World, state: BillState) -> BillRow:
    """How `state` is found now, by everybody who may know it by itself or by its booking."""
    draft = world.draft(state.shipment)
    carrier = world.party(state.carrier)
    named = {state.carrier, state.shipper, *(tenure.party for tenure in state.tenures)}
    if draft is not None:
        custodians = {draft.custodians.of(leg) for leg in Leg}
        named |= {slug for slug in custodians if slug is not None}
        named |= set(draft.customs)
    return BillRow(
        bill=state.bill,
        reference=state.reference,
        carrier=state.carrier,
        country=carrier.identity.country if carrier else "ZZ",
        shipment=state.shipment,
        shipper=state.shipper,
        status=title.status(world, state),
        parties=frozenset(named),
        containers=state.containers,
    )
