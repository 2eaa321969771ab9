"""The kinds of members that PINT messages are made of, and how they are read (DCSA PINT 3.0).

- Reading is as strict as the published schema and no stricter: a member is absent or has a value of
  its type, lengths count code points, patterns match the whole text.
- Every schema is open. Unknown members are ignored here; they stay in what was signed or hashed,
  since checksums are taken over the received text or value, never over what is read from it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from marshmallow import ValidationError

from bol_service.crypto import strictjson
from bol_service.wire.transport_document_fields import Member, Text
from bol_service.wire.transport_document_forms import UNBROKEN, Form
from bol_service.wire.transport_document_problem import Problem, flatten

CHECKSUM: Final = Form(r"[0-9a-f]{64}", "a SHA-256 in 64 lower-case hexadecimal digits")
COMPACT_JWS_FORM: Final = r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"
COMPACT_JWS: Final = Form(COMPACT_JWS_FORM, "a compact JWS")
COUNTRY_CODE: Final = Form(r"[A-Z]{2}", "a country code of two capital letters")
URI: Final = Form(
    r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", "an absolute URI (RFC 3986)"
)


class PintFormatError(ValueError):
    """A message is not what the standard describes; `problems` tells every reason."""

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{first.pointer or 'the message'} {first.message}{more}")
        self.problems = problems


def checksum(*, required: bool = False) -> Text:
    return Text(form=CHECKSUM, required=required)


def compact_jws(*, required: bool = False) -> Text:
    return Text(form=COMPACT_JWS, required=required)


def platform_code(*, required: bool = False) -> Text:
    return Text(4, UNBROKEN, required=required)


def load(schema: type[Member], value: object) -> Any:
    """What the schema makes of a JSON value; raises PintFormatError."""
    try:
        return _instance(schema).load(value)  # type: ignore[arg-type]  # it judges the type itself
    except ValidationError as error:
        raise PintFormatError(list(flatten(error.messages))) from None


def load_body(schema: type[Member], body: bytes) -> Any:
    """Of the bytes of a request or an answer; raises PintFormatError."""
    return load(schema, json_value(body))


def json_value(body: bytes) -> object:
    """Raises PintFormatError."""
    try:
        return strictjson.loads_document(body)
    except strictjson.BadJson as error:
        problem = Problem(pointer=error.pointer or "", rule="json", message=error.reason)
        raise PintFormatError([problem]) from None


@cache
def _instance(schema: type[Member]) -> Member:
    return schema()
