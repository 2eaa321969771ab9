"""`bol copy`: a bill to print, made from an evidence file and verified first. Offline.

Of a file that is not genuine, or of which nothing can be said, no copy is made: a handsome page
would lend it a credit that it does not have. A file that is merely not current makes a copy, which
names the time of its statement.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from bol_service.cli.output import Stopped, json_option
from bol_service.cli.own_files import read_file, read_trust_file, write_and_tell
from bol_service.copy.apart import Copies
from bol_service.copy.faults import NoCopy
from bol_service.verification.bundle import MAX_BUNDLE_BYTES
from bol_service.verification.report import Report, Verdict
from bol_service.verification.verifier import verify

_ADDRESS = re.compile(r"https?://[!-~]{1,200}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--trust",
    "trust_file",
    required=True,
    type=click.Path(path_type=Path),
    help="The platform's trust.json; get it from its publication, not with the file.",
)
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Usually X.pdf.")
@click.option("--verify-at", help="Web address to print as the place to verify the copy.")
@json_option
def copy(file: Path, trust_file: Path, out: Path, verify_at: str | None) -> None:
    """Print the bill in an evidence FILE (*.ebl.json) as PDF. 打印副本

    The copy is no original; the evidence is attached inside it. Works offline.
    """
    if verify_at is not None and not _ADDRESS.fullmatch(verify_at):
        raise click.UsageError(
            f"{verify_at!r} is no http or https address of at most 200 characters without spaces"
        )
    content = read_file(file, MAX_BUNDLE_BYTES)
    _require_genuine(_report(content, trust_file))
    try:
        printed = Copies(verify_at).printed(content)
    except NoCopy as error:
        raise Stopped("No copy was made", str(error), "Use the file itself.", "no_copy") from None
    write_and_tell(out, printed)


def _report(content: bytes, trust_file: Path) -> Report:
    return verify(content, read_trust_file(trust_file), datetime.now(UTC))


def _require_genuine(report: Report) -> None:
    if report.verdict not in (Verdict.NOT_GENUINE, Verdict.CANNOT_SAY):
        return
    last = report.findings[-1]
    raise Stopped(
        f"No copy is made of this file: {report.verdict}",
        f"{last.check}: {last.message}",
        last.next_step,
        "not_genuine",
    )
