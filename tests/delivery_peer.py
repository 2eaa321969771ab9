"""What a platform can say to another about deliveries, honest or forged; used with `delivery`."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from bol_service.application.delivery_abroad_kept import Keeper
from bol_service.application.delivery_abroad_ports import Kept
from bol_service.application.delivery_abroad_release import GateAbroad, Pulling
from bol_service.application.exchange_ports import PeerAway, PeerReply
from bol_service.bootstrap import clock_of, platform_keys
from bol_service.crypto.peer_signers import EcSigner
from bol_service.crypto.signers import LocalSigner
from bol_service.pint.relay_client import SignedPeer
from bol_service.verification.bundle import Statement, read_bundle, read_statement
from bol_service.wire.abroad import (
    Crossing,
    Kind,
    PeerRequest,
    read_cover,
    read_crossing,
    write_cover,
    write_request,
)
from tests.delivery_scene import TERMINAL, Delivery
from tests.two_platforms import CQ, SG, Side, trust_of

Json = dict[str, Any]


def ask(
    scene: Delivery,
    kind: Kind,
    body: Json,
    *,
    path: Kind | None = None,
    signer: LocalSigner | None = None,
    to: Side | None = None,
    **changes: Any,
) -> tuple[int, Json]:
    """What a platform answers to a request that Singapore might have signed."""
    request = PeerRequest(kind=kind, sender=SG, receiver=CQ, at=scene.two.clock["now"], body=body)
    content = write_request(replace(request, **changes), EcSigner(signer or scene.sg.pint))
    side = to or scene.cq
    connection = HTTPConnection(urlsplit(side.settings.base_url).netloc, timeout=120)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", f"/peer/v1/{path or kind}", content, headers)
        answer = connection.getresponse()
        found = answer.read()
        return answer.status, json.loads(found) if found else {}
    finally:
        connection.close()


def crossing(scene: Delivery, name: str = TERMINAL) -> Crossing:
    """Evidence as Chongqing gives it to Singapore for this reader."""
    status, value = ask(scene, Kind.EVIDENCE, {"name": name, "bill": scene.bill})
    assert status == 200
    return read_crossing(value["evidence"][0])


def take(scene: Delivery, given: Crossing, reader: str | None = None) -> Kept:
    """As Singapore does when evidence comes."""
    return keeper(scene).take(CQ, trust_of(scene.cq), given, reader=reader)


def keeper(scene: Delivery) -> Keeper:
    store = scene.sg.running.store
    return Keeper(store, clock_of(scene.sg.settings), scene.book(scene.sg))


def recovered(scene: Delivery, given: Crossing, bundle: bytes, **changes: Any) -> Crossing:
    """With another bundle, under a cover that the platform itself might sign for it."""
    _, statement_signer = platform_keys(scene.cq.settings)
    cover, _ = read_cover(given.cover)
    digest = hashlib.sha256(bundle).hexdigest()
    made = replace(cover, **{"bundle": digest, **changes})
    return Crossing(cover=write_cover(made, statement_signer), bundle=bundle)


def restated(scene: Delivery, given: Crossing, **changes: Any) -> Crossing:
    """The same bundle under another statement of the platform's own."""
    _, statement_signer = platform_keys(scene.cq.settings)
    bundle = read_bundle(given.bundle)
    statement, _ = read_statement(bundle.statement)
    made: Statement = replace(statement, **changes)
    content = replace(bundle, statement=made.sign(statement_signer)).to_bytes()
    return recovered(scene, given, content, at=made.at)


class Hanging:
    """A peer that takes what is sent and never answers."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def post(self, path: str, body: bytes) -> PeerReply:
        with socket.create_connection(("127.0.0.1", self.port), 20) as connected:
            connected.sendall(body[:1])
            connected.settimeout(20)
            connected.recv(1)
        raise PeerAway("it hung up")

    put = post

    def close(self) -> None:
        self._socket.close()


@contextmanager
def hanging() -> Iterator[Hanging]:
    peer = Hanging()
    try:
        yield peer
    finally:
        peer.close()


def gate(scene: Delivery, link: Any, seconds: float) -> GateAbroad:
    clock = clock_of(scene.sg.settings)
    peer = SignedPeer(
        code=CQ, me=SG, link=link, trust=trust_of(scene.cq), signer=EcSigner(scene.sg.pint),
        clock=clock,
    )  # fmt: skip
    book = scene.book(scene.sg)
    pulling = Pulling(book, keeper(scene), {CQ: peer})
    return GateAbroad(clock=clock, book=book, pulling=pulling, seconds=seconds)
