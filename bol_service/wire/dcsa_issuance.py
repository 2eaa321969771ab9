"""Issuing as a carrier's system asks for it, and how it is told what came of it (DCSA EBL_ISS 3.0).

`read_issuance_request` judges what the request says by itself, without any platform:

1. strict JSON, and the members of the standard;
2. the document by every rule of DCSA BL 3.0, the conditional ones too; its status is ISSUED;
3. the manifest reads as the standard says; its checksums are those of document, `issueTo` and
   visualisation as they are in this request.

Whether a key of the carrier signed the manifest is asked in `gateway.manifests`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from marshmallow import fields, post_load

from bol_service.crypto import peer_jws, strictjson
from bol_service.crypto.jws import BadJws
from bol_service.crypto.peer_jws import PeerJws
from bol_service.domain.document import DocumentFacts
from bol_service.wire.document import DocumentError, read_document
from bol_service.wire.pint_entry import IssuanceManifest, issuance_manifest
from bol_service.wire.pint_forms import (
    PintFormatError,
    compact_jws,
    json_value,
    load,
    platform_code,
)
from bol_service.wire.pint_parties import IdentifyingCode, IdentifyingCodeSchema, TaxReferenceSchema
from bol_service.wire.transport_document_fields import Code, Member, One, Several, Text
from bol_service.wire.transport_document_forms import TRIMMED, UNBROKEN
from bol_service.wire.transport_document_problem import Problem, below, broken, shown

REASON_LENGTH: Final = 255
MOST_ERRORS: Final = 255


class IssuanceCode(StrEnum):
    """What came of a request: ISSU issued, BREQ correct it and ask again, REFU never here."""

    ISSU = "ISSU"
    BREQ = "BREQ"
    REFU = "REFU"


@dataclass(frozen=True, kw_only=True)
class IssueTo:
    """The first possessor; `value` is the object as it came, over which its checksum is taken."""

    name: str
    platform: str
    codes: tuple[IdentifyingCode, ...]
    value: dict[str, Any]

    @property
    def checksum(self) -> str:
        return hashlib.sha256(strictjson.canonical(self.value)).hexdigest()


@dataclass(frozen=True, kw_only=True)
class IssuanceRequest:
    """`content` is the RFC 8785 form of the document: what is uploaded. `signed_manifest` is
    well-formed and unverified; `visualisation` is the file whose SHA-256 it bears."""

    facts: DocumentFacts
    content: bytes
    issue_to: IssueTo
    manifest: IssuanceManifest
    signed_manifest: PeerJws
    visualisation: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class IssuanceResponse:
    """`errors` are (code, reason); texts are cut to the lengths of the standard."""

    reference: str
    sub_reference: str | None
    code: IssuanceCode
    reason: str | None = None
    errors: Sequence[tuple[str, str]] = ()

    def to_json(self) -> dict[str, Any]:
        errors = [
            {"reason": one_line(reason, REASON_LENGTH), "errorCode": code[:50]}
            for code, reason in self.errors[:MOST_ERRORS]
        ]
        members = {
            "transportDocumentReference": self.reference,
            "transportDocumentSubReference": self.sub_reference,
            "issuanceResponseCode": str(self.code),
            "reason": None if self.reason is None else one_line(self.reason, REASON_LENGTH),
            "errors": errors or None,
        }
        return {name: value for name, value in members.items() if value is not None}


class IssueToSchema(Member):
    partyName = Text(70, TRIMMED, required=True)
    sendToPlatform = platform_code(required=True)
    identifyingCodes = Several(One(IdentifyingCodeSchema), at_least=1, required=True)
    taxLegalReferences = Several(One(TaxReferenceSchema))


class VisualisationSchema(Member):
    name = Text(100, required=True)
    content = Text(required=True)
    contentType = Text(100)


class DocumentRelationSchema(Member):
    transportDocumentReference = Text(20, TRIMMED, required=True)
    transportDocumentSubReference = Text(100, TRIMMED)


class ReplacementsSchema(Member):
    """History of an amendment (3.0.4); it is read and changes nothing."""

    oldTransportDocumentReferences = Several(One(DocumentRelationSchema))
    newTransportDocumentReferences = Several(One(DocumentRelationSchema))


class IssuanceRequestSchema(Member):
    """`document` is judged by the rules of the transport document."""

    document = fields.Dict(
        required=True,
        error_messages={
            "required": broken("required", "is missing; add it"),
            "null": broken("type", "is null; give the document"),
            "invalid": broken("type", "is not an object"),
        },
    )
    issueTo = One(IssueToSchema, required=True)
    eBLVisualisationByCarrier = One(VisualisationSchema)
    issuanceManifestSignedContent = compact_jws(required=True)
    transportDocumentReplacements = One(ReplacementsSchema)


class IssuanceErrorSchema(Member):
    reason = Text(REASON_LENGTH, TRIMMED)
    errorCode = Text(50, UNBROKEN)


class IssuanceResponseSchema(Member):
    transportDocumentReference = Text(20, TRIMMED, required=True)
    transportDocumentSubReference = Text(100, TRIMMED)
    issuanceResponseCode = Code(*IssuanceCode, required=True)
    reason = Text(REASON_LENGTH, TRIMMED)
    errors = Several(One(IssuanceErrorSchema), at_most=MOST_ERRORS)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> IssuanceResponse:
        errors = data.get("errors", ())
        return IssuanceResponse(
            reference=data["transportDocumentReference"],
            sub_reference=data.get("transportDocumentSubReference"),
            code=IssuanceCode(data["issuanceResponseCode"]),
            reason=data.get("reason"),
            errors=tuple((each.get("errorCode", ""), each.get("reason", "")) for each in errors),
        )


def read_issuance_request(body: bytes) -> IssuanceRequest:
    """The body of PUT /v3/ebl-issuance-requests; raises PintFormatError with all that is wrong."""
    value = json_value(body)
    load(IssuanceRequestSchema, value)
    assert isinstance(value, dict)  # the schema
    facts, content = _document(value["document"])
    issue_to = _issue_to(value["issueTo"])
    signed, manifest = _manifest(value["issuanceManifestSignedContent"])
    found = [*_disagreements(manifest, facts, issue_to), *_visualisation(value, manifest)]
    if facts.status != "ISSUED":
        place = "/document/transportDocumentStatus"
        found.append(_problem(place, "status", f"is {facts.status}; only ISSUED can be issued"))
    if found:
        raise PintFormatError(found)
    return IssuanceRequest(
        facts=facts,
        content=content,
        issue_to=issue_to,
        manifest=manifest,
        signed_manifest=signed,
        visualisation=_picture(value),
    )


def one_line(text: str, most: int) -> str:
    """A text in the form of the standard: no line break, no blank at either end, `most` long."""
    return " ".join(text.split())[:most].strip() or "no reason was told"


def _document(value: dict[str, Any]) -> tuple[DocumentFacts, bytes]:
    try:
        content = strictjson.canonical(value)
        return read_document(content, value), content
    except strictjson.BadJson as error:
        raise PintFormatError([_problem("/document", "canonical", str(error))]) from None
    except DocumentError as error:
        raise PintFormatError(
            [
                _problem(f"/document{each.pointer}", each.rule, each.message)
                for each in error.problems
            ]
        ) from None


def _issue_to(value: dict[str, Any]) -> IssueTo:
    loaded = load(IssueToSchema, value)
    return IssueTo(
        name=loaded["partyName"],
        platform=loaded["sendToPlatform"],
        codes=tuple(loaded["identifyingCodes"]),
        value=value,
    )


def _manifest(text: str) -> tuple[PeerJws, IssuanceManifest]:
    place = "/issuanceManifestSignedContent"
    try:
        parsed = peer_jws.parse(text)
        return parsed, issuance_manifest(parsed.value)
    except BadJws as error:
        raise PintFormatError([_problem(place, "jws", str(error))]) from None
    except PintFormatError as error:
        inside = [
            _problem(place, each.rule, f"{each.pointer} {each.message}") for each in error.problems
        ]
        raise PintFormatError(inside) from None


def _disagreements(
    manifest: IssuanceManifest, facts: DocumentFacts, issue_to: IssueTo
) -> Iterator[Problem]:
    for member, stated, own in (
        ("document", manifest.document_checksum, facts.checksum),
        ("issueTo", manifest.issue_to_checksum, issue_to.checksum),
    ):
        if stated != own:
            message = (
                f"has SHA-256 {own}, the manifest names {stated}; sign a manifest of what is sent"
            )
            yield _problem(below("", member), "checksum", message)


def _visualisation(value: dict[str, Any], manifest: IssuanceManifest) -> Iterator[Problem]:
    place, stated = "/eBLVisualisationByCarrier", manifest.visualisation_checksum
    sent = value.get("eBLVisualisationByCarrier")
    if sent is None:
        if stated is not None:
            yield _problem(place, "required", f"is missing; the manifest names {stated}")
        return
    try:
        content = base64.b64decode(sent["content"], validate=True)
    except (binascii.Error, ValueError):
        yield _problem(f"{place}/content", "base64", f"{shown(sent['content'])} is not Base64")
        return
    own = hashlib.sha256(content).hexdigest()
    if stated != own:
        message = f"has SHA-256 {own}, the manifest names {stated or 'none'}"
        yield _problem(place, "checksum", message)


def _picture(value: dict[str, Any]) -> bytes | None:
    """Of a request in which `_visualisation` found nothing wrong."""
    sent = value.get("eBLVisualisationByCarrier")
    return None if sent is None else base64.b64decode(sent["content"])


def _problem(pointer: str, rule: str, message: str) -> Problem:
    return Problem(pointer=pointer, rule=rule, message=message)
