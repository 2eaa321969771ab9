"""Which text a party may sign: what it sees is what the bytes say.

Refused, each with its code point and place:
1. lone surrogates and noncharacters (Unicode 3.4, 23.7), which no interchange carries;
2. control characters (C0, DEL, C1): they hide or move what a screen shows;
3. characters that reorder text (UAX #9: LRM, RLM, ALM, embeddings, overrides, isolates), which
   make one party name or amount read as another;
4. text that is not in Unicode Normalization Form C, so that equal text has equal bytes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_NONCHARACTERS: Final = "\ufdd0-\ufdef" + "".join(
    chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF)
)
_KINDS: Final = (
    ("a control character", re.compile("[\x00-\x1f\x7f-\x9f]")),
    (
        "a character that reorders text",
        re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"),
    ),
    ("a lone surrogate", re.compile("[\ud800-\udfff]")),
    ("a noncharacter", re.compile(f"[{_NONCHARACTERS}]")),
)


def check_text(value: str) -> None:
    """Raises ValueError naming the code point and its character position, counted from 0."""
    if value.isascii() and value.isprintable():
        return
    for kind, pattern in _KINDS:
        found = pattern.search(value)
        if found is not None:
            raise ValueError(
                f"text holds {kind}, U+{ord(found[0]):04X} at character {found.start()}; remove it"
            )
    if not unicodedata.is_normalized("NFC", value):
        raise ValueError(_not_nfc(value))


def check_strings(value: object) -> None:
    """`check_text` for every text and every member name of a JSON value; raises ValueError that
    also names the JSON pointer (RFC 6901)."""
    pending: list[tuple[object, str]] = [(value, "")]
    while pending:
        item, pointer = pending.pop()
        for text in _texts(item):
            try:
                check_text(text)
            except ValueError as error:
                raise ValueError(f"{error} (at {pointer or 'the top level'})") from error
        pending.extend(_children(item, pointer))


def _texts(item: object) -> Iterator[str]:
    if isinstance(item, str):
        yield item
    elif isinstance(item, dict):
        yield from item


def _children(item: object, pointer: str) -> Iterator[tuple[object, str]]:
    if isinstance(item, dict):
        for name, child in item.items():
            yield child, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
    elif isinstance(item, list):
        for index, child in enumerate(item):
            yield child, f"{pointer}/{index}"


def _not_nfc(value: str) -> str:
    normal = unicodedata.normalize("NFC", value)
    pairs = enumerate(zip(value, normal, strict=False))
    position = next((i for i, (was, now) in pairs if was != now), min(len(value), len(normal)))
    return (
        f"text is not in Unicode form NFC: U+{ord(value[position]):04X} at character {position}"
        " is written otherwise there; normalise it before signing"
    )
