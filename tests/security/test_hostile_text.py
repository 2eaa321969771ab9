"""N24: documents and names that are large, foreign or treacherous are judged the same every time.

What is taken is kept byte for byte under one checksum; what is refused names the member. Text of
people is data everywhere: the service interprets no markup, formula or statement in it.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterator
from time import process_time
from typing import Any

import pytest

from bol_service.crypto import strictjson
from bol_service.settings import MAX_BODY_BYTES
from tests.bill_scene import Answer, Scene, newcomer, scene
from tests.documents import corridor_document

Json = dict[str, Any]
PATH = "/v1/documents"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("text")) as ready:
        yield ready


def upload(stage: Scene, content: bytes) -> Answer:
    return stage.request("POST", PATH, party="xlsc", body=content, media_type="application/json")


def with_goods(text: str) -> bytes:
    document = corridor_document()
    document["consignmentItems"][0]["descriptionOfGoods"] = [text]
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


TAKEN = {
    "full-width Chinese": "摩托车零件\uff08发动机\uff09\uff21\uff22\uff11",
    "rare characters": "𠮷野家 㐀㐁",
    "emoji": "parts 🏍️📦",
    "a family of emoji": "👨\u200d👩\u200d👧",
    "Korean and Thai": "오토바이 부품 อะไหล่",
    "accents composed": unicodedata.normalize("NFC", "pièces détachées"),
    "letters that look alike": "Јialing Line",
    "a formula": '=HYPERLINK("http://x")',
    "a full-width formula": "\uff1d1+1",
    "markup": "<script>alert(1)</script>",
    "an image": "<img src=x onerror=alert(1)>",
    "a statement": "'; DROP TABLE entries; --",
    "a template": "{{7*7}}${7*7}#{7*7}",
    "a path": "../../etc/passwd",
    "a format string": "%s%n%x {0} {actor}",
}
REFUSED = {
    "NUL": "a\0b",
    "a right-to-left override": "a\u202eb",
    "an embedding": "a\u202ab",
    "an isolate": "a\u2066b",
    "a line feed": "a\nb",
    "a carriage return": "a\rb",
    "an escape sequence": "a\x1b[31mb",
    "a C1 control": "a\x9bb",
    "accents apart": unicodedata.normalize("NFD", "pièces"),
    "a lone surrogate": "a\ud800b",
}


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN.keys())
def test_text_that_means_what_it_shows_is_kept_byte_for_byte(stage: Scene, text: str) -> None:
    content = with_goods(text)
    first, again = upload(stage, content), upload(stage, content)
    assert (first.status, again.status) == (201, 201), first.body
    assert first.json() == again.json()
    stored = stage.request("GET", f"{PATH}/{first.json()['digest']}", party="xlsc")
    assert stored.body == content
    assert stored.headers["Content-Type"] == "application/json"
    assert stored.headers["X-Content-Type-Options"] == "nosniff"
    canonical = strictjson.canonical(strictjson.loads_document(content))
    assert first.json()["checksum"] == hashlib.sha256(canonical).hexdigest()


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_text_that_shows_something_else_is_refused(stage: Scene, text: str) -> None:
    content = with_goods(text)
    answers = [upload(stage, content) for _ in range(2)]
    assert answers[0].status == 422
    assert answers[0].json()["code"] in ("bad_document", "bad_event")
    assert answers[0].without_request_id() == answers[1].without_request_id()


def test_a_thousand_containers_are_one_document(stage: Scene) -> None:
    content = json.dumps(with_containers(1000)).encode()
    assert len(content) < MAX_BODY_BYTES
    answer = upload(stage, content)
    assert answer.status == 201, answer.body[:500]
    assert upload(stage, content).json() == answer.json()


def test_a_document_beyond_the_limit_is_refused(stage: Scene) -> None:
    content = json.dumps(with_containers(4000)).encode()
    assert len(content) > MAX_BODY_BYTES
    answer = upload(stage, content)
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


def with_containers(count: int) -> Json:
    document = corridor_document()
    item = document["consignmentItems"][0]
    cargo, unit = item["cargoItems"][0], document["utilizedTransportEquipments"][0]
    numbers = [container(serial) for serial in range(count)]
    item["cargoItems"] = [cargo | {"equipmentReference": number} for number in numbers]
    document["utilizedTransportEquipments"] = [
        unit | {"equipment": {"equipmentReference": number}} for number in numbers
    ]
    return document


def container(serial: int) -> str:
    """A container number of the demonstration's owner, with its ISO 6346 check digit."""
    body = f"XLCU{serial:06d}"
    # Letters count from 10 and leave out the multiples of 11.
    letters = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _letter_values(), strict=True))
    values = [letters[sign] if sign.isalpha() else int(sign) for sign in body]
    total = sum(value << place for place, value in enumerate(values))
    return f"{body}{total % 11 % 10}"


def _letter_values() -> list[int]:
    return [value for value in range(10, 39) if value % 11]


def test_the_same_document_uploaded_as_instructions_first_can_still_be_published(
    stage: Scene,
) -> None:
    """Whoever knows a draft's bytes cannot keep its carrier from using them."""
    content = with_goods("squatted")
    squat = stage.request(
        "POST",
        f"{PATH}?kind=shipping-instructions",
        party="shadow",
        body=content,
        media_type="application/json",
    )
    assert squat.status == 201
    digest = upload(stage, content).json()["digest"]
    with stage.platform.running.store.reading() as reading:
        row = reading.document(digest)
    assert row is not None
    assert (row.kind, row.content) == ("transport-document", content)
    assert row.facts is not None
    assert row.facts.received_bytes == digest


def test_a_party_s_name_is_shown_as_it_was_registered(stage: Scene) -> None:
    names = ["=cmd|' /C calc'!A0", "<b>Bold & Co</b>", "Robert'); DROP TABLE states;--"]
    for number, name in enumerate(names):
        slug = f"odd-{number}"
        newcomer(stage.platform, stage.voyage, slug, "CN", {"roles": ["SHIPPER"]}, name=name)
        answer = stage.request("GET", f"/v1/parties/{slug}")
        assert answer.json()["legalName"] == name
        assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("member", "entry"),
    [
        pytest.param("consignmentItems", {}, id="objects without their members"),
        pytest.param("charges", {}, id="objects that no rule reads"),
        pytest.param("utilizedTransportEquipments", "", id="no objects"),
        pytest.param("references", {"type": 1, "value": 1}, id="members of the wrong type"),
    ],
)
def test_a_megabyte_of_faults_is_answered_soon_and_shortly(
    stage: Scene, member: str, entry: object
) -> None:
    """Half a minute of a whole process, and hundreds of megabytes to answer, were in it."""
    size = len(json.dumps(entry)) + 1
    document = {**corridor_document(), member: [entry] * (950_000 // size)}
    content = json.dumps(document, separators=(",", ":")).encode()
    begun = process_time()
    answer = upload(stage, content)
    assert process_time() - begun < 5
    assert (answer.status, answer.json()["code"]) == (422, "bad_document")
    assert 100 <= len(answer.json()["errors"]) <= 1000
    assert len(answer.body) < 300_000
