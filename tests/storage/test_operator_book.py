"""What the operator's desk reads beside the ledger, and the applications that it decides."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert

from bol_service.application.exchange_ports import Flow
from bol_service.application.registrations import Application
from bol_service.storage import tables
from bol_service.storage.engine import open_engine
from bol_service.storage.operator_book import SqlOperatorBook
from bol_service.storage.registrations import SqlApplications
from bol_service.storage.store import SqlStore
from tests.fresh_database import migrate

AT = "2027-03-01T04:00:00.000Z"
LATER = "2027-03-01T04:00:05.000Z"


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    engine = open_engine(database_url)
    migrate(engine)
    yield SqlStore(engine)
    engine.dispose()


def application(name: str, at: str = AT) -> Application:
    return Application(id=name, party=name, kid=f"key of {name}", asked={"party": name}, at=at)


def test_an_application_is_kept_once_and_refused_once(store: SqlStore) -> None:
    book = SqlApplications(store)
    assert book.add(application("b", LATER), most=3)
    assert book.add(application("a"), most=3)
    assert book.add(application("a"), most=3)
    assert [one.id for one in book.all()] == ["a", "b"]
    assert book.get("a") == application("a")
    assert book.get("c") is None
    assert book.refuse("a", "a signed refusal")
    assert not book.refuse("a", "another one")
    assert not book.refuse("c", "of nobody")
    found = book.get("a")
    assert found is not None
    assert found.refusal == "a signed refusal"


def test_no_more_applications_are_kept_than_a_person_reads(store: SqlStore) -> None:
    book = SqlApplications(store)
    assert [book.add(application(name), most=2) for name in "abc"] == [True, True, False]
    book.forget(LATER)
    assert book.all() == []
    assert book.add(application("c"), most=2)


def test_of_two_refusals_at_once_one_counts(store: SqlStore) -> None:
    book = SqlApplications(store)
    book.add(application("a"), most=1)
    with ThreadPoolExecutor(2) as pool:
        kept = list(pool.map(lambda text: book.refuse("a", text), ("one", "two")))
    assert sorted(kept) == [False, True]


def hook(name: str, failures: int = 0, paused: str | None = None) -> dict[str, object]:
    common = {"kinds": "[]", "kid": "k", "since": 0, "created": AT, "looked_up_to": 0}
    rests = {"rests_until": "", "served": "", "leased_until": ""}
    own = {"id": name, "party": name, "slot": 0, "url": f"https://{name}.example:8443/secret?x=1"}
    return {**common, **rests, **own, "failures": failures, "paused": paused}


def delivery(webhook: str, notice: int, stage: str, tried: str | None) -> dict[str, object]:
    fault = f"fault of {notice}" if tried else None
    row = {"webhook": webhook, "notice": notice, "stage": stage, "attempts": 1}
    return {**row, "tried": tried, "status": 500 if tried else None, "fault": fault}


def test_webhooks_are_counted_and_those_that_fail_come_first(store: SqlStore) -> None:
    notice = {"party": "a", "kind": "ISSUED", "stream": "bill:a", "at": AT, "facts": "{}"}
    with store.changing() as connection:
        connection.execute(insert(tables.notices), [notice] * 4)
        hooks = [hook("calm"), hook("failing", 2, "it is gone")]
        connection.execute(insert(tables.webhooks), hooks)
        connection.execute(
            insert(tables.deliveries),
            [
                delivery("failing", 1, "DELIVERED", AT),
                delivery("failing", 2, "WAITING", LATER),
                delivery("failing", 3, "WAITING", None),
                delivery("failing", 4, "GIVEN_UP", AT),
            ],
        )
    failing, calm = SqlOperatorBook(store).hooks(10)
    assert (failing.party, failing.host) == ("failing", "failing.example:8443")
    assert (failing.waiting, failing.delivered, failing.given_up) == (2, 1, 1)
    assert (failing.tried, failing.status, failing.fault) == (LATER, 500, "fault of 2")
    assert (failing.failures, failing.paused) == (2, "it is gone")
    assert (calm.waiting, calm.delivered, calm.tried, calm.fault) == (0, 0, None, None)
    assert [one.party for one in SqlOperatorBook(store).hooks(1)] == ["failing"]


def test_crossings_are_read_backwards_page_by_page(store: SqlStore) -> None:
    common = {"at": AT, "direction": "OUT", "platform": "SGPX", "bill": "b", "digest": "d"}
    rest = {"size": 1, "recipient": "SGPX:banksg", "basis": "trade data"}
    rows = [{**common, **rest, "what": f"file {number}"} for number in range(3)]
    with store.changing() as connection:
        connection.execute(insert(tables.flows), rows)
    book = SqlOperatorBook(store)
    newest = book.flows(None, 2)
    assert [flow.what for _, flow in newest] == ["file 2", "file 1"]
    [(_, oldest)] = book.flows(newest[-1][0], 2)
    assert oldest == Flow(**{**common, **rest, "what": "file 0"})  # type: ignore[arg-type]


def test_what_peers_offered_is_read_whatever_became_of_it(store: SqlStore) -> None:
    row = {"bill": "b", "sender": "SGPX", "manifest": "m", "envelope": "e"}
    rows = [
        {**row, "reference": "first", "opened": AT, "answer": "signed", "status": 200},
        {**row, "reference": "second", "opened": LATER, "answer": None, "status": None},
    ]
    with store.changing() as connection:
        connection.execute(insert(tables.inbound_transfers), rows)
    found = SqlOperatorBook(store).arrivals(10)
    assert [(one.reference, one.status) for one in found] == [("second", None), ("first", 200)]
    assert SqlOperatorBook(store).departures(10) == []
