"""An entry of the PINT transfer chain: what one platform recorded and signed.

`chain_entry` and `issuance_manifest` read payloads that a platform or a carrier signed. Entry and
manifest themselves stay compact JWS texts; a checksum of one is SHA-256 over the text (A.5).

Beside the standard, a transaction may carry `eblSignedEvent`: the compact JWS that the party itself
signed (typ `ebl-event+jws`), so that whoever knows the format can check the party and not only the
platform. It may always be missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from marshmallow import ValidationError, post_load

from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import MAX_EVENT_BYTES
from bol_service.wire.pint_forms import (
    COMPACT_JWS,
    URI,
    checksum,
    compact_jws,
    load,
    platform_code,
)
from bol_service.wire.pint_parties import ChainParty, ChainPartySchema
from bol_service.wire.transport_document_fields import Member, Moment, One, Several, Text
from bol_service.wire.transport_document_forms import TRIMMED
from bol_service.wire.transport_document_problem import broken

SIGNED_EVENT: Final = "eblSignedEvent"


@dataclass(frozen=True, kw_only=True)
class IssuanceManifest:
    """What the carrier signed of the document that it issued."""

    document_checksum: str
    issue_to_checksum: str
    visualisation_checksum: str | None = None


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """`action` is an open code. `signed_event` is the party's own signature, if it came along."""

    action: str
    actor: ChainParty
    at: datetime
    recipient: ChainParty | None = None
    reason_code: str | None = None
    comments: str | None = None
    audit_reference: str | None = None
    signed_event: str | None = None

    def to_json(self) -> dict[str, Any]:
        recipient = None if self.recipient is None else self.recipient.to_json()
        members = {
            "actionCode": self.action,
            "actor": self.actor.to_json(),
            "recipient": recipient,
            "actionDateTime": instant_text(self.at),
            "reasonCode": self.reason_code,
            "comments": self.comments,
            "auditReference": self.audit_reference,
            SIGNED_EVENT: self.signed_event,
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class ChainEntry:
    """`issuance_manifest` and `registry` belong to the first entry, `previous` to all others."""

    platform: str
    document_checksum: str
    transactions: tuple[Transaction, ...]
    previous: str | None = None
    issuance_manifest: str | None = None
    registry: str | None = None

    def to_json(self) -> dict[str, Any]:
        members = {
            "eblPlatform": self.platform,
            "transportDocumentChecksum": self.document_checksum,
            "previousEnvelopeTransferChainEntrySignedContentChecksum": self.previous,
            "issuanceManifestSignedContent": self.issuance_manifest,
            "controlTrackingRegistry": self.registry,
            "transactions": [each.to_json() for each in self.transactions],
        }
        return {name: value for name, value in members.items() if value is not None}


class IssuanceManifestSchema(Member):
    documentChecksum = checksum(required=True)
    eBLVisualisationByCarrierChecksum = checksum()
    issueToChecksum = checksum(required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> IssuanceManifest:
        return IssuanceManifest(
            document_checksum=data["documentChecksum"],
            issue_to_checksum=data["issueToChecksum"],
            visualisation_checksum=data.get("eBLVisualisationByCarrierChecksum"),
        )


class TransactionSchema(Member):
    actionCode = Text(50, required=True)
    actor = One(ChainPartySchema, required=True)
    recipient = One(ChainPartySchema)
    actionDateTime = Moment(required=True)
    reasonCode = Text(4)
    comments = Text(255, TRIMMED)
    auditReference = Text(100)
    eblSignedEvent = Text(MAX_EVENT_BYTES, COMPACT_JWS)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> Transaction:
        return Transaction(
            action=data["actionCode"],
            actor=data["actor"],
            at=_in_utc(data["actionDateTime"]),
            recipient=data.get("recipient"),
            reason_code=data.get("reasonCode"),
            comments=data.get("comments"),
            audit_reference=data.get("auditReference"),
            signed_event=data.get(SIGNED_EVENT),
        )


class ChainEntrySchema(Member):
    eblPlatform = platform_code(required=True)
    transportDocumentChecksum = checksum(required=True)
    previousEnvelopeTransferChainEntrySignedContentChecksum = checksum()
    issuanceManifestSignedContent = compact_jws()
    controlTrackingRegistry = Text(1024, URI)
    transactions = Several(One(TransactionSchema), at_least=1, required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> ChainEntry:
        return ChainEntry(
            platform=data["eblPlatform"],
            document_checksum=data["transportDocumentChecksum"],
            previous=data.get("previousEnvelopeTransferChainEntrySignedContentChecksum"),
            issuance_manifest=data.get("issuanceManifestSignedContent"),
            registry=data.get("controlTrackingRegistry"),
            transactions=tuple(data["transactions"]),
        )


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # at the ends of the calendar
        message = broken("type", f"{moment.isoformat()} has no time in UTC")
        raise ValidationError(message, "actionDateTime") from None


def chain_entry(payload: object) -> ChainEntry:
    """Raises PintFormatError."""
    entry: ChainEntry = load(ChainEntrySchema, payload)
    return entry


def issuance_manifest(payload: object) -> IssuanceManifest:
    """Raises PintFormatError."""
    manifest: IssuanceManifest = load(IssuanceManifestSchema, payload)
    return manifest
