"""The files that go with a bill: its visualisation and supporting documents, to get and to attach.

Who sees which, and who attaches, is `application.bill_files`; these pages are another door to it.
What is handed out is always a download: a file came from somebody, and may be anything.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from bol_service.application.bill_files import MAX_FILE_BYTES, PDF, is_pdf
from bol_service.domain import errors
from bol_service.domain.states import Status
from bol_service.portal.desk import desk
from bol_service.portal.download import download
from bol_service.portal.language import t
from bol_service.portal.session import signed_in

# The original is not here to act on, or the bill has ended.
_CLOSED: Final = frozenset(
    {
        *(Status.IN_TRANSIT, Status.MOVED),
        *(Status.ISSUE_REFUSED, Status.ACCOMPLISHED, Status.VOIDED),
    }
)
_ROOM_FOR_FORM: Final = 10_000

blueprint = Blueprint("portal_bill_files", __name__)


@blueprint.get("/bills/<string:bill>/files")
@signed_in
def list_files(bill: str) -> str:
    """What goes with the bill, as far as this party may read it."""
    return _page(bill)


@blueprint.post("/bills/<string:bill>/files")
@signed_in
def attach(bill: str) -> str | tuple[str, int] | AnyResponse:
    """Keep a PDF with the bill; then the list, or the same page with what is wrong."""
    request.max_content_length = MAX_FILE_BYTES + _ROOM_FOR_FORM
    file = request.files.get("file")
    content = file.stream.read() if file is not None else b""
    if not content:
        return _page(bill, fault=t("files.missing")), 422
    desk().rates.upload_by(g.party, len(content))
    try:
        desk().files.attach(bill, content, g.party)
    except errors.BadEvent as refused:
        return _page(bill, fault=t("files.refused"), detail=refused.message), 422
    return redirect(f"/portal/bills/{bill}/files", 303)


@blueprint.get("/bills/<string:bill>/files/<string:digest>")
@signed_in
def get_file(bill: str, digest: str) -> Response:
    """One of these files."""
    content = desk().files.content(bill, digest, g.party)
    if not is_pdf(content):
        return download(content, "application/octet-stream", digest[:16])
    return download(content, PDF, f"{digest[:16]}.pdf")


def _page(bill: str, *, fault: str = "", detail: str = "") -> str:
    files = desk().files.files(bill, g.party)
    view = desk().views.bill(bill, g.party).view
    attaching = g.party in (view["carrier"], view.get("control", {}).get("possessor"))
    return render_template(
        "portal/bill_files.html",
        view=view,
        files=files,
        attaching=attaching and view["status"] not in _CLOSED,
        exchanges=desk().abroad is not None,
        fault=fault,
        detail=detail,
    )
