"""The signed payload of an event: its envelope, and the closed `details` of every action.

A schema's members, read, are exactly the fields of the action's class in `domain.events`. What
a member means and what the law makes of it stands there; here stands only what is well formed.
"""

from __future__ import annotations

from typing import Any, assert_never

from marshmallow import fields, post_load, validate

from bol_service.domain.events import (
    Action,
    BillParties,
    CarrierCode,
    Collector,
    Custodians,
    Facility,
    Identifier,
    Identity,
    Leg,
    Presentation,
    Role,
    Step,
)
from bol_service.wire.event_fields import (
    ClosedSchema,
    Day,
    Instant,
    Jwk,
    Secret,
    StrictInteger,
    Text,
    Truth,
    Tuple,
    container,
    digest,
    party_name,
    slug,
    unlocode,
    uuid7,
)

MAX_ANSWER = 1024 * 1024
MAX_STEPS = 5_000
"""Transactions that one envelope may tell."""


class Envelope(ClosedSchema):
    """Design 3.2. `recipient` is present for the actions that have one, and only for them."""

    action = fields.String(required=True)
    actor = slug(required=True)
    at = Instant(required=True)
    audience = Text(255, required=True)
    details = fields.Dict(required=True)
    id = uuid7(required=True)
    previous = digest(required=True, allow_none=True)
    recipient = party_name()
    sequence = StrictInteger(required=True)
    stream = Text(200, required=True)
    v = StrictInteger(required=True)


class NoDetails(ClosedSchema):
    pass


class ReasonDetails(ClosedSchema):
    reason = Text(500, required=True)


# -- parties ------------------------------------------------------------------------------------


class IdentifierSchema(ClosedSchema):
    type = fields.String(
        required=True, validate=validate.OneOf(("USCC", "UEN", "LEI", "AUTHORITY"))
    )
    value = Text(70, required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Identifier:
        return Identifier(**data)


class IdentitySchema(ClosedSchema):
    legal_name = Text(70, required=True, data_key="legalName")
    legal_name_local = Text(70, data_key="legalNameLocal")
    country = fields.String(required=True, validate=validate.Regexp(r"[A-Z]{2}\Z"))
    identifiers = Tuple(fields.Nested(IdentifierSchema), required=True, least=1, most=8)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Identity:
        return Identity(**data)


class CarrierCodeSchema(ClosedSchema):
    code = fields.String(required=True, validate=validate.Regexp(r"[A-Z0-9]{2,4}\Z"))
    provider = fields.String(
        required=True, data_key="codeListProvider", validate=validate.OneOf(("SMDG", "NMFTA"))
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> CarrierCode:
        return CarrierCode(**data)


class FacilitySchema(ClosedSchema):
    un_location_code = unlocode(required=True, data_key="UNLocationCode")
    name = Text(100, data_key="facilityName")
    code = Text(6, data_key="facilityCode")
    provider = fields.String(
        data_key="facilityCodeListProvider", validate=validate.OneOf(("BIC", "SMDG"))
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Facility:
        return Facility(**data)


class KeyDetails(ClosedSchema):
    """`keyProof` is a detached JWS (RFC 7515 appendix F) by the new key; see `wire.events`."""

    key = Jwk(required=True)
    key_proof = fields.String(required=True, data_key="keyProof")
    valid_from = Instant(data_key="validFrom")
    valid_until = Instant(data_key="validUntil")


class RegisterDetails(KeyDetails):
    identity = fields.Nested(IdentitySchema, required=True)
    roles = Tuple(fields.Enum(Role, by_value=True), required=True, least=1, most=len(Role))
    carrier_code = fields.Nested(CarrierCodeSchema, data_key="carrierCode")
    facilities = Tuple(fields.Nested(FacilitySchema), most=20)


class RevokeKeyDetails(ReasonDetails):
    kid = fields.String(required=True, validate=validate.Regexp(r"[A-Za-z0-9_-]{43}\Z"))
    compromised_since = Instant(data_key="compromisedSince")


class AcceptRulebookDetails(ClosedSchema):
    rulebook = digest(required=True)


class GrantMandateDetails(ClosedSchema):
    valid_until = Instant(data_key="validUntil")


# -- drafts -------------------------------------------------------------------------------------


class CustodiansSchema(ClosedSchema):
    receipt = slug(required=True)
    rail = slug()
    loading = slug(required=True)
    discharge = slug(required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Custodians:
        return Custodians(**data)


class BookingDetails(ClosedSchema):
    reference = Text(35, required=True, data_key="carrierBookingReference")
    shipper = slug(required=True)
    forwarder = slug()
    custodians = fields.Nested(CustodiansSchema, required=True)
    containers = Tuple(container(), least=1)
    customs = Tuple(slug(), least=1, most=10)
    customs_release = Truth(required=True, data_key="customsRelease")


class InstructionsDetails(ClosedSchema):
    reference = Text(100, required=True, data_key="shippingInstructionsReference")
    document = digest(required=True)


class PublishDraftDetails(ClosedSchema):
    version = StrictInteger(required=True)
    document = digest(required=True)
    content_digest = digest(required=True, data_key="contentDigest")


class RequestChangeDetails(ClosedSchema):
    version = StrictInteger(required=True)
    comment = Text(1000, required=True)


class ApproveDraftDetails(ClosedSchema):
    version = StrictInteger(required=True)
    content_digest = digest(required=True, data_key="contentDigest")


class AppointDetails(ReasonDetails):
    leg = fields.Enum(Leg, by_value=True, required=True)
    custodian = slug(required=True)


# -- custody ------------------------------------------------------------------------------------


class CustodyDetails(ClosedSchema):
    occurred_at = Instant(required=True, data_key="occurredAt")
    local_date = Day(required=True, data_key="localDate")
    seals = Tuple(Text(15), most=10)
    remarks = Text(500)


class LoadedRailDetails(CustodyDetails):
    train = Text(35, required=True)
    waybill = Text(35, required=True)
    wagon = Text(35)


class TrainDetails(CustodyDetails):
    train = Text(35, required=True)


class VoyageDetails(CustodyDetails):
    vessel = Text(50, required=True, data_key="vesselName")
    voyage = Text(50, required=True, data_key="carrierExportVoyageNumber")


class LoadedVesselDetails(VoyageDetails):
    imo_number = fields.String(data_key="vesselIMONumber", validate=validate.Regexp(r"[0-9]{7}\Z"))


class CustomsReleaseDetails(CustodyDetails):
    reference = Text(35, required=True, data_key="customsReference")


class CollectorSchema(ClosedSchema):
    name = Text(70, required=True)
    reference = Text(70, required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Collector:
        return Collector(**data)


class GateOutDetails(CustodyDetails):
    bill = digest(required=True)
    order = digest(required=True)
    code = Secret(required=True)
    collected_by = fields.Nested(CollectorSchema, required=True, data_key="collectedBy")


# -- bills --------------------------------------------------------------------------------------


class BillPartiesSchema(ClosedSchema):
    shipper = slug(required=True)
    title_holder = slug(data_key="titleHolder")
    consignee = slug()
    notify = Tuple(slug(), least=1, most=3)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> BillParties:
        return BillParties(**data)


class IssueDetails(ClosedSchema):
    """`issueToParty` is the DCSA `issueTo` object whose checksum the manifest names."""

    shipment = fields.String(required=True)
    content_digest = digest(required=True, data_key="contentDigest")
    received_bytes = digest(required=True, data_key="receivedBytes")
    manifest = fields.String(required=True, data_key="issuanceManifestSignedContent")
    issue_to = slug(required=True, data_key="issueTo")
    issue_to_party = fields.Dict(required=True, data_key="issueToParty")
    parties = fields.Nested(BillPartiesSchema, required=True)
    rulebook = digest(required=True)
    disclosure = digest()


class IssuanceManifestSchema(ClosedSchema):
    """DCSA EBL_ISS 3.0: what the carrier signs about the document it issues."""

    document_checksum = digest(required=True, data_key="documentChecksum")
    issue_to_checksum = digest(required=True, data_key="issueToChecksum")
    visualisation_checksum = digest(data_key="eBLVisualisationByCarrierChecksum")


class PresentationSchema(ClosedSchema):
    letter_of_credit = Text(35, required=True, data_key="lc")
    complete = Truth(required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Presentation:
        return Presentation(**data)


class TransferDetails(ClosedSchema):
    presentation = fields.Nested(PresentationSchema)


class EndorseDetails(ClosedSchema):
    transfer_to = party_name(data_key="transferTo")


class SignDetails(ClosedSchema):
    nonce = Secret()


class NotationDetails(ClosedSchema):
    vessel = Text(50, required=True, data_key="vesselName")
    voyage = Text(50, required=True, data_key="carrierExportVoyageNumber")
    port_of_loading = unlocode(required=True, data_key="portOfLoading")
    on_board_date = Day(required=True, data_key="onBoardDate")


class AmendmentDetails(ClosedSchema):
    reason = fields.String(
        required=True, data_key="reasonCode", validate=validate.OneOf(("SWTP", "COD", "SWI"))
    )
    comments = Text(255)


class DeliveryOrderDetails(ClosedSchema):
    terminal = slug(required=True)
    containers = Tuple(container(), required=True, least=1)
    pick_up = fields.Nested(CollectorSchema, required=True, data_key="pickUp")
    code_hash = digest(required=True, data_key="codeHash")
    expires = Instant(required=True)


class CancelDeliveryOrderDetails(ReasonDetails):
    order = digest(required=True)


# -- exchange between platforms ------------------------------------------------------------------


def platform_code(**options: Any) -> fields.String:
    return fields.String(
        validate=validate.Regexp(r"[A-Z0-9]{2,4}\Z", error="is not a platform code like SGPX"),
        **options,
    )


class CarriedDetails(ClosedSchema):
    platform = platform_code(required=True)
    envelope = digest(required=True)
    last_entry = digest(required=True, data_key="lastEntry")


class AnswerDetails(ClosedSchema):
    """`answer` is the compact JWS of the other platform, as long as any that is read; a DUPE
    repeats a whole entry of the chain. See `wire.pint_answers`."""

    platform = platform_code(required=True)
    answer = fields.String(required=True, validate=validate.Length(1, MAX_ANSWER))


class StepSchema(ClosedSchema):
    action = fields.Enum(
        Action,
        by_value=True,
        required=True,
        validate=validate.OneOf(
            (
                Action.TRANSFER,
                Action.ENDORSE,
                Action.ENDORSE_TO_ORDER,
                Action.BLANK_ENDORSE,
                Action.SIGN,
                Action.SURRENDER_FOR_DELIVERY,
                Action.SURRENDER_FOR_AMENDMENT,
                Action.SACC,
                Action.SREJ,
            )
        ),
    )
    actor = party_name(required=True)
    recipient = party_name()
    reason = fields.String(data_key="reasonCode", validate=validate.OneOf(("SWTP", "COD", "SWI")))

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Step:
        return Step(**data)


class ImportedDetails(CarriedDetails):
    home = platform_code(required=True)
    received_bytes = digest(required=True, data_key="receivedBytes")
    carrier = party_name(required=True)
    shipper = party_name(required=True)
    issue_to = party_name(required=True, data_key="issueTo")
    title_holder = party_name(data_key="titleHolder")
    consignee = party_name()
    rulebook = digest(required=True)
    steps = Tuple(fields.Nested(StepSchema), most=MAX_STEPS)


class ReturnedDetails(CarriedDetails):
    steps = Tuple(fields.Nested(StepSchema), required=True, least=1, most=MAX_STEPS)


RECIPIENT_ACTIONS = frozenset(
    {
        Action.TRANSFER,
        Action.ENDORSE,
        Action.ENDORSE_TO_ORDER,
        Action.GRANT_MANDATE,
        Action.REVOKE_MANDATE,
    }
)


def details_schema(action: Action) -> type[ClosedSchema]:
    """The schema of an action's `details`."""
    match action:
        case Action.REGISTER:
            return RegisterDetails
        case Action.ADD_KEY | Action.ROTATE_KEY:
            return KeyDetails
        case Action.REVOKE_KEY:
            return RevokeKeyDetails
        case Action.ACCEPT_RULEBOOK:
            return AcceptRulebookDetails
        case Action.GRANT_MANDATE:
            return GrantMandateDetails
        case Action.BOOKING:
            return BookingDetails
        case Action.SUBMIT_INSTRUCTIONS:
            return InstructionsDetails
        case Action.PUBLISH_DRAFT:
            return PublishDraftDetails
        case Action.REQUEST_CHANGE:
            return RequestChangeDetails
        case Action.APPROVE_DRAFT:
            return ApproveDraftDetails
        case Action.APPOINT:
            return AppointDetails
        case Action.GATE_IN | Action.RECEIVED_TRANSHIPMENT | Action.DISCHARGED:
            return CustodyDetails
        case Action.LOADED_RAIL:
            return LoadedRailDetails
        case Action.RAIL_DEPARTED | Action.RAIL_ARRIVED:
            return TrainDetails
        case Action.LOADED_VESSEL:
            return LoadedVesselDetails
        case Action.VESSEL_DEPARTED:
            return VoyageDetails
        case Action.CUSTOMS_RELEASE:
            return CustomsReleaseDetails
        case Action.GATE_OUT:
            return GateOutDetails
        case Action.ISSUE:
            return IssueDetails
        case Action.TRANSFER:
            return TransferDetails
        case Action.ENDORSE | Action.ENDORSE_TO_ORDER | Action.BLANK_ENDORSE:
            return EndorseDetails
        case Action.SIGN:
            return SignDetails
        case Action.ON_BOARD_NOTATION:
            return NotationDetails
        case Action.SURRENDER_FOR_AMENDMENT:
            return AmendmentDetails
        case Action.DELIVERY_ORDER:
            return DeliveryOrderDetails
        case Action.CANCEL_DELIVERY_ORDER:
            return CancelDeliveryOrderDetails
        case Action.SUSPEND | Action.REINSTATE | Action.REFUSE | Action.SREJ | Action.VOID:
            return ReasonDetails
        case (
            Action.REVOKE_MANDATE
            | Action.SURRENDER_FOR_DELIVERY
            | Action.SACC
            | Action.CONFIRM_DELIVERY
        ):
            return NoDetails
        case Action.SENT:
            return CarriedDetails
        case Action.MOVED | Action.NOT_MOVED:
            return AnswerDetails
        case Action.IMPORTED:
            return ImportedDetails
        case Action.RETURNED:
            return ReturnedDetails
        case _:
            assert_never(action)
