"""The gate desk in Singapore for a container whose bill is in Chongqing's ledger."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser

from bol_service.crypto import strictjson
from bol_service.crypto.signers import write_private_key
from bol_service.wire import drafting
from tests.browser import Computers
from tests.delivery_scene import CODE, CUSTOMS, TERMINAL, Delivery, delivery

DATA = re.compile(
    r'<script type="application/json" id="(?:payload|about)">(.*?)</script>', flags=re.DOTALL
)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivery]:
    """The container is on board; the surrender is accepted and the delivery ordered."""
    with delivery(tmp_path_factory.mktemp("gate")) as ready:
        ready.journey()
        ready.cross()
        ready.surrender()
        ready.give_order()
        yield ready


def visit(
    scene: Delivery, who: str, path: str, body: bytes | None = None, media_type: str = ""
) -> tuple[int, str]:
    address = urlsplit(scene.sg.settings.base_url)
    origin = f"{address.scheme}://{address.netloc}"
    headers = {"Cookie": f"ebl-session={scene.sg.client(who).token()}", "Origin": origin}
    if media_type:
        headers["Content-Type"] = media_type
    connection = HTTPConnection(str(address.hostname), address.port, timeout=120)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def sign(scene: Delivery, who: str, action: str, answers: dict[str, str]) -> tuple[int, Any]:
    """As a person would: the desk, the form, the check page, and what its script sends."""
    scene.two.tick(60)  # forms take whole minutes
    _, desk = visit(scene, who, f"/portal/gate?container={scene.box}")
    found = re.search(rf'href="(/portal/gate/abroad/[^"]+/{action})"', desk)
    assert found, desk
    local = scene.two.clock["now"] + timedelta(hours=8)
    form = urlencode({"occurredAt": local.isoformat()[:16], **answers}).encode()
    status, page = visit(scene, who, found[1], form, FORM["Content-Type"])
    assert status == 200, page
    payload, about = (json.loads(unescape(text)) for text in DATA.findall(page))
    assert (payload["audience"], about["abroad"]) == (scene.cq.origin, True)
    compact = drafting.sign(strictjson.canonical(payload), scene.signers[who])
    status, answer = visit(
        scene, who, "/portal/gate/abroad/events", compact.encode(), "application/jose"
    )
    return status, json.loads(answer)


def click_through(scene: Delivery, browser: Browser, file: Path) -> None:
    """The same by a person at a browser: the discharge."""
    scene.two.tick(60)
    write_private_key(file, scene.signers[TERMINAL]._key, b"secret of the test")
    computers = Computers(browser=browser, base_url=scene.sg.settings.base_url)
    visitor = computers.new()
    visitor.carry(f"ebl-session={scene.sg.client(TERMINAL).token()}")
    visitor.import_key(TERMINAL, file, "secret of the test")
    page = visitor.go(f"/portal/gate?container={scene.box}")
    visitor.photograph("gate-abroad")
    page.click("a[href$='/DISCHARGED']")
    page.click("main form button")
    page.wait_for_selector("#act-sign:not([hidden])")
    assert scene.cq.origin in page.locator("#sheet").inner_text()
    visitor.photograph("gate-abroad-check")
    visitor.sign()
    assert (visitor.complaints, visitor.outside) == ([], [])
    visitor.context.close()


def test_the_desk_answers_and_signs_for_the_other_ledger(
    scene: Delivery, chromium: Browser, tmp_path: Path
) -> None:
    click_through(scene, chromium, tmp_path / "terminal.pem")
    _, page = visit(scene, TERMINAL, f"/portal/gate?container={scene.box}")
    assert "verdict red" in page
    assert "from evidence of CQGY" in page
    assert "GATE_OUT" not in page
    assert sign(scene, CUSTOMS, "CUSTOMS_RELEASE", {"customsReference": "SGC-1"})[0] == 201
    _, page = visit(scene, TERMINAL, f"/portal/gate?container={scene.box}")
    assert "verdict blue" in page
    status, receipt = sign(
        scene,
        TERMINAL,
        "GATE_OUT",
        {
            "code": CODE,
            "collectorName": "Tan Ah Kow Haulage",
            "collectorReference": "SGX 1234 A",
        },
    )
    assert status == 201, receipt
    state = scene.cq.client("xlsc").get(f"/v1/bills/{scene.bill}")
    assert state["status"] == "ACCOMPLISHED"


def test_an_act_that_does_not_fit_is_not_asked_for(scene: Delivery) -> None:
    path = f"/portal/gate/abroad/CQGY/{scene.shipment}/{scene.box}/LOADED_RAIL"
    assert visit(scene, TERMINAL, path)[0] == 409
    assert visit(scene, "straits", path)[0] == 404


def test_a_refusal_of_the_other_platform_reaches_the_page(scene: Delivery) -> None:
    payload = drafting.payload(
        action="DISCHARGED",
        actor="liongate-sg",
        at=scene.two.clock["now"],
        audience=scene.cq.origin,
        stream=scene.stream,
        after=None,
        details=scene.fact(),
    )
    compact = drafting.sign(payload, scene.signers[TERMINAL]).encode()
    path = "/portal/gate/abroad/events"
    status, answer = visit(scene, TERMINAL, path, compact, "application/jose")
    assert (status, json.loads(answer)["code"]) == (409, "stale_head")
    status, answer = visit(scene, CUSTOMS, path, compact, "application/jose")
    assert (status, json.loads(answer)["code"]) == (403, "wrong_key")
