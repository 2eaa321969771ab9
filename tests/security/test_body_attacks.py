"""Hostile bodies at every door that takes one: always a problem with a known code, never a trace.

Each body is sent as it is, and signed: as the payload of an event, and as claims of an assertion.
"""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from time import process_time
from urllib.parse import urlencode

import pytest

from bol_service.client import ASSERTION
from bol_service.crypto import jws
from bol_service.crypto.signers import Signer
from bol_service.http.codes import CATALOGUE
from bol_service.http.problems import PROBLEM
from bol_service.settings import MAX_BODY_BYTES
from bol_service.wire.events import EVENT_TYP, MAX_EVENT_BYTES
from tests.bill_scene import JOSE, Answer, Scene, scene
from tests.hostile_bodies import BODIES

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
ASSERTION_TYP = "client-authentication+jwt"
TEXT = "text/plain"
DOORS = (
    ("/v1/events", JOSE),
    ("/v1/events:batch", JSON),
    ("/v1/documents", JSON),
    ("/v1/webhooks", JSON),
    ("/oauth/token", FORM),
    ("/witness/add-checkpoint", TEXT),
)
# Generous, for a machine that does other things too; an honest event takes about 5 ms.
SLOWEST_SECONDS = 1.0


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("bodies")) as ready:
        yield ready


def stored(stage: Scene) -> tuple[int, ...]:
    """The rows of all that a party can write to."""
    tables = (
        "entries",
        "states",
        "documents",
        "claims",
        "keys",
        "notices",
        "checkpoints",
        "webhooks",
    )
    with stage.platform.running.store.engine.begin() as connection:
        return tuple(
            connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one()
            for table in tables
        )


@pytest.fixture
def nothing_stored(stage: Scene) -> Iterator[None]:
    before = stored(stage)
    yield
    assert stored(stage) == before


def key(stage: Scene) -> Signer:
    signer = stage.clients["bankcq"].signer
    assert signer is not None
    return signer


def is_a_problem(answer: Answer) -> None:
    assert 400 <= answer.status < 500, (answer.status, answer.body)
    assert answer.headers["Content-Type"] == PROBLEM
    problem = answer.json()
    assert problem["code"] in CATALOGUE
    assert problem["status"] == answer.status == CATALOGUE[problem["code"]].status


def send(stage: Scene, path: str, media_type: str, body: bytes) -> Answer:
    started = process_time()
    answer = stage.request("POST", path, party="bankcq", body=body, media_type=media_type)
    assert process_time() - started < SLOWEST_SECONDS
    return answer


@pytest.mark.parametrize(("path", "media_type"), DOORS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_hostile_body_is_refused_everywhere(
    stage: Scene, nothing_stored: None, path: str, media_type: str, body: bytes
) -> None:
    is_a_problem(send(stage, path, media_type, body))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_hostile_payload_is_refused_though_it_is_signed(
    stage: Scene, nothing_stored: None, body: bytes
) -> None:
    event = jws.sign(body, EVENT_TYP, key(stage))
    answer = send(stage, "/v1/events", JOSE, event.encode())
    is_a_problem(answer)
    assert answer.json()["code"] == "bad_event"


def test_every_hostile_payload_of_a_batch_is_refused_for_itself(
    stage: Scene, nothing_stored: None
) -> None:
    events = [jws.sign(body, EVENT_TYP, key(stage)) for body in BODIES.values()]
    texts = ["", "é.é.é", "a.b.c", *(event for event in events if len(event) < 10_000)]
    answer = send(stage, "/v1/events:batch", JSON, json.dumps(texts, ensure_ascii=False).encode())
    items = answer.json()["items"]
    assert len(items) == len(texts)
    assert {(item["status"], item["problem"]["code"]) for item in items} == {(422, "bad_event")}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_hostile_claims_are_refused_though_they_are_signed(
    stage: Scene, nothing_stored: None, body: bytes
) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION,
        "client_assertion": jws.sign(body, ASSERTION_TYP, key(stage)),
    }
    answer = send(stage, "/oauth/token", FORM, urlencode(form).encode())
    is_a_problem(answer)
    assert answer.json()["code"] == "not_authenticated"


# -- the envelope of HTTP ------------------------------------------------------------------------


def test_there_are_sixty_bodies_at_least() -> None:
    assert len(BODIES) >= 60


@pytest.mark.parametrize(
    "media_type",
    [None, "text/plain", "application/json", "application/octet-stream", "multipart/form-data"],
)
def test_an_event_is_declared_as_jose(
    stage: Scene, nothing_stored: None, media_type: str | None
) -> None:
    answer = stage.request(
        "POST", "/v1/events", body=stage.receipt["event"].encode(), media_type=media_type
    )
    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_document_is_declared_as_json(stage: Scene, nothing_stored: None) -> None:
    answer = stage.request(
        "POST", "/v1/documents", party="bankcq", body=b"{}", media_type="application/jose"
    )
    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("path", "media_type"), DOORS[:-1])  # the last is no door of ours here
def test_a_body_beyond_the_limit_is_not_read(
    stage: Scene, nothing_stored: None, path: str, media_type: str
) -> None:
    body = b"a" * (MAX_BODY_BYTES + 1)
    answer = stage.request("POST", path, party="bankcq", body=body, media_type=media_type)
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


def test_an_event_longer_than_an_event_may_be_is_refused(
    stage: Scene, nothing_stored: None
) -> None:
    payload = b'{"comment":"' + b"a" * (MAX_EVENT_BYTES * 3 // 4) + b'"}'
    event = jws.sign(payload, EVENT_TYP, key(stage))
    answer = stage.post_event(event)
    assert len(event) > MAX_EVENT_BYTES
    assert (answer.status, answer.json()["code"]) == (422, "bad_event")
    assert str(MAX_EVENT_BYTES) in answer.json()["detail"]


@pytest.mark.parametrize(("path", "media_type"), DOORS)
def test_a_compressed_body_is_not_unpacked(
    stage: Scene, nothing_stored: None, path: str, media_type: str
) -> None:
    """A bomb: 100 MB of blanks in 100 kB. It is judged as the bytes that came."""
    bomb = gzip.compress(b" " * 100_000_000, compresslevel=1)
    answer = stage.request(
        "POST",
        path,
        party="bankcq",
        body=bomb,
        media_type=media_type,
        headers={"Content-Encoding": "gzip"},
    )
    is_a_problem(answer)


def raw(stage: Scene, *lines: str, body: bytes = b"") -> bytes:
    """What comes back for a request written by hand; the connection is closed by the service."""
    address = ("127.0.0.1", stage.platform.server.server_port)
    with closing(socket.create_connection(address, timeout=60)) as connection:
        connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


@pytest.mark.parametrize(("path", "media_type"), DOORS)
def test_a_chunked_body_is_refused(
    stage: Scene, nothing_stored: None, path: str, media_type: str
) -> None:
    token = stage.clients["bankcq"].token()
    answer = raw(
        stage,
        f"POST {path} HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {token}",
        f"Content-Type: {media_type}",
        "Transfer-Encoding: chunked",
        body=b"2\r\n{}\r\n0\r\n\r\n",
    )
    assert b" 411 " in answer.splitlines()[0]
    assert b'"length_required"' in answer


def test_a_body_without_a_length_is_refused(stage: Scene, nothing_stored: None) -> None:
    answer = raw(stage, "POST /v1/events HTTP/1.1", "Host: x", f"Content-Type: {JOSE}")
    assert b" 411 " in answer.splitlines()[0]


def test_a_request_without_a_host_is_refused(stage: Scene, nothing_stored: None) -> None:
    answer = raw(stage, "GET /healthz HTTP/1.1")
    assert b" 400 " in answer.splitlines()[0]


def test_length_and_chunks_together_make_no_two_requests(
    stage: Scene, nothing_stored: None
) -> None:
    """The first part of request smuggling: two readers that disagree where a request ends."""
    answer = raw(
        stage,
        "POST /v1/events HTTP/1.1",
        "Host: x",
        f"Content-Type: {JOSE}",
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        body=b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    )
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b" 4" in answer.splitlines()[0]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:443", 'x/"><script>', "a b"])
@pytest.mark.parametrize(
    ("path", "place"),
    [("/portal", "/portal/"), ("/portal//bills?q=a%2Fb", "/portal/bills?q=a%2Fb")],
    ids=["a slash is missing", "a slash is doubled"],
)
def test_a_redirection_leads_to_no_host_that_the_request_names(
    stage: Scene, host: str, path: str, place: str
) -> None:
    """It may be kept by browsers for ever, and behind a proxy the scheme is not even ours."""
    answer = raw(stage, f"GET {path} HTTP/1.1", f"Host: {host}")
    assert b" 308 " in answer.splitlines()[0]
    assert f"\r\nLocation: {place}\r\n".encode() in answer


# -- addresses -----------------------------------------------------------------------------------

ADDRESSES = (
    "/v1/bills/%00",
    "/v1/bills?reference=%00",
    "/v1/bills?cursor=%00",
    "/v1/parties/%00",
    "/v1/streams/%00/head",
    "/v1/streams/party:x/receipts/99999999999999999999999999",
    "/v1/streams/party:x/receipts/-1",
    "/v1/streams/party:x/receipts/0x1",
    "/ledger/proof/inclusion/99999999999999999999999999",
    "/ledger/proof/inclusion/0/99999999999999999999999999",
    "/ledger/proof/consistency/99999999999999999999999999",
    "/ledger/proof/consistency/5/4",
    "/v1/bills/../parties",
    "/v1/bills/%2e%2e/%2e%2e/etc/passwd",
    "/v1/documents/..%2f..%2fetc%2fpasswd",
    "/docs/static/../../settings.py",
    "/docs/static/%2e%2e/%2e%2e/settings.py",
    "/docs/static/..%2f..%2fsettings.py",
    "/v1/parties/%ed%a0%80",
    "/v1/parties/%ff",
    "/v1/parties/" + "a" * 10_000,
    "/v1/bills/" + "%27%20OR%201%3D1--",
    "/v1/bills/" + "A" * 64,
    "/v1/bills?limit=0",
    "/v1/bills?limit=-2",
    "/v1/bills?limit=101",
    "/v1/bills?limit=5.5",
    "/v1/bills?limit=1e400",
    "/v1/bills?limit=NaN",
    "/v1/bills?unknown=1",
    "/v1/notices?cursor=-1",
    "/v1/notices?cursor=x",
    "/v1/notices?cursor=9999999999999999",
    "/v1/documents?kind=x",
    "/v1/streams/bill:x:y/head",
    "/v1/streams/custody:x/head",
)


@pytest.mark.parametrize("path", ADDRESSES, ids=lambda path: path[:60])
def test_a_hostile_address_is_refused(stage: Scene, nothing_stored: None, path: str) -> None:
    is_a_problem(stage.request("GET", path, party="bankcq"))


@pytest.mark.parametrize(
    "text",
    [
        "' OR '1'='1",
        "'; DROP TABLE entries; --",
        "%' --",
        "\\",
        '"',
        "XLSC2703CQSG0041_",
        "{{7*7}}",
    ],
)
@pytest.mark.parametrize("name", ["reference", "status", "carrier", "container", "shipment"])
def test_a_filter_is_a_value_and_never_a_statement(
    stage: Scene, nothing_stored: None, name: str, text: str
) -> None:
    path = f"/v1/bills?{urlencode({name: text})}"
    answer = stage.request("GET", path, party="bankcq")
    assert (answer.status, answer.json()["items"]) == (200, [])
