"""Signing an act: first the questions, then the check page with the very payload to be signed.

The server writes the payload and nothing else: the page's script tells it again in words out of
the payload itself, makes the canonical bytes, signs them with the party's key and sends them to
`POST /v1/events`. Without the script nothing can be signed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, render_template, request

from bol_service.application.lookalikes import resembling
from bol_service.application.portal_views import BillPage
from bol_service.domain import errors
from bol_service.domain.document import BillKind
from bol_service.domain.events import Action
from bol_service.domain.states import OPERATOR, Head, PartyState
from bol_service.portal import act_forms
from bol_service.portal.act_forms import OFFERED
from bol_service.portal.desk import desk
from bol_service.portal.forms import Answers, Choice, Field, Given
from bol_service.portal.language import party_name, t
from bol_service.portal.session import signed_in
from bol_service.wire import drafting

_MANY = 500


@dataclass(frozen=True, kw_only=True)
class Makes:
    """What the browser makes out of bytes of its own before it signs: see `static/prepare.js`.

    `kind` is draft, instructions, approval, issue or key; `text` the very document that is uploaded
    and hashed there; `pieces` where it is cut into fields that can be disclosed alone, none if it
    cannot be.
    """

    kind: str
    text: str = ""
    alg: str = ""
    pieces: tuple[str, ...] = ()

    def about(self) -> dict[str, Any]:
        return {"makes": self.kind, "text": self.text, "alg": self.alg, "pieces": self.pieces}


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Another platform's ledger, and the party's name on it."""

    origin: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Again:
    """The form to go back to, with the answers that it was sent with."""

    action: str
    answers: Given


blueprint = Blueprint("portal_acts", __name__)


@blueprint.get("/bills/<string:bill>/acts/<string:action>")
@signed_in
def ask(bill: str, action: str) -> str | tuple[str, int]:
    """The questions of an act, or at once the check page of an act that has none."""
    page, found = desk().views.bill(bill, g.party), _offered(action)
    if found not in page.view["allowedActions"]:
        return _not_now(page, found)
    fields = _fields(found, page)
    if fields:
        proposed = act_forms.proposals(found, desk().clock.now())
        return _form(page, found, fields, proposed, Answers())
    return _check(page, found, act_forms.answers_of(found, (), Given(), page))


@blueprint.post("/bills/<string:bill>/acts/<string:action>")
@signed_in
def check(bill: str, action: str) -> str | tuple[str, int]:
    """The check page, or the questions again with what is wrong."""
    page, found = desk().views.bill(bill, g.party), _offered(action)
    if found not in page.view["allowedActions"]:
        return _not_now(page, found)
    fields = _fields(found, page)
    answers = act_forms.answers_of(found, fields, request.form, page)
    if answers.faults:
        return _form(page, found, fields, request.form, answers), 422
    return _check(page, found, answers)


def _offered(action: str) -> Action:
    if action not in OFFERED:
        raise errors.NotFound(f"no act {action} on a bill")
    return Action(action)


def _fields(action: Action, page: BillPage) -> tuple[Field, ...]:
    straight = page.view["type"] == BillKind.STRAIGHT
    abroad = desk().exchanges and not straight
    return act_forms.fields_of(action, page, _recipients(page), abroad=abroad)


def _recipients(page: BillPage) -> list[Choice]:
    """Who can receive this bill: registered, not suspended, under its rulebook."""
    barred = {g.party, page.view["carrier"], OPERATOR}
    consignee = page.view.get("parties", {}).get("consignee")
    straight = page.view["type"] == BillKind.STRAIGHT
    return [
        (party.slug, f"{party_name(party, party.slug)} ({party.slug})")
        for party in desk().views.parties(_MANY)
        if party.slug not in barred
        and not party.suspended
        and page.rulebook in party.rulebooks
        and (not straight or party.slug == consignee)
    ]


def _form(
    page: BillPage,
    action: Action,
    fields: tuple[Field, ...],
    given: Given,
    answers: Answers,
) -> str:
    return render_template(
        "portal/act_form.html",
        action=action,
        explanation=t(f"explain.{action}"),
        back=f"/portal/bills/{page.view['bill']}",
        back_words=page.view["transportDocumentReference"],
        fields=fields,
        given=given,
        faults=answers.faults,
    )


def _not_now(page: BillPage, action: Action) -> tuple[str, int]:
    text = t(
        "act.not_now_text",
        act=t(f"action.{action}"),
        number=page.view["transportDocumentReference"],
        state=t(f"status.{page.view['status']}"),
    )
    back = f"/portal/bills/{page.view['bill']}"
    shown = render_template(
        "portal/act_not_now.html", action=action, text=text, back=back, here_words="act.see_bill"
    )
    return shown, 409


def _check(page: BillPage, action: Action, answers: Answers) -> str:
    bill = page.view["bill"]
    stream = f"bill:{bill}"
    return check_page(
        action,
        stream,
        after=desk().queries.head(stream, g.party),
        details=answers.details,
        recipient=answers.recipient,
        back=f"/portal/bills/{bill}",
        document=f"/portal/bills/{bill}/document",
    )


def check_page(
    action: Action,
    stream: str,
    *,
    after: Head | None,
    details: dict[str, Any],
    recipient: str | None = None,
    back: str,
    document: str | None = None,
    makes: Makes | None = None,
    again: Again | None = None,
    warnings: Sequence[str] = (),
    ledger: Ledger | None = None,
) -> str:
    """The page on which an act is checked and signed; `again` leads back to what was answered.

    With `ledger` the act counts there, and goes there through this platform.
    """
    there = ledger or Ledger(origin=desk().origin, name=g.party)
    payload = drafting.payload(
        action=action,
        actor=there.name,
        at=desk().clock.now(),
        audience=there.origin,
        stream=stream,
        after=after,
        details=details,
        recipient=recipient,
    )
    about = {
        "origin": there.origin,
        "party": g.party,
        "name": there.name,
        "abroad": ledger is not None,
        "document": document,
        "makesCode": action is Action.DELIVERY_ORDER,
        **(makes.about() if makes else {}),
    }
    return render_template(
        "portal/act_check.html",
        payload=json.loads(payload),
        about=about,
        back=back,
        action=action,
        again=again,
        warnings=warnings,
        alike=_alike({recipient, details.get("transferTo")}),
    )


def _alike(named: set[str | None]) -> list[str]:
    """Of those who get something, the ones that could be taken for another party."""
    parties = desk().views.all_parties() if named != {None} else []
    chosen = [party for party in parties if party.slug in named]
    return [
        t("check.alike", name=_shown(party), other=_shown(other))
        for party in chosen
        for other in resembling(party.slug, party.identity, parties)
    ]


def _shown(party: PartyState) -> str:
    told = ", ".join(f"{one.type} {one.value}" for one in party.identity.identifiers)
    name = party_name(party, party.slug)
    return f"{name} ({party.slug}, {party.identity.country}, {told})"
