"""One process writes to a SQLite file: the lock is the operating system's, and says so clearly.

Locks of one process do not tell about two, so the rival is a real process here.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bol_service import bootstrap
from bol_service.storage.checkpoint_file import FolderLock
from bol_service.storage.engine import WriterLock
from bol_service.storage.held_file import DatabaseBusy
from tests import kit

RIVAL = """
import sys
from bol_service.storage.engine import WriterLock
from bol_service.storage.held_file import DatabaseBusy
lock = WriterLock(sys.argv[1])
try:
    lock.acquire()
except DatabaseBusy as busy:
    sys.exit(str(busy))
print("acquired", flush=True)
sys.stdin.read()
"""


def rival(url: str) -> subprocess.Popen[str]:
    """Another process that takes the lock, and holds it until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", RIVAL, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def test_a_second_process_is_refused_and_told_which_file_and_what_to_do(url: str) -> None:
    lock = WriterLock(url)
    lock.acquire()
    with rival(url) as process:
        _, words = process.communicate(timeout=60)
    lock.release()
    assert process.returncode == 1
    assert "another process writes to this database" in words
    assert "ledger.db.lock" in words
    assert "use PostgreSQL for several processes" in words


def test_a_process_that_dies_lets_go_of_the_lock(url: str) -> None:
    lock = WriterLock(url)
    with rival(url) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "acquired\n"
        with pytest.raises(DatabaseBusy):
            lock.acquire()
        process.kill()
        process.wait()
    lock.acquire()
    lock.release()


def test_a_released_lock_can_be_taken_again(url: str) -> None:
    lock = WriterLock(url)
    for _ in range(2):
        lock.acquire()
        lock.release()
    lock.release()


def test_two_databases_have_two_locks(url: str, tmp_path: Path) -> None:
    first, second = WriterLock(url), WriterLock(f"sqlite:///{tmp_path / 'other.db'}")
    first.acquire()
    second.acquire()
    first.release()
    second.release()


@pytest.mark.parametrize("nowhere", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_has_no_lock(nowhere: str) -> None:
    with pytest.raises(ValueError, match="names no database file"):
        WriterLock(nowhere)


def test_a_folder_keeps_the_checkpoint_of_one_process(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    first, second = FolderLock(folder), FolderLock(folder)
    first.acquire()
    with pytest.raises(DatabaseBusy, match="BOL_STATE_DIR of its own") as busy:
        second.acquire()
    assert str(folder / "checkpoint.lock") in str(busy.value)
    first.release()
    second.acquire()
    second.release()


def test_two_services_on_postgresql_do_not_share_a_folder(
    tmp_path: Path, postgres_url: str
) -> None:
    platform = kit.start(tmp_path, database_url=postgres_url)
    try:
        with pytest.raises(DatabaseBusy):
            bootstrap.start(platform.settings)
        other = replace(platform.settings, state_dir=tmp_path / "other")
        for _ in range(2):  # the folder is free again when a service has stopped
            bootstrap.start(other).stop()
    finally:
        platform.stop()
