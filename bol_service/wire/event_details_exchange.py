"""The `details` of entries of the exchange desk about bills that cross (docs/formats.md)."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from bol_service.domain.events import Action, Step
from bol_service.wire.event_fields import ClosedSchema, Tuple, digest, party_name

MAX_ANSWER = 1024 * 1024
MAX_STEPS = 5_000
"""Transactions that one envelope may tell."""


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
