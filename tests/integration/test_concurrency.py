"""Many hands at once on a real server: one holder always, and no bill waits for another.

The servers are `bol serve` processes, the clients are threads with connections of their own that
send at the same moment.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.client import HTTPConnection, RemoteDisconnected
from itertools import pairwise

import pytest

from bol_service.ledger.receipt import Receipt
from tests import many_bills
from tests.desk import Desk
from tests.many_bills import HOLDER
from tests.service_process import Service, beside, new_service, post
from tests.warm_service import launcher

BILLS = 64 + 4
RECIPIENTS = ("bankcq", "banksg", "straits")
Answer = tuple[int, bytes]


@dataclass(kw_only=True)
class House:
    service: Service
    desk: Desk
    fresh: Iterator[str]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running service with bills that nobody has transferred yet."""
    service = new_service(tmp_path_factory.mktemp("house"))
    desk = service.desk
    bills: list[str] = []
    service.fill(lambda running: bills.extend(many_bills.made(running, desk, BILLS)))
    service.start()
    yield House(service=service, desk=desk, fresh=iter(bills))
    assert service.stop() == 0
    report = service.audit()
    assert report.problems == []


def at_once(services: Sequence[Service], work: Sequence[Sequence[str]]) -> list[Answer]:
    """Each list of `work` is sent by a thread of its own, all beginning at the same moment."""
    barrier = threading.Barrier(len(work))

    def send(number: int) -> list[Answer]:
        connection = services[number % len(services)].connect()
        connection.connect()
        barrier.wait()
        answers = [sent(connection, compact) for compact in work[number]]
        connection.close()
        return answers

    with ThreadPoolExecutor(len(work)) as pool:
        return [answer for part in pool.map(send, range(len(work))) for answer in part]


def sent(connection: HTTPConnection, compact: str) -> Answer:
    """Anew, if the server has given up the connection: it waits 5 seconds for the next request,
    which a barrier may take on a machine that does much else, and has then read nothing."""
    try:
        return post(connection, compact)
    except (RemoteDisconnected, ConnectionError):
        connection.close()  # it opens again by itself
        return post(connection, compact)


def rival_transfers(desk: Desk, bill: str, count: int) -> list[str]:
    return [
        desk.transfer(bill, HOLDER, RECIPIENTS[number % len(RECIPIENTS)]) for number in range(count)
    ]


def require_one_winner(answers: Sequence[Answer], count: int) -> None:
    others = [answer for answer in answers if answer[0] not in (201, 409)]
    assert Counter(status for status, _ in answers) == {201: 1, 409: count - 1}, others
    assert {json.loads(body)["code"] for status, body in answers if status == 409} == {"stale_head"}


def test_of_64_transfers_of_one_bill_by_its_holder_exactly_one_is_recorded(house: House) -> None:
    bill = next(house.fresh)
    rivals = rival_transfers(house.desk, bill, 64)
    answers = at_once([house.service], [[compact] for compact in rivals])
    require_one_winner(answers, 64)


def test_64_different_bills_are_all_transferred_at_once(house: House) -> None:
    bills = [next(house.fresh) for _ in range(64)]
    work = [[house.desk.transfer(bill, HOLDER, "bankcq")] for bill in bills]
    answers = at_once([house.service], work)
    assert Counter(status for status, _ in answers) == {201: 64}
    assert len({json.loads(body)["index"] for _, body in answers}) == 64


def test_one_event_sent_32_times_at_once_is_recorded_once_and_answered_alike(house: House) -> None:
    compact = house.desk.transfer(next(house.fresh), HOLDER, "bankcq")
    answers = at_once([house.service], [[compact]] * 32)
    assert Counter(status for status, _ in answers) == {201: 1, 200: 31}
    assert len({body for _, body in answers}) == 1


RACES = [
    pytest.param(200, id="200 transfers from 64 threads"),
    pytest.param(1000, id="1000 transfers from 64 threads", marks=pytest.mark.torture),
]


@pytest.mark.parametrize("count", RACES)
def test_n29_a_race_for_the_first_transfer_has_one_winner(house: House, count: int) -> None:
    rivals = rival_transfers(house.desk, next(house.fresh), count)
    answers = at_once([house.service], [rivals[first::64] for first in range(64)])
    require_one_winner(answers, count)


# -- several processes on one PostgreSQL ---------------------------------------------------------

PROCESSES, RIVALS = 4, 16
HOLDERS = (HOLDER, *RECIPIENTS)


@dataclass(kw_only=True)
class Street:
    """Four processes of one platform, and sixteen clients that keep their connections."""

    services: list[Service]
    desk: Desk
    fresh: Iterator[str]
    pool: ThreadPoolExecutor
    connections: list[HTTPConnection]

    def at_once(self, compacts: Sequence[str]) -> list[Answer]:
        """Each event from a client of its own, all at the same moment; client n asks process
        n mod 4."""
        barrier = threading.Barrier(len(compacts))

        def send(number: int) -> Answer:
            barrier.wait()
            return sent(self.connections[number], compacts[number])

        return list(self.pool.map(send, range(len(compacts))))

    def race(self, bill: str, holder: str) -> str:
        """Sixteen transfers by the bill's holder; who holds it then."""
        others = [slug for slug in HOLDERS if slug != holder]
        rivals = [
            self.desk.transfer(bill, holder, others[number % len(others)])
            for number in range(RIVALS)
        ]
        answers = self.at_once(rivals)
        require_one_winner(answers, RIVALS)
        [won] = [number for number, (status, _) in enumerate(answers) if status == 201]
        self.desk.note(Receipt.from_value(json.loads(answers[won][1])))
        return others[won % len(others)]


@pytest.fixture(scope="module")
def street(
    tmp_path_factory: pytest.TempPathFactory, new_postgres_database: Callable[[], str]
) -> Iterator[Street]:
    with ExitStack() as stack:
        folder, warm = tmp_path_factory.mktemp("street"), stack.enter_context(launcher())
        first = new_service(folder, database_url=new_postgres_database(), launcher=warm)
        desk, bills = first.desk, list[str]()
        first.fill(lambda running: bills.extend(many_bills.made(running, desk, RIVALS + 1)))
        services = [first, *(beside(first, f"process{number}") for number in range(1, PROCESSES))]
        for service in services:
            service.start()
            stack.callback(service.kill)
        yield Street(
            services=services,
            desk=desk,
            fresh=iter(bills),
            pool=stack.enter_context(ThreadPoolExecutor(RIVALS)),
            connections=[
                stack.enter_context(closing(services[number % PROCESSES].connect()))
                for number in range(RIVALS)
            ],
        )
    assert first.audit().problems == []


STREET_RACES = [
    pytest.param(50, id="50 races of 16 transfers"),
    pytest.param(1000, id="1000 races of 16 transfers", marks=pytest.mark.torture),
]


@pytest.mark.parametrize("count", STREET_RACES)
def test_of_four_processes_on_one_postgresql_one_transfer_wins_in_each_of(
    street: Street, count: int
) -> None:
    bill, holder = next(street.fresh), HOLDER
    for _ in range(count):
        holder = street.race(bill, holder)


def test_bills_that_have_nothing_to_do_with_each_other_all_move_through_four_processes(
    street: Street,
) -> None:
    bills = [next(street.fresh) for _ in range(RIVALS - 1)]
    for giver, taker in pairwise([*HOLDERS, *HOLDERS]):
        answers = street.at_once([street.desk.transfer(bill, giver, taker) for bill in bills])
        assert Counter(status for status, _ in answers) == {201: len(bills)}
        for _, body in answers:
            street.desk.note(Receipt.from_value(json.loads(body)))
