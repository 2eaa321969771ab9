"""What parties send and get at `/v1/abroad`, as schemas for the OpenAPI description."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from bol_service.wire.answers import Answer, text


class AbroadApplicationRequest(Schema):
    """`party` is the slug that is wanted there, `details` those of the REGISTER."""

    platform = text(
        "Code of the other platform",
        required=True,
        validate=validate.Regexp(r"[A-Z0-9]{2,4}\Z"),
    )
    party = text("The slug there", required=True)
    details = fields.Dict(required=True)


class AppliedAnswer(Answer):
    status = text("waiting for the operator there, or registered")


class Applicant(Answer):
    number = fields.Integer()
    platform = text("Code of the platform through which it would be reached")
    name = text("Its slug there")
    party = text("The slug that it wants here")
    kid = text("Thumbprint of its key")
    at = text("UTC")
    details = fields.Dict(metadata={"description": "Of the REGISTER, to be signed as they are"})


class ApplicantPage(Answer):
    items = fields.List(fields.Nested(Applicant))


class AbroadHeadQuery(Schema):
    origin = fields.String(
        load_default="",
        validate=validate.Length(max=255),
        metadata={"description": "The other ledger; GET /v1/abroad/evidence tells it"},
    )


class FreshQuery(Schema):
    fresh = fields.Boolean(load_default=False)


class AbroadBox(Answer):
    container = text("Container number")
    place = text("Where it is; null before it was received")


class AbroadEvidence(Answer):
    platform = text("Code of the platform of issue")
    origin = text("Its ledger: the audience of what you sign for it")
    bill = text("Bill")
    transportDocumentReference = text("B/L number")
    shipment = text("Shipment")
    status = text("As that platform states it")
    containers = fields.List(fields.Nested(AbroadBox))
    asOf = text("UTC time that the evidence is of")


class AbroadEvidencePage(Answer):
    items = fields.List(fields.Nested(AbroadEvidence))
