"""Verify: anyone drops a file and learns whether it is genuine, and why. Nothing is kept.

With it or alone the code of a printed copy can be given: typed, or read by the page's script with
the camera or from a picture, which never leave the reader's computer. Disclosed fields are judged
beside the evidence of their bill, a second file (`verify_fields`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from os import SEEK_END
from typing import Any, Final

from flask import Blueprint, Response, abort, g, render_template, request
from werkzeug.datastructures import FileStorage

from bol_service.copy.checking import is_copy
from bol_service.copy.faults import TooHeavy
from bol_service.crypto import strictjson
from bol_service.portal.copy_codes import Code, known_bill, read_code
from bol_service.portal.desk import desk
from bol_service.portal.document_view import document_view
from bol_service.portal.download import download
from bol_service.portal.language import finding_word
from bol_service.portal.outdated import as_known_here
from bol_service.portal.report_page import COLOURS, is_genuine, report_page
from bol_service.portal.trusted import judged_with_pinned
from bol_service.portal.verify_fields import Fields, judged
from bol_service.verification import bundle as bundles
from bol_service.verification.report import Report
from bol_service.verification.trust import Trust
from bol_service.verification.verifier import verify

Json = dict[str, Any]

MAX_FILE_BYTES: Final = 16_000_000
# A larger file, and every print, is verified in a process of its own: others wait meanwhile.
HERE_BYTES: Final = 500_000
_ROOM_FOR_FORM: Final = 10_000

blueprint = Blueprint("portal_verify", __name__)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """`document` is that of a genuine file; `copied`: the evidence was attached to a print."""

    report: Report
    document: Json | None
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
    if request.content_length is not None and request.content_length <= HERE_BYTES:
        return _answer()
    with desk().checkers.place():
        return _answer()


def _answer() -> str:
    typed = request.form.get("code", "").strip()
    code = read_code(typed)
    if code is not None and _elsewhere(code) is None:
        typed = code.shown
    files = _files()
    if typed and code is None:
        return render_template("portal/verify.html", report=None, typed=typed, bad_code=True)
    if [_are_fields(file) for file in files] in ([True], [True, False]):
        return _answer_on_fields(files, typed, code)
    if len(files) > 1:
        return render_template("portal/verify.html", report=None, typed=typed, two_files=True)
    if files:
        found, peer = judged_with_pinned(
            desk(), partial(_checked, files[0]), lambda checked: checked.report
        )
        known = replace(found, report=as_known_here(desk(), found.report))
        return _verdict(files[0].filename or "", known, peer, typed, code)
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


def _files() -> list[FileStorage]:
    """The files that were chosen, disclosed fields first."""
    found = [request.files[name] for name in ("file", "beside") if name in request.files]
    chosen = [file for file in found if file.filename]
    return sorted(chosen, key=lambda file: not _are_fields(file))


def _are_fields(uploaded: FileStorage) -> bool:
    """Whether it looks like disclosed fields (SD-JWT) rather than like evidence."""
    content = _beginning(uploaded)
    return content.startswith(b"ey") and (b"~" in content or len(content) > HERE_BYTES)


def _answer_on_fields(files: list[FileStorage], typed: str, code: Code | None) -> str:
    content, *beside = [_beginning(file) for file in files]
    try:
        fields, peer = judged(desk(), content, *beside, limit=HERE_BYTES)
    except TooHeavy:
        return render_template("portal/verify.html", report=None, typed=typed, too_large=True)
    return _verdict_on_fields(fields, peer, files[0].filename or "", typed, code)


def _verdict_on_fields(
    fields: Fields, peer: str | None, file_name: str, typed: str, code: Code | None
) -> str:
    report, title = fields.report, fields.title
    return render_template(
        "portal/verify_fields.html",
        fields=fields,
        peer=peer,
        typed=typed,
        code=code,
        elsewhere=_elsewhere(code) if code else None,
        same_bill=code.fits(title.bill) if code and title else None,
        file_name=file_name,
        colour=COLOURS[report.verdict],
        verdict=report.verdict.name,
        next_steps=[finding.next_step for finding in report.findings if finding.next_step],
        finding_word=finding_word,
    )


def _beginning(uploaded: FileStorage) -> bytes:
    """At most HERE_BYTES and one more of the file."""
    uploaded.stream.seek(0)
    return uploaded.stream.read(HERE_BYTES + 1)


def _verdict(
    file_name: str, checked: Checked, peer: str | None, typed: str, code: Code | None
) -> str:
    report, title, document = checked.report, checked.report.title, checked.document
    return render_template(
        "portal/verify.html",
        peer=peer,
        typed=typed,
        code=code,
        elsewhere=_elsewhere(code) if code else None,
        same_bill=code.fits(title.bill) if code and title and is_genuine(report) else None,
        file_name=file_name,
        copied=checked.copied,
        document=document_view(document) if document else None,
        **report_page(report, document),
    )


def _checked(uploaded: FileStorage, trust: Trust) -> Checked:
    now = desk().clock.now()
    content = _beginning(uploaded)
    if len(content) <= HERE_BYTES and not is_copy(content):
        report = verify(content, trust, now)
        return Checked(report=report, document=_document(content, report), copied=False)
    del content
    if uploaded.stream.seek(0, SEEK_END) > MAX_FILE_BYTES:
        abort(413)
    try:
        found = desk().checkers.checked(uploaded.stream, trust, now)
    except TooHeavy:
        abort(413)
    document = _object(found.document) if found.document is not None else None
    return Checked(report=found.report, document=document, copied=found.copied)


def _elsewhere(code: Code) -> str | None:
    """The place that the print names, if it is another one than this."""
    ours = (desk().copies.address, desk().origin)
    return code.place if code.place not in (None, *ours) else None


@blueprint.get("/verifier.html")
def offline_verifier() -> Response:
    """The verifier in one file, to keep; its script stands inline, so no browser opens it here."""
    page = resources.files("bol_service.verification") / "offline" / "verifier.html"
    return download(page.read_bytes(), "text/html; charset=utf-8", "ebl-verifier.html")


def _document(content: bytes, report: Report) -> Json | None:
    """The bill as signed, of a genuine file only: nothing else has a form to rely on."""
    if not is_genuine(report):
        return None
    try:
        found = bundles.read_bundle(content).document
    except bundles.BundleError:
        return None
    return _object(found) if found is not None else None


def _object(content: bytes) -> Json | None:
    try:
        value = strictjson.loads_document(content)
    except strictjson.BadJson:
        return None
    return value if isinstance(value, dict) else None
