"""What `bol verify` tells of disclosed fields (`*.sdjwt`): each field with an outcome of its own.

The status of the bill is always told: it is the evidence's, and without evidence the verdict is
CANNOT SAY. Nothing here imports the database or the web framework.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click

from bol_service.cli import words
from bol_service.cli.output import ExitCode, one_line, say, show
from bol_service.cli.verdict import tell_check, tell_outcome, tell_verdict
from bol_service.verification.disclosure import verify
from bol_service.verification.disclosure_report import DisclosureReport
from bol_service.verification.report import Verdict
from bol_service.verification.trust import Trust
from bol_service.wire.field_classes import shown_value


def is_presentation(content: bytes) -> bool:
    """Whether a file looks like an SD-JWT rather than like a bundle."""
    return content.startswith(b"ey") and b"~" in content


def verify_disclosed(
    contents: list[tuple[Path, bytes]],
    evidence: bytes | None,
    trust: Trust | None,
    now: datetime,
    code_of: Callable[[Verdict], ExitCode],
) -> list[ExitCode]:
    """Verify and tell; one exit code for each file."""
    bundles = [file for file, content in contents if content.startswith((b"{", b"%PDF"))]
    if bundles:
        raise click.UsageError(
            f"{bundles[0]} is an evidence file; verify disclosed fields by themselves, with their "
            "evidence behind --evidence"
        )
    reports = [(file, verify(content, evidence, trust, now)) for file, content in contents]
    demo = trust is not None and trust.demo
    codes = [code_of(report.verdict) for _, report in reports]
    files = [
        {"file": str(file), "exitCode": int(code), "demo": demo, **report.to_value()}
        for (file, report), code in zip(reports, codes, strict=True)
    ]
    show({"files": files}, lambda: _tell_all(reports, demo=demo))
    return codes


def _tell_all(reports: list[tuple[Path, DisclosureReport]], *, demo: bool) -> None:
    for number, (file, report) in enumerate(reports):
        if number:
            say()
        say(one_line(file))
        _tell(report)
        tell_verdict(report.verdict, demo=demo)


def _tell(report: DisclosureReport) -> None:
    say("\n  Checks")
    for finding in report.findings:
        tell_check(finding.outcome, finding.step, finding.message, finding.next_step)
    found = report.presentation
    if found is None:
        return
    say(f"\n  Disclosed of B/L {one_line(found.claims.reference)} 已披露")
    for piece in sorted(report.fields, key=lambda piece: piece.pointer):
        tell_outcome(
            piece.outcome, f"{one_line(piece.pointer)}  {one_line(shown_value(piece.value))}"
        )
    say(f"    not disclosed 未披露: {found.hidden} fields")
    say("\n  Status 状态")
    for line in _status(report):
        say(f"    {line}")


def _status(report: DisclosureReport) -> list[str]:
    assert report.presentation is not None
    ask = f"ask {one_line(report.presentation.claims.status_at)}"
    title = report.evidence.title if report.evidence is not None else None
    if title is None or report.verdict in (Verdict.CANNOT_SAY, Verdict.NOT_GENUINE):
        return [f"not known; {ask}"]
    lines = [f"{words.both(words.STATUSES, title.status)}, at {title.as_of:%Y-%m-%d %H:%M:%S} UTC"]
    if report.current_until is not None:
        lines.append(f"current until {report.current_until:%Y-%m-%d %H:%M:%S} UTC; then {ask}")
    return lines
