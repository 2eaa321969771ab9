"""The law of the border: how an original leaves for another platform, and how it comes.

Possession never hangs between two platforms (MLETR art. 11): a bill on its way is still with its
sender, locked, until the other platform has signed what became of it.

1. Only the exchange desk of the platform, a party with the role EXCHANGE, signs these entries, and
   it signs nothing else. It never acts for a party: what it records is what another platform told.
2. SENT names the envelope that goes out. There is one, made once, for each act that waits.
3. MOVED carries the other platform's signed RECE or DUPE about that very chain: now control is what
   the act said, and so is the letter of credit under which it presented the bill there, until a
   chain comes back: chains tell of none. NOT_MOVED carries its BSIG, BENV or DISE: control, status
   and letter of credit are as before the act; whoever signed it has accepted the bill with it.
4. IMPORTED makes a bill known that was issued elsewhere, RETURNED continues one that is known.
   Both replay the transactions told in between (`exchange_steps`). Whom they bring the bill to here
   must be able to hold it: neither operator nor exchange desk nor its carrier, and with consent;
   nor does an imported document name operator or desk as shipper, consignee or title holder.
5. A bill that comes back must have been away, and no chain counts twice.
"""

from __future__ import annotations

from typing import assert_never

from bol_service.domain import errors, issue
from bol_service.domain.document import DocumentFacts
from bol_service.domain.events import (
    Carried,
    ExchangeEvent,
    Imported,
    Moved,
    NotMoved,
    PeerAnswer,
    Returned,
    Role,
    Sent,
)
from bol_service.domain.exchange_steps import after_steps
from bol_service.domain.identifiers import is_foreign, platform_of
from bol_service.domain.states import (
    Abroad,
    BillState,
    Carriage,
    Control,
    Reader,
    Status,
    Tenure,
    Transit,
)
from bol_service.domain.title import controllers, with_tenures
from bol_service.domain.values import replaced

RECEIVED = frozenset({"RECE", "DUPE"})
REFUSED = frozenset({"BSIG", "BENV", "DISE"})


def apply(world: Reader, event: ExchangeEvent) -> BillState:
    """The bill's state after `event`.

    Raises:
        errors.Refusal: The law does not allow it.
    """
    require_desk(world, event.actor)
    bill = event.stream.removeprefix("bill:")
    state = world.bill(bill)
    if isinstance(event, Imported):
        return _imported(world, state, event, bill)
    if state is None:
        raise errors.NotFound(f"{event.stream} is unknown")
    after = _evolve(world, state, event)
    return with_tenures(state, after, event.sequence)


def require_desk(world: Reader, actor: str) -> None:
    """Raises `NotExchange` for anybody but the platform's exchange desk."""
    party = world.party(actor)
    if party is None or Role.EXCHANGE not in party.roles:
        raise errors.NotExchange(
            f"{actor} is not the exchange desk of this platform", pointer="/actor"
        )


def _evolve(
    world: Reader, state: BillState, event: Sent | Moved | NotMoved | Returned
) -> BillState:
    match event:
        case Sent():
            return _sent(state, event)
        case Moved():
            return _moved(state, event)
        case NotMoved():
            return _not_moved(state, event)
        case Returned():
            return _returned(world, state, event)
        case _:
            assert_never(event)


# -- out ------------------------------------------------------------------------------------------


def _sent(state: BillState, event: Sent) -> BillState:
    transit = _transit(state, event.platform)
    if transit.sent is not None:
        raise errors.BadChain(
            f"envelope {transit.sent.envelope} is on its way for bill {state.reference}; "
            f"{event.envelope} would be a second one",
            pointer="/details/envelope",
        )
    return replaced(state, transit=replaced(transit, sent=_carriage(event)))


def _moved(state: BillState, event: Moved) -> BillState:
    transit, sent = _answered(state, event.platform, event.answer, RECEIVED)
    known = replaced(state.abroad, known=sent)
    if transit.after is None:
        return replaced(state, transit=None, abroad=known)
    asks = transit.surrender is not None
    return replaced(
        state,
        status=Status.MOVED,
        control=transit.after,
        giving=None,
        transit=None,
        surrendered_by=state.control.possessor if asks else None,
        presentation=transit.presentation,
        abroad=replaced(known, surrender=transit.surrender),
    )


def _not_moved(state: BillState, event: NotMoved) -> BillState:
    transit, _ = _answered(state, event.platform, event.answer, REFUSED)
    return replaced(state, status=transit.otherwise, transit=None)


def _transit(state: BillState, platform: str) -> Transit:
    if state.transit is None:
        raise errors.BadChain(f"nothing of bill {state.reference} waits to go to {platform}")
    if state.transit.platform != platform:
        raise errors.BadChain(
            f"bill {state.reference} goes to {state.transit.platform}, not to {platform}",
            pointer="/details/platform",
        )
    return state.transit


def _answered(
    state: BillState, platform: str, answer: PeerAnswer, codes: frozenset[str]
) -> tuple[Transit, Carriage]:
    transit = _transit(state, platform)
    if transit.sent is None:
        raise errors.BadChain(f"no envelope of bill {state.reference} was sent to {platform}")
    if answer.last_entry != transit.sent.last_entry:
        raise errors.BadChain(
            f"the answer is about {answer.last_entry}, {transit.sent.last_entry} was sent",
            pointer="/details/answer",
        )
    if answer.code not in codes:
        raise errors.BadChain(
            f"the answer is {answer.code}, this entry takes {', '.join(sorted(codes))}",
            pointer="/details/answer",
        )
    return transit, transit.sent


# -- in -------------------------------------------------------------------------------------------


def _imported(world: Reader, existing: BillState | None, event: Imported, bill: str) -> BillState:
    if existing is not None:
        raise errors.NumberUsed(f"bill {bill} is known here as {existing.status}")
    facts = world.document(event.received_bytes)
    if facts is None or facts.checksum != bill:
        raise errors.BadEvent(
            f"the document with SHA-256 {event.received_bytes} has the checksum "
            f"{facts.checksum if facts else 'of nothing stored'}, the stream names {bill}",
            pointer="/details/document",
        )
    if not is_foreign(event.carrier) or platform_of(event.carrier) != event.home:
        raise errors.BadChain(
            f"the carrier {event.carrier} is no party of the platform of issue {event.home}",
            pointer="/details/carrier",
        )
    blank = _as_issued(event, facts)
    _require_parties(world, event)
    told = _settled(world, after_steps(world, blank, event.steps))
    arrived = replaced(told, abroad=_arrival(told.abroad, event))
    tenures = tuple(Tenure(party=slug) for slug in sorted(controllers(arrived)))
    return replaced(arrived, tenures=tenures)


def _require_parties(world: Reader, event: Imported) -> None:
    for slug in (event.shipper, event.consignee, event.title_holder):
        party = None if slug is None else world.party(slug)
        if party is not None and party.roles & issue.NEVER_HOLDERS:
            raise errors.BadRecipient(
                f"{slug} runs the platform and cannot be shipper or have title", pointer="/details"
            )


def _as_issued(event: Imported, facts: DocumentFacts) -> BillState:
    return BillState(
        bill=facts.checksum,
        reference=facts.reference,
        kind=facts.kind,
        carrier=event.carrier,
        shipment="",
        shipper=event.shipper,
        consignee=event.consignee,
        notify=(),
        containers=facts.equipment,
        sailings=facts.sailings,
        rulebook=event.rulebook,
        status=Status.MOVED,
        control=Control(possessor=event.issue_to, title_holder=event.title_holder),
        giving=None,
        received_on=facts.received_for_shipment_date,
        on_board_on=facts.shipped_on_board_date,
        home=event.home,
    )


def _returned(world: Reader, state: BillState, event: Returned) -> BillState:
    if state.transit is not None:
        raise errors.InTransit(
            f"bill {state.reference} waits for the signed answer of {state.transit.platform}"
        )
    if state.status is not Status.MOVED:
        raise errors.BadChain(
            f"the original of bill {state.reference} is here ({state.status}); it cannot come from "
            f"{event.platform}"
        )
    if event.last_entry in state.abroad.arrivals:
        raise errors.BadChain(
            f"the chain that ends with {event.last_entry} has arrived before",
            pointer="/details/lastEntry",
        )
    told = _settled(world, after_steps(world, state, event.steps))
    return replaced(told, presentation=None, abroad=_arrival(told.abroad, event))


def _arrival(abroad: Abroad, event: Carried) -> Abroad:
    return replaced(abroad, known=_carriage(event), arrivals=(*abroad.arrivals, event.last_entry))


def _carriage(event: Carried) -> Carriage:
    return Carriage(envelope=event.envelope, last_entry=event.last_entry)


def _settled(world: Reader, state: BillState) -> BillState:
    """The status in which the transactions leave the bill on this platform."""
    if state.status is Status.SURRENDERED_FOR_DELIVERY:
        return state
    possessor = state.control.possessor
    if is_foreign(possessor):
        return replaced(state, status=Status.MOVED)
    if state.abroad.surrender is not None:
        pending = replaced(state.abroad, surrender=None)
        return replaced(state, status=state.abroad.surrender, abroad=pending)
    issue.require_consent(world.party(possessor), possessor, state.rulebook)
    return replaced(state, status=Status.ISSUED)
