"""The answers that a document gives to the form's questions: the form as it is first shown.

1. A new draft starts from the version before it; the first one from the shipper's instructions,
   from what the booking says, and from what this carrier wrote on its drafts before.
2. A container with goods of two kinds takes two lines, one for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bol_service.domain.states import PartyState
from bol_service.portal.document_members import Json, objects, read
from bol_service.portal.document_questions import (
    KIND,
    OF_BOX,
    OF_GOODS,
    OF_PARTY,
    ROLES,
    Kind,
    Question,
    pointer_of,
    scalars,
)
from bol_service.portal.forms import Given

_FACILITY_LEGS = (
    ("receipt", "receipt"),
    ("loading", "loading"),
    ("discharge", "discharge"),
    ("delivery", "discharge"),
)
# What a carrier writes on every bill, and what it writes again for the same shipper.
_HOUSE = ("payableAt", "terms", "clauses", "issueName", "issueCode", "contactName", "contactEmail")


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a first draft is made from."""

    view: Json
    names: Mapping[str, PartyState]
    instructions: Json | None = None
    recent: tuple[Json, ...] = ()


def of_document(document: Json) -> Given:
    """The answers that this document gives; what it does not say is left out."""
    kind = _kind(document)
    given = Given({KIND.name: kind} if kind else {})
    for question in scalars():
        _fill(given, question.name, question, read(document, question.pointer))
    for role in ROLES:
        base = pointer_of(role, kind)
        party = read(document, base) if base else None
        if isinstance(party, dict):
            _fill_party(given, role, party)
    for number, item in enumerate(objects(document, "/consignmentItems")):
        for question in OF_GOODS:
            _fill(given, f"goods-{number}-{question.name}", question, read(item, question.pointer))
    for number, (goods, cargo, used) in enumerate(_boxes(document)):
        _fill_box(given, number, goods, cargo, used)
    return given


def first(start: Start) -> Given:
    """The answers with which the form of a first draft begins."""
    given = _from_booking(start)
    same = [one for one in start.recent if _slug(one, "shipper") == start.view["shipper"]]
    for document in start.recent[:1]:
        _take(given, of_document(document), (*_HOUSE, *_of_role("carrier")))
    for document in same[:1]:
        roles = [name for role in ("shipper", "notify") for name in _of_role(role)]
        _take(given, of_document(document), roles)
    for document in reversed(start.recent):
        _name_places(given, of_document(document))
    if start.instructions is not None:
        _follow(given, of_document(start.instructions))
    return given


def _follow(given: Given, instructed: Given) -> None:
    """What the shipper instructs goes before; its containers replace those of the booking."""
    if any(name.startswith("box-") for name in instructed):
        for name in [name for name in given if name.startswith("box-")]:
            del given[name]
    for role in ROLES:
        if instructed.get(f"{role}-street") or instructed.get(f"{role}-city"):
            for name in _of_role(role):
                given.pop(name, None)  # one address, not two mixed
    _take(given, instructed, list(instructed))


def _name_places(given: Given, other: Given) -> None:
    """A place is called what this carrier called it before, where its code is the same."""
    for place in ("receipt", "loading", "discharge", "delivery"):
        if other.get(f"{place}Code") and other.get(f"{place}Code") == given.get(f"{place}Code"):
            _take(given, other, (f"{place}Name", f"displayed{place.capitalize()}"))


def _take(given: Given, other: Given, names: Iterable[str]) -> None:
    for name in names:
        if other.get(name):
            given[name] = other[name]


def _of_role(role: str) -> tuple[str, ...]:
    return tuple(f"{role}-{question.name}" for question in OF_PARTY)


def _from_booking(start: Start) -> Given:
    view = start.view
    given = Given(
        {
            "kind": "ORDER",
            "freight": "PRE",
            "receiptType": "CY",
            "deliveryType": "CY",
            "movementOrigin": "FCL",
            "movementDestination": "FCL",
            "preCarriage": "RAIL" if "rail" in view["custodians"] else "",
            "shipper-party": view["shipper"],
            "to-party": view["shipper"],
            "carrier-party": view["carrier"],
        }
    )
    for place, leg in _FACILITY_LEGS:
        keeper = start.names.get(view["custodians"][leg])
        for facility in keeper.facilities[:1] if keeper else ():
            given[f"{place}Code"] = facility.un_location_code
    for number, container in enumerate(view["containers"]):
        given[f"box-{number}-container"] = container
        given[f"box-{number}-goods"] = "1"
    return given


def _fill(given: Given, name: str, question: Question, value: Any) -> None:
    if value is None:
        return
    if question.kind is Kind.LINES and isinstance(value, list):
        given[name] = "\n".join(str(line) for line in value)
    elif question.kind is Kind.LIST and isinstance(value, list):
        given[name] = " ".join(str(one) for one in value)
    elif not isinstance(value, dict | list):
        given[name] = str(value)


def _fill_party(given: Given, role: str, party: Json) -> None:
    for question in OF_PARTY:
        if question.pointer:
            _fill(given, f"{role}-{question.name}", question, read(party, question.pointer))
    slug = _code(party)
    if slug:
        given[f"{role}-party"] = slug


def _fill_box(given: Given, number: int, goods: int, cargo: Json, used: Json) -> None:
    for question in OF_BOX:
        value = read(used, question.pointer) if question.pointer else None
        if value is None and question.pointer:
            value = read(cargo, question.pointer)
        if question.name == "seals" and isinstance(value, list):
            value = [seal.get("number", "") for seal in value if isinstance(seal, dict)]
        _fill(given, f"box-{number}-{question.name}", question, value)
    if cargo:
        given[f"box-{number}-container"] = str(cargo.get("equipmentReference", ""))
        given[f"box-{number}-goods"] = str(goods + 1)


def _boxes(document: Json) -> Iterable[tuple[int, Json, Json]]:
    """Every cargo item with its container, then the containers that no cargo item names."""
    equipment = {
        str(read(used, "/equipment/equipmentReference")): used
        for used in objects(document, "/utilizedTransportEquipments")
    }
    left = dict(equipment)
    for goods, item in enumerate(objects(document, "/consignmentItems")):
        for cargo in objects(item, "/cargoItems"):
            number = str(cargo.get("equipmentReference"))
            left.pop(number, None)
            yield goods, cargo, equipment.get(number, {})
    for used in left.values():
        yield 0, {}, used


def _kind(document: Json) -> str:
    to_order = document.get("isToOrder")
    if to_order is False:
        return "STRAIGHT"
    if to_order is not True:
        return ""
    return "ORDER" if read(document, "/documentParties/endorsee") else "BLANK"


def _slug(document: Json, role: str) -> str:
    party = read(document, f"/documentParties/{role}")
    return _code(party) if isinstance(party, dict) else ""


def _code(party: Json) -> str:
    codes = objects(party, "/identifyingCodes")
    agreed = (code.get("partyCode") for code in codes if code.get("codeListProvider") == "ZZZ")
    return next((str(code) for code in agreed if code), "")
