"""`bol ledger backup` and `bol ledger restore`, for SQLite.

1. A backup is taken while the service runs. The copy is held to its own signed checkpoint before it
   gets its name; the checkpoint is printed, to be kept with it. Nothing is ever overwritten.
2. A restore never makes a log that would sign a second history: the backup must continue the
   checkpoint in BOL_STATE_DIR, and not be older than the database that is there. That one is set
   aside, not deleted. It takes the writer's lock, so never beside a running service.
3. PostgreSQL has tools of its own for both; they are named.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bol_service.cli.ledger_check import opened_store
from bol_service.cli.ledger_head import log_key_options, log_keys, read_head
from bol_service.cli.output import NotSetUp, Stopped, json_option, remark, say, show
from bol_service.ledger.note import VerifierKey

if TYPE_CHECKING:
    from bol_service.application.ports import LogState

Json = dict[str, Any]

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


class _Kept:
    """Implements `application.ports.CheckpointFile` for comparing alone."""

    def __init__(self, note: str | None) -> None:
        self._note = note

    def read(self) -> str | None:
        return self._note

    def replace(self, note: str) -> None:
        """The service brings its file up to the database when it starts."""


@click.command()
@_FILE
@log_key_options
@json_option
def backup(file: Path, trust_file: bytes | None, vkeys: tuple[VerifierKey, ...]) -> None:
    """Copy the SQLite database to FILE while the service runs.

    Prints the checkpoint of the copy: keep it with FILE. Reads BOL_ORIGIN and BOL_DATABASE_URL.
    """
    keys = _needed_keys(trust_file, vkeys)
    origin, database = _settings()
    if file.exists():
        raise Stopped(
            "The file is there already",
            f"{file} exists and is not overwritten",
            "Give another name for this backup.",
            "file_exists",
        )
    from bol_service.storage.sqlite_files import CopyError, copy_part, give_name, remove

    try:
        part = copy_part(database, file)
        try:
            log = _held_to_checkpoint(origin, part, keys, None)
            give_name(part, file)
        finally:
            remove(part)
    except (CopyError, OSError) as error:
        raise Stopped(
            "No backup was made", str(error), "Free the disk or give another place.", "no_backup"
        ) from None
    value = {"file": str(file), **_facts(log)}
    show(value, lambda: click.echo(log.note or "", nl=False))
    remark(f"✓ {file} holds {log.size} entries. Keep the checkpoint above with it.")


@click.command()
@_FILE
@log_key_options
@json_option
def restore(file: Path, trust_file: bytes | None, vkeys: tuple[VerifierKey, ...]) -> None:
    """Put the backup FILE in the place of the SQLite database.

    Refuses a backup that is older than what was signed. Reads BOL_ORIGIN, BOL_DATABASE_URL and
    BOL_STATE_DIR; the service must not be running.
    """
    keys = _needed_keys(trust_file, vkeys)
    origin, database = _settings()
    kept = _kept_checkpoint()
    from bol_service.storage.engine import WriterLock
    from bol_service.storage.sqlite_files import CopyError, copy_part, give_name, remove, set_aside

    lock = WriterLock(f"sqlite:///{database}")
    lock.acquire()
    try:
        part = copy_part(file, database)
        try:
            log = _held_to_checkpoint(origin, part, keys, None)
            _require_all_signed(log, kept, keys)
            _held_to_checkpoint(origin, part, keys, kept)
            _require_not_older(origin, log, database)
            aside = set_aside(database, _mark()) if database.exists() else None
            give_name(part, database)
        finally:
            remove(part)
    except (CopyError, OSError) as error:
        raise Stopped(
            "Nothing was restored", str(error), "Give another backup.", "no_restore"
        ) from None
    finally:
        lock.release()
    value = {
        "file": str(file),
        "database": str(database),
        "setAside": str(aside or ""),
        **_facts(log),
    }
    show(value, lambda: _tell(value))


def _tell(value: Json) -> None:
    say(f"✓ {value['database']} holds {value['entries']} entries, as {value['file']} does")
    if value["setAside"]:
        say(f"  the database that was there is now {value['setAside']}")
    say("→ Run bol ledger check before you start the service.")


# -- what both need ------------------------------------------------------------------------------


def _needed_keys(trust_file: bytes | None, vkeys: tuple[VerifierKey, ...]) -> Sequence[VerifierKey]:
    keys = log_keys(trust_file, vkeys)
    if not keys:
        raise NotSetUp(
            "nothing says which key is the log's",
            "Give --log-vkey or --trust, or set BOL_LOG_VKEY.",
        )
    return keys


def _settings() -> tuple[str, Path]:
    """Origin, and the file of the database; stops for a database that is none."""
    from sqlalchemy.engine import make_url

    from bol_service.settings import database_only

    origin, url = database_only(os.environ)
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise Stopped(
            "Not for this database",
            f"BOL_DATABASE_URL names {parsed.get_backend_name()}; this command copies SQLite files",
            "Use the database's own tools: pgBackRest or pg_basebackup with archived WAL, pg_dump "
            "for a copy to look at (docs/operations.md, Backup).",
            "not_sqlite",
        )
    if not parsed.database or parsed.database == ":memory:":
        raise NotSetUp(f"{url} names no file", "Set BOL_DATABASE_URL to sqlite:///PATH.")
    return origin, Path(parsed.database)


def _held_to_checkpoint(
    origin: str, database: Path, keys: Sequence[VerifierKey], kept: _Kept | None
) -> LogState:
    """The log of a copy, once its head, its own checkpoint and the kept one, if any, agree."""
    from bol_service.application.audit_tree import check_head
    from bol_service.application.startup import RollbackSuspected, require_continuity

    with opened_store(origin, f"sqlite:///{database}", alone=False) as store:
        try:
            with store.reading() as reading:
                log = reading.log()
                last = reading.entry(log.size - 1)
                recorded_at = last.entry.recorded_at if last else ""
                wrong = check_head(reading, log, log.frontier, recorded_at)
            if wrong:
                raise RollbackSuspected(wrong[0].text)
            require_continuity(store, kept or _Kept(log.note), keys)
        except (RollbackSuspected, ValueError) as error:
            raise Stopped(
                "The copy cannot be used",
                str(error),
                "Look for a newer backup; run bol ledger check on the database.",
                "bad_copy",
            ) from None
    return log


def _facts(log: LogState) -> Json:
    return {"entries": log.size, "root": log.frontier.root().hex(), "checkpoint": log.note}


# -- what a restore must not lose ----------------------------------------------------------------


def _kept_checkpoint() -> _Kept:
    folder = os.environ.get("BOL_STATE_DIR", "").strip()
    if not folder or not Path(folder).is_dir():
        raise NotSetUp(
            f"BOL_STATE_DIR is {folder or 'not set'}: the last checkpoint that was signed cannot "
            "be compared",
            "Set it to the folder of the checkpoint file, and see that its disk is mounted.",
        )
    from bol_service.storage.checkpoint_file import FileCheckpoint

    return _Kept(FileCheckpoint(Path(folder)).read())


def _require_all_signed(log: LogState, kept: _Kept, keys: Sequence[VerifierKey]) -> None:
    """Stops where the kept checkpoint covers entries that the backup has not."""
    note = kept.read()
    if note is None:
        return  # whether that is a fault is for `require_continuity`
    signed = read_head(note, keys).checkpoint.size
    if signed > log.size:
        raise Stopped(
            "The backup is older than what was signed",
            f"the backup has {log.size} entries, the checkpoint in BOL_STATE_DIR is of size "
            f"{signed}: entries {log.size} to {signed - 1} were acknowledged and would be lost",
            "Restore a newer backup or the standby. If there is none, see docs/operations.md, "
            "Restore: this log cannot go on.",
            "older_than_signed",
        )


def _require_not_older(origin: str, log: LogState, database: Path) -> None:
    """Stops where the database that would be set aside has more entries, or is another log."""
    from bol_service.storage.sqlite_files import origin_and_size

    present = origin_and_size(database) if database.exists() else None
    if present is None:
        return  # nothing there, or nothing that can be read
    if present[0] != origin or present[1] > log.size:
        raise Stopped(
            "The database that is there is not older",
            f"{database} is the log {present[0]} with {present[1]} entries; the backup is {origin} "
            f"with {log.size}",
            "Move it away yourself if it is damaged; run bol ledger check on it first.",
            "newer_database",
        )


def _mark() -> str:
    return f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
