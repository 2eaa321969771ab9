"""The schemas of signed events as plain functions, for what is well formed (docs/adr/0031).

marshmallow describes each message and says what is wrong with it; looking at a right one through
its machinery takes several times as long as all that is looked at. `read` therefore goes through
the same fields and validators without it:

1. what it gives is what `Schema.load` gives; of a field that it does not know it asks the field;
2. what it does not like it gives back as `REFUSED`, and marshmallow is asked, whose word counts;
3. a schema with hooks that it does not know is always left to marshmallow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate
from marshmallow.decorators import POST_LOAD

from bol_service.wire.event_fields import (
    Checked,
    ClosedSchema,
    Instant,
    StrictInteger,
    Text,
    Tuple,
    instant,
)

Read = Callable[[Any], Any]
Check = Callable[[Any], object]

_REMEMBERED: Final = 4096
REFUSED: Final = object()
_MISSING: Final = object()


class OnlyMarshmallow(Exception):  # noqa: N818 - says who can do it
    """The schema has something that the short cut leaves to marshmallow."""


class _No(ValueError):  # noqa: N818 - never leaves this module
    """Not to be taken without marshmallow."""


class _Member(NamedTuple):
    key: str
    name: str
    required: bool
    read: Read


def read(schema: type[ClosedSchema], value: object) -> Any:
    """What `schema().load(value)` gives, or `REFUSED`."""
    compiled = _compiled(schema)
    if compiled is None:
        return REFUSED
    try:
        return compiled(value)
    except (ValueError, ValidationError):
        return REFUSED


@cache
def _compiled(schema: type[ClosedSchema]) -> Read | None:
    try:
        return _object(schema())
    except OnlyMarshmallow:
        return None


def _object(schema: Schema) -> Read:
    """Raises OnlyMarshmallow for what only marshmallow can do."""
    if schema.unknown != RAISE or schema.many or schema.partial:
        raise OnlyMarshmallow
    build = _builder(schema)
    members = tuple(_member(name, field) for name, field in schema.load_fields.items())

    def read_object(value: Any) -> Any:
        if type(value) is not dict:
            raise _No
        found: dict[str, Any] = {}
        seen = 0
        for key, name, required, read_member in members:
            raw = value.get(key, _MISSING)
            if raw is not _MISSING:
                found[name] = read_member(raw)
                seen += 1
            elif required:
                raise _No
        if seen != len(value):
            raise _No
        return found if build is None else build(found)

    return read_object


def _builder(schema: Schema) -> Read | None:
    hooks = {kind: found for kind, found in schema._hooks.items() if found}
    if not hooks:
        return None
    if hooks.keys() != {POST_LOAD} or len(hooks[POST_LOAD]) != 1:
        raise OnlyMarshmallow
    [(name, many, options)] = hooks[POST_LOAD]
    if many or options.get("pass_original"):
        raise OnlyMarshmallow
    build: Read = getattr(schema, name)
    return build


def _member(name: str, field: fields.Field[Any]) -> _Member:
    if field.load_default is not missing or field.pre_load or field.post_load:
        raise OnlyMarshmallow
    read_value = _value(field)
    if field.allow_none:
        read_value = _or_none(read_value)
    key = field.data_key if field.data_key is not None else name
    return _Member(key=key, name=field.attribute or name, required=field.required, read=read_value)


def _or_none(read_value: Read) -> Read:
    return lambda value: None if value is None else read_value(value)


def _value(field: fields.Field[Any]) -> Read:
    kind = type(field)
    if kind in (fields.String, Text):
        return _text(_checks(field))
    if kind is Checked:
        assert isinstance(field, Checked)
        # The same few names come again and again; what a check refuses is never remembered.
        return _text((lru_cache(maxsize=_REMEMBERED)(field.check), *_checks(field)))
    if kind is StrictInteger:
        return _integer(_checks(field))
    if kind is Instant:
        return _instant(_checks(field))
    if kind is fields.Dict and not _checks(field) and _takes_anything(field):
        return _dict
    if kind is Tuple:
        assert isinstance(field, Tuple)
        return _tuple(_value(field.inner), _checks(field))
    if kind is fields.Nested and not _checks(field):
        assert isinstance(field, fields.Nested)
        return _nested(field)
    return lambda value: field.deserialize(value)


def _nested(field: fields.Nested) -> Read:
    if field.unknown is not None:
        raise OnlyMarshmallow
    return _object(field.schema)


def _takes_anything(field: Any) -> bool:
    return field.key_field is None and field.value_field is None


def _text(checks: tuple[Check, ...]) -> Read:
    if len(checks) == 1:
        return _text_with(checks[0])

    def read_text(value: Any) -> Any:
        if type(value) is not str:
            raise _No
        for check in checks:
            check(value)
        return value

    return read_text


def _text_with(check: Check) -> Read:
    def read_text(value: Any) -> Any:
        if type(value) is not str:
            raise _No
        check(value)
        return value

    return read_text


def _integer(checks: tuple[Check, ...]) -> Read:
    def read_integer(value: Any) -> Any:
        if type(value) is not int:
            raise _No
        for check in checks:
            check(value)
        return value

    return read_integer


def _instant(checks: tuple[Check, ...]) -> Read:
    if checks:
        raise OnlyMarshmallow

    def read_instant(value: Any) -> Any:
        if type(value) is not str:
            raise _No
        return instant(value)

    return read_instant


def _dict(value: Any) -> Any:
    if type(value) is not dict:
        raise _No
    return value


def _tuple(inner: Read, checks: tuple[Check, ...]) -> Read:
    def read_tuple(value: Any) -> Any:
        if type(value) is not list:
            raise _No
        for check in checks:
            check(value)
        return tuple([inner(item) for item in value])

    return read_tuple


# -- validators ------------------------------------------------------------------------------------


def _checks(field: fields.Field[Any]) -> tuple[Check, ...]:
    return tuple(_check(validator) for validator in field.validators)


def _check(validator: Any) -> Check:
    """The validator without the words it would have for what it refuses."""
    if type(validator) is validate.Length and validator.equal is None:
        return _between(validator.min or 0, validator.max, len)
    if type(validator) is validate.Range and validator.min_inclusive and validator.max_inclusive:
        return _between(validator.min, validator.max, None)
    check: Check = validator
    return check


def _between(least: Any, most: Any, measure: Read | None) -> Check:
    if least is None or most is None:
        raise OnlyMarshmallow

    def check(value: Any) -> None:
        size = value if measure is None else measure(value)
        if size < least or size > most:
            raise _No

    return check
