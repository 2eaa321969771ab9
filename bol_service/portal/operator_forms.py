"""What the operator says of a party that it registers: roles, carrier code, terminal locations."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Any, Final

from bol_service.domain.events import Action, Role
from bol_service.portal.forms import Answers, Field, Given, Json, read
from bol_service.portal.language import t

_ROLES: Final = tuple(str(role) for role in Role if role is not Role.OPERATOR)
_LISTS: Final = ("NMFTA", "SMDG")
_PLACE: Final = re.compile(r"([A-Z]{2}[A-Z2-9]{3}) (.{1,100})")
FIELDS: Final = (
    Field(name="roles", kind="several", choices=tuple((role, role) for role in _ROLES)),
    Field(name="carrierCode", required=False, limit=4),
    Field(
        name="codeListProvider",
        kind="choice",
        required=False,
        choices=tuple((name, name) for name in _LISTS),
    ),
    Field(name="facilities", kind="long", required=False, limit=2000),
)


def told(field: Field) -> Field:
    """The question with its choices in the reader's language."""
    if field.name != "roles":
        return field
    return replace(field, choices=[(role, t(f"role.{role}")) for role, _ in field.choices])


def registration(form: Given, asked: Json) -> Answers:
    """The details of REGISTER: what the applicant proved, and what the operator adds to it."""
    given, faults = read([field for field in FIELDS if field.name != "facilities"], form)
    facilities, fault = _facilities(form.get("facilities", ""))
    if fault:
        faults["facilities"] = fault
    faults = {**_unfit(given.get("roles", []), given, facilities), **faults}
    if faults:
        return Answers(faults=faults)
    details: dict[str, Any] = {name: asked[name] for name in ("identity", "key", "keyProof")}
    details["roles"] = given["roles"]
    if "carrierCode" in given:
        code, provider = given["carrierCode"], given["codeListProvider"]
        details["carrierCode"] = {"code": code, "codeListProvider": provider}
    if facilities:
        details["facilities"] = facilities
    answers = Answers(details=details)
    answers.check(Action.REGISTER)
    return answers


def _unfit(roles: list[str], given: Json, facilities: list[Json]) -> dict[str, str]:
    """What the law asks for with a role, and with no other (`domain.party`)."""
    found = {}
    if (Role.CARRIER in roles) != ("carrierCode" in given):
        found["carrierCode"] = "fault.carrier_code"
    if "carrierCode" in given and "codeListProvider" not in given:
        found["codeListProvider"] = "fault.missing"
    if (Role.TERMINAL in roles) != bool(facilities):
        found["facilities"] = "fault.terminal"
    if Role.EXCHANGE in roles and len(roles) > 1:
        found["roles"] = "fault.exchange_alone"
    return found


def _facilities(text: str) -> tuple[list[Json], str]:
    """One place a line, its UN/LOCODE first: `SGSIN Pasir Panjang Terminal 4`."""
    found = []
    for line in unicodedata.normalize("NFC", text).splitlines():
        words = " ".join(line.split())
        place = _PLACE.fullmatch(words)
        if words and place is None:
            return [], "fault.facility"
        if place is not None:
            found.append({"UNLocationCode": place[1], "facilityName": place[2]})
    return found, ""
