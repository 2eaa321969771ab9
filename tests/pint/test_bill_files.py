"""The carrier's visualisation and supporting documents travel with the original, byte for byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from bol_service.application import bill_files
from bol_service.application.bill_files import MAX_FILE_BYTES, MOST_FILES
from bol_service.client import Client, Refused
from bol_service.storage.exchange import SqlExchange
from bol_service.wire.pint_envelope import envelope_manifest, read_envelope
from tests.stormy_border import audited
from tests.two_platforms import Side, Two, two_platforms

PICTURE = b"%PDF-1.7 the carrier's picture of the bill"
PACKING = b"%PDF-1.7 a packing list"
ORIGIN = b"%PDF-1.7 a certificate of origin"
Json = dict[str, Any]
Wsgi = Callable[[Any, Any], Iterable[bytes]]


@pytest.fixture(scope="module")
def border(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with two_platforms(tmp_path_factory.mktemp("border")) as both:
        yield both


@pytest.fixture
def two(border: Two) -> Iterator[Two]:
    """Both platforms, for bills of each test's own; nobody stands before them afterwards."""
    yield border
    if border.sg.served is None:
        border.sg.start()
    border.sg.served = border.sg.running.app


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pictured(two: Two, picture: bytes = PICTURE) -> str:
    """A bill whose issuance manifest bears the picture, which the carrier has uploaded."""
    two.cq.client("xlsc").upload(picture, "visualisation", "application/pdf")
    (bill,) = two.issue(visualisation=digest(picture))
    return bill


def crossed(two: Two, bill: str) -> None:
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.settled(bill)
    assert two.sg.here(bill).control.possessor == "banksg"


def listed(client: Client, bill: str) -> list[tuple[str, str]]:
    items = client.get(f"/v1/bills/{bill}/files")["items"]
    return [(item["role"], item["digest"]) for item in items]


def fetched(client: Client, bill: str, content: bytes) -> bytes:
    return client.fetch(f"/v1/bills/{bill}/files/{digest(content)}").content


FILES = [
    ("visualisation", digest(PICTURE)),
    ("supporting-document", digest(PACKING)),
]


def test_they_cross_the_border_and_come_back_and_are_the_same_bytes(two: Two) -> None:
    bill = pictured(two)
    assert two.cq.client("yunling").attach(bill, PACKING)["role"] == "supporting-document"
    crossed(two, bill)
    bank = two.sg.client("banksg")
    assert listed(bank, bill) == FILES
    assert (fetched(bank, bill, PICTURE), fetched(bank, bill, PACKING)) == (PICTURE, PACKING)

    bank.attach(bill, ORIGIN)
    two.sg.act("banksg", "TRANSFER", bill, recipient="CQGY:yunling")
    two.settled(bill)
    shipper = two.cq.client("yunling")
    assert listed(shipper, bill) == [*FILES, ("supporting-document", digest(ORIGIN))]
    assert fetched(shipper, bill, ORIGIN) == ORIGIN
    # What the other side has already is not sent again.
    flows = [flow for _, flow in SqlExchange(two.sg.running.store).flows(0, 1000)]
    documents = [flow for flow in flows if (flow.bill, flow.what) == (bill, "document")]
    assert [flow.digest for flow in documents if flow.direction == "OUT"] == [digest(ORIGIN)]
    assert [
        (flow.digest, flow.recipient, flow.size) for flow in documents if flow.direction == "IN"
    ] == [(digest(PICTURE), "banksg", len(PICTURE)), (digest(PACKING), "banksg", len(PACKING))]
    for side in (two.cq, two.sg):
        assert audited(side).problems == []


def test_the_manifest_names_them_as_the_standard_says(two: Two) -> None:
    bill = pictured(two)
    two.cq.client("yunling").attach(bill, PACKING)
    crossed(two, bill)
    manifest = sent_manifest(two.cq, bill)
    assert manifest["eBLVisualisationByCarrier"] == {
        "name": "visualisation.pdf",
        "size": len(PICTURE),
        "mediaType": "application/pdf",
        "documentChecksum": digest(PICTURE),
    }
    assert manifest["supportingDocuments"] == [
        {
            "name": f"supporting-{digest(PACKING)[:12]}.pdf",
            "size": len(PACKING),
            "mediaType": "application/pdf",
            "documentChecksum": digest(PACKING),
        }
    ]


def sent_manifest(side: Side, bill: str) -> Json:
    known = side.here(bill).abroad.known
    assert known is not None
    with side.running.store.reading() as reading:
        body = reading.contents([known.envelope])[known.envelope]
    text = read_envelope(body).manifest
    return envelope_manifest(_payload(text)).to_json()


def _payload(text: str) -> Json:
    from bol_service.crypto import peer_jws

    return peer_jws.parse(text).value


def on_the_way(two: Two, strike: Callable[[Any], bool | None]) -> list[str]:
    """Lets `strike` change, or with True swallow, each upload that reaches Singapore; returns what
    became of them, as it fills."""
    app: Wsgi = two.sg.served
    seen: list[str] = []

    def served(environ: Any, start_response: Any) -> Iterable[bytes]:
        if "additional-documents" not in environ["PATH_INFO"]:
            return app(environ, start_response)
        if strike(environ):
            start_response("204 No Content", [])
            seen.append("swallowed")
            return [b""]

        def told(status: str, *more: Any) -> Any:
            seen.append(status)
            return start_response(status, *more)

        return app(environ, told)

    two.sg.served = served
    return seen


def test_a_file_that_was_damaged_on_its_way_is_refused_and_sent_again(two: Two) -> None:
    bill = pictured(two)
    struck: list[int] = []

    def strike(environ: Any) -> None:
        import io

        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        if not struck:
            struck.append(1)
            body = body.replace(b"JVBER", b"JVBES")
        environ["wsgi.input"] = io.BytesIO(body)

    seen = on_the_way(two, strike)
    crossed(two, bill)
    assert [status[:3] for status in seen] == ["409", "204"]
    assert fetched(two.sg.client("banksg"), bill, PICTURE) == PICTURE


def test_a_file_that_got_lost_is_asked_for_until_it_is_there(two: Two) -> None:
    bill = pictured(two)
    struck: list[int] = []

    def strike(_: Any) -> bool:
        struck.append(1)
        return len(struck) < 3

    seen = on_the_way(two, strike)
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.until(lambda: len(seen) >= 1 and two.cq.outbox(bill)[0].attempts >= 1)
    assert "answered MDOC" in (two.cq.outbox(bill)[0].fault or "")
    assert two.sg.state(bill) is None  # nothing is here before all of it is
    two.settled(bill)
    assert fetched(two.sg.client("banksg"), bill, PICTURE) == PICTURE


def test_a_peer_gets_no_other_document_of_this_platform_whatever_it_asks_for(two: Two) -> None:
    bill = pictured(two)
    secret = two.cq.client("xlsc").upload(b"%PDF-1.7 another's", "visualisation", "application/pdf")
    app: Wsgi = two.sg.served
    asked: list[bytes] = []

    def greedy(environ: Any, start_response: Any) -> Iterable[bytes]:
        if "additional-documents" in environ["PATH_INFO"]:
            asked.append(environ["PATH_INFO"].rpartition("/")[2])
        if environ["PATH_INFO"] != "/v3/envelopes":
            return app(environ, start_response)
        kept: list[Any] = []
        answer = b"".join(app(environ, lambda *given: kept.append(given)))
        value = json.loads(answer)
        value["missingAdditionalDocumentChecksums"].append(secret["digest"])
        start_response("201 Created", [("Content-Type", "application/json")])
        return [json.dumps(value).encode()]

    two.sg.served = greedy
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.until(lambda: any(row.attempts for row in two.cq.outbox(bill)))
    assert asked == []
    assert secret["digest"] in (two.cq.outbox(bill)[0].fault or "")
    two.sg.served = app
    two.settled(bill)


def test_who_names_the_digest_of_anothers_file_as_its_picture_shows_nothing(two: Two) -> None:
    secret = b"%PDF-1.7 of the shipper alone"
    two.cq.client("yunling").upload(secret, "visualisation", "application/pdf")
    (bill,) = two.issue(visualisation=digest(secret))
    assert listed(two.cq.client("xlsc"), bill) == []
    crossed(two, bill)
    assert listed(two.sg.client("banksg"), bill) == []


def test_a_picture_that_is_no_file_for_a_bill_is_not_shown(two: Two) -> None:
    """The carrier names one of its own documents of another kind."""
    two.cq.client("xlsc").upload(b'{"a":1}', "shipping-instructions")
    (bill,) = two.issue(visualisation=digest(b'{"a":1}'))
    assert listed(two.cq.client("xlsc"), bill) == []


def test_the_same_bytes_may_be_a_file_of_many_bills_and_of_many_kinds(two: Two) -> None:
    """Terms and conditions, say: whoever was first with them takes nothing from the others."""
    picture, terms = PICTURE + b" again", PACKING + b" again"
    files = [("visualisation", digest(picture)), ("supporting-document", digest(terms))]
    first, second = two.issue(2, visualisation=digest(picture))
    shipper = two.cq.client("yunling")
    shipper.attach(first, picture)
    two.cq.client("xlsc").upload(picture, "visualisation", "application/pdf")
    assert listed(shipper, first) == listed(shipper, second) == files[:1]
    two.cq.client("xlsc").upload(terms, "visualisation", "application/pdf")
    for bill in (first, second):
        shipper.attach(bill, terms)
        assert listed(shipper, bill) == files
    crossed(two, first)  # Singapore has them now as what came with the first one
    two.cq.act("yunling", "TRANSFER", second, recipient="SGPX:banksg")
    two.settled(second)
    bank = two.sg.client("banksg")
    bank.attach(second, ORIGIN)
    bank.attach(first, ORIGIN)
    for bill in (first, second):
        assert listed(bank, bill) == [*files, ("supporting-document", digest(ORIGIN))]


def test_what_came_in_a_transfer_that_was_never_finished_is_no_file_of_the_bill(two: Two) -> None:
    (bill,) = two.issue()
    desk = two.cq.running.store
    content = b"%PDF-1.7 of a transfer that was abandoned"
    two.cq.client("guoyuan").upload(content, "visualisation", "application/pdf")
    SqlExchange(desk).hold(bill, digest(content))
    assert listed(two.cq.client("xlsc"), bill) == []


def test_a_former_holder_reads_the_picture_and_no_supporting_document(two: Two) -> None:
    bill = pictured(two)
    two.cq.client("yunling").attach(bill, PACKING)
    two.cq.act("yunling", "ENDORSE_TO_ORDER", bill, recipient="bankcq", transferTo="bankcq")
    bank, before = two.cq.client("bankcq"), two.cq.client("yunling")
    assert listed(bank, bill) == FILES
    assert listed(before, bill) == FILES[:1]
    assert fetched(before, bill, PICTURE) == PICTURE
    with pytest.raises(Refused, match="not_found"):
        fetched(before, bill, PACKING)


def test_who_may_not_read_the_document_learns_of_no_file(two: Two) -> None:
    bill = pictured(two)
    crossed(two, bill)
    for side, slug in ((two.cq, "guoyuan"), (two.cq, "bankcq"), (two.sg, "straits")):
        for path in (f"/v1/bills/{bill}/files", f"/v1/bills/{bill}/files/{digest(PICTURE)}"):
            with pytest.raises(Refused, match="not_found"):
                side.client(slug).fetch(path)
        with pytest.raises(Refused, match="not_found"):
            side.client(slug).attach(bill, PACKING)


def _in_transit(two: Two, bill: str) -> None:
    two.sg.stop()
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")


def _full(two: Two, bill: str) -> None:
    for number in range(MOST_FILES):
        two.cq.client("yunling").attach(bill, PACKING + str(number).encode())


@pytest.mark.parametrize(
    ("before", "who", "content", "code"),
    [
        pytest.param(_in_transit, "yunling", PACKING, "in_transit", id="while it is on its way"),
        pytest.param(crossed, "xlsc", PACKING, "moved", id="once the original is elsewhere"),
        pytest.param(
            lambda two, bill: two.cq.act("yunling", "TRANSFER", bill, recipient="bankcq"),
            "yunling",
            PACKING,
            "not_holder",
            id="by a former holder",
        ),
        pytest.param(lambda *_: None, "yunling", b"MZ", "bad_event", id="that is no PDF"),
        pytest.param(
            lambda *_: None,
            "yunling",
            b"%PDF-" + b"x" * 4000,
            "bad_event",
            id="that is too large",
        ),
        pytest.param(_full, "yunling", PACKING, "bad_event", id="that is one too many"),
    ],
)
def test_no_file_is_attached(
    before: Callable[[Two, str], object],
    who: str,
    content: bytes,
    code: str,
    two: Two,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bill_files, "MAX_FILE_BYTES", 4000)
    (bill,) = two.issue()
    before(two, bill)
    with pytest.raises(Refused, match=code):
        two.cq.client(who).attach(bill, content)


def test_files_may_be_larger_than_what_is_signed_and_have_a_limit(two: Two) -> None:
    (bill,) = two.issue()
    largest = b"%PDF-".ljust(MAX_FILE_BYTES, b"x")
    client = two.cq.client("xlsc")
    assert client.upload(largest, "visualisation", "application/pdf")["digest"] == digest(largest)
    assert client.attach(bill, largest)["size"] == MAX_FILE_BYTES
    for send in (
        lambda content: client.attach(bill, content),
        lambda content: client.upload(content, "visualisation", "application/pdf"),
    ):
        with pytest.raises(Refused) as refused:
            send(largest + b"x")
        assert refused.value.status == 413
    with pytest.raises(Refused) as refused:
        client.upload(b"{}".ljust(1_000_001), "shipping-instructions")
    assert refused.value.status == 413


def test_the_same_file_again_changes_nothing(two: Two) -> None:
    (bill,) = two.issue()
    client = two.cq.client("yunling")
    assert client.attach(bill, PACKING) == client.attach(bill, PACKING)
    assert listed(client, bill) == FILES[1:]
