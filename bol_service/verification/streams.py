"""Step 6 of the verifier: the streams, each whole, in order, and ending where it is stated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from bol_service.domain import errors
from bol_service.domain.events import Recorded
from bol_service.domain.states import Head
from bol_service.ledger.entry import stream_tag
from bol_service.verification.bundle import (
    Bundle,
    HiddenEntry,
    ShownEntry,
    Statement,
)
from bol_service.verification.report import (
    FORGED,
    Check,
    Report,
    Stop,
)
from bol_service.wire.event_fields import instant
from bol_service.wire.events import NotUnderstood, SignedEvent, decode


@dataclass(frozen=True, kw_only=True)
class ReadEvent:
    """An event of the file at its place in the log."""

    signed: SignedEvent
    recorded: Recorded


def read(report: Report, bundle: Bundle, statement: Statement) -> list[ReadEvent]:
    tags = {stream_tag(stream): stream for stream in statement.heads}
    heads: dict[str, Head] = {}
    replayed = []
    clock: datetime | None = None
    for entry in bundle.entries:
        if isinstance(entry, HiddenEntry):
            _require_partial(report, statement, entry)
            _hidden_link(report, entry, tags, heads)
            continue
        item = _link(report, entry, statement, heads)
        if clock is not None and item.recorded.recorded_at < clock:
            _broken(report, f"entry {entry.index} was recorded before its predecessor")
        clock = item.recorded.recorded_at
        replayed.append(item)
    _ends(report, statement, heads)
    if clock is not None and statement.at < clock:
        _broken(report, "the statement is older than an entry it rests on")
    report.valid(
        Check.STREAMS, "complete", f"{len(heads)} streams, each from its beginning to its head"
    )
    return replayed


def _link(
    report: Report, entry: ShownEntry, statement: Statement, heads: dict[str, Head]
) -> ReadEvent:
    signed = _readable(report, entry)
    event = signed.event
    if event.stream not in statement.heads:
        _broken(report, f"entry {entry.index} belongs to {event.stream}, which is not stated")
    head = heads.get(event.stream)
    expected = head.sequence + 1 if head else 0
    if event.sequence != expected:
        _broken(
            report,
            f"{event.stream} has sequence {event.sequence} at entry {entry.index}, {expected} is "
            "missing or occurs twice",
        )
    # After a placeholder the digest before is not known; the tree still proves the order.
    if head is not None and head.digest and event.previous != head.digest:
        _broken(report, f"entry {entry.index} does not continue {event.stream}")
    if head is None and event.previous is not None:
        _broken(report, f"entry {entry.index} begins {event.stream} but names a predecessor")
    heads[event.stream] = Head(sequence=event.sequence, digest=signed.parsed.digest)
    recorded = Recorded(
        event=event,
        digest=signed.parsed.digest,
        kid=signed.parsed.kid,
        alg=str(signed.parsed.alg),
        recorded_at=instant(entry.entry.recorded_at),
        index=entry.index,
    )
    return ReadEvent(signed=signed, recorded=recorded)


def _require_partial(report: Report, statement: Statement, entry: HiddenEntry) -> None:
    if not statement.is_partial:
        report.invalid(
            Check.STREAMS,
            "hidden_entry",
            f"entry {entry.index} was taken out; the statement was made for the whole file",
            FORGED,
        )
        raise Stop


def _hidden_link(
    report: Report, entry: HiddenEntry, tags: dict[bytes, str], heads: dict[str, Head]
) -> None:
    stream = tags.get(entry.tag)
    if stream is None:
        _broken(report, f"entry {entry.index} belongs to a stream that is not stated")
    head = heads.get(stream)
    expected = head.sequence + 1 if head else 0
    if entry.sequence != expected:
        _broken(report, f"{stream} has sequence {entry.sequence}, {expected} is missing")
    heads[stream] = Head(sequence=entry.sequence, digest="")


def _ends(report: Report, statement: Statement, heads: dict[str, Head]) -> None:
    for stream, stated in statement.heads.items():
        head = heads.get(stream)
        if head is None or head.sequence != stated.sequence:
            _broken(
                report,
                f"{stream} ends at {head.sequence if head else 'nothing'}, the statement says "
                f"{stated.sequence}",
            )
        if head.digest and head.digest != stated.digest:
            _broken(report, f"{stream} ends with {head.digest}, the statement says {stated.digest}")


def _readable(report: Report, entry: ShownEntry) -> SignedEvent:
    try:
        return decode(entry.entry.event)
    except NotUnderstood as error:
        report.unknown(
            Check.STREAMS,
            "not_understood",
            f"entry {entry.index}: {error}",
            "Use a newer verifier.",
        )
    except errors.Refusal as error:
        report.invalid(Check.STREAMS, error.code, f"entry {entry.index}: {error}", FORGED)
    raise Stop


def _broken(report: Report, message: str) -> NoReturn:
    report.invalid(Check.STREAMS, "broken_stream", message, FORGED)
    raise Stop
