"""The operator's desk: what runs, what waits, who wants to be registered, what crossed the border.

1. Only the party `operator` finds these pages; for everybody else they do not exist.
2. It sees the ledger's health, the queues beside the ledger and what applicants handed in, and no
   bill: those are the parties'.
3. What it decides about a party it signs in its browser with its own key, like every act. Refusing
   an application is signed too, though it is no entry of the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import Blueprint, Response, g, json, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from bol_service.application.exchange_ports import CLOSED, Stage
from bol_service.application.lookalikes import resembling
from bol_service.application.operator_desk import Applicant
from bol_service.application.registrations import (
    BadApplication,
    Judged,
    Standing,
    refusal_payload,
)
from bol_service.crypto import base64url
from bol_service.domain import errors
from bol_service.domain.events import Action
from bol_service.domain.states import OPERATOR
from bol_service.portal import operator_forms
from bol_service.portal.acts import Makes, check_page
from bol_service.portal.desk import desk
from bol_service.portal.forms import Answers, Field, Given, read
from bol_service.portal.language import namer, t
from bol_service.portal.ledger import head
from bol_service.portal.session import signed_in
from bol_service.wire.event_fields import instant_text
from bol_service.wire.event_schemas import details_schema

P = ParamSpec("P")
R = TypeVar("R")
_SHOWN: Final = 100
_HIGHEST: Final = 999_999_999_999_999
_LIST: Final = "/portal/operator/registrations"
_REASON: Final = (Field(name="reason", kind="long"),)

blueprint = Blueprint("portal_operator", __name__)


def operator_only(view: Callable[P, R]) -> Callable[P, R | AnyResponse]:
    """As unknown to all others as an address that leads nowhere."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if g.party != OPERATOR:
            raise errors.NotFound("this page is unknown")
        return view(*args, **kwargs)

    return signed_in(checked)


@blueprint.get("/operator")
@operator_only
def overview() -> str:
    """Everything that could need the operator, in one page."""
    cosigning, departures = desk().cosigning, desk().operator.departures(_SHOWN)
    hooks = desk().operator.hooks(_SHOWN)
    applications = desk().registrations.all()
    return render_template(
        "portal/operator.html",
        size=desk().ledger.size(),
        head=head(),
        faults=desk().faults(),
        halted=cosigning.halted if cosigning is not None else None,
        lags=cosigning.lags() if cosigning is not None else (),
        now=desk().clock.now(),
        applicants=len(desk().operator.applicants(_SHOWN))
        + sum(1 for one in applications if one.standing is Standing.WAITING),
        failing=sum(1 for hook in hooks if hook.failures or hook.paused),
        undelivered=sum(hook.waiting for hook in hooks),
        under_way=sum(1 for one in departures if one.stage not in CLOSED),
        disputed=sum(1 for one in departures if one.stage is Stage.DISPUTED),
        exchanges=desk().exchanges,
    )


@blueprint.get("/operator/transfers")
@operator_only
def transfers() -> str:
    """Originals on their way to and from other platforms, and the log of what crossed."""
    now = instant_text(desk().clock.now())
    departures = [
        (one, one.is_being_tried(now), _told(one.answer))
        for one in desk().operator.departures(_SHOWN)
    ]
    flows = desk().operator.flows(_before(), _SHOWN + 1)
    return render_template(
        "portal/operator_transfers.html",
        peers=desk().peers,
        departures=departures,
        arrivals=desk().operator.arrivals(_SHOWN),
        flows=flows[:_SHOWN],
        older=flows[_SHOWN - 1][0] if len(flows) > _SHOWN else None,
        exchanges=desk().exchanges,
    )


@blueprint.get("/operator/deliveries")
@operator_only
def deliveries() -> str:
    """The parties' webhooks, those that fail first."""
    hooks = desk().operator.hooks(_SHOWN)
    names = desk().views.names({hook.party for hook in hooks})
    return render_template("portal/operator_deliveries.html", hooks=hooks, name=namer(names))


# -- applications --------------------------------------------------------------------------------


@blueprint.get("/operator/registrations")
@operator_only
def registrations() -> str:
    """Who wants to be registered, those that wait first."""
    return render_template(
        "portal/operator_registrations.html",
        found=desk().registrations.all(),
        applicants=desk().operator.applicants(_SHOWN),
    )


@blueprint.get("/operator/registrations/<string:application>")
@operator_only
def show_registration(application: str) -> str:
    """What an applicant claims, what its proof shows, and what only the operator can find out."""
    found = desk().registrations.one(application)
    asked = found.application.asked
    claimed = details_schema(Action.REGISTER)(only=("identity",)).load(
        {"identity": asked["identity"]}
    )
    parties = desk().views.all_parties()
    return render_template(
        "portal/operator_registration.html",
        found=found,
        asked=asked,
        alike=resembling(found.application.party, claimed["identity"], parties),
    )


@blueprint.get("/operator/registrations/<string:application>/accept")
@operator_only
def ask_accept(application: str) -> str:
    """Which roles, codes and places the party gets."""
    return _form(_waiting(application), Action.REGISTER, Given(), Answers())


@blueprint.post("/operator/registrations/<string:application>/accept")
@operator_only
def check_accept(application: str) -> str | tuple[str, int]:
    """The check page of the registration, or the questions again with what is wrong."""
    found = _waiting(application)
    answers = operator_forms.registration(request.form, found.application.asked)
    if answers.faults:
        return _form(found, Action.REGISTER, request.form, answers), 422
    return check_page(
        Action.REGISTER,
        f"party:{found.application.party}",
        after=None,
        details=answers.details,
        back=_LIST,
        makes=Makes(kind="key"),
    )


@blueprint.get("/operator/registrations/<string:application>/refuse")
@operator_only
def ask_refuse(application: str) -> str:
    """Why it is refused."""
    return _form(_waiting(application), "REFUSE_REGISTRATION", Given(), Answers())


@blueprint.post("/operator/registrations/<string:application>/refuse")
@operator_only
def check_refuse(application: str) -> str | tuple[str, int]:
    """The page on which the refusal is checked and signed."""
    found = _waiting(application)
    given, faults = read(_REASON, request.form)
    if faults:
        answers = Answers(faults=faults)
        return _form(found, "REFUSE_REGISTRATION", request.form, answers), 422
    at = instant_text(desk().clock.now())
    payload = refusal_payload(found.application, desk().origin, at, given["reason"])
    return render_template(
        "portal/operator_refusal.html",
        found=found,
        payload=payload,
        about={"party": OPERATOR, "send": f"{_LIST}/{application}/refusal"},
        back=f"{_LIST}/{application}",
    )


@blueprint.post("/operator/registrations/<string:application>/refusal")
@operator_only
def refuse(application: str) -> Response:
    """Keep the signed refusal, which the applicant then sees."""
    try:
        desk().registrations.refuse(application, request.get_data(as_text=True))
    except BadApplication as fault:
        return Response(json.dumps({"detail": str(fault)}), 422, content_type="application/json")
    return Response(status=204)


# -- parties of other platforms ------------------------------------------------------------------


@blueprint.get(f"/operator/applicants/<int(max={_HIGHEST}):number>")
@operator_only
def show_applicant(number: int) -> str:
    """A party that applies through its own platform, and what it asks for."""
    found = _applicant(number)
    return render_template("portal/operator_applicant.html", found=found, asked=found.details)


@blueprint.get(f"/operator/applicants/<int(max={_HIGHEST}):number>/accept")
@operator_only
def accept_applicant(number: int) -> str:
    """The check page: registered is what the party asked for, role by role, or nothing."""
    found = _applicant(number)
    return check_page(
        Action.REGISTER,
        f"party:{found.party}",
        after=None,
        details=found.details,
        back=_LIST,
        makes=Makes(kind="key"),
    )


def _applicant(number: int) -> Applicant:
    found = [one for one in desk().operator.applicants(_SHOWN) if one.number == number]
    if not found:
        raise errors.NotFound(f"nobody waits under the number {number}")
    return found[0]


# -- parties -------------------------------------------------------------------------------------


@blueprint.get("/operator/parties/<string:slug>/<any(suspend, reinstate):what>")
@operator_only
def ask_standing(slug: str, what: str) -> str:
    """Why a party is suspended or reinstated."""
    return _standing_form(slug, what, Given(), Answers())


@blueprint.post("/operator/parties/<string:slug>/<any(suspend, reinstate):what>")
@operator_only
def check_standing(slug: str, what: str) -> str | tuple[str, int]:
    """The check page, or the question again."""
    given, faults = read(_REASON, request.form)
    answers, action = Answers(details=given, faults=faults), Action(what.upper())
    if not faults:
        answers.check(action)
    if answers.faults:
        return _standing_form(slug, what, request.form, answers), 422
    stream = f"party:{slug}"
    head_of = desk().queries.head(stream, g.party)
    back = f"/portal/parties/{slug}"
    return check_page(action, stream, after=head_of, details=given, back=back)


def _standing_form(slug: str, what: str, given: Given, answers: Answers) -> str:
    party = desk().views.names([slug]).get(slug)
    if party is None or slug == OPERATOR or party.suspended == (what == "suspend"):
        raise errors.NotFound(f"party {slug} cannot be made to {what} now")
    return render_template(
        "portal/act_form.html",
        action=what.upper(),
        explanation=t(f"explain.{what.upper()}", party=slug),
        back=f"/portal/parties/{slug}",
        back_words=slug,
        fields=_REASON,
        given=given,
        faults=answers.faults,
    )


def _waiting(application: str) -> Judged:
    found = desk().registrations.one(application)
    if found.standing is not Standing.WAITING:
        raise errors.NotFound(f"application {application} does not wait any more")
    return found


def _form(found: Judged, action: str, given: Given, answers: Answers) -> str:
    fields = operator_forms.FIELDS if action is Action.REGISTER else _REASON
    return render_template(
        "portal/act_form.html",
        action=action,
        explanation=t(f"explain.{action}", party=found.application.party),
        back=f"{_LIST}/{found.application.id}",
        back_words=found.application.party,
        fields=[operator_forms.told(field) for field in fields],
        given=given,
        faults=answers.faults,
    )


def _told(answer: str | None) -> str:
    """What a peer's signed answer says; it was verified when it came."""
    parts = (answer or "").split(".")
    try:
        said: Any = base64url.decode(parts[1]).decode("utf-8") if len(parts) == 3 else ""
    except ValueError:
        return ""
    return str(said)


def _before() -> int | None:
    given = request.args.get("before", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 15 else None
