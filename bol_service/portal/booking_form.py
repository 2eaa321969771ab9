"""What a booking asks, and the signed details that its answers make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bol_service.domain import identifiers
from bol_service.domain.events import Action, Leg, Role
from bol_service.domain.states import PartyState
from bol_service.portal.forms import Answers, Choice, Field, Given, Json, read
from bol_service.portal.language import party_name

_KEEPERS: Final[Mapping[Leg, Role]] = {
    Leg.RECEIPT: Role.TERMINAL,
    Leg.RAIL: Role.RAIL_OPERATOR,
    Leg.LOADING: Role.TERMINAL,
    Leg.DISCHARGE: Role.TERMINAL,
}


def fields_of(parties: Mapping[str, PartyState], carrier: str) -> tuple[Field, ...]:
    """The questions; everybody but the carrier itself can ship."""

    def named(role: Role | None) -> tuple[Choice, ...]:
        return tuple(
            (slug, f"{party_name(one, slug)} ({slug})")
            for slug, one in parties.items()
            if slug != carrier and (role is None or role in one.roles)
        )

    legs = tuple(
        Field(name=f"leg.{leg}", kind="choice", required=leg is not Leg.RAIL, choices=named(role))
        for leg, role in _KEEPERS.items()
    )
    return (
        Field(name="carrierBookingReference", limit=35),
        Field(name="shipper", kind="choice", choices=named(None)),
        Field(name="forwarder", kind="choice", required=False, choices=named(Role.FORWARDER)),
        *legs,
        Field(name="boxes", kind="long", required=False, limit=1000),
        Field(name="customs", kind="choice", required=False, choices=named(Role.CUSTOMS)),
        Field(name="customsRelease", kind="tick", required=False),
    )


def proposals(shipment: str) -> Given:
    """What the form is filled with at first."""
    return Given({"shipment": shipment})


def answers_of(fields: Sequence[Field], form: Given) -> Answers:
    """The answers, checked as the platform checks the signed event and as the law checks them."""
    given, faults = read(fields, form)
    boxes = given.pop("boxes", "").replace(",", " ").upper().split()
    for box in boxes:
        try:
            identifiers.check_container(box)
        except ValueError:
            faults["boxes"] = "fault.container"
    if len(set(boxes)) != len(boxes):
        faults["boxes"] = "fault.twice"
    if given.get("customsRelease") and "customs" not in given:
        faults["customs"] = "fault.missing"
    if "leg.rail" not in given and given.get("leg.receipt") != given.get("leg.loading"):
        faults.setdefault("leg.loading", "fault.one_port")
    if faults:
        return Answers(faults=faults)
    answers = Answers(details=_details(given, boxes))
    answers.check(Action.BOOKING)
    return answers


def _details(given: Json, boxes: list[str]) -> Json:
    details: Json = {
        "carrierBookingReference": given["carrierBookingReference"],
        "shipper": given["shipper"],
        "custodians": {str(leg): given[f"leg.{leg}"] for leg in _KEEPERS if f"leg.{leg}" in given},
        "customsRelease": bool(given.get("customsRelease", False)),
    }
    if "forwarder" in given:
        details["forwarder"] = given["forwarder"]
    if "customs" in given:
        details["customs"] = [given["customs"]]
    if boxes:
        details["containers"] = boxes
    return details
