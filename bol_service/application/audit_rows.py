"""Judging raw rows one by one, whatever somebody has written into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bol_service.application.audit_beside_ports import RawRow
from bol_service.domain import errors
from bol_service.wire.document import DocumentError

_UNREADABLE = (
    *(ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError),
    *(DocumentError, errors.Refusal),
)


def judged(
    rows: Iterable[RawRow], name: str, judge: Callable[[RawRow], str | None]
) -> Iterator[str]:
    """A sentence for each row with a fault; `name` is filled with the row's columns."""
    return (text for text in each_judged(rows, name, judge) if text is not None)


def each_judged(
    rows: Iterable[RawRow], name: str, judge: Callable[[RawRow], str | None]
) -> Iterator[str | None]:
    """The same, with None for a row without a fault: for whoever stops in between."""
    for row in rows:
        try:
            fault = judge(row)
        except _UNREADABLE as error:
            fault = f"cannot be read: {error}"
        yield None if fault is None else f"{name.format(*row)} {fault}"


def differing(**pairs: tuple[object, object]) -> str | None:
    """The first column that does not say what it should: by name, what it says, what it should."""
    for column, (says, should) in pairs.items():
        if says != should:
            return f"says {column} {says!r}, what it repeats says {should!r}"
    return None
