"""What the law makes of the events of one group, in their order.

For every event: is it a resend, or does it reuse an id; is it lawful; is what it claims free. A
refused event leaves no trace and does not touch its neighbours; several events of one stream chain
within the group.

Nothing here needs a place in the log, so judging may begin while somebody else still appends
(docs/adr/0046). `ahead` goes as far as the law reads nothing but states, which have heads; when the
log is locked, `stands` says whether all that was read is still so, and `finish` judges the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from bol_service.application import index, notices, platform_guard
from bol_service.application.loading import Loader
from bol_service.application.platform_guard import PlatformFacts
from bol_service.application.ports import (
    Batch,
    Claim,
    LogState,
    Meanwhile,
    Notice,
    StoredEntry,
    Writing,
)
from bol_service.domain import errors
from bol_service.domain.events import BillAct, CustodyAct, Event, Issue, Recorded
from bol_service.domain.identifiers import parse_stream
from bol_service.domain.states import Head, Needs, State
from bol_service.domain.values import made
from bol_service.ledger.entry import Entry, leaf
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import SignedEvent

PATIENCE: Final = timedelta(seconds=1)
"""What was judged longer ago is judged anew: an order or a key may have run out meanwhile."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """An event that the law allows: what the log holds of it, the state it leaves its stream in,
    and who is to be told."""

    signed: SignedEvent
    entry: Entry
    leaf: bytes
    state: State
    head: Head
    notices: Sequence[Notice]


Judgement = Judged | StoredEntry | errors.Refusal
"""An entry is that of an earlier time; an event that stands twice in the group has one `Judged`."""


class Judging:
    """Of one group, on what `writing` reads.

    `judgements` are those so far, `reads` what judging each event reads, `batch` what the accepted
    ones change beside the log; entries and states get there when they have their place.
    """

    def __init__(
        self,
        writing: Writing,
        group: Sequence[SignedEvent],
        *,
        now: datetime,
        platform: PlatformFacts,
    ) -> None:
        log = writing.log()
        self._writing = writing
        self._group = group
        self._platform = platform
        self._first = log.size
        self._accepted = 0
        # Time never runs backwards in the log, whatever the machine's clock does.
        self.now = max(now, log.recorded_at) if log.recorded_at else now
        self._now_text = instant_text(self.now)
        self._loader = Loader(writing, log.origin)
        self._loader.streams(set(writing.expected.streams))
        self.reads: Sequence[Needs] = self._loader.for_events([signed.event for signed in group])
        self.judgements: list[Judgement] = []
        self.batch = Batch()
        self._changed: set[str] = set()
        self._by_payload: dict[str, StoredEntry | Judged] = {}
        self._ids: set[tuple[str, str]] = set()
        self._read_earlier()

    def ahead(self) -> None:
        """Judge the events that come before the first one that can be judged under the lock alone:
        claims and documents have no heads, and an index is known only there."""
        for signed, reads in zip(self._group, self.reads, strict=True):
            if not isinstance(signed.event, BillAct) or isinstance(signed.event, Issue):
                return
            self.judgements.append(self._judgement(signed, reads))

    def stands(self, log: LogState, meanwhile: Meanwhile | None, now: datetime) -> bool:
        """Whether all would be judged alike `now` that the log is locked as `log`, and others have
        recorded `meanwhile` in it."""
        late = log.recorded_at is not None and log.recorded_at > self.now
        return (
            not late
            and now - self.now <= PATIENCE
            and meanwhile is not None
            and self._loader.streams_loaded.isdisjoint(meanwhile.streams)
            and meanwhile.ids.isdisjoint([signed.event.id for signed in self._group])
        )

    def finish(self, log: LogState) -> None:
        """Judge what is not judged yet, under the lock of `log`."""
        self._first = log.size
        done = len(self.judgements)
        for signed, reads in zip(self._group[done:], self.reads[done:], strict=True):
            self.judgements.append(self._judgement(signed, reads))

    def _judgement(self, signed: SignedEvent, reads: Needs) -> Judgement:
        try:
            return self._earlier(signed) or self._judged(signed, reads)
        except errors.Refusal as refusal:
            alarms = notices.alarm(self._loader.world, signed.event, refusal)
            self.batch.notices += [(alarm, None) for alarm in alarms]
            return refusal

    def _read_earlier(self) -> None:
        payloads = [signed.payload_digest for signed in self._group]
        for entry in self._writing.earlier(payloads, [signed.event.id for signed in self._group]):
            self._by_payload[entry.payload_digest] = entry
            self._ids.add((entry.actor, entry.event_id))

    def _earlier(self, signed: SignedEvent) -> StoredEntry | Judged | None:
        """The first of this very act; raises IdReused for another act under the same id."""
        event = signed.event
        same = self._by_payload.get(signed.payload_digest)
        if same is not None:
            return same
        if (event.actor, event.id) in self._ids:
            raise errors.IdReused(
                f"{event.actor} used the id {event.id} for another event", pointer="/id"
            )
        return None

    def _judged(self, signed: SignedEvent, reads: Needs) -> Judged:
        event, world = signed.event, self._loader.world
        act = made(
            Recorded,
            event=event,
            digest=signed.parsed.digest,
            kid=signed.parsed.kid,
            alg=str(signed.parsed.alg),
            recorded_at=self.now,
            index=self._first + self._accepted,
        )
        if not self._changed.isdisjoint(reads.streams):
            self._loader.for_events([event])  # neighbours made more of the world visible
        self._require_registrar(act)
        before = world.state(event.stream)
        state = world.judge(act)
        platform_guard.refuse_reserved_keys(event, self._platform.reserved_keys)
        platform_guard.require_known_rulebook(event, self._platform.rulebooks)
        platform_guard.require_peer(event, self._platform.peers)
        if named := platform_guard.uploads_named(event):
            self._require_uploads(event, named)
        taken = platform_guard.taken_by(world, event)
        platform_guard.require_free(taken, self._owner)
        freed = platform_guard.freed_by(world, event)
        head = made(Head, sequence=event.sequence, digest=act.digest)
        world.put(event.stream, state, head)
        if taken or freed:
            self._change_claims(event, taken, freed)
        if isinstance(event, CustodyAct):
            self._load_bills_with(event)
        index.gather(self._loader, event, before, self.batch)
        entry = Entry(event=signed.parsed.text, recorded_at=self._now_text)
        judged = Judged(
            signed=signed,
            entry=entry,
            leaf=leaf(event.stream, event.sequence, entry),
            state=state,
            head=head,
            notices=notices.after(world, event, before, state),
        )
        self._accepted += 1
        self._changed.add(event.stream)
        self._by_payload[signed.payload_digest] = judged
        self._ids.add((event.actor, event.id))
        return judged

    def _require_registrar(self, act: Recorded) -> None:
        """The first entry of a log must be signed with a registrar key that the settings pin."""
        registrars = self._platform.registrars
        if act.index == 0 and act.kid not in registrars:
            raise errors.NotOperator(
                f"the log begins with the operator's registration, signed with one of "
                f"{', '.join(sorted(registrars)) or 'no pinned keys'}, not {act.kid}"
            )

    def _require_uploads(self, event: Event, named: list[str]) -> None:
        found = (self._writing.document(digest) for digest in named)
        documents = {row.digest: row for row in found if row is not None}
        platform_guard.require_uploads(event, documents)

    def _change_claims(self, event: Event, taken: list[Claim], freed: list[Claim]) -> None:
        self.batch.taken.update(dict.fromkeys(taken, event.stream))
        self.batch.freed.update(freed)
        for claim in freed:
            self.batch.taken.pop(claim, None)  # taken within this very group

    def _owner(self, claim: Claim) -> str | None:
        if claim in self.batch.taken:
            return self.batch.taken[claim]
        if claim in self.batch.freed:
            return None
        return self._writing.claim_owner(claim)

    def _load_bills_with(self, event: CustodyAct) -> None:
        """Whoever holds a bill is told of what happens to its containers."""
        container = parse_stream(event.stream).container
        assert container is not None
        self._loader.bills_with(container)
