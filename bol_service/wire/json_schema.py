"""From marshmallow schemas to JSON Schema 2020-12, so that nothing is described twice.

Steps, for a schema and every schema it nests:
1. Each field becomes a property under its name on the wire; required members are listed.
2. Validators become keywords: lengths, bounds, choices, patterns. A pattern stands for the whole
   text, so it is anchored.
3. Nested schemas go to `$defs` under their class name, once each; recursion ends there.
4. `unknown = RAISE` closes an object (`additionalProperties: false`), otherwise it stays open.
5. `one_of` and `any_of` of a schema class (names of members) become `oneOf` and `anyOf`.

A field may carry `metadata={"json_schema": {...}}`, which replaces what would be derived for it,
and `metadata={"description": "..."}`. Rules written in Python are not in the result: it describes
what is necessary, not what is sufficient. Raises `TypeError` for a field class it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from marshmallow import RAISE, Schema, fields, validate

Json = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TYPES: Final[tuple[tuple[type[fields.Field[Any]], Json], ...]] = (
    (fields.UUID, {"type": "string", "format": "uuid"}),
    (fields.Url, {"type": "string", "format": "uri"}),
    (fields.Email, {"type": "string", "format": "email"}),
    (fields.String, {"type": "string"}),
    (fields.Date, {"type": "string", "format": "date"}),
    (fields.DateTime, {"type": "string", "format": "date-time"}),
    (fields.Boolean, {"type": "boolean"}),
    (fields.Integer, {"type": "integer"}),
    (fields.Float, {"type": "number"}),
    (fields.Decimal, {"type": "number"}),
    (fields.Raw, {}),
)


def json_schema(schema: Schema, title: str) -> Json:
    """The JSON Schema of one message, complete in itself."""
    export = _Export()
    described = export.object_of(schema, schema.unknown)
    defined = {"$defs": dict(sorted(export.defined.items()))} if export.defined else {}
    return {"$schema": DIALECT, "title": title, **described, **defined}


class _Export:
    """One run; gathers the definitions that the message refers to."""

    def __init__(self) -> None:
        self.defined: dict[str, Json] = {}
        self._sources: dict[str, tuple[object, ...]] = {}

    def object_of(self, schema: Schema, unknown: str) -> Json:
        properties = {
            field.data_key or name: self.property_of(field) for name, field in schema.fields.items()
        }
        required = [f.data_key or name for name, f in schema.fields.items() if f.required]
        return {
            "type": "object",
            "properties": properties,
            **({"required": required} if required else {}),
            **_alternatives(schema),
            **({"additionalProperties": False} if unknown == RAISE else {}),
        }

    def property_of(self, field: fields.Field[Any]) -> Json:
        override = field.metadata.get("json_schema")
        described = dict(override) if override is not None else self._derived(field)
        if "description" in field.metadata:
            described["description"] = field.metadata["description"]
        if field.dump_only:
            described["readOnly"] = True
        if field.allow_none and override is None:
            return {"anyOf": [described, {"type": "null"}]}
        return described

    def _derived(self, field: fields.Field[Any]) -> Json:
        return {**self._type_of(field), **_keywords(field)}

    def _type_of(self, field: fields.Field[Any]) -> Json:
        match field:
            case fields.Nested():
                reference = self._reference(field.schema, field.unknown or field.schema.unknown)
                return (
                    {"type": "array", "items": reference}
                    if field.many or field.schema.many
                    else reference
                )
            case fields.List():
                return {"type": "array", "items": self.property_of(field.inner)}
            case fields.Dict():
                values = field.value_field
                open_values = {} if values is None else self.property_of(values)
                return {"type": "object", "additionalProperties": open_values}
            case fields.Enum():
                return {"enum": list(_enum_values(field))}
            case fields.Constant():
                return {"const": field.constant}
        for known, described in _TYPES:
            if isinstance(field, known):
                return dict(described)
        raise TypeError(
            f"{type(field).__name__} has no JSON Schema; give it metadata={{'json_schema': ...}}"
        )

    def _reference(self, schema: Schema, unknown: str) -> Json:
        """`$ref` to the schema's definition; a narrowed schema is written out in place."""
        if schema.only is not None or schema.exclude:
            return self.object_of(schema, unknown)
        name = type(schema).__name__.removesuffix("Schema")
        source = (type(schema), unknown)
        if self._sources.setdefault(name, source) != source:
            raise TypeError(f"two schemas are called {name}; rename one of them")
        if name not in self.defined:
            self.defined[name] = {}
            self.defined[name] = self.object_of(schema, unknown)
        return {"$ref": f"#/$defs/{name}"}


def _alternatives(schema: Schema) -> Json:
    found = {"oneOf": getattr(schema, "one_of", ()), "anyOf": getattr(schema, "any_of", ())}
    return {
        keyword: [{"required": [name]} for name in names]
        for keyword, names in found.items()
        if names
    }


def _enum_values(field: fields.Enum[Any]) -> Iterator[object]:
    for member in field.enum:
        yield member.value if field.by_value else member.name


def _keywords(field: fields.Field[Any]) -> Json:
    keywords: Json = {}
    for validator in field.validators:
        match validator:
            case validate.Length():
                keywords |= _sizes(
                    validator, "Items" if isinstance(field, fields.List) else "Length"
                )
            case validate.Range():
                keywords |= _bounds(validator)
            case validate.OneOf():
                keywords["enum"] = list(validator.choices)
            case validate.Equal():
                keywords["const"] = validator.comparable
            case validate.Regexp():
                keywords["pattern"] = _anchored(str(validator.regex.pattern))
    return keywords


def _sizes(validator: validate.Length, unit: str) -> Json:
    least = validator.min if validator.equal is None else validator.equal
    most = validator.max if validator.equal is None else validator.equal
    return {
        **({} if least is None else {f"min{unit}": least}),
        **({} if most is None else {f"max{unit}": most}),
    }


def _bounds(validator: validate.Range) -> Json:
    lower = "minimum" if validator.min_inclusive else "exclusiveMinimum"
    upper = "maximum" if validator.max_inclusive else "exclusiveMaximum"
    return {
        **({} if validator.min is None else {lower: validator.min}),
        **({} if validator.max is None else {upper: validator.max}),
    }


def _anchored(pattern: str) -> str:
    pattern = pattern.removesuffix(r"\Z")
    if pattern.startswith("^") and pattern.endswith("$"):
        return pattern
    return f"^(?:{pattern})$" if "|" in pattern else f"^{pattern}$"
