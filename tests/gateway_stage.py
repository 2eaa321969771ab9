"""A carrier with a DCSA system of its own, its gateway, and a real platform, for tests.

`stage(folder)` is the platform, its clock standing at `STORY`. `System` is the carrier's system:
it keeps what is posted to it, and answers what it is told to. `Pair` is a gateway beside it, whose
rounds the tests turn by hand, and whose doors are open on a loopback port.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.serving import BaseWSGIServer, make_server

from bol_service.client import Answered, Client, Refused, Unreachable
from bol_service.crypto import peer_jws, strictjson
from bol_service.crypto.peer_keys import PeerAlgorithm, PinnedKey
from bol_service.crypto.peer_signers import PeerSigner
from bol_service.crypto.signers import write_private_key
from bol_service.gateway.delivery import Receiver
from bol_service.gateway.service import Gateway, Plan, open_gateway
from bol_service.gateway.subscribers import Subscriber
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from tests import kit
from tests.desk import CAST, LOCAL_DATE, STORY, Desk
from tests.documents import draft_of
from tests.many_bills import Maker, container, one_box_document
from tests.rsa_signer import RsaSigner
from tests.trust_file import trust_value

Json = dict[str, Any]
CARRIER, SHIPPER, BUYER = "xlsc", "yunling", "straits"
TOKEN = "t" * 40
ISSUANCES, ANSWERS = "/v3/ebl-issuance-requests", "/v3/ebl-surrender-responses"
RESPONSES, SURRENDERS = "/v3/ebl-issuance-responses", "/v3/ebl-surrender-requests"
NOTIFICATIONS = "/v3/transport-document-notifications"


# -- the carrier's own system --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Message:
    path: str
    headers: Mapping[str, str]
    value: Json


@dataclass(kw_only=True)
class System:
    """`answers` are the statuses of the next answers; 204 when there is none left. Once it has
    what `holds` is the path of, it waits for `go_on` with its answer."""

    messages: list[Message] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    url: str = ""
    holds: str | None = None
    go_on: threading.Event = field(default_factory=threading.Event)

    def got(self, path: str, reference: str | None = None) -> list[Json]:
        """What came in at `path`, about one document."""
        found = [message.value for message in self.messages if message.path == path]
        return [
            value
            for value in found
            if reference is None
            or reference in (value.get("transportDocumentReference"), _data_reference(value))
        ]

    def serve(self) -> ThreadingHTTPServer:
        system = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = Message(
                    path=self.path, headers=dict(self.headers), value=json.loads(body)
                )
                system.messages.append(message)
                if self.path == system.holds:
                    system.holds = None
                    assert system.go_on.wait(120)
                self.send_response(system.answers.pop(0) if system.answers else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Tests are silent."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server


def _data_reference(value: Json) -> object:
    data = value.get("data", {})
    return data.get("transportDocumentReference")


# -- the way to the platform ---------------------------------------------------------------------


@dataclass(kw_only=True)
class Line(Client):
    """The connection to the platform, which fails as told: `answer` is lost, or the `request`, a
    server says 503 (`busy`) or a proxy 403, a lie comes back (`forged`), or a good receipt of
    another act (`other`). Only for events; `sent` keeps them."""

    fault: str | None = None
    sent: list[str] = field(default_factory=list)

    def request(
        self, method: str, path: str, body: bytes | None, media_type: str | None, token: str | None
    ) -> Answered:
        if path != "/v1/events":
            return super().request(method, path, body, media_type, token)
        assert body is not None
        self.sent.append(body.decode("ascii"))
        if self.fault == "request":
            raise Unreachable("the request was lost")
        if self.fault == "busy":
            raise Refused({"status": 503, "code": "uncertain", "detail": "not certain"})
        if self.fault == "proxy":
            raise Refused({"status": 403, "code": "unknown", "detail": "<html>forbidden"})
        answered = super().request(method, path, body, media_type, token)
        if self.fault == "answer":
            raise Unreachable("the answer was lost")
        if self.fault == "forged":
            return _forged(answered)
        if self.fault == "other":
            return self.fetch(f"/v1/streams/party%3A{CARRIER}/receipts/1")
        return answered


def _forged(answered: Answered) -> Answered:
    receipt = answered.json()
    receipt["index"] += 1
    return Answered(
        status=answered.status, headers=answered.headers, content=json.dumps(receipt).encode()
    )


# -- the platform --------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Stage:
    platform: kit.Platform
    folder: Path
    made: int = 0

    def client(self, party: str) -> Client:
        return self.platform.client(party, STORY)

    def line(self) -> Line:
        return Line(
            base_url=self.platform.base_url,
            origin=kit.ORIGIN,
            party=CARRIER,
            signer=self.platform.signers[CARRIER],
            now=lambda: STORY,
        )

    def number(self) -> int:
        """Of a bill that no other test uses."""
        self.made += 1
        return self.made

    def approved(self, *, changes: Json | None = None, approve: bool = True) -> Json:
        """The document of a shipment whose draft is published, approved, and received."""
        number = self.number()
        document = {**one_box_document(number), **(changes or {})}
        shipment = drafting.uuid7(STORY)
        stream = f"draft:{shipment}"
        carrier = self.client(CARRIER)
        carrier.act("BOOKING", stream, _booking(document, number), after=None)
        content = json.dumps(draft_of(document), ensure_ascii=False).encode()
        draft = carrier.upload(content)
        version = {"version": 1, "contentDigest": draft["contentDigest"]}
        carrier.act("PUBLISH_DRAFT", stream, {**version, "document": draft["digest"]})
        if approve:
            self.client(SHIPPER).act("APPROVE_DRAFT", stream, version)
        received = {"occurredAt": instant_text(STORY), "localDate": LOCAL_DATE, "seals": ["S1"]}
        custody = f"custody:{shipment}:{container(number)}"
        self.client("guoyuan").act("GATE_IN", custody, received, after=None)
        return document

    def size(self) -> int:
        """Entries in the log."""
        checkpoint = self.client(CARRIER).fetch("/ledger/checkpoint").content
        return int(checkpoint.split(b"\n")[1])

    def bills(self, document: Json) -> list[Json]:
        reference = document["transportDocumentReference"]
        found: list[Json] = self.client(CARRIER).get("/v1/bills", reference=reference)["items"]
        return found

    def events(self, bill: str) -> list[str]:
        """The actions on the bill, oldest first."""
        page = self.client(CARRIER).get(f"/v1/bills/{bill}/events")
        return [event["action"] for event in page["items"]]


def _booking(document: Json, number: int) -> Json:
    reference = document["consignmentItems"][0]["carrierBookingReference"]
    legs = {"receipt": "guoyuan", "rail": "wrail", "loading": "qinzhou", "discharge": "sgterm"}
    return {
        "carrierBookingReference": reference,
        "shipper": SHIPPER,
        "custodians": legs,
        "containers": [container(number)],
        "customsRelease": False,
    }


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    with kit.platform(folder) as platform:
        platform.set_clock(STORY)
        services = platform.running.services
        desk = Desk(signers={slug: platform.signers[slug] for slug in CAST})
        Maker(desk=desk, recorder=services.recorder, documents=services.documents).open_log()
        yield Stage(platform=platform, folder=folder)


def carrier_files(on: Stage, folder: Path) -> dict[str, Path]:
    """Key, trust file and token of a carrier."""
    key, trust, token = folder / "xlsc.pem", folder / "trust.json", folder / "token"
    write_private_key(key, on.platform.signers[CARRIER]._key, kit.PASSPHRASE)
    trust.write_bytes(strictjson.canonical(trust_value(on.platform.trust())))
    token.write_text(TOKEN)
    token.chmod(0o600)
    return {"key": key, "trust": trust, "token": token}


# -- what the carrier's system asks for ----------------------------------------------------------


@cache
def system_key() -> rsa.RSAPrivateKey:
    """The key with which the carrier's system signs manifests; the ledger does not know it."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def system_pin() -> PinnedKey:
    return PinnedKey(key=system_key().public_key(), algorithms=frozenset({PeerAlgorithm.PS256}))


def issue_to(slug: str = SHIPPER, **changes: Any) -> Json:
    party: Json = {
        "partyName": "Chongqing Yunling Motor Parts Co., Ltd.",
        "sendToPlatform": kit.CODE,
        "identifyingCodes": [
            {
                "codeListProvider": "ZZZ",
                "codeListName": f"{kit.CODE}-PARTY",
                "partyCode": slug,
            }
        ],
    }
    return party | changes


def issuance_request(
    document: Json,
    *,
    to: Json | None = None,
    picture: bytes | None = None,
    signer: PeerSigner | None = None,
    manifest: Json | None = None,
) -> Json:
    """As the carrier's system sends it; `manifest` replaces members of what it signs."""
    receiver = to or issue_to()
    signed = {
        "documentChecksum": _sha256(strictjson.canonical(document)),
        "issueToChecksum": _sha256(strictjson.canonical(receiver)),
        **({} if picture is None else {"eBLVisualisationByCarrierChecksum": _sha256(picture)}),
        **(manifest or {}),
    }
    text = peer_jws.sign(json.dumps(signed).encode(), signer or RsaSigner(system_key()))
    request = {
        "document": document,
        "issueTo": receiver,
        "issuanceManifestSignedContent": text,
    }
    if picture is not None:
        content = base64.b64encode(picture).decode()
        request["eBLVisualisationByCarrier"] = {"name": "bill.pdf", "content": content}
    return request


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _catch_up(gateway: Gateway, on: Stage) -> None:
    gateway.state.set_mark("swept", instant_text(STORY))
    numbers = [notice["number"] for notice in on.client(CARRIER).pages("/v1/notices")]
    if numbers:
        gateway.state.set_mark("notices", str(numbers[-1]))


# -- the gateway beside the system ---------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    value: Any


@dataclass(kw_only=True)
class Pair:
    gateway: Gateway
    system: System
    line: Line
    door: BaseWSGIServer

    def call(
        self,
        method: str,
        path: str,
        value: object = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """As the carrier's system calls; `headers` replace its own."""
        sent = {
            "Authorization": f"Bearer {TOKEN}",
            "Content-Type": "application/json",
            "API-Version": "3",
            **(headers or {}),
        }
        content = body if body is not None else json.dumps(value).encode()
        connection = HTTPConnection("127.0.0.1", self.door.server_port, timeout=120)
        try:
            connection.request(method, path, None if method == "GET" else content, sent)
            answer = connection.getresponse()
            raw = answer.read()
            found = json.loads(raw) if raw else None
            return Answer(status=answer.status, headers=dict(answer.getheaders()), value=found)
        finally:
            connection.close()

    def issue(self, document: Json, **options: Any) -> Answer:
        return self.call("PUT", ISSUANCES, issuance_request(document, **options))

    def outcome(self, document: Json) -> Json:
        """The issuance response for a document that has exactly one."""
        (response,) = self.system.got(RESPONSES, document["transportDocumentReference"])
        return response

    def answer(self, reference: str, action: str, **members: Any) -> Answer:
        value = {"surrenderRequestReference": reference, "action": action, **members}
        return self.call("POST", ANSWERS, value)


@contextmanager
def pair(
    on: Stage,
    folder: Path,
    *,
    system: System | None = None,
    subscribers: Sequence[Subscriber] = (),
    token: str | None = TOKEN,
    knows: bool = True,
) -> Iterator[Pair]:
    """A gateway on the state in `folder`, until the end of the block. It `knows` what happened
    before, as if it had been running: the bills of other tests do not keep it busy."""
    own = system or System()
    server = own.serve()
    line = on.line()
    plan = Plan(
        client=line,
        trust=on.platform.trust(),
        state=folder,
        carrier_system=Receiver(url=own.url, token="c" * 40),
        token=token,
        subscribers=subscribers,
        manifest_keys=(system_pin(),),
    )
    gateway = open_gateway(plan)
    if knows and not gateway.state.mark("swept"):
        _catch_up(gateway, on)
    door = make_server("127.0.0.1", 0, gateway.app, threaded=True)
    thread = threading.Thread(target=door.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Pair(gateway=gateway, system=own, line=line, door=door)
    finally:
        door.shutdown()
        thread.join()
        door.server_close()
        gateway.stop()
        server.shutdown()
        server.server_close()
