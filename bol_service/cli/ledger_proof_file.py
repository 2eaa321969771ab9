"""`bol ledger proof file` and `bol ledger proof check`: a proof to keep, and to check offline.

A C2SP tlog-proof file holds the place of an entry, the way to the root and the signed checkpoint.
What was logged it does not say: the receipt does. Both are checked here, without any platform.
"""

from __future__ import annotations

from typing import Any

import click

from bol_service.cli import parameters
from bol_service.cli.context import Connection, public
from bol_service.cli.ledger_head import (
    log_key_options,
    log_keys,
    quorum_of,
    receipt_of,
    witness_keys,
)
from bol_service.cli.output import (
    ExitCode,
    NotSetUp,
    Stopped,
    json_option,
    remark,
    say,
    show,
    visible,
)
from bol_service.ledger.checkpoint import SignedCheckpoint
from bol_service.ledger.entry import leaf
from bol_service.ledger.merkle import ProofError
from bol_service.ledger.note import KeyType, NoteError, VerifierKey
from bol_service.ledger.proof_file import parse_proof_file, verify
from bol_service.ledger.receipt import Receipt

Json = dict[str, Any]
receipt_option = click.option(
    "--receipt",
    "receipt_value",
    type=parameters.json_file,
    required=True,
    metavar="FILE",
    help="The receipt of the entry.",
)


@click.command("file")
@receipt_option
@log_key_options
@public
@click.pass_context
def get_file(
    ctx: click.Context,
    connection: Connection,
    receipt_value: Json,
    trust_file: bytes | None,
    vkeys: tuple[VerifierKey, ...],
) -> None:
    """Get the proof of an entry as a file to keep.

    It is checked first, and printed as it came: `… > entry.tlog-proof`. Keep it with the receipt;
    `bol ledger proof check` needs nothing else.
    """
    receipt = receipt_of(receipt_value)
    answer = connection.public().fetch(f"/ledger/proof/file/{receipt.index}")
    text = answer.content.decode("utf-8", "replace")
    signed, demanded = _verified(text, receipt, trust_file, vkeys)
    value = _value(signed, receipt, demanded)
    show({**value, "file": text}, lambda: click.echo(text, nl=False))
    remark(f"✓ entry {receipt.index} is in the log of {value['size']} entries")
    _exit(ctx, value)


@click.command("check")
@click.argument("file", type=parameters.file_bytes)
@receipt_option
@log_key_options
@json_option
@click.pass_context
def check_file(
    ctx: click.Context,
    file: bytes,
    receipt_value: Json,
    trust_file: bytes | None,
    vkeys: tuple[VerifierKey, ...],
) -> None:
    """Check a proof FILE offline.

    It is held to the receipt of its entry, and its checkpoint to the log's key. Ends with 3 if
    fewer witnesses cosigned than the file of --trust asks for.
    """
    receipt = receipt_of(receipt_value)
    text = file.decode("utf-8", "replace")
    signed, demanded = _verified(text, receipt, trust_file, vkeys)
    value = _value(signed, receipt, demanded)
    said = f"✓ entry {receipt.index} is in the log {visible(value['origin'])} of {value['size']}"
    show(value, lambda: say(f"{said} entries, under a checkpoint that its own key signed"))
    _exit(ctx, value)


def _verified(
    text: str, receipt: Receipt, trust_file: bytes | None, vkeys: tuple[VerifierKey, ...]
) -> tuple[SignedCheckpoint, int]:
    """The checkpoint that the proof rests on, and how many witnesses are asked for."""
    keys = log_keys(trust_file, vkeys)
    if not keys:
        raise NotSetUp(
            "nothing says which key is the log's",
            "Give --log-vkey or --trust, or set BOL_LOG_VKEY.",
        )
    try:
        proof = parse_proof_file(text)
        if proof.index != receipt.index:
            raise ProofError(f"the file proves entry {proof.index}, the receipt is {receipt.index}")
        place = leaf(receipt.stream, receipt.sequence, receipt.entry)
        signed = verify(proof, place, [*keys, *witness_keys(trust_file, (), None)])
    except (NoteError, ProofError) as error:
        raise Stopped(
            "The file does not prove it",
            str(error),
            "Take the file and the receipt of one entry. If they belong together, keep both and "
            "the platform's answer: they show that history was changed.",
            "bad_proof",
        ) from None
    return signed, quorum_of(trust_file)


def _value(signed: SignedCheckpoint, receipt: Receipt, demanded: int) -> Json:
    cosigned = [by.key.name for by in signed.by if by.key.type is KeyType.COSIGNATURE]
    return {
        "origin": signed.checkpoint.origin,
        "index": receipt.index,
        "size": signed.checkpoint.size,
        "cosignedBy": cosigned,
        "quorum": demanded,
        "verified": len(cosigned) >= demanded,
    }


def _exit(ctx: click.Context, value: Json) -> None:
    if value["verified"]:
        ctx.exit(ExitCode.DONE)
    remark(
        f"? {len(value['cosignedBy'])} witnesses cosigned, the trust file asks for "
        f"{value['quorum']}: get the file again when they have"
    )
    ctx.exit(ExitCode.UNCERTAIN)
