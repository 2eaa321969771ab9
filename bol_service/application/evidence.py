"""Making evidence bundles: the file with which anyone can check a bill without this platform.

Carrier, holder and auditor get a full bundle: every stream that the bill's history rests on, from
its beginning to its head, so that a verifier can replay the law. A former holder gets the same as
of its own disposal, and nothing after. Everybody else who knows the bill gets a partial one, in
which events beyond their rights are placeholders.

Carrier and holder get, for those whom they disclose single fields to, a partial bundle that shows
ISSUE and who the carrier is, and nothing else of the bill: neither document nor later holders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from bol_service.application.cosigned import cosigned_size, with_cosignatures
from bol_service.application.loading import Loader
from bol_service.application.ports import Clock, Reading, Store, StoredEntry
from bol_service.application.queries import may_read
from bol_service.application.receipts import NotCovered
from bol_service.crypto.signers import Signer
from bol_service.domain import access, errors, title
from bol_service.domain.access import Group, Relation
from bol_service.domain.events import Action, Imported, Issue, Opening, Recorded, Returned
from bol_service.domain.identifiers import draft_stream, party_stream
from bol_service.domain.states import OPERATOR, BillState, Head
from bol_service.domain.world import World, custody_streams
from bol_service.ledger.checkpoint import parse_checkpoint
from bol_service.ledger.entry import stream_tag
from bol_service.ledger.merkle import NodeId, inclusion_nodes_of, inclusion_paths
from bol_service.ledger.note import parse_note
from bol_service.ledger.policy import Policy
from bol_service.verification.bundle import (
    Bundle,
    BundleEntry,
    HiddenEntry,
    ShownEntry,
    Statement,
    checkpoint_digest,
)
from bol_service.wire.event_fields import instant
from bol_service.wire.events import decode
from bol_service.wire.naming import parties_named
from bol_service.wire.pint_envelope import read_envelope

_PAGE = 1000
FULL = frozenset({Relation.CARRIER, Relation.HOLDER, Relation.AUDITOR})
_ARRIVALS = frozenset({Action.IMPORTED, Action.RETURNED})
DISCLOSING = frozenset({Relation.CARRIER, Relation.HOLDER})


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """How far a bundle reaches: entries up to `last`, stated at `at`; all of them for None."""

    last: int | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a reader may see of a bill: which of its events, and whether custody."""

    custody: bool
    shows: Callable[[StoredEntry], bool]


SightOf = Callable[[Loader, BillState], Sight]


class Evidence:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        signer: Signer,
        origin: str,
        policy: Policy | None = None,
    ) -> None:
        """`policy` names the witnesses whose quorum a bundle's checkpoint should have."""
        self._policy = policy or Policy()
        self._store = store
        self._clock = clock
        self._signer = signer
        self._origin = origin

    def bundle(self, bill_id: str, reader: str) -> bytes:
        """The bundle of a bill for `reader`; raises NotFound for strangers."""
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            bill, related = self._known(loader, bill_id, reader)
            if related & FULL:
                return self._full(reading, loader.world, bill)
            if Relation.FORMER_HOLDER in related:
                return self._full_until(reading, bill, self._disposal(reading, bill, reader))
            return self._partial(reading, loader.world, bill, reader, related)

    def issue_bundle(self, bill_id: str, reader: str) -> bytes:
        """What proves who issued the bill, and its status, for whom fields are disclosed to.

        Raises NotFound for all but the carrier and who holds the bill.
        """
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            bill, related = self._known(loader, bill_id, reader)
            if not related & DISCLOSING:
                raise errors.NotFound(f"bill:{bill_id} is unknown")
            history = _all_of(reading, f"bill:{bill_id}", None)
            if not isinstance(decode(history[0].entry.event).event, Issue):
                raise errors.NotFound(f"bill:{bill_id} was issued on another platform")
            parties = _party_entries(reading, {bill.carrier}, None)
            return self._signed_bundle(
                reading,
                sorted((*history, *parties), key=lambda entry: entry.index),
                hidden=frozenset(entry.index for entry in history[1:]),
                document=None,
                cut=_Cut(last=None, at=self._clock.now()),
                bill=bill_id,
                status=title.status(loader.world, bill),
                control=None,
            )

    def bundle_for(self, bill_id: str, sight_of: SightOf) -> bytes:
        """A partial bundle without the document, as far as `sight_of` lets its reader see.

        For readers who are no party here (`delivery_abroad_sight`). Raises NotFound.
        """
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            bill = loader.bill(bill_id)
            if bill is None:
                raise errors.NotFound(f"bill:{bill_id} is unknown")
            sight = sight_of(loader, bill)
            history = _all_of(reading, f"bill:{bill_id}", None)
            hidden = frozenset(entry.index for entry in history if not sight.shows(entry))
            entries = list(history)
            for stream in custody_streams(bill) if sight.custody else ():
                entries += _all_of(reading, stream, None)
            actors = {entry.actor for entry in entries if entry.index not in hidden}
            entries += _party_entries(reading, actors, None)
            return self._signed_bundle(
                reading,
                sorted(entries, key=lambda entry: entry.index),
                hidden=hidden,
                document=None,
                cut=_Cut(last=None, at=self._clock.now()),
                bill=bill_id,
                status=title.status(loader.world, bill),
                control=None,
            )

    def _known(
        self, loader: Loader, bill_id: str, reader: str
    ) -> tuple[BillState, frozenset[Relation]]:
        loader.streams({party_stream(reader)})
        bill = loader.bill(bill_id)
        if bill is None:
            raise errors.NotFound(f"bill:{bill_id} is unknown")
        related = access.relations(loader.world, bill, reader, self._clock.now())
        if not related:
            raise errors.NotFound(f"bill:{bill_id} is unknown")
        return bill, related

    # -- full ------------------------------------------------------------------------------------

    def _disposal(self, reading: Reading, bill: BillState, reader: str) -> _Cut:
        sequence = access.disposal(bill, reader)
        entry = reading.entry_at(f"bill:{bill.bill}", sequence) if sequence is not None else None
        if entry is None:
            raise errors.NotFound(f"bill:{bill.bill} is unknown")
        return _Cut(last=entry.index, at=instant(entry.entry.recorded_at))

    def _full(self, reading: Reading, world: World, bill: BillState) -> bytes:
        """As the bill stands now; whoever opens the file replays what this does not."""
        return self._signed_bundle(
            reading,
            _closure(reading, bill, None),
            hidden=frozenset(),
            document=_document(reading, reading.entry_at(f"bill:{bill.bill}", 0)),
            cut=_Cut(last=None, at=self._clock.now()),
            bill=bill.bill,
            status=title.status(world, bill),
            control=_control(bill),
            with_chains=True,
        )

    def _full_until(self, reading: Reading, bill: BillState, cut: _Cut) -> bytes:
        entries = _closure(reading, bill, cut.last)
        document, world = self._replayed(reading, bill, entries)
        then = world.bill(bill.bill)
        assert then is not None
        return self._signed_bundle(
            reading,
            entries,
            hidden=frozenset(),
            document=document,
            cut=cut,
            bill=bill.bill,
            status=title.status(world, then),
            control=_control(then),
            with_chains=True,
        )

    def _replayed(
        self, reading: Reading, bill: BillState, entries: list[StoredEntry]
    ) -> tuple[bytes, World]:
        """The document, and the world that these entries make: what the statement will say."""
        world = World(self._origin)
        document = b""
        for entry in entries:
            signed = decode(entry.entry.event)
            event = signed.event
            if isinstance(event, Opening) and event.stream == f"bill:{bill.bill}":
                row = reading.document(event.received_bytes)
                assert row is not None
                assert row.facts is not None
                world.add_document(row.facts)
                document = row.content
            world.apply(
                Recorded(
                    event=event,
                    digest=signed.parsed.digest,
                    kid=signed.parsed.kid,
                    alg=str(signed.parsed.alg),
                    recorded_at=instant(entry.entry.recorded_at),
                    index=entry.index,
                )
            )
        return document, world

    # -- partial ---------------------------------------------------------------------------------

    def _partial(
        self,
        reading: Reading,
        world: World,
        bill: BillState,
        reader: str,
        related: frozenset[Relation],
    ) -> bytes:
        granted = access.groups(related)
        history = _all_of(reading, f"bill:{bill.bill}", None)
        hidden = {entry.index for entry in history if not may_read(bill, related, reader, entry)}
        entries = list(history)
        if Group.CUSTODY in granted:
            for stream in custody_streams(bill):
                entries += _all_of(reading, stream, None)
        if Group.DRAFT in granted and bill.home is None:
            entries += _all_of(reading, draft_stream(bill.shipment), None)
        shown = [entry for entry in entries if entry.index not in hidden]
        entries += _party_entries(reading, {entry.actor for entry in shown}, None)
        document = None
        if Group.DOCUMENT in granted:
            document = _document(reading, history[0])
        return self._signed_bundle(
            reading,
            sorted(entries, key=lambda entry: entry.index),
            hidden=frozenset(hidden),
            document=document,
            cut=_Cut(last=None, at=self._clock.now()),
            bill=bill.bill,
            status=title.status(world, bill),
            control=None,  # by this a verifier knows that the file may have gaps
        )

    # -- both ------------------------------------------------------------------------------------

    def _signed_bundle(
        self,
        reading: Reading,
        entries: list[StoredEntry],
        *,
        hidden: frozenset[int],
        document: bytes | None,
        cut: _Cut,
        bill: str,
        status: str,
        control: tuple[str, str | None, bool] | None,
        with_chains: bool = False,
    ) -> bytes:
        note = self._note(reading, cut.last, max(entry.index for entry in entries))
        checkpoint = parse_checkpoint(parse_note(note).text)
        last = {entry.stream: entry for entry in entries}  # in log order: the last one wins
        heads = {
            stream: Head(sequence=entry.sequence, digest=entry.entry.event_digest)
            for stream, entry in last.items()
        }
        statement = Statement(
            origin=self._origin,
            bill=bill,
            status=status,
            control=control,
            heads=heads,
            size=checkpoint.size,
            root=checkpoint.root,
            checkpoint_digest=checkpoint_digest(note),
            at=max(cut.at, instant(max(entry.entry.recorded_at for entry in entries))),
        )
        bundle = Bundle(
            document=document,
            entries=tuple(_with_proofs(reading, entries, hidden, checkpoint.size)),
            checkpoint=note,
            statement=statement.sign(self._signer),
            chains=_chains(reading, entries) if with_chains else (),
        )
        return bundle.to_bytes()

    def _note(self, reading: Reading, last: int | None, highest: int) -> str:
        """The checkpoint of now, or the first one that covers the entry `last`.

        Rather one with the quorum of witnesses, if it covers the entry `highest` of the bundle.
        """
        size = cosigned_size(reading, self._policy, highest + 1, newest=last is None)
        if size is None:
            size = reading.log().size if last is None else last + 1
        found = reading.checkpoint(size)
        if found is None:
            raise NotCovered(f"entry {size - 1} is under no checkpoint; run: bol ledger check")
        return with_cosignatures(reading, *found)


def _document(reading: Reading, issue: StoredEntry | None) -> bytes:
    """The document that the bill's first entry names, as received."""
    assert issue is not None
    event = decode(issue.entry.event).event
    assert isinstance(event, Opening)
    row = reading.document(event.received_bytes)
    assert row is not None
    return row.content


def _control(bill: BillState) -> tuple[str, str | None, bool]:
    return bill.control.possessor, bill.control.title_holder, bill.control.final


def _chains(reading: Reading, entries: Iterable[StoredEntry]) -> tuple[str, ...]:
    """The entries of the chains by which the bill came here, each once, oldest first."""
    arrivals = (decode(one.entry.event).event for one in entries if one.action in _ARRIVALS)
    envelopes = [event.envelope for event in arrivals if isinstance(event, Imported | Returned)]
    kept = reading.contents(envelopes) if envelopes else {}
    texts = (read_envelope(kept[digest]).chain for digest in envelopes if digest in kept)
    return tuple(dict.fromkeys(chain.from_iterable(texts)))


def _closure(reading: Reading, bill: BillState, last: int | None) -> list[StoredEntry]:
    """Every entry that replaying the bill needs, in log order, up to the entry `last`."""
    streams = [f"bill:{bill.bill}", *custody_streams(bill)]
    if bill.home is None:
        streams.append(draft_stream(bill.shipment))
    entries = [entry for stream in streams for entry in _all_of(reading, stream, last)]
    entries += _party_entries(reading, _named_in(entries), last)
    return sorted(entries, key=lambda entry: entry.index)


def _named_in(entries: Iterable[StoredEntry]) -> set[str]:
    return set().union(*(parties_named(entry.entry.event) for entry in entries))


def _party_entries(reading: Reading, slugs: set[str], last: int | None) -> list[StoredEntry]:
    """The whole histories of these parties, the operator's, and of those that they name."""
    wanted, done, entries = {*slugs, OPERATOR}, set[str](), list[StoredEntry]()
    while wanted - done:
        slug = min(wanted - done)
        done.add(slug)
        part = _all_of(reading, party_stream(slug), last)
        entries += part
        wanted |= _named_in(part)
    return entries


def _all_of(reading: Reading, stream: str, last: int | None) -> list[StoredEntry]:
    """A stream from its beginning, up to and including the log index `last`."""
    entries: list[StoredEntry] = []
    while True:
        part = reading.entries(stream, len(entries), _PAGE)
        entries += part
        if len(part) < _PAGE:
            return [entry for entry in entries if last is None or entry.index <= last]


def _with_proofs(
    reading: Reading, entries: list[StoredEntry], hidden: frozenset[int], size: int
) -> list[BundleEntry]:
    indexes = [entry.index for entry in entries]
    nodes = reading.nodes(inclusion_nodes_of(indexes, size))
    paths = inclusion_paths(lambda level, idx: nodes[NodeId(level, idx)], indexes, size)
    shown: list[BundleEntry] = []
    for entry in entries:
        proof = tuple(paths[entry.index])
        if entry.index in hidden:
            shown.append(
                HiddenEntry(
                    index=entry.index,
                    tag=stream_tag(entry.stream),
                    sequence=entry.sequence,
                    digest=entry.entry.digest,
                    proof=proof,
                )
            )
        else:
            shown.append(ShownEntry(index=entry.index, entry=entry.entry, proof=proof))
    return shown
