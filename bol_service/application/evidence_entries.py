"""Which entries an evidence bundle rests on, read from the log.

Replaying a bill needs its own stream, its containers', its booking's, and the whole history of
every party that any of them names.
"""

from __future__ import annotations

from collections.abc import Iterable

from bol_service.application.ports import Reading, StoredEntry
from bol_service.domain.events import Opening
from bol_service.domain.identifiers import draft_stream, party_stream
from bol_service.domain.states import OPERATOR, BillState
from bol_service.domain.world import custody_streams
from bol_service.wire.events import decode
from bol_service.wire.naming import parties_named

_PAGE = 1000


def closure(reading: Reading, bill: BillState, last: int | None) -> list[StoredEntry]:
    """Every entry that replaying the bill needs, in log order, up to the entry `last`."""
    streams = [f"bill:{bill.bill}", *custody_streams(bill)]
    if bill.home is None:
        streams.append(draft_stream(bill.shipment))
    entries = [entry for stream in streams for entry in all_of(reading, stream, last)]
    entries += party_entries(reading, _named_in(entries), last)
    return sorted(entries, key=lambda entry: entry.index)


def party_entries(reading: Reading, slugs: set[str], last: int | None) -> list[StoredEntry]:
    """The whole histories of these parties, the operator's, and of those that they name."""
    wanted, done, entries = {*slugs, OPERATOR}, set[str](), list[StoredEntry]()
    while wanted - done:
        slug = min(wanted - done)
        done.add(slug)
        part = all_of(reading, party_stream(slug), last)
        entries += part
        wanted |= _named_in(part)
    return entries


def all_of(reading: Reading, stream: str, last: int | None) -> list[StoredEntry]:
    """A stream from its beginning, up to and including the log index `last`."""
    entries: list[StoredEntry] = []
    while True:
        part = reading.entries(stream, len(entries), _PAGE)
        entries += part
        if len(part) < _PAGE:
            return [entry for entry in entries if last is None or entry.index <= last]


def document_of(reading: Reading, issue: StoredEntry | None) -> bytes:
    """The document that the bill's first entry names, as received."""
    assert issue is not None
    event = decode(issue.entry.event).event
    assert isinstance(event, Opening)
    row = reading.document(event.received_bytes)
    assert row is not None
    return row.content


def _named_in(entries: Iterable[StoredEntry]) -> set[str]:
    return set().union(*(parties_named(entry.entry.event) for entry in entries))
