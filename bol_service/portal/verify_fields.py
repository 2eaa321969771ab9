"""Verify: disclosed fields of a bill (`*.sdjwt`), judged as `bol verify` does, beside the evidence
of their bill.

1. One of the two files that were chosen is the fields; whatever else was, is their evidence, a
   printed copy being as good as the file inside it.
2. Without evidence every field is shown and called unknown: nothing tells who signed it.
3. The status is the evidence's, shown with the time up to which it counts as current; the platform
   tells none of its own to whoever uploads a file, but for `outdated`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from bol_service.copy.checking import evidence_in
from bol_service.copy.faults import TooHeavy
from bol_service.portal.desk import Desk
from bol_service.portal.disclosed_fields import lines_of, name_of, order_of
from bol_service.portal.language import LANGUAGES, language
from bol_service.portal.outdated import as_known_here
from bol_service.portal.trusted import judged_with_pinned
from bol_service.verification.bundle import MAX_BUNDLE_BYTES
from bol_service.verification.disclosure import verify
from bol_service.verification.disclosure_report import DisclosureReport, Step
from bol_service.verification.report import Outcome, Title, Verdict

_OWN_WORDS: Final = {"yes": "check.yes", "no": "check.no"}
_OPEN: Final = (Verdict.CANNOT_SAY, Verdict.NOT_GENUINE)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A disclosed field as the page has it."""

    pointer: str
    name: str
    lines: list[str]
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Fields:
    """`signer` is the carrier's name once its signature was verified; `title` the bill's state,
    None where the verdict leaves it open."""

    report: DisclosureReport
    shown: list[Shown]
    signer: str | None
    title: Title | None


def judged(
    desk: Desk, content: bytes, evidence: bytes | None = None, *, limit: int
) -> tuple[Fields, str | None]:
    """The verdict on disclosed fields, and the other platform whose keys it rests on.

    Raises TooHeavy for fields and evidence of more than `limit` bytes together, and Busy.
    """
    size = len(content) + len(evidence or b"")
    opened = _opened(desk, evidence) if size <= limit else None
    if size > limit or len(content) + len(opened or b"") > limit:
        raise TooHeavy(f"fields and evidence have more than {limit} bytes; verify them elsewhere")
    now = desk.clock.now()
    report, peer = judged_with_pinned(
        desk,
        lambda trust: verify(content, opened, trust, now),
        lambda report: report.evidence,
    )
    return shown_of(_as_known_here(desk, report)), peer


def _as_known_here(desk: Desk, report: DisclosureReport) -> DisclosureReport:
    """`report`, or that on stale evidence; the fields are the carrier's either way."""
    if report.evidence is None or report.verdict is not Verdict.CURRENT:
        return report
    known = as_known_here(desk, report.evidence)
    until = report.current_until if known.verdict is Verdict.CURRENT else None
    return replace(report, evidence=known, verdict=known.verdict, current_until=until)


def shown_of(report: DisclosureReport) -> Fields:
    """What the page shows of a report, in the reader's language."""
    fields = sorted(report.fields, key=lambda field: order_of(field.pointer))
    shown = [
        Shown(
            pointer=field.pointer,
            name=name_of(field.pointer, word),
            lines=lines_of(field.value, word),
            outcome=field.outcome,
        )
        for field in fields
    ]
    evidence = report.evidence
    title = evidence.title if evidence is not None and report.verdict not in _OPEN else None
    return Fields(report=report, shown=shown, signer=_signer(report), title=title)


def word(member: str) -> str:
    """What a member of a transport document is called in the reader's language."""
    words = LANGUAGES[language()]
    if member in _OWN_WORDS:
        return words[_OWN_WORDS[member]]
    return words.get(f"member.{member}") or words.get(f"part.{member}") or member


def _opened(desk: Desk, evidence: bytes | None) -> bytes | None:
    if evidence is None:
        return None
    return evidence_in(evidence, copies=desk.copies, limit=MAX_BUNDLE_BYTES)


def _signer(report: DisclosureReport) -> str | None:
    signed = any(
        found.step is Step.SIGNATURE and found.outcome is Outcome.VALID for found in report.findings
    )
    if not signed or report.presentation is None or report.evidence is None:
        return None
    carrier = report.presentation.claims.carrier
    names = {act.actor: act.name for act in report.evidence.signed}
    return names.get(carrier, carrier)
