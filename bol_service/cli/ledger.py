"""`bol ledger`: look after the log itself.

1. `checkpoint` and `proof` ask a platform over HTTP and check its answers here; what could not be
   checked, for want of a key or of something kept, is told as such and ends with exit code 3.
   Proofs to keep as files stand in `ledger_proof_file`.
2. `check` audits the whole database; it stands in `ledger_check`.
3. `follow` watches a log from outside; it stands in `ledger_follow`.
4. `archive` copies the full tiles of a log; it stands in `ledger_archive`.
5. `disputes` lists what was refused to logs that we witness; it stands in `ledger_disputes`.
6. `backup` and `restore` copy a SQLite database; they stand in `ledger_backup`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import click

from bol_service.cli import (
    ledger_archive,
    ledger_backup,
    ledger_check,
    ledger_disputes,
    ledger_follow,
    ledger_proof_file,
    parameters,
)
from bol_service.cli.context import Connection, public
from bol_service.cli.ledger_head import Head, log_key_options, log_keys, read_head, receipt_of
from bol_service.cli.output import ExitCode, Stopped, remark, say, show
from bol_service.ledger.entry import leaf
from bol_service.ledger.merkle import ProofError, verify_consistency, verify_inclusion
from bol_service.ledger.note import NoteError, VerifierKey, from_base64

Json = dict[str, Any]


@click.group()
def ledger() -> None:
    """Check the log: checkpoint, proofs, audit, backup. 账本"""


ledger.add_command(ledger_check.check)
ledger.add_command(ledger_follow.follow)
ledger.add_command(ledger_disputes.disputes)
ledger.add_command(ledger_archive.archive)
ledger.add_command(ledger_backup.backup)
ledger.add_command(ledger_backup.restore)


@ledger.group()
def proof() -> None:
    """Ask for a Merkle proof (RFC 6962) and check it."""


proof.add_command(ledger_proof_file.get_file)
proof.add_command(ledger_proof_file.check_file)


# -- checkpoint ----------------------------------------------------------------------------------


def _fetch_head(connection: Connection, keys: Sequence[VerifierKey]) -> Head:
    return read_head(connection.public().fetch("/ledger/checkpoint").content.decode(), keys)


@ledger.command("checkpoint")
@log_key_options
@public
@click.pass_context
def show_checkpoint(
    ctx: click.Context,
    connection: Connection,
    trust_file: bytes | None,
    vkeys: tuple[VerifierKey, ...],
) -> None:
    """Get the log's latest signed head.

    Keep it: whoever has one notices when history is changed afterwards.
    """
    head = _fetch_head(connection, log_keys(trust_file, vkeys))
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
@log_key_options
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
    """Prove that an entry is in the log as it is now.

    Give its INDEX, or better its receipt: only with the receipt can the proof be checked.
    """
    receipt = receipt_of(receipt_value) if receipt_value is not None else None
    place = index if index is not None or receipt is None else receipt.index
    if place is None or (receipt is not None and receipt.index != place):
        raise click.UsageError("give INDEX, or --receipt FILE of that entry")
    head = _fetch_head(connection, log_keys(trust_file, vkeys))
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


@proof.command()
@click.argument("old")
@click.argument("new", required=False)
@log_key_options
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
    """Prove that the log only grew.

    OLD and NEW are files with a checkpoint, or mere sizes. NEW is the log as it is now if not
    given. With mere sizes there is nothing to check against, so the proof is shown and not
    verified (exit 3).
    """
    keys = log_keys(trust_file, vkeys)
    first = _kept(old, keys)
    last = _kept(new, keys) if new is not None else _fetch_head(connection, keys)
    old_size, new_size = _size(first), _size(last)
    answer = connection.public().get(f"/ledger/proof/consistency/{old_size}/{new_size}")
    proven = isinstance(first, Head) and isinstance(last, Head)
    if isinstance(first, Head) and isinstance(last, Head):
        before, after = first.checkpoint, last.checkpoint
        path = [from_base64(item) for item in answer["proof"]]
        _check(lambda: verify_consistency(old_size, new_size, path, before.root, after.root))
    heads = [head for head in (first, last) if isinstance(head, Head)]
    _report(ctx, answer, proven and all(head.verified for head in heads), proven=proven)


def _kept(text: str, keys: Sequence[VerifierKey]) -> Head | int:
    """A size, or the checkpoint in a file (a signed note, or a receipt that holds one)."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    content = parameters.file_bytes(text)
    try:
        value = json.loads(content)
        note = value.get("checkpoint") if isinstance(value, dict) else None
    except ValueError:
        note = content.decode("utf-8", "replace")
    return read_head(str(note), keys)


def _size(head: Head | int) -> int:
    return head if isinstance(head, int) else head.checkpoint.size


def _check(verify: Callable[[], None]) -> None:
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
