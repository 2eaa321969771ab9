"""The signed payload of an event: its envelope, and the closed `details` of every action.

A schema's members, read, are exactly the fields of the action's class in `domain.events`. What
a member means and what the law makes of it stands there; here stands only what is well formed.
"""

from __future__ import annotations

from typing import assert_never

from marshmallow import fields

from bol_service.domain.events import Action
from bol_service.wire.event_details_bill import (
    AmendmentDetails,
    CancelDeliveryOrderDetails,
    DeliveryOrderDetails,
    EndorseDetails,
    IssueDetails,
    NotationDetails,
    SignDetails,
    TransferDetails,
)
from bol_service.wire.event_details_custody import (
    CustodyDetails,
    CustomsReleaseDetails,
    GateOutDetails,
    LoadedRailDetails,
    LoadedVesselDetails,
    TrainDetails,
    VoyageDetails,
)
from bol_service.wire.event_details_draft import (
    AppointDetails,
    ApproveDraftDetails,
    BookingDetails,
    InstructionsDetails,
    PublishDraftDetails,
    RequestChangeDetails,
)
from bol_service.wire.event_details_exchange import (
    AnswerDetails,
    CarriedDetails,
    ImportedDetails,
    ReturnedDetails,
)
from bol_service.wire.event_details_party import (
    AcceptRulebookDetails,
    GrantMandateDetails,
    KeyDetails,
    RegisterDetails,
    RevokeKeyDetails,
)
from bol_service.wire.event_fields import (
    ClosedSchema,
    Instant,
    StrictInteger,
    Text,
    digest,
    party_name,
    slug,
    uuid7,
)


class Envelope(ClosedSchema):
    """`recipient` is present for the actions that have one, and only for them."""

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


class IssuanceManifestSchema(ClosedSchema):
    """DCSA EBL_ISS 3.0: what the carrier signs about the document it issues."""

    document_checksum = digest(required=True, data_key="documentChecksum")
    issue_to_checksum = digest(required=True, data_key="issueToChecksum")
    visualisation_checksum = digest(data_key="eBLVisualisationByCarrierChecksum")


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
