"""Evidence that is young enough to count as current, and that this ledger knows to be outdated.

A statement counts as current for minutes, in which a bill can be handed on; whoever has handed it
on may still show the file. Offline nobody can know. Here it would be a lie that we know of.

1. Only evidence that would be called current is looked at, and only of this ledger: in the minutes
   in which somebody could be deceived with it. Whoever keeps a file cannot follow the bill by it.
2. It is told that something was recorded on the bill since, not what, when or by whom.
3. The verdict is then that of a stale file, which it is.
"""

from __future__ import annotations

from dataclasses import replace

from bol_service.portal.desk import Desk
from bol_service.verification.report import (
    ASK_AGAIN,
    Check,
    Finding,
    Outcome,
    Report,
    Verdict,
)

_STALE = Finding(
    check=Check.CURRENCY,
    outcome=Outcome.UNKNOWN,
    code="stale",
    message="something was recorded on this bill after the file was made",
    next_step=ASK_AGAIN,
)


def as_known_here(desk: Desk, report: Report) -> Report:
    """`report`, or that of a stale file."""
    title = report.title
    if title is None or report.verdict is not Verdict.CURRENT or title.origin != desk.origin:
        return report
    stream = f"bill:{title.bill}"
    shown = [act.index for act in report.signed if act.stream == stream] if title.replayed else []
    last = max(shown, default=None)
    if not desk.views.acted_since(title.bill, title.as_of, last):
        return report
    findings = [found for found in report.findings if found.check is not Check.CURRENCY]
    return replace(report, findings=[*findings, _STALE], verdict=Verdict.NOT_KNOWN_CURRENT)
