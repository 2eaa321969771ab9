"""A service never signs from a database that is older than, or other than, what it has signed.

Each case is a way in which restored backups and damaged disks look. The message must tell what was
found and how to recover; an operator reads it at night.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bol_service import bootstrap
from bol_service.application.startup import RollbackSuspected
from bol_service.storage.engine import open_engine
from tests import many_bills
from tests.desk import Desk
from tests.many_bills import HOLDER
from tests.service_process import Service, beside, new_service
from tests.superuser import acting, every_row
from tests.warm_service import launcher

EDGE = "level = (SELECT max(level) FROM nodes)"  # a node on which the root rests directly
SIDE_FILES = ("-wal", "-shm")


class House:
    """A stopped platform with two issued bills, and what an administrator does to its files."""

    def __init__(self, folder: Path) -> None:
        self.service: Service = new_service(folder)
        self.desk: Desk = self.service.desk
        self.bills: list[str] = []
        self.service.fill(lambda run: self.bills.extend(many_bills.made(run, self.desk, 2)))

    @property
    def database(self) -> Path:
        return self.service.folder / "ledger.db"

    @property
    def checkpoint(self) -> Path:
        return self.service.settings.state_dir / "checkpoint"

    def transfer(self, number: int) -> None:
        """Record one more event, as a service that starts and stops."""

        def record(running: bootstrap.Running) -> None:
            compact = self.desk.transfer(self.bills[number], HOLDER, "bankcq")
            self.desk.note(running.services.recorder.submit(compact).receipt)

        self.service.fill(record)

    def start_and_stop(self) -> None:
        self.service.fill(lambda _: None)

    def change(self, *statements: str) -> None:
        """Change rows as an administrator who first drops the triggers."""
        with closing(sqlite3.connect(self.database)) as connection:
            triggers = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type='trigger'"
            )
            made = list(triggers)
            for name, _ in made:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
            for _, sql in made:
                connection.execute(sql)
            connection.commit()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("house"))


@pytest.fixture
def house(template: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The same house for every test: its files are put back afterwards."""
    kept = tmp_path_factory.mktemp("kept")
    shutil.copytree(template.service.folder, kept / "copy")
    heads = dict(template.desk.heads)
    yield template
    shutil.rmtree(template.service.folder)
    shutil.copytree(kept / "copy", template.service.folder)
    template.desk.heads.clear()
    template.desk.heads.update(heads)


def test_a_backup_that_is_put_back_is_refused_and_told_how_to_recover(house: House) -> None:
    backup = house.database.read_bytes()
    size = house.service.audit().entries
    house.transfer(0)
    house.transfer(1)
    for suffix in SIDE_FILES:
        house.database.with_name(f"ledger.db{suffix}").unlink(missing_ok=True)
    house.database.write_bytes(backup)
    with pytest.raises(RollbackSuspected) as refused:
        house.start_and_stop()
    words = str(refused.value)
    assert f"of size {size + 2}, the database has {size} entries" in words
    assert "Restore the newest backup" in words
    assert "docs/operations.md" in words
    assert house.service.audit().entries == size


def test_a_backup_taken_after_the_last_event_is_accepted(house: House) -> None:
    house.transfer(0)
    backup = house.database.read_bytes()
    house.database.write_bytes(backup)
    house.transfer(1)
    assert house.service.audit().problems == []


def test_a_missing_checkpoint_file_is_refused_and_told_how_to_recover(house: House) -> None:
    house.checkpoint.unlink()
    with pytest.raises(RollbackSuspected, match=r"is missing\. Put back the file.*witness"):
        house.start_and_stop()


def test_an_empty_log_needs_no_checkpoint_file(tmp_path: Path) -> None:
    new_service(tmp_path).fill(lambda _: None)


def test_an_empty_database_beside_an_old_checkpoint_is_refused(
    house: House, tmp_path: Path
) -> None:
    house.checkpoint.rename(tmp_path / "checkpoint")
    fresh = new_service(tmp_path / "fresh")
    shutil.copy(fresh.folder / "ledger.db", house.database)
    (tmp_path / "checkpoint").rename(house.checkpoint)
    with pytest.raises(RollbackSuspected, match="the database has 0 entries"):
        house.start_and_stop()


def test_the_checkpoint_of_another_log_is_refused(house: House, tmp_path: Path) -> None:
    other = House(tmp_path)
    shutil.copy(other.checkpoint, house.checkpoint)
    with pytest.raises(RollbackSuspected, match="the checkpoint file cannot be trusted"):
        house.start_and_stop()


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff not a note", b"demo.cq.example/ebl\n3\n"], ids=repr
)
def test_a_checkpoint_file_that_is_no_checkpoint_is_refused(house: House, content: bytes) -> None:
    house.checkpoint.write_bytes(content)
    with pytest.raises(RollbackSuspected, match="the checkpoint file cannot be trusted"):
        house.start_and_stop()


def test_an_older_checkpoint_of_this_log_is_accepted_and_brought_up_to_date(house: House) -> None:
    older = house.checkpoint.read_bytes()
    house.transfer(0)
    newer = house.checkpoint.read_bytes()
    house.checkpoint.write_bytes(older)
    house.start_and_stop()
    assert house.checkpoint.read_bytes() == newer != older


def test_an_equal_checkpoint_is_left_alone(house: House) -> None:
    before = house.checkpoint.stat().st_mtime_ns
    house.start_and_stop()
    assert house.checkpoint.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        pytest.param(
            f"UPDATE nodes SET hash = substr(hash, 1, 31) WHERE {EDGE}",
            "the tree is damaged",
            id="a tree node is cut short",
        ),
        pytest.param(
            f"DELETE FROM nodes WHERE {EDGE}",
            "node .* is missing",
            id="a tree node is missing",
        ),
        pytest.param(
            f"UPDATE nodes SET hash = randomblob(32) WHERE {EDGE}",
            "rows were changed, or it was put back to an earlier day",
            id="a tree node is another",
        ),
        pytest.param(
            "UPDATE log SET note = (SELECT note FROM checkpoints WHERE size = 5)",
            "its own checkpoint covers",
            id="the head bears an older note",
        ),
        pytest.param(
            "UPDATE log SET note = replace(note, 'demo.cq', 'demo.xx')",
            "the database's own checkpoint cannot be trusted",
            id="the head's note is forged",
        ),
        pytest.param(
            "UPDATE log SET frontier = zeroblob(7)",
            "the log's head cannot be read",
            id="the head's frontier is damaged",
        ),
    ],
)
def test_a_damaged_tree_is_refused_when(house: House, statement: str, words: str) -> None:
    house.change(statement)
    with pytest.raises(RollbackSuspected, match=words):
        house.start_and_stop()


def test_a_refused_start_signs_nothing_and_frees_the_database(house: House) -> None:
    note = house.checkpoint.read_bytes()
    house.checkpoint.unlink()
    with pytest.raises(RollbackSuspected):
        house.start_and_stop()
    assert not house.checkpoint.exists()
    house.checkpoint.write_bytes(note)
    house.transfer(0)
    assert house.service.audit().problems == []


def test_a_refused_server_process_ends_with_4_and_says_why(house: House) -> None:
    house.checkpoint.unlink()
    process = house.service.launch()
    assert process.wait(60) == 4
    assert "the log has" in house.service.written
    assert "Traceback" not in house.service.written


# -- a database of its own server ----------------------------------------------------------------


def refused_start(service: Service) -> str:
    """What the server process says before it ends."""
    assert service.launch().wait(60) == 4
    service.process = None
    assert "Traceback" not in service.written
    return service.written


def test_a_server_on_postgresql_refuses_a_restored_backup_and_a_fork_made_with_its_own_key(
    tmp_path: Path, postgres_url: str
) -> None:
    with launcher() as warm:
        service = new_service(tmp_path, database_url=postgres_url, launcher=warm)
        desk, bills = service.desk, list[str]()
        service.fill(lambda run: bills.extend(many_bills.made(run, desk, 1)))
        engine = open_engine(postgres_url)
        backup, thief = every_row(engine), beside(service, "thief")
        size = len(backup["entries"])
        transfer(service, desk.transfer(bills[0], HOLDER, "bankcq"))

        with acting(postgres_url) as user:
            user.put_all(backup)
            user.restore_triggers()
        words = refused_start(service)
        assert f"of size {size + 1}, the database has {size} entries" in words
        assert "Restore the newest backup" in words

        # Elsewhere, with the same key and the checkpoint file of that day, it goes on.
        transfer(thief, desk.transfer(bills[0], HOLDER, "straits"))
        assert service.audit().problems == []
        words = refused_start(service)
        assert "the checkpoint file has root" in words
        assert f"at size {size + 1}, the database's rows make" in words
        assert "run: bol ledger check --checkpoint FILE" in words
        engine.dispose()


def transfer(service: Service, compact: str) -> None:
    service.fill(lambda running: running.services.recorder.submit(compact))
