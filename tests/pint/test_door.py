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
from urllib.parse import urlsplit

import pytest

from bol_service.application.exchange_ports import PeerAway
from bol_service.crypto.certificates import self_signed
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate, write_private_key
from bol_service.pint.client import HttpPeer
from bol_service.wire.peers import Peer, read_peers
from bol_service.wire.pint_answers import read_signed_body
from scripts.local_postgres import free_port
from tests.border_post import border_post
from tests.pint_story import CQ, TH, outbound
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
    connection = HTTPSConnection("localhost", door.port, timeout=5, context=context)
    with pytest.raises((OSError, HTTPException)):
        connection.connect()


def test_the_door_of_the_parties_does_not_take_envelopes(door: Door) -> None:
    address = urlsplit(door.side.settings.base_url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=20)
    connection.request(
        "POST", "/v3/envelopes", outbound().body(CQ), {"Content-Type": "application/json"}
    )
    assert connection.getresponse().status == 403
    connection.close()
