"""Evidence of bills that were issued on another platform, for parties of this one (docs/adr/0030).

1. What is kept was verified when it came. It is verified again for the page, with the keys of that
   platform as they are pinned here: the verdict says how old it is now.
2. Who has the bill here, or evidence of it, may ask that platform for more; to others the page does
   not exist. Asking is written down on both sides, so it takes a button.
3. Whatever comes of asking, what is kept stays and is shown with its time.
4. The bundle and that platform's trust file are handed out, for `bol verify` and the offline page.
"""

from __future__ import annotations

from contextlib import suppress
from tempfile import TemporaryFile
from typing import Final

from flask import Blueprint, Response, g, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from bol_service.application.delivery_abroad_kept import read_kept
from bol_service.application.delivery_abroad_parties import PartiesAbroad
from bol_service.application.delivery_abroad_ports import BadEvidence, Kept, PeerSilent
from bol_service.copy.faults import TooHeavy
from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.portal.desk import desk
from bol_service.portal.download import download
from bol_service.portal.report_page import report_page
from bol_service.portal.session import signed_in
from bol_service.portal.verify import HERE_BYTES
from bol_service.verification.report import Report
from bol_service.verification.verifier import verify

_JSON: Final = "application/json"
# What can come of asking, besides evidence; each has words.
SILENT: Final = "silent"
BAD: Final = "bad"
NOTHING: Final = "nothing"
FAULTS: Final = (SILENT, BAD, NOTHING)

blueprint = Blueprint("portal_evidence_abroad", __name__)


@blueprint.get("/abroad")
@signed_in
def list_evidence() -> str:
    """The bills of other platforms of which evidence is kept for this party, the newest 200."""
    abroad = desk().abroad
    return render_template(
        "portal/abroad.html",
        exchanges=abroad is not None,
        items=[] if abroad is None else abroad.kept(g.party),
    )


@blueprint.get("/abroad/<string:platform>/<string:bill>")
@signed_in
def show(platform: str, bill: str) -> str:
    """What is kept of one bill."""
    return _page(platform, bill)


@blueprint.post("/abroad/<string:platform>/<string:bill>")
@signed_in
def ask(platform: str, bill: str) -> tuple[str, int] | AnyResponse:
    """Ask that platform now; then the same page, with what is the matter if nothing came."""
    _require_known(platform, bill)
    try:
        _parties().evidence(g.party, platform, bill, fresh=True)
    except PeerSilent as error:
        return _page(platform, bill, fault=SILENT, detail=str(error)), 503
    except BadEvidence as error:
        return _page(platform, bill, fault=BAD, detail=str(error)), 422
    except errors.NotFound:
        return _page(platform, bill, fault=NOTHING), 404
    return redirect(f"/portal/abroad/{platform}/{bill}", 303)


@blueprint.get("/abroad/<string:platform>/<string:bill>/evidence")
@signed_in
def evidence(platform: str, bill: str) -> Response:
    """The bundle that is kept."""
    kept = _parties().evidence(g.party, platform, bill, fresh=False)
    return download(kept.bundle, _JSON, f"{kept.bill[:16]}-{kept.platform}.ebl.json")


@blueprint.get("/abroad/<string:platform>/trust")
@signed_in
def trust(platform: str) -> Response:
    """The trust file of that platform, as the operator of this one has pinned it."""
    for peer in desk().peers:
        if peer.code == platform and peer.trust is not None:
            content = strictjson.canonical(dict(peer.trust))
            return download(content, _JSON, f"{peer.code}-trust.json")
    raise errors.NotFound(f"no trust file of {platform} is pinned here")


def _page(platform: str, bill: str, *, fault: str = "", detail: str = "") -> str:
    kept = _require_known(platform, bill)
    about = {"platform": platform, "bill": bill, "fault": fault, "detail": detail}
    local = _held_here(platform, bill)
    if kept is None:
        return render_template("portal/abroad_bill.html", **about, kept=None, local=local)
    _, shown, _ = read_kept(kept)
    report = _verified(kept)
    route = desk().views.documents(g.party, {bill}).get(bill)
    verdict = {"report": None} if report is None else report_page(report, route)
    return render_template(
        "portal/abroad_bill.html",
        **about,
        kept=kept,
        local=local,
        shown=shown,
        file_name=shown.reference,
        document=None,
        **verdict,
    )


def _verified(kept: Kept) -> Report | None:
    """The verdict on what is kept, as of now; None if it is too much to be verified for a page."""
    trust, now = _parties().trust_of(kept.platform), desk().clock.now()
    if len(kept.bundle) <= HERE_BYTES:
        return verify(kept.bundle, trust, now)
    with suppress(TooHeavy), TemporaryFile() as file:
        file.write(kept.bundle)
        return desk().checkers.checked(file, trust, now).report
    return None


def _require_known(platform: str, bill: str) -> Kept | None:
    """What is kept for this party, None if nothing is but the bill is here; raises NotFound."""
    try:
        return _parties().evidence(g.party, platform, bill, fresh=False)
    except errors.NotFound:
        if _held_here(platform, bill):
            return None
        raise


def _held_here(platform: str, bill: str) -> bool:
    """Whether this party knows the bill here, brought by that platform."""
    try:
        view = desk().views.bill(bill, g.party).view
    except errors.NotFound:
        return False
    return bool(view.get("home") == platform)


def _parties() -> PartiesAbroad:
    found = desk().abroad
    if found is None:
        raise errors.NotFound("no deliveries are exchanged here")
    return found
