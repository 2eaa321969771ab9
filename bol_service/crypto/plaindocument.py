"""Documents that are read and brought into their canonical form in passing, nearly all of them.

`strictjson.loads_document` and `canonical` walk through a document several times. Here msgspec
reads it and writes it again; what is left follows from a few questions about the bytes:

1. no member stands twice: of two msgspec keeps one, so that there would be fewer colons when it is
   written again. A colon is written as itself, or as an escape that needs a closer look, as NUL and
   halves of surrogate pairs do;
2. numbers: none is beyond 2^53-1 without a row of 16 digits; each double is what is written;
3. members sort alike in UTF-8 and UTF-16, without a character beyond the basic plane;
4. depth: walked for, through arrays and objects alone.

Whatever is answered otherwise is left to `strictjson`, which has the words for what is wrong.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Final, NamedTuple

import msgspec

from bol_service.crypto.strictjson import SMALLEST_PLAIN, exact_double

_DIGITS_AS_ZEROS: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER: Final = b"0" * 16
_NESTED: Final = frozenset({dict, list})
_HIDING_ESCAPES: Final = (rb"\u00", rb"\ud", rb"\uD")
_BEYOND_BMP: Final = range(0xF0, 0xF5)  # the first bytes of such characters in UTF-8
_encoder: Final = msgspec.json.Encoder(order="sorted")


class PlainDocument(NamedTuple):
    """`value` is what `loads_document` reads, but a double without a fraction is an integer in it;
    `canonical` is its RFC 8785 form."""

    value: dict[str, Any]
    canonical: bytes

    def canonical_without(self, names: Container[str]) -> bytes:
        """The same without these members of the whole."""
        kept = {name: member for name, member in self.value.items() if name not in names}
        return _encoder.encode(kept)


def plain_document(data: bytes, max_depth: int) -> PlainDocument | None:
    """The object in `data`; None where it is not sure without a closer look that there is one which
    `loads_document` takes, with arrays and objects at most `max_depth` deep in each other."""
    if not _is_plain(data):
        return None
    try:
        value = _decoder.decode(data)
    except (ValueError, RecursionError):
        return None
    if not _is_shallow(value, max_depth):
        return None
    written = _encoder.encode(value)
    return PlainDocument(value, written) if written.count(b":") == data.count(b":") else None


def _is_plain(data: bytes) -> bool:
    if _LONG_NUMBER in data.translate(_DIGITS_AS_ZEROS):
        return False
    if any(first in data for first in _BEYOND_BMP):
        return False
    return b"\\u" not in data or not any(escape in data for escape in _HIDING_ESCAPES)


def _is_shallow(root: object, max_depth: int) -> bool:
    level: list[Any] = [root]
    for _ in range(max_depth):
        level = [
            child
            for value in level
            for child in (value.values() if type(value) is dict else value)
            if type(child) in _NESTED
        ]
        if not level:
            return True
    return False


def _double(literal: str) -> float | int:
    """Raises ValueError for a double that is not written like a decimal everywhere."""
    value = exact_double(literal)
    if value.is_integer():
        return int(value)
    if abs(value) < SMALLEST_PLAIN:
        raise ValueError(f"number {literal} is written with an exponent by some")
    return value


_decoder: Final = msgspec.json.Decoder(dict[str, Any], float_hook=_double)
