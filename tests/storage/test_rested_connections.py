"""A connection that died is replaced before it is used, without a question where none is needed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text

from bol_service.application.ports import Expected, Unavailable
from bol_service.storage import engine as engines
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from tests.fresh_database import migrate

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


def written(store: SqlStore) -> int:
    """Write nothing; the number of the back end that would have."""
    with store.writing() as writing:
        pid: int = writing._connection.execute(PID).scalar_one()
    return pid


@pytest.fixture
def store(engine: Engine) -> SqlStore:
    migrate(engine)
    store = SqlStore(engine)
    store.create_log("demo.cq.example/ebl")
    return store


def test_the_next_group_is_written_on_the_same_connection(store: SqlStore) -> None:
    assert written(store) == written(store)


@pytest.mark.parametrize("rested", [0.0, 60.0], ids=["asked", "seen by its socket"])
def test_a_kept_connection_that_died_is_replaced_before_a_group_is_lost(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, rested: float
) -> None:
    monkeypatch.setattr(engines, "RESTED_SECONDS", rested)
    gone = written(store)
    cut(store.engine, gone)
    assert written(store) != gone


def test_a_group_that_failed_leaves_its_connection_to_nobody(store: SqlStore) -> None:
    gone = written(store)
    with pytest.raises(ZeroDivisionError), store.writing():
        raise ZeroDivisionError
    assert written(store) != gone


def test_two_who_write_at_once_have_a_connection_each(store: SqlStore) -> None:
    written(store)
    ahead = Expected(streams=frozenset({"party:xlsc"}))
    with store.writing() as one, store.writing(ahead) as other:
        assert one._connection.execute(PID).scalar_one() != (
            other._connection.execute(PID).scalar_one()
        )
        assert (one.locked, other.locked) == (True, False)


def test_who_expects_nothing_waits_for_the_lock(store: SqlStore) -> None:
    """As a rebuild of the caches beside a service: what it writes hangs on all of the log."""
    waiting = text(
        "SELECT count(*), pg_sleep(0.01) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    )
    each_for_itself = store.engine.execution_options(isolation_level="AUTOCOMMIT")

    def second() -> bool:
        with store.writing() as writing:
            return writing.locked

    with ThreadPoolExecutor(1) as pool, each_for_itself.connect() as watch:
        with store.writing():
            asked = pool.submit(second)
            while not asked.done() and watch.execute(waiting).scalar_one() == 0:
                pass
            assert not asked.done()
        assert asked.result(60)


def test_what_was_kept_ends_with_its_engine(store: SqlStore) -> None:
    gone = written(store)
    store.engine.dispose()
    left = text("SELECT count(*), pg_sleep(0.05) FROM pg_stat_activity WHERE pid = :pid")
    each_for_itself = store.engine.execution_options(isolation_level="AUTOCOMMIT")
    with each_for_itself.connect() as connection:
        for _ in range(400):  # its back end may be some moments at its end
            if connection.execute(left, {"pid": gone}).scalar_one() == 0:
                return
    raise AssertionError(f"back end {gone} is there for nobody")


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
