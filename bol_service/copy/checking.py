"""Verifying a printed copy: the evidence inside it, and nothing of what is printed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bol_service.copy.apart import Copies
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


def is_copy(content: bytes) -> bool:
    """Whether these bytes are a PDF; what is none is read as a bundle."""
    return content.startswith(BEGINS_WITH)


def verify_copy(
    pdf: bytes, trust: Trust | None, now: datetime, *, copies: Copies, limit: int
) -> Checked:
    """The report on the bundle in a copy, of at most `limit` bytes; raises Busy.

    A PDF without one is not genuine, like any other file that is no bundle.
    """
    try:
        evidence = copies.evidence(pdf, limit)
    except NoEvidence as error:
        report = Report(demo=trust.demo if trust else False, verdict=Verdict.NOT_GENUINE)
        report.invalid(Check.FILE, "bad_file", f"no evidence in this PDF: {error}", ASK_AGAIN)
        return Checked(report=report, evidence=None)
    return Checked(report=verify(evidence, trust, now), evidence=evidence)
