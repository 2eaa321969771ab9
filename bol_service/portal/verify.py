"""Verify: anyone drops a file and learns whether it is genuine, and why. Nothing is kept."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request

from bol_service.crypto import strictjson
from bol_service.portal.desk import desk
from bol_service.portal.document_view import document_view
from bol_service.verification import bundle as bundles
from bol_service.verification.report import Report, Verdict
from bol_service.verification.verifier import verify

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
    request.max_content_length = MAX_FILE_BYTES + _ROOM_FOR_FORM
    uploaded = request.files.get("file")
    if uploaded is None or not uploaded.filename:
        return render_template("portal/verify.html", report=None, missing=True)
    content = uploaded.stream.read()
    report = verify(content, desk().trust, desk().clock.now())
    steps = [finding.next_step for finding in report.findings if finding.next_step]
    return render_template(
        "portal/verify.html",
        report=report,
        file_name=uploaded.filename,
        colour=COLOURS[report.verdict],
        verdict=report.verdict.name,
        next_steps=list(dict.fromkeys(steps)),
        signer={signed.actor: signed.name for signed in report.signed},
        own_acts=[signed for signed in report.signed if signed.stream.startswith("bill:")],
        other_acts=[signed for signed in report.signed if not signed.stream.startswith("bill:")],
        document=_document(content, report),
    )


def _document(content: bytes, report: Report) -> object:
    """The bill as signed, of a genuine file only: nothing else has a form to rely on."""
    if report.verdict in (Verdict.NOT_GENUINE, Verdict.CANNOT_SAY):
        return None
    try:
        found = bundles.read_bundle(content).document
        value = strictjson.loads_document(found) if found is not None else None
    except (bundles.BundleError, strictjson.BadJson):
        return None
    return document_view(value) if isinstance(value, dict) else None
