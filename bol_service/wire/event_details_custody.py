"""The `details` of acts of custody of one container (docs/formats.md)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from bol_service.domain.events import Collector
from bol_service.wire.event_fields import ClosedSchema, Day, Instant, Secret, Text, Tuple, digest


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
