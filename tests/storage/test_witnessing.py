"""What a witness keeps: replaced atomically, never turned back, on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from bol_service.application.ports import Unavailable
from bol_service.application.witness_ports import Cosignature, Dispute, Witnessed
from bol_service.storage import witnessing
from bol_service.storage.engine import open_engine
from bol_service.storage.reading import SqlReading
from bol_service.storage.store import SqlStore
from bol_service.storage.witnessing import SqlWitnessing
from tests.fresh_database import migrate

ORIGIN = "demo.other.example/ebl"


@pytest.fixture
def engine(database_url: str) -> Engine:
    found = open_engine(database_url)
    migrate(found)
    return found


def of_size(size: int, root: bytes = b"r") -> Witnessed:
    return Witnessed(origin=ORIGIN, size=size, root=root * 32, note=f"note of {size}")


def test_a_checkpoint_is_replaced_by_the_next(engine: Engine) -> None:
    book = SqlWitnessing(SqlStore(engine))
    assert book.witnessed(ORIGIN) is None

    assert book.advance(ORIGIN, lambda kept: of_size(3) if kept is None else kept) == of_size(3)
    book.advance(ORIGIN, lambda kept: of_size(kept.size + 1 if kept else 0))

    assert book.witnessed(ORIGIN) == of_size(4)


def dispute(size: int, *, is_fork: bool = False) -> Dispute:
    return Dispute(
        origin=ORIGIN,
        size=size,
        root=b"x" * 32,
        is_fork=is_fork,
        at=datetime(2027, 3, 5, tzinfo=UTC),
        kept=None,
        offered=f"note of {size}",
    )


def test_a_dispute_is_kept_once_and_the_first_one_stays(engine: Engine) -> None:
    book = SqlWitnessing(SqlStore(engine))
    for told in (dispute(3), replace(dispute(3), offered="later"), dispute(3, is_fork=True)):
        book.keep_dispute(told)

    assert sorted(book.disputes(), key=lambda each: each.is_fork) == [
        dispute(3),
        dispute(3, is_fork=True),
    ]
    assert book.count_disputes() == {(ORIGIN, False): 1, (ORIGIN, True): 1}


def test_strangers_cannot_fill_the_database_nor_hide_a_fork(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnessing, "MOST_DISPUTES", 3)
    book = SqlWitnessing(SqlStore(engine))
    for size in range(5):
        book.keep_dispute(dispute(size))
    book.keep_dispute(replace(dispute(9), origin="demo.third.example/ebl"))
    book.keep_dispute(dispute(9, is_fork=True))

    counts = {(ORIGIN, False): 3, (ORIGIN, True): 1, ("demo.third.example/ebl", False): 1}
    assert book.count_disputes() == counts


def test_what_a_decision_raises_leaves_everything_as_it_was(engine: Engine) -> None:
    book = SqlWitnessing(SqlStore(engine))
    book.advance(ORIGIN, lambda _: of_size(3))

    def refuse(kept: Witnessed | None) -> Witnessed:
        raise ValueError(f"no, {kept} stays")

    with pytest.raises(ValueError, match="stays"):
        book.advance(ORIGIN, refuse)
    assert book.witnessed(ORIGIN) == of_size(3)


def test_of_many_requests_at_once_each_sees_what_the_one_before_it_kept(engine: Engine) -> None:
    book, threads, seen = SqlWitnessing(SqlStore(engine)), 8, []

    def one_more(kept: Witnessed | None) -> Witnessed:
        seen.append(kept.size if kept else 0)
        return of_size(kept.size + 1 if kept else 1)

    workers = [
        threading.Thread(target=book.advance, args=(ORIGIN, one_more)) for _ in range(threads)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    kept = book.witnessed(ORIGIN)
    assert kept is not None
    assert kept.size == threads
    assert set(seen) == set(range(threads))


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE witnessed SET size = 2", id="a smaller size"),
        pytest.param("UPDATE witnessed SET root = frontier FROM log", id="another root"),
        pytest.param("UPDATE witnessed SET origin = 'x'", id="another origin"),
        pytest.param("DELETE FROM witnessed", id="forgetting it"),
        pytest.param("UPDATE cosignatures SET line = 'x'", id="another cosignature"),
        pytest.param("DELETE FROM cosignatures", id="forgetting a cosignature"),
    ],
)
def test_the_database_itself_refuses_to_turn_back(engine: Engine, statement: str) -> None:
    book = SqlWitnessing(SqlStore(engine))
    book.advance(ORIGIN, lambda _: of_size(3))
    _cosign(engine, 3)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO log (id, origin, size, frontier) VALUES (1, 'a', 0, :f)"),
            {"f": b"f"},
        )

    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text(statement))


def _cosign(engine: Engine, size: int, witness: str = "w+00000000") -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO checkpoints (size, note) SELECT :size, 'n' WHERE NOT EXISTS "
                "(SELECT 1 FROM checkpoints WHERE size = :size)"
            ),
            {"size": size},
        )
    line = f"{witness} signed {size}\n"
    SqlWitnessing(SqlStore(engine)).add_cosignature(
        Cosignature(size=size, witness=witness, line=line)
    )


def test_the_first_cosignature_of_a_witness_at_a_size_stays(engine: Engine) -> None:
    _cosign(engine, 3)
    other = Cosignature(size=3, witness="w+00000000", line="another line\n")
    SqlWitnessing(SqlStore(engine)).add_cosignature(other)

    with engine.begin() as connection:
        lines = [found.line for found in SqlReading(connection).cosignatures(3)]
    assert lines == ["w+00000000 signed 3\n"]


def test_cosignatures_are_found_by_size_and_by_witness(engine: Engine) -> None:
    for size, witness in ((3, "a+1"), (5, "a+1"), (5, "b+2"), (8, "b+2")):
        _cosign(engine, size, witness)

    with engine.begin() as connection:
        reading = SqlReading(connection)
        assert [found.size for found in reading.cosigned(4, 9, newest=True)] == [8, 5, 5]
        assert [found.size for found in reading.cosigned(4, 9, newest=False)] == [5, 5, 8]
        assert [found.size for found in reading.cosigned(0, 1, newest=True)] == [8]
        assert [reading.last_cosigned(name) for name in ("a+1", "b+2", "c+3")] == [5, 8, 0]


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all.db", "postgresql+psycopg://nobody@127.0.0.1:9/nothing"]
)
def test_a_witness_whose_database_is_away_says_so(url: str) -> None:
    """It answers 503 then, and not 500."""
    book = SqlWitnessing(SqlStore(open_engine(url)))
    with pytest.raises(Unavailable):
        book.witnessed(ORIGIN)
    with pytest.raises(Unavailable):
        book.advance(ORIGIN, lambda _: of_size(3))
    with pytest.raises(Unavailable):
        book.add_cosignature(Cosignature(size=1, witness="w", line="l"))
