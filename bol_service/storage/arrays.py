"""Columns of values as PostgreSQL takes them: one array for each, in the server's binary form.

The driver would do the same, one element at a time, each asked for its type and its nesting; that
was a tenth of what recording an event cost (docs/adr/0039). Here a column knows what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Any, Final

from sqlalchemy import Integer, LargeBinary
from sqlalchemy.types import TypeEngine

_HEAD: Final = Struct(">iiIii")  # dimensions, whether there are nulls, element, length, first index
_LENGTH: Final = Struct(">i").pack
_BIGINT: Final = Struct(">iq").pack
_NULL: Final = _LENGTH(-1)
_TEXT_OID: Final = 25
_BYTEA_OID: Final = 17
_BIGINT_OID: Final = 20


class Texts(list[str | None]):
    oid = 1009

    def packed(self) -> bytes:
        return _packed(_TEXT_OID, [None if each is None else each.encode() for each in self])


class Bytes(list[bytes | None]):
    oid = 1001

    def packed(self) -> bytes:
        return _packed(_BYTEA_OID, self)


class Integers(list[int | None]):
    """Goes as `bigint[]`; the statement casts it where the column is smaller."""

    oid = 1016

    def packed(self) -> bytes:
        cells = [_NULL if each is None else _BIGINT(8, each) for each in self]
        return _head(_BIGINT_OID, len(cells), None in self) + b"".join(cells)


Column = Texts | Bytes | Integers


def column(kind: TypeEngine[Any], values: Iterable[Any]) -> Column:
    """The values of a table's column of this type."""
    if isinstance(kind, Integer):
        return Integers(values)
    return Bytes(values) if isinstance(kind, LargeBinary) else Texts(values)


def register(connection: Any) -> None:
    """Let a connection of psycopg take columns as parameters."""
    from psycopg.adapt import Dumper  # SQLite needs no psycopg
    from psycopg.pq import Format

    for kind in (Texts, Bytes, Integers):

        class _Packed(Dumper):
            format = Format.BINARY
            oid = kind.oid

            def dump(self, obj: Column) -> bytes:
                return obj.packed()

        connection.adapters.register_dumper(kind, _Packed)


def _packed(element: int, cells: list[bytes | None]) -> bytes:
    parts = [_head(element, len(cells), None in cells)]
    for cell in cells:
        parts += (_NULL,) if cell is None else (_LENGTH(len(cell)), cell)
    return b"".join(parts)


def _head(element: int, length: int, nulls: bool) -> bytes:
    if length == 0:
        return _HEAD.pack(0, 0, element, 0, 0)[:12]
    return _HEAD.pack(1, nulls, element, length, 1)
