"""The `details` of acts on a bill, from its issue to its delivery (docs/formats.md)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from bol_service.domain.events import BillParties, Presentation
from bol_service.wire.event_details_custody import CollectorSchema
from bol_service.wire.event_fields import (
    ClosedSchema,
    Day,
    Instant,
    Secret,
    Text,
    Truth,
    Tuple,
    container,
    digest,
    party_name,
    slug,
    unlocode,
)


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


class CancelDeliveryOrderDetails(ClosedSchema):
    reason = Text(500, required=True)
    order = digest(required=True)
