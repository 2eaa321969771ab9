"""One message on its way: signed, told what the party may read, tried again by the schedule.

A real platform and a real receiver; the attempts are made here one by one, at times of our choice.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from bol_service import bootstrap
from bol_service.application.webhook_delivery import LEASE, PAUSES, Attempted, Postman
from bol_service.application.webhook_ports import Delivery, Receivers, Stage
from bol_service.application.webhooks import Webhooks
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.http.receivers import HttpReceivers
from bol_service.storage.webhook_queue import SqlWebhookQueue
from bol_service.storage.webhooks import SqlWebhooks
from bol_service.wire import drafting
from bol_service.wire.webhook_message import public_text
from tests import kit
from tests.desk import STORY, Desk
from tests.mandates import TOLD, Mandates
from tests.neighbours import closed_port
from tests.receiver import Got, Receiver, Say, receiver

DOCS = Path(__file__).parents[2] / "docs"
SAMPLE = runpy.run_path(str(DOCS / "samples" / "webhook.py"))


@dataclass(kw_only=True)
class Round:
    """A postman's round at `now`, which goes on only when it is told to."""

    platform: kit.Platform
    mandates: Mandates
    signer: LocalSigner
    now: datetime = STORY
    jitter: float = 0.0

    def __post_init__(self) -> None:
        self.book = SqlWebhooks(self.platform.running.store)
        self.attempted: list[Attempted] = []

    def pass_time(self, step: timedelta) -> None:
        self.now += step
        self.platform.set_clock(self.now)

    def add(self, url: str, *kinds: str, kid: str | None = None) -> str:
        webhooks = Webhooks(
            book=self.book,
            receivers=HttpReceivers(loopback=True),
            clock=bootstrap.clock_of(self.platform.settings),
            public_key=public_text(self.signer.public),
        )
        kid = kid or self.platform.signers[TOLD].public.kid
        added = webhooks.add(TOLD, url=url, kinds=kinds, since=None, kid=kid)
        return str(added["webhook"])

    def go(self, receivers: Receivers | None = None) -> int:
        """Make every attempt that is due; how many."""
        postman = Postman(
            SqlWebhookQueue(self.platform.running.store),
            self.platform.running.store,
            receivers or HttpReceivers(loopback=True),
            self.signer,
            bootstrap.clock_of(self.platform.settings),
            kit.ORIGIN,
            observe=self.attempted.append,
            jitter=lambda: self.jitter,
        )
        count = 0
        while task := postman.claim():
            postman.deliver(task)
            count += 1
        return count

    def log(self, webhook: str) -> list[Delivery]:
        rows = self.book.deliveries(TOLD, webhook, None, 100)
        assert rows is not None
        return rows

    def clear(self) -> None:
        for webhook in self.book.of(TOLD):
            self.book.remove(TOLD, webhook.id)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Round]:
    with kit.platform(tmp_path_factory.mktemp("delivery")) as started:
        started.set_clock(STORY)
        services = started.running.services
        mandates = Mandates(
            desk=Desk(signers=started.signers),
            recorder=services.recorder,
            documents=services.documents,
        )
        mandates.open_log()
        signer = LocalSigner(generate(Algorithm.ED25519))
        yield Round(platform=started, mandates=mandates, signer=signer)


@pytest.fixture
def rounds(platform: Round) -> Iterator[Round]:
    yield platform
    platform.clear()


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def verified(rounds: Round, got: Got, now: datetime | None = None) -> Any:
    """The message, read by the code that docs/clients.md gives to receivers."""
    moment = (now or rounds.now).timestamp()
    return SAMPLE["verify"](public_text(rounds.signer.public), got.headers, got.body, moment)


# -- the message ---------------------------------------------------------------------------------


def test_a_message_is_signed_and_tells_what_the_party_reads_as_its_notice(
    rounds: Round, there: Receiver
) -> None:
    rounds.add(there.url)
    rounds.mandates.tell()
    assert rounds.go() == 1
    [got] = there.got
    told = verified(rounds, got)
    notice = rounds.platform.client(TOLD, rounds.now).get("/v1/notices")["items"][-1]
    assert told["type"] == f"notice.{notice['kind']}"
    assert told["timestamp"] == notice["at"]
    assert told["data"] == {"origin": kit.ORIGIN, "party": TOLD, **notice}
    assert told.keys() == {"type", "timestamp", "data"}
    assert int(got.headers["webhook-timestamp"]) == int(rounds.now.timestamp())
    assert got.headers["content-type"] == "application/json"


@pytest.mark.parametrize("part", ["body", "id", "timestamp"])
def test_a_message_that_was_changed_does_not_verify(
    rounds: Round, there: Receiver, part: str
) -> None:
    rounds.add(there.url)
    rounds.mandates.tell()
    rounds.go()
    [got] = there.got
    headers, body = dict(got.headers), got.body
    if part == "body":
        body = body.replace(b"yunling", b"bankcqx")
    else:
        headers[f"webhook-{part}"] = headers[f"webhook-{part}"][:-1] + "x" if part == "id" else "1"
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    with pytest.raises(InvalidSignature):
        verified(rounds, Got(path=got.path, headers=headers, body=body), moment)


def test_an_old_message_is_not_taken_again(rounds: Round, there: Receiver) -> None:
    rounds.add(there.url)
    rounds.mandates.tell(at=rounds.now)
    rounds.go()
    verified(rounds, there.got[0], rounds.now + timedelta(minutes=5))
    with pytest.raises(ValueError, match="five minutes"):
        verified(rounds, there.got[0], rounds.now + timedelta(minutes=5, seconds=1))


def test_only_the_kinds_that_were_asked_for_are_sent(rounds: Round, there: Receiver) -> None:
    rounds.add(there.url, "REVOKE_MANDATE")
    rounds.mandates.tell(2)
    rounds.go()
    assert [json.loads(got.body)["type"] for got in there.got] == ["notice.REVOKE_MANDATE"]


# -- attempts ------------------------------------------------------------------------------------


def test_a_message_is_tried_by_the_schedule_and_then_given_up(
    rounds: Round, there: Receiver
) -> None:
    there.answers = [Say(status=500, body=b"broken")] * 20
    webhook = rounds.add(there.url)
    rounds.mandates.tell(at=rounds.now)
    assert rounds.go() == 1
    for number, pause in enumerate(PAUSES):
        [row] = rounds.log(webhook)
        assert (row.stage, row.attempts, row.status) == (Stage.WAITING, number + 1, 500)
        assert row.answer == "broken"
        rounds.pass_time(pause - timedelta(milliseconds=1))
        assert rounds.go() == 0, pause
        rounds.pass_time(timedelta(milliseconds=1))
        assert rounds.go() == 1, pause
    [row] = rounds.log(webhook)
    assert (row.stage, row.attempts, row.due) == (Stage.GIVEN_UP, 8, None)
    assert row.fault == "the receiver answered 500"
    rounds.pass_time(timedelta(days=2))
    assert rounds.go() == 0
    assert len({got.id for got in there.got}) == 1
    assert len({got.headers["webhook-timestamp"] for got in there.got}) == 8
    for got in there.got:
        sent = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), UTC)
        verified(rounds, got, sent)


def test_a_pause_is_longer_by_a_fifth_at_most(rounds: Round, there: Receiver) -> None:
    there.answers = [Say(status=500)]
    webhook = rounds.add(there.url)
    rounds.mandates.tell(at=rounds.now)
    rounds.jitter = 1.0
    rounds.go()
    rounds.jitter = 0.0
    rounds.pass_time(timedelta(seconds=5.999))
    assert rounds.go() == 0
    rounds.pass_time(timedelta(milliseconds=1))
    assert rounds.go() == 1
    assert rounds.log(webhook)[0].stage is Stage.DELIVERED


def test_what_was_given_up_can_be_replayed(rounds: Round, there: Receiver) -> None:
    webhook = rounds.add(there.url)
    rounds.mandates.tell(at=rounds.now)
    rounds.go()
    number = rounds.log(webhook)[0].number
    assert rounds.book.replay(TOLD, webhook, number, rounds.now)
    assert rounds.go() == 1
    first, second = there.got
    assert first.id == second.id
    assert first.body == second.body


@pytest.mark.parametrize("status", [200, 202, 299])
def test_every_answer_from_200_to_299_counts_as_delivered(
    rounds: Round, there: Receiver, status: int
) -> None:
    there.answers = [Say(status=status, body=b"taken")]
    webhook = rounds.add(there.url)
    rounds.mandates.tell()
    rounds.go()
    [row] = rounds.log(webhook)
    assert (row.stage, row.status, row.answer) == (Stage.DELIVERED, status, "taken")


@pytest.mark.parametrize(
    "say",
    [
        pytest.param(Say(status=302, headers={"Location": "/hook2"}), id="a redirect"),
        pytest.param(Say(status=300), id="a choice"),
        pytest.param(Say(status=400), id="a refusal"),
        pytest.param(Say(status=503), id="a failure"),
        pytest.param(Say(drip=True), id="an answer that does not end"),
    ],
)
def test_only_a_success_counts_as_delivered(rounds: Round, there: Receiver, say: Say) -> None:
    there.answers = [say]
    webhook = rounds.add(there.url)
    rounds.mandates.tell(at=rounds.now)
    assert rounds.go(HttpReceivers(loopback=True, total_seconds=2 if say.drip else 15)) == 1
    assert rounds.log(webhook)[0].stage is Stage.WAITING
    rounds.pass_time(PAUSES[0])
    assert rounds.go() == 1
    assert rounds.log(webhook)[0].stage is Stage.DELIVERED
    assert [got.path for got in there.got] == ["/hook", "/hook"]


def test_410_stops_the_webhook(rounds: Round, there: Receiver) -> None:
    there.answers = [Say(status=410)]
    webhook = rounds.add(there.url)
    rounds.mandates.tell(3, at=rounds.now)
    assert rounds.go() == 1
    [found] = rounds.book.of(TOLD)
    assert found.paused == "the receiver answered 410 Gone"
    rounds.pass_time(timedelta(days=1))
    assert rounds.go() == 0
    stopped = rounds.log(webhook)[-1]
    assert (stopped.stage, stopped.status) == (Stage.GIVEN_UP, 410)
    assert rounds.book.replay(TOLD, webhook, stopped.number, rounds.now)
    assert rounds.go() == 3


def test_a_name_that_leads_inside_now_gets_nothing_and_is_tried_again(
    rounds: Round, there: Receiver
) -> None:
    webhook = rounds.add(there.url)
    rounds.mandates.tell(at=rounds.now)
    elsewhere = HttpReceivers(loopback=True, resolve=lambda host, port: ["169.254.169.254"])
    assert rounds.go(elsewhere) == 1
    [row] = rounds.log(webhook)
    assert row.stage is Stage.WAITING
    assert row.fault is not None
    assert "not of the public internet" in row.fault
    assert there.got == []


def test_an_attempt_that_breaks_in_our_own_hands_is_counted_too(
    rounds: Round, there: Receiver
) -> None:
    """It must neither come round for ever nor hold up what is behind it."""

    def broken(host: str, port: int) -> list[str]:
        raise RuntimeError("a fault of ours")

    webhook = rounds.add(there.url)
    rounds.mandates.tell(at=rounds.now)
    assert rounds.go(HttpReceivers(loopback=True, resolve=broken)) == 1
    [row] = rounds.log(webhook)
    assert (row.stage, row.attempts) == (Stage.WAITING, 1)
    assert row.fault == "the attempt broke here: RuntimeError"
    rounds.pass_time(PAUSES[0])
    assert rounds.go() == 1
    assert rounds.log(webhook)[0].stage is Stage.DELIVERED


def test_a_closed_port_is_told_in_the_log(rounds: Round) -> None:
    webhook = rounds.add(f"http://localhost:{closed_port()}/")
    rounds.mandates.tell(at=rounds.now)
    rounds.go()
    [row] = rounds.log(webhook)
    assert (row.stage, row.status, row.answer) == (Stage.WAITING, None, None)
    assert row.fault is not None
    assert "ConnectionRefusedError" in row.fault


def test_attempts_are_observed(rounds: Round, there: Receiver) -> None:
    there.answers = [Say(status=500), Say()]
    rounds.add(there.url)
    rounds.mandates.tell(at=rounds.now)
    rounds.attempted.clear()
    rounds.go()
    rounds.pass_time(PAUSES[0])
    rounds.go()
    assert [each.stage for each in rounds.attempted] == [Stage.WAITING, Stage.DELIVERED]


# -- the party's keys ----------------------------------------------------------------------------


def new_key(rounds: Round) -> LocalSigner:
    signer = LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(signer, origin=kit.ORIGIN, party=TOLD)
    rounds.platform.client(TOLD, rounds.now).act("ADD_KEY", f"party:{TOLD}", proof)
    return signer


def test_a_webhook_stops_when_the_key_it_was_added_with_is_revoked(
    rounds: Round, there: Receiver
) -> None:
    """Who had a stolen key must not go on being told."""
    stolen = new_key(rounds)
    webhook = rounds.add(there.url, kid=stolen.public.kid)
    rounds.mandates.tell(at=rounds.now)
    assert rounds.go() == 1
    details = {"kid": stolen.public.kid, "reason": "stolen"}
    rounds.platform.client(TOLD, rounds.now).act("REVOKE_KEY", f"party:{TOLD}", details)
    rounds.mandates.tell(at=rounds.now)
    rounds.go()
    assert len(there.got) == 1
    [found] = rounds.book.of(TOLD)
    assert found.paused == f"key {stolen.public.kid} was revoked by its party"
    assert rounds.book.replay(TOLD, webhook, rounds.log(webhook)[0].number, rounds.now)
    rounds.go()
    assert len(there.got) == 1  # a replay ends the pause, not the revocation


def test_a_webhook_outlives_the_rotation_of_the_key_it_was_added_with(
    rounds: Round, there: Receiver
) -> None:
    old = new_key(rounds)
    rounds.add(there.url, kid=old.public.kid)
    fresh = LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(fresh, origin=kit.ORIGIN, party=TOLD)
    client = rounds.platform.client(TOLD, rounds.now)
    client.signer = old
    client.act("ROTATE_KEY", f"party:{TOLD}", proof)
    rounds.mandates.tell(at=rounds.now)
    rounds.go()
    assert len(there.got) == 2  # of the new key, and of the mandate


def test_a_lease_is_longer_than_an_attempt_can_take() -> None:
    assert timedelta(seconds=15) * 4 < LEASE


def test_the_schedule_is_that_of_the_documents() -> None:
    words = (DOCS / "clients.md").read_text(encoding="utf-8")
    assert "5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 14 h" in words
    seconds = [pause.total_seconds() for pause in PAUSES]
    assert seconds == [5, 300, 1800, 7200, 18000, 36000, 50400]
