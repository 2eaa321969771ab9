"""`bol ledger`: look after the log itself.

1. `checkpoint` and `proof` ask a platform over HTTP and check its answers here; what could not be
   checked, for want of a key or of something kept, is told as such and ends with exit code 3.
2. `check` audits the whole database (`application.audit`) with nothing but the log's public key.

The log's keys come from `--trust` (a platform's trust.json) or `--log-vkey`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from bol_service.cli import parameters
from bol_service.cli.context import Connection, public
from bol_service.cli.output import (
    ExitCode,
    F,
    NotSetUp,
    Stopped,
    facts,
    is_interactive,
    json_option,
    remark,
    say,
    show,
    visible,
)
from bol_service.ledger import receipt as receipts
from bol_service.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from bol_service.ledger.entry import leaf
from bol_service.ledger.merkle import ProofError, verify_consistency, verify_inclusion
from bol_service.ledger.note import NoteError, VerifierKey, from_base64, parse_note, parse_vkey
from bol_service.verification.trust import TrustError, read_trust

Json = dict[str, Any]


@click.group()
def ledger() -> None:
    """Check the log: checkpoint, proofs, audit. 账本"""


@ledger.group()
def proof() -> None:
    """Ask for a Merkle proof (RFC 6962) and check it."""


# -- the log's keys ------------------------------------------------------------------------------


def _vkey(text: str) -> VerifierKey:
    try:
        return parse_vkey(text)
    except NoteError as error:
        raise click.BadParameter(str(error)) from None


def _keys(command: F) -> F:
    command = click.option(
        "--trust",
        "trust_file",
        type=parameters.file_bytes,
        metavar="FILE",
        help="The platform's trust.json, for its log keys.",
    )(command)
    return click.option(
        "--log-vkey",
        "vkeys",
        multiple=True,
        envvar="BOL_LOG_VKEY",
        type=_vkey,
        metavar="VKEY",
        help="A verifier key line of the log (bol keys vkey). [BOL_LOG_VKEY]",
    )(command)


def _log_keys(trust_file: bytes | None, vkeys: tuple[VerifierKey, ...]) -> list[VerifierKey]:
    if trust_file is None:
        return list(vkeys)
    try:
        trust = read_trust(trust_file)
    except TrustError as error:
        raise click.UsageError(visible(error)) from None
    return [*vkeys, *(entry.key for entry in trust.log_keys)]


# -- checkpoint ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Head:
    """A checkpoint; `verified` tells whether a known key of the log has signed it."""

    note: str
    checkpoint: Checkpoint
    verified: bool


def _head(note: str, keys: Sequence[VerifierKey]) -> _Head:
    try:
        if keys:
            signed = open_checkpoint(note, keys)
            return _Head(note=note, checkpoint=signed.checkpoint, verified=True)
        return _Head(note=note, checkpoint=parse_checkpoint(parse_note(note).text), verified=False)
    except NoteError as error:
        raise Stopped(
            "Not a checkpoint of this log", str(error), "Do not rely on it.", "bad_checkpoint"
        ) from None


def _fetch_head(connection: Connection, keys: Sequence[VerifierKey]) -> _Head:
    return _head(connection.public().fetch("/ledger/checkpoint").content.decode(), keys)


@ledger.command("checkpoint")
@_keys
@public
@click.pass_context
def show_checkpoint(
    ctx: click.Context,
    connection: Connection,
    trust_file: bytes | None,
    vkeys: tuple[VerifierKey, ...],
) -> None:
    """Get the log's latest signed head; keep it, it holds the log to its history."""
    head = _fetch_head(connection, _log_keys(trust_file, vkeys))
    value = {
        "origin": head.checkpoint.origin,
        "size": head.checkpoint.size,
        "root": head.checkpoint.root.hex(),
        "verified": head.verified,
        "note": head.note,
    }
    show(value, lambda: click.echo(head.note, nl=False))
    _exit(ctx, head.verified)


def _exit(ctx: click.Context, verified: bool) -> None:
    if verified:
        remark("✓ signed by the log's own key")
        ctx.exit(ExitCode.DONE)
    remark("? not verified: nothing says which key is the log's; give --trust or --log-vkey")
    ctx.exit(ExitCode.UNCERTAIN)


# -- proofs --------------------------------------------------------------------------------------


@proof.command()
@click.argument("index", type=click.IntRange(0), required=False)
@click.option(
    "--receipt",
    "receipt_value",
    type=parameters.json_file,
    metavar="FILE",
    help="The receipt of the entry: proves that today's log still holds it.",
)
@_keys
@public
@click.pass_context
def inclusion(
    ctx: click.Context,
    connection: Connection,
    index: int | None,
    receipt_value: Json | None,
    trust_file: bytes | None,
    vkeys: tuple[VerifierKey, ...],
) -> None:
    """That an entry is in the log as it is now: give its INDEX, or better its receipt."""
    receipt = _receipt(receipt_value) if receipt_value is not None else None
    place = index if index is not None or receipt is None else receipt.index
    if place is None or (receipt is not None and receipt.index != place):
        raise click.UsageError("give INDEX, or --receipt FILE of that entry")
    head = _fetch_head(connection, _log_keys(trust_file, vkeys))
    size = head.checkpoint.size
    answer = connection.public().get(f"/ledger/proof/inclusion/{place}/{size}")
    if receipt is not None:
        _check(
            lambda: verify_inclusion(
                leaf(receipt.stream, receipt.sequence, receipt.entry),
                place,
                size,
                [from_base64(item) for item in answer["proof"]],
                head.checkpoint.root,
            )
        )
    _report(ctx, answer, head.verified and receipt is not None, proven=receipt is not None)


def _receipt(value: Json) -> receipts.Receipt:
    try:
        return receipts.Receipt.from_value(value)
    except ValueError as error:
        raise click.UsageError(f"no receipt: {visible(error)}") from None


@proof.command()
@click.argument("old")
@click.argument("new", required=False)
@_keys
@public
@click.pass_context
def consistency(
    ctx: click.Context,
    connection: Connection,
    old: str,
    new: str | None,
    trust_file: bytes | None,
    vkeys: tuple[VerifierKey, ...],
) -> None:
    """That the log only grew: OLD and NEW are files with a checkpoint, or mere sizes.

    NEW is the log as it is now if not given. With mere sizes there is nothing to check against, so
    the proof is shown and not verified (exit 3).
    """
    keys = _log_keys(trust_file, vkeys)
    first = _kept(old, keys)
    last = _kept(new, keys) if new is not None else _fetch_head(connection, keys)
    old_size, new_size = _size(first), _size(last)
    answer = connection.public().get(f"/ledger/proof/consistency/{old_size}/{new_size}")
    proven = isinstance(first, _Head) and isinstance(last, _Head)
    if isinstance(first, _Head) and isinstance(last, _Head):
        before, after = first.checkpoint, last.checkpoint
        path = [from_base64(item) for item in answer["proof"]]
        _check(lambda: verify_consistency(old_size, new_size, path, before.root, after.root))
    heads = [head for head in (first, last) if isinstance(head, _Head)]
    _report(ctx, answer, proven and all(head.verified for head in heads), proven=proven)


def _kept(text: str, keys: Sequence[VerifierKey]) -> _Head | int:
    """A size, or the checkpoint in a file (a signed note, or a receipt that holds one)."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    content = parameters.file_bytes(text)
    try:
        value = json.loads(content)
        note = value.get("checkpoint") if isinstance(value, dict) else None
    except ValueError:
        note = content.decode("utf-8", "replace")
    return _head(str(note), keys)


def _size(head: _Head | int) -> int:
    return head if isinstance(head, int) else head.checkpoint.size


def _check(verify: Any) -> None:
    try:
        verify()
    except (ProofError, NoteError) as error:
        raise Stopped(
            "The log does not prove it",
            str(error),
            "Keep the checkpoint, receipt and this answer: they show that history was changed.",
            "bad_proof",
        ) from None


def _report(ctx: click.Context, answer: Json, verified: bool, *, proven: bool) -> None:
    def human() -> None:
        for item in answer["proof"]:
            say(item)
        if verified:
            say("✓ the proof holds, under a checkpoint that the log's own key signed")
        elif proven:
            say("? the proof holds, but nothing says whose checkpoint it is: give --trust")
        else:
            say("? shown, not verified: give what you kept (--receipt, or checkpoint files)")

    show({**answer, "verified": verified}, human)
    ctx.exit(ExitCode.DONE if verified else ExitCode.UNCERTAIN)


# -- audit ---------------------------------------------------------------------------------------


@ledger.command()
@click.option(
    "--checkpoint",
    "kept",
    type=parameters.file_bytes,
    metavar="FILE",
    help="Also hold the log to a checkpoint that somebody else kept.",
)
@_keys
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    kept: bytes | None,
    trust_file: bytes | None,
    vkeys: tuple[VerifierKey, ...],
) -> None:
    """Audit the whole database: signatures, law, tree, checkpoints, caches.

    Reads BOL_ORIGIN and BOL_DATABASE_URL; changes nothing.
    """
    keys = _log_keys(trust_file, vkeys)
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
            problems += _against(store, _head(kept.decode("utf-8", "replace"), keys))
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


def _against(store: Any, head: _Head) -> list[str]:
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
