"""Documents over HTTP: kept byte for byte, every fault named, private to who sent them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bol_service.wire import disclosure_making
from bol_service.wire.document import read_document
from tests import kit
from tests.broken_documents import BROKEN_MEMBERS, BROKEN_RULES
from tests.desk import ORIGIN, STORY, Desk
from tests.documents import corridor_document, draft_of
from tests.many_bills import Maker, container, one_box_document

CARRIER = "xlsc"
PATH = "/v1/documents"
INSTRUCTIONS = f"{PATH}?kind=shipping-instructions"
DISCLOSURE = f"{PATH}?kind=disclosure"


@dataclass(kw_only=True)
class Desks:
    platform: kit.Platform
    tokens: dict[str, str] = field(default_factory=dict)

    def upload(
        self, content: bytes, path: str = PATH, party: str = CARRIER, **options: Any
    ) -> TestResponse:
        options.setdefault("content_type", "application/json")
        client = self.platform.running.app.test_client()
        return client.post(path, data=content, headers=self._bearer(party), **options)

    def get(self, digest: str, party: str = CARRIER) -> TestResponse:
        client = self.platform.running.app.test_client()
        return client.get(f"{PATH}/{digest}", headers=self._bearer(party))

    def _bearer(self, party: str) -> dict[str, str]:
        if party not in self.tokens:
            self.tokens[party] = self.platform.client(party, STORY).token()
        return {"Authorization": f"Bearer {self.tokens[party]}"}


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    with kit.platform(tmp_path_factory.mktemp("documents")) as platform:
        platform.set_clock(STORY)
        services = platform.running.services
        desk = Desk(signers=platform.signers)
        maker = Maker(desk=desk, recorder=services.recorder, documents=services.documents)
        maker.open_log()
        yield Desks(platform=platform)


def in_bytes(document: object, **how: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, **how).encode()


def test_a_document_is_kept_byte_for_byte_and_told_by_its_digests(desks: Desks) -> None:
    content = in_bytes(corridor_document(), indent=3) + b"\n\n"
    answer = desks.upload(content)
    assert answer.status_code == 201
    digest = hashlib.sha256(content).hexdigest()
    assert answer.json["digest"] == digest
    assert answer.json["kind"] == "transport-document"
    kept = desks.get(digest)
    assert kept.data == content
    assert kept.headers["ETag"] == f'"{digest}"'


def test_form_changes_the_digest_but_neither_checksum_nor_content(desks: Desks) -> None:
    document = corridor_document(transportDocumentReference="XLSCFORM01")
    backwards = dict(reversed(document.items()))
    first, second = (desks.upload(in_bytes(each)).json for each in (document, backwards))
    assert first["digest"] != second["digest"]
    assert first["checksum"] == second["checksum"]
    assert first["contentDigest"] == second["contentDigest"]


def test_a_draft_has_the_content_of_the_document_that_will_be_issued(desks: Desks) -> None:
    document = corridor_document(transportDocumentReference="XLSCFORM02")
    issued, draft = (desks.upload(in_bytes(each)).json for each in (document, draft_of(document)))
    assert issued["contentDigest"] == draft["contentDigest"]
    assert issued["checksum"] != draft["checksum"]


def test_the_same_bytes_twice_are_one_document(desks: Desks) -> None:
    content = in_bytes(corridor_document(transportDocumentReference="XLSCTWICE01"))
    assert desks.upload(content).json == desks.upload(content).json


def test_instructions_are_kept_without_being_judged(desks: Desks) -> None:
    content = in_bytes({"shippingInstructionsReference": "SI-1", "附言": "轻放"})
    answer = desks.upload(content, INSTRUCTIONS, "qiaolian")
    assert answer.status_code == 201
    assert set(answer.json) == {"digest", "kind"}
    assert desks.get(answer.json["digest"], "qiaolian").data == content


def test_bytes_uploaded_as_instructions_first_can_still_become_a_draft(desks: Desks) -> None:
    content = in_bytes(draft_of(corridor_document(transportDocumentReference="XLSCKIND01")))
    assert "contentDigest" not in desks.upload(content, INSTRUCTIONS).json
    digest = desks.upload(content).json["digest"]
    with desks.platform.running.store.reading() as reading:
        row = reading.document(digest)
    assert row is not None
    assert row.facts is not None


def test_everybody_who_uploaded_the_same_bytes_reads_them_back(desks: Desks) -> None:
    content = in_bytes({"shippingInstructionsReference": "SI-SHARED"})
    digest = desks.upload(content, INSTRUCTIONS, "qiaolian").json["digest"]
    assert desks.get(digest, "yunling").status_code == 404
    assert desks.upload(content, INSTRUCTIONS, "yunling").json["digest"] == digest
    assert [desks.get(digest, who).data for who in ("qiaolian", "yunling")] == [content] * 2
    assert desks.get(digest, "straits").status_code == 404


def test_who_uploaded_instructions_keeps_them_when_they_become_a_draft(desks: Desks) -> None:
    content = in_bytes(draft_of(corridor_document(transportDocumentReference="XLSCKIND02")))
    digest = desks.upload(content, INSTRUCTIONS, "qiaolian").json["digest"]
    assert "contentDigest" in desks.upload(content).json
    assert [desks.get(digest, who).data for who in ("qiaolian", CARRIER)] == [content] * 2


# All of them are judged by tests/spec; here it is shown how a fault is told.
SOME = [*BROKEN_MEMBERS, *BROKEN_RULES][::6]


@pytest.mark.parametrize("broken", SOME, ids=lambda broken: broken.name)
def test_a_document_is_refused_with_place_and_rule_when(desks: Desks, broken: Any) -> None:
    answer = desks.upload(in_bytes(broken.document()))
    assert (answer.status_code, answer.json["code"]) == (422, "bad_document")
    found = {(each["pointer"], each["rule"]) for each in answer.json["errors"]}
    assert (broken.pointer, broken.rule) in found
    assert all(each["message"] for each in answer.json["errors"])


def test_all_faults_of_a_document_are_told_at_once(desks: Desks) -> None:
    document = corridor_document(carrierCode=None, isElectronic="yes", transports=None)
    answer = desks.upload(in_bytes(document))
    pointers = {each["pointer"] for each in answer.json["errors"]}
    assert {"/carrierCode", "/isElectronic", "/transports"} <= pointers
    assert answer.json["detail"] == f"{len(answer.json['errors'])} rules are broken"


def test_a_refused_document_is_not_kept(desks: Desks) -> None:
    content = in_bytes({"nothing": "at all"})
    assert desks.upload(content).status_code == 422
    assert desks.get(hashlib.sha256(content).hexdigest()).status_code == 404


NOT_JSON = [
    pytest.param(b" ", id="nothing but space"),
    pytest.param(b"{", id="half an object"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b'"text"', id="a text"),
    pytest.param(b'{"a":1,"a":2}', id="a member twice"),
    pytest.param(b'{"a":1,"\\u0061":2}', id="a member twice, once escaped"),
    pytest.param(b'{"a":NaN}', id="not a number"),
    pytest.param(b'{"a":1e400}', id="a number beyond doubles"),
    pytest.param(b'{"a":0.1000000000000000055}', id="a number that is not its own double"),
    pytest.param(b'\xef\xbb\xbf{"a":1}', id="a byte order mark"),
    pytest.param(b'{"a":"\xff"}', id="bytes that are not UTF-8"),
    pytest.param(b'{"a":"\\ud800"}', id="half a character"),
    pytest.param('{"a":1}'.encode("utf-16"), id="UTF-16"),
    pytest.param(b'{"a":' * 200 + b"1" + b"}" * 200, id="a value too deep"),
]


@pytest.mark.parametrize("content", NOT_JSON)
@pytest.mark.parametrize("path", [PATH, INSTRUCTIONS], ids=["a document", "instructions"])
def test_what_is_no_strict_json_object_is_refused(desks: Desks, path: str, content: bytes) -> None:
    answer = desks.upload(content, path)
    assert (answer.status_code, answer.json["code"]) == (422, "bad_event")


def test_an_unknown_kind_is_refused_and_the_known_ones_are_named(desks: Desks) -> None:
    answer = desks.upload(b"{}", f"{PATH}?kind=invoice")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_query")
    assert "kind is invoice" in answer.json["detail"]
    assert "transport-document, shipping-instructions" in answer.json["detail"]


def test_another_media_type_is_refused(desks: Desks) -> None:
    answer = desks.upload(b"{}", content_type="text/json")
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")


def test_a_document_beyond_the_limit_is_refused(desks: Desks) -> None:
    answer = desks.upload(b'{"a":"' + b"x" * 1_000_000 + b'"}')
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_the_disclosures_of_a_document_with_a_thousand_containers_are_taken(desks: Desks) -> None:
    """Document and issuer-signed JWT stay below a million bytes, the whole file does not."""
    document = with_containers(1000)
    facts = read_document(in_bytes(document), document)
    made = disclosure_making.make(
        document,
        facts,
        carrier=CARRIER,
        origin=ORIGIN,
        platform="https://cq.example",
        at=STORY,
        signer=desks.platform.signers[CARRIER],
    )
    content = made.to_text().encode()
    assert len(content) > 1_500_000
    answer = desks.upload(content, DISCLOSURE, content_type="application/sd-jwt")
    assert (answer.status_code, answer.json["digest"]) == (201, made.digest)


def test_disclosures_beyond_their_own_limit_are_refused(desks: Desks) -> None:
    answer = desks.upload(b"x" * 4_000_001, DISCLOSURE, content_type="application/sd-jwt")
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def with_containers(count: int) -> dict[str, Any]:
    """The corridor's document with so many containers, all packed alike."""
    document = one_box_document(0)
    box, item = document["utilizedTransportEquipments"][0], document["consignmentItems"][0]
    cargo = item["cargoItems"][0]
    numbers = [container(number) for number in range(count)]
    boxes = [{**box, "equipment": {**box["equipment"], "equipmentReference": n}} for n in numbers]
    item["cargoItems"] = [{**cargo, "equipmentReference": number} for number in numbers]
    return {**document, "utilizedTransportEquipments": boxes}


def test_nobody_uploads_without_a_token(desks: Desks) -> None:
    client = desks.platform.running.app.test_client()
    answer = client.post(PATH, data=b"{}", content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (401, "not_authenticated")


def test_others_documents_look_like_documents_that_do_not_exist(desks: Desks) -> None:
    content = in_bytes(corridor_document(transportDocumentReference="XLSCPRIV01"))
    digest = desks.upload(content).json["digest"]
    foreign, unknown = desks.get(digest, "straits"), desks.get("0" * 64, "straits")
    assert foreign.status_code == unknown.status_code == 404
    told = [{**answer.json, "requestId": ""} for answer in (foreign, unknown)]
    assert told[0] == told[1]
