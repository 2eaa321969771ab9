"""This platform as a witness of other logs (C2SP tlog-witness v1.1)."""

from __future__ import annotations

from flask import Response, request

from bol_service.application.witness import (
    Inconsistent,
    NotSignedByLog,
    StaleSize,
    UnknownLog,
    Witness,
)
from bol_service.domain import errors
from bol_service.http.edge import StrictBlueprint, services
from bol_service.http.problems import problem
from bol_service.ledger.witnessing import MAX_REQUEST_BYTES, SIZE_MEDIA_TYPE, RequestError

blueprint = StrictBlueprint("witness", __name__, description="Witnessing other logs")

TEXT = "text/plain; charset=utf-8"


def _witness() -> Witness:
    found = services().witness
    if found is None:
        raise errors.NotFound("this platform is no witness")
    return found


@blueprint.post("/witness/add-checkpoint")
@blueprint.doc(
    requestBody={
        "required": True,
        "description": "The old size, a consistency proof, an empty line, and the checkpoint",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
)
@blueprint.alt_response(409, description="The size cosigned last, as text/x.tlog.size")
@blueprint.response(200, description="Our cosignature line")
def add_checkpoint() -> Response:
    """Cosign a checkpoint of a log that we witness, if it continues what we cosigned last."""
    witness = _witness()
    content = request.get_data(cache=False)
    if len(content) > MAX_REQUEST_BYTES:
        return problem("too_large", f"{len(content)} bytes, at most {MAX_REQUEST_BYTES} are read")
    try:
        return Response(witness.add_checkpoint(content), 200, content_type=TEXT)
    except RequestError as error:
        return problem("bad_request", str(error))
    except UnknownLog as error:
        return problem("log_not_witnessed", str(error))
    except NotSignedByLog as error:
        return problem("not_signed_by_log", str(error))
    except StaleSize as stale:
        return Response(f"{stale.size}\n", 409, content_type=SIZE_MEDIA_TYPE)
    except Inconsistent as error:
        return problem("inconsistent_checkpoint", str(error))


@blueprint.get("/witness/<string:name>/checkpoint")
@blueprint.response(200, description="C2SP tlog-checkpoint with our cosignature")
def latest(name: str) -> Response:
    """What we cosigned last of a log; `name` is the SHA-256 of its origin, lower-case hex."""
    try:
        return Response(_witness().latest(name), 200, content_type=TEXT)
    except UnknownLog as error:
        return problem("log_not_witnessed", str(error))
