"""The log's keys as a person gives them, and checkpoints read under them.

The keys come from `--trust` (a platform's trust.json) or `--log-vkey`. Without any, a checkpoint is
read and told to be unverified. Receipts are read here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bol_service.cli import parameters
from bol_service.cli.output import F, Stopped, visible
from bol_service.cli.own_files import trust_of
from bol_service.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from bol_service.ledger.note import NoteError, VerifierKey, parse_note, parse_vkey
from bol_service.ledger.policy import PolicyError, parse_policy
from bol_service.ledger.receipt import Receipt


def _vkey(text: str) -> VerifierKey:
    try:
        return parse_vkey(text)
    except NoteError as error:
        raise click.BadParameter(str(error)) from None


def log_key_options(command: F) -> F:
    command = click.option(
        "--trust",
        "trust_file",
        type=parameters.file_bytes,
        metavar="FILE",
        help="The platform's trust.json, for its log keys.",
    )(command)
    return click.option(
        "--log-vkey",
        "--vkey",
        "vkeys",
        multiple=True,
        envvar="BOL_LOG_VKEY",
        type=_vkey,
        metavar="VKEY",
        help="A verifier key line of the log (bol keys vkey). [BOL_LOG_VKEY]",
    )(command)


def log_keys(trust_file: bytes | None, vkeys: tuple[VerifierKey, ...]) -> list[VerifierKey]:
    if trust_file is None:
        return list(vkeys)
    return [*vkeys, *(entry.key for entry in trust_of(trust_file).log_keys)]


def witness_key_option(command: F) -> F:
    return click.option(
        "--witness-vkey",
        "witness_vkeys",
        multiple=True,
        type=_vkey,
        metavar="VKEY",
        help="A verifier key line of a witness, beside those of --trust and BOL_WITNESSES.",
    )(command)


def witness_keys(
    trust_file: bytes | None, vkeys: tuple[VerifierKey, ...], policy: Path | None
) -> list[VerifierKey]:
    """Those that are given, those of the trust file, and those that the service asks."""
    keys = list(vkeys)
    if trust_file is not None:
        keys += trust_of(trust_file).witnesses
    if policy is not None:
        try:
            asked = parse_policy(policy.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, PolicyError) as error:
            raise click.UsageError(f"BOL_WITNESSES {policy}: {visible(error)}") from None
        keys += [witness.key for witness in asked.witnesses]
    return list(dict.fromkeys(keys))


def quorum_of(trust_file: bytes | None) -> int:
    """How many witnesses the trust file asks for; 0 without one."""
    return trust_of(trust_file).quorum if trust_file is not None else 0


def receipt_of(value: dict[str, Any]) -> Receipt:
    try:
        return Receipt.from_value(value)
    except ValueError as error:
        raise click.UsageError(f"no receipt: {visible(error)}") from None


@dataclass(frozen=True, kw_only=True)
class Head:
    """A checkpoint; `verified` tells whether a known key of the log has signed it."""

    note: str
    checkpoint: Checkpoint
    verified: bool


def read_head(note: str, keys: Sequence[VerifierKey]) -> Head:
    try:
        if keys:
            signed = open_checkpoint(note, keys)
            return Head(note=note, checkpoint=signed.checkpoint, verified=True)
        return Head(note=note, checkpoint=parse_checkpoint(parse_note(note).text), verified=False)
    except NoteError as error:
        raise Stopped(
            "Not a checkpoint of this log", str(error), "Do not rely on it.", "bad_checkpoint"
        ) from None
