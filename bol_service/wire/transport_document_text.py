"""What a text in a signed document may consist of.

- Unicode normalisation form C: two spellings of one name would be two documents.
- No control characters: what is printed must be what is signed. Line feeds and tabs are for the
  terms and the carrier's clauses.
- No signs that turn the reading direction (U+202A to U+202E, U+2066 to U+2069), which can show
  another amount or name than the one that is stored; no half of a surrogate pair.
- Not deeper than a document needs, so that nobody can exhaust the reader.

Unknown members are read as well: they are part of the checksum.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from bol_service.wire.transport_document_problem import Problem, below, children

DEEPEST: Final = 32
_NESTED: Final = frozenset({dict, list})
BREAKABLE: Final = ("/termsAndConditions", "/carrierClauses")
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def text_problems(document: object) -> Iterator[Problem]:
    """Rule `text` for every string and member name."""
    for pointer, text in _texts(document):
        readable = text
        if pointer.startswith(BREAKABLE):
            readable = text.replace("\n", "").replace("\t", "")
        found = _FORBIDDEN.search(readable)
        if found is not None:
            message = f"holds U+{ord(found.group()):04X}, which cannot be printed; remove it"
            yield Problem(pointer=pointer, rule="text", message=message)
        elif not text.isascii() and not unicodedata.is_normalized("NFC", text):
            message = "is not in Unicode normalisation form C; normalise it before signing"
            yield Problem(pointer=pointer, rule="text", message=message)


def depth_problem(document: object) -> Problem | None:
    """The first place that is nested too deep, without recursion."""
    return _too_deep(document) if _is_deep(document) else None


def _is_deep(document: object) -> bool:
    level: list[Any] = [[document]]
    for _ in range(DEEPEST + 2):
        inner: list[Any] = []
        for value in level:
            found = value.values() if isinstance(value, dict) else value
            inner += [child for child in found if type(child) in _NESTED]
        if not inner:
            return False
        level = inner
    return True


def _too_deep(document: object) -> Problem | None:
    waiting = [("", document, 0)]
    while waiting:
        pointer, value, depth = waiting.pop()
        if depth > DEEPEST:
            message = f"is nested deeper than {DEEPEST} levels; no transport document is"
            return Problem(pointer=pointer, rule="depth", message=message)
        for step, inner in children(value):
            if isinstance(inner, dict | list):
                waiting.append((below(pointer, step), inner, depth + 1))
    return None


def _texts(document: object) -> Iterator[tuple[str, str]]:
    waiting = [("", document)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, str):
            yield pointer, value
        for step, inner in children(value):
            place = below(pointer, step)
            if isinstance(step, str):
                yield place, step
            waiting.append((place, inner))
