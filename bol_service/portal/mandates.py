"""Mandates for drafts: those that I gave, those that I was given; giving one, ending one.

A forwarder with a mandate submits instructions and approves drafts for the party; it never acts on
a bill. Giving one to a forwarder that has one replaces it.
"""

from __future__ import annotations

from flask import Blueprint, g, render_template, request

from bol_service.domain import errors
from bol_service.domain.events import Action, Role
from bol_service.portal.acts import check_page
from bol_service.portal.desk import desk
from bol_service.portal.forms import Answers, Choice, Field, Given, Json, read
from bol_service.portal.language import namer, party_name, t
from bol_service.portal.session import me, signed_in
from bol_service.wire.event_fields import instant

_MANY = 500
_BACK = "/portal/mandates"

blueprint = Blueprint("portal_mandates", __name__)


@blueprint.get("/mandates")
@signed_in
def list_mandates() -> str:
    """Who may act on my drafts, and on whose drafts I may act."""
    given = me().mandates
    received = desk().register.mandates_to(g.party)
    slugs = {one.forwarder for one in given} | {one.party.slug for one in received}
    return render_template(
        "portal/mandates.html",
        given=given,
        received=received,
        now=desk().clock.now(),
        name=namer(desk().views.names(slugs)),
    )


@blueprint.get("/mandates/give")
@signed_in
def ask_mandate() -> str:
    """To whom, and until when."""
    return _form(Given(), Answers())


@blueprint.post("/mandates/give")
@signed_in
def check_mandate() -> str | tuple[str, int]:
    """The check page of a mandate, or the questions again with what is wrong."""
    details, faults = read(_fields(), request.form)
    recipient = details.pop("forwarder", None)
    if "validUntil" in details and instant(details["validUntil"]) <= desk().clock.now():
        faults["validUntil"] = "fault.past"
    answers = Answers(recipient=recipient, details=details, faults=faults)
    if not faults:
        answers.check(Action.GRANT_MANDATE)
    if answers.faults:
        return _form(request.form, answers), 422
    return _check(Action.GRANT_MANDATE, recipient, details)


@blueprint.get("/mandates/<string:forwarder>/end")
@signed_in
def end_mandate(forwarder: str) -> str:
    """The check page of ending a mandate."""
    if me().mandate(forwarder) is None:
        raise errors.NotFound(f"{forwarder} has no mandate of yours")
    return _check(Action.REVOKE_MANDATE, forwarder, {})


def _check(action: Action, recipient: str | None, details: Json) -> str:
    stream = f"party:{g.party}"
    return check_page(
        action,
        stream,
        after=desk().queries.head(stream, g.party),
        details=details,
        recipient=recipient,
        back=_BACK,
    )


def _fields() -> tuple[Field, ...]:
    return (
        Field(name="forwarder", kind="choice", choices=_forwarders()),
        Field(name="validUntil", kind="moment", required=False),
    )


def _forwarders() -> list[Choice]:
    return [
        (party.slug, f"{party_name(party, party.slug)} ({party.slug})")
        for party in desk().views.parties(_MANY)
        if Role.FORWARDER in party.roles and party.slug != g.party and not party.suspended
    ]


def _form(given: Given, answers: Answers) -> str:
    return render_template(
        "portal/act_form.html",
        action=Action.GRANT_MANDATE,
        explanation=t("explain.GRANT_MANDATE"),
        back=_BACK,
        back_words=t("nav.mandates"),
        fields=_fields(),
        given=given,
        faults=answers.faults,
    )
