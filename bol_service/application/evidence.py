"""Making evidence bundles: the file with which anyone can check a bill without this platform.

Carrier, holder and auditor get a full bundle: every stream that the bill's history rests on, from
its beginning to its head, so that a verifier can replay the law. A former holder gets the same as
of its own disposal, and nothing after. Everybody else who knows the bill gets a partial one, in
which events beyond their rights are placeholders.

Carrier and holder get, for those whom they disclose single fields to, a partial bundle that shows
ISSUE and who the carrier is, and nothing else of the bill: neither document nor later holders. Of a
bill that came from another platform it shows the status alone; ISSUE is in that one's ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bol_service.application.evidence_entries import all_of, closure, document_of, party_entries
from bol_service.application.evidence_making import BundleMaker, Cut
from bol_service.application.loading import Loader
from bol_service.application.ports import Clock, Reading, Store, StoredEntry
from bol_service.application.queries import may_read
from bol_service.crypto.signers import Signer
from bol_service.domain import access, errors, title
from bol_service.domain.access import Group, Relation
from bol_service.domain.events import Opening, Recorded
from bol_service.domain.identifiers import draft_stream, party_stream
from bol_service.domain.states import BillState
from bol_service.domain.world import World, custody_streams
from bol_service.ledger.policy import Policy
from bol_service.wire.event_fields import instant
from bol_service.wire.events import decode

FULL = frozenset({Relation.CARRIER, Relation.HOLDER, Relation.AUDITOR})
DISCLOSING = frozenset({Relation.CARRIER, Relation.HOLDER})


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
        self._maker = BundleMaker(signer, origin, policy or Policy())
        self._store = store
        self._clock = clock
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
            history = all_of(reading, f"bill:{bill_id}", None)
            # IMPORTED names whoever had the bill before, and nobody is asked to disclose these.
            shown = history[:1] if bill.home is None else []
            parties = party_entries(reading, {entry.actor for entry in shown}, None)
            return self._maker.signed(
                reading,
                sorted((*history, *parties), key=lambda entry: entry.index),
                hidden=frozenset(entry.index for entry in history[len(shown) :]),
                document=None,
                cut=Cut(last=None, at=self._clock.now()),
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
            history = all_of(reading, f"bill:{bill_id}", None)
            hidden = frozenset(entry.index for entry in history if not sight.shows(entry))
            entries = list(history)
            for stream in custody_streams(bill) if sight.custody else ():
                entries += all_of(reading, stream, None)
            actors = {entry.actor for entry in entries if entry.index not in hidden}
            entries += party_entries(reading, actors, None)
            return self._maker.signed(
                reading,
                sorted(entries, key=lambda entry: entry.index),
                hidden=hidden,
                document=None,
                cut=Cut(last=None, at=self._clock.now()),
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

    def _disposal(self, reading: Reading, bill: BillState, reader: str) -> Cut:
        sequence = access.disposal(bill, reader)
        entry = reading.entry_at(f"bill:{bill.bill}", sequence) if sequence is not None else None
        if entry is None:
            raise errors.NotFound(f"bill:{bill.bill} is unknown")
        return Cut(last=entry.index, at=instant(entry.entry.recorded_at))

    def _full(self, reading: Reading, world: World, bill: BillState) -> bytes:
        """As the bill stands now; whoever opens the file replays what this does not."""
        return self._maker.signed(
            reading,
            closure(reading, bill, None),
            hidden=frozenset(),
            document=document_of(reading, reading.entry_at(f"bill:{bill.bill}", 0)),
            cut=Cut(last=None, at=self._clock.now()),
            bill=bill.bill,
            status=title.status(world, bill),
            control=_control(bill),
            with_chains=True,
        )

    def _full_until(self, reading: Reading, bill: BillState, cut: Cut) -> bytes:
        entries = closure(reading, bill, cut.last)
        document, world = self._replayed(reading, bill, entries)
        then = world.bill(bill.bill)
        assert then is not None
        return self._maker.signed(
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
        history = all_of(reading, f"bill:{bill.bill}", None)
        hidden = {entry.index for entry in history if not may_read(bill, related, reader, entry)}
        entries = list(history)
        if Group.CUSTODY in granted:
            for stream in custody_streams(bill):
                entries += all_of(reading, stream, None)
        if Group.DRAFT in granted and bill.home is None:
            entries += all_of(reading, draft_stream(bill.shipment), None)
        shown = [entry for entry in entries if entry.index not in hidden]
        entries += party_entries(reading, {entry.actor for entry in shown}, None)
        document = None
        if Group.DOCUMENT in granted:
            document = document_of(reading, history[0])
        return self._maker.signed(
            reading,
            sorted(entries, key=lambda entry: entry.index),
            hidden=frozenset(hidden),
            document=document,
            cut=Cut(last=None, at=self._clock.now()),
            bill=bill.bill,
            status=title.status(world, bill),
            control=None,  # by this a verifier knows that the file may have gaps
        )


def _control(bill: BillState) -> tuple[str, str | None, bool]:
    return bill.control.possessor, bill.control.title_holder, bill.control.final
