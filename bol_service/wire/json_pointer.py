"""JSON pointers (RFC 6901): what stands at one, and a value made of what stands at many."""

from __future__ import annotations

import re
from collections.abc import Iterable


class NoSuchPlace(ValueError):  # noqa: N818 - says what is the matter
    """Two places do not fit into one value: one stands inside the other."""


class _Inner(dict[str, object]):
    """A place that has places below it; all else is a value as it was given."""


def value_at(document: object, pointer: str) -> object:
    """The value at a pointer; raises LookupError if there is none."""
    found = document
    for step in _steps(pointer):
        if isinstance(found, dict):
            found = found[step]
        elif isinstance(found, list) and re.fullmatch(r"0|[1-9][0-9]{0,8}", step):
            found = found[int(step)]
        else:
            raise LookupError(pointer)
    return found


def assembled(places: Iterable[tuple[str, object]]) -> object:
    """The value that has these values at these pointers and nothing else.

    An inner place whose members are numbered from 0 is a list. Raises NoSuchPlace.
    """
    root = _Inner()
    for pointer, value in places:
        node = root
        *path, last = _steps(pointer)
        for step in path:
            inner = node.setdefault(step, _Inner())
            if not isinstance(inner, _Inner):
                raise NoSuchPlace(f"{pointer} stands inside another piece")
            node = inner
        node[last] = value
    return _settled(root)


def _settled(value: object) -> object:
    if not isinstance(value, _Inner):
        return value
    if value and all(str(number) in value for number in range(len(value))):
        return [_settled(value[str(number)]) for number in range(len(value))]
    return {name: _settled(inner) for name, inner in value.items()}


def _steps(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
