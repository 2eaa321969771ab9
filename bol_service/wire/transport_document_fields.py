"""The kinds of members a transport document is made of.

Strict readings, because what is signed must mean the same to everyone:
- a text is a JSON string, a flag is true or false, a count is an integer without a fraction;
- a number is an integer or a float, never a boolean;
- a day is YYYY-MM-DD and exists in the calendar; a moment has a zone;
- a member is absent or has a value: null is refused;
- unknown members are kept, as later editions of the standard may add some.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, ClassVar, Final, cast

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate, validates_schema

from bol_service.wire.transport_document_forms import Between, Choice, Decimals, Form, Size
from bol_service.wire.transport_document_problem import broken

DAY_FORM: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
MOMENT_FORM: Final = (
    rf"{DAY_FORM}[Tt][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]+)?([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})"
)

_MISSING: Final = {
    "required": broken("required", "is missing; add it"),
    "null": broken("type", "is null; give a value or leave the member out"),
}


_WRONG_TYPE: Final = {"type": broken("type", "is not an object")}


def _messages(wanted: str) -> dict[str, str | list[Any] | dict[Any, Any]]:
    text = broken("type", f"is not {wanted}")
    return {**_MISSING, "invalid": text, "type": text, "invalid_utf8": text, "too_large": text}


class Text(fields.String):
    """A string of at most `most` characters, in the given form."""

    default_error_messages = _messages("a text")

    def __init__(
        self, most: int | None = None, form: Form | None = None, *, required: bool = False
    ) -> None:
        limits = [] if most is None else [Size(max=most)]
        super().__init__(required=required, validate=[*limits, *([form] if form else [])])


class Code(fields.String):
    """One code of a closed list."""

    default_error_messages = _messages("a text")

    def __init__(self, *choices: str, required: bool = False) -> None:
        super().__init__(required=required, validate=Choice(choices))


class Flag(fields.Boolean):
    default_error_messages = _messages("true or false")

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> bool:
        if value is True or value is False:
            return bool(value)
        raise self.make_error("invalid")


class Count(fields.Integer):
    default_error_messages = _messages("an integer")

    def __init__(
        self, at_least: int | None = None, at_most: int | None = None, *, required: bool = False
    ) -> None:
        bounded = at_least is not None or at_most is not None
        limits = [Between(min=at_least, max=at_most)] if bounded else []
        super().__init__(required=required, validate=limits)

    def _validated(self, value: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid")
        return value


class Amount(fields.Float):
    """A JSON number, kept as the integer or float it came as."""

    default_error_messages = _messages("a number")

    def __init__(
        self,
        at_least: int | None = None,
        at_most: int | None = None,
        *,
        above: int | None = None,
        decimals: int | None = None,
        required: bool = False,
    ) -> None:
        limits: list[validate.Validator] = []
        if above is not None:
            limits.append(Between(min=above, min_inclusive=False))
        elif at_least is not None or at_most is not None:
            limits.append(Between(min=at_least, max=at_most))
        if decimals is not None:
            limits.append(Decimals(decimals))
        super().__init__(required=required, validate=limits)

    def _validated(self, value: Any) -> float:
        if type(value) not in (int, float) or not math.isfinite(value):
            raise self.make_error("invalid")
        return cast(float, value)


class Day(fields.Date):
    default_error_messages = _messages("a date such as 2027-03-01")

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> date:
        found = day(value)
        if found is None:
            raise self.make_error("invalid")
        return found


class Moment(fields.AwareDateTime):
    default_error_messages = _messages("a date and time with zone such as 2027-03-01T08:00:00Z")

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> datetime:
        if not isinstance(value, str) or re.fullmatch(MOMENT_FORM, value) is None:
            raise self.make_error("invalid")
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError:
            raise self.make_error("invalid") from None


class One(fields.Nested):
    """An object of the given schema."""

    default_error_messages = _messages("an object")

    def __init__(self, schema: Any, *, required: bool = False) -> None:
        super().__init__(schema, required=required, unknown=INCLUDE)


MOST_BROKEN: Final = 100


class Several(fields.List[Any]):
    """A list whose order is kept.

    Of entries that break a rule the first hundred are told, and then no more are read: a document
    of a megabyte can hold so many that judging them would hold up everybody else for half a minute.
    """

    default_error_messages = _messages("a list")

    def __init__(
        self,
        inner: fields.Field[Any],
        *,
        at_least: int | None = None,
        at_most: int | None = None,
        required: bool = False,
    ) -> None:
        bounded = at_least is not None or at_most is not None
        limits = [Size(min=at_least, max=at_most)] if bounded else []
        super().__init__(inner, required=required, validate=limits)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        read: list[Any] = []
        wrong: dict[int, Any] = {}
        for number, entry in enumerate(value):
            try:
                read.append(self.inner.deserialize(entry, **kwargs))
            except ValidationError as error:
                wrong[number] = error.messages
            if len(wrong) == MOST_BROKEN:
                break
        if wrong:
            raise ValidationError(cast(Any, wrong), valid_data=read)
        return read


class Member(Schema):
    """An object inside a transport document; members it does not know are kept."""

    error_messages = _WRONG_TYPE

    class Meta:
        unknown = INCLUDE


class Alternative(Member):
    """An object that must have one of the named members, or exactly one of them."""

    one_of: ClassVar[Sequence[str]] = ()
    any_of: ClassVar[Sequence[str]] = ()

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _alternatives(self, _data: Any, original: Any, **_kwargs: Any) -> None:
        if not isinstance(original, dict):
            return
        present = [name for name in (*self.one_of, *self.any_of) if name in original]
        if self.one_of and len(present) != 1:
            raise ValidationError(
                broken("one-of", f"has {_listed(present)}; give one of {_listed(self.one_of)}")
            )
        if self.any_of and not present:
            raise ValidationError(
                broken("any-of", f"has none of {_listed(self.any_of)}; give at least one")
            )


def day(value: object) -> date | None:
    """The calendar day that a text states, None if it states none."""
    if not isinstance(value, str) or re.fullmatch(DAY_FORM, value) is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) if names else "none"
