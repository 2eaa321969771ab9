"""The kinds of members that signed events are made of.

Each field takes exactly one spelling: an instant is UTC with milliseconds and `Z`, a digest 64
lower-case hex digits, a party its slug. Messages tell the value that was sent and the form wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from bol_service.crypto import base64url
from bol_service.crypto.keys import PublicKey
from bol_service.domain import identifiers

INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
UNBLANK = re.compile(r"\S(?:.*\S)?\Z")
PARTY_NAME_FORM = rf"(?:[A-Z0-9]{{2,4}}:)?{identifiers.SLUG_FORM}"


def instant(text: str) -> datetime:
    """Read `2027-03-05T08:00:00.000Z`; raises ValueError for any other spelling."""
    if not INSTANT.fullmatch(text):
        raise ValueError(f"{text!r} is not an instant like 2027-03-05T08:00:00.000Z")
    if text.startswith("24", 11):  # which later versions of Python take for the next midnight
        raise ValueError("hour must be in 0..23")
    return datetime.fromisoformat(text)


def instant_text(moment: datetime) -> str:
    """The one spelling of a UTC instant; what is below a millisecond is dropped."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Text(fields.String):
    """Text of a person: 1 to `limit` characters, no blank at either end."""

    def __init__(self, limit: int, **options: Any) -> None:
        super().__init__(
            validate=[
                validate.Length(1, limit),
                validate.Regexp(UNBLANK, error="begins or ends with a blank"),
            ],
            **options,
        )


class Checked(fields.String):
    """A string that `check` accepts (it raises ValueError with what is wrong).

    `form` is what a published schema can say of it, a pattern for the whole text.
    """

    def __init__(self, check: Callable[[str], object], form: str, **options: Any) -> None:
        described = {"json_schema": {"type": "string", "pattern": f"^(?:{form})$"}}
        super().__init__(metadata=described, **options)
        self.check = check

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        try:
            self.check(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return text


def slug(**options: Any) -> Checked:
    return Checked(identifiers.check_slug, identifiers.SLUG_FORM, **options)


def party_name(**options: Any) -> Checked:
    """A slug, or `CODE:slug` for a party of another platform."""
    return Checked(check_party_name, PARTY_NAME_FORM, **options)


def check_party_name(text: str) -> None:
    code, colon, slug_ = text.rpartition(":")
    if colon and not re.fullmatch(r"[A-Z0-9]{2,4}", code):
        raise ValueError(f"{code!r} is not a platform code of 2 to 4 capitals and digits")
    identifiers.check_slug(slug_)


def container(**options: Any) -> Checked:
    return Checked(identifiers.check_container, identifiers.CONTAINER_FORM, **options)


def unlocode(**options: Any) -> Checked:
    return Checked(identifiers.check_unlocode, identifiers.UNLOCODE_FORM, **options)


def digest(**options: Any) -> fields.String:
    return fields.String(
        validate=validate.Regexp(r"[0-9a-f]{64}\Z", error="is not a lower-case hex SHA-256"),
        **options,
    )


def uuid7(**options: Any) -> fields.String:
    form = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z"
    return fields.String(
        validate=validate.Regexp(form, error="is not a lower-case UUIDv7"), **options
    )


class Secret(fields.String):
    """base64url of 16 to 64 random bytes (at least 128 bits, so that it cannot be guessed)."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        try:
            size = len(base64url.decode(text))
        except ValueError as error:
            raise ValidationError(str(error)) from None
        if not 16 <= size <= 64:
            raise ValidationError(f"has {size} bytes, 16 to 64 are allowed")
        return text


def _described(schema: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Field options with what a published schema says of the field."""
    return {"metadata": {"json_schema": schema}, **options}


class Instant(fields.Field[datetime]):
    def __init__(self, **options: Any) -> None:
        form = {"type": "string", "pattern": f"^{INSTANT.pattern}$", "format": "date-time"}
        super().__init__(**_described(form, options))

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> datetime:
        try:
            return instant(value if isinstance(value, str) else "")
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Day(fields.Field[date]):
    def __init__(self, **options: Any) -> None:
        super().__init__(**_described({"type": "string", "format": "date"}, options))

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> date:
        if not isinstance(value, str) or not DAY.fullmatch(value):
            raise ValidationError(f"{value!r} is not a date like 2027-03-05")
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class StrictInteger(fields.Integer):
    """A JSON integer from 0; never a boolean or a string of digits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(0, 2**53 - 1), **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        if type(value) is not int:
            raise ValidationError(f"{value!r} is not an integer")
        return super()._deserialize(value, attr, data, **kwargs)


class Truth(fields.Boolean):
    """`true` or `false`, nothing that merely looks like it."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bool:
        if not isinstance(value, bool):
            raise ValidationError(f"{value!r} is neither true nor false")
        return value


class Tuple(fields.List[Any]):
    """An array of `least` to `most` members, read as a tuple."""

    def __init__(self, inner: Any, *, least: int = 0, most: int = 1000, **options: Any) -> None:
        super().__init__(inner, validate=validate.Length(least, most), **options)

    def _deserialize(self, *args: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(*args, **kwargs))


class Jwk(fields.Field[PublicKey]):
    """A public key as JWK with its required members only."""

    def __init__(self, **options: Any) -> None:
        coordinate = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}
        kinds = [
            _jwk({"kty": "OKP", "crv": "Ed25519"}, {"x": coordinate}),
            _jwk({"kty": "EC", "crv": "P-256"}, {"x": coordinate, "y": coordinate}),
        ]
        super().__init__(**_described({"oneOf": kinds}, options))

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> PublicKey:
        try:
            return PublicKey.from_jwk(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


def _jwk(fixed: dict[str, str], coordinates: dict[str, Any]) -> dict[str, Any]:
    constants = {name: {"const": value} for name, value in fixed.items()}
    properties = {**constants, **coordinates}
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


class ClosedSchema(Schema):
    """Unknown members are refused, null is no value, strings are strings."""

    class Meta:
        unknown = RAISE
