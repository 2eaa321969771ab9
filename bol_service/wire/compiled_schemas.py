"""marshmallow schemas as plain functions, for values that are nearly always well formed.

marshmallow walks through its fields and validators for every value, which takes most of the time
that reading an event takes. `read` does what `Schema.load` does, for the kinds of fields and
validators that events are made of, and says only yes or no:

1. a function is made of the schemas of `event_schemas` themselves, once: there is no second
   description. Its text checks one member after the other (`_Reader`); what it calls is named in
   `_Names`. Nothing of a value ever comes into that text;
2. what it has no short way for (a field, a validator) is asked of marshmallow's own object;
3. what is refused (`REFUSED`) has to be read by marshmallow, whose answer and words count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate
from marshmallow.decorators import POST_LOAD

from bol_service.wire.event_fields import (
    UNBLANK,
    Checked,
    ClosedSchema,
    Instant,
    StrictInteger,
    Text,
    Truth,
    Tuple,
    instant,
)

Read = Callable[[Any], Any]
Lines = list[str]

_REMEMBERED: Final = 4096
REFUSED: Final = object()


class OnlyMarshmallow(Exception):  # noqa: N818 - says who can do it
    """The schema has something that the short cut leaves to marshmallow."""


class _No(ValueError):  # noqa: N818 - never leaves this module
    """Not to be taken without marshmallow."""


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
    reader = _Reader()
    for name, field in schema.load_fields.items():
        reader.member(name, field)
    return reader.made(build)


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


# -- the text of a function ------------------------------------------------------------------------


class _Names(dict[str, object]):
    """What the text of a function refers to."""

    def __init__(self) -> None:
        super().__init__(missing=missing, No=_No)

    def of(self, value: object) -> str:
        name = f"n{len(self)}"
        self[name] = value
        return name


class _Reader:
    """The function of one schema, while it is written."""

    def __init__(self) -> None:
        self._names = _Names()
        self._required: Lines = []
        self._optional: Lines = []
        self._found: Lines = []

    def member(self, name: str, field: fields.Field[Any]) -> None:
        if field.load_default is not missing or field.pre_load or field.post_load:
            raise OnlyMarshmallow
        key = field.data_key if field.data_key is not None else name
        place = f"v{len(self._required) + len(self._optional)}"
        taken = f"{place} = get({key!r}, missing)"
        checks = list(_value(field, place, self._names))
        if field.allow_none:
            checks = [f"if {place} is not None:", *_indented(checks or ["pass"])]
        member = f"{field.attribute or name!r}"
        if field.required:
            self._required += [taken, *checks]
            self._found.append(f"{member}: {place}")
            return
        kept = [*checks, f"found[{member}] = {place}", "optional += 1"]
        self._optional += [taken, f"if {place} is not missing:", *_indented(kept)]

    def made(self, build: Read | None) -> Read:
        """A value is taken if it has all members that are required and no unknown one."""
        result = "found" if build is None else f"{self._names.of(build)}(found)"
        lines = [
            "if type(value) is not dict: raise No",
            "get, optional = value.get, 0",
            *self._required,
            f"found = {{{', '.join(self._found)}}}",
            *self._optional,
            f"if len(value) != {len(self._found)} + optional: raise No",
            f"return {result}",
        ]
        return self._names_in("\n".join(["def read_object(value):", *_indented(lines)]))

    def _names_in(self, text: str) -> Read:
        # Of a class derived from dict, Python would look up each name the long way.
        names: dict[str, object] = dict(self._names)
        exec(text, names)  # noqa: S102 - written above, of names and numbers alone
        made = names["read_object"]
        assert callable(made)
        return made


def _indented(lines: Lines) -> Lines:
    return [f"    {line}" for line in lines]


# -- one member ------------------------------------------------------------------------------------


def _value(field: fields.Field[Any], place: str, names: _Names) -> Iterator[str]:
    """Lines that check the value at `place`, which may be `missing`, and put there what is read."""
    kind = type(field)
    if kind in (fields.String, Text, Checked):
        yield f"if type({place}) is not str: raise No"
        if isinstance(field, Checked):
            # The same few names come again and again; what a check refuses is never remembered.
            yield f"{names.of(lru_cache(maxsize=_REMEMBERED)(field.check))}({place})"
        yield from _checks(field, place, names)
    elif kind is StrictInteger:
        yield f"if type({place}) is not int: raise No"
        yield from _checks(field, place, names)
    elif kind is Truth and not field.validators:
        yield f"if type({place}) is not bool: raise No"
    elif kind is fields.Dict and not field.validators and _takes_anything(field):
        yield f"if type({place}) is not dict: raise No"
    elif kind is Instant and not field.validators:
        yield f"if type({place}) is not str: raise No"
        yield f"{place} = {names.of(instant)}({place})"
    else:
        yield f"if {place} is missing: raise No"
        yield from _composed(field, place, names)


def _composed(field: fields.Field[Any], place: str, names: _Names) -> Iterator[str]:
    if type(field) is Tuple and type(field.inner) is not Tuple:
        item = list(_value(field.inner, "item", names))
        inner = [*item, "append(item)"]
        yield f"if type({place}) is not list: raise No"
        yield from _checks(field, place, names)
        yield "items = []; append = items.append"
        yield f"for item in {place}:"
        yield from _indented(inner)
        yield f"{place} = tuple(items)"
    elif type(field) is fields.Nested and not field.validators:
        if field.unknown is not None:
            raise OnlyMarshmallow
        yield f"{place} = {names.of(_object(field.schema))}({place})"
    else:
        yield f"{place} = {names.of(field.deserialize)}({place})"


def _takes_anything(field: Any) -> bool:
    return field.key_field is None and field.value_field is None


# -- validators ------------------------------------------------------------------------------------


def _checks(field: fields.Field[Any], place: str, names: _Names) -> Iterator[str]:
    """The validators without the words they would have for what they refuse."""
    for validator in field.validators:
        kind: Any = type(validator)
        asked: Any = validator
        if kind is validate.Length and asked.equal is None:
            yield _between(asked.min or 0, f"len({place})", asked.max)
        elif kind is validate.Range and asked.min_inclusive and asked.max_inclusive:
            yield _between(asked.min, place, asked.max)
        elif kind is validate.Regexp and asked.regex is UNBLANK:
            # An expression that begins with what may be repeated walks through the whole text.
            yield f"if not {place} or {place}[0].isspace() or {place}[-1].isspace(): raise No"
            yield f"if '\\n' in {place}: raise No"
        elif kind is validate.Regexp:
            yield f"if {names.of(asked.regex.match)}({place}) is None: raise No"
        else:
            yield f"{names.of(asked)}({place})"


def _between(least: Any, measured: str, most: Any) -> str:
    if type(least) is not int or type(most) is not int:
        raise OnlyMarshmallow
    return f"if not {least!r} <= {measured} <= {most!r}: raise No"
