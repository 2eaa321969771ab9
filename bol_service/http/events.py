"""The one route that writes: a signed event in, its receipt out."""

from __future__ import annotations

from flask import Response, json
from flask_smorest import Blueprint

from bol_service.http.edge import StrictParser, body, services
from bol_service.wire.answers import ReceiptAnswer

JOSE = "application/jose"


class StrictBlueprint(Blueprint):
    ARGUMENTS_PARSER = StrictParser()


blueprint = StrictBlueprint("events", __name__, description="Signed events")


@blueprint.post("/v1/events")
@blueprint.doc(
    requestBody={
        "required": True,
        "description": "A compact JWS of typ `ebl-event+jws`; see docs/formats.md",
        "content": {JOSE: {"schema": {"type": "string"}}},
    }
)
@blueprint.alt_response(200, schema=ReceiptAnswer, description="A resend: the first receipt again")
@blueprint.response(201, ReceiptAnswer)
def record_event() -> Response:
    """Record one signed event.

    The request needs no other authentication: the signature is the party's. Sending the same event
    again is safe and gives the first receipt.
    """
    compact = body(JOSE).decode("ascii", "replace")
    accepted = services().recorder.submit(compact)
    answer = Response(
        json.dumps(accepted.receipt.to_value()),
        200 if accepted.resend else 201,
        content_type="application/json",
    )
    answer.set_etag(accepted.receipt.head)
    return answer
