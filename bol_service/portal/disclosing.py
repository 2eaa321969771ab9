"""Disclose: the carrier or holder of a bill gives somebody the fields it needs, and no others.

1. The carrier committed to every field when it issued the bill, so nothing is signed here: the page
   takes pieces out of the full file that the platform keeps for the two of them.
2. A ready-made choice is that of a purpose (`classification.PURPOSES`); of single fields, those
   whose boxes are ticked. Personal data and prices are marked.
3. The full file is there to be kept, and for `bol disclose`, which tells nobody what is disclosed.
4. The file goes together with evidence of the bill, which alone tells its state; made for
   disclosures it shows ISSUE and the status, and nothing else.
5. A bill that came from another platform brought its full file along. ISSUE is in that platform's
   ledger, so its evidence proves the fields; the status now is told by this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from flask import Blueprint, Response, g, render_template, request

from bol_service.application.evidence import DISCLOSING
from bol_service.application.portal_views import BillPage
from bol_service.domain import errors
from bol_service.domain.classification import PURPOSES, FieldClass
from bol_service.portal.desk import desk
from bol_service.portal.disclosed_fields import lines_of, name_of, order_of, steps_of
from bol_service.portal.download import download
from bol_service.portal.language import t
from bol_service.portal.session import signed_in
from bol_service.portal.verify_fields import word
from bol_service.wire.disclosure import MEDIA_TYPE, Presentation, parse_full
from bol_service.wire.disclosure_selection import UnknownWord, select

CHOSEN: Final = "chosen"
ALL: Final = "all"
MARKED: Final = frozenset({FieldClass.PERSONAL, FieldClass.PRICE, FieldClass.UNCLASSIFIED})
_GROUPS: Final = (
    *("documentParties", "transports", "consignmentItems", "utilizedTransportEquipments"),
    "charges",
)

blueprint = Blueprint("portal_disclosing", __name__)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A field that can be disclosed; `mark` is its class if one should think twice."""

    pointer: str
    name: str
    lines: list[str]
    mark: FieldClass | None
    purposes: frozenset[str]


@blueprint.get("/bills/<string:bill>/disclose")
@signed_in
def choose(bill: str) -> str:
    """What can be disclosed of the bill, ready-made or field by field."""
    page = _page(bill)
    return _form(page, _full(page))


@blueprint.post("/bills/<string:bill>/disclose")
@signed_in
def disclose(bill: str) -> str | tuple[str, int] | Response:
    """The disclosed fields as a file; the page again if nothing was chosen."""
    page = _page(bill)
    full = _full(page)
    if full is None:
        return _form(page, None), 422
    wanted = request.form.get("for", "")
    words = [wanted] if wanted in PURPOSES else request.form.getlist("field")
    try:
        chosen = select(full, words) if words else None
    except UnknownWord:
        chosen = None
    if chosen is None:
        return _form(page, full, fault=t("disclose.nothing")), 422
    return _file(chosen, wanted if wanted in PURPOSES else CHOSEN)


@blueprint.get("/bills/<string:bill>/disclose/evidence")
@signed_in
def evidence(bill: str) -> Response:
    """The evidence that goes with disclosed fields."""
    content = desk().evidence.issue_bundle(bill, g.party)
    what = "state" if "home" in _page(bill).view else "issue"
    return download(content, "application/json", f"{bill[:16]}-{what}.ebl.json")


@blueprint.get("/bills/<string:bill>/disclose/all")
@signed_in
def all_fields(bill: str) -> Response:
    """The full file, to keep, and to disclose from without telling the platform what."""
    full = _full(_page(bill))
    if full is None:
        raise errors.NotFound(f"bill {bill} was issued without a commitment to its fields")
    return _file(full, ALL)


def _file(fields: Presentation, name: str) -> Response:
    text = f"{fields.to_text()}\n"
    return download(text, MEDIA_TYPE, f"{fields.claims.bill[:16]}-{name}.sdjwt")


def _page(bill: str) -> BillPage:
    """For carrier and holder; to others the page does not exist."""
    page = desk().views.bill(bill, g.party)
    if not {str(one) for one in DISCLOSING} & set(page.view["relations"]):
        raise errors.NotFound(f"nothing of bill {bill} is yours to disclose")
    return page


def _full(page: BillPage) -> Presentation | None:
    """The file that ISSUE names, or that came with the bill; None for one without."""
    if "home" in page.view:
        return desk().files.fields(page.view["bill"], g.party)
    digest = page.chain[0].payload["details"].get("disclosure") if page.chain else None
    if digest is None:
        return None
    content = desk().documents.own(digest, g.party).content
    return parse_full(content.decode("ascii"))


def _form(page: BillPage, full: Presentation | None, *, fault: str = "") -> str:
    choices = [] if full is None else _choices(full)
    groups: list[tuple[str, list[Choice]]] = [
        (name, list(found)) for name, found in groupby(choices, key=lambda one: _group(one.pointer))
    ]
    ready = {
        purpose: [one for one in choices if purpose in one.purposes]
        for purpose in PURPOSES
        if any(purpose in one.purposes for one in choices)
    }
    return render_template(
        "portal/disclose.html",
        view=page.view,
        committed=full is not None,
        asks_home=desk().abroad is not None,
        groups=groups,
        ready=ready,
        ticked=request.form.getlist("field"),
        fault=fault,
        word=word,
    )


def _choices(full: Presentation) -> list[Choice]:
    made = [
        Choice(
            pointer=piece.pointer,
            name=name_of(piece.pointer, word),
            lines=lines_of(piece.value, word),
            mark=kind if kind in MARKED else None,
            purposes=frozenset(name for name, kinds in PURPOSES.items() if kind in kinds),
        )
        for piece, kind in full.with_classes()
    ]
    return sorted(made, key=_place)


def _place(choice: Choice) -> Any:
    group = _group(choice.pointer)
    return (_GROUPS.index(group) if group in _GROUPS else -1, order_of(choice.pointer))


def _group(pointer: str) -> str:
    """Under which heading a field stands; empty for the bill's own."""
    first = steps_of(pointer)[0]
    return first if first in _GROUPS else ""
