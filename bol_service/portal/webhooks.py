"""Where a party has its notices sent, what became of each, and sending one again.

Webhooks are added and removed with `bol webhooks` or the API: an address is for engineers.
"""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from bol_service.application.webhooks import WebhooksOff
from bol_service.domain import errors
from bol_service.portal.desk import desk
from bol_service.portal.session import signed_in

blueprint = Blueprint("portal_webhooks", __name__)

_SHOWN = 50  # deliveries on a page


@blueprint.get("/webhooks")
@signed_in
def show_webhooks() -> str:
    """The party's webhooks."""
    return render_template(
        "portal/webhooks.html",
        items=desk().webhooks.of(g.party),
        key=desk().webhooks.public_key,
    )


@blueprint.get("/webhooks/<string:webhook>")
@signed_in
def show_deliveries(webhook: str) -> str:
    """The delivery log of one, the newest notice first."""
    page = desk().webhooks.deliveries(g.party, webhook, _before(), _SHOWN)
    [found] = [item for item in desk().webhooks.of(g.party) if item["webhook"] == webhook]
    return render_template("portal/webhook.html", hook=found, items=page.items, older=page.cursor)


@blueprint.post("/webhooks/<string:webhook>/deliveries/<int(max=999999999999999):number>/replay")
@signed_in
def replay(webhook: str, number: int) -> AnyResponse:
    """Send a notice once more, then show the log again."""
    try:
        desk().webhooks.replay(g.party, webhook, number)
    except WebhooksOff as fault:
        raise errors.NotFound(str(fault)) from None
    return redirect(f"/portal/webhooks/{webhook}", 303)


def _before() -> int | None:
    given = request.args.get("before", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 15 else None
