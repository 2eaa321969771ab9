"""Every member of a transport document is of a known class, and each class has its rule."""

from __future__ import annotations

from collections import Counter

import pytest

from bol_service.domain.access import Relation
from bol_service.domain.classification import (
    FREE_TEXT,
    MEMBERS,
    OUTFLOWS,
    PURPOSES,
    FieldClass,
    Ground,
    class_of_member,
)
from bol_service.wire import field_classes
from bol_service.wire.field_classes import is_at_or_below, leaves, typed_members, units
from bol_service.wire.transport_document import TransportDocument
from bol_service.wire.transport_document_fields import Text
from tests.complete_document import complete_document
from tests.documents import corridor_document

ROWS = [
    (owner, member)
    for owner, classes in MEMBERS.items()
    for members in classes.values()
    for member in members.split()
]


def test_every_member_of_the_schema_is_classified() -> None:
    assert typed_members() - set(ROWS) == set()


def test_a_member_that_a_later_edition_adds_is_missed_by_no_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Later(TransportDocument):
        carbonFootprint = Text(20)

    Later.__name__ = "TransportDocument"
    monkeypatch.setattr(field_classes, "TransportDocument", Later)
    assert typed_members() - set(ROWS) == {("TransportDocument", "carbonFootprint")}


def test_no_row_is_of_a_member_that_the_schema_does_not_have() -> None:
    assert set(ROWS) - typed_members() == set()


def test_no_member_is_classified_twice() -> None:
    assert [row for row, count in Counter(ROWS).items() if count > 1] == []


def test_free_text_is_of_members_that_the_schema_has() -> None:
    rows = {(owner, member) for owner, text in FREE_TEXT.items() for member in text.split()}
    assert rows <= typed_members()


def test_contacts_are_no_free_text_and_always_personal() -> None:
    contacts = {row for row in ROWS if row[0] in ("PartyContactDetail", "EmergencyContactDetails")}
    assert {class_of_member(*row) for row in contacts} == {FieldClass.PERSONAL}
    assert contacts.isdisjoint(
        (owner, name) for owner, t in FREE_TEXT.items() for name in t.split()
    )


CLASSES = [
    pytest.param("/transportDocumentReference", {FieldClass.PUBLIC}, id="the number"),
    pytest.param("/charges/0/currencyAmount", {FieldClass.PRICE}, id="an amount of freight"),
    pytest.param("/declaredValue", {FieldClass.PRICE}, id="the declared value"),
    pytest.param("/freightPaymentTermCode", {FieldClass.PRICE}, id="who pays freight"),
    pytest.param("/transports/portOfLoading/UNLocationCode", {FieldClass.ROUTING}, id="a port"),
    pytest.param("/documentParties/shipper/partyName", {FieldClass.COMMERCIAL}, id="a shipper"),
    pytest.param("/consignmentItems/0/descriptionOfGoods", {FieldClass.GOODS}, id="goods"),
    pytest.param("/consignmentItems/0/HSCodes", {FieldClass.GOODS}, id="an HS code"),
    pytest.param("/utilizedTransportEquipments/0/seals", {FieldClass.SECURITY}, id="seals"),
    pytest.param(
        "/documentParties/shipper/partyContactDetails/0/phone",
        {FieldClass.PERSONAL},
        id="a telephone",
    ),
    pytest.param(
        "/consignmentItems/0/cargoItems/0/outerPackaging/dangerousGoods/0/emergencyContactDetails",
        {FieldClass.PERSONAL},
        id="an emergency contact",
    ),
]


@pytest.mark.parametrize(("pointer", "expected"), CLASSES)
def test_all_that_stands_at_a_place_of_a_document_is(
    pointer: str, expected: set[FieldClass]
) -> None:
    found = leaves(complete_document())
    assert {leaf.kind for leaf in found if is_at_or_below(leaf.pointer, pointer)} == expected


@pytest.mark.parametrize(
    "place", ["", "/transports", "/documentParties/shipper", "/consignmentItems/0"]
)
def test_what_the_standard_does_not_know_is_unclassified_wherever_it_stands(place: str) -> None:
    document = complete_document()
    node: object = document
    for step in place.split("/")[1:]:
        assert isinstance(node, dict | list)
        node = node[int(step)] if isinstance(node, list) else node[step]
    assert isinstance(node, dict)
    node["insurance"] = {"premium": [1, {"name": "Li"}]}
    found = [leaf for leaf in leaves(document) if "insurance" in leaf.pointer]
    assert {leaf.kind for leaf in found} == {FieldClass.UNCLASSIFIED}
    assert len(found) == 2
    assert all(leaf.free_text for leaf in found)


def test_the_pieces_of_a_document_are_all_of_it_and_each_of_one_class() -> None:
    for document in (corridor_document(), complete_document()):
        every = list(leaves(document))
        pieces = units(document)
        for piece in pieces:
            inside = [leaf for leaf in every if is_at_or_below(leaf.pointer, piece.pointer)]
            assert {leaf.kind for leaf in inside} == {piece.kind}, piece.pointer
        covered = [
            leaf
            for leaf in every
            if sum(is_at_or_below(leaf.pointer, piece.pointer) for piece in pieces) == 1
        ]
        assert covered == every


def test_each_container_is_a_piece_of_its_own() -> None:
    pointers = {piece.pointer for piece in units(corridor_document())}
    for number in (0, 1):
        assert f"/utilizedTransportEquipments/{number}/seals" in pointers
        assert f"/consignmentItems/0/cargoItems/{number}/cargoGrossWeight" in pointers


@pytest.mark.parametrize("purpose", sorted(PURPOSES))
def test_no_purpose_shows_prices_parties_or_persons(purpose: str) -> None:
    hidden = {
        FieldClass.PRICE,
        FieldClass.COMMERCIAL,
        FieldClass.PERSONAL,
        FieldClass.UNCLASSIFIED,
    }
    assert PURPOSES[purpose].isdisjoint(hidden)


def test_prices_persons_and_the_unknown_cross_to_no_terminal_customs_or_auditor() -> None:
    for kind in (FieldClass.PRICE, FieldClass.PERSONAL, FieldClass.UNCLASSIFIED):
        assert OUTFLOWS[kind].to == {
            Relation.CARRIER,
            Relation.HOLDER,
            Relation.FORMER_HOLDER,
            Relation.SHIPPER,
        }


def test_customs_abroad_gets_goods_and_no_auditor_gets_anything() -> None:
    assert Relation.CUSTOMS in OUTFLOWS[FieldClass.GOODS].to
    assert all(Relation.AUDITOR not in outflow.to for outflow in OUTFLOWS.values())


def test_only_personal_data_needs_a_ground_of_its_own() -> None:
    grounds = {kind: outflow.ground for kind, outflow in OUTFLOWS.items()}
    assert set(grounds) == set(FieldClass)
    own = [kind for kind, ground in grounds.items() if ground is Ground.PERSONAL_BASIS]
    assert own == [FieldClass.PERSONAL]
    assert grounds[FieldClass.HAZARD] is Ground.IMPORTANCE_CHECKED
    assert grounds[FieldClass.PRICE] is Ground.TRADE_EXEMPT
