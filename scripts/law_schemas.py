"""The marshmallow classes of what is signed, as data for another engine.

A class of field or validator that has no table raises TypeError: it needs one here and a reader in
`verifier/schemas.js`.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from marshmallow import INCLUDE, Schema, fields, validate

from bol_service.domain import events
from bol_service.wire import event_fields, transport_document_fields

Json = dict[str, Any]


class Schemas:
    """The marshmallow classes as data: what each member is called, and what it must be.

    `open` are those that let members pass which they do not know.
    """

    def __init__(self) -> None:
        self.found: Json = {}
        self.open: list[str] = []

    def add(self, schema: type[Schema]) -> str:
        name = schema.__name__
        if name not in self.found:
            if schema().unknown == INCLUDE:
                self.open.append(name)
            self.found[name] = {}
            self.found[name] = {
                field.data_key or attribute: self._member(attribute, field)
                for attribute, field in schema().fields.items()
            }
        return name

    def _member(self, attribute: str, field: fields.Field[Any]) -> Json:
        return {
            "name": camel(attribute),
            **self._kind(field),
            **({"required": True} if field.required else {}),
            **({"nullable": True} if field.allow_none else {}),
            **({"default": []} if attribute in _EMPTY else {}),
        }

    def _kind(self, field: fields.Field[Any]) -> Json:
        match field:
            case fields.Nested():
                return {"is": "nested", "schema": self.add(type(field.schema))}
            case fields.List():
                return {"is": "list", "of": self._kind(field.inner), **_sizes(field)}
            case fields.Enum():
                return {"is": "choice", "choices": [member.value for member in _members(field)]}
            case event_fields.Checked():
                return {"is": "named", "form": _NAMED_FORMS[field.check.__name__]}
            case event_fields.Secret():
                return {"is": "secret", "least": 16, "most": 64}
            case event_fields.Truth():
                return {"is": "truth"}
            case fields.Boolean():
                words = {"true": field.truthy, "false": field.falsy}
                return {
                    "is": "looseTruth",
                    **{
                        name: sorted(known, key=lambda word: (str(word), isinstance(word, str)))
                        for name, known in words.items()
                    },
                }
            case fields.Integer():
                return {"is": "integer", **_bounds(field)}
            case event_fields.Text():
                return {"is": "text", **_sizes(field)}
            case fields.String():
                return {"is": "string", **_string(field)}
        if type(field) not in _PLAIN_KINDS:
            raise TypeError(
                f"{type(field).__name__} has no table; add it here and to verifier/schemas.js"
            )
        return {"is": _PLAIN_KINDS[type(field)], **self._values(field)}

    def _values(self, field: fields.Field[Any]) -> Json:
        inner = getattr(field, "value_field", None)
        return {} if inner is None else {"values": self._kind(inner)}


# What an absent list is read as: no members, unless the law tells none from not given.
_EMPTY = {
    field.name
    for cls in vars(events).values()
    if dataclasses.is_dataclass(cls)
    for field in dataclasses.fields(cls)
    if field.default == ()
}
_NAMED_FORMS = {
    "check_slug": "slug",
    "check_party_name": "partyName",
    "check_container": "container",
    "check_unlocode": "unlocode",
}
_PLAIN_KINDS: dict[type, str] = {
    event_fields.Instant: "instant",
    event_fields.Day: "day",
    event_fields.Jwk: "jwk",
    fields.Dict: "object",
    transport_document_fields.Moment: "moment",
}


def _members(field: fields.Enum[Any]) -> list[Any]:
    """Those members of the enumeration that no validator excludes."""
    allowed = [rule.choices for rule in field.validators if isinstance(rule, validate.OneOf)]
    return [member for member in field.enum if all(member in choices for choices in allowed)]


def _sizes(field: fields.Field[Any]) -> Json:
    """Lengths of texts count code points."""
    found: Json = {}
    for rule in field.validators:
        if isinstance(rule, validate.Length):
            found |= {"least": rule.min or 0, **({} if rule.max is None else {"most": rule.max})}
    return found


def _bounds(field: fields.Field[Any]) -> Json:
    found: Json = {}
    for rule in field.validators:
        if isinstance(rule, validate.Range):
            found |= {} if rule.min is None else {"least": rule.min}
            found |= {} if rule.max is None else {"most": rule.max}
    return found


def _string(field: fields.Field[Any]) -> Json:
    found: Json = {}
    for rule in field.validators:
        match rule:
            case validate.OneOf():
                found["choices"] = [str(choice) for choice in rule.choices]
            case validate.Equal():
                found["choices"] = [str(rule.comparable)]
            case validate.Length():
                found |= _sizes(field)
            case validate.Regexp():
                found["form"] = form(str(rule.regex.pattern))
            case _:
                raise TypeError(f"{rule!r} has no table; add it here and to verifier/schemas.js")
    return found


def form(pattern: str) -> str:
    """As every engine reads it: what counts as white space differs from one to the next."""
    return (
        pattern.removesuffix(r"\Z")
        .replace(r"\S", f"[^{_WHITE_SPACE}]")
        .replace(r"[^\s", f"[^{_WHITE_SPACE}")
    )


def _white_space() -> str:
    signs = (sign for sign in map(chr, range(0x10000)) if re.fullmatch(r"\s", sign))
    return "".join(f"\\u{ord(sign):04x}" for sign in signs)


_WHITE_SPACE = _white_space()


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
