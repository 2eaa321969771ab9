"""A platform that answers falsely gets no signature: what is signed is computed on this side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from bol_service.cli import documents, lookup
from bol_service.cli.draft import draft_document
from bol_service.cli.output import Stopped
from bol_service.client import Answered, Client
from bol_service.wire.document import DocumentError
from tests.documents import corridor_document, draft_of, with_members

DRAFT = json.dumps(draft_of(corridor_document())).encode()
OTHER = json.dumps(draft_of(corridor_document(freightPaymentTermCode="COL"))).encode()
FACTS = documents.read(DRAFT)
ANSWER = {
    "digest": FACTS.received_bytes,
    "checksum": FACTS.checksum,
    "contentDigest": FACTS.content_digest,
}


@dataclass(kw_only=True)
class Telling(Client):
    """Answers each path with what it was told to say; a list is given one item a page."""

    base_url: str = "http://127.0.0.1"
    origin: str = "demo.cq.example/ebl"
    says: Mapping[str, Any] = field(default_factory=dict)

    def token(self) -> str:
        return "none"

    def request(self, method: str, path: str, *_: object, **__: object) -> Answered:
        address, _, query = path.partition("?")
        said = self.says[address]
        if isinstance(said, bytes):
            return Answered(status=200, headers={}, content=said)
        if isinstance(said, list):
            return self._page(said, query)
        return Answered(status=200, headers={}, content=json.dumps(said).encode())

    def _page(self, items: list[Any], query: str) -> Answered:
        number = int(query.partition("cursor=")[2] or 0)
        headers = {"Next-Page-Cursor": str(number + 1)} if number + 1 < len(items) else {}
        content = json.dumps({"items": items[number : number + 1]}).encode()
        return Answered(status=200, headers=headers, content=content)


# -- documents -----------------------------------------------------------------------------------


def test_an_upload_that_is_digested_alike_can_be_signed() -> None:
    documents.upload(Telling(says={"/v1/documents": ANSWER}), DRAFT, FACTS)


@pytest.mark.parametrize("member", ANSWER)
def test_an_upload_that_is_digested_otherwise_is_not_signed(member: str) -> None:
    client = Telling(says={"/v1/documents": {**ANSWER, member: "0" * 64}})
    with pytest.raises(Stopped, match=member):
        documents.upload(client, DRAFT, FACTS)


def test_a_draft_other_than_the_one_the_carrier_signed_is_not_approved() -> None:
    known = {"shipment": "S", "contentDigest": FACTS.content_digest}
    shown = Telling(says={"/v1/drafts/S/document": DRAFT})
    assert draft_document(shown, known)[1] == FACTS
    deceitful = Telling(says={"/v1/drafts/S/document": OTHER})
    with pytest.raises(Stopped, match=FACTS.content_digest):
        draft_document(deceitful, known)


def test_a_document_that_breaks_a_rule_is_not_even_sent() -> None:
    broken = json.dumps(with_members(corridor_document(), carrierCode=None)).encode()
    with pytest.raises(DocumentError):
        documents.read(broken)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"a":1,"a":2}', id="a member named twice"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_file_that_is_no_document_is_told_as_such(content: bytes) -> None:
    with pytest.raises(Stopped):
        documents.read(content)


def test_what_a_person_approves_shows_parties_goods_and_weights() -> None:
    shown = dict(documents.summary(FACTS, documents.parse(DRAFT)))
    assert shown["B/L number 提单号"] == "XLSC2703CQSG00418"
    assert shown["consignee 收货人"] == "to order of Chongqing Yunling Motor Parts Co., Ltd."
    assert "XLCU7001127 18450.0 KGM" in str(shown["containers 箱号"])
    assert "摩托车零件及附件" in str(shown["goods 货物"])
    assert shown["content digest"] == FACTS.content_digest


# -- names ---------------------------------------------------------------------------------------


def bill(number: str, status: str = "ISSUED") -> dict[str, str]:
    return {"bill": number * 64, "transportDocumentReference": "N", "status": status}


def test_of_bills_under_one_number_the_voided_ones_are_passed_over() -> None:
    client = Telling(says={"/v1/bills": [bill("a", "VOIDED"), bill("b"), bill("c", "VOIDED")]})
    assert lookup.find_bill(client, "N") == "b" * 64


def test_a_number_that_means_two_living_bills_is_refused_with_both() -> None:
    client = Telling(says={"/v1/bills": [bill("a"), bill("b", "SURRENDERED_FOR_DELIVERY")]})
    with pytest.raises(Stopped, match=f"{'a' * 64}.*{'b' * 64}"):
        lookup.find_bill(client, "N")


def test_a_single_voided_bill_is_still_found() -> None:
    client = Telling(says={"/v1/bills": [bill("a", "VOIDED")]})
    assert lookup.find_bill(client, "N") == "a" * 64


def test_a_list_is_read_to_its_last_page() -> None:
    client = Telling(says={"/v1/parties": [{"party": slug} for slug in ("a", "b", "c")]})
    assert [item["party"] for item in client.pages("/v1/parties")] == ["a", "b", "c"]


def test_a_booking_number_of_two_shipments_is_refused() -> None:
    both = [{"shipment": name, "carrierBookingReference": "B"} for name in ("s1", "s2")]
    with pytest.raises(Stopped, match="s1, s2"):
        lookup.find_shipment(Telling(says={"/v1/drafts": both}), "B")


def test_a_booking_number_of_no_shipment_is_refused() -> None:
    with pytest.raises(Stopped, match="'B'"):
        lookup.find_shipment(Telling(says={"/v1/drafts": [{"carrierBookingReference": "C"}]}), "B")


def test_a_legal_name_stands_beside_the_slug() -> None:
    names = lookup.Names(client=Telling(says={"/v1/parties/yunling": {"legalName": "Yunling"}}))
    assert names("yunling") == "yunling (Yunling)"
    assert names(None) == ""
