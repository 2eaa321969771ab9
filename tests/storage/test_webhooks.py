"""The queue of webhooks: each message to one process at a time, no webhook before its turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from bol_service.application.webhook_ports import (
    MOST_PER_PARTY,
    Outcome,
    Stage,
    Task,
    TooManyWebhooks,
    Webhook,
    WebhookExists,
)
from bol_service.storage import tables
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from bol_service.storage.webhook_queue import SqlWebhookQueue
from bol_service.storage.webhooks import SqlWebhooks
from bol_service.wire.event_fields import instant_text
from tests.fresh_database import migrate
from tests.parted_roles import divided

NOW = datetime(2027, 3, 1, 4, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEASE = timedelta(minutes=2)


class Outbox:
    """A book, and notices as an act would have written them."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.book = SqlWebhooks(store)
        self.queue = SqlWebhookQueue(store)

    def tell(self, party: str, *kinds: str) -> None:
        rows = [
            {"party": party, "kind": kind, "stream": "party:a", "at": "t", "facts": "{}"}
            for kind in kinds
        ]
        with self.store.changing() as connection:
            connection.execute(insert(tables.notices), rows)

    def add(
        self, party: str = "yunling", name: str = "a", *kinds: str, since: int | None = None
    ) -> Webhook:
        webhook = Webhook(
            id=f"{party}-{name}",
            party=party,
            url=f"https://{name}.example/",
            kinds=kinds,
            kid="k",
            since=0,
            created=instant_text(NOW),
        )
        return self.book.add(webhook, since=since)

    def claim(self, now: datetime = NOW) -> Task | None:
        return self.queue.claim(now, now + LEASE)

    def taken(self, now: datetime = NOW) -> tuple[str, int] | None:
        task = self.claim(now)
        return (task.webhook.id, task.notice.number) if task else None

    def log(self, webhook: str, party: str = "yunling") -> dict[int, Stage]:
        rows = self.book.deliveries(party, webhook, None, 100)
        assert rows is not None
        return {row.number: row.stage for row in rows}


@pytest.fixture
def outbox(database_url: str) -> Iterator[Outbox]:
    engine = open_engine(database_url)
    migrate(engine)
    yield Outbox(SqlStore(engine))
    engine.dispose()


def delivered(now: datetime = NOW) -> Outcome:
    return Outcome(stage=Stage.DELIVERED, tried=instant_text(now), status=200, answer="ok")


def failed(due: datetime, rests_until: datetime = NOW, failures: int = 1) -> Outcome:
    return Outcome(
        stage=Stage.WAITING,
        tried=instant_text(NOW),
        due=instant_text(due),
        fault="no",
        failures=failures,
        rests_until=instant_text(rests_until),
    )


# -- what a party has ----------------------------------------------------------------------------


def test_a_party_sees_its_own_and_no_other(outbox: Outbox) -> None:
    mine = outbox.add("yunling", "a", "ISSUED")
    outbox.add("bankcq", "a")
    assert outbox.book.of("yunling") == [mine]
    assert outbox.book.of("nobody") == []
    assert not outbox.book.remove("yunling", "bankcq-a")
    assert outbox.book.deliveries("yunling", "bankcq-a", None, 10) is None
    assert not outbox.book.replay("yunling", "bankcq-a", 1, NOW)
    assert len(outbox.book.of("bankcq")) == 1


def test_a_party_has_five_at_most_and_a_place_again_after_one_went(outbox: Outbox) -> None:
    for number in range(MOST_PER_PARTY):
        outbox.add("yunling", f"n{number}")
    with pytest.raises(TooManyWebhooks, match="yunling has 5"):
        outbox.add("yunling", "more")
    outbox.add("bankcq", "more")
    assert outbox.book.remove("yunling", "yunling-n2")
    outbox.add("yunling", "more")


def test_an_address_is_taken_once_by_a_party(outbox: Outbox) -> None:
    outbox.add("yunling", "a")
    with pytest.raises(WebhookExists, match=r"https://a\.example/"):
        outbox.add("yunling", "a")
    outbox.add("bankcq", "a")


def test_of_many_added_at_once_five_are_kept(outbox: Outbox) -> None:
    refused = []

    def add(number: int) -> None:
        try:
            outbox.add("yunling", f"n{number}")
        except TooManyWebhooks as error:
            refused.append(error)

    workers = [threading.Thread(target=add, args=(number,)) for number in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    kept = len(outbox.book.of("yunling"))
    assert kept <= MOST_PER_PARTY
    assert kept + len(refused) == 10


def test_one_that_is_removed_takes_its_log_and_its_queue_along(outbox: Outbox) -> None:
    outbox.add(since=0)
    outbox.tell("yunling", "ISSUED", "ON_BOARD")
    task = outbox.claim()
    assert task is not None
    assert outbox.book.remove("yunling", "yunling-a")
    outbox.queue.settle(task, delivered())
    assert outbox.claim(NOW + LEASE) is None
    assert outbox.queue.backlog() == 0


# -- which notices -------------------------------------------------------------------------------


def test_without_a_number_only_what_comes_later_is_sent(outbox: Outbox) -> None:
    outbox.tell("yunling", "ISSUED")
    assert outbox.add().since == 1
    assert outbox.claim() is None
    outbox.tell("yunling", "ON_BOARD")
    assert outbox.taken() == ("yunling-a", 2)


def test_from_a_number_on_everything_after_it_is_sent(outbox: Outbox) -> None:
    outbox.tell("yunling", "ISSUED", "ON_BOARD")
    outbox.add(since=1)
    assert outbox.taken() == ("yunling-a", 2)


def test_only_the_notices_of_the_party_and_of_the_wanted_kinds_are_sent(outbox: Outbox) -> None:
    outbox.add("yunling", "a", "ON_BOARD", since=0)
    outbox.tell("bankcq", "ON_BOARD")
    outbox.tell("yunling", "ISSUED", "ON_BOARD")
    assert outbox.queue.backlog() == 1
    assert outbox.taken() == ("yunling-a", 3)
    assert outbox.log("yunling-a") == {3: Stage.WAITING}


def test_many_notices_of_other_kinds_hold_nobody_up(outbox: Outbox) -> None:
    outbox.add("yunling", "a", "ON_BOARD", since=0)
    outbox.add("bankcq", "a", since=0)
    outbox.tell("yunling", *["ISSUED"] * 450)
    outbox.tell("bankcq", "ISSUED")
    assert {outbox.taken(), outbox.taken()} == {("bankcq-a", 451), None}


# -- turns ---------------------------------------------------------------------------------------


def test_what_is_claimed_is_nobody_else_s_until_it_is_settled(outbox: Outbox) -> None:
    outbox.add(since=0)
    outbox.tell("yunling", "ISSUED", "ON_BOARD")
    task = outbox.claim()
    assert task is not None
    assert outbox.claim(NOW + LEASE - SECOND) is None
    outbox.queue.settle(task, delivered())
    assert outbox.taken() == ("yunling-a", 2)
    assert outbox.log("yunling-a") == {1: Stage.DELIVERED, 2: Stage.WAITING}


def test_a_lease_that_ended_lets_another_process_send_the_same_again(outbox: Outbox) -> None:
    outbox.add(since=0)
    outbox.tell("yunling", "ISSUED")
    first, second = outbox.claim(), outbox.claim(NOW + LEASE)
    assert first is not None
    assert second is not None
    assert (first.notice, second.notice) == (second.notice, first.notice)
    assert (first.attempt, second.attempt) == (1, 2)
    outbox.queue.settle(first, delivered())  # too late: it is the other one's now
    assert outbox.log("yunling-a") == {1: Stage.WAITING}
    assert outbox.claim(NOW + LEASE + SECOND) is None
    outbox.queue.settle(second, delivered())
    assert outbox.log("yunling-a") == {1: Stage.DELIVERED}


def test_many_workers_take_each_message_once(outbox: Outbox) -> None:
    for number in range(4):
        outbox.add("yunling", f"n{number}", since=0)
    outbox.tell("yunling", *["ISSUED"] * 5)
    taken: list[tuple[str, int]] = []

    def work() -> None:
        while len(taken) < 20:
            task = outbox.claim()
            if task is not None:
                taken.append((task.webhook.id, task.notice.number))
                outbox.queue.settle(task, delivered())

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len(taken) == len(set(taken)) == 20
    assert outbox.claim() is None


def test_a_webhook_that_another_process_is_taking_is_passed_over(postgres_url: str) -> None:
    """Not waited for: the look goes on to those that nobody takes."""
    engine = open_engine(postgres_url)
    migrate(engine)
    outbox = Outbox(SqlStore(engine))
    outbox.add("bankcq", "a", since=0)
    outbox.add("yunling", "a", since=0)
    outbox.tell("bankcq", "ISSUED")
    outbox.tell("yunling", "ISSUED")
    with ThreadPoolExecutor(1) as pool, engine.begin() as other:
        first = select(tables.webhooks).where(tables.webhooks.c.id == "bankcq-a")
        other.execute(first.with_for_update())
        taken = pool.submit(outbox.taken)
        try:
            assert taken.result(60) == ("yunling-a", 2)
        finally:
            other.rollback()  # so that a claim that waits comes to its end
    assert outbox.taken() == ("bankcq-a", 1)


def test_a_failed_attempt_is_due_again_at_its_time_and_not_before(outbox: Outbox) -> None:
    outbox.add(since=0)
    outbox.tell("yunling", "ISSUED")
    task = outbox.claim()
    assert task is not None
    due = NOW + 5 * SECOND
    outbox.queue.settle(task, failed(due))
    assert outbox.claim(due - SECOND) is None
    again = outbox.claim(due)
    assert again is not None
    assert (again.attempt, again.failures) == (2, 1)


def test_a_webhook_that_rests_leaves_its_turn_to_the_others(outbox: Outbox) -> None:
    outbox.add("bankcq", "dead", since=0)
    outbox.add("yunling", "alive", since=0)
    outbox.tell("bankcq", *["ISSUED"] * 3)
    outbox.tell("yunling", *["ISSUED"] * 3)
    dead = outbox.claim()
    assert dead is not None
    assert dead.webhook.id == "bankcq-dead"
    outbox.queue.settle(dead, failed(NOW + SECOND, rests_until=NOW + 60 * SECOND))
    for number in (4, 5, 6):
        task = outbox.claim(NOW + 2 * SECOND)
        assert task is not None
        assert (task.webhook.id, task.notice.number) == ("yunling-alive", number)
        outbox.queue.settle(task, delivered(NOW + 2 * SECOND))
    assert outbox.claim(NOW + 59 * SECOND) is None
    assert outbox.taken(NOW + 60 * SECOND) == ("bankcq-dead", 2)


def test_turns_go_round(outbox: Outbox) -> None:
    outbox.add("bankcq", "a", since=0)
    outbox.add("yunling", "a", since=0)
    outbox.tell("bankcq", *["ISSUED"] * 3)
    outbox.tell("yunling", *["ISSUED"] * 3)
    order = []
    for step in range(6):
        task = outbox.claim(NOW + step * SECOND)
        assert task is not None
        order.append(task.webhook.party)
        outbox.queue.settle(task, delivered(NOW + step * SECOND))
    assert order == ["bankcq", "yunling"] * 3


def test_a_paused_webhook_sends_nothing_until_something_is_replayed(outbox: Outbox) -> None:
    outbox.add(since=0)
    outbox.tell("yunling", "ISSUED", "ON_BOARD")
    task = outbox.claim()
    assert task is not None
    gone = Outcome(stage=Stage.GIVEN_UP, tried=instant_text(NOW), status=410, paused="gone")
    outbox.queue.settle(task, gone)
    assert outbox.book.of("yunling")[0].paused == "gone"
    assert outbox.claim(NOW + timedelta(days=9)) is None
    assert outbox.queue.backlog() == 0
    assert outbox.book.replay("yunling", "yunling-a", 1, NOW)
    assert outbox.book.of("yunling")[0].paused is None
    assert outbox.taken() == ("yunling-a", 1)


def test_a_replay_begins_anew_and_needs_no_rest(outbox: Outbox) -> None:
    outbox.add(since=0)
    outbox.tell("yunling", "ISSUED")
    task = outbox.claim()
    assert task is not None
    later = NOW + timedelta(hours=1)
    outbox.queue.settle(task, failed(later, rests_until=later, failures=7))
    assert outbox.book.replay("yunling", "yunling-a", 1, NOW + SECOND)
    again = outbox.claim(NOW + SECOND)
    assert again is not None
    assert (again.attempt, again.failures) == (1, 0)


def test_a_replay_during_an_attempt_is_not_lost(outbox: Outbox) -> None:
    outbox.add(since=0)
    outbox.tell("yunling", "ISSUED")
    task = outbox.claim()
    assert task is not None
    assert outbox.book.replay("yunling", "yunling-a", 1, NOW)
    outbox.queue.settle(task, delivered())
    assert outbox.taken() == ("yunling-a", 1)


def test_a_delivery_that_there_is_not_cannot_be_replayed(outbox: Outbox) -> None:
    outbox.add(since=0)
    assert not outbox.book.replay("yunling", "yunling-a", 1, NOW)


# -- the role that serves ------------------------------------------------------------------------


def test_the_service_role_may_do_all_of_this(new_postgres_database: Callable[[], str]) -> None:
    with divided(new_postgres_database()) as parted:
        outbox = Outbox(SqlStore(parted.as_service))
        outbox.add(since=0)
        outbox.tell("yunling", "ISSUED")
        task = outbox.claim()
        assert task is not None
        outbox.queue.settle(task, delivered())
        assert outbox.book.replay("yunling", "yunling-a", 1, NOW)
        assert outbox.queue.backlog() == 1
        outbox.queue.forget(instant_text(NOW))
        assert outbox.book.remove("yunling", "yunling-a")


# -- the log -------------------------------------------------------------------------------------


def test_the_log_tells_the_newest_first_and_page_by_page(outbox: Outbox) -> None:
    outbox.add(since=0)
    outbox.tell("yunling", "ISSUED", "ON_BOARD", "ARRIVED")
    outbox.claim()
    first = outbox.book.deliveries("yunling", "yunling-a", None, 2)
    rest = outbox.book.deliveries("yunling", "yunling-a", 2, 2)
    assert first is not None
    assert rest is not None
    assert [(row.number, row.kind) for row in first] == [(3, "ARRIVED"), (2, "ON_BOARD")]
    assert [(row.number, row.attempts) for row in rest] == [(1, 1)]


def test_what_ended_long_ago_is_forgotten_and_what_waits_is_not(outbox: Outbox) -> None:
    outbox.add(since=0)
    outbox.tell("yunling", "ISSUED", "ON_BOARD")
    task = outbox.claim()
    assert task is not None
    outbox.queue.settle(task, delivered())
    outbox.queue.forget(instant_text(NOW))
    assert outbox.log("yunling-a") == {1: Stage.DELIVERED, 2: Stage.WAITING}
    outbox.queue.forget(instant_text(NOW + SECOND))
    assert outbox.log("yunling-a") == {2: Stage.WAITING}
    assert outbox.queue.backlog() == 1
