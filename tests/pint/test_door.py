"""The TLS door for platforms: whose certificate is pinned comes in, and is known by it."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bol_service.application.exchange_ports import PeerAway
from bol_service.crypto.certificates import self_signed
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate, write_private_key
from bol_service.ledger.note import KeyType, VerifierKey
from bol_service.pint.client import HttpPeer
from bol_service.wire.abroad import Kind, PeerRequest, write_request
from bol_service.wire.peers import Peer, read_peers
from bol_service.wire.pint_answers import read_signed_body
from scripts.local_postgres import free_port
from tests.border_post import border_post
from tests.pint_story import CQ, NOW, TH, house, outbound
from tests.stormy_border import Server
from tests.two_platforms import PASSPHRASE, SG, Side
from tests.warm_service import launcher


@dataclass(frozen=True, kw_only=True)
class Card:
    """A TLS certificate and its key, as files."""

    certificate: Path
    key: Path

    @property
    def pem(self) -> str:
        return self.certificate.read_text(encoding="ascii")


@dataclass(frozen=True, kw_only=True)
class Door:
    side: Side
    port: int
    cards: dict[str, Card]

    def peer(self) -> Peer:
        """The platform as its peers pin it."""
        value = {
            "platforms": {
                SG: {
                    "url": f"https://localhost:{self.port}",
                    "keys": [{"jwk": self.side.pint.public.to_jwk()}],
                    "tlsCertificate": self.cards[SG].pem,
                }
            },
            "carriers": {},
        }
        return read_peers(json.dumps(value).encode()).platforms[SG]

    def link(self, who: str | None) -> HttpPeer:
        card = self.cards[who] if who is not None else None
        if card is None:
            return HttpPeer(self.peer())
        return HttpPeer(self.peer(), card.certificate, card.key, PASSPHRASE)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    cards = {name: _card(folder, name) for name in (SG, CQ, TH, "stranger")}
    port = free_port()
    with border_post(folder) as post, launcher() as fork:
        side = post.side
        assert side.settings.peers is not None
        peers = json.loads(side.settings.peers.read_text(encoding="utf-8"))
        for code in (CQ, TH):
            peers["platforms"][code]["tlsCertificate"] = cards[code].pem
        peers["platforms"][CQ]["trust"] = _trust()
        side.settings.peers.write_text(json.dumps(peers), encoding="utf-8")
        side.hand_over()
        side.settings = replace(
            side.settings,
            peer_listen=f"127.0.0.1:{port}",
            pint_certificate=cards[SG].certificate,
            pint_certificate_key=cards[SG].key,
        )
        server = Server(side=side, launcher=fork)
        server.start()
        _wait_for(port)
        yield Door(side=side, port=port, cards=cards)
        server.kill()


def _card(folder: Path, name: str) -> Card:
    key = generate(Algorithm.ES256)
    write_private_key(folder / f"{name}.pem", key, PASSPHRASE)
    now = datetime.now(UTC)
    pem = self_signed(
        LocalSigner(key),
        name=name,
        not_before=now - timedelta(minutes=5),
        not_after=now + timedelta(days=1),
        tls_hosts=("localhost",),
    )
    (folder / f"{name}.crt").write_text(pem, encoding="ascii")
    return Card(certificate=folder / f"{name}.crt", key=folder / f"{name}.pem")


def _trust() -> dict[str, Any]:
    """With which deliveries are exchanged too."""
    log, statement = (LocalSigner(generate(Algorithm.ED25519)).public for _ in range(2))
    origin = "demo.cq.example/ebl"
    key = VerifierKey(name=origin, type=KeyType.ED25519, public=log.public_bytes_raw)
    return {
        "origin": origin,
        "code": CQ,
        "demo": True,
        "logKeys": [{"vkey": key.vkey, "fromSize": 0}],
        "registrarKids": [statement.kid],
        "statementKeys": [statement.to_jwk()],
        "witnesses": [],
        "quorum": 0,
        "maxAge": 600,
    }


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            HTTPConnection("127.0.0.1", port, timeout=1).connect()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nobody listens on {port}")


def test_a_pinned_platform_hands_over_an_original(door: Door) -> None:
    reply = door.link(CQ).post("/v3/envelopes", outbound().body(CQ))
    assert reply.status == 200
    assert read_signed_body(reply.content)


def test_nobody_is_signed_for_who_sends_the_envelope_of_another_platform(door: Door) -> None:
    reply = door.link(TH).post("/v3/envelopes", outbound().body(CQ))
    assert reply.status == 403
    assert json.loads(reply.content)["errors"][0]["errorCode"] == 7003


@pytest.mark.parametrize("who", [None, "stranger"])
def test_without_a_pinned_certificate_there_is_no_connection(door: Door, who: str | None) -> None:
    with pytest.raises(PeerAway):
        door.link(who).post("/v3/envelopes", outbound().body(CQ))


def test_another_certificate_than_the_pinned_one_is_not_talked_to(door: Door) -> None:
    impostor = replace(door.peer(), tls_certificate=door.cards["stranger"].pem)
    card = door.cards[CQ]
    link = HttpPeer(impostor, card.certificate, card.key, PASSPHRASE)
    with pytest.raises(PeerAway, match="another certificate"):
        link.post("/v3/envelopes", outbound().body(CQ))


def test_old_tls_is_refused(door: Door) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    card = door.cards[CQ]
    context.load_cert_chain(card.certificate, card.key, password=PASSPHRASE)
    connection = HTTPSConnection("localhost", door.port, timeout=60, context=context)
    with pytest.raises((OSError, HTTPException)):
        connection.connect()


def about_a_delivery() -> bytes:
    body = {"name": "liongate", "stream": "party:straits"}
    asked = PeerRequest(kind=Kind.HEAD, sender=CQ, receiver=SG, at=NOW, body=body)
    return write_request(asked, house(CQ).signer)


def test_a_pinned_platform_asks_about_deliveries_at_the_same_door(door: Door) -> None:
    reply = door.link(CQ).post("/peer/v1/head", about_a_delivery())
    assert (reply.status, json.loads(reply.content)["code"]) == (403, "not_reached")


def test_what_one_platform_has_signed_another_cannot_ask(door: Door) -> None:
    reply = door.link(TH).post("/peer/v1/head", about_a_delivery())
    problem = json.loads(reply.content)
    assert (reply.status, problem["code"]) == (403, "not_exchange")
    assert "the certificate of THXX" in problem["detail"]


@pytest.mark.parametrize("path", ["application", "event", "head", "evidence", "offer"])
def test_the_door_of_the_parties_tells_nothing_about_deliveries(door: Door, path: str) -> None:
    address = urlsplit(door.side.settings.base_url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=120)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"/peer/v1/{path}", about_a_delivery(), headers)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (403, "not_exchange")
    connection.close()


def test_the_door_of_the_parties_does_not_take_envelopes(door: Door) -> None:
    address = urlsplit(door.side.settings.base_url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=120)
    connection.request(
        "POST", "/v3/envelopes", outbound().body(CQ), {"Content-Type": "application/json"}
    )
    assert connection.getresponse().status == 403
    connection.close()
