"""Verify: anyone drops a file and learns whether it is genuine, and why. Nothing is kept."""

from __future__ import annotations

from importlib import resources
from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from bol_service.copy.checking import is_copy, verify_copy
from bol_service.crypto import strictjson
from bol_service.portal.corridor_view import map_of_report
from bol_service.portal.desk import desk
from bol_service.portal.document_view import document_view
from bol_service.verification import bundle as bundles
from bol_service.verification.report import Report, Signed, Verdict
from bol_service.verification.verifier import verify

Json = dict[str, Any]

COLOURS: Final = {
    Verdict.CURRENT: "green",
    Verdict.ENDED: "slate",
    Verdict.NOT_KNOWN_CURRENT: "amber",
    Verdict.NOT_GENUINE: "red",
    Verdict.CANNOT_SAY: "grey",
}
# What is verified here is verified in the service's own process, while others wait.
MAX_FILE_BYTES: Final = 2_000_000
_ROOM_FOR_FORM: Final = 10_000

blueprint = Blueprint("portal_verify", __name__)


@blueprint.get("/verify")
def ask() -> str:
    """Where a file is dropped."""
    return render_template("portal/verify.html", report=None)


@blueprint.post("/verify")
def answer() -> str:
    """The verdict on an uploaded file."""
    desk().rates.file_from(request.remote_addr)
    request.max_content_length = MAX_FILE_BYTES + _ROOM_FOR_FORM
    uploaded = request.files.get("file")
    if uploaded is None or not uploaded.filename:
        return render_template("portal/verify.html", report=None, missing=True)
    content = uploaded.stream.read()
    copied = is_copy(content)
    if copied:
        checked = verify_copy(
            content, desk().trust, desk().clock.now(), copies=desk().copies, limit=MAX_FILE_BYTES
        )
        report, content = checked.report, checked.evidence or b""
    else:
        report = verify(content, desk().trust, desk().clock.now())
    document = _document(content, report)
    steps = [finding.next_step for finding in report.findings if finding.next_step]
    return render_template(
        "portal/verify.html",
        report=report,
        file_name=uploaded.filename,
        copied=copied and bool(content),
        colour=COLOURS[report.verdict],
        verdict=report.verdict.name,
        next_steps=list(dict.fromkeys(steps)),
        signer={signed.actor: signed.name for signed in report.signed},
        own_acts=_acts(report, "bill"),
        custody_acts=_acts(report, "custody"),
        other_acts=_acts(report, "draft", "party"),
        map=map_of_report(report, document) if _is_genuine(report) else None,
        document=document_view(document) if document else None,
    )


@blueprint.get("/verifier.html")
def offline_verifier() -> Response:
    """The verifier in one file, to keep; its script stands inline, so no browser opens it here."""
    page = resources.files("bol_service.verification") / "offline" / "verifier.html"
    answer = Response(page.read_bytes(), 200, content_type="text/html; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="ebl-verifier.html"'
    return answer


def _acts(report: Report, *kinds: str) -> list[Signed]:
    return [signed for signed in report.signed if signed.stream.partition(":")[0] in kinds]


def _is_genuine(report: Report) -> bool:
    return report.verdict not in (Verdict.NOT_GENUINE, Verdict.CANNOT_SAY)


def _document(content: bytes, report: Report) -> Json | None:
    """The bill as signed, of a genuine file only: nothing else has a form to rely on."""
    if not _is_genuine(report):
        return None
    try:
        found = bundles.read_bundle(content).document
        value = strictjson.loads_document(found) if found is not None else None
    except (bundles.BundleError, strictjson.BadJson):
        return None
    return value if isinstance(value, dict) else None
