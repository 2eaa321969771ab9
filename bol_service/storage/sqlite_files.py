"""Copying SQLite databases so that a copy is whole or not there.

1. A copy is one moment of the database, taken by SQLite's own backup while others read and write.
2. It comes to be under another name (`.part`), readable by its owner alone, is checked by SQLite
   and flushed to disk, and gets its name last.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

BESIDE = ("", "-wal", "-shm")  # a database and the files that SQLite keeps with it


class CopyError(RuntimeError):
    """A file is no sound database, or cannot be copied; it is named."""


def copy_part(source: Path, target: Path) -> Path:
    """The copy of `source` as `target`'s part, one file; raises CopyError."""
    part = target.with_name(f"{target.name}.part")
    remove(part)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(_read_only(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new)
            (verdict,) = new.execute("PRAGMA integrity_check(1)").fetchone()
    except (OSError, sqlite3.Error) as error:
        remove(part)
        raise CopyError(f"{source} cannot be copied to {part}: {error}") from None
    if verdict != "ok":
        remove(part)
        raise CopyError(f"{source} is damaged: {verdict}")
    return part


def remove(database: Path) -> None:
    for end in BESIDE:
        Path(f"{database}{end}").unlink(missing_ok=True)


def give_name(part: Path, target: Path) -> None:
    """Durable when it returns; raises FileExistsError rather than replace a file."""
    with closing(sqlite3.connect(part)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # so that it is one file
    _flush(part)
    os.link(part, target)
    part.unlink()
    _flush(target.parent)


def set_aside(database: Path, mark: str) -> Path:
    """Rename a database and what lies with it; returns its new name. Raises FileExistsError."""
    aside = database.with_name(f"{database.name}.{mark}")
    if aside.exists():
        raise FileExistsError(f"{aside} is there already")
    for end in reversed(BESIDE):
        old = Path(f"{database}{end}")
        if old.exists():
            old.rename(f"{aside}{end}")
    _flush(database.parent)
    return aside


def origin_and_size(database: Path) -> tuple[str, int] | None:
    """Of the log in a database; None if it cannot be read."""
    try:
        with closing(_read_only(database)) as connection:
            row = connection.execute("SELECT origin, size FROM log").fetchone()
    except sqlite3.Error:
        return None
    return (str(row[0]), int(row[1])) if row else None


def _read_only(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
