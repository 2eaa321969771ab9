"""The routes that write: a signed event in, its receipt out; or many, each with its own answer."""

from __future__ import annotations

from typing import Any

from flask import Response, json

from bol_service.application.commit import Answer
from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.http.edge import StrictBlueprint, body, services
from bol_service.http.precedence import give_way
from bol_service.http.problems import refusal_body
from bol_service.wire.answers import BatchAnswer, ReceiptAnswer

JOSE = "application/jose"
MAX_BATCH = 500


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
    give_way()
    accepted = services().recorder.submit(compact)
    give_way()
    answer = Response(
        json.dumps(accepted.receipt.to_value()),
        200 if accepted.resend else 201,
        content_type="application/json",
    )
    answer.set_etag(accepted.receipt.head)
    return answer


@blueprint.post("/v1/events:batch")
@blueprint.doc(
    requestBody={
        "required": True,
        "description": f"A JSON array of 1 to {MAX_BATCH} compact JWS",
        "content": {
            "application/json": {
                "schema": {
                    "type": "array",
                    "items": {"type": "string"},
                    "minItems": 1,
                    "maxItems": MAX_BATCH,
                }
            }
        },
    }
)
@blueprint.response(200, BatchAnswer)
def record_batch() -> Response:
    """Record many signed events in their order, each answered for itself.

    A refused event harms no other; events of one stream may follow each other in one batch. Sending
    a batch again is safe: what was recorded gets its first receipt.
    """
    compacts = _compacts(body("application/json"))
    give_way()
    answers = services().recorder.submit_all(compacts)
    return Response(
        json.dumps({"items": [_item(answer) for answer in answers]}),
        200,
        content_type="application/json",
    )


def _compacts(content: bytes) -> list[str]:
    try:
        value = strictjson.loads_event(content)
    except strictjson.BadJson as error:
        raise errors.BadEvent(str(error), pointer=error.pointer) from None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise errors.BadEvent("the batch is not an array of compact JWS", pointer="")
    if not 1 <= len(value) <= MAX_BATCH:
        raise errors.BadEvent(
            f"the batch has {len(value)} events, 1 to {MAX_BATCH} are taken", pointer=""
        )
    return value


def _item(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, errors.Refusal):
        return {"status": answer.status, "problem": refusal_body(answer)}
    return {"status": 200 if answer.resend else 201, "receipt": answer.receipt.to_value()}
