"""The API of webhooks, and the threads behind it: who may do what, and that nobody waits."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from bol_service.cli import words
from bol_service.client import Client, Refused
from bol_service.http.codes import WEBHOOK
from tests import kit
from tests.desk import STORY, Desk
from tests.mandates import TOLD, Mandates
from tests.neighbours import closed_port
from tests.receiver import PATIENCE, Say, receiver

Json = dict[str, Any]
HOOK = "https://localhost:9/never"


@dataclass(kw_only=True)
class Stage:
    platform: kit.Platform
    mandates: Mandates

    def client(self, party: str = TOLD) -> Client:
        return self.platform.client(party, STORY)

    def add(self, url: str, party: str = TOLD, **more: Any) -> Json:
        added: Json = self.client(party).post("/v1/webhooks", {"url": url, **more})
        return added

    def log(self, webhook: str) -> list[Json]:
        found: list[Json] = self.client().get(f"/v1/webhooks/{webhook}/deliveries")["items"]
        return found

    def metric(self, name: str) -> float:
        text = self.client().fetch("/metrics").content.decode()
        found = re.search(rf"^{re.escape(name)} ([0-9.e+]+)$", text, flags=re.M)
        return float(found[1]) if found else 0.0

    def clear(self) -> None:
        for party in (TOLD, "yunling", "bankcq"):
            for item in self.client(party).get("/v1/webhooks")["items"]:
                self.client(party).delete(f"/v1/webhooks/{item['webhook']}")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with kit.platform(tmp_path_factory.mktemp("webhooks"), webhooks=True) as platform:
        platform.set_clock(STORY)
        services = platform.running.services
        mandates = Mandates(
            desk=Desk(signers=platform.signers),
            recorder=services.recorder,
            documents=services.documents,
        )
        mandates.open_log()
        yield Stage(platform=platform, mandates=mandates)


@pytest.fixture
def stage(started: Stage) -> Iterator[Stage]:
    yield started
    started.clear()


def eventually(holds: Callable[[], bool]) -> None:
    """Until it holds; a background thread brings it about."""
    deadline = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < deadline
        sleep(0.02)


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}:")


# -- managing ------------------------------------------------------------------------------------


def test_a_webhook_is_told_with_the_key_that_signs_its_messages(stage: Stage) -> None:
    added = stage.add(HOOK, kinds=["ISSUED", "ARRIVED", "ISSUED"])
    assert added["url"] == HOOK
    assert added["kinds"] == ["ARRIVED", "ISSUED"]
    assert added["addedWithKey"] == stage.platform.signers[TOLD].public.kid
    assert stage.client().get("/v1/webhooks")["items"] == [added]
    keys = stage.client().get("/.well-known/jwks.json")["keys"]
    raw = base64.b64decode(added["publicKey"].removeprefix("whpk_"))
    assert base64.urlsafe_b64encode(raw).rstrip(b"=").decode() in [key["x"] for key in keys]
    assert len(keys) == 3


def test_one_party_s_webhook_does_not_exist_for_another(stage: Stage) -> None:
    webhook = stage.add(HOOK)["webhook"]
    other = stage.client("yunling")
    assert other.get("/v1/webhooks")["items"] == []
    with refused("not_found"):
        other.get(f"/v1/webhooks/{webhook}/deliveries")
    with refused("not_found"):
        other.post(f"/v1/webhooks/{webhook}/deliveries/1/replay")
    with refused("not_found"):
        other.delete(f"/v1/webhooks/{webhook}")
    assert len(stage.client().get("/v1/webhooks")["items"]) == 1


def test_what_is_removed_is_gone(stage: Stage) -> None:
    webhook = stage.add(HOOK)["webhook"]
    stage.client().delete(f"/v1/webhooks/{webhook}")
    assert stage.client().get("/v1/webhooks")["items"] == []
    with refused("not_found"):
        stage.client().delete(f"/v1/webhooks/{webhook}")


def test_five_addresses_are_enough_and_each_is_given_once(stage: Stage) -> None:
    for number in range(5):
        stage.add(f"{HOOK}/{number}")
    with refused("webhook_exists"):
        stage.add(f"{HOOK}/4")
    with refused("too_many_webhooks"):
        stage.add(f"{HOOK}/5")
    stage.add(f"{HOOK}/5", "yunling")


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        pytest.param({}, "invalid_query", id="without an address"),
        pytest.param({"url": 5}, "invalid_query", id="an address that is no text"),
        pytest.param({"url": "https://10.0.0.1/"}, "bad_receiver", id="a private address"),
        pytest.param({"url": "http://erp.example/"}, "bad_receiver", id="without TLS"),
        pytest.param({"url": "https://e.example/" + "a" * 983}, "invalid_query", id="too long"),
        pytest.param({"url": HOOK, "kinds": ["WEATHER"]}, "invalid_query", id="an unknown kind"),
        pytest.param({"url": HOOK, "kinds": "ISSUED"}, "invalid_query", id="kinds that are text"),
        pytest.param({"url": HOOK, "since": -1}, "invalid_query", id="a number below zero"),
        pytest.param({"url": HOOK, "since": 1.5}, "bad_request", id="half a number"),
        pytest.param({"url": HOOK, "secret": "s"}, "invalid_query", id="an unknown member"),
        pytest.param({"url": HOOK, "since": 10**15 + 1}, "invalid_query", id="a number too large"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(stage: Stage, wanted: Json, code: str) -> None:
    with refused(code):
        stage.client().post("/v1/webhooks", wanted)
    assert stage.client().get("/v1/webhooks")["items"] == []


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param(b"", 400, id="nothing"),
        pytest.param(b"[", 400, id="half of something"),
        pytest.param(b'{"url":"https://a.example/","url":"https://b.example/"}', 400, id="twice"),
        pytest.param(b"[" * 100_000, 400, id="nested without end"),
        pytest.param(b'{"\\ud800":1}', 400, id="a name that is no text"),
        pytest.param(b'{"url":"\\ud800"}', 400, id="an address that is no text"),
        pytest.param(b'{"url":1e400}', 400, id="a number beyond all"),
        pytest.param(b"\xff", 400, id="no UTF-8"),
        pytest.param(b"[]", 422, id="a list"),
        pytest.param(b"null", 422, id="null"),
        pytest.param('{"提单":1}'.encode(), 422, id="a member in Chinese"),
    ],
)
def test_a_body_that_is_no_wish_is_refused(stage: Stage, content: bytes, status: int) -> None:
    client = stage.client()
    with pytest.raises(Refused) as refused:
        client.request("POST", "/v1/webhooks", content, "application/json", token=client.token())
    assert refused.value.status == status


def test_a_body_that_does_not_say_that_it_is_json_is_refused(stage: Stage) -> None:
    client = stage.client()
    with refused("unsupported_media_type"):
        client.request("POST", "/v1/webhooks", b"{}", "text/plain", token=client.token())


@pytest.mark.parametrize("number", ["0", "x", "99999999999999999999"])
def test_a_delivery_that_is_not_there_is_not_found(stage: Stage, number: str) -> None:
    webhook = stage.add(HOOK)["webhook"]
    with refused("not_found"):
        stage.client().post(f"/v1/webhooks/{webhook}/deliveries/{number}/replay")


def test_every_kind_of_notice_can_be_asked_for(stage: Stage) -> None:
    kinds = sorted({**words.ACTIONS, **words.NOTICES})
    assert stage.add(HOOK, kinds=kinds)["kinds"] == kinds


def test_a_platform_without_a_key_sends_nothing_and_says_so(tmp_path: Path) -> None:
    with kit.platform(tmp_path) as platform:
        platform.set_clock(STORY)
        services = platform.running.services
        Mandates(
            desk=Desk(signers=platform.signers),
            recorder=services.recorder,
            documents=services.documents,
        ).open_log()
        client = platform.client(TOLD, STORY)
        assert services.delivering is None
        assert client.get("/v1/webhooks")["items"] == []
        with refused("webhooks_off"):
            client.post("/v1/webhooks", {"url": HOOK})
        assert len(client.get("/.well-known/jwks.json")["keys"]) == 2


def test_the_codes_of_webhooks_are_these() -> None:
    assert {entry.code: entry.status for entry in WEBHOOK} == {
        "bad_receiver": 422,
        "webhook_exists": 409,
        "too_many_webhooks": 409,
        "webhooks_off": 501,
    }


# -- delivering ----------------------------------------------------------------------------------


def test_a_recorded_act_reaches_the_receiver_and_stands_in_the_log(stage: Stage) -> None:
    before = stage.metric('bol_webhook_attempts_total{outcome="delivered"}')
    with receiver() as there:
        there.answers = [Say(status=200, body=b"noted")]
        webhook = stage.add(there.url)["webhook"]
        stage.mandates.tell()
        there.wait(1)
        eventually(lambda: stage.log(webhook)[0]["stage"] == "DELIVERED")
    [row] = stage.log(webhook)
    notice = stage.client().get("/v1/notices")["items"][-1]
    assert (row["number"], row["kind"]) == (notice["number"], notice["kind"])
    assert (row["attempts"], row["status"], row["answer"]) == (1, 200, "noted")
    assert "nextAttempt" not in row
    assert stage.metric('bol_webhook_attempts_total{outcome="delivered"}') == before + 1
    assert stage.metric("bol_webhook_backlog") == 0


def test_a_replay_reaches_the_receiver_with_the_same_id(stage: Stage) -> None:
    with receiver() as there:
        webhook = stage.add(there.url)["webhook"]
        stage.mandates.tell()
        there.wait(1)
        eventually(lambda: stage.log(webhook)[0]["stage"] == "DELIVERED")
        number = stage.log(webhook)[0]["number"]
        path = f"/v1/webhooks/{webhook}/deliveries/{number}/replay"
        assert stage.client().post(path) == {"webhook": webhook, "number": number}
        first, second = there.wait(2)
    assert first.id == second.id
    assert first.body == second.body


def test_the_log_comes_in_pages(stage: Stage) -> None:
    with receiver() as there:
        webhook = stage.add(there.url)["webhook"]
        stage.mandates.tell(3)
        there.wait(3)
    path = f"/v1/webhooks/{webhook}/deliveries"
    answered = stage.client().fetch(path, limit="2")
    cursor = answered.headers["Next-Page-Cursor"]
    numbers = [item["number"] for item in answered.json()["items"]]
    assert numbers == [int(cursor) + 1, int(cursor)]
    rest = stage.client().fetch(path, limit="2", cursor=cursor)
    assert [item["number"] for item in rest.json()["items"]] == [int(cursor) - 1]
    assert "Next-Page-Cursor" not in rest.headers
    with refused("invalid_query"):
        stage.client().get(path, cursor="x")


def test_a_receiver_that_holds_its_answer_holds_up_nobody(stage: Stage) -> None:
    """Neither who writes, nor the other receivers, nor its party's own other one."""
    hold = threading.Event()
    with receiver() as slow, receiver() as quick, receiver() as other:
        slow.answers = [Say(hold=hold)] * 10
        stage.add(slow.url)
        stage.add(quick.url)
        stage.add(other.url, "yunling")
        stage.mandates.tell()
        slow.wait(1)
        stage.mandates.tell(3)  # recorded while the first message is not answered
        quick.wait(4)
        assert len(slow.got) == 1
        hold.set()
        slow.wait(4)


def test_receivers_that_are_away_do_not_starve_the_one_that_is_there(stage: Stage) -> None:
    for _ in range(4):
        stage.add(f"http://localhost:{closed_port()}/")
    with receiver() as there:
        stage.add(there.url)
        stage.mandates.tell(20)
        there.wait(20)
    failed = 'bol_webhook_attempts_total{outcome="failed"}'
    eventually(lambda: stage.metric(failed) >= 4)
    assert stage.metric("bol_webhook_backlog") >= 4


def test_what_waits_when_the_service_ends_is_sent_when_it_is_back(tmp_path: Path) -> None:
    started = kit.start(tmp_path, webhooks=True)
    try:
        started.set_clock(STORY)
        services = started.running.services
        desk = Desk(signers=started.signers)
        mandates = Mandates(desk=desk, recorder=services.recorder, documents=services.documents)
        mandates.open_log()
        assert services.delivering is not None
        with receiver() as there:
            started.client(TOLD, STORY).post("/v1/webhooks", {"url": there.url})
            services.delivering.stop()
            mandates.tell()
            assert services.delivering.backlog() == 1
            started.running.stop()
            started.running = kit.bootstrap.start(started.settings)
            there.wait(1)
    finally:
        started.stop()
