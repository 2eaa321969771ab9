"""Who may know what of a bill: the relations of a party to it, and what each relation may see.

Default deny. `MATRIX` is the permission grid of the domain notes (C.4) in one table; the HTTP edge
shows exactly these groups of fields. Whoever has no relation at all learns not even that the bill
exists. A former holder keeps what it could read up to its own disposal, and nothing after. A
custodian that was replaced keeps its own custody events, which say so by their actor; it is no
relation, so the bill is nothing to it any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from bol_service.domain.events import Action, Role
from bol_service.domain.states import BillState, DraftState, PartyState, Reader
from bol_service.domain.title import controls


class Relation(StrEnum):
    CARRIER = "CARRIER"
    HOLDER = "HOLDER"
    FORMER_HOLDER = "FORMER_HOLDER"
    SHIPPER = "SHIPPER"
    FORWARDER = "FORWARDER"
    CUSTODIAN = "CUSTODIAN"
    DELIVERY_TERMINAL = "DELIVERY_TERMINAL"
    CUSTOMS = "CUSTOMS"
    AUDITOR = "AUDITOR"


class Group(StrEnum):
    """Groups of fields of a bill's answer."""

    STATE = "STATE"
    PARTIES = "PARTIES"
    DOCUMENT = "DOCUMENT"
    CARGO = "CARGO"
    PRICE = "PRICE"
    DECLARED_VALUE = "DECLARED_VALUE"
    CONTROL = "CONTROL"
    CHAIN = "CHAIN"
    CHAIN_UNTIL_DISPOSAL = "CHAIN_UNTIL_DISPOSAL"
    ENDORSEMENTS = "ENDORSEMENTS"
    CUSTODY = "CUSTODY"
    DELIVERY = "DELIVERY"
    DRAFT = "DRAFT"


_G = Group
_EVERYTHING = frozenset(_G) - {_G.CHAIN_UNTIL_DISPOSAL}

MATRIX: dict[Relation, frozenset[Group]] = {
    Relation.CARRIER: _EVERYTHING,
    Relation.HOLDER: _EVERYTHING - {_G.DRAFT},
    Relation.AUDITOR: _EVERYTHING,
    Relation.FORMER_HOLDER: frozenset(
        {_G.STATE, _G.PARTIES, _G.DOCUMENT, _G.CARGO, _G.PRICE, _G.CHAIN_UNTIL_DISPOSAL}
    ),
    Relation.SHIPPER: frozenset(
        {_G.STATE, _G.PARTIES, _G.DOCUMENT, _G.CARGO, _G.PRICE, _G.CUSTODY, _G.DRAFT}
    ),
    Relation.FORWARDER: frozenset({_G.STATE, _G.PARTIES, _G.CARGO, _G.CUSTODY, _G.DRAFT}),
    Relation.CUSTODIAN: frozenset({_G.STATE, _G.CARGO, _G.CUSTODY}),
    Relation.DELIVERY_TERMINAL: frozenset({_G.STATE, _G.DELIVERY}),
    Relation.CUSTOMS: frozenset(
        {
            _G.STATE,
            _G.PARTIES,
            _G.CARGO,
            _G.DECLARED_VALUE,
            _G.ENDORSEMENTS,
            _G.CUSTODY,
            _G.DELIVERY,
        }
    ),
}

ENDORSEMENTS = frozenset(
    {
        Action.ISSUE,
        Action.TRANSFER,
        Action.REFUSE,
        Action.ENDORSE,
        Action.ENDORSE_TO_ORDER,
        Action.BLANK_ENDORSE,
        Action.SURRENDER_FOR_DELIVERY,
        Action.SURRENDER_FOR_AMENDMENT,
        Action.SREJ,
        Action.MOVED,
        Action.IMPORTED,
        Action.RETURNED,
    }
)
"""What the group of that name shows: the acts by which possession or title passed, no others."""


def relations(
    world: Reader, state: BillState, slug: str, moment: datetime | None = None
) -> frozenset[Relation]:
    """All relations of the party `slug` to the bill; empty for a stranger.

    At `moment` a mandate that has run out gives no rights any more. Without it mandates count as
    they stand: then it is the law of the act itself that refuses one which has run out.
    """
    return frozenset(_related(world, state, slug, moment))


def knows(world: Reader, state: BillState, slug: str) -> bool:
    """Whether the party `slug` has any relation to the bill, at whatever moment."""
    return next(_related(world, state, slug, None), None) is not None


def _related(
    world: Reader, state: BillState, slug: str, moment: datetime | None
) -> Iterator[Relation]:
    """One relation after the other; those whom most acts are by come first, and cost the least."""
    party = world.party(slug)
    if party is None:
        return
    if controls(state, slug):
        yield Relation.HOLDER
    elif any(tenure.party == slug for tenure in state.tenures):
        yield Relation.FORMER_HOLDER
    if slug == state.carrier:
        yield Relation.CARRIER
    if slug == state.shipper:
        yield Relation.SHIPPER
    if _is_forwarder(world, state.shipper, slug, moment):
        yield Relation.FORWARDER
    draft = world.draft(state.shipment)
    if draft is not None and slug in draft.custodians.named:
        yield Relation.CUSTODIAN
    if _delivers(draft, state, slug):
        yield Relation.DELIVERY_TERMINAL
    if draft is not None and slug in draft.customs:
        yield Relation.CUSTOMS
    if _audits(world, party, state.carrier):
        yield Relation.AUDITOR


def groups(related: frozenset[Relation]) -> frozenset[Group]:
    """What a party with these relations may see."""
    return frozenset().union(*(MATRIX[relation] for relation in related))


def disposal(state: BillState, slug: str) -> int | None:
    """The sequence of the act with which a former holder last disposed of the bill."""
    own = [tenure.last for tenure in state.tenures if tenure.party == slug]
    return own[0] if own else None


def knows_draft(
    world: Reader, draft: DraftState, slug: str, moment: datetime | None = None
) -> bool:
    """Carrier, shipper, the forwarder booked or under mandate, and the auditor; see `relations`."""
    party = world.party(slug)
    return (
        slug in (draft.carrier, draft.shipper, draft.forwarder)
        or _is_forwarder(world, draft.shipper, slug, moment)
        or (party is not None and _audits(world, party, draft.carrier))
    )


def _is_forwarder(world: Reader, shipper: str, slug: str, moment: datetime | None) -> bool:
    mandator = world.party(shipper)
    mandate = mandator.mandate(slug) if mandator else None
    return mandate is not None and (moment is None or mandate.covers(moment))


def _delivers(draft: DraftState | None, state: BillState, slug: str) -> bool:
    """The terminal where the cargo is handed out, by the booking or by a delivery order."""
    booked = draft is not None and slug == draft.custodians.discharge
    return booked or any(order.terminal == slug for order in state.orders)


def _audits(world: Reader, party: PartyState, carrier: str) -> bool:
    """An auditor sees the bills of its own country's carriers only (DR-07)."""
    issuer = world.party(carrier)
    return (
        Role.AUDITOR in party.roles
        and issuer is not None
        and issuer.identity.country == party.identity.country
    )
