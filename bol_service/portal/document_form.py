"""The form of a transport document: its answers made into the document, and its faults found.

1. A new version is written over the one before: what the form does not ask for stays as it was.
2. Every member that an answer makes is noted with the question, so that a broken rule of the
   standard is told beside the field it is about. A rule about members that nobody is asked for
   stands above the form.
3. A party that is registered here is named with its registered identifiers, by which ISSUE
   recognises it; a name that is left empty is the registered one.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bol_service.domain.states import PartyState
from bol_service.portal import document_members as members
from bol_service.portal import document_parties as parties
from bol_service.portal.document_members import Json
from bol_service.portal.document_questions import (
    IN_EQUIPMENT,
    KIND,
    OF_BOX,
    OF_GOODS,
    OF_PARTY,
    ROLES,
    Question,
    pointer_of,
    scalars,
)
from bol_service.portal.document_values import value_of
from bol_service.portal.forms import Given
from bol_service.wire.transport_document import Problem, problems

MAX_LINES: Final = 60
_LINE_NAME: Final = re.compile(r"(goods|box)-([0-9]{1,2})-[A-Za-z]+")
_UNITS: Final = {"weight": "KGM", "volume": "MTQ"}
_ITEMS: Final = "/consignmentItems"
_EQUIPMENT: Final = "/utilizedTransportEquipments"


@dataclass(frozen=True, kw_only=True)
class Around:
    """What stands around a form: the booking's number, who is registered, the platform's code.

    `carrier` is None where a shipper instructs: then nothing of the carrier's is written.
    """

    booking: str
    parties: Mapping[str, PartyState]
    platform_code: str
    carrier: PartyState | None = None


@dataclass(kw_only=True)
class Written:
    """The document; `asked` tells by pointer which question made a member, `own` what is wrong
    with the answers themselves."""

    document: Json
    asked: dict[str, str] = field(default_factory=dict)
    own: list[Problem] = field(default_factory=list)

    def put(self, name: str, pointer: str, value: object) -> None:
        self.asked[pointer] = name
        if value in ("", None, []):
            members.remove(self.document, pointer)
        else:
            members.put(self.document, pointer, value)

    def question_of(self, pointer: str) -> str:
        """The question that a pointer is about, nearest first; empty if none is."""
        at = pointer
        while at:
            if at in self.asked:
                return self.asked[at]
            at = at.rpartition("/")[0]
        return next((name for known, name in self.asked.items() if known.startswith(pointer)), "")


def line_numbers(given: Given, prefix: str) -> list[int]:
    """The numbers of the lines that a form has of one list."""
    matched = (_LINE_NAME.fullmatch(name) for name in given)
    found = {int(one[2]) for one in matched if one is not None and one[1] == prefix}
    return sorted(number for number in found if number < MAX_LINES)


def write(given: Given, base: Json, around: Around) -> Written:
    """The document that the answers make of `base`, which is left as it is."""
    written = Written(document=copy.deepcopy(base))
    kind = given.get(KIND.name, "")
    _constants(written, kind, around)
    for question in scalars():
        if question.by_carrier and around.carrier is None:
            continue
        written.put(
            question.name, question.pointer, value_of(question, given.get(question.name, ""))
        )
    for role in ROLES:
        if role != "carrier" or around.carrier is not None:
            _party(written, given, role, kind, around)
    _cargo(written, given, base, around)
    return written


def faults(written: Written, *, whole: bool) -> dict[str, list[Problem]]:
    """The broken rules by question; without `whole`, only those about what was answered."""
    found: dict[str, list[Problem]] = {}
    for problem in [*written.own, *problems(written.document)]:
        name = written.question_of(problem.pointer)
        missing = problem.rule == "required" and not whole
        if (whole or name) and not missing:
            found.setdefault(name, []).append(problem)
    return found


# -- the parts -----------------------------------------------------------------------------------


def _constants(written: Written, kind: str, around: Around) -> None:
    document = written.document
    document["transportDocumentTypeCode"] = "BOL"
    document["isElectronic"] = True
    document["isToOrder"] = kind != "STRAIGHT"
    written.asked["/isToOrder"] = KIND.name
    for other in {"consignee", "endorsee"} - {(pointer_of("to", kind) or "").rpartition("/")[2]}:
        members.remove(document, f"/documentParties/{other}")
    written.asked["/documentParties/consignee"] = "to-party"
    written.asked["/documentParties/notifyParties"] = "notify-name"
    if around.carrier is None:
        return
    document["transportDocumentStatus"] = "DRAFT"
    document["isShippedOnBoardType"] = False
    document["numberOfOriginalsWithoutCharges"] = 1
    code = around.carrier.carrier_code
    if code is not None:
        document["carrierCode"] = code.code
        document["carrierCodeListProvider"] = code.provider


def _party(written: Written, given: Given, role: str, kind: str, around: Around) -> None:
    base = pointer_of(role, kind)
    if base is None:
        return
    slug = given.get(f"{role}-party", "")
    registered = around.parties.get(slug)
    answers = _of_party(given, role, around.parties)
    if not any(answers.values()):
        members.remove(written.document, base)
        return
    if not answers["name"] and registered is not None:
        answers["name"] = registered.identity.legal_name
    named = parties.named_otherwise(answers["name"], slug, around.parties)
    if named:
        message = f"is the name of {named}, the party is {slug}; clear it to take the party's own"
        written.own.append(
            Problem(pointer=f"{base}/partyName", rule="name-of-party", message=message)
        )
    parties.forget(written.document, base, slug, around.parties)
    for question in OF_PARTY:
        if question.pointer:
            pointer = base + question.pointer
            written.put(f"{role}-{question.name}", pointer, answers[question.name])
    written.asked[base] = f"{role}-name"
    written.asked[f"{base}/identifyingCodes"] = f"{role}-party"
    if registered is not None:
        parties.identify(written.document, base, registered, around.platform_code)


def _of_party(given: Given, role: str, registered: Mapping[str, PartyState]) -> dict[str, str]:
    """The answers on one party. Name and address of the one that was chosen before go with it."""
    answers = {
        question.name: value_of(question, given.get(f"{role}-{question.name}", ""))
        for question in OF_PARTY
    }
    was = registered.get(given.get(f"{role}-was", ""))
    left = was is not None and was.slug != answers["party"]
    if left and was is not None and answers["name"] in ("", was.identity.legal_name):
        return {name: "" if name != "party" else answers[name] for name in answers}
    return answers


def _cargo(written: Written, given: Given, base: Json, around: Around) -> None:
    document = written.document
    before = _by_container(base)
    document[_ITEMS[1:]] = []
    document[_EQUIPMENT[1:]] = []
    lines = [number for number in line_numbers(given, "goods") if _said(given, "goods", number)]
    for place, number in enumerate(lines):
        kept = members.read(base, f"{_ITEMS}/{place}")
        item = dict(kept) if isinstance(kept, dict) else {}
        item.pop("cargoItems", None)
        item["carrierBookingReference"] = around.booking
        document[_ITEMS[1:]].append(item)
        for question in OF_GOODS:
            name = f"goods-{number}-{question.name}"
            value = value_of(question, given.get(name, ""))
            written.put(name, f"{_ITEMS}/{place}{question.pointer}", value)
        item["cargoItems"] = []
    for number in line_numbers(given, "box"):
        if _said(given, "box", number):
            _box(written, given, number, before, lines)
    _place_lists(written)


def _place_lists(written: Written) -> None:
    """Where faults of whole lists stand: at their first line."""
    written.asked[_ITEMS] = "goods-0-description"
    written.asked[_EQUIPMENT] = "box-0-container"
    for place in range(len(written.document[_ITEMS[1:]])):
        written.asked[f"{_ITEMS}/{place}/cargoItems"] = "box-0-goods"
    for name in ("consignmentItems", "utilizedTransportEquipments"):
        if not written.document[name]:
            del written.document[name]


def _box(
    written: Written,
    given: Given,
    number: int,
    before: Mapping[str, tuple[Json, dict[str, Json]]],
    lines: list[int],
) -> None:
    document = written.document
    container = value_of(OF_BOX[0], given.get(f"box-{number}-container", "")).upper()
    used, cargo = before.get(container, ({}, {}))
    place = _equipment_of(document, container, used)
    wanted = given.get(f"box-{number}-goods", "").strip() or "1"
    goods = int(wanted) - 1 if wanted.isdecimal() and len(wanted) < 3 else 0
    goods = goods if 0 <= goods < len(lines) else 0
    pointer = f"{_ITEMS}/{goods}/cargoItems"
    items = members.read(document, pointer)
    at = f"{pointer}/{len(items) if isinstance(items, list) else 0}"
    if isinstance(items, list):
        items.append(copy.deepcopy(cargo.get(str(goods), {})))
    written.asked[f"{at}/equipmentReference"] = f"box-{number}-container"
    members.put(document, f"{at}/equipmentReference", container)
    for question in OF_BOX:
        value = value_of(question, given.get(f"box-{number}-{question.name}", ""))
        _box_member(written, number, question, value, (place, at), used)


def _box_member(
    written: Written,
    number: int,
    question: Question,
    value: Any,
    places: tuple[str, str],
    used: Json,
) -> None:
    place, cargo = places
    name = f"box-{number}-{question.name}"
    if not question.pointer or question.name == "container":
        return
    if question.name == "seals":
        known = {str(seal.get("number")): seal for seal in members.objects(used, "/seals")}
        named = members.objects(written.document, f"{place}/seals")
        value = [*named, *(known.get(seal, {"number": seal}) for seal in value)]
    at = (place if question.name in IN_EQUIPMENT else cargo) + question.pointer
    if question.name == "isoType" and not value and members.read(written.document, at):
        return  # an earlier line of the same container has said it
    written.put(name, at, value)
    holder = at.rpartition("/")[0]
    amount = members.read(written.document, holder) if question.name in _UNITS else None
    if isinstance(amount, dict) and value == "":
        members.remove(written.document, holder)
    elif isinstance(amount, dict):
        amount.setdefault("unit", _UNITS[question.name])


def _equipment_of(document: Json, container: str, used: Json) -> str:
    listed = document[_EQUIPMENT[1:]]
    for number, one in enumerate(listed):
        if members.read(one, "/equipment/equipmentReference") == container:
            return f"{_EQUIPMENT}/{number}"
    listed.append({"isShipperOwned": False, **copy.deepcopy(used)})
    place = f"{_EQUIPMENT}/{len(listed) - 1}"
    for asked in ("/seals", "/equipment/ISOEquipmentCode"):
        members.remove(document, place + asked)  # the form says them anew
    members.put(document, f"{place}/equipment/equipmentReference", container)
    return place


def _by_container(base: Json) -> dict[str, tuple[Json, dict[str, Json]]]:
    """What the version before says of each container: equipment, and cargo items by goods."""
    found: dict[str, tuple[Json, dict[str, Json]]] = {}
    for used in members.objects(base, _EQUIPMENT):
        found[str(members.read(used, "/equipment/equipmentReference"))] = (used, {})
    for goods, item in enumerate(members.objects(base, _ITEMS)):
        for cargo in members.objects(item, "/cargoItems"):
            known = found.get(str(members.read(cargo, "/equipmentReference")))
            if known is not None:
                known[1].setdefault(str(goods), cargo)
    return found


def _said(given: Given, prefix: str, number: int) -> bool:
    questions = OF_GOODS if prefix == "goods" else OF_BOX
    names = [f"{prefix}-{number}-{one.name}" for one in questions if one.name != "goods"]
    return any(given.get(name, "").strip() for name in names)
