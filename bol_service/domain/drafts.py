"""The law of drafts: from booking to the version that may be issued.

1. The carrier opens a shipment with BOOKING and names its shipper, its custodians and customs.
2. The shipper, or its forwarder under a mandate valid when the act is recorded, submits
   instructions (LR-14).
3. The carrier publishes numbered drafts. A change request withdraws the version it names.
4. Only the shipper or its forwarder approves, and only the version published last: its number and
   its content digest must both be right. A new version undoes an approval.
5. The carrier may appoint another custodian for a leg; acts signed before stay as they are.
"""

from __future__ import annotations

from typing import assert_never

from bol_service.domain import errors
from bol_service.domain.events import (
    Appoint,
    ApproveDraft,
    Booking,
    Custodians,
    DraftEvent,
    Leg,
    PublishDraft,
    Recorded,
    RequestChange,
    Role,
    SubmitInstructions,
)
from bol_service.domain.states import OPERATOR, DraftState, DraftStatus, DraftVersion, Reader
from bol_service.domain.values import replaced


def apply(world: Reader, act: Recorded, event: DraftEvent) -> DraftState:
    """The shipment's draft state after `event`.

    Raises:
        errors.Refusal: The law does not allow it.
    """
    shipment = event.stream.removeprefix("draft:")
    if isinstance(event, Booking):
        return _booked(world, event, shipment)
    state = world.draft(shipment)
    if state is None:
        raise errors.NotFound(f"shipment {shipment} is not booked")
    match event:
        case SubmitInstructions():
            require_shipper_side(world, state, act)
            return _instructed(state, event)
        case PublishDraft():
            _require_carrier(state, event.actor)
            return _published(state, event)
        case RequestChange():
            require_shipper_side(world, state, act)
            _require_latest(state, event.version)
            return replaced(
                state, status=DraftStatus.CHANGE_REQUESTED, change_comment=event.comment
            )
        case ApproveDraft():
            require_shipper_side(world, state, act)
            return _approved(state, event)
        case Appoint():
            _require_carrier(state, event.actor)
            return _appointed(world, state, event)
        case _:
            assert_never(event)


def require_booking_carrier(world: Reader, actor: str) -> None:
    """Only a registered carrier opens a shipment; raises `NotCarrier`."""
    party = world.party(actor)
    if party is None or Role.CARRIER not in party.roles:
        raise errors.NotCarrier(f"{actor} is not registered as a carrier", pointer="/actor")


def require_shipper_side(world: Reader, state: DraftState, act: Recorded) -> None:
    """The shipper, or a forwarder with its mandate; raises `NoMandate`."""
    actor = act.event.actor
    if actor == state.shipper:
        return
    shipper = world.party(state.shipper)
    mandate = shipper.mandate(actor) if shipper else None
    if mandate is None or not mandate.covers(act.recorded_at):
        raise errors.NoMandate(
            f"{actor} has no mandate of {state.shipper} that is valid now", pointer="/actor"
        )


def _booked(world: Reader, event: Booking, shipment: str) -> DraftState:
    require_booking_carrier(world, event.actor)
    if world.draft(shipment) is not None:
        raise errors.AlreadyRegistered(f"shipment {shipment} is booked", pointer="/stream")
    if event.shipper in (event.actor, OPERATOR):
        raise errors.BadRecipient(
            f"{event.shipper} cannot be the shipper of a carrier's bill", pointer="/details/shipper"
        )
    named = {
        "shipper": (event.shipper, None),
        "forwarder": (event.forwarder, Role.FORWARDER),
        "custodians/receipt": (event.custodians.receipt, Role.TERMINAL),
        "custodians/rail": (event.custodians.rail, Role.RAIL_OPERATOR),
        "custodians/loading": (event.custodians.loading, Role.TERMINAL),
        "custodians/discharge": (event.custodians.discharge, Role.TERMINAL),
    }
    for name, (slug, role) in named.items():
        if slug is not None:
            _require_role(world, slug, role, f"/details/{name}")
    for number, slug in enumerate(event.customs):
        _require_role(world, slug, Role.CUSTOMS, f"/details/customs/{number}")
    _check_route(event)
    return DraftState(
        shipment=shipment,
        carrier=event.actor,
        reference=event.reference,
        shipper=event.shipper,
        forwarder=event.forwarder,
        custodians=event.custodians,
        containers=event.containers,
        customs=event.customs,
        customs_release=event.customs_release,
    )


def _check_route(event: Booking) -> None:
    if event.custodians.rail is None and event.custodians.receipt != event.custodians.loading:
        raise errors.BadEvent(
            f"without rail the cargo is received where it is loaded: receipt is "
            f"{event.custodians.receipt}, loading {event.custodians.loading}",
            pointer="/details/custodians",
        )
    if event.customs_release and not event.customs:
        raise errors.BadEvent(
            "customsRelease needs an authority in customs", pointer="/details/customs"
        )
    if len(set(event.containers)) != len(event.containers):
        raise errors.BadEvent("a container is named twice", pointer="/details/containers")


def _require_role(world: Reader, slug: str, role: Role | None, pointer: str) -> None:
    party = world.party(slug)
    if party is None or party.suspended:
        raise errors.RecipientUnavailable(f"{slug} is unknown or suspended", pointer=pointer)
    if role is not None and role not in party.roles:
        raise errors.BadEvent(f"{slug} is not registered as {role}", pointer=pointer)


def _require_carrier(state: DraftState, actor: str) -> None:
    if actor != state.carrier:
        raise errors.NotCarrier(
            f"{actor} is not the carrier of this shipment, {state.carrier} is", pointer="/actor"
        )


def _instructed(state: DraftState, event: SubmitInstructions) -> DraftState:
    # Instructions that arrive after a draft was published ask for another draft.
    status = DraftStatus.INSTRUCTED if state.version is None else DraftStatus.CHANGE_REQUESTED
    return replaced(
        state,
        status=status,
        instructions=event.document,
        instructions_reference=event.reference,
    )


def _published(state: DraftState, event: PublishDraft) -> DraftState:
    expected = state.version.version + 1 if state.version else 1
    if event.version != expected:
        raise errors.StaleDraft(
            f"version {event.version} was sent, the next version is {expected}",
            pointer="/details/version",
        )
    version = DraftVersion(
        version=event.version, document=event.document, content_digest=event.content_digest
    )
    return replaced(state, status=DraftStatus.DRAFT, version=version, change_comment=None)


def _require_latest(state: DraftState, version: int) -> DraftVersion:
    latest = state.version
    if latest is None or latest.version != version:
        raise errors.StaleDraft(
            f"version {version} was named, the latest draft is "
            f"{latest.version if latest else 'not published yet'}",
            pointer="/details/version",
        )
    return latest


def _approved(state: DraftState, event: ApproveDraft) -> DraftState:
    latest = _require_latest(state, event.version)
    if event.content_digest != latest.content_digest:
        raise errors.StaleDraft(
            f"digest {event.content_digest} was approved, version {latest.version} has "
            f"{latest.content_digest}",
            pointer="/details/contentDigest",
        )
    if state.status is DraftStatus.CHANGE_REQUESTED:
        raise errors.StaleDraft(
            f"version {latest.version} waits for a change, version {latest.version + 1} can be "
            "approved when it is published",
            pointer="/details/version",
        )
    return replaced(state, status=DraftStatus.APPROVED)


def _appointed(world: Reader, state: DraftState, event: Appoint) -> DraftState:
    if event.leg is Leg.RAIL and state.custodians.rail is None:
        raise errors.BadEvent("this shipment has no rail leg", pointer="/details/leg")
    role = Role.RAIL_OPERATOR if event.leg is Leg.RAIL else Role.TERMINAL
    _require_role(world, event.custodian, role, "/details/custodian")
    changed: dict[Leg, str | None] = {leg: state.custodians.of(leg) for leg in Leg}
    changed[event.leg] = event.custodian
    if state.custodians.rail is None and event.leg in (Leg.RECEIPT, Leg.LOADING):
        # One port receives and loads when there is no rail leg between them.
        changed[Leg.RECEIPT] = changed[Leg.LOADING] = event.custodian
    receipt, loading, discharge = (
        changed[Leg.RECEIPT],
        changed[Leg.LOADING],
        changed[Leg.DISCHARGE],
    )
    assert receipt is not None
    assert loading is not None
    assert discharge is not None
    custodians = Custodians(
        receipt=receipt, rail=changed[Leg.RAIL], loading=loading, discharge=discharge
    )
    return replaced(state, custodians=custodians)
