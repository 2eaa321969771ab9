"""Errors on the wire: RFC 9457 problem details, with the codes of `http.codes`.

Every answer that is not a success is made here, so that no other code can come out.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g, json, request
from werkzeug.exceptions import HTTPException

from bol_service.application.access_tokens import NotAuthenticated
from bol_service.application.ledger_queries import NotInLog
from bol_service.application.ports import Unavailable
from bol_service.application.rates import TooMany
from bol_service.application.sequencer import Busy, Uncertain
from bol_service.copy.faults import Busy as CopiesBusy
from bol_service.domain import errors
from bol_service.http.codes import CATALOGUE, TRANSPORT
from bol_service.wire.document import DocumentError

PROBLEM = "application/problem+json"
# Every code has a page there; `type` is its address (RFC 9457, 3.1.1).
PAGES = "/docs/errors"


_BY_STATUS = {entry.status: entry.code for entry in TRANSPORT if entry.status != 422} | {
    404: errors.NotFound.code,
    422: "invalid_query",
}


def problem(code: str, detail: str, **more: Any) -> Response:
    """The problem answer of a catalogue code."""
    return _response(problem_body(code, detail, **more))


def problem_body(code: str, detail: str, **more: Any) -> dict[str, Any]:
    """The members of a problem (RFC 9457)."""
    entry = CATALOGUE[code]
    return {
        "type": f"{PAGES}/{code}",
        "title": entry.title,
        "status": entry.status,
        "code": code,
        "detail": detail,
        "nextStep": entry.next_step,
        "requestId": g.get("request_id", ""),
        **{name: value for name, value in more.items() if value is not None},
    }


def register(app: Flask) -> None:
    """Answer every failure of `app` as a problem."""
    app.register_error_handler(errors.Refusal, _refusal)
    app.register_error_handler(NotInLog, _not_in_log)
    app.register_error_handler(DocumentError, _document)
    app.register_error_handler(NotAuthenticated, _not_authenticated)
    app.register_error_handler(TooMany, _too_many)
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(CopiesBusy, _busy)
    app.register_error_handler(Uncertain, _uncertain)
    app.register_error_handler(Unavailable, _unavailable)
    app.register_error_handler(HTTPException, http_exception)
    app.register_error_handler(Exception, _unexpected)


def http_exception(error: HTTPException) -> Response:
    """A refusal by the HTTP machinery; headers such as Allow and Retry-After are kept."""
    status = error.code or 500
    code = _BY_STATUS.get(status, "bad_request" if status < 500 else "internal")
    answer = problem(code, _detail(error, status))
    for name, value in error.get_headers(request.environ):
        if name.lower() in ("allow", "retry-after", "www-authenticate"):
            answer.headers[name] = value
    return answer


def _detail(error: HTTPException, status: int) -> str:
    data = getattr(error, "data", None)
    if data and data.get("messages"):  # webargs: which parameter, and why
        return json.dumps(data["messages"], ensure_ascii=False, sort_keys=True)
    came, most = request.content_length or 0, request.max_content_length
    if status == 413 and most is not None and came > most:
        return f"{came} bytes came, at most {most} are read"
    if status >= 500:
        return HTTPStatus(status).phrase
    return error.description or HTTPStatus(status).phrase


def refusal_body(error: errors.Refusal) -> dict[str, Any]:
    """The problem that a refusal is."""
    # An unknown thing and a forbidden one must look alike, to the byte.
    if isinstance(error, errors.NotFound):
        return problem_body(error.code, error.title)
    return problem_body(error.code, error.message, pointer=error.pointer)


def _refusal(error: errors.Refusal) -> Response:
    return _response(refusal_body(error))


def _response(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), body["status"], content_type=PROBLEM)


def _not_in_log(error: NotInLog) -> Response:
    return problem("not_in_log", str(error))


def _document(error: DocumentError) -> Response:
    found = [
        {"pointer": entry.pointer, "rule": entry.rule, "message": entry.message}
        for entry in error.problems
    ]
    return problem("bad_document", f"{len(found)} rules are broken", errors=found)


def _not_authenticated(error: NotAuthenticated) -> Response:
    answer = problem("not_authenticated", str(error))
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _too_many(error: TooMany) -> Response:
    return _later("too_many_requests", str(error), error.retry_after)


def _busy(error: Busy | CopiesBusy) -> Response:
    return _later("busy", str(error), error.retry_after)


def _uncertain(error: Uncertain) -> Response:
    return _later("uncertain", str(error), error.retry_after)


def _unavailable(error: Unavailable) -> Response:
    structlog.get_logger().error("database unavailable", error=str(error))
    told = "the database does not answer; the service's log says more"
    return _later("unavailable", told, error.retry_after)


def _later(code: str, detail: str, seconds: int) -> Response:
    answer = problem(code, detail)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _unexpected(error: Exception) -> Response:
    structlog.get_logger().error("request failed", error=repr(error), exc_info=error)
    return problem("internal", "an unexpected failure; see the service's log")
