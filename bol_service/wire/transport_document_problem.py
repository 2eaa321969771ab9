"""What is wrong with a document, and where.

- Every rule has a short id that never changes: `C2.4` names a conditional rule of the standard,
  `required`, `max-length`, `pattern` ... a constraint on one member, other words our own rules.
- Inside the marshmallow schemas a message is written `<rule>: <text>`; `flatten` splits it again.
- Pointers are RFC 6901; a missing member is pointed at as if it were there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from marshmallow.exceptions import SCHEMA

SHOWN_LENGTH = 60


@dataclass(frozen=True, kw_only=True)
class Problem:
    pointer: str
    rule: str
    message: str


def below(pointer: str, *steps: str | int) -> str:
    """The pointer to a member further down; `~` and `/` in names are escaped."""
    for step in steps:
        name = str(step)
        if "~" in name or "/" in name:  # in no name of the standard
            name = name.replace("~", "~0").replace("/", "~1")
        pointer = f"{pointer}/{name}"
    return pointer


def children(value: object) -> Iterator[tuple[str | int, object]]:
    """What stands in an object or array, each with its step of the pointer."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def shown(value: object) -> str:
    """A value for a sentence, cut so that a long text does not flood the answer."""
    text = repr(value)
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "..."


def broken(rule: str, text: str) -> str:
    """A message for marshmallow that keeps its rule id."""
    return f"{rule}: {text}"


def flatten(messages: object, pointer: str = "") -> Iterator[Problem]:
    """The problems in marshmallow's nested messages."""
    if isinstance(messages, dict):
        for step, inner in messages.items():
            yield from flatten(inner, pointer if step == SCHEMA else below(pointer, step))
    elif isinstance(messages, list):
        for inner in messages:
            yield from flatten(inner, pointer)
    else:
        rule, separator, text = str(messages).partition(": ")
        yield Problem(
            pointer=pointer,
            rule=rule if separator else "type",
            message=text if separator else str(messages),
        )
