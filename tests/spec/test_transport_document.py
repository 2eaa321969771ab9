"""The transport document: the constraint of every member, and every rule between members.

The members are walked, so that a new one is tested as soon as the complete document shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from marshmallow import Schema, fields

from bol_service.wire.transport_document import Problem, TransportDocument, problems
from bol_service.wire.transport_document_dangerous_goods import DangerousGoods
from bol_service.wire.transport_document_forms import EMAIL, Size
from bol_service.wire.transport_document_problem import flatten
from bol_service.wire.transport_document_voyage import InvoicePayableAt, PlaceOfIssue
from tests.broken_documents import (
    BROKEN_MEMBERS,
    BROKEN_RULES,
    DANGEROUS,
    REEFER,
    Broken,
    holder_of,
)
from tests.complete_document import complete_document
from tests.documents import (
    Json,
    blank_document,
    corridor_document,
    draft_of,
    straight_document,
)


class Visit(NamedTuple):
    """A member of the complete document, with the field that describes it."""

    pointer: str
    steps: list[str | int]
    field: fields.Field[Any]


def visits(schema: Schema, value: Json, *steps: str | int) -> Iterator[Visit]:
    """Every member that schema and value have in common, lists by their first entry."""
    for name, field in schema.fields.items():
        if name in value:
            yield from _visits(field, value[name], *steps, name)


def _visits(field: fields.Field[Any], value: Any, *steps: str | int) -> Iterator[Visit]:
    yield Visit("/" + "/".join(map(str, steps)), list(steps), field)
    if isinstance(field, fields.List):
        yield from _visits(field.inner, value[0], *steps, 0)
    if isinstance(field, fields.Nested):
        yield from visits(field.schema, value, *steps)


SCHEMA = TransportDocument()
BROKEN = BROKEN_MEMBERS + BROKEN_RULES
MEMBERS = list(visits(SCHEMA, complete_document()))
REQUIRED = [visit for visit in MEMBERS if visit.field.required]
SIZED = [
    (visit, validator)
    for visit in MEMBERS
    for validator in visit.field.validators
    if isinstance(validator, Size) and validator.max is not None
]


def structural(document: Json) -> list[Problem]:
    """What the schemas alone find."""
    return list(flatten(SCHEMA.validate(document)))


def places(found: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.rule) for problem in found]


# --- documents that are right -------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        corridor_document(),
        straight_document(),
        blank_document(),
        draft_of(corridor_document()),
        draft_of(corridor_document(), transportDocumentStatus="APPROVED"),
        draft_of(corridor_document(), numberOfOriginalsWithoutCharges=None),
        corridor_document(
            isShippedOnBoardType=True,
            receivedForShipmentDate=None,
            shippedOnBoardDate="2027-03-01",
        ),
        corridor_document(
            numberOfOriginalsWithCharges=1,
            numberOfOriginalsWithoutCharges=None,
            numberOfCopiesWithCharges=0,
        ),
        corridor_document(declaredValue=486400.25, declaredValueCurrency="USD"),
        straight_document(
            transportDocumentTypeCode="SWB",
            numberOfOriginalsWithCharges=None,
            numberOfOriginalsWithoutCharges=None,
            numberOfCopiesWithCharges=2,
        ),
        corridor_document(isElectronic=False, numberOfOriginalsWithoutCharges=3),
    ],
    ids=[
        "to order, received for shipment",
        "straight",
        "blank",
        "draft",
        "approved draft",
        "draft without counters",
        "on board",
        "original that shows charges",
        "declared value",
        "sea waybill",
        "paper bill with three originals",
    ],
)
def test_a_right_document_has_no_problem(document: Json) -> None:
    assert problems(document) == []


def test_the_complete_document_shows_every_member_of_the_standard() -> None:
    """But for the other half of three alternatives; so the walks below miss nothing."""
    shown = {(type(visit.field.parent), visit.steps[-1]) for visit in MEMBERS}
    described = {
        (type(visit.field.schema), name)
        for visit in MEMBERS
        if isinstance(visit.field, fields.Nested)
        for name in visit.field.schema.fields
    }
    assert {name for _, name in described - shown} == {"NANumber", "countryCode", "UNLocationCode"}
    assert {schema for schema, _ in described - shown} == {
        DangerousGoods,
        InvoicePayableAt,
        PlaceOfIssue,
    }
    assert set(SCHEMA.fields) == {visit.steps[0] for visit in MEMBERS}
    assert structural(complete_document()) == []


# --- single members -----------------------------------------------------------------------------


@pytest.mark.parametrize("visit", REQUIRED, ids=[visit.pointer for visit in REQUIRED])
def test_a_required_member_cannot_be_left_out(visit: Visit) -> None:
    document = complete_document()
    del holder_of(document, visit.steps)[visit.steps[-1]]
    assert (visit.pointer, "required") in places(problems(document))


@pytest.mark.parametrize("wrong", [None, [[]]], ids=["null", "a list of lists"])
@pytest.mark.parametrize("depth", sorted({len(visit.steps) for visit in MEMBERS}))
def test_no_member_takes_a_value_of_another_type(wrong: object, depth: int) -> None:
    """All members of one depth at once: none of them is part of another."""
    document, spoilt = complete_document(), [each for each in MEMBERS if len(each.steps) == depth]
    for visit in spoilt:
        holder_of(document, visit.steps)[visit.steps[-1]] = wrong
    found = [problem.pointer for problem in problems(document) if problem.rule == "type"]
    for visit in spoilt:
        assert any(f"{place}/".startswith(f"{visit.pointer}/") for place in found), visit.pointer


@pytest.mark.parametrize(
    ("visit", "size"), SIZED, ids=[f"{visit.pointer} {size.max}" for visit, size in SIZED]
)
def test_a_member_is_as_long_as_allowed_and_no_longer(visit: Visit, size: Size) -> None:
    rule = "max-items" if isinstance(visit.field, fields.List) else "max-length"
    assert size.max is not None
    for length, refused in ((size.max, False), (size.max + 1, True)):
        document = complete_document()
        holder = holder_of(document, visit.steps)
        holder[visit.steps[-1]] = _of_length(visit.field, holder[visit.steps[-1]], length)
        found = structural(document)
        assert ((visit.pointer, rule) in places(found)) is refused
        assert refused or found == []


def _of_length(field: fields.Field[Any], value: Any, length: int) -> Any:
    if isinstance(field, fields.List):
        return [value[0]] * length
    if EMAIL in field.validators:
        return "x" * (length - len("@party.example")) + "@party.example"
    return "é" * length


# --- rules --------------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", BROKEN, ids=[broken.name for broken in BROKEN])
def test_one_wrong_thing_is_one_problem(broken: Broken) -> None:
    assert places(problems(broken.document())) == [(broken.pointer, broken.rule)]


def test_a_sea_waybill_has_no_originals() -> None:
    document = straight_document(transportDocumentTypeCode="SWB")
    assert places(problems(document)) == [
        ("/numberOfOriginalsWithCharges", "C2.2"),
        ("/numberOfOriginalsWithoutCharges", "C2.2"),
    ]


def test_an_endorsee_who_is_to_be_notified_replaces_the_notify_party() -> None:
    document = corridor_document()
    del document["documentParties"]["notifyParties"]
    document["documentParties"]["endorsee"]["isNotifyParty"] = True
    assert problems(document) == []


@pytest.mark.parametrize("member", ["address", "identifyingCodes"])
def test_an_address_or_a_code_alone_is_enough_to_find_a_party(member: str) -> None:
    document = corridor_document()
    del document["documentParties"]["shipper"][member]
    assert problems(document) == []


def test_bounds_belong_to_what_they_bound() -> None:
    document = corridor_document()
    for change in REEFER:
        change(document)
    document["utilizedTransportEquipments"][0]["activeReeferSettings"]["o2Setpoint"] = 100
    document["utilizedTransportEquipments"][0]["activeReeferSettings"]["co2Setpoint"] = 0
    packaging = document["consignmentItems"][0]["cargoItems"][0]["outerPackaging"]
    packaging["numberOfPackages"] = 99999999
    assert problems(document) == []


def test_a_ship_may_arrive_on_the_day_it_leaves() -> None:
    document = corridor_document()
    document["transports"]["plannedArrivalDate"] = "2027-03-05"
    assert problems(document) == []


def test_paper_prints_two_address_lines() -> None:
    document = corridor_document(isElectronic=False)
    document["documentParties"]["shipper"]["displayedAddress"] = ["YUBEI", "CHONGQING"]
    assert problems(document) == []


def test_a_document_may_be_nested_32_levels_deep_and_no_deeper() -> None:
    deep: Any = "x"
    for _ in range(32):
        deep = [deep]
    assert problems(corridor_document(**{"x-deep": deep})) == []
    assert places(problems(corridor_document(**{"x-deep": [deep]}))) == [
        ("/x-deep" + "/0" * 32, "depth")
    ]


def test_a_running_reefer_with_its_settings_is_accepted() -> None:
    document = corridor_document()
    for change in REEFER:
        change(document)
    assert problems(document) == []


def test_packed_dangerous_goods_are_accepted() -> None:
    document = corridor_document()
    DANGEROUS(document)
    assert problems(document) == []


@pytest.mark.parametrize("status", ["DRAFT", "APPROVED"])
def test_a_draft_may_lack_what_comes_with_issue_but_not_contradict_it(status: str) -> None:
    draft = draft_of(corridor_document(), transportDocumentStatus=status)
    assert problems(draft) == []
    assert places(problems(draft | {"shippedOnBoardDate": "2027-03-01"})) == [
        ("/shippedOnBoardDate", "C2.4")
    ]
    assert places(problems(draft | {"numberOfOriginalsWithCharges": 1})) == [
        ("/numberOfOriginalsWithoutCharges", "C2.2")
    ]


def test_a_draft_turned_into_an_issued_document_needs_its_dates_and_its_original() -> None:
    document = draft_of(
        corridor_document(),
        transportDocumentStatus="ISSUED",
        numberOfOriginalsWithoutCharges=None,
    )
    assert sorted(places(problems(document))) == [
        ("/issueDate", "C2.4"),
        ("/numberOfOriginalsWithoutCharges", "one-original"),
        ("/receivedForShipmentDate", "C2.4"),
    ]


def test_all_problems_are_told_at_once() -> None:
    document = corridor_document(issueDate="soon", carrierCode="TOO LONG")
    document["documentParties"]["shipper"] = 7
    del document["consignmentItems"][0]["cargoItems"][1]["outerPackaging"]["numberOfPackages"]
    document["transports"]["plannedArrivalDate"] = "2027-03-04"
    assert set(places(problems(document))) == {
        ("/issueDate", "type"),
        ("/carrierCode", "max-length"),
        ("/carrierCode", "pattern"),
        ("/documentParties/shipper", "type"),
        ("/consignmentItems/0/cargoItems/1/outerPackaging/numberOfPackages", "required"),
        ("/transports/plannedArrivalDate", "departure-before-arrival"),
    }


@pytest.mark.parametrize("name", ["documentParties", "transports", "isShippedOnBoardType"])
def test_the_rules_stand_a_part_that_is_missing_or_of_another_type(name: str) -> None:
    for document in (corridor_document(), blank_document(isElectronic=False)):
        assert places(problems(document | {name: "7"})) == [(f"/{name}", "type")]
        del document[name]
        assert places(problems(document)) == [(f"/{name}", "required")]


@pytest.mark.parametrize("name", list(SCHEMA.fields))
def test_no_member_of_another_type_stops_the_reading(name: str) -> None:
    for wrong in (7, [], [7], {}, {"x": 7}, [{"equipment": 7}]):
        document = complete_document() | {name: wrong}
        assert places(structural(document)) == [] or problems(document)


@pytest.mark.parametrize("value", [None, [], "BOL", 1, True])
def test_what_is_not_an_object_is_no_document(value: object) -> None:
    assert places(problems(value)) == [("", "type")]


def test_a_document_nested_absurdly_deep_is_read_no_further() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"innerPackagings": [deep]}
    document = corridor_document() | {"x-deep": deep}
    assert [problem.rule for problem in problems(document)] == ["depth"]


def test_messages_name_what_was_found_and_what_is_wanted() -> None:
    document = corridor_document(carrierCode="JIALING", receivedForShipmentDate="2027-03-02")
    assert [problem.message for problem in problems(document)] == [
        "has 7 characters, at most 4 fit; shorten it",
        "2027-03-02 is after the issue date 2027-03-01; correct one of them",
    ]
