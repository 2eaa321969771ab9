"""DCSA PINT 3.0 as other platforms call it: four routes under `/v3`.

- Signed answers are JSON strings that hold one compact JWS; unsigned refusals are DCSA's
  `ErrorResponse`. The signed code counts, whatever the HTTP status.
- Who calls is told by the certificate of the connection where there is one (`caller.py`).
- Bodies may be larger than elsewhere: a visualisation comes as Base64 in a JSON string.
- Who our parties are is told one code at a time, at a rate for each platform; 429 beyond it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from flask import Blueprint, Flask, Response, current_app, g, json, request
from werkzeug.exceptions import HTTPException

from bol_service.application.exchange_answers import Declined, Kept, SignedAnswer, Started
from bol_service.application.exchange_desk import NotReady
from bol_service.application.exchange_history import LostEnvelope
from bol_service.application.exchange_inbound import Reception, read_document_body
from bol_service.application.ports import Unavailable
from bol_service.application.rates import Rates, TooMany
from bol_service.application.sequencer import Busy, Uncertain
from bol_service.domain import errors
from bol_service.pint.caller import Callers
from bol_service.wire.dcsa_error import DcsaError, DetailedError, error_response, malformed
from bol_service.wire.pint_answers import receiver_validation, signed_body
from bol_service.wire.pint_forms import PintFormatError
from bol_service.wire.pint_parties import read_identifying_code

VERSION = "3.0.0"
MAX_BODY_BYTES = 24_000_000
_EXTENSION = "bol-exchange"
_LATER = (Busy, Uncertain, Unavailable, NotReady, LostEnvelope)

log = structlog.get_logger()
blueprint = Blueprint("pint", __name__, url_prefix="/v3")


class Exchange:
    """What the routes work with."""

    def __init__(self, reception: Reception, callers: Callers, rates: Rates) -> None:
        self.reception = reception
        self.callers = callers
        self.rates = rates


def install(app: Flask, exchange: Exchange) -> None:
    app.extensions[_EXTENSION] = exchange
    app.register_blueprint(blueprint)


def _exchange() -> Exchange:
    found: Exchange = current_app.extensions[_EXTENSION]
    return found


@blueprint.before_request
def _allow_large_bodies() -> None:
    request.max_content_length = MAX_BODY_BYTES


@blueprint.after_request
def _version(answer: Response) -> Response:
    answer.headers["API-Version"] = VERSION
    return answer


@blueprint.post("/envelopes")
def start_transfer() -> Response:
    """Begin, or at once conclude, the transfer of an original to this platform."""
    exchange = _exchange()
    try:
        caller = exchange.callers.of(request.environ)
        return _answer(exchange.reception.start(_json(), caller))
    except PintFormatError as error:
        return _error(HTTPStatus.BAD_REQUEST, *malformed(error.problems))


@blueprint.put("/envelopes/<string:reference>/additional-documents/<string:checksum>")
def add_document(reference: str, checksum: str) -> Response:
    exchange = _exchange()
    encoded = read_document_body(_json())
    if encoded is None:
        message = "the body is not a JSON string that holds Base64"
        return _error(HTTPStatus.BAD_REQUEST, _detail(DcsaError.MALFORMED, message))
    caller = exchange.callers.of(request.environ)
    return _answer(exchange.reception.add_document(reference, checksum, encoded, caller))


@blueprint.put("/envelopes/<string:reference>/finish-transfer")
def finish_transfer(reference: str) -> Response:
    exchange = _exchange()
    return _answer(exchange.reception.finish(reference, exchange.callers.of(request.environ)))


@blueprint.post("/receiver-validation")
def validate_receiver() -> Response:
    """Who this party code is here, if exactly one party answers to it and can receive."""
    exchange = _exchange()
    caller = exchange.callers.of(request.environ)
    exchange.rates.lookup_by(caller, request.remote_addr)
    try:
        code = read_identifying_code(_json())
    except PintFormatError as error:
        return _error(HTTPStatus.BAD_REQUEST, *malformed(error.problems))
    name = exchange.reception.validate(code)
    if name is None:
        message = "no party that could receive answers to this code"
        return _error(HTTPStatus.NOT_FOUND, _detail(DcsaError.NOT_FOUND, message))
    return _body(json.dumps(receiver_validation(name)), HTTPStatus.OK)


@blueprint.errorhandler(Exception)
def _failed(error: Exception) -> Response:
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.code or 500)
        code = DcsaError.TOO_LARGE if status == 413 else DcsaError.MALFORMED
        return _error(status, _detail(code, error.description or status.phrase))
    if isinstance(error, errors.Refusal):
        return _error(HTTPStatus(error.status), _detail(DcsaError.NOT_ALLOWED, error.message))
    if isinstance(error, TooMany):
        detail = _detail(DcsaError.UNAVAILABLE, str(error))
        answer = _error(HTTPStatus.TOO_MANY_REQUESTS, detail)
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    if isinstance(error, _LATER):
        return _error(HTTPStatus.SERVICE_UNAVAILABLE, _detail(DcsaError.UNAVAILABLE, str(error)))
    log.exception("a PINT request failed", request_id=g.get("request_id"))
    message = "the request failed here; send the same again"
    return _error(HTTPStatus.INTERNAL_SERVER_ERROR, _detail(DcsaError.UNAVAILABLE, message))


def _json() -> bytes:
    if request.mimetype != "application/json":
        message = f"{request.mimetype or 'nothing'} was sent, application/json is needed"
        response = _error(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _detail(DcsaError.MALFORMED, message))
        raise HTTPException(response=response)
    return request.get_data(cache=False)


def _answer(given: SignedAnswer | Started | Declined | Kept) -> Response:
    match given:
        case SignedAnswer():
            return _body(signed_body(given.text), HTTPStatus(given.status))
        case Started():
            return _body(json.dumps(given.body), HTTPStatus.CREATED)
        case Kept():
            return Response(status=HTTPStatus.NO_CONTENT)
        case Declined():
            code = {
                HTTPStatus.NOT_FOUND: DcsaError.NOT_FOUND,
                HTTPStatus.FORBIDDEN: DcsaError.NOT_ALLOWED,
            }.get(given.status, DcsaError.UNAVAILABLE)
            return _error(given.status, _detail(code, given.reason))


def _detail(code: DcsaError, message: str) -> DetailedError:
    return DetailedError(code=code, text=code.name.lower(), message=message)


def _error(status: HTTPStatus, *details: DetailedError) -> Response:
    value = error_response(
        status,
        details,
        method=request.method,
        uri=request.path,
        at=datetime.now(UTC),
        correlation=g.get("request_id"),
    )
    return _body(json.dumps(value), status)


def _body(content: str | bytes, status: HTTPStatus) -> Response:
    return Response(content, status, content_type="application/json")
