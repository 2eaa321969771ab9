"""What a PINT envelope holds: the document, the chain, the manifest that ties them together.

`read_envelope` reads the outside, `envelope_manifest` what the sending platform signed of it; the
entries of the chain are read in `pint_entry`.

1. The transport document is kept as the JSON value that came; its checksum is SHA-256 over the
   RFC 8785 form of that value, unknown members included (A.5).
2. The document is judged by the members of the standard only, not by this platform's own rules:
   what a carrier issued elsewhere cannot be corrected here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load

from bol_service.crypto import strictjson
from bol_service.crypto.peer_jws import text_digest
from bol_service.wire.pint_forms import (
    COMPACT_JWS,
    PintFormatError,
    checksum,
    compact_jws,
    json_value,
    load,
)
from bol_service.wire.transport_document import TransportDocument
from bol_service.wire.transport_document_fields import Amount, Member, One, Several, Text
from bol_service.wire.transport_document_forms import TRIMMED
from bol_service.wire.transport_document_problem import Problem, broken, flatten
from bol_service.wire.transport_document_text import depth_problem

_OUR_OWN_RULES: Final = frozenset({"C2.16", "country"})
_DOCUMENT: Final = TransportDocument()


@dataclass(frozen=True, kw_only=True)
class EblEnvelope:
    """`chain` is oldest first. `root_issuance_manifest` is where older toolkits put it."""

    document: dict[str, Any]
    manifest: str
    chain: tuple[str, ...]
    root_issuance_manifest: str | None = None

    @cached_property
    def document_checksum(self) -> str:
        return hashlib.sha256(strictjson.canonical(self.document)).hexdigest()

    @property
    def last_checksum(self) -> str:
        return text_digest(self.chain[-1])


@dataclass(frozen=True, kw_only=True)
class DocumentMetadata:
    """A file beside the document; `size` in bytes, `checksum` over them."""

    name: str
    size: int
    media_type: str
    checksum: str

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "size": self.size,
            "mediaType": self.media_type,
            "documentChecksum": self.checksum,
        }


@dataclass(frozen=True, kw_only=True)
class EnvelopeManifest:
    document_checksum: str
    last_checksum: str
    visualisation: DocumentMetadata | None = None
    supporting: tuple[DocumentMetadata, ...] = ()

    @property
    def documents(self) -> tuple[DocumentMetadata, ...]:
        """Each file once, whatever it is declared as."""
        first = () if self.visualisation is None else (self.visualisation,)
        return tuple({each.checksum: each for each in (*first, *self.supporting)}.values())

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "transportDocumentChecksum": self.document_checksum,
            "lastEnvelopeTransferChainEntrySignedContentChecksum": self.last_checksum,
        }
        if self.visualisation is not None:
            value["eBLVisualisationByCarrier"] = self.visualisation.to_json()
        if self.supporting:
            value["supportingDocuments"] = [each.to_json() for each in self.supporting]
        return value


class EnvelopeSchema(Member):
    """`transportDocument` is judged by its own schema; see `read_envelope`."""

    transportDocument = fields.Dict(
        required=True,
        error_messages={
            "required": broken("required", "is missing; add it"),
            "null": broken("type", "is null; give the document"),
            "invalid": broken("type", "is not an object"),
        },
    )
    envelopeManifestSignedContent = compact_jws(required=True)
    envelopeTransferChain = Several(Text(form=COMPACT_JWS), at_least=1, required=True)
    issuanceManifestSignedContent = compact_jws()

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> EblEnvelope:
        return EblEnvelope(
            document=data["transportDocument"],
            manifest=data["envelopeManifestSignedContent"],
            chain=tuple(data["envelopeTransferChain"]),
            root_issuance_manifest=data.get("issuanceManifestSignedContent"),
        )


class DocumentMetadataSchema(Member):
    name = Text(form=TRIMMED, required=True)
    size = Amount(1, required=True)
    mediaType = Text(100, required=True)
    documentChecksum = checksum(required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> DocumentMetadata:
        size = data["size"]
        if size != int(size):
            raise ValidationError(broken("minimum", f"{size} is no number of bytes"), "size")
        return DocumentMetadata(
            name=data["name"],
            size=int(size),
            media_type=data["mediaType"],
            checksum=data["documentChecksum"],
        )


class EnvelopeManifestSchema(Member):
    transportDocumentChecksum = checksum(required=True)
    lastEnvelopeTransferChainEntrySignedContentChecksum = checksum(required=True)
    eBLVisualisationByCarrier = One(DocumentMetadataSchema)
    supportingDocuments = Several(One(DocumentMetadataSchema))

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> EnvelopeManifest:
        return EnvelopeManifest(
            document_checksum=data["transportDocumentChecksum"],
            last_checksum=data["lastEnvelopeTransferChainEntrySignedContentChecksum"],
            visualisation=data.get("eBLVisualisationByCarrier"),
            supporting=tuple(data.get("supportingDocuments", ())),
        )


def read_envelope(body: bytes) -> EblEnvelope:
    """The body of POST /v3/envelopes; raises PintFormatError, which is answered 400 unsigned."""
    value = json_value(body)
    document = value.get("transportDocument") if isinstance(value, dict) else None
    found = _document_problems(document) if isinstance(document, dict) else []
    try:
        envelope: EblEnvelope = load(EnvelopeSchema, value)
    except PintFormatError as error:
        raise PintFormatError([*error.problems, *found]) from None
    if found:
        raise PintFormatError(found)
    return envelope


def envelope_manifest(payload: object) -> EnvelopeManifest:
    """Raises PintFormatError."""
    manifest: EnvelopeManifest = load(EnvelopeManifestSchema, payload)
    return manifest


def _document_problems(document: dict[str, Any]) -> list[Problem]:
    too_deep = depth_problem({"transportDocument": document})
    if too_deep is not None:
        return [too_deep]
    found = flatten(_DOCUMENT.validate(document), "/transportDocument")
    return [problem for problem in found if problem.rule not in _OUR_OWN_RULES]
