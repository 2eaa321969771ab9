"""One group commit: what was judged gets its place in the log, inside one transaction.

1. `Judging` says what the law makes of each event: under the lock, or, when somebody else appends
   at that moment, ahead of it on what can be read already. Nothing that was judged ahead counts
   unless it would be judged alike under the lock; else all is judged anew.
2. The tree grows by what was accepted, one checkpoint is signed for all, and everything is written
   together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from bol_service.application.judging import Judged, Judgement, Judging
from bol_service.application.platform_guard import PlatformFacts
from bol_service.application.ports import Clock, LogState, StoredEntry, Writing
from bol_service.application.receipts import fresh_receipts, receipt_of
from bol_service.domain import errors
from bol_service.domain.states import Needs
from bol_service.ledger.checkpoint import Checkpoint
from bol_service.ledger.merkle import Frontier, NodeId
from bol_service.ledger.receipt import Receipt
from bol_service.wire.events import SignedEvent

SignCheckpoint = Callable[[Checkpoint], str]


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """The event is in the log: now, or since an earlier time (`resend`)."""

    entry: StoredEntry
    resend: bool


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What the sender of an event gets when it is in the log."""

    receipt: Receipt
    resend: bool


Outcome = Appended | errors.Refusal
Answer = Accepted | errors.Refusal


@dataclass(frozen=True, kw_only=True)
class Committed:
    """What a group came to. `earlier` are the receipts of what was in the log before, by index;
    `nodes` are those that the group made and the edge of the tree before it, `reads` what judging
    each event read."""

    outcomes: Sequence[Outcome]
    reads: Sequence[Needs]
    log: LogState
    earlier: Mapping[int, Receipt]
    nodes: Mapping[NodeId, bytes]

    def answers(self) -> list[Answer]:
        """To each event in its order. Asks the database nothing: it is at work on the batch."""
        appended = [outcome.entry for outcome in self.outcomes if isinstance(outcome, Appended)]
        fresh = [entry for entry in appended if entry.index not in self.earlier]
        receipts = {**self.earlier, **fresh_receipts(fresh, self.log, self.nodes)}
        return [
            Accepted(receipt=receipts[outcome.entry.index], resend=outcome.resend)
            if isinstance(outcome, Appended)
            else outcome
            for outcome in self.outcomes
        ]


class GroupCommit:
    """Judges and appends one group; used once, inside one `Writing`."""

    def __init__(self, writing: Writing, *, clock: Clock, platform: PlatformFacts) -> None:
        self._writing = writing
        self._clock = clock
        self._platform = platform

    def run(self, group: Sequence[SignedEvent], sign: SignCheckpoint) -> Committed:
        """Judge `group` in order and write what was accepted."""
        judging = self._judged(group)
        before = self._writing.log()
        growth = _Growth(before, judging)
        outcomes = [growth.outcome(judgement) for judgement in judging.judgements]
        earlier = {
            outcome.entry.index: receipt_of(self._writing, outcome.entry)
            for outcome in outcomes
            if isinstance(outcome, Appended) and outcome.entry.index < before.size
        }
        log = growth.log(sign)
        if growth.batch.entries or growth.batch.notices:
            self._writing.append(growth.batch, log)
        return Committed(
            outcomes=outcomes, reads=judging.reads, log=log, earlier=earlier, nodes=growth.nodes
        )

    def _judged(self, group: Sequence[SignedEvent]) -> Judging:
        """What the law says to all of them; the log is locked then."""
        judging = self._judging(group)
        if not self._writing.locked:
            judging.ahead()
            meanwhile = self._writing.lock()
            if not judging.stands(self._writing.log(), meanwhile, self._clock.now()):
                judging = self._judging(group)
        judging.finish(self._writing.log())
        return judging

    def _judging(self, group: Sequence[SignedEvent]) -> Judging:
        return Judging(self._writing, group, now=self._clock.now(), platform=self._platform)


class _Growth:
    """What a group adds to the log: `batch` is all that is to be written."""

    def __init__(self, before: LogState, judging: Judging) -> None:
        self.batch = judging.batch
        self._before = before
        self._now = judging.now
        self._frontier = Frontier.from_bytes(before.frontier.to_bytes())
        self._edge = self._frontier.nodes()
        self._entries: dict[str, StoredEntry] = {}

    def outcome(self, judgement: Judgement) -> Outcome:
        if isinstance(judgement, errors.Refusal):
            return judgement
        if isinstance(judgement, StoredEntry):
            return Appended(entry=judgement, resend=True)
        payload = judgement.signed.payload_digest
        if payload in self._entries:
            return Appended(entry=self._entries[payload], resend=True)
        entry = self._entries[payload] = self._placed(judgement)
        return Appended(entry=entry, resend=False)

    def _placed(self, judged: Judged) -> StoredEntry:
        signed, event = judged.signed, judged.signed.event
        entry = StoredEntry(
            index=self._frontier.size,
            stream=event.stream,
            sequence=event.sequence,
            entry=judged.entry,
            event_id=event.id,
            actor=event.actor,
            action=event.action,
            kid=signed.parsed.kid,
            payload_digest=signed.payload_digest,
        )
        self.batch.nodes += self._frontier.append(judged.leaf)
        self.batch.entries.append(entry)
        self.batch.states[event.stream] = (judged.state, judged.head, entry.index)
        self.batch.notices += [(notice, entry.index) for notice in judged.notices]
        return entry

    def log(self, sign: SignCheckpoint) -> LogState:
        """The log with the group; without an entry only its time goes on."""
        before, size = self._before, self._frontier.size
        note = before.note
        if size > before.size:
            note = sign(Checkpoint(origin=before.origin, size=size, root=self._frontier.root()))
        return LogState(
            origin=before.origin, frontier=self._frontier, recorded_at=self._now, note=note
        )

    @property
    def nodes(self) -> dict[NodeId, bytes]:
        """Those that the group made, and the edge of the tree before it."""
        return {
            NodeId(node.level, node.position): node.hash
            for node in (*self._edge, *self.batch.nodes)
        }
