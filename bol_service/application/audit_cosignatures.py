"""The part of an audit that is about witnesses: every cosignature that is stored.

1. The row is one signature line, of the witness that the row names, under the checkpoint of its
   size, by a key that the auditor was given for that witness.
2. A cosignature that an earlier audit verified is there still, and the same (`Book.cosigned`); it
   is not verified again. Nothing in a database shows that one was taken away before any audit.

Without a key of any witness the rows are counted, and told to be unverified.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from bol_service.application.audit_findings import AuditReport, Finding, Kind
from bol_service.application.audit_ports import Book, Cosigned
from bol_service.application.ports import Reading
from bol_service.application.witness_ports import Cosignature
from bol_service.ledger.note import NoteError, VerifierKey, parse_note
from bol_service.ledger.policy import witness_id
from bol_service.ledger.witnessing import cosignature_in

PAGE = 500
_START = (-1, "")
Row = tuple[Cosignature, str | None]


def check(
    reading: Reading, book: Book, witnesses: Sequence[VerifierKey], report: AuditReport
) -> None:
    """Add a finding for every row that is wrong or gone; put what was verified into the book."""
    known = {witness_id(key): key for key in witnesses}
    after: tuple[int, str] = _START
    for rows, last in _pages(reading):
        now = {_place(row): _cosigned(row) for row in rows}
        kept = {entry[:2]: entry for entry in book.cosigned(after, last)}
        for place, entry in kept.items():
            if now.get(place) != entry:
                _gone(report, place)
        fresh = [row for row in rows if _place(row) not in kept]
        verified = [row for row in fresh if known and _is_sound(row, known, report)]
        book.put_cosigned([now[_place(row)] for row in verified])
        report.cosignatures += len(rows)
        report.unverified_cosignatures += 0 if known else len(fresh)
        after = last or after


def _pages(reading: Reading) -> Iterator[tuple[list[Row], tuple[int, str] | None]]:
    """All rows in order, with the place up to which each page goes; None: to the end."""
    after: tuple[int, str] = _START
    while True:
        rows = reading.cosigned_after(after, PAGE)
        if len(rows) < PAGE:
            yield rows, None
            return
        after = _place(rows[-1])
        yield rows, after


def _place(row: Row) -> tuple[int, str]:
    return row[0].size, row[0].witness


def _cosigned(row: Row) -> Cosigned:
    """What the book keeps of a row: its place, and a digest of line and checkpoint."""
    cosignature, note = row
    digest = hashlib.sha256(f"{cosignature.line}\0{note}".encode()).hexdigest()
    return cosignature.size, cosignature.witness, digest


def _is_sound(row: Row, known: Mapping[str, VerifierKey], report: AuditReport) -> bool:
    fault = _fault(*row, known)
    if fault is not None:
        cosignature = row[0]
        text = f"the cosignature of {cosignature.witness} under size {cosignature.size} {fault}"
        _add(report, cosignature.size, text)
    return fault is None


def _fault(
    cosignature: Cosignature, note: str | None, known: Mapping[str, VerifierKey]
) -> str | None:
    if note is None:
        return "stands under no checkpoint"
    key = known.get(cosignature.witness)
    if key is None:
        return f"is of none of the witnesses {', '.join(sorted(known))}"
    line = str(cosignature.line)
    try:
        found = cosignature_in(str(note), line.encode(), key)
        if found != line or len(parse_note(note + line).signatures) != _signatures(note) + 1:
            return "is more than one signature line of that witness"
    except (NoteError, UnicodeEncodeError) as error:
        return f"does not hold: {error}"
    return None


def _signatures(note: str) -> int:
    return len(parse_note(note).signatures)


def _gone(report: AuditReport, place: tuple[int, str]) -> None:
    size, witness = place
    text = (
        f"the cosignature of {witness} under size {size} is not the one that an earlier audit saw"
    )
    _add(report, size, text)


def _add(report: AuditReport, size: object, text: str) -> None:
    index = size - 1 if isinstance(size, int) else None  # SQLite keeps values of any type
    report.add(Finding(kind=Kind.COSIGNATURE, text=text, index=index))
