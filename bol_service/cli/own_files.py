"""Files on the caller's disk. One that cannot be opened or written is wrong use (exit 2)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import click

from bol_service.cli.output import ExitCode, Failure, facts, show
from bol_service.verification.trust import Trust, read_trust
from bol_service.verification.trust_problem import TrustError

MAX_TRUST_BYTES: Final = 1_000_000


def read_file(file: Path, limit: int) -> bytes:
    """One byte more than `limit` at most, so that the reader sees that it is too long."""
    try:
        with open(file, "rb") as opened:
            return opened.read(limit + 1)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be opened: {error.strerror}") from None


def read_trust_file(file: Path) -> Trust:
    return trust_of(read_file(file, MAX_TRUST_BYTES), file)


def trust_of(
    content: bytes, file: Path | None = None, *, exit_code: ExitCode = ExitCode.USAGE
) -> Trust:
    """What a trust file says; the problem that is told otherwise names `file` where it is known."""
    try:
        return read_trust(content)
    except TrustError as error:
        problem = {
            "title": "The trust file cannot be used",
            "code": "bad_trust_file",
            "detail": f"{error}" if file is None else f"{file}: {error}",
            "nextStep": error.next_step,
        }
        raise Failure(problem, exit_code) from None


def write_and_tell(out: Path, content: bytes) -> None:
    """Write the file that the command was asked for; what is shown is its size and SHA-256."""
    try:
        out.write_bytes(content)
    except OSError as error:
        raise click.UsageError(f"{out} cannot be written: {error.strerror}") from None
    digest = hashlib.sha256(content).hexdigest()
    value = {"file": str(out), "bytes": len(content), "sha256": digest}
    show(value, lambda: facts([("file", out), ("bytes", len(content)), ("SHA-256", digest)]))
