"""Bookings and drafts: the list, the page of a shipment, its versions, and the acts on it.

The form of the document itself is in `draft_desk`, issuing in `issuing`.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, g, render_template, request

from bol_service.application.documents import DocumentError, DocumentKind, parse
from bol_service.application.portal_shipments import ShipmentPage
from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.domain.events import Action, Leg, Role
from bol_service.domain.states import OPERATOR, PartyState
from bol_service.portal import booking_form
from bol_service.portal.acts import Makes, check_page
from bol_service.portal.desk import desk
from bol_service.portal.document_changes import changes
from bol_service.portal.document_view import DocumentView, document_view
from bol_service.portal.forms import Answers, Choice, Field, Given, read
from bol_service.portal.language import namer, party_name, t
from bol_service.portal.session import me, signed_in
from bol_service.wire import disclosure, drafting

MANY: Final = 500
_LIST: Final = "/portal/shipments"
_JSON: Final = "application/json"
_UPLOADED: Final = {
    DocumentKind.TRANSPORT_DOCUMENT: _JSON,
    DocumentKind.SHIPPING_INSTRUCTIONS: _JSON,
    DocumentKind.DISCLOSURE: disclosure.MEDIA_TYPE,
}
_ASKED: Final = (Action.REQUEST_CHANGE, Action.APPROVE_DRAFT, Action.APPOINT)

blueprint = Blueprint("portal_shipments", __name__)


@blueprint.get("/shipments")
@signed_in
def list_shipments() -> str:
    """The shipments of this party, newest act first."""
    found = desk().drafts.shipments(g.party)
    slugs = {line.carrier for line in found.lines} | {line.shipper for line in found.lines}
    return render_template(
        "portal/shipments.html",
        lines=found.lines,
        cut=found.cut,
        may_book=Role.CARRIER in me().roles,
        name=namer(desk().views.names(slugs)),
    )


@blueprint.get("/shipments/<string:shipment>")
@signed_in
def show_shipment(shipment: str) -> str:
    """One shipment: who, where, which containers, which versions, and what can be done now."""
    page = desk().drafts.shipment(shipment, g.party)
    instructions = parse(page.instructions.content) if page.instructions else None
    newest = page.versions[-1] if page.versions else None
    document = parse(version_content(page, newest.number)) if newest else None
    return render_template(
        "portal/shipment.html",
        page=page,
        view=page.view,
        name=namer(page.names),
        legs=[(str(leg), page.view["custodians"].get(str(leg))) for leg in Leg],
        document=document_view(document) if document else None,
        instructed=_shown(instructions) if instructions else None,
        is_carrier=g.party == page.view["carrier"],
    )


def _shown(instructions: dict[str, Any]) -> DocumentView | None:
    """Instructions as a document, if they have its form: the platform takes them in any."""
    try:
        return document_view(instructions)
    except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError):
        return None


@blueprint.get("/shipments/<string:shipment>/drafts/<int:number>")
@signed_in
def show_version(shipment: str, number: int) -> str:
    """One version of the draft, and what changed since another."""
    page = desk().drafts.shipment(shipment, g.party)
    version = page.version(number)
    document = parse(version_content(page, number))
    against = request.args.get("with", number - 1, type=int)
    other = page.version(against) if 0 < against != number else None
    return render_template(
        "portal/draft_version.html",
        page=page,
        view=page.view,
        version=version,
        document=document_view(document),
        other=other,
        changes=changes(parse(version_content(page, against)), document) if other else [],
        name=namer(page.names),
    )


@blueprint.get("/shipments/<string:shipment>/drafts/<int:number>/document")
@signed_in
def version_document(shipment: str, number: int) -> Response:
    """The draft, byte for byte; the signing page computes its content digest from it."""
    row = desk().drafts.document(shipment, number, g.party)
    answer = Response(row.content, 200, content_type="application/json")
    answer.set_etag(row.digest)
    return answer


@blueprint.post("/documents")
@signed_in
def upload() -> tuple[Response, int]:
    """Keep the document, or the commitment to its fields, that the signing page is about to sign
    the digest of."""
    kind = request.args.get("kind", "")
    if kind not in _UPLOADED or request.mimetype != _UPLOADED[DocumentKind(kind)]:
        raise errors.BadEvent(f"a document of kind {kind!r} is not known here", pointer="")
    if kind == DocumentKind.DISCLOSURE:
        request.max_content_length = disclosure.MAX_BYTES
    content = request.get_data()
    desk().rates.upload_by(g.party, len(content))
    try:
        row = desk().documents.upload(content, DocumentKind(kind), g.party)
    except (DocumentError, errors.Refusal) as error:
        return _json({"detail": str(error)}), 422
    return _json({"digest": row.digest}), 201


def _json(value: dict[str, str]) -> Response:
    return Response(strictjson.canonical(value), content_type="application/json")


def version_content(page: ShipmentPage, number: int) -> bytes:
    """The bytes of a version of this shipment; raises NotFound."""
    return desk().drafts.document(page.view["shipment"], number, g.party).content


# -- booking -------------------------------------------------------------------------------------


@blueprint.get("/shipments/new")
@signed_in
def ask_booking() -> str:
    """The questions of a booking; its shipment id is made here and stays with the form."""
    _require_carrier()
    proposed = booking_form.proposals(drafting.uuid7(desk().clock.now()))
    return _booking(proposed, Answers())


@blueprint.post("/shipments/new")
@signed_in
def check_booking() -> str | tuple[str, int]:
    """The check page of a booking, or the questions again with what is wrong."""
    _require_carrier()
    fields = booking_form.fields_of(registered(), g.party)
    answers = booking_form.answers_of(fields, request.form)
    if answers.faults:
        return _booking(request.form, answers), 422
    shipment = _new_shipment(request.form.get("shipment", ""))
    return check_page(
        Action.BOOKING,
        f"draft:{shipment}",
        after=None,
        details=answers.details,
        back=_LIST,
    )


def _new_shipment(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise errors.NotFound(f"{text!r} is no id of a shipment") from None


def _require_carrier() -> None:
    if Role.CARRIER not in me().roles:
        raise errors.NotCarrier(f"{g.party} is not registered as a carrier")


def _booking(given: Given, answers: Answers) -> str:
    return render_template(
        "portal/act_form.html",
        action=Action.BOOKING,
        explanation=t("explain.BOOKING"),
        back=_LIST,
        back_words=t("nav.shipments"),
        fields=booking_form.fields_of(registered(), g.party),
        given=given,
        faults=answers.faults,
        kept={"shipment": given.get("shipment", "")},
    )


def registered() -> dict[str, PartyState]:
    """Everybody who can be named in an act now."""
    found = desk().views.parties(MANY)
    return {one.slug: one for one in found if not one.suspended and one.slug != OPERATOR}


# -- the acts on a draft -------------------------------------------------------------------------


@blueprint.get("/shipments/<string:shipment>/acts/<string:action>")
@signed_in
def ask(shipment: str, action: str) -> str | tuple[str, int]:
    """The questions of an act on a draft; approving has none and is checked at once."""
    page, found = desk().drafts.shipment(shipment, g.party), _act(action)
    if found not in page.acts:
        return not_now(page, found)
    if found is Action.APPROVE_DRAFT:
        return _approve(page)
    return _ask(page, found, Given(), Answers())


@blueprint.post("/shipments/<string:shipment>/acts/<string:action>")
@signed_in
def check(shipment: str, action: str) -> str | tuple[str, int]:
    """The check page, or the questions again with what is wrong."""
    page, found = desk().drafts.shipment(shipment, g.party), _act(action)
    if found not in page.acts:
        return not_now(page, found)
    given, faults = read(_fields(found), request.form)
    answers = Answers(faults=faults)
    if found is Action.REQUEST_CHANGE:
        given["version"] = page.view["version"]
    if not faults:
        answers = Answers(details=given)
        answers.check(found)
    if answers.faults:
        return _ask(page, found, request.form, answers), 422
    return check_page(
        found,
        f"draft:{shipment}",
        after=page.head,
        details=answers.details,
        back=f"{_LIST}/{shipment}",
    )


def _act(action: str) -> Action:
    if action not in _ASKED:
        raise errors.NotFound(f"no act {action} on a draft")
    return Action(action)


def _fields(action: Action) -> tuple[Field, ...]:
    if action is Action.REQUEST_CHANGE:
        return (Field(name="comment", kind="long", limit=1000),)
    legs: tuple[Choice, ...] = tuple((str(leg), t(f"leg.{leg}")) for leg in Leg)
    keepers = tuple(
        (one.slug, f"{party_name(one, one.slug)} ({one.slug})")
        for one in registered().values()
        if one.roles & {Role.TERMINAL, Role.RAIL_OPERATOR}
    )
    return (
        Field(name="leg", kind="choice", choices=legs),
        Field(name="custodian", kind="choice", choices=keepers),
        Field(name="reason", kind="long"),
    )


def _ask(page: ShipmentPage, action: Action, given: Given, answers: Answers) -> str:
    return render_template(
        "portal/act_form.html",
        action=action,
        explanation=t(f"explain.{action}"),
        back=f"{_LIST}/{page.view['shipment']}",
        back_words=page.view["carrierBookingReference"],
        fields=_fields(action),
        given=given,
        faults=answers.faults,
    )


def _approve(page: ShipmentPage) -> str:
    newest = page.versions[-1]
    path = f"{_LIST}/{page.view['shipment']}"
    return check_page(
        Action.APPROVE_DRAFT,
        f"draft:{page.view['shipment']}",
        after=page.head,
        details={"version": newest.number},
        back=path,
        document=f"{path}/drafts/{newest.number}/document",
        makes=Makes(kind="approval"),
    )


def not_now(page: ShipmentPage, action: Action) -> tuple[str, int]:
    """That an act is not open now, and where to see why."""
    text: Any = t(
        "shipment.not_now",
        act=t(f"action.{action}"),
        booking=page.view["carrierBookingReference"],
        state=t(f"draftstate.{'ISSUED' if page.bill else page.view['status']}"),
    )
    shown = render_template(
        "portal/act_not_now.html",
        action=action,
        text=text,
        back=f"{_LIST}/{page.view['shipment']}",
        here_words="shipment.see",
    )
    return shown, 409
