"""The rows by which bills are found; a cache of what their states say."""

from __future__ import annotations

from bol_service.application.loading import Loader
from bol_service.application.ports import Batch, BillRow, KeyRow
from bol_service.domain import title
from bol_service.domain.events import AddKey, Event, GateOut, Issue, Register, RotateKey
from bol_service.domain.identifiers import is_foreign
from bol_service.domain.states import BillState, State
from bol_service.domain.world import World


def bill_row(world: World, state: BillState) -> BillRow:
    """How `state` is found now, by everybody who may know it by itself or by its booking."""
    draft = world.draft(state.shipment)
    carrier = world.party(state.carrier)
    named = {state.carrier, state.shipper, *(tenure.party for tenure in state.tenures)}
    if draft is not None:
        named |= draft.custodians.named | set(draft.customs)
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


_WITH_A_KEY = Register | AddKey | RotateKey
_CHANGING_BOXES = Issue | GateOut


def gather(loader: Loader, event: Event, before: State | None, batch: Batch) -> None:
    """Put the rows by which keys and bills are found after `event` into `batch`.

    `before` is the state of the event's own stream: a row that has not changed is left out.
    """
    world = loader.world
    if isinstance(event, _WITH_A_KEY):
        party = event.stream.removeprefix("party:")
        batch.keys.append(KeyRow(kid=event.key.kid, party=party, jwk=event.key.jwk))
    bill = world.state(f"bill:{event.bill}" if isinstance(event, GateOut) else event.stream)
    if not isinstance(bill, BillState):
        return
    if isinstance(event, _CHANGING_BOXES):
        loader.bill(bill.bill)  # its live status hangs on every container
    if not isinstance(before, BillState) or _found_otherwise(before, bill):
        batch.bills[bill.bill] = bill_row(world, bill)


def _found_otherwise(before: BillState, after: BillState) -> bool:
    """Whether an act on the bill itself changed its row: by its status, or by somebody new.

    All else in the row is fixed by ISSUE or changed on other streams.
    """
    if after.status is not before.status:
        return True
    newcomers = after.tenures[len(before.tenures) :]
    if not newcomers:
        return False
    return any(
        all(tenure.party != newcomer.party for tenure in before.tenures) for newcomer in newcomers
    )
