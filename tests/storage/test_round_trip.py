"""Statements that make one round trip to PostgreSQL are answered each, or fail together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from bol_service.storage.arrays import Bytes, Integers, Texts
from bol_service.storage.engine import open_engine
from bol_service.storage.round_trip import Answer, RoundTrip

PREPARED = "SELECT statement FROM pg_prepared_statements WHERE name LIKE 'bol%%' ORDER BY name"
HELD = 1_000_000  # bytes: more than the sockets between us and the server hold


@pytest.fixture
def connection(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as opened:
        yield opened


def told(connection: psycopg.Connection[Any], *asked: tuple[str, list[Any]]) -> list[Answer]:
    trip = RoundTrip(connection)
    answers = [trip.send(sql, values) for sql, values in asked]
    trip.depart()
    trip.arrive()
    return answers


def status(connection: psycopg.Connection[Any]) -> str:
    return connection.info.transaction_status.name


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param("text", "提单 \\ '", id="text"),
        pytest.param("varchar", "", id="no text"),
        pytest.param("bytea", b"\x00\xff", id="bytes"),
        pytest.param("bigint", -(2**63), id="the least number"),
        pytest.param("integer", 2**31 - 1, id="the greatest small number"),
        pytest.param("text", None, id="a text that is missing"),
        pytest.param("bytea", None, id="bytes that are missing"),
    ],
)
def test_a_value_comes_back_as_it_went(
    connection: psycopg.Connection[Any], kind: str, value: object
) -> None:
    [answer] = told(connection, (f"SELECT CAST($1 AS {kind})", [value]))
    assert answer.fetchall() == [(value,)]


def test_columns_come_back_as_rows(connection: psycopg.Connection[Any]) -> None:
    sql = "SELECT * FROM unnest(CAST($1 AS text[]), CAST($2 AS bytea[]), CAST($3 AS integer[]))"
    columns = [Texts(["a", None]), Bytes([b"x", b""]), Integers([1, None])]
    [answer] = told(connection, (sql, columns))
    assert answer.fetchall() == [("a", b"x", 1), (None, b"", None)]


def test_the_first_trip_of_a_transaction_begins_it_and_the_next_goes_on(
    connection: psycopg.Connection[Any],
) -> None:
    told(connection, ("CREATE TEMPORARY TABLE held (n bigint)", []))
    assert status(connection) == "INTRANS"
    connection.commit()
    [put] = told(connection, ("INSERT INTO held VALUES ($1), ($2)", [1, 2]))
    [seen] = told(connection, ("SELECT count(*) FROM held", []))
    assert (put.rowcount, seen.fetchall()) == (2, [(2,)])
    connection.rollback()
    [left] = told(connection, ("SELECT count(*) FROM held", []))
    assert left.fetchall() == [(0,)]


@pytest.mark.parametrize("level", list(psycopg.IsolationLevel), ids=lambda level: level.name)
def test_a_transaction_begins_at_the_level_that_the_connection_was_given(
    connection: psycopg.Connection[Any], level: psycopg.IsolationLevel
) -> None:
    connection.isolation_level = level
    [answer] = told(connection, ("SELECT current_setting('transaction_isolation')", []))
    assert answer.fetchall() == [(level.name.replace("_", " ").lower(),)]


def test_a_connection_that_commits_by_itself_begins_nothing(
    connection: psycopg.Connection[Any],
) -> None:
    connection.autocommit = True
    told(connection, ("SELECT 1", []))
    assert status(connection) == "IDLE"


def test_a_statement_is_prepared_once_for_a_connection(
    connection: psycopg.Connection[Any],
) -> None:
    for _ in range(2):
        told(connection, ("SELECT 1", []), ("SELECT 2", []), ("SELECT 1", []))
    assert connection.execute(PREPARED).fetchall() == [("SELECT 1",), ("SELECT 2",)]


def test_what_the_driver_does_meanwhile_takes_no_statement_away(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with engine.connect() as opened:
        connection: Any = opened.connection.driver_connection
        told(connection, ("SELECT 1", []))
        for _ in range(10):  # twice as often as the driver by itself wants to see a statement
            opened.execute(text("SELECT 2"))
        opened.rollback()
        [answer] = told(connection, ("SELECT 1", []))
        assert answer.fetchall() == [(1,)]
    engine.dispose()


def test_the_first_statement_that_fails_is_the_one_that_is_told(
    connection: psycopg.Connection[Any],
) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        told(connection, ("SELECT 1", []), ("SELECT 1 / 0", []), ("SELECT no_column", []))
    assert status(connection) == "INERROR"


def test_a_statement_that_was_skipped_is_prepared_by_the_next_trip(
    connection: psycopg.Connection[Any],
) -> None:
    after = ("SELECT CAST($1 AS bigint) + 1", [1])
    with pytest.raises(psycopg.errors.DivisionByZero):
        told(connection, ("SELECT 1 / 0", []), after)
    connection.rollback()
    [answer] = told(connection, after)
    assert answer.fetchall() == [(2,)]


def test_more_than_the_sockets_hold_goes_out_while_as_much_comes_back(
    connection: psycopg.Connection[Any],
) -> None:
    sent = ["x" * HELD, "y" * HELD, "z" * HELD]
    answers = told(connection, *[("SELECT CAST($1 AS text)", [each]) for each in sent])
    assert [answer.fetchall() for answer in answers] == [[(each,)] for each in sent]


@pytest.mark.parametrize("departed", [False, True], ids=["on the way", "departed"])
def test_a_trip_that_is_given_up_can_be_rolled_back(
    connection: psycopg.Connection[Any], departed: bool
) -> None:
    told(connection, ("CREATE TEMPORARY TABLE held (n bigint)", []))
    connection.commit()
    trip = RoundTrip(connection)
    trip.send("INSERT INTO held VALUES ($1)", [1])
    if departed:
        trip.depart()
    trip.give_up()
    connection.rollback()
    [left] = told(connection, ("SELECT count(*) FROM held", []))
    assert left.fetchall() == [(0,)]


def test_an_answer_is_not_read_before_the_trip_has_ended(
    connection: psycopg.Connection[Any],
) -> None:
    trip = RoundTrip(connection)
    answer = trip.send("SELECT 1", [])
    with pytest.raises(AssertionError, match="not ended"):
        answer.fetchall()
    trip.give_up()


@pytest.mark.parametrize("ends", ["arrive", "give_up"])
def test_a_connection_that_ends_on_the_way_is_told_or_given_up(
    connection: psycopg.Connection[Any], postgres_url: str, ends: str
) -> None:
    [mine] = told(connection, ("SELECT pg_backend_pid()", []))
    trip = RoundTrip(connection)
    trip.send("SELECT pg_sleep($1)", [60])
    trip.depart()
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as other:
        other.execute("SELECT pg_terminate_backend(%s)", mine.fetchall()[0])
    if ends == "give_up":
        trip.give_up()
    else:
        with pytest.raises(psycopg.OperationalError):
            trip.arrive()
    assert connection.broken
