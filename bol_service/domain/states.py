"""What the law remembers of each stream, and the view through which its rules read other streams.

States are values: an accepted event makes a new state, a refused one leaves everything as it was.
They can be thrown away at any time; replaying the entries makes them again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from bol_service.domain.document import BillKind, DocumentFacts, Sailing
from bol_service.domain.events import (
    CarrierCode,
    Collector,
    Custodians,
    Facility,
    Identity,
    Presentation,
    Role,
)

OPERATOR = "operator"


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last event of a stream: its 0-based sequence and the SHA-256 of its JWS text."""

    sequence: int
    digest: str


# -- party --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class KeyRecord:
    """A registered key. It counts from the entry `added` up to, not including, `ended`."""

    kid: str
    alg: str
    jwk: str
    added: int
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    ended: int | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    compromised_since: datetime | None = None

    def counts_at(self, moment: datetime) -> bool:
        """Whether an entry recorded now, after all entries known, may rely on this key."""
        if self.ended is not None:
            return False
        if self.valid_from is not None and moment < self.valid_from:
            return False
        return self.valid_until is None or moment < self.valid_until


@dataclass(frozen=True, kw_only=True)
class Mandate:
    forwarder: str
    valid_until: datetime | None = None

    def covers(self, moment: datetime) -> bool:
        return self.valid_until is None or moment < self.valid_until


@dataclass(frozen=True, kw_only=True)
class PartyState:
    slug: str
    identity: Identity
    roles: frozenset[Role]
    carrier_code: CarrierCode | None = None
    facilities: tuple[Facility, ...] = ()
    keys: tuple[KeyRecord, ...] = ()
    rulebooks: tuple[str, ...] = ()
    mandates: tuple[Mandate, ...] = ()
    suspended: bool = False

    def key(self, kid: str) -> KeyRecord | None:
        for key in self.keys:  # few, and asked for with every act
            if key.kid == kid:
                return key
        return None

    def mandate(self, forwarder: str) -> Mandate | None:
        return next((mandate for mandate in self.mandates if mandate.forwarder == forwarder), None)


# -- drafts -------------------------------------------------------------------------------------


class DraftStatus(StrEnum):
    BOOKED = "BOOKED"
    INSTRUCTED = "INSTRUCTED"
    DRAFT = "DRAFT"
    CHANGE_REQUESTED = "CHANGE_REQUESTED"
    APPROVED = "APPROVED"


@dataclass(frozen=True, kw_only=True)
class DraftVersion:
    version: int
    document: str
    content_digest: str


@dataclass(frozen=True, kw_only=True)
class DraftState:
    shipment: str
    carrier: str
    reference: str
    shipper: str
    forwarder: str | None
    custodians: Custodians
    containers: tuple[str, ...]
    customs: tuple[str, ...]
    customs_release: bool
    status: DraftStatus = DraftStatus.BOOKED
    instructions: str | None = None
    instructions_reference: str | None = None
    version: DraftVersion | None = None
    change_comment: str | None = None

    @property
    def approved(self) -> DraftVersion | None:
        return self.version if self.status is DraftStatus.APPROVED else None


# -- custody ------------------------------------------------------------------------------------


class Place(StrEnum):
    """Where the container is, in the order of its journey."""

    GATE_IN = "GATE_IN"
    LOADED_RAIL = "LOADED_RAIL"
    RAIL_DEPARTED = "RAIL_DEPARTED"
    RAIL_ARRIVED = "RAIL_ARRIVED"
    RECEIVED_TRANSHIPMENT = "RECEIVED_TRANSHIPMENT"
    LOADED_VESSEL = "LOADED_VESSEL"
    VESSEL_DEPARTED = "VESSEL_DEPARTED"
    DISCHARGED = "DISCHARGED"
    GATE_OUT = "GATE_OUT"


@dataclass(frozen=True, kw_only=True)
class Loading:
    """The signed facts that back an on-board notation."""

    vessel: str
    voyage: str
    local_date: date
    terminal: str


@dataclass(frozen=True, kw_only=True)
class SealException:
    """Seals found are not those seen before; `sequence` is that of the custody event."""

    sequence: int
    custodian: str
    expected: tuple[str, ...]
    found: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CustodyState:
    shipment: str
    container: str
    place: Place
    custodian: str
    since: datetime
    received_on: date
    seals: tuple[str, ...] | None = None
    loading: Loading | None = None
    customs_released: str | None = None
    exceptions: tuple[SealException, ...] = ()
    released_under: str | None = None


# -- bills --------------------------------------------------------------------------------------


class Status(StrEnum):
    """DCSA names where they exist; ISSUE_REFUSED, ACCOMPLISHED, and the two of the exchange between
    platforms are ours: IN_TRANSIT waits for the other platform's signed answer, MOVED is there."""

    ISSUED = "ISSUED"
    IN_TRANSIT = "IN_TRANSIT"
    MOVED = "MOVED"
    ISSUE_REFUSED = "ISSUE_REFUSED"
    PENDING_SURRENDER_FOR_DELIVERY = "PENDING_SURRENDER_FOR_DELIVERY"
    PENDING_SURRENDER_FOR_AMENDMENT = "PENDING_SURRENDER_FOR_AMENDMENT"
    SURRENDERED_FOR_DELIVERY = "SURRENDERED_FOR_DELIVERY"
    ACCOMPLISHED = "ACCOMPLISHED"
    VOIDED = "VOIDED"


@dataclass(frozen=True, kw_only=True)
class Control:
    """Who possesses, to whose order (None: in blank), and whether endorsing on is forbidden."""

    possessor: str
    title_holder: str | None
    final: bool = False


@dataclass(frozen=True, kw_only=True)
class Giving:
    """The act that gave the present possessor the bill, while it can still be refused."""

    before: Control
    presentation: Presentation | None = None
    is_issue: bool = False


@dataclass(frozen=True, kw_only=True)
class Tenure:
    """A party has possession or title (`last` is None), or had until its own disposal `last`.

    A party has one tenure however often a bill comes back to it: what it may read of the past runs
    up to its latest disposal, and a bill that moves for years must not get slower by it.
    """

    party: str
    last: int | None = None


@dataclass(frozen=True, kw_only=True)
class DeliveryOrder:
    """`digest` is the SHA-256 of the DELIVERY_ORDER event's JWS text."""

    digest: str
    sequence: int
    terminal: str
    containers: tuple[str, ...]
    pick_up: Collector
    code_hash: str
    expires: datetime
    cancelled: bool = False


@dataclass(frozen=True, kw_only=True)
class Carriage:
    """An envelope as an entry of the log names it: by the SHA-256 of its bytes and the checksum of
    its chain's last entry."""

    envelope: str
    last_entry: str


@dataclass(frozen=True, kw_only=True)
class Transit:
    """What is on its way to another platform since the act `since` of this stream.

    `after` is the control that its signed answer will bring about; None: only a notice goes there,
    and nothing is locked. `otherwise` is the status that a refusal brings back, `surrender` the
    pending status with which the carrier is asked, `presentation` the letter of credit under which
    it is presented there. `sent` is the envelope once it is made.
    """

    platform: str
    recipient: str
    since: int
    after: Control | None
    otherwise: Status
    surrender: Status | None = None
    presentation: Presentation | None = None
    sent: Carriage | None = None


@dataclass(frozen=True, kw_only=True)
class Abroad:
    """What this platform and its peers have told each other of the bill.

    `known` is the envelope whose chain both sides know last; `arrivals` are the last entries of
    envelopes that were accepted here. `surrender` waits for the carrier's answer on the platform of
    issue.
    """

    known: Carriage | None = None
    arrivals: tuple[str, ...] = ()
    surrender: Status | None = None


@dataclass(frozen=True, kw_only=True)
class BillState:
    """`home` is the platform of issue of a bill that came from abroad; its `shipment` is empty."""

    bill: str
    reference: str
    kind: BillKind
    carrier: str
    shipment: str
    shipper: str
    consignee: str | None
    notify: tuple[str, ...]
    containers: tuple[str, ...]
    sailings: tuple[Sailing, ...]
    rulebook: str
    status: Status
    control: Control
    giving: Giving | None
    received_on: date | None = None
    on_board_on: date | None = None
    surrendered_by: str | None = None
    tenures: tuple[Tenure, ...] = ()
    orders: tuple[DeliveryOrder, ...] = ()
    presentation: Presentation | None = None
    delivery_confirmed: bool = False
    home: str | None = None
    transit: Transit | None = None
    abroad: Abroad = Abroad()

    def order_for(self, container: str) -> DeliveryOrder | None:
        """The delivery order that counts for a container: the latest that is not cancelled."""
        covering = [
            order for order in self.orders if container in order.containers and not order.cancelled
        ]
        return covering[-1] if covering else None


State = PartyState | DraftState | CustodyState | BillState


class Reader(Protocol):
    """The streams as they are before the event under judgement."""

    @property
    def origin(self) -> str: ...

    def party(self, slug: str) -> PartyState | None: ...

    def draft(self, shipment: str) -> DraftState | None: ...

    def custody(self, shipment: str, container: str) -> CustodyState | None: ...

    def bill(self, bill: str) -> BillState | None: ...

    def head(self, stream: str) -> Head | None: ...

    def document(self, received_bytes: str) -> DocumentFacts | None: ...


@dataclass(kw_only=True)
class Needs:
    """The streams and documents that judging an event reads, beyond its own stream."""

    streams: set[str] = field(default_factory=set)
    documents: set[str] = field(default_factory=set)
