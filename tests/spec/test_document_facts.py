"""The facts that are read from a transport document, its checksum and its digests."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

import pytest
import rfc8785

from bol_service.crypto.strictjson import loads_document
from bol_service.domain.document import BillKind, PartyReference, Sailing
from bol_service.wire.document import (
    CHANGING,
    DocumentError,
    content_digest,
    plain_facts,
    read_document,
)
from bol_service.wire.transport_document import Problem, problems
from tests.broken_documents import UNIT, Drop, Put
from tests.documents import (
    CONTAINERS,
    Json,
    blank_document,
    corridor_document,
    draft_of,
    straight_document,
)


def places(found: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.rule) for problem in found]


def test_the_facts_of_the_corridor_bill_are_read() -> None:
    document = corridor_document()
    raw = json.dumps(document, indent=1).encode()
    facts = read_document(raw, document)
    assert facts.checksum == hashlib.sha256(rfc8785.dumps(document)).hexdigest()
    assert facts.received_bytes == hashlib.sha256(raw).hexdigest()
    assert facts.content_digest == content_digest(document)
    assert (facts.reference, facts.sub_reference) == ("XLSC2703CQSG00418", None)
    assert (facts.carrier_code_list_provider, facts.carrier_code) == ("NMFTA", "XLSC")
    assert (facts.kind, facts.type_code, facts.status) == (BillKind.ORDER, "BOL", "ISSUED")
    assert (facts.is_electronic, facts.is_shipped_on_board) == (True, False)
    assert facts.issue_date == facts.received_for_shipment_date == date(2027, 3, 1)
    assert facts.shipped_on_board_date is None
    yunling = PartyReference(
        name="Chongqing Yunling Motor Parts Co., Ltd.",
        codes=frozenset(
            {
                ("SLUG", "yunling"),
                ("LEI", "ZZZZ00SHIPPERYUNL031"),
                ("USCC", "91500112MA60EBL160"),
            }
        ),
    )
    assert facts.shipper == facts.endorsee == yunling
    assert facts.consignee is None
    assert [party.name for party in facts.notify] == ["Straits Cycle Trading Pte. Ltd."]
    assert ("UEN", "209954321Z") in facts.notify[0].codes
    assert (facts.place_of_receipt, facts.port_of_loading) == ("CNCQI", "CNQZH")
    assert (facts.port_of_discharge, facts.place_of_delivery) == ("SGSIN", "SGSIN")
    assert facts.sailings == (Sailing(vessel="XIN HE GUOYUAN", voyage="027S"),)
    assert facts.equipment == CONTAINERS
    assert facts.seals == (
        ("XLCU7001127", ("XL0098231", "CQC77120")),
        ("XLCU7001132", ("XL0098232",)),
    )
    assert facts.booking_references == ("XLB2702240017",)


def test_the_kind_follows_from_order_and_endorsee() -> None:
    kinds = [
        read_document(b"", document).kind
        for document in (straight_document(), corridor_document(), blank_document())
    ]
    assert kinds == [BillKind.STRAIGHT, BillKind.ORDER, BillKind.BLANK]
    consignee = read_document(b"", straight_document()).consignee
    assert consignee is not None
    assert ("SLUG", "straits") in consignee.codes


@pytest.mark.parametrize("name", sorted(CHANGING))
def test_the_content_digest_joins_draft_and_issued_document(name: str) -> None:
    document = corridor_document()
    assert content_digest(draft_of(document)) == content_digest(document)
    assert content_digest(document | {name: "something else"}) == content_digest(document)
    assert set(CHANGING) == {
        "transportDocumentStatus",
        "issueDate",
        "receivedForShipmentDate",
        "shippedOnBoardDate",
        "isShippedOnBoardType",
        "displayedShippedOnBoardReceivedForShipment",
    }


def test_the_content_digest_changes_with_any_other_member() -> None:
    document = corridor_document()
    document["consignmentItems"][0]["cargoItems"][0]["cargoGrossWeight"]["value"] = 18450.5
    assert content_digest(document) != content_digest(corridor_document())


def test_an_unknown_member_is_kept_and_belongs_to_the_checksum() -> None:
    plain, extended = corridor_document(), corridor_document()
    extended["transports"]["vesselVoyages"][0]["vesselIMONumber"] = "9999993"
    assert problems(extended) == []
    assert read_document(b"", extended).checksum != read_document(b"", plain).checksum


def test_member_order_and_white_space_do_not_change_the_bill_but_its_bytes() -> None:
    document = corridor_document()
    turned = dict(reversed(document.items()))
    first, second = read_document(b"1", document), read_document(b"2", turned)
    assert first.checksum == second.checksum
    assert first.received_bytes != second.received_bytes


@pytest.mark.parametrize(
    ("codes", "wanted"),
    [
        ([{"codeListProvider": "GLEIF", "partyCode": "L"}], {("LEI", "L")}),
        ([{"codeListProvider": "GLEIF", "codeListName": "LEI", "partyCode": "L"}], {("LEI", "L")}),
        ([{"codeListProvider": "GLEIF", "codeListName": "vLEI", "partyCode": "L"}], set()),
        ([{"codeListProvider": "DNB", "codeListName": "DUNS", "partyCode": "1"}], set()),
        ([{"codeListProvider": "ZZZ", "partyCode": "yunling"}], {("SLUG", "yunling")}),
    ],
    ids=["LEI without list name", "LEI", "another list of GLEIF", "DUNS", "agreed code"],
)
def test_a_party_is_known_by_the_codes_that_this_platform_uses(
    codes: list[Json], wanted: set[tuple[str, str]]
) -> None:
    document = corridor_document()
    shipper = document["documentParties"]["shipper"]
    shipper["identifyingCodes"] = codes
    shipper["taxLegalReferences"] = [{"type": "EORI", "countryCode": "CN", "value": "1"}]
    assert read_document(b"", document).shipper.codes == wanted


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ({"locationName": "Guoyuan Port", "facilityName": "Gate 3"}, "Guoyuan Port"),
        ({"facilityName": "Gate 3"}, "Gate 3"),
        ({"address": {"street": "x", "city": "Chongqing", "countryCode": "CN"}}, "Chongqing"),
        ({"geoCoordinate": {"latitude": "1", "longitude": "1"}}, None),
    ],
    ids=["location name", "facility name", "city", "coordinates only"],
)
def test_a_place_without_code_goes_by_its_name(place: Json, wanted: str | None) -> None:
    document = corridor_document()
    document["transports"]["placeOfReceipt"] = place
    assert read_document(b"", document).place_of_receipt == wanted


def test_a_port_to_port_bill_has_no_place_of_receipt_or_delivery() -> None:
    document = corridor_document()
    for name in ("preCarriageBy", "placeOfReceipt", "placeOfDelivery"):
        del document["transports"][name]
    facts = read_document(b"", document)
    assert (facts.place_of_receipt, facts.place_of_delivery) == (None, None)


def test_a_straight_bill_may_notify_nobody() -> None:
    document = straight_document()
    del document["documentParties"]["notifyParties"]
    assert read_document(b"", document).notify == ()


def test_a_single_problem_is_told_in_the_error_itself() -> None:
    with pytest.raises(DocumentError) as refused:
        read_document(b"", corridor_document(carrierCode="JIALING"))
    told = "/carrierCode has 7 characters, at most 4 fit; shorten it"
    assert str(refused.value) == told


def test_a_wrong_document_is_not_read_and_every_problem_is_handed_on() -> None:
    document = corridor_document(numberOfOriginalsWithCharges=1, carrierCode="JIALING")
    with pytest.raises(DocumentError, match="and 1 more") as refused:
        read_document(b"", document)
    assert refused.value.problems == problems(document)


def test_a_foreign_document_is_read_for_its_facts_alone() -> None:
    document = corridor_document(termsAndConditions=None, numberOfOriginalsWithoutCharges=5)
    document["utilizedTransportEquipments"][0]["equipment"]["equipmentReference"] = "XLCU7001128"
    facts = read_document(b"", document, strict=False)
    assert facts.equipment[0] == "XLCU7001128"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (Drop("transportDocumentReference"), "/transportDocumentReference"),
        (Put("isToOrder", "yes"), "/isToOrder"),
        (Put("issueDate", "1 March 2027"), "/issueDate"),
        (Drop("documentParties/shipper"), "/documentParties/shipper"),
        (Put("documentParties/notifyParties", [1]), "/documentParties/notifyParties"),
        (Drop("transports"), "/transports"),
        (Put(f"{UNIT}/equipment", None), f"/{UNIT}/equipment"),
        (Put("transportDocumentSubReference", 1), "/transportDocumentSubReference"),
    ],
    ids=[
        "no number",
        "order not told",
        "date in words",
        "no shipper",
        "notify party is a number",
        "no transports",
        "no equipment",
        "version is a number",
    ],
)
def test_a_foreign_document_without_a_needed_fact_is_refused(
    change: Put | Drop, pointer: str
) -> None:
    document = corridor_document()
    change(document)
    with pytest.raises(DocumentError) as refused:
        read_document(b"", document, strict=False)
    assert places(refused.value.problems) == [(pointer, "unreadable")]


@pytest.mark.parametrize("value", [2**53, float("nan"), "\ud800"], ids=["2^53", "NaN", "surrogate"])
def test_a_document_without_canonical_form_is_refused(value: object) -> None:
    document = corridor_document(**{"x-extra": value})
    with pytest.raises(DocumentError) as refused:
        read_document(b"", document, strict=False)
    assert places(refused.value.problems) == [("", "canonical")]


def test_a_document_nested_absurdly_deep_is_refused_before_it_is_read() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(DocumentError) as refused:
        read_document(b"", corridor_document() | {"x-deep": deep}, strict=False)
    assert [problem.rule for problem in refused.value.problems] == ["depth"]


def test_a_foreign_tax_reference_of_a_strange_type_is_passed_over() -> None:
    document = corridor_document()
    document["documentParties"]["shipper"]["taxLegalReferences"] = [{"type": ["USCC"]}]
    assert ("SLUG", "yunling") in read_document(b"", document, strict=False).shipper.codes


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(corridor_document(), id="the corridor bill"),
        pytest.param(draft_of(corridor_document()), id="its draft"),
        pytest.param(straight_document(), id="a straight bill"),
        pytest.param(blank_document(), id="a bill to order of nobody"),
        pytest.param(corridor_document(**{"x-extra": {"b": [1.0, 2], "a": 0}}), id="with numbers"),
        pytest.param(corridor_document(**{"x-云": {"": "云"}}), id="with Chinese names"),
    ],
)
@pytest.mark.parametrize("indent", [None, 1], ids=["on one line", "on many lines"])
@pytest.mark.parametrize("ascii_only", [True, False], ids=["with escapes", "without escapes"])
def test_a_plain_document_says_in_passing_what_it_says(
    document: Json, indent: int | None, ascii_only: bool
) -> None:
    raw = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode()
    value: Any = loads_document(raw)
    digest = hashlib.sha256(raw).hexdigest()

    assert plain_facts(raw, digest) == read_document(raw, value, strict=False)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(Drop("transportDocumentReference"), id="that cannot be read"),
        pytest.param(Put("issueDate", 20270301.0), id="with a number where a date should be"),
        pytest.param(Put("x-extra", "\U0001f600"), id="with a character beyond the basic plane"),
        pytest.param(Put("x-extra", 1e-9), id="with a very small number"),
    ],
)
def test_a_document_is_not_read_in_passing(change: Put | Drop) -> None:
    document = corridor_document()
    change(document)
    raw = json.dumps(document, ensure_ascii=False).encode()

    assert plain_facts(raw, hashlib.sha256(raw).hexdigest()) is None
