"""An envelope is read as it came, and written around the document's own bytes."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from bol_service.crypto import peer_jws, strictjson
from bol_service.crypto.peer_jws import text_digest
from bol_service.wire.pint_answers import duplicate, finished_response, read_finished_response
from bol_service.wire.pint_building import (
    MAX_ENTRY,
    build_chain_entry,
    build_envelope,
    describe,
)
from bol_service.wire.pint_entry import chain_entry
from bol_service.wire.pint_envelope import read_envelope
from bol_service.wire.pint_forms import PintFormatError
from tests.documents import Json, corridor_document, with_members
from tests.pint_story import (
    CQ,
    ISSUE,
    SG,
    SHIPPER,
    TO_BANK,
    Story,
    act,
    checksum,
    house,
    outbound,
    payload,
)

SUM: Final = "0123456789abcdef" * 4
JWS: Final = "e30.e30.AA"
PREVIOUS: Final = "previousEnvelopeTransferChainEntrySignedContentChecksum"
GONE: Final = "(taken away)"


def body_of(value: object) -> bytes:
    return json.dumps(value).encode()


def envelope_value(**changes: object) -> Json:
    value = json.loads(outbound().body(CQ))
    return with_members(value, **changes)


def pointers(body: bytes) -> list[str]:
    with pytest.raises(PintFormatError) as caught:
        read_envelope(body)
    return [problem.pointer for problem in caught.value.problems]


def test_an_envelope_is_read_with_its_document_as_it_came() -> None:
    story = Story(document=with_members(Story().document, newMember={"a.b": 1.5}))
    story = story.then(CQ, ISSUE, TO_BANK)
    envelope = read_envelope(story.body(CQ))
    assert envelope.document == story.document
    assert envelope.document_checksum == story.document_checksum
    assert envelope.chain == story.chain
    assert envelope.last_checksum == checksum(story.chain[-1].encode())
    assert envelope.root_issuance_manifest is None


def test_the_order_of_members_does_not_change_the_checksum_and_a_member_does() -> None:
    story = outbound()
    turned = dict(reversed(list(story.document.items())))
    again = read_envelope(body_of(envelope_value(transportDocument=turned)))
    more = read_envelope(body_of(envelope_value(transportDocument={**turned, "x": 1})))
    assert again.document_checksum == story.document_checksum != more.document_checksum


@pytest.mark.parametrize(
    "member", ["transportDocument", "envelopeManifestSignedContent", "envelopeTransferChain"]
)
@pytest.mark.parametrize("new", [GONE, None, 5, [], "x", [5]], ids=repr)
def test_an_envelope_with_a_broken_member_is_refused_there(member: str, new: object) -> None:
    value = envelope_value() | {member: new}
    if new is GONE:
        del value[member]
    assert pointers(body_of(value))[0].startswith(f"/{member}")


def test_a_broken_document_is_refused_at_its_place() -> None:
    document = Story().document
    document["transports"]["placeOfDelivery"]["facility"] = {
        "facilityCode": "TOOLONG",
        "facilityCodeListProvider": "SMDG",
    }
    found = pointers(body_of(envelope_value(transportDocument=document)))
    assert found == ["/transportDocument/transports/placeOfDelivery/facility/facilityCode"]


def test_every_fault_is_told_at_once() -> None:
    value = envelope_value(transportDocument={}, envelopeTransferChain=["x"])
    found = pointers(body_of(value))
    assert found[0] == "/envelopeTransferChain/0"
    assert "/transportDocument/transports" in found


def test_rules_of_our_own_do_not_refuse_a_foreign_document() -> None:
    document = Story().document
    document["consignmentItems"][0]["cargoItems"][0]["cargoGrossWeight"]["value"] = 18450.12345
    document["documentParties"]["shipper"]["address"]["countryCode"] = "XX"
    document["carrierClauses"] = ["cafe\u0301"]
    assert read_envelope(body_of(envelope_value(transportDocument=document)))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'"text"', id="a text"),
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"\xff", id="no UTF-8"),
        pytest.param(b'{"a":1,"a":2}', id="a member twice"),
        pytest.param(b'{"transportDocument":' + b"[" * 80 + b"]" * 80 + b"}", id="too deep"),
    ],
)
def test_what_is_no_json_object_is_no_envelope(body: bytes) -> None:
    assert pointers(body)


def test_a_document_nested_absurdly_deep_is_read_no_further() -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    found = pointers(body_of(envelope_value(transportDocument={"x": deep})))
    assert found[0].startswith("/transportDocument/x/0/0")


def test_the_document_goes_out_byte_for_byte() -> None:
    raw = b'{ "weight" : 1.50, "name":"\xe9\x87\x8d\\u0041"}'
    body = build_envelope(raw, manifest=JWS, chain=[JWS])
    assert raw in body
    assert json.loads(body) == {
        "transportDocument": {"weight": 1.5, "name": "重A"},
        "envelopeManifestSignedContent": JWS,
        "envelopeTransferChain": [JWS],
    }


def test_an_issuance_manifest_that_came_beside_the_chain_goes_on_beside_it() -> None:
    raw = json.dumps(corridor_document(), ensure_ascii=False).encode()
    body = build_envelope(raw, manifest=JWS, chain=[JWS], root_issuance="a.b.c")
    assert read_envelope(body).root_issuance_manifest == "a.b.c"
    assert (
        read_envelope(build_envelope(raw, manifest=JWS, chain=[JWS])).root_issuance_manifest is None
    )


@pytest.mark.parametrize("raw", [b"[]", b"{", b'{"a":1,"a":1}', b"{},1"])
def test_what_is_no_document_is_not_sent(raw: bytes) -> None:
    with pytest.raises(strictjson.BadJson):
        build_envelope(raw, manifest=JWS, chain=[JWS])


@pytest.mark.parametrize("both", [True, False])
def test_an_entry_has_a_predecessor_or_an_issuance_manifest(both: bool) -> None:
    with pytest.raises(ValueError, match="exactly one of them"):
        build_chain_entry(
            platform=CQ,
            document_checksum=SUM,
            transactions=[ISSUE],
            signer=house(CQ).signer,
            issuance_manifest=JWS if both else None,
            after=JWS if both else None,
        )


def test_what_others_would_refuse_is_not_signed() -> None:
    with pytest.raises(PintFormatError, match="at least 1 are needed"):
        build_chain_entry(
            platform=CQ,
            document_checksum=SUM,
            transactions=[],
            signer=house(CQ).signer,
            after=JWS,
        )
    with pytest.raises(PintFormatError, match="name"):
        outbound().manifest(CQ, supporting=[describe(b"x", name=" ", media_type="text/plain")])
    with pytest.raises(PintFormatError, match="size"):
        outbound().manifest(CQ, supporting=[describe(b"", name="a", media_type="text/plain")])


def test_an_entry_names_its_predecessor_by_the_checksum_of_its_text() -> None:
    story = outbound()
    second = payload(story.then(CQ, TO_BANK).chain[1])
    assert second[PREVIOUS] == checksum(story.chain[0].encode())
    assert "issuanceManifestSignedContent" not in second
    assert PREVIOUS not in payload(story.chain[0])


def test_signed_events_stay_out_of_an_entry_that_no_answer_could_repeat() -> None:
    event = "e30.e30." + "A" * 4_000
    for count, kept in ((100, True), (300, False)):
        acts = (ISSUE, *[act("SIGN", SHIPPER, signed_event=event)] * count)
        text = build_chain_entry(
            platform=CQ,
            document_checksum=Story().document_checksum,
            transactions=acts,
            signer=house(CQ).signer,
            issuance_manifest=Story().issuance(),
        )
        told = chain_entry(peer_jws.parse(text).value).transactions
        assert (len(told), told[-1].signed_event == event) == (count + 1, kept)
        assert len(text) <= MAX_ENTRY
        answer = finished_response(duplicate(text_digest(text), text, ()), house(SG).signer)
        assert read_finished_response(peer_jws.parse(answer).value).duplicate_of == text
