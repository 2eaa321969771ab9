"""Verifying a printed copy: the evidence inside it, and nothing of what is printed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from bol_service.copy.faults import NoEvidence
from bol_service.verification.report import ASK_AGAIN, Check, Report, Verdict
from bol_service.verification.trust import Trust
from bol_service.verification.verifier import verify

BEGINS_WITH: Final = b"%PDF-"
# Said with every verdict on a copy: anybody can draw a page.
NOTICE: Final = (
    "Only the evidence attached to this PDF was checked; the print on its pages proves nothing.",
    "仅核验了PDF内附的证据；其页面上的印刷内容不具证明力。",
)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """`evidence` is what was verified; None where the PDF held nothing to verify."""

    report: Report
    evidence: bytes | None


@dataclass(frozen=True, kw_only=True)
class CheckedApart:
    """`document` is that of a genuine file, None where it shows none; `copied`: it was a print with
    evidence inside."""

    report: Report
    document: bytes | None
    copied: bool


class Opens(Protocol):
    def evidence(self, pdf: bytes, limit: int) -> bytes:
        """The bundle inside a copy, at most `limit` bytes, not verified; raises NoEvidence."""


def is_copy(content: bytes) -> bool:
    """Whether these bytes are a PDF; what is none is read as a bundle."""
    return content.startswith(BEGINS_WITH)


def verify_copy(
    pdf: bytes, trust: Trust | None, now: datetime, *, copies: Opens, limit: int
) -> Checked:
    """The report on the bundle in a copy, of at most `limit` bytes; raises Busy.

    A PDF without one is not genuine, like any other file that is no bundle.
    """
    try:
        evidence = copies.evidence(pdf, limit)
    except NoEvidence as error:
        return Checked(report=no_evidence(trust, error), evidence=None)
    return Checked(report=verify(evidence, trust, now), evidence=evidence)


def evidence_in(content: bytes, *, copies: Opens, limit: int) -> bytes:
    """The bundle inside a copy, or `content` itself if it is none or holds none; raises Busy.

    A copy without evidence stays what it is: no evidence file, which the verdict then says.
    """
    if not is_copy(content):
        return content
    try:
        return copies.evidence(content, limit)
    except NoEvidence:
        return content


def no_evidence(trust: Trust | None, why: NoEvidence) -> Report:
    """The report on a PDF without a bundle."""
    report = Report(demo=trust.demo if trust else False, verdict=Verdict.NOT_GENUINE)
    report.invalid(Check.FILE, "bad_file", f"no evidence in this PDF: {why}", ASK_AGAIN)
    return report
