"""A party's own webhooks: where its notices are sent, and what became of each."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, abort, g, json, request
from marshmallow import ValidationError

from bol_service.application.webhook_ports import BadReceiver, TooManyWebhooks, WebhookExists
from bol_service.application.webhooks import UnknownKind, WebhooksOff
from bol_service.crypto import strictjson
from bol_service.http.edge import StrictBlueprint, bearer, body, page, services
from bol_service.http.problems import problem
from bol_service.wire.answers import PageQuery
from bol_service.wire.webhooks import DeliveryPage, WebhookAnswer, WebhookPage, WebhookRequest

blueprint = StrictBlueprint("webhooks", __name__, description="Notices sent to your own address")

_CODES = {
    BadReceiver: "bad_receiver",
    TooManyWebhooks: "too_many_webhooks",
    WebhookExists: "webhook_exists",
    WebhooksOff: "webhooks_off",
    UnknownKind: "invalid_query",
}


def register(app: Flask) -> None:
    """Answer what a webhook is refused for as a problem."""
    for kind in _CODES:
        app.register_error_handler(kind, _refused)


@blueprint.post("/v1/webhooks")
@blueprint.doc(
    requestBody={"required": True, "content": {"application/json": {"schema": WebhookRequest}}}
)
@blueprint.response(201, WebhookAnswer)
@bearer
def add_webhook() -> Response:
    """Have your notices sent to an address of yours, signed with `publicKey`."""
    wanted = _wanted(body("application/json"))
    kid = services().tokens.kid_of(g.token)
    found = services().webhooks.add(
        g.party, url=wanted["url"], kinds=wanted["kinds"], since=wanted["since"], kid=kid
    )
    return Response(json.dumps(found), 201, content_type="application/json")


@blueprint.get("/v1/webhooks")
@blueprint.response(200, WebhookPage)
@bearer
def list_webhooks() -> dict[str, Any]:
    """Your webhooks."""
    return {"items": services().webhooks.of(g.party)}


@blueprint.delete("/v1/webhooks/<string:webhook>")
@blueprint.response(204)
@bearer
def remove_webhook(webhook: str) -> None:
    """Send nothing there any more; its delivery log goes too."""
    services().webhooks.remove(g.party, webhook)


@blueprint.get("/v1/webhooks/<string:webhook>/deliveries")
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, DeliveryPage)
@bearer
def list_deliveries(query: dict[str, Any], webhook: str) -> Any:
    """What was sent there, or will be, the newest notice first."""
    before = _before(query["cursor"])
    found = services().webhooks.deliveries(g.party, webhook, before, query["limit"])
    return page(found.items, found.cursor)


@blueprint.post("/v1/webhooks/<string:webhook>/deliveries/<int(max=999999999999999):number>/replay")
@blueprint.response(202, description="It will be sent again, with the same id")
@bearer
def replay_delivery(webhook: str, number: int) -> dict[str, Any]:
    """Send a notice once more, whatever became of it; a webhook that is paused goes on."""
    services().webhooks.replay(g.party, webhook, number)
    return {"webhook": webhook, "number": number}


def _refused(error: Exception) -> Response:
    return problem(_CODES[type(error)], str(error))


def _wanted(content: bytes) -> dict[str, Any]:
    try:
        value: Any = strictjson.loads_event(content)
        wanted: dict[str, Any] = WebhookRequest().load(value)
    except strictjson.BadJson as error:
        abort(400, description=str(error))
    except ValidationError as error:
        abort(422, description=json.dumps(error.messages, sort_keys=True))
    return wanted


def _before(cursor: str) -> int | None:
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 15):
        abort(422, description=f"cursor {cursor!r} was not given by {request.path}")
    return int(cursor) if cursor else None
