"""A gateway as a process: kill -9 at every step of a request, and callers that keep it busy.

After a kill there is one act, and the carrier's system knows of it. What was acknowledged with 204
is carried through by the next process on the same state; what was not is asked again by the
carrier's system.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection
from typing import Any

import pytest

from bol_service.crypto.peer_signers import EcSigner
from bol_service.gateway.server import THREADS
from tests.doomed_gateway import Doomed, Gateways, Turnstile, gateways, until
from tests.gateway_stage import (
    ANSWERS,
    CARRIER,
    ISSUANCES,
    RESPONSES,
    SHIPPER,
    SURRENDERS,
    Stage,
    System,
    carrier_files,
    issuance_request,
)

Json = dict[str, Any]


@pytest.fixture(scope="module")
def doomed(on: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateways]:
    files = carrier_files(on, tmp_path_factory.mktemp("carrier"))
    with gateways(files, on.platform.base_url) as made:
        yield made


@dataclass(kw_only=True)
class Scene:
    on: Stage
    gateways: Gateways
    system: System
    turnstile: Turnstile
    state: Path

    def start(self) -> Doomed:
        return self.gateways.start(self.state, self.system.url)

    def request(self, document: Json) -> Json:
        signer = EcSigner(self.on.platform.signers[CARRIER])
        return issuance_request(document, signer=signer)

    def told(self, path: str, document: Json) -> list[Json]:
        return self.system.got(path, document["transportDocumentReference"])


@pytest.fixture
def scene(on: Stage, doomed: Gateways, tmp_path: Path) -> Iterator[Scene]:
    system = System()
    with _served(system), _turnstile(on) as turnstile:
        yield Scene(
            on=on, gateways=doomed, system=system, turnstile=turnstile, state=tmp_path / "state"
        )


@contextmanager
def _served(system: System) -> Iterator[None]:
    server = system.serve()
    try:
        yield
    finally:
        system.go_on.set()
        server.shutdown()
        server.server_close()


@contextmanager
def _turnstile(on: Stage) -> Iterator[Turnstile]:
    server = on.platform.server
    whole = server.app
    assert whole is not None
    turnstile = Turnstile(app=whole)
    server.app = turnstile
    try:
        yield turnstile
    finally:
        turnstile.go_on.set()
        server.app = whole


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        pytest.param("/v1/drafts", False, id="before it has signed"),
        pytest.param("/v1/events", False, id="after it has signed, before the platform has it"),
        pytest.param("/v1/events", True, id="after it is recorded, before the receipt"),
        pytest.param(None, False, id="after the receipt, before the carrier's system has answered"),
    ],
)
def test_a_request_that_was_acknowledged_is_issued_once_and_answered_when_it_is_killed(
    scene: Scene, path: str | None, seen: bool
) -> None:
    document = scene.on.approved()
    first = scene.start()
    until(lambda: first.call("GET", "/endorsement-chains/X", {}) == 404, first.output.read_text)
    if path is None:
        scene.system.holds = RESPONSES
    else:
        scene.turnstile.hold(path, seen=seen)
    assert first.call("PUT", ISSUANCES, scene.request(document)) == 204
    if path is None:
        until(lambda: scene.system.messages != [], first.output.read_text)
    else:
        assert scene.turnstile.reached.wait(120), first.output.read_text()
    before = scene.on.size()
    first.kill()
    scene.turnstile.go_on.set()
    held = len(scene.told(RESPONSES, document))

    second = scene.start()
    until(lambda: len(scene.told(RESPONSES, document)) > held, second.output.read_text)
    second.kill()

    responses = scene.told(RESPONSES, document)
    assert all(response == responses[0] for response in responses)
    assert responses[0]["issuanceResponseCode"] == "ISSU"
    (bill,) = scene.on.bills(document)
    assert scene.on.events(bill["bill"]) == ["ISSUE"]
    assert scene.on.size() == (before if seen or path is None else before + 1)


@pytest.mark.parametrize("seen", [False, True], ids=["before it arrived", "after it is recorded"])
def test_a_surrender_is_answered_once_when_it_is_killed(scene: Scene, seen: bool) -> None:
    document = scene.on.approved()
    first = scene.start()
    assert first.call("PUT", ISSUANCES, scene.request(document)) == 204
    until(lambda: scene.told(RESPONSES, document) != [], first.output.read_text)
    (bill,) = scene.on.bills(document)
    scene.on.client(SHIPPER).act("SURRENDER_FOR_DELIVERY", f"bill:{bill['bill']}")
    until(lambda: scene.told(SURRENDERS, document) != [], first.output.read_text)
    (asked,) = scene.told(SURRENDERS, document)
    answer = {"surrenderRequestReference": asked["surrenderRequestReference"], "action": "SURR"}
    scene.turnstile.hold("/v1/events", seen=seen)
    with ThreadPoolExecutor(1) as pool:
        lost = pool.submit(first.call, "POST", ANSWERS, answer)
        assert scene.turnstile.reached.wait(120), first.output.read_text()
        first.kill()
        assert lost.result() is None
    scene.turnstile.go_on.set()

    second = scene.start()
    assert second.call("POST", ANSWERS, answer) == 204
    assert second.call("POST", ANSWERS, answer) == 409
    second.kill()

    assert scene.on.events(bill["bill"]) == ["ISSUE", "SURRENDER_FOR_DELIVERY", "SACC"]


def test_strangers_who_say_half_a_sentence_keep_nobody_out(scene: Scene) -> None:
    gateway = scene.start()
    assert gateway.call("GET", "/endorsement-chains/X", {}) == 404
    with ExitStack() as crowd:
        for _ in range(THREADS + 4):
            stranger = create_connection(("127.0.0.1", gateway.port), 10)
            crowd.enter_context(stranger).sendall(b"GET /endorse")
        assert gateway.call("GET", "/endorsement-chains/X", {}) == 404
    gateway.kill()
