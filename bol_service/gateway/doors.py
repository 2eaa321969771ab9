"""The doors of a gateway: what the carrier's own system calls (DCSA EBL_ISS, EBL_SUR, EBL_END).

Nothing is looked at before the caller is known: by its bearer token, by its TLS certificate, or by
both, as the gateway was started. What comes in carries no signature of the carrier, so it is never
more than an instruction; the ledger moves only by what the gateway then signs. Every refusal is
DCSA's `ErrorResponse`. 409 says that a request was answered before, and nothing else: a carrier's
system takes it for the end of the matter.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import structlog
from flask import Blueprint, Flask, Response, current_app, g, json, request
from werkzeug.exceptions import HTTPException

from bol_service.client import Refused, Unreachable
from bol_service.crypto.jws import BadSignature
from bol_service.domain import errors
from bol_service.gateway.chains import Chains
from bol_service.gateway.desk import Desk, InDoubt, NotProven, Rejected
from bol_service.gateway.issuing import Issuing, NumberTaken
from bol_service.gateway.surrendering import AnsweredBefore, Surrendering, UnknownRequest
from bol_service.wire.dcsa_error import DcsaError, DetailedError, error_response, malformed
from bol_service.wire.dcsa_surrender import read_surrender_answer
from bol_service.wire.pint_forms import PintFormatError
from bol_service.wire.transport_document_problem import Problem

API_VERSION: Final = "3.0.3"
MAX_BODY_BYTES: Final = 20_000_000
MAX_REFERENCE: Final = 20
RETRY_AFTER: Final = "5"
# Somebody else, for instance the carrier's own people, has answered the surrender.
ANSWERED_ELSEWHERE: Final = frozenset(
    refusal.code for refusal in (errors.NotPending, errors.StaleHead, errors.TerminalState)
)
routes = Blueprint("gateway", __name__)
log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Doors:
    """`token` None: callers are known by their TLS certificate alone. `awake` is called when there
    is something new to do."""

    desk: Desk
    issuing: Issuing
    surrendering: Surrendering
    chains: Chains
    token: str | None
    awake: Callable[[], None]


def create_app(doors: Doors) -> Flask:
    app = Flask("bol_service.gateway", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.extensions["doors"] = doors
    app.register_blueprint(routes)
    app.before_request(_admit)
    app.after_request(_sign_off)
    for fault, (status, code) in _ANSWERS.items():
        app.register_error_handler(fault, _answering(status, code))
    app.register_error_handler(Rejected, _rejected)
    app.register_error_handler(PintFormatError, _format_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    return app


def _doors() -> Doors:
    found: Doors = current_app.extensions["doors"]
    return found


# -- routes --------------------------------------------------------------------------------------


@routes.put("/v3/ebl-issuance-requests")
def request_issuance() -> Response:
    """204: taken, not yet issued. The outcome follows as an issuance response."""
    _doors().issuing.ask(_body())
    _doors().awake()
    return Response(status=204)


@routes.post("/v3/ebl-surrender-responses")
def answer_surrender() -> Response:
    """204: signed, sent, and proven by a receipt to be in the ledger."""
    _doors().surrendering.answer(read_surrender_answer(_body()))
    _doors().awake()
    return Response(status=204)


@routes.get("/endorsement-chains/<path:reference>")
def endorsement_chain(reference: str) -> Response:
    """The chain as verified evidence tells it."""
    if len(reference) > MAX_REFERENCE or not reference.isprintable():
        raise UnknownDocument("no document has such a number")
    unknown = set(request.args) - {"transportDocumentSubReference", "carrierSCACCode"}
    if unknown:
        raise _bad_request(f"the parameter {sorted(unknown)[0]!r} is not known here")
    found = _doors().chains.of(
        reference,
        request.args.get("transportDocumentSubReference"),
        request.args.get("carrierSCACCode"),
    )
    if not found:
        raise UnknownDocument(f"no bill of this carrier has the number {reference[:100]!r}")
    return Response(json.dumps(found), 200, content_type="application/json")


class UnknownDocument(Exception):  # noqa: N818 - says what is the matter
    """No bill of the carrier has this number."""


# -- in and out ----------------------------------------------------------------------------------


class NotKnown(Exception):  # noqa: N818 - says what is the matter
    """The caller did not prove that it is the carrier's system."""


def _admit() -> None:
    g.correlation = secrets.token_hex(8)
    token = _doors().token
    if token is not None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        known = hmac.compare_digest(given.encode("utf-8", "replace"), token.encode("utf-8"))
        if scheme.lower() != "bearer" or not known:
            raise NotKnown("send the gateway's token as Authorization: Bearer")
    version = request.headers.get("API-Version", "3")
    if version.split(".")[0] != "3":
        raise _bad_request(f"API-Version {version[:20]!r} is not served here, 3 is")


def _body() -> bytes:
    if request.mimetype != "application/json":
        raise _bad_request(f"{request.mimetype or 'nothing'} was sent, application/json is needed")
    return request.get_data(cache=False)


def _bad_request(message: str) -> PintFormatError:
    return PintFormatError([Problem(pointer="", rule="request", message=message)])


def _sign_off(answer: Response) -> Response:
    answer.headers["API-Version"] = API_VERSION
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    log.info(
        "request",
        method=request.method,
        route=request.url_rule.rule if request.url_rule else "unmatched",
        status=answer.status_code,
        correlation=g.get("correlation"),
    )
    return answer


# -- errors --------------------------------------------------------------------------------------

_ANSWERS: Final[dict[type[Exception], tuple[HTTPStatus, DcsaError]]] = {
    NotKnown: (HTTPStatus.UNAUTHORIZED, DcsaError.NOT_ALLOWED),
    BadSignature: (HTTPStatus.BAD_REQUEST, DcsaError.NOT_ALLOWED),
    NumberTaken: (HTTPStatus.CONFLICT, DcsaError.CONFLICT),
    AnsweredBefore: (HTTPStatus.CONFLICT, DcsaError.CONFLICT),
    UnknownRequest: (HTTPStatus.NOT_FOUND, DcsaError.NOT_FOUND),
    UnknownDocument: (HTTPStatus.NOT_FOUND, DcsaError.NOT_FOUND),
    InDoubt: (HTTPStatus.SERVICE_UNAVAILABLE, DcsaError.UNAVAILABLE),
    NotProven: (HTTPStatus.SERVICE_UNAVAILABLE, DcsaError.UNAVAILABLE),
    Refused: (HTTPStatus.SERVICE_UNAVAILABLE, DcsaError.UNAVAILABLE),
    Unreachable: (HTTPStatus.SERVICE_UNAVAILABLE, DcsaError.UNAVAILABLE),
}


def _answering(status: HTTPStatus, code: DcsaError) -> Callable[[Exception], Response]:
    def answer(error: Exception) -> Response:
        named = getattr(error, "code", None)
        text = str(named) if isinstance(named, str) else code.name.lower().replace("_", " ")
        return _refusal(status, [DetailedError(code=code, text=text, message=str(error))])

    return answer


def _rejected(error: Rejected) -> Response:
    """The law does not allow this answer. Unless there is one already, another may follow."""
    answered = error.code in ANSWERED_ELSEWHERE
    status, code = (
        (HTTPStatus.CONFLICT, DcsaError.CONFLICT)
        if answered
        else (HTTPStatus.BAD_REQUEST, DcsaError.NOT_ALLOWED)
    )
    pointer = "/action" if error.code == errors.NotSupported.code else None
    fault = DetailedError(code=code, text=error.code, message=str(error), pointer=pointer)
    return _refusal(status, [fault])


def _format_error(error: PintFormatError) -> Response:
    return _refusal(HTTPStatus.BAD_REQUEST, malformed(error.problems))


def _http_error(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or 500)
    codes = {404: DcsaError.NOT_FOUND, 405: DcsaError.NOT_FOUND, 413: DcsaError.TOO_LARGE}
    code = codes.get(status, DcsaError.MALFORMED)
    message = error.description or status.phrase
    return _refusal(status, [DetailedError(code=code, text=status.phrase, message=message)])


def _unexpected(error: Exception) -> Response:
    log.error("request failed", exc_info=error, correlation=g.get("correlation"))
    message = "the gateway failed; its log says more. Nothing is known to be done: send it again"
    fault = DetailedError(code=DcsaError.UNAVAILABLE, text="internal", message=message)
    return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, [fault])


def _refusal(status: HTTPStatus, faults: Any) -> Response:
    body = error_response(
        status,
        faults,
        method=request.method,
        uri=request.path,
        at=_doors().desk.now(),
        correlation=g.get("correlation"),
    )
    answer = Response(json.dumps(body), status, content_type="application/json")
    if status is HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = RETRY_AFTER
    return answer
