"""Who on another platform may see what of a bill of this ledger, and the evidence made for it.

A reader is a platform and a slug there. It sees

1. as the party of this ledger that is reached through that platform: what the matrix of
   `domain.access` gives to the party's relations, and never the document;
2. as a holder abroad (possessor or title holder, or the one who surrendered): custody, and the acts
   with which the carrier answered and orders the delivery. While the original is on a platform,
   that platform says who holds it there: it is so for every act that it will send back.

Nothing else, and nothing before one of them holds (DR-01). What crosses is a partial bundle, with a
cover that names its one reader and what the release guard has to know beside the events.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from bol_service.application.delivery_abroad_ports import DeliveryBook
from bol_service.application.evidence import Evidence, Sight
from bol_service.application.loading import Loader
from bol_service.application.ports import Clock, Reading, Store, StoredEntry
from bol_service.application.queries import may_read
from bol_service.crypto.signers import Signer
from bol_service.domain import access, errors, title
from bol_service.domain.access import Group
from bol_service.domain.events import Action, Leg
from bol_service.domain.identifiers import is_foreign, party_stream, platform_of
from bol_service.domain.states import BillState, DraftState, PartyState, Status
from bol_service.domain.world import World
from bol_service.verification.bundle import ShownEntry, read_bundle, read_statement
from bol_service.wire.abroad import Cover, Crossing, write_cover

HOLDER_ACTS: Final = frozenset(
    {
        Action.ISSUE,
        Action.ON_BOARD_NOTATION,
        Action.SACC,
        Action.SREJ,
        Action.DELIVERY_ORDER,
        Action.CANCEL_DELIVERY_ORDER,
        Action.CONFIRM_DELIVERY,
        Action.VOID,
    }
)
MOST_BILLS: Final = 20
"""That one answer about a container tells of."""
_NEVER: Final = (Status.VOIDED, Status.ISSUE_REFUSED)


@dataclass(frozen=True, kw_only=True)
class ForeignReader:
    """`name` is its slug on `platform`."""

    platform: str
    name: str

    @property
    def foreign_name(self) -> str:
        return f"{self.platform}:{self.name}"


@dataclass(frozen=True, kw_only=True)
class Made:
    """A crossing, what it shows as a digest, and on which ground the reader may have it."""

    crossing: Crossing
    seen: str
    basis: str


class Reached:
    """Which party of this ledger is reached through which platform."""

    def __init__(self, store: Store, book: DeliveryBook) -> None:
        self._store = store
        self._book = book

    def party_of(self, reader: ForeignReader) -> str | None:
        """The slug here of a party of another platform."""
        applied = self._book.applications_of(reader.platform, reader.name)
        return next((one.party for one in applied if self._registered(one.party, one.kid)), None)

    def reader_of(self, party: str) -> ForeignReader | None:
        """Through which platform, and by which slug there, a party of this ledger is reached."""
        for one in self._book.applications_for(party):
            if self._registered(party, one.kid):
                return ForeignReader(platform=one.platform, name=one.name)
        return None

    def is_abroad(self, party: str) -> bool:
        return self.reader_of(party) is not None

    def _registered(self, party: str, kid: str) -> bool:
        """The operator has registered it with this very key."""
        stream = party_stream(party)
        with self._store.reading() as reading:
            state, _ = reading.states([stream]).get(stream, (None, None))
        return isinstance(state, PartyState) and state.keys[0].kid == kid


class CrossingDesk:
    """Makes evidence for readers of other platforms."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        reached: Reached,
        evidence: Evidence,
        signer: Signer,
        origin: str,
    ) -> None:
        """`signer` is that of the title statements."""
        self._store = store
        self._clock = clock
        self._reached = reached
        self._evidence = evidence
        self._signer = signer
        self._origin = origin

    def readers(self, bill_id: str, platforms: frozenset[str]) -> frozenset[ForeignReader]:
        """Who of these platforms may see anything of the bill now."""
        with self._store.reading() as reading:
            bill, draft = self._bill(reading, bill_id)
        if bill is None:
            return frozenset()
        found = {
            ForeignReader(platform=platform_of(name), name=name.partition(":")[2])
            for name in _holders_abroad(bill)
        }
        for slug in _at_the_delivery(bill, draft):
            reader = self._reached.reader_of(slug)
            if reader is not None:
                found.add(reader)
        return frozenset(reader for reader in found if reader.platform in platforms)

    def bills_with(self, container: str) -> list[str]:
        """The bills issued here on which the container stands; ended ones where no other is."""
        living: list[str] = []
        ended: list[str] = []
        with self._store.reading() as reading:
            loader = Loader(reading, self._origin)
            for bill_id in loader.bills_with(container):
                bill = loader.bill(bill_id)
                if bill is None or bill.home is not None or bill.status in _NEVER:
                    continue
                is_over = title.status(loader.world, bill) == Status.ACCOMPLISHED
                (ended if is_over else living).append(bill_id)
        return (living or ended)[-MOST_BILLS:]

    def make(self, bill_id: str, reader: ForeignReader, *, is_said_to_hold: bool = False) -> Made:
        """`is_said_to_hold`: by its platform. Raises NotFound for a reader who may see nothing."""
        party = self._reached.party_of(reader)
        told: list[str] = []

        def sight_of(loader: Loader, bill: BillState) -> Sight:
            said = is_said_to_hold and _is_on(bill, reader.platform)
            sight, basis = self._sight(loader, bill, reader, party, is_said_to_hold=said)
            told.append(basis)
            return sight

        content = self._evidence.bundle_for(bill_id, sight_of)
        statement, _ = read_statement(read_bundle(content).statement)
        with self._store.reading() as reading:
            bill, draft = self._bill(reading, bill_id)
        assert bill is not None
        assert draft is not None
        cover = Cover(
            origin=self._origin,
            bill=bill_id,
            reader=reader.name,
            party=party,
            reference=bill.reference,
            shipment=bill.shipment,
            containers=bill.containers,
            customs_release=draft.customs_release,
            bundle=hashlib.sha256(content).hexdigest(),
            at=statement.at,
        )
        crossing = Crossing(cover=write_cover(cover, self._signer), bundle=content)
        return Made(crossing=crossing, seen=_seen(content, statement.status), basis=told[0])

    def _sight(
        self,
        loader: Loader,
        bill: BillState,
        reader: ForeignReader,
        party: str | None,
        *,
        is_said_to_hold: bool,
    ) -> tuple[Sight, str]:
        related: frozenset[access.Relation] = frozenset()
        if party is not None and bill.home is None:
            loader.streams({party_stream(party)})
            related = access.relations(loader.world, bill, party, self._clock.now())
        is_known = bill.home is None and reader.foreign_name in _holders_abroad(bill)
        holds = is_known or is_said_to_hold
        if not related and not holds:
            raise errors.NotFound(f"bill:{bill.bill} is unknown")

        def shows(entry: StoredEntry) -> bool:
            by_party = party is not None and may_read(bill, related, party, entry)
            return by_party or (holds and entry.action in HOLDER_ACTS)

        grounds = sorted(map(str, related))
        if holds:
            grounds.append("HOLDER_ABROAD" if is_known else f"HOLDER_SAID_BY_{reader.platform}")
        custody = holds or Group.CUSTODY in access.groups(related)
        return Sight(custody=custody, shows=shows), " ".join(grounds)[:100]

    def _bill(self, reading: Reading, bill_id: str) -> tuple[BillState | None, DraftState | None]:
        loader = Loader(reading, self._origin)
        bill = loader.bill(bill_id)
        return bill, _draft(loader.world, bill)


def _draft(world: World, bill: BillState | None) -> DraftState | None:
    return world.draft(bill.shipment) if bill is not None else None


def _holders_abroad(bill: BillState) -> frozenset[str]:
    named = (bill.control.possessor, bill.control.title_holder, bill.surrendered_by)
    return frozenset(name for name in named if name is not None and is_foreign(name))


def _is_on(bill: BillState, platform: str) -> bool:
    """Whether the original, issued here, has moved to the platform and is not back."""
    possessor = bill.control.possessor
    return bill.home is None and is_foreign(possessor) and platform_of(possessor) == platform


def _at_the_delivery(bill: BillState, draft: DraftState | None) -> frozenset[str]:
    """Parties of this ledger that keep or clear the cargo."""
    ordered = {order.terminal for order in bill.orders}
    if draft is None:
        return frozenset(ordered)
    custodians = {draft.custodians.of(leg) for leg in Leg}
    named = {*ordered, *custodians, *draft.customs}
    return frozenset(slug for slug in named if slug is not None)


def _seen(content: bytes, status: str) -> str:
    """What the reader learns, without what changes with every checkpoint."""
    shown = [
        entry.entry.event for entry in read_bundle(content).entries if isinstance(entry, ShownEntry)
    ]
    return hashlib.sha256("\n".join([status, *shown]).encode("utf-8")).hexdigest()
