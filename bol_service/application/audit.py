"""The full audit of a ledger: believe nothing but the entries and the log's public key.

1. rows: contiguous, each column equal to what the signed bytes say, time never running backwards;
2. signatures: every one, under the key that was registered for its actor at that place;
3. law: every event judged again by `World.judge`, in log order, with documents read again from
   their bytes, and what it claims on the platform free at that place;
4. tree: leaves, stored nodes and the head's frontier from the entries alone;
5. checkpoints: signed by the log, each with the root of the tree at its size;
6. cosignatures: every one, under the key of its witness (`audit_cosignatures`);
7. caches: every table that repeats what the entries say is the one that the replay makes;
8. the tables beside the log, as far as they can be held to anything (`audit_beside`).

What needs no order runs in `jobs` processes (`audit_pages`, `audit_workers`), the replay in this
one (`audit_replay`). What the replay makes lies in a *book*, so memory does not grow with the log.

A book that is kept makes the next audit short, and lets an interrupted one go on. It holds what
the replay had made up to some size without finding anything, and the tree's edge there. An audit
`since` then does not believe the database for the entries before: it hashes every row of them
again, and goes on only if they make that very root. So signed bytes and columns are the same as
then, while signatures, law, documents and checkpoints of these entries are not looked at again
(`report.since`). Whoever can write the book can deceive that audit: it is to be kept where the
database's administrator cannot write. A book of another version or of other keys is refused.

An audit from inside cannot see a database that was rolled back as a whole, or a second history
signed with a stolen log key: compare its root with a checkpoint that somebody else kept.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bol_service.application import audit_beside, audit_caches, audit_cosignatures
from bol_service.application.audit_beside_ports import BesideReading, Memory
from bol_service.application.audit_earlier import require_usable
from bol_service.application.audit_findings import AuditReport, Finding, Kind
from bol_service.application.audit_pages import (
    Examined,
    Note,
    PageTask,
    examine,
    refused,
    retrace,
)
from bol_service.application.audit_ports import Book, Reached
from bol_service.application.audit_replay import Replay
from bol_service.application.audit_tree import Tree, check_head
from bol_service.application.audit_workers import pages, seldom_collecting
from bol_service.application.ports import LogState, Reading, Store
from bol_service.domain import errors
from bol_service.ledger.note import VerifierKey
from bol_service.wire.event_fields import instant_text

__all__ = ["AuditReport", "audit"]

Progress = Callable[[int, int], None]


def audit(
    store: Store,
    log_keys: Sequence[VerifierKey],
    progress: Progress = lambda _done, _all: None,
    *,
    jobs: int = 1,
    since: Path | None = None,
    rebuild: bool = False,
    witnesses: Sequence[VerifierKey] = (),
    beside: AbstractContextManager[BesideReading] | None = None,
) -> AuditReport:
    """Audit the whole ledger. Stops at the first entry that cannot be replayed.

    `witnesses` are the keys by which cosignatures should be; without any they are only counted.
    `since` is the file of a book: an audit goes on from it and keeps it up to date, and makes it if
    it is not there. `rebuild` writes the caches anew if entries, tree and checkpoints are sound.
    Without `beside`, the tables beside the log are not looked at.

    Raises:
        BookError: `since` cannot be used.
        audit_caches.Changed: The log grew before its caches could be rebuilt.
    """
    with seldom_collecting(), store.audit_book(since) as book:
        with store.reading() as reading:
            try:
                log = reading.log()
            except ValueError as error:
                report = AuditReport()
                text = f"the head cannot be read: {error}"
                report.add(Finding(kind=Kind.HEAD, text=text))
                return report
            running = _Audit(store, reading, log, log_keys, book, progress, jobs)
            report = running.run(witnesses, beside, book if since is not None else None)
        if rebuild and report.counted and report.is_rebuildable:
            audit_caches.rebuild(store, book, report)
            report.rebuilt = True
    return report


class _Audit:
    def __init__(
        self,
        store: Store,
        reading: Reading,
        log: LogState,
        log_keys: Sequence[VerifierKey],
        book: Book,
        progress: Progress,
        jobs: int,
    ) -> None:
        self._store = store
        self._reading = reading
        self._log = log
        self._log_keys = log_keys
        self._book = book
        self._progress = progress
        self._jobs = jobs
        self._tree = Tree(reading, log.origin)
        self._replay = Replay(book, log.origin)
        self._report = AuditReport()
        self._pending: list[Finding] = []
        self._notes: dict[int, Note] = {}
        self._recorded_at = ""
        self._beyond = AuditReport()
        self._meanwhile: Iterator[None] = iter(())
        self._broken: Exception | None = None

    def run(
        self,
        witnesses: Sequence[VerifierKey],
        beside: AbstractContextManager[BesideReading] | None,
        memory: Memory | None,
    ) -> AuditReport:
        with beside or nullcontext() as others, closing(self._beside(others)) as steps:
            self._meanwhile = steps
            sound = self._earlier() and self._entries()
            self._settle()
            self._report.entries = self._tree.size
            self._report.root = self._tree.frontier.root()
            if sound:
                audit_cosignatures.check(self._reading, self._book, witnesses, self._report)
                self._end_beside(others, memory)
                self._end()
        return self._report

    def _end_beside(self, others: BesideReading | None, memory: Memory | None) -> None:
        for _ in self._meanwhile:
            pass
        if self._broken is not None:
            raise self._broken
        if others is not None and memory is not None:
            audit_beside.compare(others, memory, self._beyond)

    def _end(self) -> None:
        self._keep(self._beyond)
        self._pending += check_head(
            self._reading, self._log, self._tree.frontier, self._recorded_at
        )
        self._settle()
        audit_caches.compare(self._reading, self._book, self._report)
        self._report.take(self._beyond)

    def _beside(self, others: BesideReading | None) -> Generator[None, None, None]:
        """The tables beside the log, in the steps that are taken while pages are awaited.

        What cannot be read there is told only once the log is found sound.
        """
        if others is None:
            return
        try:
            yield from audit_beside.check(others, self._log.origin, self._beyond)
        except Exception as error:  # raised again by `_end_beside`
            self._broken = error

    # -- what an earlier audit examined ----------------------------------------------------------

    def _earlier(self) -> bool:
        """Whether the entries before, if the book has any, are those of the earlier audit."""
        reached = self._book.reached()
        if reached is None:
            return True
        require_usable(reached, self._log, self._log_keys)
        self._report.since, self._report.since_at = reached.size, reached.at
        if not self._walk(retrace, range(reached.size), self._retraced):
            return False
        if self._tree.frontier.to_bytes() != reached.frontier.to_bytes():
            now = f"{self._tree.size} rows that make {self._tree.frontier.root().hex()}"
            return self._not_as_then(now, reached)
        self._recorded_at = reached.recorded_at
        return True

    def _retraced(self, row: Examined) -> bool:
        self._pending += row.findings
        if not row.leaf:
            return False
        self._tree.append(row.leaf)
        return True

    def _not_as_then(self, now: str, reached: Reached) -> bool:
        text = (
            f"the audit of {reached.at} saw {reached.size} entries that make "
            f"{reached.frontier.root().hex()}; there are {now}"
        )
        self._pending.append(Finding(kind=Kind.EARLIER, text=text))
        return False

    # -- entries ---------------------------------------------------------------------------------

    def _entries(self) -> bool:
        return self._walk(examine, range(self._tree.size, self._log.size), self._examined)

    def _walk(self, task: PageTask, span: range, take: Callable[[Examined], bool]) -> bool:
        """Take every row in order; False, with a finding, where it cannot go on."""
        for page in pages(
            self._store,
            self._reading,
            task,
            span,
            log_keys=self._log_keys,
            jobs=self._jobs,
            meanwhile=self._meanwhile,
        ):
            self._notes = {note.size: note for note in page.notes}
            for row in page.rows:
                if row.position != self._tree.size:
                    return self._missing(row.position)
                if not take(row):
                    return False
            if page.unreadable is not None:
                self._pending.append(page.unreadable)
                return False
            if self._tree.size < page.end:
                return self._ended(page.end)
            if self._tree.is_full:
                self._settle()
            self._progress(self._tree.size, self._log.size)
        return True

    def _missing(self, following: int) -> bool:
        index = self._tree.size
        text = f"entry {index} is missing; the next row is {following}"
        self._pending.append(Finding(kind=Kind.ROW, text=text, index=index))
        return False

    def _ended(self, end: int) -> bool:
        """No row in the rest of a page: the log ends there, or has a gap."""
        try:
            later = self._reading.scan(self._tree.size, 1)
        except (ValueError, TypeError):
            return self._missing(end)
        return self._missing(later[0].index) if later else True

    def _examined(self, row: Examined) -> bool:
        position, recorded_at, leaf, act, findings, wrong_facts = row
        self._pending += findings
        if wrong_facts is not None:
            self._report.wrong_facts.append(wrong_facts)
        if recorded_at != self._recorded_at:
            self._require_order(row)
        if act is None:
            return False
        try:
            self._replay.apply(act, position, recorded_at)
        except errors.Refusal as error:
            event = act.event
            told = refused(position, event.action, event.actor, event.stream, error)
            self._pending.append(told)
            return False
        self._tree.append(leaf)
        if self._tree.size in self._notes:
            self._end_group(self._notes[self._tree.size])
        return True

    def _require_order(self, row: Examined) -> None:
        if row.recorded_at < self._recorded_at:
            text = (
                f"entry {row.position} was recorded at {row.recorded_at}, before its predecessor "
                f"at {self._recorded_at}"
            )
            self._pending.append(Finding(kind=Kind.ROW, text=text, index=row.position))
        self._recorded_at = row.recorded_at

    def _end_group(self, note: Note) -> None:
        """Where a checkpoint is stored, a commit ended."""
        self._tree.hold_against(note)
        self._replay.end_group()
        if self._replay.is_full:
            self._keep()

    def _settle(self) -> None:
        """Tell what was found so far, in the order of the log."""
        self._pending += self._tree.settle()
        unplaced = self._log.size
        for finding in sorted(
            self._pending, key=lambda item: unplaced if item.index is None else item.index
        ):
            self._report.add(finding)
        self._pending = []

    def _keep(self, beyond: AuditReport | None = None) -> None:
        """The book goes only as far as nothing was found, so that a later audit finds it again."""
        self._settle()
        self._replay.flush()
        if self._report.counted or (beyond is not None and beyond.counted):
            return
        self._book.keep(
            Reached(
                origin=self._log.origin,
                version=version("bol-service"),
                vkeys=tuple(sorted(key.vkey for key in self._log_keys)),
                frontier=self._tree.frontier,
                recorded_at=self._recorded_at,
                at=instant_text(datetime.now(UTC)),
            )
        )
