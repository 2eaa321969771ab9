"""A connection that died is replaced before it is used, without a question where none is needed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from bol_service.application.ports import Unavailable
from bol_service.storage import engine as engines
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore

PID = text("SELECT pg_backend_pid()")


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    engine = open_engine(postgres_url)
    yield engine
    engine.dispose()


def used(engine: Engine) -> int:
    """Use a connection and give it back; the number of its back end."""
    with engine.connect() as connection:
        pid: int = connection.execute(PID).scalar_one()
    return pid


def cut(engine: Engine, pid: int) -> None:
    """End the back end, as its administrator does."""
    other = open_engine(engine.url.render_as_string(hide_password=False))
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    other.dispose()


def used_and_cut(engine: Engine) -> int:
    pid = used(engine)
    cut(engine, pid)
    return pid


def test_a_rested_connection_that_died_is_replaced_before_anybody_notices(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "RESTED_SECONDS", 0.0)
    gone = used_and_cut(engine)
    with engine.connect() as connection:
        assert connection.execute(PID).scalar_one() != gone


def test_one_that_died_right_after_its_use_is_seen_by_its_socket(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "RESTED_SECONDS", 60.0)
    gone = used_and_cut(engine)
    with engine.connect() as connection:
        assert connection.execute(PID).scalar_one() != gone


def test_one_that_was_closed_on_our_side_is_replaced_too(engine: Engine) -> None:
    with engine.connect() as connection:
        gone = connection.execute(PID).scalar_one()
        driver = connection.connection.driver_connection
    assert driver is not None
    driver.close()
    with engine.connect() as connection:
        assert connection.execute(PID).scalar_one() != gone


def test_one_used_just_now_is_asked_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "RESTED_SECONDS", 60.0)
    asked: list[object] = []
    monkeypatch.setattr(engine.dialect, "do_ping", asked.append)
    for _ in range(3):
        with engine.connect() as connection:
            connection.execute(PID)
    assert asked == []


def test_one_that_dies_in_the_middle_of_a_reading_is_told_in_our_words(engine: Engine) -> None:
    store, dying = SqlStore(engine), used(engine)

    def read() -> None:
        with store.reading() as reading:
            cut(engine, dying)
            reading.states(["party:xlsc"])

    with pytest.raises(Unavailable, match="the database does not answer"):
        read()
    with engine.connect() as connection:
        assert connection.execute(PID).scalar_one() != dying
