"""The rows by which bills are found; a cache of what their states say."""

from __future__ import annotations

from bol_service.application.loading import Loader
from bol_service.application.ports import Batch, BillRow, KeyRow
from bol_service.domain import title
from bol_service.domain.events import AddKey, Event, GateOut, Issue, Leg, Register, RotateKey
from bol_service.domain.identifiers import is_foreign
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
        parties=frozenset(slug for slug in named if not is_foreign(slug)),
        containers=state.containers,
    )


def gather(loader: Loader, event: Event, found_by: BillRow | None, batch: Batch) -> None:
    """Put the rows by which keys and bills are found after `event` into `batch`.

    `found_by` is the row of the event's own bill before it: a row that has not changed is left out.
    """
    world = loader.world
    if isinstance(event, Register | AddKey | RotateKey):
        party = event.stream.removeprefix("party:")
        batch.keys.append(KeyRow(kid=event.key.kid, party=party, jwk=event.key.jwk))
    bill = world.state(f"bill:{event.bill}" if isinstance(event, GateOut) else event.stream)
    if not isinstance(bill, BillState):
        return
    if isinstance(event, Issue | GateOut):
        loader.bill(bill.bill)  # its live status hangs on every container
    row = bill_row(world, bill)
    if row != found_by:
        batch.bills[bill.bill] = row
