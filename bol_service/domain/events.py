"""Every act that a party can sign, one frozen value per action.

The members are those of the signed payload (docs/formats.md): the envelope is `Act`, the rest is
`recipient` and `details` of the action. All times are aware UTC, all digests lower-case hex
SHA-256, parties are slugs. Values here are well-formed; whether an act is *allowed* is judged in
`world`, which hands it to `party`, `drafts`, `custody`, `title` or `exchange`.

A new action is a new class here and a new member of `Event`. mypy names the law, the schema and
the carrier's chain that have to know it, tests name the tables (docs/design.md, "Adding an event
type").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar


class Action(StrEnum):
    REGISTER = "REGISTER"
    ADD_KEY = "ADD_KEY"
    ROTATE_KEY = "ROTATE_KEY"
    REVOKE_KEY = "REVOKE_KEY"
    ACCEPT_RULEBOOK = "ACCEPT_RULEBOOK"
    GRANT_MANDATE = "GRANT_MANDATE"
    REVOKE_MANDATE = "REVOKE_MANDATE"
    SUSPEND = "SUSPEND"
    REINSTATE = "REINSTATE"
    BOOKING = "BOOKING"
    SUBMIT_INSTRUCTIONS = "SUBMIT_INSTRUCTIONS"
    PUBLISH_DRAFT = "PUBLISH_DRAFT"
    REQUEST_CHANGE = "REQUEST_CHANGE"
    APPROVE_DRAFT = "APPROVE_DRAFT"
    APPOINT = "APPOINT"
    GATE_IN = "GATE_IN"
    LOADED_RAIL = "LOADED_RAIL"
    RAIL_DEPARTED = "RAIL_DEPARTED"
    RAIL_ARRIVED = "RAIL_ARRIVED"
    RECEIVED_TRANSHIPMENT = "RECEIVED_TRANSHIPMENT"
    LOADED_VESSEL = "LOADED_VESSEL"
    VESSEL_DEPARTED = "VESSEL_DEPARTED"
    DISCHARGED = "DISCHARGED"
    CUSTOMS_RELEASE = "CUSTOMS_RELEASE"
    GATE_OUT = "GATE_OUT"
    ISSUE = "ISSUE"
    TRANSFER = "TRANSFER"
    REFUSE = "REFUSE"
    ENDORSE = "ENDORSE"
    ENDORSE_TO_ORDER = "ENDORSE_TO_ORDER"
    BLANK_ENDORSE = "BLANK_ENDORSE"
    SIGN = "SIGN"
    ON_BOARD_NOTATION = "ON_BOARD_NOTATION"
    SURRENDER_FOR_DELIVERY = "SURRENDER_FOR_DELIVERY"
    SURRENDER_FOR_AMENDMENT = "SURRENDER_FOR_AMENDMENT"
    SACC = "SACC"
    SREJ = "SREJ"
    DELIVERY_ORDER = "DELIVERY_ORDER"
    CANCEL_DELIVERY_ORDER = "CANCEL_DELIVERY_ORDER"
    CONFIRM_DELIVERY = "CONFIRM_DELIVERY"
    VOID = "VOID"
    SENT = "SENT"
    MOVED = "MOVED"
    NOT_MOVED = "NOT_MOVED"
    IMPORTED = "IMPORTED"
    RETURNED = "RETURNED"


class Role(StrEnum):
    OPERATOR = "OPERATOR"
    CARRIER = "CARRIER"
    SHIPPER = "SHIPPER"
    FORWARDER = "FORWARDER"
    CONSIGNEE = "CONSIGNEE"
    BANK = "BANK"
    TERMINAL = "TERMINAL"
    RAIL_OPERATOR = "RAIL_OPERATOR"
    CUSTOMS = "CUSTOMS"
    AUDITOR = "AUDITOR"
    EXCHANGE = "EXCHANGE"


class Leg(StrEnum):
    """The custodian that a booking names for a part of the journey."""

    RECEIPT = "receipt"
    RAIL = "rail"
    LOADING = "loading"
    DISCHARGE = "discharge"


@dataclass(frozen=True, kw_only=True)
class Act:
    """The envelope that every signed event has."""

    action: ClassVar[Action]
    id: str
    actor: str
    at: datetime
    audience: str
    previous: str | None
    sequence: int
    stream: str


@dataclass(frozen=True, kw_only=True)
class PartyAct(Act):
    """On a party's stream."""


@dataclass(frozen=True, kw_only=True)
class DraftAct(Act):
    """On the stream of a booking and its draft."""


@dataclass(frozen=True, kw_only=True)
class BillAct(Act):
    """On a bill's stream."""


@dataclass(frozen=True, kw_only=True)
class ExchangeAct(Act):
    """On a bill's stream, signed by the platform when a bill crosses the border."""


# -- parties ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Identifier:
    """A legal identifier; `type` is USCC, UEN, LEI or AUTHORITY (then `value` is its name)."""

    type: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who the party is in law; `country` is ISO 3166-1 alpha-2."""

    legal_name: str
    legal_name_local: str | None = None
    country: str
    identifiers: tuple[Identifier, ...]


@dataclass(frozen=True, kw_only=True)
class CarrierCode:
    """A carrier's code and the list it stands on (SMDG or NMFTA)."""

    code: str
    provider: str


@dataclass(frozen=True, kw_only=True)
class Facility:
    """A place that a terminal runs: UN/LOCODE with a name, or with a listed facility code."""

    un_location_code: str
    name: str | None = None
    code: str | None = None
    provider: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A public key with the proof, already verified, that its owner holds it.

    `jwk` is the canonical JSON text of the public JWK; validity is half-open [from, until).
    """

    kid: str
    alg: str
    jwk: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Register(PartyAct):
    action: ClassVar[Action] = Action.REGISTER
    identity: Identity
    roles: frozenset[Role]
    carrier_code: CarrierCode | None = None
    facilities: tuple[Facility, ...] = ()
    key: NewKey


@dataclass(frozen=True, kw_only=True)
class AddKey(PartyAct):
    action: ClassVar[Action] = Action.ADD_KEY
    key: NewKey


@dataclass(frozen=True, kw_only=True)
class RotateKey(PartyAct):
    """The signing key is replaced by `key` and ends with this entry."""

    action: ClassVar[Action] = Action.ROTATE_KEY
    key: NewKey


@dataclass(frozen=True, kw_only=True)
class RevokeKey(PartyAct):
    """`compromised_since` is information for readers; it unwinds nothing."""

    action: ClassVar[Action] = Action.REVOKE_KEY
    kid: str
    reason: str
    compromised_since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class AcceptRulebook(PartyAct):
    action: ClassVar[Action] = Action.ACCEPT_RULEBOOK
    rulebook: str


@dataclass(frozen=True, kw_only=True)
class GrantMandate(PartyAct):
    """The shipper lets the forwarder `recipient` act on its drafts until `valid_until`."""

    action: ClassVar[Action] = Action.GRANT_MANDATE
    recipient: str
    valid_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RevokeMandate(PartyAct):
    action: ClassVar[Action] = Action.REVOKE_MANDATE
    recipient: str


@dataclass(frozen=True, kw_only=True)
class Suspend(PartyAct):
    action: ClassVar[Action] = Action.SUSPEND
    reason: str


@dataclass(frozen=True, kw_only=True)
class Reinstate(PartyAct):
    action: ClassVar[Action] = Action.REINSTATE
    reason: str


# -- drafts -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Custodians:
    """Who keeps the cargo on which leg; without rail, `receipt` and `loading` are the same port."""

    receipt: str
    loading: str
    discharge: str
    rail: str | None = None

    @property
    def named(self) -> frozenset[str]:
        """Everybody who keeps the cargo on some leg."""
        ports = frozenset((self.receipt, self.loading, self.discharge))
        return ports if self.rail is None else ports | {self.rail}

    def of(self, leg: Leg) -> str | None:
        match leg:
            case Leg.RECEIPT:
                return self.receipt
            case Leg.RAIL:
                return self.rail
            case Leg.LOADING:
                return self.loading
            case Leg.DISCHARGE:
                return self.discharge


@dataclass(frozen=True, kw_only=True)
class Booking(DraftAct):
    """The carrier opens a shipment. `containers` is empty while they are not known.

    `customs` are the authorities that see this shipment; with `customs_release` one of them has
    to release each container before it may leave the gate.
    """

    action: ClassVar[Action] = Action.BOOKING
    reference: str
    shipper: str
    forwarder: str | None = None
    custodians: Custodians
    containers: tuple[str, ...] = ()
    customs: tuple[str, ...] = ()
    customs_release: bool


@dataclass(frozen=True, kw_only=True)
class SubmitInstructions(DraftAct):
    """`document` is the SHA-256 of the shipping instructions as uploaded."""

    action: ClassVar[Action] = Action.SUBMIT_INSTRUCTIONS
    reference: str
    document: str


@dataclass(frozen=True, kw_only=True)
class PublishDraft(DraftAct):
    """`document` is the SHA-256 of the draft as uploaded, `content_digest` that of its content."""

    action: ClassVar[Action] = Action.PUBLISH_DRAFT
    version: int
    document: str
    content_digest: str


@dataclass(frozen=True, kw_only=True)
class RequestChange(DraftAct):
    action: ClassVar[Action] = Action.REQUEST_CHANGE
    version: int
    comment: str


@dataclass(frozen=True, kw_only=True)
class ApproveDraft(DraftAct):
    action: ClassVar[Action] = Action.APPROVE_DRAFT
    version: int
    content_digest: str


@dataclass(frozen=True, kw_only=True)
class Appoint(DraftAct):
    """The carrier names another custodian for one leg."""

    action: ClassVar[Action] = Action.APPOINT
    leg: Leg
    custodian: str
    reason: str


# -- custody ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CustodyAct(Act):
    """`occurred_at` is UTC, `local_date` the date at the place; `seals` as read on the box."""

    occurred_at: datetime
    local_date: date
    seals: tuple[str, ...] | None = None
    remarks: str | None = None


@dataclass(frozen=True, kw_only=True)
class GateIn(CustodyAct):
    action: ClassVar[Action] = Action.GATE_IN


@dataclass(frozen=True, kw_only=True)
class LoadedRail(CustodyAct):
    action: ClassVar[Action] = Action.LOADED_RAIL
    train: str
    waybill: str
    wagon: str | None = None


@dataclass(frozen=True, kw_only=True)
class RailDeparted(CustodyAct):
    action: ClassVar[Action] = Action.RAIL_DEPARTED
    train: str


@dataclass(frozen=True, kw_only=True)
class RailArrived(CustodyAct):
    action: ClassVar[Action] = Action.RAIL_ARRIVED
    train: str


@dataclass(frozen=True, kw_only=True)
class ReceivedTranshipment(CustodyAct):
    action: ClassVar[Action] = Action.RECEIVED_TRANSHIPMENT


@dataclass(frozen=True, kw_only=True)
class LoadedVessel(CustodyAct):
    action: ClassVar[Action] = Action.LOADED_VESSEL
    vessel: str
    voyage: str
    imo_number: str | None = None


@dataclass(frozen=True, kw_only=True)
class VesselDeparted(CustodyAct):
    action: ClassVar[Action] = Action.VESSEL_DEPARTED
    vessel: str
    voyage: str


@dataclass(frozen=True, kw_only=True)
class Discharged(CustodyAct):
    action: ClassVar[Action] = Action.DISCHARGED


@dataclass(frozen=True, kw_only=True)
class CustomsRelease(CustodyAct):
    action: ClassVar[Action] = Action.CUSTOMS_RELEASE
    reference: str


@dataclass(frozen=True, kw_only=True)
class Collector:
    """Who fetches the container: a name and the reference it must show (vehicle, eDO number)."""

    name: str
    reference: str


@dataclass(frozen=True, kw_only=True)
class GateOut(CustodyAct):
    """Release of one container.

    `order` is the digest of the DELIVERY_ORDER event, `code_digest` the SHA-256 of the one-time
    code that the collector showed (the code itself is in the signed payload).
    """

    action: ClassVar[Action] = Action.GATE_OUT
    bill: str
    order: str
    code_digest: str
    collected_by: Collector


# -- bills --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BillParties:
    """The parties of the bill as slugs; `title_holder` is absent for a bill in blank."""

    shipper: str
    title_holder: str | None = None
    consignee: str | None = None
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IssuanceManifest:
    """The DCSA IssuanceManifest that the carrier signed apart (dcsa EBL_ISS 3.0)."""

    kid: str
    document_checksum: str
    issue_to_checksum: str
    visualisation_checksum: str | None = None


@dataclass(frozen=True, kw_only=True)
class Issue(BillAct):
    """`received_bytes` is the SHA-256 of the document as uploaded, `rulebook` the law for life.

    `issue_to_checksum` is computed from the DCSA `issueTo` object that the payload carries.
    """

    action: ClassVar[Action] = Action.ISSUE
    shipment: str
    content_digest: str
    received_bytes: str
    manifest: IssuanceManifest
    issue_to: str
    issue_to_checksum: str
    parties: BillParties
    rulebook: str
    disclosure: str | None = None


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """Presentation under a letter of credit; `complete` is the eUCP notice of completeness."""

    letter_of_credit: str
    complete: bool


@dataclass(frozen=True, kw_only=True)
class Transfer(BillAct):
    action: ClassVar[Action] = Action.TRANSFER
    recipient: str
    presentation: Presentation | None = None


@dataclass(frozen=True, kw_only=True)
class Refuse(BillAct):
    action: ClassVar[Action] = Action.REFUSE
    reason: str


@dataclass(frozen=True, kw_only=True)
class Endorse(BillAct):
    """In full and final: the recipient may not endorse on."""

    action: ClassVar[Action] = Action.ENDORSE
    recipient: str
    transfer_to: str | None = None


@dataclass(frozen=True, kw_only=True)
class EndorseToOrder(BillAct):
    action: ClassVar[Action] = Action.ENDORSE_TO_ORDER
    recipient: str
    transfer_to: str | None = None


@dataclass(frozen=True, kw_only=True)
class BlankEndorse(BillAct):
    action: ClassVar[Action] = Action.BLANK_ENDORSE
    transfer_to: str | None = None


@dataclass(frozen=True, kw_only=True)
class Sign(BillAct):
    """The holder shows its control, or accepts what it received; `nonce` answers a challenge."""

    action: ClassVar[Action] = Action.SIGN
    nonce: str | None = None


@dataclass(frozen=True, kw_only=True)
class OnBoardNotation(BillAct):
    action: ClassVar[Action] = Action.ON_BOARD_NOTATION
    vessel: str
    voyage: str
    port_of_loading: str
    on_board_date: date


@dataclass(frozen=True, kw_only=True)
class SurrenderForDelivery(BillAct):
    action: ClassVar[Action] = Action.SURRENDER_FOR_DELIVERY


@dataclass(frozen=True, kw_only=True)
class SurrenderForAmendment(BillAct):
    """`reason` is SWTP (switch to paper), COD (change of destination) or SWI (switch bill)."""

    action: ClassVar[Action] = Action.SURRENDER_FOR_AMENDMENT
    reason: str
    comments: str | None = None


@dataclass(frozen=True, kw_only=True)
class AcceptSurrender(BillAct):
    action: ClassVar[Action] = Action.SACC


@dataclass(frozen=True, kw_only=True)
class RejectSurrender(BillAct):
    action: ClassVar[Action] = Action.SREJ
    reason: str


@dataclass(frozen=True, kw_only=True)
class OrderDelivery(BillAct):
    """The carrier lets `terminal` hand `containers` to `pick_up`, once, before `expires`."""

    action: ClassVar[Action] = Action.DELIVERY_ORDER
    terminal: str
    containers: tuple[str, ...]
    pick_up: Collector
    code_hash: str
    expires: datetime


@dataclass(frozen=True, kw_only=True)
class CancelDeliveryOrder(BillAct):
    action: ClassVar[Action] = Action.CANCEL_DELIVERY_ORDER
    order: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ConfirmDelivery(BillAct):
    action: ClassVar[Action] = Action.CONFIRM_DELIVERY


@dataclass(frozen=True, kw_only=True)
class Void(BillAct):
    action: ClassVar[Action] = Action.VOID
    reason: str


# -- exchange between platforms ------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Step:
    """One transaction of a chain from abroad, as the platform that recorded it attests.

    Parties of the ledger's own platform are slugs, all others `CODE:slug`. `action` is one of the
    acts of control on a bill; `reason` goes with SURRENDER_FOR_AMENDMENT.
    """

    action: Action
    actor: str
    recipient: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Carried(ExchangeAct):
    """An entry of the platform itself about an envelope that crossed the border.

    `platform` is the other platform's code, `envelope` the SHA-256 of the envelope as sent or
    received, `last_entry` the checksum of the last entry of its chain.
    """

    platform: str
    envelope: str
    last_entry: str


@dataclass(frozen=True, kw_only=True)
class Sent(Carried):
    """The envelope that goes to `platform`: from here on only its signed answer can unlock."""

    action: ClassVar[Action] = Action.SENT


@dataclass(frozen=True, kw_only=True)
class PeerAnswer:
    """What the other platform signed: its DCSA response code, and about which last entry."""

    code: str
    last_entry: str


@dataclass(frozen=True, kw_only=True)
class Moved(ExchangeAct):
    """The other platform has signed that it received the envelope."""

    action: ClassVar[Action] = Action.MOVED
    platform: str
    answer: PeerAnswer


@dataclass(frozen=True, kw_only=True)
class NotMoved(ExchangeAct):
    """The other platform has signed that it did not."""

    action: ClassVar[Action] = Action.NOT_MOVED
    platform: str
    answer: PeerAnswer


@dataclass(frozen=True, kw_only=True)
class Imported(Carried):
    """A bill issued elsewhere is known here from now on.

    `home` is the platform of issue; `steps` are all transactions after ISSUE; `title_holder` is
    absent for a bill in blank. `rulebook` is the one under which it lives here.
    """

    action: ClassVar[Action] = Action.IMPORTED
    home: str
    received_bytes: str
    carrier: str
    shipper: str
    issue_to: str
    title_holder: str | None = None
    consignee: str | None = None
    rulebook: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Returned(Carried):
    """What happened abroad to a bill that is known here; with it the original may be back."""

    action: ClassVar[Action] = Action.RETURNED
    steps: tuple[Step, ...]


PartyEvent = (
    Register
    | AddKey
    | RotateKey
    | RevokeKey
    | AcceptRulebook
    | GrantMandate
    | RevokeMandate
    | Suspend
    | Reinstate
)
DraftEvent = Booking | SubmitInstructions | PublishDraft | RequestChange | ApproveDraft | Appoint
CustodyEvent = (
    GateIn
    | LoadedRail
    | RailDeparted
    | RailArrived
    | ReceivedTranshipment
    | LoadedVessel
    | VesselDeparted
    | Discharged
    | CustomsRelease
    | GateOut
)
LaterBillEvent = (
    Transfer
    | Refuse
    | Endorse
    | EndorseToOrder
    | BlankEndorse
    | Sign
    | OnBoardNotation
    | SurrenderForDelivery
    | SurrenderForAmendment
    | AcceptSurrender
    | RejectSurrender
    | OrderDelivery
    | CancelDeliveryOrder
    | ConfirmDelivery
    | Void
)
BillEvent = Issue | LaterBillEvent
ExchangeEvent = Sent | Moved | NotMoved | Imported | Returned
Opening = Issue | Imported
"""The first act of a bill's stream; both name the document by the SHA-256 of its bytes."""
Event = PartyEvent | DraftEvent | CustodyEvent | BillEvent | ExchangeEvent


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """An event with the place and time of its entry in the ledger.

    `digest` is the SHA-256 of the compact JWS text, which the next event of the stream names as
    `previous`; `index` counts the entries of the whole log from 0.
    """

    event: Event
    digest: str
    kid: str
    alg: str
    recorded_at: datetime
    index: int
