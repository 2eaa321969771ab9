"""The gate desk for containers whose bill was issued on another platform (docs/adr/0030).

The page asks, shows and signs as for our own ledger; what is signed names the other ledger and the
party's name there, and this platform hands it over.
"""

from __future__ import annotations

from flask import Blueprint, Response, g, json, render_template, request

from bol_service.application.delivery_abroad_desk import BoxAbroad
from bol_service.application.delivery_abroad_parties import PartiesAbroad
from bol_service.application.delivery_abroad_ports import PeerSilent, RefusedAbroad
from bol_service.domain import errors
from bol_service.domain.custody import TRANSITIONS
from bol_service.domain.events import Action
from bol_service.portal import custody_forms
from bol_service.portal.acts import Ledger, check_page
from bol_service.portal.desk import desk
from bol_service.portal.forms import Answers, Field, Given
from bol_service.portal.language import t
from bol_service.portal.session import signed_in

blueprint = Blueprint("portal_gate_abroad", __name__)


def boxes(container: str) -> list[BoxAbroad]:
    """What the reader can sign for the container on other platforms' ledgers."""
    found = desk().abroad_desk
    return [] if found is None else found.boxes(container, g.party)


@blueprint.get(
    "/gate/abroad/<string:platform>/<string:shipment>/<string:container>/<string:action>"
)
@signed_in
def ask(platform: str, shipment: str, container: str, action: str) -> str | tuple[str, int]:
    """The questions of an act of custody on another platform's ledger."""
    abroad, found = _box(platform, shipment, container), _custody_action(action)
    if found not in abroad.box.acts:
        return _not_now(abroad, found)
    proposed = custody_forms.proposals(found, abroad.box, desk().clock.now())
    return _form(abroad, found, custody_forms.fields_of(found), proposed, Answers())


@blueprint.post(
    "/gate/abroad/<string:platform>/<string:shipment>/<string:container>/<string:action>"
)
@signed_in
def check(platform: str, shipment: str, container: str, action: str) -> str | tuple[str, int]:
    """The check page, or the questions again with what is wrong."""
    abroad, found = _box(platform, shipment, container), _custody_action(action)
    if found not in abroad.box.acts:
        return _not_now(abroad, found)
    fields = custody_forms.fields_of(found)
    answers = custody_forms.answers_of(found, fields, request.form, abroad.box)
    if answers.faults:
        return _form(abroad, found, fields, request.form, answers), 422
    return check_page(
        found,
        f"custody:{shipment}:{container}",
        after=abroad.head,
        details=answers.details,
        back=_desk_of(abroad),
        ledger=Ledger(origin=abroad.origin, name=abroad.name),
    )


@blueprint.post("/gate/abroad/events")
@signed_in
def relay() -> Response:
    """What the check page has signed, handed over; the other platform's answer."""
    compact = request.get_data(cache=False).decode("ascii", "replace")
    try:
        reply = _parties().relay(g.party, compact)
    except PeerSilent as error:
        return _problem(503, error.code, str(error))
    except RefusedAbroad as error:
        return _problem(403, error.code, str(error))
    except errors.Refusal as error:
        return _problem(error.status, error.code, error.message)
    return Response(reply.content, reply.status, content_type="application/json")


def _problem(status: int, code: str, detail: str) -> Response:
    body = json.dumps({"status": status, "code": code, "detail": detail})
    return Response(body, status, content_type="application/json")


def _parties() -> PartiesAbroad:
    found = desk().abroad
    if found is None:
        raise errors.NotFound("no deliveries are exchanged here")
    return found


def _box(platform: str, shipment: str, container: str) -> BoxAbroad:
    for found in boxes(container):
        if (found.platform, found.box.shipment) == (platform, shipment):
            return found
    raise errors.NotFound(f"no custody of {container} on {shipment} of {platform}")


def _custody_action(action: str) -> Action:
    if action not in (*TRANSITIONS, Action.CUSTOMS_RELEASE):
        raise errors.NotFound(f"no act of custody {action}")
    return Action(action)


def _desk_of(abroad: BoxAbroad) -> str:
    return f"/portal/gate?container={abroad.box.container}"


def _form(
    abroad: BoxAbroad, action: Action, fields: tuple[Field, ...], given: Given, answers: Answers
) -> str:
    return render_template(
        "portal/act_form.html",
        action=action,
        explanation=t(
            "gate.explain_abroad", container=abroad.box.container, platform=abroad.platform
        ),
        back=_desk_of(abroad),
        back_words=abroad.box.container,
        fields=fields,
        given=given,
        faults=answers.faults,
    )


def _not_now(abroad: BoxAbroad, action: Action) -> tuple[str, int]:
    box = abroad.box
    place = t(f"place.{box.place}") if box.place else t("custody.not_received")
    text = t("gate.not_now", act=t(f"action.{action}"), container=box.container, place=place)
    page = render_template(
        "portal/act_not_now.html",
        action=action,
        text=text,
        back=_desk_of(abroad),
        here_words="gate.see",
    )
    return page, 409
