"""Verify: anyone drops a file and learns whether it is genuine, and why. Nothing is kept.

With it or alone the code of a printed copy can be given: typed, or read by the page's script with
the camera or from a picture, which never leave the reader's computer.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from flask import Blueprint, Response, g, render_template, request

from bol_service.copy.checking import is_copy, verify_copy
from bol_service.crypto import strictjson
from bol_service.portal.copy_codes import Code, known_bill, read_code
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


@dataclass(frozen=True, kw_only=True)
class Checked:
    """`content` is the evidence that was judged: the file's, or what was attached to a copy."""

    report: Report
    content: bytes
    copied: bool


@blueprint.after_request
def may_use_the_camera(answer: Response) -> Response:
    """Codes are scanned here and nowhere else."""
    answer.headers["Permissions-Policy"] = "camera=(self), geolocation=(), microphone=()"
    return answer


@blueprint.get("/verify")
def ask() -> str:
    """Where a file is dropped and a code is typed or scanned."""
    return render_template("portal/verify.html", report=None, typed="")


@blueprint.post("/verify")
def answer() -> str:
    """The verdict on an uploaded file; whether a print is of the same bill."""
    desk().rates.file_from(request.remote_addr)
    request.max_content_length = MAX_FILE_BYTES + _ROOM_FOR_FORM
    typed = request.form.get("code", "").strip()
    code = read_code(typed)
    if code is not None and _elsewhere(code) is None:
        typed = code.shown
    uploaded = request.files.get("file")
    if typed and code is None:
        return render_template("portal/verify.html", report=None, typed=typed, bad_code=True)
    if uploaded is not None and uploaded.filename:
        content = uploaded.stream.read()
        if _are_fields(content):
            return render_template("portal/verify.html", report=None, typed=typed, fields=True)
        return _verdict(uploaded.filename, content, typed, code)
    if code is None:
        return render_template("portal/verify.html", report=None, typed="", missing=True)
    return _without_evidence(typed, code)


def _without_evidence(typed: str, code: Code) -> str:
    return render_template(
        "portal/verify.html",
        report=None,
        typed=typed,
        code=code,
        elsewhere=_elsewhere(code),
        bill=known_bill(desk().lists, g.party, code),
    )


def _are_fields(content: bytes) -> bool:
    """Disclosed fields (SD-JWT) are no evidence, and so neither genuine nor forged here."""
    return content.startswith(b"ey") and b"~" in content


def _verdict(file_name: str, content: bytes, typed: str, code: Code | None) -> str:
    checked = _checked(content)
    report, title = checked.report, checked.report.title
    document = _document(checked.content, report)
    steps = [finding.next_step for finding in report.findings if finding.next_step]
    return render_template(
        "portal/verify.html",
        report=report,
        typed=typed,
        code=code,
        elsewhere=_elsewhere(code) if code else None,
        same_bill=code.fits(title.bill) if code and title and _is_genuine(report) else None,
        file_name=file_name,
        copied=checked.copied and bool(checked.content),
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


def _checked(content: bytes) -> Checked:
    trust, now = desk().trust, desk().clock.now()
    if not is_copy(content):
        return Checked(report=verify(content, trust, now), content=content, copied=False)
    found = verify_copy(content, trust, now, copies=desk().copies, limit=MAX_FILE_BYTES)
    return Checked(report=found.report, content=found.evidence or b"", copied=True)


def _elsewhere(code: Code) -> str | None:
    """The place that the print names, if it is another one than this."""
    ours = (desk().copies.address, desk().origin)
    return code.place if code.place not in (None, *ours) else None


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
