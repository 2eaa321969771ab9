"""The parties that a recorded event names, read without judging the event again.

Where slugs stand is taken from the schemas themselves: a new action needs nothing here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from marshmallow import Schema, fields

from bol_service.crypto import base64url
from bol_service.domain import identifiers
from bol_service.domain.events import Action
from bol_service.wire.event_fields import Checked, check_party_name
from bol_service.wire.event_schemas import Envelope, details_schema

_SLUGS = (identifiers.check_slug, check_party_name)
_Path = tuple[str, ...]
_EACH = "*"


def parties_named(compact: str) -> set[str]:
    """Slugs of this platform's parties in a compact JWS that the log holds: actor, recipient and
    whoever stands in the details."""
    value = json.loads(base64url.decode(compact.split(".")[1]))
    found = {slug for path in _paths(value["action"]) for slug in _at(value, path)}
    return {slug for slug in found if ":" not in slug}


@cache
def _paths(action: str) -> tuple[_Path, ...]:
    details = _slugs(details_schema(Action(action))())
    return (*_slugs(Envelope()), *(("details", *path) for path in details))


def _slugs(schema: Schema) -> Iterator[_Path]:
    for name, field in schema.fields.items():
        for path in _inside(field):
            yield (field.data_key or name, *path)


def _inside(field: fields.Field[Any]) -> Iterator[_Path]:
    if isinstance(field, Checked) and field.check in _SLUGS:
        yield ()
    elif isinstance(field, fields.Nested):
        yield from _slugs(field.schema)
    elif isinstance(field, fields.List):
        for path in _inside(field.inner):
            yield (_EACH, *path)


def _at(value: Any, path: _Path) -> Iterator[str]:
    if not path:
        yield value
    elif path[0] == _EACH:
        for item in value:
            yield from _at(item, path[1:])
    elif path[0] in value:
        yield from _at(value[path[0]], path[1:])
