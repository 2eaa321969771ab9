"""Members of a transport document by their JSON pointer: read, put, taken away.

A list is made longer by one entry at most, so that no pointer can make a huge document.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

Json = dict[str, Any]


def steps_of(pointer: str) -> list[str]:
    """The steps of a pointer into a transport document, whose member names need no escaping."""
    return pointer.split("/")[1:]


def read(document: object, pointer: str) -> Any:
    """The value there, or None."""
    found = document
    for step in steps_of(pointer):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def objects(holder: Json, pointer: str) -> list[Json]:
    """The objects in the list there; whatever else stands there is passed over."""
    found = read(holder, pointer)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def put(document: Json, pointer: str, value: object) -> None:
    """Set a member, and make what it stands in; what was something else there is replaced."""
    steps = steps_of(pointer)
    holder: Any = document
    for step, following in pairwise(steps):
        empty: Any = [] if following.isdecimal() else {}
        holder = _inner(holder, step, empty)
    _set(holder, steps[-1], value)


def remove(document: Json, pointer: str) -> None:
    """Take a member away, and whatever it leaves empty behind."""
    steps = steps_of(pointer)
    if read(document, pointer) is not None:
        _remove(document, steps)


def _remove(document: Json, steps: list[str]) -> None:
    above, last = steps[:-1], steps[-1]
    holder = read(document, "".join(f"/{step}" for step in above)) if above else document
    if isinstance(holder, dict):
        del holder[last]
    elif isinstance(holder, list):
        del holder[int(last)]
    if not holder and above:
        _remove(document, above)


def _inner(holder: Any, step: str, empty: Any) -> Any:
    present = read(holder, f"/{step}")
    if type(present) is type(empty):
        return present
    _set(holder, step, empty)
    return empty


def _set(holder: Any, step: str, value: object) -> None:
    if isinstance(holder, dict):
        holder[step] = value
    elif int(step) < len(holder):
        holder[int(step)] = value
    else:
        holder.append(value)
