"""Personal data in free text is noticed where it stands, and what only looks like it is not."""

from __future__ import annotations

from typing import Any

import pytest

from bol_service.domain.classification import FieldClass
from bol_service.wire.field_classes import leaves
from bol_service.wire.personal_data import PersonalKind, personal_data
from tests.complete_document import complete_document
from tests.documents import corridor_document

Json = dict[str, Any]
GOODS = "/consignmentItems/0/descriptionOfGoods/0"
# Made up: no such region code or person; the check characters are right.
RESIDENT = "99010119900307002"


def resident_id() -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(RESIDENT, weights, strict=True))
    return RESIDENT + "10X98765432"[total % 11]


def wrong_id() -> str:
    right = resident_id()
    return right[:-1] + ("0" if right[-1] != "0" else "1")


def described(text: object) -> Json:
    document = corridor_document()
    document["consignmentItems"][0]["descriptionOfGoods"] = [text]
    return document


def kinds(text: object) -> list[PersonalKind]:
    return [found.kind for found in personal_data(described(text))]


FOUND = [
    pytest.param("CALL 13800138000", PersonalKind.PHONE, id="a Chinese mobile number"),
    pytest.param("138 0013 8000", PersonalKind.PHONE, id="a mobile number with blanks"),
    pytest.param("138-0013-8000", PersonalKind.PHONE, id="a mobile number with dashes"),
    pytest.param("１３８００１３８０００", PersonalKind.PHONE, id="a mobile number in wide digits"),
    pytest.param("+65 6555 0107", PersonalKind.PHONE, id="a number with its country code"),
    pytest.param("+86(23)5550-0107", PersonalKind.PHONE, id="a number with brackets"),
    pytest.param("TEL: 65550107", PersonalKind.PHONE, id="a number after the word tel"),
    pytest.param("电话：02355500107", PersonalKind.PHONE, id="a number after its Chinese word"),
    pytest.param("wechat 6555-0107", PersonalKind.PHONE, id="a number after the name of a service"),
    pytest.param("li.wei@parts.example", PersonalKind.EMAIL, id="an e-mail address"),
    pytest.param("货主li@parts.example收", PersonalKind.EMAIL, id="an address among Chinese text"),
    pytest.param(resident_id(), PersonalKind.RESIDENT_ID, id="a resident ID number"),
    pytest.param(
        f"ID {resident_id()}.", PersonalKind.RESIDENT_ID, id="a resident ID in a sentence"
    ),
    pytest.param("护照 E12345678", PersonalKind.PASSPORT, id="a Chinese passport"),
    pytest.param("EA1234567", PersonalKind.PASSPORT, id="a Chinese passport of the new form"),
    pytest.param("passport no. X123456", PersonalKind.PASSPORT, id="a passport by its word"),
    pytest.param("S1234567D", PersonalKind.NATIONAL_ID, id="a national ID of Singapore"),
]


@pytest.mark.parametrize(("text", "kind"), FOUND)
def test_it_is_noticed_that_goods_are_described_with(text: str, kind: PersonalKind) -> None:
    assert kinds(text) == [kind]


INNOCENT = [
    pytest.param("XLCU7001127", id="a container number"),
    pytest.param("HS 871410 / 8714109000", id="HS codes"),
    pytest.param("C/NO. 1-1280", id="package numbers"),
    pytest.param("18450.000 KGM 64.20 CBM", id="measures"),
    pytest.param("PO 20270225-01", id="an order number with a date"),
    pytest.param("91500112MA60EBL160", id="a company's registration"),
    pytest.param("ZZZZ00SHIPPERYUNL031", id="an LEI"),
    pytest.param("4006381333931", id="an article number"),
    pytest.param("813800138000", id="a longer number that holds a mobile number"),
    pytest.param("LOT A13800138000B", id="a mobile number inside a code"),
    pytest.param(wrong_id(), id="18 digits with another check character"),
    pytest.param("990101199013070022", id="18 digits without a date"),
    pytest.param("S1234567A", id="a code with another check letter"),
    pytest.param("STEEL HOTEL 12345678 PCS", id="a word that ends in tel"),
    pytest.param("3 PCS @ USD 5.20", id="an at sign"),
    pytest.param("+5 -3 DEGREES 2027", id="signs before numbers"),
    pytest.param("R7781203", id="a waybill number"),
]


@pytest.mark.parametrize("text", INNOCENT)
def test_no_person_is_seen_in(text: str) -> None:
    assert kinds(text) == []


def test_what_is_found_is_told_by_place_and_length_but_never_repeated() -> None:
    found = personal_data(described("CALL MR LI 13800138000"))
    assert [(entry.pointer, entry.kind, entry.length) for entry in found] == [
        (GOODS, PersonalKind.PHONE, 11)
    ]
    assert "13800138000" not in found[0].message
    assert "11 characters" in found[0].message


def test_several_in_one_text_are_all_told() -> None:
    assert kinds("a@b.example or 13800138000 or 13900139000") == [
        PersonalKind.EMAIL,
        PersonalKind.PHONE,
        PersonalKind.PHONE,
    ]


PLACES = [
    pytest.param({"references": [{"type": "FF", "value": "13800138000"}]}, id="a reference"),
    pytest.param({"carrierClauses": ["CALL 13800138000"]}, id="a clause of the carrier"),
    pytest.param({"invoicePayableAt": {"freeText": "13800138000"}}, id="where freight is payable"),
    pytest.param(
        {"x-note": {"to": ["13800138000"]}}, id="a member that the standard does not know"
    ),
    pytest.param({"x-phone": 13800138000}, id="a bare number under an unknown name"),
]


@pytest.mark.parametrize("changes", PLACES)
def test_it_is_noticed_in(changes: Json) -> None:
    (found,) = personal_data(corridor_document(**changes))
    assert found.pointer.startswith(f"/{next(iter(changes))}")


def test_the_members_for_contacts_and_the_printed_terms_are_not_searched() -> None:
    document = corridor_document(termsAndConditions="Claims: claims@xlsc.example, +86 23 5550 0107")
    document["partyContactDetails"] = [{"name": "Li Wei", "phone": "+86 13800138000"}]
    assert personal_data(document) == []


def test_all_free_text_of_a_document_is_searched_and_nothing_that_holds_contacts() -> None:
    document = complete_document()
    free = [leaf for leaf in leaves(document) if leaf.free_text]
    assert {leaf.kind for leaf in free}.isdisjoint({FieldClass.PERSONAL, FieldClass.UNCLASSIFIED})
    assert len(free) >= 40


def test_a_long_text_is_searched_in_a_moment() -> None:
    for part in ("1", "a", "+1 ", "tel ", "x@", "a.", "a@b.", "passport ", "+1()", "13 ", "S123 "):
        assert personal_data({"x-note": part * (900_000 // len(part))}) == []


def test_no_more_than_a_hundred_places_are_told() -> None:
    assert len(personal_data({"x-note": "13800138000 " * 80_000})) == 100
