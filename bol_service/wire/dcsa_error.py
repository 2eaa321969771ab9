"""DCSA's `ErrorResponse`: how every unsigned refusal is told on DCSA routes.

- `errorCode` is ours to give between 7000 and 9999; see `DcsaError`.
- Texts are cut to the lengths of the standard; a place is told as JSON path.
- `ErrorResponseSchema` is what we promise of it, for `schemas/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from http import HTTPStatus
from typing import Any

from marshmallow import fields, validate

from bol_service.wire.event_fields import instant_text
from bol_service.wire.transport_document_fields import Code, Member, Moment, One, Several, Text
from bol_service.wire.transport_document_problem import Problem


class DcsaError(IntEnum):
    """Our meanings of `errorCode`."""

    MALFORMED = 7000
    NOT_FOUND = 7001
    CONFLICT = 7002
    NOT_ALLOWED = 7003
    TOO_LARGE = 7004
    UNAVAILABLE = 7005


@dataclass(frozen=True, kw_only=True)
class DetailedError:
    """`pointer` is RFC 6901, None where the error has no place."""

    code: DcsaError
    text: str
    message: str
    pointer: str | None = None

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "errorCode": int(self.code),
            "errorCodeText": self.text[:100],
            "errorCodeMessage": self.message[:5000],
        }
        if self.pointer:
            value["property"] = _unescaped(self.pointer.rpartition("/")[2])[:100]
            value["jsonPath"] = json_path(self.pointer)[:500]
        return value


class DetailedErrorSchema(Member):
    errorCode = fields.Integer(
        required=True, strict=True, validate=validate.Range(min=7000, max=9999)
    )
    property = Text(100)
    jsonPath = Text(500)
    errorCodeText = Text(100, required=True)
    errorCodeMessage = Text(5000, required=True)


class ErrorResponseSchema(Member):
    httpMethod = Code("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", required=True)
    requestUri = Text(required=True)
    statusCode = fields.Integer(required=True, strict=True)
    statusCodeText = Text(50, required=True)
    statusCodeMessage = Text(200)
    providerCorrelationReference = Text(100)
    errorDateTime = Moment(required=True)
    errors = Several(One(DetailedErrorSchema), at_least=1, required=True)


def malformed(problems: Sequence[Problem]) -> tuple[DetailedError, ...]:
    return tuple(
        DetailedError(
            code=DcsaError.MALFORMED,
            text=f"breaks {problem.rule}",
            message=problem.message,
            pointer=problem.pointer,
        )
        for problem in problems
    )


def error_response(
    status: HTTPStatus,
    errors: Sequence[DetailedError],
    *,
    method: str,
    uri: str,
    at: datetime,
    correlation: str | None = None,
) -> dict[str, Any]:
    """`errors` has at least one; the first speaks for all in `statusCodeMessage`."""
    value: dict[str, Any] = {
        "httpMethod": method,
        "requestUri": uri,
        "statusCode": int(status),
        "statusCodeText": status.phrase[:50],
        "statusCodeMessage": errors[0].message[:200],
        "errorDateTime": instant_text(at),
        "errors": [error.to_json() for error in errors],
    }
    if correlation is not None:
        value["providerCorrelationReference"] = correlation[:100]
    return value


def json_path(pointer: str) -> str:
    """RFC 9535 path of an RFC 6901 pointer: `/a/0/b` is `$.a[0].b`."""
    steps = [_unescaped(step) for step in pointer.split("/")[1:]]
    return "$" + "".join(_step(step) for step in steps)


def _step(step: str) -> str:
    if step.isdecimal():
        return f"[{step}]"
    if step.isidentifier():
        return f".{step}"
    quoted = step.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{quoted}']"


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")
