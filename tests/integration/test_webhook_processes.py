"""Webhooks of real server processes: killed in the middle of a message, and two at one database."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from bol_service.application.webhook_delivery import LEASE
from bol_service.client import Client
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import generate, write_private_key
from bol_service.domain.states import Head
from bol_service.wire.event_fields import instant_text
from tests.desk import ORIGIN, STORY, Desk
from tests.mandates import GRANTER, KINDS, TOLD, Mandates
from tests.receiver import PATIENCE, Say, receiver
from tests.service_process import Service, beside, new_service, post
from tests.warm_service import Launcher, launcher

MESSAGES = 10


@dataclass(kw_only=True)
class House:
    service: Service
    desk: Desk
    told: int = 0

    def start(self) -> None:
        self.service.start()

    def client(self, now: datetime = STORY) -> Client:
        client = Client(
            base_url=self.service.environment["BOL_BASE_URL"],
            origin=ORIGIN,
            party=TOLD,
            signer=self.service.signers[TOLD],
        )
        client.now = lambda: now
        return client

    def tell(self, *services: Service) -> None:
        """One notice more by each of these services."""
        for service in services:
            kind = KINDS[self.told % 2]
            compact = self.desk.event(GRANTER, kind, f"party:{GRANTER}", {}, recipient=TOLD)
            with closing(service.connect()) as connection:
                status, answer = post(connection, compact)
            assert status == 201, answer
            self._note(answer)
            self.told += 1

    def _note(self, answer: bytes) -> None:
        receipt = json.loads(answer)
        head = Head(sequence=receipt["sequence"], digest=receipt["head"])
        self.desk.heads[receipt["stream"]] = head

    def set_clock(self, moment: datetime) -> None:
        file = Path(self.service.environment["BOL_CLOCK_FILE"])
        file.write_text(instant_text(moment), encoding="ascii")

    def log(self, webhook: str, now: datetime = STORY) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client(now).get(f"/v1/webhooks/{webhook}/deliveries")[
            "items"
        ]
        return found


@contextmanager
def ready(tmp_path: Path, database_url: str | None = None) -> Iterator[House]:
    """A platform with its cast, whose server is not running yet."""
    with launcher() as warm, _opened(tmp_path, database_url, warm) as house:
        yield house


@contextmanager
def _opened(tmp_path: Path, database_url: str | None, warm: Launcher) -> Iterator[House]:
    service = new_service(tmp_path, database_url=database_url, launcher=warm)
    passphrase = Path(service.environment["BOL_KEY_PASSPHRASE_FILE"]).read_bytes()
    write_private_key(tmp_path / "webhook.pem", generate(Algorithm.ED25519), passphrase)
    service.environment["BOL_WEBHOOK_KEY"] = f"file:{tmp_path / 'webhook.pem'}"
    service.environment["BOL_WEBHOOK_LOOPBACK"] = "1"
    desk = service.desk
    service.fill(
        lambda running: Mandates(
            desk=desk,
            recorder=running.services.recorder,
            documents=running.services.documents,
        ).open_log()
    )
    yield House(service=service, desk=desk)
    assert service.stop() == 0


def test_a_server_killed_in_the_middle_of_a_message_sends_it_again_with_the_same_id(
    tmp_path: Path,
) -> None:
    hold = threading.Event()
    with receiver() as there, ready(tmp_path) as house:
        there.answers = [Say(hold=hold)]
        house.start()
        webhook = house.client().post("/v1/webhooks", {"url": there.url})["webhook"]
        house.tell(house.service)
        there.wait(1)
        house.service.kill()
        hold.set()
        later = STORY + LEASE + timedelta(seconds=1)
        house.set_clock(later)
        house.start()
        first, second = there.wait(2)
        deadline = monotonic() + PATIENCE
        while (row := house.log(webhook, later)[0])["stage"] != "DELIVERED":
            assert monotonic() < deadline, row
            sleep(0.05)
    assert first.id == second.id
    assert first.body == second.body
    assert row["attempts"] == 2


def test_two_servers_at_one_database_send_each_message_once(
    postgres_url: str, tmp_path: Path
) -> None:
    with ExitStack() as ended:
        house = ended.enter_context(ready(tmp_path, postgres_url))
        there = [ended.enter_context(receiver()) for _ in range(3)]
        house.start()
        other = beside(house.service)
        other.start()
        ended.callback(other.stop)
        for each in there:
            house.client().post("/v1/webhooks", {"url": each.url})
        house.tell(*[house.service, other] * (MESSAGES // 2))
        for each in there:
            each.wait(MESSAGES)
        deadline = monotonic() + PATIENCE
        while b"bol_webhook_backlog 0.0" not in house.client().fetch("/metrics").content:
            assert monotonic() < deadline
            sleep(0.05)
        for each in there:
            assert set(Counter(got.id for got in each.got).values()) == {1}
            assert len(each.got) == MESSAGES
