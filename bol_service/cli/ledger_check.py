"""`bol ledger check`: the audit of a whole database, with nothing but the log's public key.

It reads only. An audit from inside cannot see that the whole database was put back to an earlier
day; a checkpoint that somebody else kept (`--checkpoint`) shows that too.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from bol_service.cli import parameters
from bol_service.cli.ledger_head import Head, log_key_options, log_keys, read_head
from bol_service.cli.output import ExitCode, NotSetUp, facts, is_interactive, json_option, say, show
from bol_service.ledger.merkle import ProofError, verify_consistency
from bol_service.ledger.note import VerifierKey

if TYPE_CHECKING:
    from bol_service.application.ports import Store

Json = dict[str, Any]


@click.command()
@click.option(
    "--checkpoint",
    "kept",
    type=parameters.file_bytes,
    metavar="FILE",
    help="Also hold the log to a checkpoint that somebody else kept.",
)
@log_key_options
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    kept: bytes | None,
    trust_file: bytes | None,
    vkeys: tuple[VerifierKey, ...],
) -> None:
    """Audit the whole database.

    Checks signatures, law, tree, checkpoints and caches. Reads BOL_ORIGIN and BOL_DATABASE_URL;
    changes nothing.
    """
    keys = log_keys(trust_file, vkeys)
    if not keys:
        raise NotSetUp(
            "nothing says which key is the log's",
            "Give --log-vkey or --trust, or set BOL_LOG_VKEY.",
        )
    from bol_service.application.audit import audit
    from bol_service.settings import database_only
    from bol_service.storage.engine import open_engine
    from bol_service.storage.schema import require_current
    from bol_service.storage.store import SqlStore

    origin, url = database_only(os.environ)
    engine = open_engine(url)
    store = SqlStore(engine)
    try:
        store.require_origin(origin)
        require_current(engine)
        report = audit(store, keys, progress=_progress)
        problems = list(report.problems)
        if kept is not None:
            problems += _against(store, read_head(kept.decode("utf-8", "replace"), keys))
    finally:
        engine.dispose()
    value = {
        "origin": origin,
        "entries": report.entries,
        "root": report.root.hex(),
        "problems": problems,
    }
    show(value, lambda: _tell(value))
    ctx.exit(ExitCode.REFUSED if problems else ExitCode.DONE)


def _against(store: Store, head: Head) -> list[str]:
    """What is wrong between the database and a checkpoint from outside."""
    from bol_service.application.ledger_queries import LedgerQueries
    from bol_service.domain.errors import NotFound

    kept = head.checkpoint
    try:
        size, path = LedgerQueries(store).consistency(kept.size, None)
    except NotFound as error:
        return [f"the kept checkpoint is of size {kept.size}: {error.message}; entries are lost"]
    with store.reading() as reading:
        root = reading.log().frontier.root()
    try:
        verify_consistency(kept.size, size, path, kept.root, root)
    except ProofError as error:
        return [f"the log is not what it was at size {kept.size}: {error}"]
    return []


def _progress(done: int, total: int) -> None:
    if is_interactive():
        click.echo(f"\r{done} of {total} entries", nl=done >= total, file=sys.stderr)


def _tell(value: Json) -> None:
    facts([("origin", value["origin"]), ("entries", value["entries"]), ("root", value["root"])])
    for problem in value["problems"]:
        say(f"✗ {problem}")
    if value["problems"]:
        say("→ Stop the service, keep the database as it is, and see docs/operations.md.")
    else:
        say("✓ the ledger is sound: every signature, rule, tree node and checkpoint holds")
