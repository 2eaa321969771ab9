"""The gate desk: one field, one big answer and the reason, and the acts of custody beside it.

A container is found by the bills it stands on. Before there is a bill, its custodian names the
shipment as well, whose id the carrier tells it with the booking.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template, request

from bol_service.application.delivery_abroad_desk import BoxAbroad
from bol_service.application.portal_custody import BoxAtDesk
from bol_service.domain import errors, identifiers
from bol_service.domain.custody import TRANSITIONS
from bol_service.domain.events import Action
from bol_service.portal import custody_forms, gate_abroad
from bol_service.portal.acts import check_page
from bol_service.portal.desk import desk
from bol_service.portal.forms import Answers, Field, Given
from bol_service.portal.language import t
from bol_service.portal.session import signed_in

blueprint = Blueprint("portal_gate", __name__)


@blueprint.get("/gate")
@signed_in
def gate() -> str:
    """RELEASE or DO NOT RELEASE for one container, and what the reader can sign for it."""
    typed = request.args.get("container", "")[:40]
    shipment = request.args.get("shipment", "").strip()[:40]
    container = "".join(typed.upper().split()).replace("-", "")
    answer: dict[str, Any] | None = None
    boxes: list[BoxAtDesk] = []
    abroad: list[BoxAbroad] = []
    fault = ""
    if container:
        try:
            identifiers.check_container(container)
            answer = desk().queries.release_check(container, g.party)
            boxes = desk().views.boxes(container, shipment, g.party)
            abroad = gate_abroad.boxes(container)
        except ValueError:
            fault = "gate.bad_number"
    return render_template(
        "portal/gate.html",
        typed=typed,
        shipment=shipment,
        answer=answer,
        fault=fault,
        boxes=[box for box in boxes if box.acts],
        abroad=[found for found in abroad if found.box.acts],
    )


@blueprint.get("/gate/<string:shipment>/<string:container>/acts/<string:action>")
@signed_in
def ask(shipment: str, container: str, action: str) -> str | tuple[str, int]:
    """The questions of an act of custody."""
    box, found = _box(shipment, container), _custody_action(action)
    if found not in box.acts:
        return _not_now(box, found)
    proposed = custody_forms.proposals(found, box, desk().clock.now())
    return _form(box, found, custody_forms.fields_of(found), proposed, Answers())


@blueprint.post("/gate/<string:shipment>/<string:container>/acts/<string:action>")
@signed_in
def check(shipment: str, container: str, action: str) -> str | tuple[str, int]:
    """The check page, or the questions again with what is wrong."""
    box, found = _box(shipment, container), _custody_action(action)
    if found not in box.acts:
        return _not_now(box, found)
    fields = custody_forms.fields_of(found)
    answers = custody_forms.answers_of(found, fields, request.form, box)
    if answers.faults:
        return _form(box, found, fields, request.form, answers), 422
    stream = f"custody:{shipment}:{container}"
    return check_page(
        found,
        stream,
        after=desk().views.custody_head(stream, g.party),
        details=answers.details,
        back=_desk_of(box),
    )


def _box(shipment: str, container: str) -> BoxAtDesk:
    try:
        identifiers.check_container(container)
    except ValueError as error:
        raise errors.NotFound(str(error)) from None
    found = desk().views.boxes(container, shipment, g.party)
    wanted = [box for box in found if box.shipment == shipment]
    if not wanted:
        raise errors.NotFound(f"no custody of {container} on {shipment}")
    return wanted[0]


def _custody_action(action: str) -> Action:
    if action not in (*TRANSITIONS, Action.CUSTOMS_RELEASE):
        raise errors.NotFound(f"no act of custody {action}")
    return Action(action)


def _desk_of(box: BoxAtDesk) -> str:
    shipment = "" if box.bill else f"&shipment={box.shipment}"
    return f"/portal/gate?container={box.container}{shipment}"


def _form(
    box: BoxAtDesk, action: Action, fields: tuple[Field, ...], given: Given, answers: Answers
) -> str:
    return render_template(
        "portal/act_form.html",
        action=action,
        explanation=t("gate.explain", container=box.container),
        back=_desk_of(box),
        back_words=box.container,
        fields=fields,
        given=given,
        faults=answers.faults,
    )


def _not_now(box: BoxAtDesk, action: Action) -> tuple[str, int]:
    place = t(f"place.{box.place}") if box.place else t("custody.not_received")
    text = t("gate.not_now", act=t(f"action.{action}"), container=box.container, place=place)
    page = render_template(
        "portal/act_not_now.html",
        action=action,
        text=text,
        back=_desk_of(box),
        here_words="gate.see",
    )
    return page, 409
