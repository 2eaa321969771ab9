"""What was acknowledged is there after any death of a process, once; what was in doubt, resent.

The server's whole process group is killed with SIGKILL while eight clients transfer bills; on
PostgreSQL also every process of the database, alone or together with the server. Then what died
starts again and every client sends its unanswered event again. Process death keeps the operating
system's memory: this says nothing about a power cut, which is what fsync and SQLite's synchronous
mode are for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bol_service.application.ledger_queries import LedgerQueries
from bol_service.application.sequencer import Uncertain
from bol_service.domain import errors
from bol_service.ledger import receipt as receipts
from tests.carters import Death, Yard, opened_yard
from tests.many_bills import HOLDER
from tests.mortal_postgres import MortalPostgres, mortal_postgres
from tests.paired_postgres import paired_postgres
from tests.recording import WritePath, write_path


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(10, id="10 times"),
        pytest.param(200, id="200 times", marks=pytest.mark.torture),
    ],
)
def test_a_server_on_sqlite_killed_under_load_loses_and_doubles_nothing(
    tmp_path: Path, kills: int
) -> None:
    with opened_yard(tmp_path, seed=kills) as yard:
        yard.play([yard.service_death()], kills)


def deaths_on(postgres: MortalPostgres, yard: Yard) -> list[Death]:
    """The server twice, the database under it, and both."""

    def kill_both() -> None:
        postgres.die()
        yard.service.kill()

    return [
        yard.service_death(),
        yard.service_death(),
        Death(name="PostgreSQL", kill=postgres.die, restore=postgres.rise),
        Death(name="both", kill=kill_both, restore=postgres.rise),
    ]


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(10, id="10 times"),
        pytest.param(100, id="100 times", marks=pytest.mark.torture),
    ],
)
def test_server_and_postgresql_killed_under_load_lose_and_double_nothing(
    tmp_path: Path, kills: int
) -> None:
    with (
        mortal_postgres() as postgres,
        opened_yard(tmp_path, seed=kills, database_url=postgres.url) as yard,
    ):
        yard.play(deaths_on(postgres, yard), kills)
        assert "automatic recovery in progress" in postgres.log


def test_a_primary_killed_under_load_loses_nothing_and_its_standby_is_found(
    tmp_path: Path,
) -> None:
    """The small sibling of the cluster under Patroni (`test_high_availability`). Every client is in
    doubt when the primary dies, and is answered by the same service on the standby."""
    with (
        paired_postgres() as postgres,
        opened_yard(tmp_path, seed=1, database_url=postgres.url) as yard,
    ):
        server = yard.service.process
        primary = Death(name="primary", kill=postgres.primary.die, restore=postgres.promote)
        yard.play([primary], 1)
        assert all(carter.uncertain for carter in yard.carters)
        assert yard.service.process is server, "it went with the primary"


# -- N28: between commit and answer --------------------------------------------------------------


@pytest.fixture
def path(database_url: str) -> Iterator[WritePath]:
    with write_path(database_url) as opened:
        yield opened


def size(path: WritePath) -> int:
    return LedgerQueries(path.store).size()


def lost_answer(path: WritePath) -> tuple[str, str]:
    """An event that was committed, but whose sender heard nothing; and the bill."""
    bill = path.maker.issue(1)[0]
    compact = path.desk.transfer(bill, HOLDER, "bankcq")
    before = size(path)
    path.checkpoint_file.faults = 1
    with pytest.raises(Uncertain):
        path.recorder.submit(compact)
    assert size(path) == before + 1
    return compact, bill


def test_n28_a_crash_between_commit_and_answer_gives_the_same_event_after_a_restart(
    path: WritePath,
) -> None:
    compact, _ = lost_answer(path)
    path.restart()
    before = size(path)
    answer = path.recorder.submit(compact)
    assert answer.resend
    assert answer.receipt.entry.event == compact
    assert size(path) == before
    receipts.verify(answer.receipt, [path.log_key])


def test_n28_a_restart_after_it_brings_the_checkpoint_file_up_before_any_receipt_is_given(
    path: WritePath,
) -> None:
    compact, _ = lost_answer(path)
    behind = path.checkpoint_file.note
    path.restart()
    assert path.checkpoint_file.note != behind
    assert path.checkpoint_file.note == path.recorder.submit(compact).receipt.checkpoint


def test_n28_the_same_process_gives_no_receipt_until_its_checkpoint_is_in_the_file(
    path: WritePath,
) -> None:
    compact, _ = lost_answer(path)
    path.checkpoint_file.faults = 2
    for _ in range(2):
        with pytest.raises(Uncertain):
            path.recorder.submit(compact)
    answer = path.recorder.submit(compact)
    assert answer.resend
    assert path.checkpoint_file.note == answer.receipt.checkpoint
    assert path.audit().problems == []


def test_n28_another_event_on_the_same_head_loses_against_the_one_in_doubt(
    path: WritePath,
) -> None:
    _, bill = lost_answer(path)
    with pytest.raises(errors.StaleHead):
        path.recorder.submit(path.desk.transfer(bill, HOLDER, "straits"))
