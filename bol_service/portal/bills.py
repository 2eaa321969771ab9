"""To do, the list of bills, and the page of one bill."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, g, render_template, request

from bol_service.application.evidence import DISCLOSING
from bol_service.application.portal_lists import Line
from bol_service.application.portal_views import BillPage
from bol_service.domain.access import Relation
from bol_service.domain.states import Status
from bol_service.portal.act_forms import OFFERED
from bol_service.portal.corridor_view import map_of_bill
from bol_service.portal.desk import desk
from bol_service.portal.document_view import document_view
from bol_service.portal.download import download
from bol_service.portal.language import namer
from bol_service.portal.session import me, signed_in
from bol_service.portal.todo import Task, bill_tasks, shipment_tasks

PAGE: Final = 25
_NEWS: Final = 15
_NOTICES: Final = 2000
_ENDED: Final = (Status.ACCOMPLISHED, Status.VOIDED)
TABS: Final = ("held", "issued", "was", "other")

blueprint = Blueprint("portal_bills", __name__)


# -- to do ---------------------------------------------------------------------------------------


@blueprint.get("/to-do")
@signed_in
def to_do() -> str | Response:
    """What waits for this party, oldest first, and what happened lately."""
    party = me()
    listing = desk().lists.bills(g.party)
    tasks = bill_tasks(listing.lines)
    tasks += shipment_tasks(desk().drafts.shipments(g.party).lines)
    tasks.sort(key=lambda task: task.since or "")
    if hashlib.sha256(desk().rulebook).hexdigest() not in party.rulebooks:
        tasks.insert(0, Task(kind="rulebook", subject="", href="/portal/rulebook"))
    documents = desk().views.documents(g.party, {task.bill for task in tasks if task.bill})
    arrivals = {bill: document_view(value).arrival for bill, value in documents.items()}
    news = _news()
    state = _state_of(tasks, news)
    if request.args.get("seen") == state:
        return Response(status=204)  # nothing new: the page that asks stays as it is
    names = desk().views.names({str(notice["facts"].get("by", "")) for notice in news} - {""})
    return render_template(
        "portal/to_do.html",
        tasks=tasks,
        state=state,
        kids=[key.kid for key in party.keys if key.ended is None],
        arrivals=arrivals,
        news=news,
        name=namer(names),
        held=sum(1 for line in listing.lines if tab_of(line) == "held"),
        suspended=party.suspended,
    )


def _state_of(tasks: list[Task], news: list[dict[str, Any]]) -> str:
    """Changes whenever the page would."""
    told = [(task.kind, task.href, task.place) for task in tasks], [one["number"] for one in news]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _news() -> list[dict[str, Any]]:
    """The latest notices, newest first."""
    found: list[dict[str, Any]] = []
    after = 0
    while len(found) < _NOTICES:
        page = desk().queries.notices(g.party, after, 500)
        found += page.items
        if page.cursor is None:
            break
        after = int(page.cursor)
    return found[: -_NEWS - 1 : -1]


# -- the list ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Tab:
    name: str
    count: int


@blueprint.get("/bills")
@signed_in
def list_bills() -> str:
    """The bills that this party may know, by its relation to them."""
    search = request.args.get("q", "").strip()[:100]
    listing = desk().lists.bills(g.party, search)
    by_tab: dict[str, list[Line]] = {tab: [] for tab in TABS}
    for line in listing.lines:
        by_tab[tab_of(line)].append(line)
    wanted = request.args.get("tab", "")
    tab = wanted if wanted in TABS else next((name for name in TABS if by_tab[name]), TABS[0])
    number = request.args.get("page", 1, type=int)
    first = max(0, number - 1) * PAGE
    lines = by_tab[tab][first : first + PAGE]
    slugs = {line.carrier for line in lines} | {line.possessor or line.carrier for line in lines}
    return render_template(
        "portal/bills.html",
        tabs=[_Tab(name=name, count=len(found)) for name, found in by_tab.items()],
        tab=tab,
        lines=lines,
        search=search,
        cut=listing.cut,
        page=number,
        exchanges=desk().abroad is not None,
        more=len(by_tab[tab]) > first + PAGE,
        name=namer(desk().views.names(slugs)),
    )


def tab_of(line: Line) -> str:
    """Under which heading a bill stands for this reader."""
    if Relation.CARRIER in line.related:
        return "issued"
    if Relation.HOLDER in line.related:
        return "was" if line.status in _ENDED else "held"
    return "was" if Relation.FORMER_HOLDER in line.related else "other"


# -- one bill ------------------------------------------------------------------------------------


@blueprint.get("/bills/<string:bill>")
@signed_in
def show_bill(bill: str) -> str:
    """The page of a bill, as far as this party may see it."""
    page = desk().views.bill(bill, g.party)
    view = page.view
    document = view.get("document")
    return render_template(
        "portal/bill.html",
        page=page,
        view=view,
        map=map_of_bill(page),
        name=namer(page.names),
        places={box["container"]: box for box in view.get("custody", [])},
        sentence=_sentence(page),
        offered=[action for action in OFFERED if action in view["allowedActions"]],
        document=document_view(document) if document else None,
        cargo=document_view(view["cargo"]) if "cargo" in view else None,
        exchanges=desk().abroad is not None,
        discloses=bool({str(one) for one in DISCLOSING} & set(view["relations"])),
    )


def _sentence(page: BillPage) -> tuple[str, str]:
    """The keys of the words that tell the bill's state and who controls it."""
    control = page.view.get("control")
    if control is None:
        return str(page.view["status"]), "hidden"
    if page.view["status"] != Status.ISSUED:
        return str(page.view["status"]), "none"
    if control["titleHolder"] is None:
        return str(page.view["status"]), "blank"
    together = control["titleHolder"] == control["possessor"]
    return str(page.view["status"]), "together" if together else "apart"


@blueprint.get("/bills/<string:bill>/events")
@signed_in
def raw_events(bill: str) -> str:
    """The signed events themselves, as far as this party may see them."""
    page = desk().views.bill(bill, g.party)
    return render_template("portal/events.html", page=page, view=page.view, name=namer(page.names))


@blueprint.get("/bills/<string:bill>/evidence")
@signed_in
def evidence(bill: str) -> Response:
    """The evidence file, the same that the API hands out."""
    content = desk().evidence.bundle(bill, g.party)
    return download(content, "application/json", f"{bill[:16]}.ebl.json")


@blueprint.get("/bills/<string:bill>/copy")
@signed_in
def copy(bill: str) -> Response:
    """The bill to print; the same that the API hands out."""
    printed = desk().copies.printed(desk().evidence.bundle(bill, g.party))
    return download(printed, "application/pdf", f"{bill[:16]}-copy.pdf")


@blueprint.get("/bills/<string:bill>/document")
@signed_in
def document(bill: str) -> Response:
    """The transport document, byte for byte; the signing page computes the bill's id from it."""
    row = desk().queries.bill_document(bill, g.party)
    answer = Response(row.content, 200, content_type="application/json")
    answer.set_etag(row.digest)
    return answer
