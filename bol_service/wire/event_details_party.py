"""The `details` of acts of parties: registration, keys, consent, mandates (docs/formats.md)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from bol_service.domain.events import CarrierCode, Facility, Identifier, Identity, Role
from bol_service.wire.event_fields import ClosedSchema, Instant, Jwk, Text, Tuple, digest, unlocode


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


class RevokeKeyDetails(ClosedSchema):
    reason = Text(500, required=True)
    kid = fields.String(required=True, validate=validate.Regexp(r"[A-Za-z0-9_-]{43}\Z"))
    compromised_since = Instant(data_key="compromisedSince")


class AcceptRulebookDetails(ClosedSchema):
    rulebook = digest(required=True)


class GrantMandateDetails(ClosedSchema):
    valid_until = Instant(data_key="validUntil")
