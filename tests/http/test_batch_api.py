"""`POST /v1/events:batch`: many events in one request, each answered as if it had come alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bol_service.domain.states import Head
from tests import kit
from tests.desk import STORY, Desk
from tests.many_bills import HOLDER, made

PATH = "/v1/events:batch"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("batch")


class Batches:
    """A platform with four bills, all held by `HOLDER`, and a desk that signs for everybody."""

    def __init__(self, platform: kit.Platform) -> None:
        self.platform = platform
        self.desk = Desk(signers=platform.signers)
        self.bills = made(platform.running, self.desk, 4)

    def post(self, events: object) -> TestResponse:
        body = json.dumps(events)
        client = self.platform.running.app.test_client()
        return client.post(PATH, data=body, content_type="application/json")

    def items(self, events: list[str]) -> list[dict[str, Any]]:
        answer = self.post(events)
        assert answer.status_code == 200, answer.json
        items: list[dict[str, Any]] = answer.json["items"]
        for item in items:
            if "receipt" in item:
                receipt = item["receipt"]
                head = Head(sequence=receipt["sequence"], digest=receipt["head"])
                self.desk.heads[receipt["stream"]] = head
        return items

    def follow(self, compact: str, stream: str) -> None:
        """Sign on as if `compact` had been recorded."""
        head = self.desk.heads[stream]
        digest = hashlib.sha256(compact.encode("ascii")).hexdigest()
        self.desk.heads[stream] = Head(sequence=head.sequence + 1, digest=digest)

    def size(self) -> int:
        return self.platform.running.services.ledger.size()


@pytest.fixture(scope="module")
def batches(folder: Path) -> Iterator[Batches]:
    with kit.platform(folder) as platform:
        platform.set_clock(STORY)
        yield Batches(platform)


def test_each_event_of_a_batch_gets_its_own_receipt_in_order(batches: Batches) -> None:
    events = [batches.desk.transfer(bill, HOLDER, "bankcq") for bill in batches.bills]

    items = batches.items(events)

    assert [item["status"] for item in items] == [201, 201, 201, 201]
    assert [item["receipt"]["event"] for item in items] == events
    indexes = [item["receipt"]["index"] for item in items]
    assert indexes == sorted(indexes)


def test_events_of_one_stream_follow_each_other_in_one_batch(batches: Batches) -> None:
    bill, stream = batches.bills[0], f"bill:{batches.bills[0]}"
    events = []
    for actor, recipient in (("bankcq", "banksg"), ("banksg", "straits"), ("straits", "bankcq")):
        events.append(batches.desk.transfer(bill, actor, recipient))
        batches.follow(events[-1], stream)

    items = batches.items(events)

    assert [item["status"] for item in items] == [201, 201, 201]


def test_a_refused_event_harms_no_other(batches: Batches) -> None:
    first, second, third = batches.bills[1:]
    events = [
        batches.desk.transfer(first, "bankcq", HOLDER),
        batches.desk.transfer(second, HOLDER, "straits"),
        "not.a.jws",
        batches.desk.transfer(third, "bankcq", HOLDER),
    ]

    items = batches.items(events)

    assert [item["status"] for item in items] == [201, 403, 422, 201]
    assert [item["problem"]["code"] for item in items[1:3]] == ["not_holder", "bad_event"]


def test_a_batch_sent_again_gets_the_first_receipts(batches: Batches) -> None:
    events = [batches.desk.event(HOLDER, "SIGN", f"bill:{batches.bills[1]}")]
    first = batches.items(events)
    size = batches.size()

    again = batches.items(events)

    assert [item["status"] for item in again] == [200]
    assert again[0]["receipt"] == first[0]["receipt"]
    assert batches.size() == size


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([], id="nothing in it"),
        pytest.param(["x"] * 501, id="more than 500"),
        pytest.param({"events": []}, id="not an array"),
        pytest.param([1, 2], id="not texts"),
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(batches: Batches, body: object) -> None:
    size = batches.size()

    answer = batches.post(body)

    assert (answer.status_code, answer.json["code"]) == (422, "bad_event")
    assert batches.size() == size
