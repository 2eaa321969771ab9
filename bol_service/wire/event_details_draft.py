"""The `details` of acts on a shipment before its bill is issued (docs/formats.md)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load

from bol_service.domain.events import Custodians, Leg
from bol_service.wire.event_fields import (
    ClosedSchema,
    StrictInteger,
    Text,
    Truth,
    Tuple,
    container,
    digest,
    slug,
)


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


class AppointDetails(ClosedSchema):
    reason = Text(500, required=True)
    leg = fields.Enum(Leg, by_value=True, required=True)
    custodian = slug(required=True)
