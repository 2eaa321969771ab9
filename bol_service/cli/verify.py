"""`bol verify`: is this file genuine, and what does it prove? Offline, with a trust file alone.

Every check is told with a word and a symbol, then who signed what, then the title in a sentence,
the verdict in both languages and what to do next. Exit code per verdict: current or ended 0, not
known to be current 3, not genuine 1, cannot say 3; the worst of several files counts. Nothing here
imports the database or the web framework (a test holds it to that).
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from bol_service.cli import words
from bol_service.cli.output import ExitCode, json_option, one_line, say, show
from bol_service.cli.own_files import read_file, read_trust_file
from bol_service.cli.verdict import say_styled, tell_check, tell_verdict
from bol_service.cli.verify_disclosed import is_presentation, verify_disclosed
from bol_service.copy.apart import Copies
from bol_service.copy.checking import NOTICE, evidence_in, is_copy, verify_copy
from bol_service.verification.bundle import MAX_BUNDLE_BYTES
from bol_service.verification.report import Report, Title, Verdict
from bol_service.verification.trust import Trust
from bol_service.verification.verifier import verify as verify_bundle

_NEXT_STEPS: Final = {
    Verdict.CURRENT: "Rely on it now; get a fresh file before you act on it later.",
    Verdict.ENDED: "Keep it as proof. Nothing can be done with this bill any more.",
}
_BADNESS: Final = (ExitCode.DONE, ExitCode.UNCERTAIN, ExitCode.REFUSED)


@click.command(
    epilog="Exit codes: 0 genuine and current, or ended; 3 not known to be current, or cannot say; "
    "1 not genuine; 2 used wrongly, or a file cannot be opened. The worst of several files counts."
)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.option(
    "--trust",
    "trust_file",
    type=click.Path(path_type=Path),
    help="The platform's trust.json; get it from its publication, not with the file.",
)
@click.option(
    "--evidence",
    "evidence_file",
    type=click.Path(path_type=Path),
    help="For disclosed fields (*.sdjwt): the evidence of their bill, or its printed copy.",
)
@click.option(
    "--as-of-statement",
    is_flag=True,
    help="Ask only what was true when the platform stated it: age does not count (exit 0).",
)
@click.option("--require-live", is_flag=True, help="A bill that has ended is a failure (exit 1).")
@json_option
@click.pass_context
def verify(
    ctx: click.Context,
    files: tuple[Path, ...],
    trust_file: Path | None,
    evidence_file: Path | None,
    as_of_statement: bool,
    require_live: bool,
) -> None:
    """Verify evidence, printed copies or disclosed fields, offline. 验真

    Evidence is *.ebl.json; of a printed copy (*.pdf) the evidence inside it is verified, not what
    is printed; disclosed fields are *.sdjwt.
    """
    trust = read_trust_file(trust_file) if trust_file else None
    contents = [(file, read_file(file, MAX_BUNDLE_BYTES)) for file in files]
    now = datetime.now(UTC)
    if evidence_file is not None or any(is_presentation(content) for _, content in contents):
        evidence = _evidence(evidence_file) if evidence_file else None
        code_of = partial(exit_code, as_of_statement=as_of_statement, require_live=require_live)
        codes = verify_disclosed(contents, evidence, trust, now, code_of)
        ctx.exit(max(codes, key=_BADNESS.index))
    reports = [(file, _report(content, trust, now)) for file, content in contents]
    copies = {file for file, content in contents if is_copy(content)}
    codes = [
        exit_code(report.verdict, as_of_statement=as_of_statement, require_live=require_live)
        for _, report in reports
    ]
    worst = max(codes, key=_BADNESS.index)
    show(_value(reports, codes, worst, copies), lambda: _tell_all(reports, copies))
    ctx.exit(worst)


def exit_code(verdict: Verdict, *, as_of_statement: bool, require_live: bool) -> ExitCode:
    """The exit code that a verdict means under these options."""
    match verdict:
        case Verdict.CURRENT:
            return ExitCode.DONE
        case Verdict.ENDED:
            return ExitCode.REFUSED if require_live else ExitCode.DONE
        case Verdict.NOT_KNOWN_CURRENT:
            return ExitCode.DONE if as_of_statement else ExitCode.UNCERTAIN
        case Verdict.NOT_GENUINE:
            return ExitCode.REFUSED
        case Verdict.CANNOT_SAY:
            return ExitCode.UNCERTAIN


def _report(content: bytes, trust: Trust | None, now: datetime) -> Report:
    if not is_copy(content):
        return verify_bundle(content, trust, now)
    return verify_copy(content, trust, now, copies=Copies(), limit=MAX_BUNDLE_BYTES).report


def _evidence(file: Path) -> bytes:
    content = read_file(file, MAX_BUNDLE_BYTES)
    return evidence_in(content, copies=Copies(), limit=MAX_BUNDLE_BYTES)


def _value(
    reports: list[tuple[Path, Report]], codes: list[ExitCode], worst: ExitCode, copies: set[Path]
) -> dict[str, Any]:
    files = [
        {
            "file": str(file),
            "exitCode": int(code),
            **report.to_value(),
            **({"notice": NOTICE[0], "noticeZh": NOTICE[1]} if file in copies else {}),
        }
        for (file, report), code in zip(reports, codes, strict=True)
    ]
    return {"exitCode": int(worst), "files": files}


# -- for a person --------------------------------------------------------------------------------


def _tell_all(reports: list[tuple[Path, Report]], copies: set[Path]) -> None:
    for number, (file, report) in enumerate(reports):
        if number:
            say()
        _tell(file, report, is_printed=file in copies)


def _tell(file: Path, report: Report, *, is_printed: bool) -> None:
    say(f"{one_line(file)}")
    if is_printed:
        for line in NOTICE:
            say_styled(f"  {line}", "yellow")
    if report.demo:
        say_styled("  DEMO: a demonstration without legal effect · 演示,无法律效力", "magenta")
    say("\n  Checks")
    for finding in report.findings:
        tell_check(finding.outcome, finding.check, finding.message, finding.next_step)
    if report.signed:
        say("\n  Signed acts")
        for line in _acts(report):
            say(f"    {line}")
    names = {signed.actor: signed.name for signed in report.signed}
    if report.title is not None:
        say("\n  Title")
        for sentence in title_sentences(report.title, names):
            say(f"    {sentence}")
    tell_verdict(report.verdict, demo=report.demo)
    for step in _next_steps(report):
        say(f"  → {step}")


def _acts(report: Report) -> list[str]:
    lines = []
    for signed in report.signed:
        action = words.english(words.ACTIONS, signed.action)
        subject = signed.stream.rpartition(":")[2]
        if signed.stream.startswith("custody:") or signed.stream == f"party:{subject}":
            action = f"{action} {subject}" if subject != signed.actor else action
        when = f"{signed.recorded_at:%Y-%m-%d %H:%M:%SZ}"
        who = one_line(f"{signed.name} ({signed.actor})")
        lines.append(f"{signed.index:>5}  {when}  {who}: {action}  [key {signed.kid[:8]}…]")
    return lines


def title_sentences(title: Title, names: dict[str, str]) -> list[str]:
    """The title in a sentence of each language; slugs get their legal names where known."""

    def name(slug: str | None) -> str:
        if slug is None:
            return "—"
        return one_line(f"{names[slug]} ({slug})" if slug in names else slug)

    number = one_line(title.reference or f"{title.bill[:12]}…")
    when = f"{title.as_of:%Y-%m-%d %H:%M:%S} UTC"
    source = ("", "") if title.replayed else (", as stated by the platform", "(据平台声明)")
    status = (
        words.english(words.STATUSES, title.status),
        words.chinese(words.STATUSES, title.status),
    )
    control = ("", "")
    if title.possessor is not None:
        holder, order = name(title.possessor), name(title.title_holder)
        control = (
            f"; held by {holder}, " + ("in blank" if title.is_blank else f"title with {order}"),
            f";持有人 {holder}," + ("空白背书" if title.is_blank else f"权利人 {order}"),
        )
    return [
        f"B/L {number} was at {when} {status[0]}{control[0]}{source[0]}.",
        f"提单 {number} 于 {when}:{status[1]}{control[1]}{source[1]}。",
    ]


def _next_steps(report: Report) -> list[str]:
    open_ = [finding.next_step for finding in report.findings if finding.next_step]
    if open_:
        return list(dict.fromkeys(open_))
    return [_NEXT_STEPS[report.verdict]] if report.verdict in _NEXT_STEPS else []
