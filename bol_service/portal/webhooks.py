"""Where a party has its notices sent: adding an address, removing it, what became of each notice,
and sending one again. The rules are the API's own; what it refuses is told in words here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import Blueprint, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from bol_service.application.webhook_ports import BadReceiver, TooManyWebhooks, WebhookExists
from bol_service.application.webhooks import KINDS, UnknownKind, WebhooksOff
from bol_service.domain import errors
from bol_service.portal.desk import desk
from bol_service.portal.session import cookie_name, signed_in
from bol_service.portal.words import ENGLISH

blueprint = Blueprint("portal_webhooks", __name__)

_SHOWN: Final = 50  # deliveries on a page
# The kinds that parties are told of, in the order of their words.
_OFFERED: Final = [kind for key in ENGLISH if (kind := key.removeprefix("notice.")) in KINDS]
_FAULTS: Final = {
    BadReceiver: "webhooks.bad_receiver",
    TooManyWebhooks: "webhooks.too_many",
    WebhookExists: "webhooks.exists",
    WebhooksOff: "webhooks.off",
    UnknownKind: "fault.choice",
}


@blueprint.get("/webhooks")
@signed_in
def show_webhooks() -> str:
    """The party's webhooks, and the form that adds one."""
    return _page()


@blueprint.post("/webhooks")
@signed_in
def add() -> AnyResponse | tuple[str, int]:
    """Add an address, then show its log; or the form again with what is wrong."""
    kid = desk().tokens.kid_of(request.cookies[cookie_name()])
    url, kinds = request.form.get("url", "").strip(), request.form.getlist("kinds")
    since = 0 if request.form.get("earlier") == "yes" else None
    try:
        found = desk().webhooks.add(g.party, url=url, kinds=kinds, since=since, kid=kid)
    except tuple(_FAULTS) as fault:
        return _page(url, kinds, _FAULTS[type(fault)], str(fault)), 422
    return redirect(f"/portal/webhooks/{found['webhook']}", 303)


@blueprint.get("/webhooks/<string:webhook>")
@signed_in
def show_deliveries(webhook: str) -> str:
    """The delivery log of one, the newest notice first."""
    page = desk().webhooks.deliveries(g.party, webhook, _before(), _SHOWN)
    return render_template(
        "portal/webhook.html", hook=_own(webhook), items=page.items, older=page.cursor
    )


@blueprint.get("/webhooks/<string:webhook>/remove")
@signed_in
def ask_remove(webhook: str) -> str:
    """Whether it is really to go; its log goes with it."""
    return render_template("portal/webhook_remove.html", hook=_own(webhook))


@blueprint.post("/webhooks/<string:webhook>/remove")
@signed_in
def remove(webhook: str) -> AnyResponse:
    """Send nothing there any more."""
    desk().webhooks.remove(g.party, webhook)
    return redirect("/portal/webhooks", 303)


@blueprint.post("/webhooks/<string:webhook>/deliveries/<int(max=999999999999999):number>/replay")
@signed_in
def replay(webhook: str, number: int) -> AnyResponse:
    """Send a notice once more, then show the log again."""
    try:
        desk().webhooks.replay(g.party, webhook, number)
    except WebhooksOff as fault:
        raise errors.NotFound(str(fault)) from None
    return redirect(f"/portal/webhooks/{webhook}", 303)


def _page(url: str = "", kinds: Sequence[str] = (), fault: str = "", detail: str = "") -> str:
    return render_template(
        "portal/webhooks.html",
        items=desk().webhooks.of(g.party),
        key=desk().webhooks.public_key,
        offered=_OFFERED,
        url=url,
        kinds=kinds,
        fault=fault,
        detail=detail,
    )


def _own(webhook: str) -> dict[str, Any]:
    found = [item for item in desk().webhooks.of(g.party) if item["webhook"] == webhook]
    if not found:
        raise errors.NotFound(f"{g.party} has no webhook {webhook}")
    return found[0]


def _before() -> int | None:
    given = request.args.get("before", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 15 else None
