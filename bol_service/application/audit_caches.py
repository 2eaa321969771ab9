"""Comparing the caches of a ledger with those of a book, and writing them anew from it.

Both sides are read as streams in the order of their keys, so it takes no more memory than a row of
each. States are compared as values where their bytes differ: a set is written in any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from bol_service.application.audit_findings import AuditReport, Finding, Kind
from bol_service.application.audit_ports import Book, Cache, CacheRow
from bol_service.application.ports import Reading, Store

_KEY_SIZE = {
    Cache.STATES: 1,
    Cache.CLAIMS: 2,
    Cache.KEYS: 1,
    Cache.BILLS: 1,
    Cache.BILL_PARTIES: 2,
    Cache.BILL_CONTAINERS: 2,
    Cache.DRAFT_PARTIES: 2,
    Cache.MANDATES: 2,
}
_ROW = {
    Cache.STATES: "the cached state of {0}",
    Cache.CLAIMS: "the claim to {0} {1}",
    Cache.KEYS: "the cached key {0}",
    Cache.BILLS: "the row by which bill {0} is found",
    Cache.BILL_PARTIES: "the row by which {0} finds bill {1}",
    Cache.BILL_CONTAINERS: "the row by which container {0} finds bill {1}",
    Cache.DRAFT_PARTIES: "the row by which {0} finds shipment {1}",
    Cache.MANDATES: "the row by which {0} finds the mandate of {1}",
}
_PART = 500  # rows that are held at once
_STATE = 2  # the place of the bytes in a row of `Cache.STATES`: stream, kind, state, ...


class Changed(RuntimeError):  # noqa: N818 - says what happened
    """The log went on, so what was audited is not what the caches are about."""


def compare(reading: Reading, book: Book, report: AuditReport) -> None:
    """Add a finding for every row that is missing or wrong, and one for those that are too many."""
    for cache in Cache:
        extra: list[CacheRow] = []
        count = 0
        for wanted, found in _side_by_side(cache, book.ordered(cache), reading.ordered(cache)):
            if wanted is None:
                assert found is not None
                extra = extra or [found]
                count += 1
            elif found is None:
                _add(report, f"{_named(cache, wanted)} is missing")
            else:
                _differing(reading, book, report, cache, wanted, found)
        if extra:
            _add(report, _too_many(cache, count, extra[0]))


def rebuild(store: Store, book: Book, report: AuditReport) -> None:
    """Write all caches anew from the book, in one transaction.

    Raises:
        Changed: The log is no longer the one that was audited; nothing was written.
    """
    with store.writing() as writing:
        log = writing.log()
        if (log.size, log.frontier.root()) != (report.entries, report.root):
            raise Changed(
                f"the log had {report.entries} entries when it was audited, now it has {log.size}; "
                "stop the service and run it again"
            )
        writing.replace_caches(
            ((cache, book.ordered(cache)) for cache in Cache), report.wrong_facts
        )


def _side_by_side(
    cache: Cache, wanted: Iterator[CacheRow], found: Iterator[CacheRow]
) -> Iterator[tuple[CacheRow | None, CacheRow | None]]:
    """Rows with the same key together, but for equal ones; None where one side has no such row."""
    size = _KEY_SIZE[cache]
    wanted, found = _from_first_difference(wanted, found)
    left, right = next(wanted, None), next(found, None)
    while left is not None or right is not None:
        if left == right:
            left, right = next(wanted, None), next(found, None)
            continue
        mine = _order(left, size) if left is not None else None
        theirs = _order(right, size) if right is not None else None
        if theirs is None or (mine is not None and mine < theirs):
            yield left, None
            left = next(wanted, None)
        elif mine is None or theirs < mine:
            yield None, right
            right = next(found, None)
        else:
            yield left, right
            left, right = next(wanted, None), next(found, None)


def _from_first_difference(
    wanted: Iterator[CacheRow], found: Iterator[CacheRow]
) -> tuple[Iterator[CacheRow], Iterator[CacheRow]]:
    """What is left of both from the part on that is not the same; hardly ever anything is."""
    while True:
        mine, theirs = list(islice(wanted, _PART)), list(islice(found, _PART))
        if mine != theirs or not mine:
            return chain(mine, wanted), chain(theirs, found)


def _order(row: CacheRow, size: int) -> list[tuple[int, str]]:
    """As SQLite sorts: bytes, which only a stranger writes where text belongs, after all text."""
    return [
        (0, value)
        if isinstance(value, str)
        else (1, value.hex() if isinstance(value, bytes) else str(value))
        for value in row[:size]
    ]


def _differing(
    reading: Reading,
    book: Book,
    report: AuditReport,
    cache: Cache,
    wanted: CacheRow,
    found: CacheRow,
) -> None:
    name = _named(cache, wanted)
    if cache is not Cache.STATES:
        _add(report, f"{name} says {found}, the entries make {wanted}")
        return
    stream = str(wanted[0])
    try:
        same = reading.states([stream]) == book.reading.states([stream])
    except ValueError as error:
        _add(report, f"{name} cannot be read: {error}")
        return
    if not same or _without_bytes(wanted) != _without_bytes(found):
        _add(report, f"{name} is not what its events make")


def _without_bytes(row: CacheRow) -> CacheRow:
    return row[:_STATE] + row[_STATE + 1 :]


def _named(cache: Cache, row: CacheRow) -> str:
    return _ROW[cache].format(*row)


def _too_many(cache: Cache, count: int, first: CacheRow) -> str:
    what = "cached states" if cache is Cache.STATES else f"rows of {cache}"
    key = first[: _KEY_SIZE[cache]]
    return f"{count} {what} belong to no entry; the first is {', '.join(map(str, key))}"


def _add(report: AuditReport, text: str) -> None:
    report.add(Finding(kind=Kind.CACHE, text=text))
