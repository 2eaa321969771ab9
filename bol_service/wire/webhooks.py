"""Webhooks on the wire: what a party asks for, and what it is told."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from bol_service.wire.answers import Answer, text

LONGEST_URL = 1000
_MOST_KINDS = 100
_MOST_NUMBER = 10**15


class WebhookRequest(Schema):
    """Where to send notices, and which."""

    url = fields.String(
        required=True,
        validate=validate.Length(1, LONGEST_URL),
        metadata={"description": "https, a public name, port 443 or 8443"},
    )
    kinds = fields.List(
        fields.String(validate=validate.Length(1, 40)),
        load_default=list,
        validate=validate.Length(max=_MOST_KINDS),
        metadata={"description": "Kinds of notices; all, if there are none"},
    )
    since = fields.Integer(
        strict=True,
        load_default=None,
        validate=validate.Range(0, _MOST_NUMBER),
        metadata={"description": "Number of the last notice that is not sent; default: the latest"},
    )


class WebhookAnswer(Answer):
    webhook = text("UUID")
    url = text("Where notices are sent")
    kinds = fields.List(fields.String(), metadata={"description": "Empty: every kind"})
    since = fields.Integer(metadata={"description": "Notices after this number are sent"})
    created = text("UTC")
    addedWithKey = text("Key of the token that added it; revoking that key stops the webhook")
    paused = text("Why nothing is sent; a replay goes on")
    publicKey = text("`whpk_…`: Ed25519 key that signs all messages of this platform")


class WebhookPage(Answer):
    items = fields.List(fields.Nested(WebhookAnswer))


class DeliveryAnswer(Answer):
    number = fields.Integer(metadata={"description": "Of the notice"})
    kind = text("Of the notice")
    stage = text("WAITING, DELIVERED or GIVEN_UP")
    attempts = fields.Integer()
    nextAttempt = text("UTC; not before")
    lastAttempt = text("UTC")
    status = fields.Integer(metadata={"description": "HTTP status of the last answer"})
    fault = text("What went wrong last")
    answer = text("The beginning of the last answer's body")


class DeliveryPage(Answer):
    items = fields.List(fields.Nested(DeliveryAnswer))
