"""The answers of the HTTP API, as schemas: the OpenAPI description is made from them.

They describe what `application.views` builds. Members that the reader may not see are absent.
"""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields, validate


class Answer(Schema):
    class Meta:
        unknown = INCLUDE


def text(description: str, **options: object) -> fields.String:
    return fields.String(metadata={"description": description}, **options)  # type: ignore[arg-type]


class ProblemDetail(Answer):
    pointer = text("RFC 6901 pointer to the member")
    rule = text("The rule that is broken")
    message = text("What is wrong, with both values")


class Problem(Answer):
    """RFC 9457 problem details; `code` is stable, `nextStep` says what to do."""

    type = text("URI of the page that explains the code")
    title = text("The kind of problem")
    status = fields.Integer()
    code = text("Stable code")
    detail = text("What happened, with both values")
    pointer = text("RFC 6901 pointer to the member at fault")
    nextStep = text("What to do next")
    requestId = text("Quote this to the operator")
    errors = fields.List(fields.Nested(ProblemDetail))


class ReceiptAnswer(Answer):
    """Keep it: it proves that the event is in the log, without asking the platform."""

    v = fields.Integer()
    event = text("The compact JWS as recorded")
    recordedAt = text("UTC time of recording")
    index = fields.Integer(metadata={"description": "Place in the log, from 0"})
    stream = text("The stream")
    sequence = fields.Integer(metadata={"description": "Place in the stream, from 0"})
    head = text("SHA-256 of the JWS text: `previous` of the stream's next event")
    inclusionProof = fields.List(fields.String(), metadata={"description": "RFC 6962, base64"})
    checkpoint = text("C2SP signed note")


class BatchItem(Answer):
    status = fields.Integer(metadata={"description": "What the event alone would have got"})
    receipt = fields.Nested(ReceiptAnswer)
    problem = fields.Nested(Problem)


class BatchAnswer(Answer):
    """One item per event, in the order of the batch."""

    items = fields.List(fields.Nested(BatchItem))


class PartyAnswer(Answer):
    party = text("Slug")
    legalName = text("Legal name")
    legalNameLocal = text("Legal name in the local script")
    country = text("ISO 3166-1 alpha-2")
    identifiers = fields.List(fields.Dict())
    roles = fields.List(fields.String())
    carrierCode = fields.Dict()
    facilities = fields.List(fields.Dict())
    keys = fields.List(fields.Dict())
    acceptedRulebooks = fields.List(fields.String())
    suspended = fields.Boolean()
    sequence = fields.Integer(metadata={"description": "Sequence of the party stream's head"})


class PartyPage(Answer):
    items = fields.List(fields.Nested(PartyAnswer))


class DraftAnswer(Answer):
    shipment = text("UUID that the carrier's BOOKING opened")
    carrierBookingReference = text("Booking number")
    status = text("BOOKED, INSTRUCTED, DRAFT, CHANGE_REQUESTED or APPROVED")
    carrier = text("Slug")
    shipper = text("Slug")
    forwarder = text("Slug")
    custodians = fields.Dict()
    containers = fields.List(fields.String())
    customs = fields.List(fields.String())
    customsRelease = fields.Boolean()
    instructions = text("SHA-256 of the instructions")
    version = fields.Integer()
    document = text("SHA-256 of the draft as uploaded")
    contentDigest = text("What an approval names")
    changeComment = text("What the shipper wants changed")


class DraftPage(Answer):
    items = fields.List(fields.Nested(DraftAnswer))


class BillSummary(Answer):
    bill = text("SHA-256 of the RFC 8785 form of the transport document")
    transportDocumentReference = text("B/L number")
    carrier = text("Slug")
    type = text("STRAIGHT, ORDER or BLANK")
    status = text("Live status")
    onBoardDate = text("Local date")
    receivedForShipmentDate = text("Local date")
    allowedActions = fields.List(
        fields.String(), metadata={"description": "What you could sign on this bill now"}
    )


class BillPage(Answer):
    items = fields.List(fields.Nested(BillSummary))


class BillAnswer(BillSummary):
    relations = fields.List(fields.String())
    control = fields.Dict()
    warnings = fields.List(fields.String())
    parties = fields.Dict()
    document = fields.Dict()
    cargo = fields.Dict()
    shipment = text("UUID")
    custody = fields.List(fields.Dict())
    deliveryOrders = fields.List(fields.Dict())
    deliveryConfirmed = fields.Boolean()


class EventAnswer(Answer):
    index = fields.Integer()
    stream = text("The stream")
    sequence = fields.Integer()
    action = text("The action")
    actor = text("Slug")
    recordedAt = text("UTC")
    digest = text("SHA-256 of the JWS text")
    event = text("The compact JWS")


class EventPage(Answer):
    items = fields.List(fields.Nested(EventAnswer))


class HeadAnswer(Answer):
    stream = text("The stream")
    sequence = fields.Integer(metadata={"description": "Of the last event; the next is one more"})
    digest = text("`previous` of the next event")


class ReleaseAnswer(Answer):
    container = text("Container number")
    answer = text("RELEASE or DO NOT RELEASE")
    code = text("Stable code of the reason")
    reason = text("In words")
    nextStep = text("What to do")
    asOf = text("UTC time of the answer; of a bill issued elsewhere, of the evidence")
    platform = text("Code of the platform of issue, where the bill was issued elsewhere")
    bill = text("Bill")
    transportDocumentReference = text("B/L number")
    order = text("Digest of the delivery order that GATE_OUT has to name")
    pickUp = fields.Dict()
    expires = text("UTC")


class DocumentAnswer(Answer):
    digest = text("SHA-256 of the bytes as received; of a disclosure: of its issuer-signed JWT")
    kind = text("transport-document, visualisation, shipping-instructions or disclosure")
    checksum = text("SHA-256 of the RFC 8785 form: the bill's id")
    contentDigest = text("SHA-256 of the content that a shipper approves")
    warnings = fields.List(
        fields.Nested(ProblemDetail),
        metadata={"description": "What looks like personal data in free text, never repeating it"},
    )


class FileAnswer(Answer):
    role = text("visualisation or supporting-document")
    name = text("As it is declared to other platforms")
    mediaType = text("As it is declared to other platforms")
    size = fields.Integer(metadata={"description": "Bytes"})
    digest = text("SHA-256 of the bytes")


class FileList(Answer):
    items = fields.List(fields.Nested(FileAnswer))


class NoticePage(Answer):
    items = fields.List(fields.Dict())


class TokenAnswer(Answer):
    access_token = text("Send as `Authorization: Bearer`")
    token_type = text("Bearer")
    expires_in = fields.Integer()


class TokenRequest(Schema):
    """RFC 6749 section 4.4 with RFC 7523 client authentication."""

    grant_type = fields.String(required=True)
    client_assertion_type = fields.String(required=True)
    client_assertion = fields.String(required=True)
    scope = fields.String()


class PageQuery(Schema):
    cursor = fields.String(load_default="")
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 100))


class EvidenceQuery(Schema):
    profile = fields.String(load_default="own", validate=validate.OneOf(["own", "issue"]))


class BillQuery(PageQuery):
    reference = fields.String()
    status = fields.String()
    carrier = fields.String()
    container = fields.String()
    shipment = fields.String()


class DocumentQuery(Schema):
    kind = fields.String(load_default="transport-document")
