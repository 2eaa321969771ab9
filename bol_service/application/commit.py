"""One group commit: judge each event in order inside one transaction, append what the law allows.

For every event: is it a resend, or does it reuse an id; is it lawful; is what it claims free. A
refused event leaves no trace and does not touch its neighbours; several events of one stream chain
within the group. Then the tree grows, one checkpoint is signed for all, and everything is written
together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bol_service.application import index, notices, platform_guard
from bol_service.application.loading import Loader
from bol_service.application.platform_guard import PlatformFacts
from bol_service.application.ports import (
    Batch,
    Claim,
    LogState,
    StoredEntry,
    Writing,
)
from bol_service.application.receipts import fresh_receipts, receipt_of
from bol_service.domain import errors
from bol_service.domain.events import CustodyAct, Event, Recorded
from bol_service.domain.identifiers import parse_stream
from bol_service.domain.states import Head, Needs
from bol_service.ledger.checkpoint import Checkpoint
from bol_service.ledger.entry import Entry, leaf
from bol_service.ledger.merkle import Frontier, NodeId
from bol_service.ledger.receipt import Receipt
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import SignedEvent

SignCheckpoint = Callable[[Checkpoint], str]


@dataclass(frozen=True, kw_only=True)
class Appended:
    """The event is in the log: now, or since an earlier time (`resend`)."""

    entry: StoredEntry
    resend: bool


@dataclass(frozen=True, kw_only=True)
class Accepted:
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

    def __init__(
        self,
        writing: Writing,
        *,
        now: datetime,
        platform: PlatformFacts,
    ) -> None:
        self._writing = writing
        self._log = writing.log()
        self._loader = Loader(writing, self._log.origin)
        self._loader.streams(set(writing.expected.streams))
        # Time never runs backwards in the log, whatever the machine's clock does.
        self._now = max(now, self._log.recorded_at) if self._log.recorded_at else now
        self._now_text = instant_text(self._now)
        self._platform = platform
        self._frontier = Frontier.from_bytes(self._log.frontier.to_bytes())
        self._edge = self._frontier.nodes()
        self._batch = Batch()
        self._by_payload: dict[str, StoredEntry] = {}
        self._ids: set[tuple[str, str]] = set()

    def run(self, group: Sequence[SignedEvent], sign: SignCheckpoint) -> Committed:
        """Judge `group` in order and write what was accepted."""
        reads = self._loader.for_events([signed.event for signed in group])
        self._read_earlier(group)
        outcomes = [self._outcome(*each) for each in zip(group, reads, strict=True)]
        earlier = {
            outcome.entry.index: receipt_of(self._writing, outcome.entry)
            for outcome in outcomes
            if isinstance(outcome, Appended) and outcome.entry.index < self._log.size
        }
        log = self._write(sign)
        nodes = {
            NodeId(node.level, node.position): node.hash
            for node in (*self._edge, *self._batch.nodes)
        }
        return Committed(outcomes=outcomes, reads=reads, log=log, earlier=earlier, nodes=nodes)

    def _outcome(self, signed: SignedEvent, reads: Needs) -> Outcome:
        try:
            earlier = self._earlier(signed)
            if earlier is not None:
                return Appended(entry=earlier, resend=True)
            return Appended(entry=self._append(signed, reads), resend=False)
        except errors.Refusal as refusal:
            alarms = notices.alarm(self._loader.world, signed.event, refusal)
            self._batch.notices += [(alarm, None) for alarm in alarms]
            return refusal

    def _read_earlier(self, group: Sequence[SignedEvent]) -> None:
        payloads = [signed.payload_digest for signed in group]
        for entry in self._writing.earlier(payloads, [signed.event.id for signed in group]):
            self._remember(entry)

    def _remember(self, entry: StoredEntry) -> None:
        self._by_payload[entry.payload_digest] = entry
        self._ids.add((entry.actor, entry.event_id))

    def _earlier(self, signed: SignedEvent) -> StoredEntry | None:
        """The first entry of this very act; raises IdReused for another act under the same id."""
        event = signed.event
        same = self._by_payload.get(signed.payload_digest)
        if same is not None:
            return same
        if (event.actor, event.id) in self._ids:
            raise errors.IdReused(
                f"{event.actor} used the id {event.id} for another event", pointer="/id"
            )
        return None

    def _append(self, signed: SignedEvent, reads: Needs) -> StoredEntry:
        event, world = signed.event, self._loader.world
        act = Recorded(
            event=event,
            digest=signed.parsed.digest,
            kid=signed.parsed.kid,
            alg=str(signed.parsed.alg),
            recorded_at=self._now,
            index=self._frontier.size,
        )
        if not self._batch.states.keys().isdisjoint(reads.streams):
            self._loader.for_events([event])  # neighbours made more of the world visible
        self._require_registrar(act)
        before = world.state(event.stream)
        state = world.judge(act)
        platform_guard.refuse_reserved_keys(event, self._platform.reserved_keys)
        platform_guard.require_known_rulebook(event, self._platform.rulebooks)
        platform_guard.require_peer(event, self._platform.peers)
        self._require_uploads(event)
        taken = platform_guard.taken_by(world, event)
        platform_guard.require_free(taken, self._owner)
        freed = platform_guard.freed_by(world, event)
        head = Head(sequence=event.sequence, digest=act.digest)
        world.put(event.stream, state, head)
        entry = self._record(signed, act)
        self._batch.states[event.stream] = (state, head, act.index)
        self._batch.taken.update(dict.fromkeys(taken, event.stream))
        self._batch.freed.update(freed)
        for claim in freed:
            self._batch.taken.pop(claim, None)  # taken within this very group
        self._load_bills_of(event)
        index.gather(self._loader, event, before, self._batch)
        told = notices.after(world, event, before, state)
        self._batch.notices += [(notice, act.index) for notice in told]
        return entry

    def _require_registrar(self, act: Recorded) -> None:
        """The first entry of a log must be signed with a registrar key that the settings pin."""
        registrars = self._platform.registrars
        if act.index == 0 and act.kid not in registrars:
            raise errors.NotOperator(
                f"the log begins with the operator's registration, signed with one of "
                f"{', '.join(sorted(registrars)) or 'no pinned keys'}, not {act.kid}"
            )

    def _require_uploads(self, event: Event) -> None:
        found = (self._writing.document(digest) for digest in platform_guard.uploads_named(event))
        documents = {row.digest: row for row in found if row is not None}
        platform_guard.require_uploads(event, documents)

    def _owner(self, claim: Claim) -> str | None:
        if claim in self._batch.taken:
            return self._batch.taken[claim]
        if claim in self._batch.freed:
            return None
        return self._writing.claim_owner(claim)

    def _record(self, signed: SignedEvent, act: Recorded) -> StoredEntry:
        event = act.event
        entry = StoredEntry(
            index=act.index,
            stream=event.stream,
            sequence=event.sequence,
            entry=Entry(event=signed.parsed.text, recorded_at=self._now_text),
            event_id=event.id,
            actor=event.actor,
            action=event.action,
            kid=act.kid,
            payload_digest=signed.payload_digest,
        )
        nodes = self._frontier.append(leaf(event.stream, event.sequence, entry.entry))
        self._batch.nodes += nodes
        self._batch.entries.append(entry)
        self._remember(entry)
        return entry

    def _load_bills_of(self, event: Event) -> None:
        """Whoever holds a bill is told of what happens to its containers."""
        if isinstance(event, CustodyAct):
            container = parse_stream(event.stream).container
            assert container is not None
            self._loader.bills_with(container)

    def _write(self, sign: SignCheckpoint) -> LogState:
        """Append the batch; returns the log as it is then."""
        if not self._batch.entries:
            if self._batch.notices:
                self._writing.append(self._batch, self._at_now(self._log))
            return self._log
        checkpoint = Checkpoint(
            origin=self._log.origin, size=self._frontier.size, root=self._frontier.root()
        )
        log = LogState(
            origin=self._log.origin,
            frontier=self._frontier,
            recorded_at=self._now,
            note=sign(checkpoint),
        )
        self._writing.append(self._batch, log)
        return log

    def _at_now(self, log: LogState) -> LogState:
        return LogState(
            origin=log.origin, frontier=log.frontier, recorded_at=self._now, note=log.note
        )
