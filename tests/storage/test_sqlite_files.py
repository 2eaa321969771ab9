"""A copy of a SQLite file is whole or not there, and no file is ever replaced."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bol_service.storage import sqlite_files
from bol_service.storage.sqlite_files import CopyError


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "ledger.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE log (origin, size)")
        connection.execute("INSERT INTO log VALUES ('a.b/c', 7)")
        connection.commit()
    return file


def test_what_is_written_meanwhile_is_in_the_copy_or_not_but_never_half(
    database: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(database)) as writer:
        writer.execute("UPDATE log SET size = 8")  # not committed
        part = sqlite_files.copy_part(database, tmp_path / "copy.db")
    sqlite_files.give_name(part, tmp_path / "copy.db")
    assert sqlite_files.origin_and_size(tmp_path / "copy.db") == ("a.b/c", 7)


def test_a_copy_is_one_file_under_its_own_name(database: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    part = sqlite_files.copy_part(database, target)
    assert (part.name, target.exists()) == ("copy.db.part", False)
    sqlite_files.give_name(part, target)
    assert {file.name for file in tmp_path.glob("copy*")} == {"copy.db"}


def test_a_part_that_was_left_by_a_crash_is_written_anew(database: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.db.part").write_bytes(b"half")
    (tmp_path / "copy.db.part-wal").write_bytes(b"half")
    part = sqlite_files.copy_part(database, tmp_path / "copy.db")
    assert sqlite_files.origin_and_size(part) == ("a.b/c", 7)


def test_a_file_that_came_meanwhile_is_not_replaced(database: Path, tmp_path: Path) -> None:
    part = sqlite_files.copy_part(database, tmp_path / "copy.db")
    (tmp_path / "copy.db").write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        sqlite_files.give_name(part, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_bytes() == b"kept"


def test_what_is_set_aside_never_replaces_a_file(database: Path, tmp_path: Path) -> None:
    (tmp_path / "ledger.db.old").write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        sqlite_files.set_aside(database, "old")
    assert database.exists()


def test_what_lies_with_a_database_is_set_aside_with_it(database: Path, tmp_path: Path) -> None:
    (tmp_path / "ledger.db-wal").write_bytes(b"wal")
    aside = sqlite_files.set_aside(database, "old")
    assert aside == tmp_path / "ledger.db.old"
    assert (tmp_path / "ledger.db.old-wal").read_bytes() == b"wal"
    assert not list(tmp_path.glob("ledger.db-*"))


@pytest.mark.parametrize("content", [b"", b"no database" * 100])
def test_what_is_no_database_is_not_copied(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    assert sqlite_files.origin_and_size(file) is None
    if content:
        with pytest.raises(CopyError, match="cannot be copied"):
            sqlite_files.copy_part(file, tmp_path / "copy.db")
        assert {found.name for found in tmp_path.iterdir()} == {"file"}


def test_a_copy_is_its_owners_alone(database: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    sqlite_files.give_name(sqlite_files.copy_part(database, target), target)
    assert target.stat().st_mode & 0o777 == 0o600
