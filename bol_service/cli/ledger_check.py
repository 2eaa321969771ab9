"""`bol ledger check`: the audit of a whole database, with nothing but the log's public key.

1. It reads only, unless `--rebuild` finds nothing but caches wrong; then it writes these anew, with
   the writer's lock on SQLite, so never beside a running service.
2. `--since FILE` goes on from an earlier audit, or from one that was interrupted, and says what was
   therefore not looked at again (`application.audit`).
3. The first finding is told with what it means and what to do.

An audit from inside cannot see that the whole database was put back to an earlier day; a checkpoint
that somebody else kept (`--checkpoint`) shows that too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bol_service.cli import parameters
from bol_service.cli.ledger_head import (
    Head,
    log_key_options,
    log_keys,
    read_head,
    witness_key_option,
    witness_keys,
)
from bol_service.cli.output import (
    ExitCode,
    NotSetUp,
    Stopped,
    facts,
    is_interactive,
    json_option,
    say,
    show,
    wants_json,
)
from bol_service.ledger.merkle import ProofError, verify_consistency
from bol_service.ledger.note import VerifierKey

if TYPE_CHECKING:
    from bol_service.application.audit_findings import AuditReport
    from bol_service.application.ports import Store
    from bol_service.storage.store import SqlStore

Json = dict[str, Any]
Progress = Callable[[int, int], None]

_LOST = {
    "kind": "head",
    "means": "The log is not the one whose checkpoint was kept: it was put back to an earlier day, "
    "or another history was signed.",
    "do": "Do not let this database sign. Keep it and the checkpoint, and restore a newer backup "
    "or the standby (docs/operations.md, Restore).",
}
_LOOSE = {
    "kind": "guards",
    "means": "What keeps the log's rows from being changed was taken away or changed. That alone "
    "changed no row, and this audit found none; without --checkpoint it could not see a log that "
    "was written anew as a whole.",
    "do": "Find out who did it. Audit with --checkpoint and a checkpoint that a witness or a party "
    "kept; only then, as owner of the tables: bol db restore-triggers.",
}


@click.command()
@click.option(
    "--checkpoint",
    "kept",
    type=parameters.file_bytes,
    metavar="FILE",
    help="Also hold the log to a checkpoint that somebody else kept.",
)
@click.option(
    "--since",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Go on from the audit that FILE remembers, and remember this one there.",
)
@click.option("--rebuild", is_flag=True, help="Write the caches anew if the log is sound.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Processes that verify signatures.  [default: one per core]",
)
@log_key_options
@witness_key_option
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    kept: bytes | None,
    since: Path | None,
    rebuild: bool,
    jobs: int | None,
    trust_file: bytes | None,
    vkeys: tuple[VerifierKey, ...],
    witness_vkeys: tuple[VerifierKey, ...],
) -> None:
    """Audit the whole database.

    Checks signatures, law, tree, checkpoints, cosignatures and caches. Reads BOL_ORIGIN,
    BOL_DATABASE_URL and BOL_WITNESSES; changes nothing but, with --rebuild, caches that are wrong.
    """
    keys = log_keys(trust_file, vkeys)
    if not keys:
        raise NotSetUp(
            "nothing says which key is the log's",
            "Give --log-vkey or --trust, or set BOL_LOG_VKEY.",
        )
    from bol_service.settings import database_only, witnesses_only
    from bol_service.storage.checkpoint_file import note_in

    origin, url = database_only(os.environ)
    witnesses = witness_keys(trust_file, witness_vkeys, witnesses_only(os.environ))
    with opened_store(origin, url, alone=rebuild, guarded=rebuild) as store:
        loose = _unguarded(store)
        report = _audited(store, keys, witnesses, since, rebuild, jobs or os.cpu_count() or 1)
        against = _against(store, read_head(note_in(kept), keys)) if kept is not None else []
    value = _value(origin, report, against, loose)
    show(value, lambda: _tell(value))
    is_sound = not against and not loose and report.is_sound
    ctx.exit(ExitCode.DONE if is_sound else ExitCode.REFUSED)


@contextmanager
def opened_store(origin: str, url: str, *, alone: bool, guarded: bool = True) -> Iterator[SqlStore]:
    """The database of this log, at the schema of this version, and if `guarded` with its triggers.

    `alone`: on SQLite no other process may write meanwhile; raises DatabaseBusy if one does.
    """
    from bol_service.storage.engine import WriterLock, is_sqlite, open_engine
    from bol_service.storage.schema import require_current
    from bol_service.storage.store import SqlStore

    with ExitStack() as stack:
        engine = open_engine(url)
        stack.callback(engine.dispose)
        store = SqlStore(engine)
        store.require_origin(origin)
        if guarded:
            require_current(engine)
        if alone and is_sqlite(engine):
            lock = WriterLock(url)
            lock.acquire()
            stack.callback(lock.release)
        yield store


def _audited(
    store: SqlStore,
    keys: Sequence[VerifierKey],
    witnesses: Sequence[VerifierKey],
    since: Path | None,
    rebuild: bool,
    jobs: int,
) -> AuditReport:
    from bol_service.application.audit import audit
    from bol_service.application.audit_caches import Changed
    from bol_service.application.audit_ports import BookError
    from bol_service.storage.audit_beside import opened_beside

    try:
        with progress_bar() as progress:
            return audit(
                store,
                keys,
                progress,
                jobs=jobs,
                since=since,
                rebuild=rebuild,
                witnesses=witnesses,
                beside=opened_beside(store),
            )
    except BookError as error:
        raise NotSetUp(str(error), "Give --since the file of an audit of this log.") from None
    except Changed as error:
        raise Stopped(
            "The caches were not rebuilt", str(error), "Stop the service first.", "log_moved"
        ) from None
    except KeyboardInterrupt:
        remedy = (
            f"Run it again with --since {since}; it goes on where it was."
            if since is not None
            else "With --since FILE an audit can be interrupted and go on."
        )
        raise Stopped("Interrupted", "the audit did not end", remedy, "interrupted") from None


def _against(store: Store, head: Head) -> list[str]:
    """What is wrong between the database and a checkpoint from outside."""
    from bol_service.application.ledger_queries import LedgerQueries, NotInLog

    kept = head.checkpoint
    try:
        size, path = LedgerQueries(store).consistency(kept.size, None)
    except NotInLog as error:
        return [f"the kept checkpoint is of size {kept.size}: {error}; entries are lost"]
    with store.reading() as reading:
        root = reading.log().frontier.root()
    try:
        verify_consistency(kept.size, size, path, kept.root, root)
    except ProofError as error:
        return [f"the log is not what it was at size {kept.size}: {error}"]
    return []


def _unguarded(store: SqlStore) -> list[str]:
    from bol_service.storage.schema import unguarded

    faults = unguarded(store.engine)
    return [f"append-only triggers are not in place: {', '.join(faults)}"] if faults else []


def _value(origin: str, report: AuditReport, against: list[str], loose: list[str]) -> Json:
    from bol_service.application.audit_findings import MEANINGS

    value: Json = {
        "origin": origin,
        "entries": report.entries,
        "root": report.root.hex(),
        "since": report.since,
        "problems": [*report.problems, *against, *loose],
        "unshown": report.unshown,
        "cosignatures": report.cosignatures,
        "unverifiedCosignatures": report.unverified_cosignatures,
        "rebuilt": report.rebuilt,
    }
    if report.since:
        value["sinceAt"] = report.since_at
    if report.findings:
        first = report.findings[0]
        meaning = MEANINGS[first.kind]
        value["first"] = {
            "kind": first.kind,
            "entry": first.index,
            "means": meaning.means,
            "do": meaning.do,
        }
    elif against:
        value["first"] = {**_LOST, "entry": None}
    elif loose:
        value["first"] = {**_LOOSE, "entry": None}
    return value


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on stderr where a person watches."""
    if wants_json() or not is_interactive():
        yield lambda _done, _all: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("entries"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("audit", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _tell(value: Json) -> None:
    facts([("origin", value["origin"]), ("entries", value["entries"]), ("root", value["root"])])
    if value["since"]:
        say(
            f"entries 0 to {value['since'] - 1} were audited before, the last at "
            f"{value['sinceAt']}. That their rows are the same was checked now; their signatures, "
            "law, documents and checkpoints were not looked at again"
        )
    if value["unverifiedCosignatures"]:
        say(
            f"{value['unverifiedCosignatures']} of {value['cosignatures']} cosignatures were not "
            "verified; give the witnesses' keys with --trust, --witness-vkey or BOL_WITNESSES"
        )
    for problem in value["problems"]:
        say(f"✗ {problem}")
    if value["unshown"]:
        say(f"✗ … and {value['unshown']} more")
    if "first" in value:
        say(f"  The first: {value['first']['means']}")
    if value["rebuilt"]:
        say("✓ the caches were written anew from the entries, which are sound; check once more")
    elif "first" in value:
        say(f"→ {value['first']['do']}")
    else:
        say("✓ the ledger is sound: every signature, rule, tree node and checkpoint holds")
