"""Disclosed fields of a bill for people: what each is called, and its value line by line.

The offline verifier says the same (`verifier/fields.js`); a test holds the two together.

1. A pointer is told by the words for its members, entries of lists counted from one:
   "Goods 1 › Gross weight". A member without words keeps its name in the standard.
2. A value is one line for each plain value in it; a quantity is one thing with its unit, an entry
   of a list one line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from bol_service.crypto import strictjson

Word = Callable[[str], str]
"""From a member of the standard, or a name of its own such as `yes`, to what people call it."""

# They only hold others, and say nothing to a person unless they stand alone.
_SILENT: Final = frozenset({"documentParties", "transports"})
_NAMED: Final = {"consignmentItems": "goods", "utilizedTransportEquipments": "container"}
_UNITS: Final = {"KGM": "kg", "LBR": "lb", "MTQ": "m³", "FTQ": "ft³"}


def name_of(pointer: str, word: Word) -> str:
    """What a piece of the document is called."""
    steps, said = steps_of(pointer), list[str]()
    for at, step in enumerate(steps):
        if re.fullmatch("[0-9]+", step) and said:
            said[-1] += f" {int(step) + 1}"
        elif step not in _SILENT or at == len(steps) - 1:
            said.append(_member(step, word))
    return " › ".join(said)


def lines_of(value: Any, word: Word) -> list[str]:
    """The plain values in a piece, with the names of what they stand in."""
    return list(_lines(value, word))


def order_of(pointer: str) -> list[tuple[int, int, str]]:
    """A key to sort by: the tenth container stands after the ninth."""
    return [
        (0, int(step), "") if re.fullmatch("[0-9]{1,9}", step) else (1, 0, step)
        for step in steps_of(pointer)
    ]


def steps_of(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _member(step: str, word: Word) -> str:
    return word(_NAMED.get(step, step))


def _lines(value: Any, word: Word) -> Iterator[str]:
    if isinstance(value, list):
        yield from _lines_of_list(value, word)
    elif not isinstance(value, dict):
        yield _plain(value, word)
    elif _is_quantity(value):
        yield f"{_plain(value['value'], word)} {_UNITS.get(value['unit'], value['unit'])}"
    else:
        for name, inner in value.items():
            for line in _lines(inner, word):
                yield f"{_member(name, word)}: {line}"


def _lines_of_list(listed: list[Any], word: Word) -> Iterator[str]:
    if not any(isinstance(one, dict | list) for one in listed):
        yield from (_plain(one, word) for one in listed)
        return
    for number, one in enumerate(listed, 1):
        yield f"{number}. {'; '.join(_lines(one, word))}"


def _is_quantity(value: dict[str, Any]) -> bool:
    return (
        value.keys() == {"unit", "value"}
        and type(value["value"]) in (int, float)
        and isinstance(value["unit"], str)
    )


def _plain(value: object, word: Word) -> str:
    if isinstance(value, bool):
        return word("yes" if value else "no")
    if isinstance(value, str):
        return value
    return "–" if value is None else strictjson.canonical(value).decode()
