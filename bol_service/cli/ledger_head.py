"""The log's keys as a person gives them, and checkpoints read under them.

The keys come from `--trust` (a platform's trust.json) or `--log-vkey`. Without any, a checkpoint is
read and told to be unverified.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

from bol_service.cli import parameters
from bol_service.cli.output import F, Stopped, visible
from bol_service.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from bol_service.ledger.note import NoteError, VerifierKey, parse_note, parse_vkey
from bol_service.verification.trust import TrustError, read_trust


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
    try:
        trust = read_trust(trust_file)
    except TrustError as error:
        raise click.UsageError(visible(error)) from None
    return [*vkeys, *(entry.key for entry in trust.log_keys)]


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
