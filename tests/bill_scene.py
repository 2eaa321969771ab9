"""The voyage stopped in the middle, with every role on stage.

Bill A is the voyage's: `bankcq` possesses it for presentation, title is with `banksg`, the shipper
is a former holder and so is `nusantara`, which had it for a moment. Bill B is another bill of the
same carrier and shipper; to the banks it is somebody else's. Added to the cast: another carrier
(`rival`) and the auditor of another country (`sgaudit`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bol_service.cli.voyage import Voyage
from bol_service.client import Client
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain.states import Head
from bol_service.wire import drafting
from tests import kit

Json = dict[str, Any]
ANONYMOUS = "anonymous"

# Column of the matrix: the party that stands for the role.
COLUMNS: Mapping[str, str] = {
    "an": ANONYMOUS,
    "ca": "xlsc",
    "rc": "rival",
    "sh": "yunling",
    "fw": "qiaolian",
    "ho": "bankcq",
    "ti": "banksg",
    "fo": "nusantara",
    "te": "guoyuan",
    "ra": "wrail",
    "cu": "sgcus",
    "au": "auditor",
    "af": "sgaudit",
    "no": "straits",
    "st": "shadow",
    "op": "operator",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def without_request_id(self) -> tuple[int, dict[str, str], bytes]:
        """All that a client can compare, but for what differs in every answer."""
        varying = {"x-request-id", "date"}
        headers = {n.lower(): v for n, v in self.headers.items() if n.lower() not in varying}
        own = self.headers.get("X-Request-Id", "").encode()
        return self.status, headers, self.body.replace(own, b"")


@dataclass(frozen=True, kw_only=True)
class Scene:
    platform: kit.Platform
    voyage: Voyage
    clients: Mapping[str, Client]
    bill_a: str
    bill_b: str
    draft: str
    receipt: Json

    def request(
        self,
        method: str,
        path: str,
        *,
        party: str = ANONYMOUS,
        body: bytes | None = None,
        media_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request with the party's access token, if it is one."""
        sent = dict(headers or {})
        if party != ANONYMOUS:
            sent["Authorization"] = f"Bearer {self.clients[party].token()}"
        if media_type is not None:
            sent["Content-Type"] = media_type
        connection = HTTPConnection(urlsplit(self.platform.base_url).netloc, timeout=120)
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(
                status=answer.status, headers=dict(answer.getheaders()), body=answer.read()
            )
        finally:
            connection.close()

    def post_event(self, compact: str) -> Answer:
        return self.request("POST", "/v1/events", body=compact.encode(), media_type=JOSE)

    def head(self, stream: str) -> Head | None:
        """The true head, whoever may know it."""
        with self.platform.running.store.reading() as reading:
            found = reading.states([stream]).get(stream)
        return found[1] if found else None

    @property
    def log_size(self) -> int:
        return self.platform.running.services.ledger.size()


JOSE = "application/jose"


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    with kit.platform(folder) as platform:
        voyage = platform.voyage()
        voyage.open()
        for line in voyage.play():
            assert line.as_expected, line
            if line.step == "12n":
                break  # the voyage's clock stands still from here
        clients = dict(voyage.clients)
        rival = {
            "roles": ["CARRIER"],
            "carrierCode": {"code": "RVLN", "codeListProvider": "NMFTA"},
        }
        clients["rival"] = newcomer(platform, voyage, "rival", "CN", rival)
        clients["sgaudit"] = newcomer(platform, voyage, "sgaudit", "SG", {"roles": ["AUDITOR"]})
        stream = f"bill:{voyage.bill}"
        clients["bankcq"].act("TRANSFER", stream, {}, recipient="nusantara")
        clients["nusantara"].act("TRANSFER", stream, {}, recipient="bankcq")
        for client in clients.values():
            client._token = None  # those of earlier days of the voyage have expired
        yield Scene(
            platform=platform,
            voyage=voyage,
            clients=clients,
            bill_a=voyage.bill,
            bill_b=str(voyage.saved["s417-issued"]["checksum"]),
            draft=str(voyage.saved["shipment"]),
            receipt=clients["xlsc"].get(f"/v1/streams/{stream}/receipts/0"),
        )


def newcomer(
    platform: kit.Platform,
    voyage: Voyage,
    slug: str,
    country: str,
    role: Json,
    *,
    name: str | None = None,
) -> Client:
    """Register another party and let it accept the rulebook."""
    signer = LocalSigner(generate(Algorithm.ED25519))
    identity = {
        "country": country,
        "identifiers": [{"type": "AUTHORITY", "value": slug}],
        "legalName": name or slug,
    }
    proof = drafting.prove_key(signer, origin=kit.ORIGIN, party=slug, identity=identity)
    details = {**proof, "identity": identity, **role}
    voyage.clients["operator"].act("REGISTER", f"party:{slug}", details, after=None)
    client = Client(
        base_url=platform.base_url, origin=kit.ORIGIN, party=slug, signer=signer, now=voyage.now
    )
    client.act("ACCEPT_RULEBOOK", f"party:{slug}", {"rulebook": voyage.saved["rulebook"]})
    return client
