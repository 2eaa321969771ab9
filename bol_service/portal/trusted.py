"""Whose keys a file is judged with: ours, or those that are pinned for the platform that it is of.

The operator pins the trust file of each platform that deliveries are exchanged with; our gates rely
on it, so the Verify page may. The page names the platform, and says who chose its keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bol_service.portal.desk import Desk
from bol_service.verification.report import Check, Report
from bol_service.verification.trust import Trust

Judged = TypeVar("Judged")


def judged_with_pinned(
    desk: Desk, judge: Callable[[Trust], Judged], evidence_of: Callable[[Judged], Report | None]
) -> tuple[Judged, str | None]:
    """The verdict, and the code of the other platform whose keys it rests on; None: on ours."""
    own = judge(desk.trust)
    if not _is_of_another_platform(evidence_of(own)):
        return own, None
    for trust in () if desk.abroad is None else desk.abroad.trusts:
        found = judge(trust)
        if not _is_of_another_platform(evidence_of(found)):
            return found, trust.code
    return own, None


def _is_of_another_platform(report: Report | None) -> bool:
    return report is not None and any(
        finding.check is Check.TRUST and finding.code == "other_platform"
        for finding in report.findings
    )
