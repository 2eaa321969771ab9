"""The law of custody: where each container is, signed by whoever keeps it.

1. `TRANSITIONS` is the whole journey: from which place an act is possible, who signs it, and where
   the container is afterwards. Both routes are in it: with rail, and received at the port itself.
2. Only the custodian that the booking names for the leg signs; customs release is signed by a
   customs authority that the booking names.
3. `occurred_at` never runs backwards, is at most a day older than the signature, and `local_date`
   is a date that some place on earth had at that moment. The law knows no time-zone database.
4. Seals that differ from those seen before are no ground to refuse the event, which tells a fact,
   but make an exception that carrier, holder and customs see.
5. GATE_OUT passes the release guard in `release`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bol_service.domain import errors, release
from bol_service.domain.events import (
    Action,
    CustodyEvent,
    CustomsRelease,
    GateIn,
    GateOut,
    Leg,
    LoadedVessel,
    Recorded,
    VesselDeparted,
)
from bol_service.domain.states import (
    CustodyState,
    DraftState,
    Loading,
    Place,
    Reader,
    SealException,
)
from bol_service.domain.values import replaced

OLDEST_REPORT = timedelta(hours=24)
CLOCK_TOLERANCE = timedelta(minutes=5)
# Offsets of legal time on earth: UTC-12 to UTC+14.
_EARLIEST_ZONE, _LATEST_ZONE = timedelta(hours=-12), timedelta(hours=14)


@dataclass(frozen=True)
class Transition:
    """From which places (None: not received yet), signed on which leg, to which place."""

    before: frozenset[Place | None]
    leg: Leg
    after: Place


def _step(before: Place | None, leg: Leg, after: Place) -> Transition:
    return Transition(frozenset({before}), leg, after)


TRANSITIONS: dict[Action, Transition] = {
    Action.GATE_IN: _step(None, Leg.RECEIPT, Place.GATE_IN),
    Action.LOADED_RAIL: _step(Place.GATE_IN, Leg.RAIL, Place.LOADED_RAIL),
    Action.RAIL_DEPARTED: _step(Place.LOADED_RAIL, Leg.RAIL, Place.RAIL_DEPARTED),
    Action.RAIL_ARRIVED: _step(Place.RAIL_DEPARTED, Leg.RAIL, Place.RAIL_ARRIVED),
    Action.RECEIVED_TRANSHIPMENT: _step(
        Place.RAIL_ARRIVED, Leg.LOADING, Place.RECEIVED_TRANSHIPMENT
    ),
    # Without a rail leg the port that receives also loads: see `_require_place`.
    Action.LOADED_VESSEL: Transition(
        frozenset({Place.RECEIVED_TRANSHIPMENT, Place.GATE_IN}), Leg.LOADING, Place.LOADED_VESSEL
    ),
    Action.VESSEL_DEPARTED: _step(Place.LOADED_VESSEL, Leg.LOADING, Place.VESSEL_DEPARTED),
    Action.DISCHARGED: _step(Place.VESSEL_DEPARTED, Leg.DISCHARGE, Place.DISCHARGED),
    Action.GATE_OUT: _step(Place.DISCHARGED, Leg.DISCHARGE, Place.GATE_OUT),
}


def apply(world: Reader, act: Recorded, event: CustodyEvent) -> CustodyState:
    """The container's custody state after `event`.

    Raises:
        errors.Refusal: The law does not allow it.
    """
    _, shipment, container = event.stream.split(":")
    draft = require_party_to_custody(world, event.actor, shipment)
    state = world.custody(shipment, container)
    _check_dates(event, act, state)
    if isinstance(event, CustomsRelease):
        return _released_by_customs(draft, state, event)
    transition = TRANSITIONS[event.action]
    _require_custodian(draft, transition.leg, event)
    _require_booked(draft, container)
    if isinstance(event, GateOut):
        # The guard speaks before the place does: "not surrendered" is the reason a gate must hear.
        release.check(world, act, event, draft, state)
    _require_place(draft, transition, state, event)
    if state is None:
        return _received(shipment, container, event)
    return _moved(state, transition.after, event)


def require_party_to_custody(world: Reader, actor: str, shipment: str) -> DraftState:
    """The booking, if `actor` has a part in its custody; raises `NotFound` otherwise."""
    draft = world.draft(shipment)
    if draft is None or actor not in parties_to_custody(draft):
        raise errors.NotFound(f"no custody of shipment {shipment} is known to {actor}")
    return draft


def parties_to_custody(draft: DraftState) -> frozenset[str]:
    """Who may know the custody streams of a shipment by the booking alone."""
    named = {draft.carrier, draft.shipper, draft.forwarder, *draft.customs}
    named |= draft.custodians.named
    return frozenset(slug for slug in named if slug is not None)


def _check_dates(event: CustodyEvent, act: Recorded, state: CustodyState | None) -> None:
    if not -OLDEST_REPORT <= event.occurred_at - event.at <= CLOCK_TOLERANCE:
        raise errors.BadTime(
            f"occurredAt {event.occurred_at.isoformat()} is not within a day before the signature "
            f"at {event.at.isoformat()}",
            pointer="/details/occurredAt",
        )
    if event.occurred_at - act.recorded_at > CLOCK_TOLERANCE:
        raise errors.BadTime(
            f"occurredAt {event.occurred_at.isoformat()} lies after the recording at "
            f"{act.recorded_at.isoformat()}",
            pointer="/details/occurredAt",
        )
    # Customs works beside the journey: its release may be signed before or after a move.
    ordered = not isinstance(event, CustomsRelease)
    if ordered and state is not None and event.occurred_at < state.since:
        raise errors.BadTime(
            f"occurredAt {event.occurred_at.isoformat()} lies before the container's last event "
            f"at {state.since.isoformat()}",
            pointer="/details/occurredAt",
        )
    if not is_local_date(event.local_date, event.occurred_at):
        raise errors.BadTime(
            f"localDate {event.local_date} was nowhere the date at {event.occurred_at.isoformat()}",
            pointer="/details/localDate",
        )


def is_local_date(day: date, moment: datetime) -> bool:
    """Whether some place on earth had the date `day` at the UTC `moment`."""
    since_midnight = moment - datetime(day.year, day.month, day.day, tzinfo=UTC)
    return -_LATEST_ZONE <= since_midnight < timedelta(days=1) - _EARLIEST_ZONE


def _require_custodian(draft: DraftState, leg: Leg, event: CustodyEvent) -> None:
    custodian = draft.custodians.of(leg)
    if event.actor != custodian:
        raise errors.NotCustodian(
            f"{event.actor} signed {event.action}, the booking names {custodian or 'nobody'} for "
            f"the leg {leg}",
            pointer="/actor",
        )


def _require_booked(draft: DraftState, container: str) -> None:
    if draft.containers and container not in draft.containers:
        raise errors.NotOnBill(
            f"container {container} is not on booking {draft.reference} "
            f"({', '.join(draft.containers)})",
            pointer="/stream",
        )


def _require_place(
    draft: DraftState, transition: Transition, state: CustodyState | None, event: CustodyEvent
) -> None:
    place = state.place if state else None
    allowed = transition.before
    if event.action is Action.LOADED_VESSEL:
        # With rail the container comes off the train, without rail through the port's own gate.
        only = Place.RECEIVED_TRANSHIPMENT if draft.custodians.rail else Place.GATE_IN
        allowed = frozenset({only})
    if place not in allowed:
        names = " or ".join(sorted(str(before or "not received") for before in allowed))
        raise errors.BadTransition(
            f"{event.action} needs the container at {names}, it is at {place or 'not received'}",
            pointer="/action",
        )


def _received(shipment: str, container: str, event: CustodyEvent) -> CustodyState:
    assert isinstance(event, GateIn)
    return CustodyState(
        shipment=shipment,
        container=container,
        place=Place.GATE_IN,
        custodian=event.actor,
        since=event.occurred_at,
        received_on=event.local_date,
        seals=event.seals,
    )


def _moved(state: CustodyState, place: Place, event: CustodyEvent) -> CustodyState:
    moved = replaced(
        _sealed(state, event), place=place, custodian=event.actor, since=event.occurred_at
    )
    if isinstance(event, LoadedVessel):
        loading = Loading(
            vessel=event.vessel,
            voyage=event.voyage,
            local_date=event.local_date,
            terminal=event.actor,
        )
        return replaced(moved, loading=loading)
    if isinstance(event, VesselDeparted):
        _require_same_voyage(state, event)
    if isinstance(event, GateOut):
        return replaced(moved, released_under=event.order)
    return moved


def _require_same_voyage(state: CustodyState, event: VesselDeparted) -> None:
    loaded = state.loading
    if loaded is None or (loaded.vessel, loaded.voyage) != (event.vessel, event.voyage):
        raise errors.NotLoaded(
            f"{state.container} was loaded on "
            f"{f'{loaded.vessel} {loaded.voyage}' if loaded else 'no vessel'}, not on "
            f"{event.vessel} {event.voyage}",
            pointer="/details/vessel",
        )


def _sealed(state: CustodyState, event: CustodyEvent) -> CustodyState:
    if event.seals is None:
        return state
    if state.seals is None:
        return replaced(state, seals=event.seals)  # read for the first time: nothing to differ from
    if set(event.seals) == set(state.seals):
        return state
    exception = SealException(
        sequence=event.sequence, custodian=event.actor, expected=state.seals, found=event.seals
    )
    # What was found is what the next custodian must find: one exception per change, not per leg.
    return replaced(state, seals=event.seals, exceptions=(*state.exceptions, exception))


def _released_by_customs(
    draft: DraftState, state: CustodyState | None, event: CustomsRelease
) -> CustodyState:
    if event.actor not in draft.customs:
        raise errors.NotCustodian(
            f"{event.actor} is not a customs authority of this booking "
            f"({', '.join(draft.customs) or 'it names none'})",
            pointer="/actor",
        )
    if state is None or state.place is Place.GATE_OUT:
        raise errors.BadTransition(
            f"customs releases a container between GATE_IN and GATE_OUT, it is at "
            f"{state.place if state else 'not received'}",
            pointer="/action",
        )
    if state.customs_released is not None:
        raise errors.BadTransition(
            f"{state.container} was released by customs under {state.customs_released} already",
            pointer="/action",
        )
    return replaced(_sealed(state, event), customs_released=event.reference)
