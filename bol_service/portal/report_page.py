"""What a page tells of a verifier's report: of an uploaded file, or of evidence that is kept."""

from __future__ import annotations

from typing import Any, Final

from bol_service.portal.corridor_view import map_of_report
from bol_service.verification.report import Report, Signed, Verdict

Json = dict[str, Any]

COLOURS: Final = {
    Verdict.CURRENT: "green",
    Verdict.ENDED: "slate",
    Verdict.NOT_KNOWN_CURRENT: "amber",
    Verdict.NOT_GENUINE: "red",
    Verdict.CANNOT_SAY: "grey",
}
MOST_ACTS: Final = 1000
"""That one table of the page lists."""


def is_genuine(report: Report) -> bool:
    return report.verdict not in (Verdict.NOT_GENUINE, Verdict.CANNOT_SAY)


def report_page(report: Report, document: Json | None) -> Json:
    """What the templates `report_verdict` and `report_details` need; `document` gives the route."""
    steps = [finding.next_step for finding in report.findings if finding.next_step]
    return {
        "report": report,
        "colour": COLOURS[report.verdict],
        "verdict": report.verdict.name,
        "next_steps": list(dict.fromkeys(steps)),
        "signer": {signed.actor: signed.name for signed in report.signed},
        "own_acts": _acts(report, "bill"),
        "custody_acts": _acts(report, "custody"),
        "other_acts": _acts(report, "draft", "party"),
        "most_acts": MOST_ACTS,
        "map": map_of_report(report, document) if is_genuine(report) else None,
    }


def _acts(report: Report, *kinds: str) -> list[Signed]:
    return [signed for signed in report.signed if signed.stream.partition(":")[0] in kinds]
