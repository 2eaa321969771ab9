"""JSON Schema from marshmallow: what is published accepts what the service accepts."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from marshmallow import EXCLUDE, INCLUDE, RAISE, Schema, fields, validate

from bol_service.wire.json_schema import DIALECT, json_schema
from bol_service.wire.transport_document import TransportDocument
from tests.broken_documents import BROKEN_MEMBERS, Broken
from tests.complete_document import complete_document
from tests.documents import blank_document, corridor_document, draft_of, straight_document

DOCUMENT = json_schema(TransportDocument(), "Transport document")
STRUCTURAL = [
    broken
    for broken in BROKEN_MEMBERS
    if broken.rule not in {"country", "text"} and broken.name != "a count with a fraction"
]


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class BoxSchema(Schema):
    width = fields.Integer(required=True, validate=validate.Range(min=1, max=9))
    inner = fields.Nested(lambda: BoxSchema())


class StrictBoxSchema(BoxSchema):
    class Meta:
        unknown = RAISE


def described(field: fields.Field[Any]) -> Any:
    schema = Schema.from_dict({"member": field})()
    return json_schema(schema, "Message")["properties"]["member"]


def accepts(value: object) -> bool:
    return bool(Draft202012Validator(DOCUMENT, format_checker=FormatChecker()).is_valid(value))


def test_the_schema_of_the_transport_document_is_sound() -> None:
    Draft202012Validator.check_schema(DOCUMENT)
    assert (DOCUMENT["$schema"], DOCUMENT["title"]) == (DIALECT, "Transport document")


@pytest.mark.parametrize(
    "document",
    [
        corridor_document(),
        straight_document(),
        blank_document(),
        draft_of(corridor_document()),
        complete_document(),
        corridor_document() | {"x-unknown": 1},
    ],
    ids=["to order", "straight", "blank", "draft", "complete", "with an unknown member"],
)
def test_the_schema_accepts_a_right_document(document: dict[str, Any]) -> None:
    assert accepts(document)


@pytest.mark.parametrize("broken", STRUCTURAL, ids=[broken.name for broken in STRUCTURAL])
def test_the_schema_refuses_a_wrong_member(broken: Broken) -> None:
    assert not accepts(broken.document())


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        (fields.String(), {"type": "string"}),
        (fields.String(allow_none=True), {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (fields.UUID(), {"type": "string", "format": "uuid"}),
        (fields.Date(), {"type": "string", "format": "date"}),
        (fields.AwareDateTime(), {"type": "string", "format": "date-time"}),
        (fields.Boolean(dump_only=True), {"type": "boolean", "readOnly": True}),
        (fields.Float(), {"type": "number"}),
        (fields.Raw(), {}),
        (fields.Constant("eur"), {"const": "eur"}),
        (fields.Enum(Colour), {"enum": ["RED", "GREEN"]}),
        (fields.Enum(Colour, by_value=True), {"enum": ["red", "green"]}),
        (
            fields.Dict(values=fields.Integer()),
            {"type": "object", "additionalProperties": {"type": "integer"}},
        ),
        (fields.Dict(), {"type": "object", "additionalProperties": {}}),
        (
            fields.List(fields.String(), validate=validate.Length(max=2)),
            {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        ),
        (
            fields.String(validate=validate.Length(equal=3)),
            {"type": "string", "minLength": 3, "maxLength": 3},
        ),
        (
            fields.String(validate=validate.OneOf(["a", "b"])),
            {"type": "string", "enum": ["a", "b"]},
        ),
        (fields.String(validate=validate.Equal("a")), {"type": "string", "const": "a"}),
        (
            fields.String(validate=validate.Regexp("a|b")),
            {"type": "string", "pattern": "^(?:a|b)$"},
        ),
        (fields.String(validate=validate.Regexp("^a$")), {"type": "string", "pattern": "^a$"}),
        (
            fields.Integer(validate=validate.Range(min=0, min_inclusive=False)),
            {"type": "integer", "exclusiveMinimum": 0},
        ),
        (
            fields.Integer(validate=validate.Range(max=9, max_inclusive=False)),
            {"type": "integer", "exclusiveMaximum": 9},
        ),
        (
            fields.Raw(metadata={"json_schema": {"type": "null"}, "description": "x"}),
            {"type": "null", "description": "x"},
        ),
    ],
)
def test_each_kind_of_field_has_its_keywords(
    field: fields.Field[Any], wanted: dict[str, Any]
) -> None:
    assert described(field) == wanted


def test_a_nested_schema_is_defined_once_even_if_it_nests_itself() -> None:
    schema = json_schema(
        Schema.from_dict(
            {"box": fields.Nested(BoxSchema), "boxes": fields.Nested(BoxSchema(many=True))}
        )(),
        "Boxes",
    )
    reference = {"$ref": "#/$defs/Box"}
    assert schema["properties"] == {
        "box": reference,
        "boxes": {"type": "array", "items": reference},
    }
    assert schema["$defs"]["Box"]["required"] == ["width"]
    assert schema["$defs"]["Box"]["properties"]["inner"] == reference
    assert Draft202012Validator(schema).is_valid({"box": {"width": 1, "inner": {"width": 9}}})
    assert not Draft202012Validator(schema).is_valid({"box": {"width": 1, "inner": {"width": 10}}})


def test_a_narrowed_schema_is_written_out_in_place() -> None:
    assert described(fields.Nested(BoxSchema(only=("width",), unknown=EXCLUDE))) == {
        "type": "object",
        "properties": {"width": {"type": "integer", "minimum": 1, "maximum": 9}},
        "required": ["width"],
    }


def test_only_a_schema_that_refuses_unknown_members_is_closed() -> None:
    assert json_schema(StrictBoxSchema(), "Box")["additionalProperties"] is False
    assert "additionalProperties" not in json_schema(BoxSchema(unknown=INCLUDE), "Box")
    assert "additionalProperties" not in json_schema(BoxSchema(unknown=EXCLUDE), "Box")


def test_members_go_by_their_name_on_the_wire() -> None:
    schema = Schema.from_dict({"bill_of": fields.String(data_key="billOf", required=True)})()
    assert json_schema(schema, "Message")["required"] == ["billOf"]


def test_a_field_that_cannot_be_described_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="TimeDelta has no JSON Schema"):
        described(fields.TimeDelta())


def test_two_schemas_of_one_name_are_refused() -> None:
    twin = type("Box", (Schema,), {"height": fields.Integer()})
    schema = Schema.from_dict({"box": fields.Nested(BoxSchema), "twin": fields.Nested(twin)})()
    with pytest.raises(TypeError, match="two schemas are called Box"):
        json_schema(schema, "Message")
