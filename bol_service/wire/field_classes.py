"""The class of each value of a transport document, found by walking its schema.

- `typed_members` lists the members of the schema that hold plain values, by the type of object that
  has them; a test compares them with `domain.classification`, so that none stays unclassified.
- `leaves` walks a document: each plain value with its pointer, its class and whether people write
  sentences there. Members that the schema does not know are UNCLASSIFIED, with all below them.
- `units` cuts a document into the pieces that can be disclosed one by one: the largest pieces whose
  values are all of one class. The document itself, its list of parties, its goods and its
  containers are always cut, so that one party or one container can be shown alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from marshmallow import Schema

from bol_service.domain.classification import FieldClass, class_of_member, is_free_text
from bol_service.wire.transport_document import TransportDocument
from bol_service.wire.transport_document_fields import One, Several
from bol_service.wire.transport_document_problem import below, children

_CUT: Final = re.compile(
    r"|/documentParties(/(notifyParties|other))?"
    r"|/consignmentItems(/[0-9]+(/cargoItems(/[0-9]+)?)?)?"
    r"|/utilizedTransportEquipments(/[0-9]+)?"
    r"|/charges"
)


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A plain value, or an empty list or object, of a document."""

    pointer: str
    value: object
    kind: FieldClass
    free_text: bool


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A piece of a document that is disclosed as a whole; all in it is of one class."""

    pointer: str
    value: object
    kind: FieldClass


def typed_members() -> frozenset[tuple[str, str]]:
    """(type of object, member) of every member of the schema that holds plain values."""
    found: set[tuple[str, str]] = set()
    done: set[str] = set()
    waiting: list[Schema] = [TransportDocument()]
    while waiting:
        schema = waiting.pop()
        owner = type(schema).__name__
        if owner in done:
            continue
        done.add(owner)
        for member, field in schema.fields.items():
            inner = _inner_schema(field)
            if inner is None:
                found.add((owner, member))
            else:
                waiting.append(inner)
    return frozenset(found)


def leaves(document: object) -> Iterator[Leaf]:
    yield from _leaves("", document, _root(), None)


def units(document: object) -> list[Unit]:
    """The pieces of the document in its own order; together they are all of it."""
    return list(_units("", document, list(leaves(document))))


def shown_value(value: object) -> str:
    """A value of a document for people: texts as they are, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def is_at_or_below(pointer: str, ancestor: str) -> bool:
    return pointer == ancestor or pointer.startswith(f"{ancestor}/")


def _units(pointer: str, value: object, inside: list[Leaf]) -> Iterator[Unit]:
    """`inside` are the leaves of `value`, in order."""
    kinds = {leaf.kind for leaf in inside}
    steps = list(children(value))
    if steps and (len(kinds) > 1 or _CUT.fullmatch(pointer)):
        position = 0
        for step, inner in steps:
            place = below(pointer, step)
            end = position
            while end < len(inside) and is_at_or_below(inside[end].pointer, place):
                end += 1
            yield from _units(place, inner, inside[position:end])
            position = end
        return
    yield Unit(pointer=pointer, value=value, kind=kinds.pop())


def _leaves(
    pointer: str, value: object, schema: Schema | None, known: tuple[FieldClass, bool] | None
) -> Iterator[Leaf]:
    steps = list(children(value))
    if not steps:
        kind, free = known or (FieldClass.UNCLASSIFIED, schema is None)
        yield Leaf(pointer=pointer, value=value, kind=kind, free_text=free)
        return
    for step, inner in steps:
        place = below(pointer, step)
        if isinstance(value, dict):
            yield from _leaves(place, inner, *_member(schema, str(step)))
        else:
            yield from _leaves(place, inner, schema, known)


def _member(
    schema: Schema | None, member: str
) -> tuple[Schema | None, tuple[FieldClass, bool] | None]:
    """What the schema says of a member; a plain member with objects in it is not known below."""
    field = schema.fields.get(member) if schema is not None else None
    if schema is None or field is None:
        return None, (FieldClass.UNCLASSIFIED, True)
    inner = _inner_schema(field)
    if inner is not None:
        return inner, None
    owner = type(schema).__name__
    return None, (class_of_member(owner, member), is_free_text(owner, member))


def _inner_schema(field: Any) -> Schema | None:
    while isinstance(field, Several):
        field = field.inner
    if not isinstance(field, One):
        return None
    schema = field.schema
    assert isinstance(schema, Schema)
    return schema


@cache
def _root() -> TransportDocument:
    return TransportDocument()
