"""Uploads of transport documents, visualisations, shipping instructions and disclosures."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, g, request

from bol_service.application.bill_files import (
    KIND_SUPPORTING,
    KIND_VISUALISATION,
    MAX_FILE_BYTES,
    PDF,
)
from bol_service.application.documents import DocumentKind
from bol_service.application.ports import DocumentRow
from bol_service.http.edge import StrictBlueprint, bearer, body, services
from bol_service.wire import disclosure
from bol_service.wire.answers import DocumentAnswer, DocumentQuery
from bol_service.wire.personal_data import PersonalData

blueprint = StrictBlueprint("documents", __name__, description="Documents, kept byte for byte")


@blueprint.post("/v1/documents")
@blueprint.arguments(DocumentQuery, location="query")
@blueprint.doc(
    requestBody={
        "required": True,
        "description": "The document; its bytes are kept as they are",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            disclosure.MEDIA_TYPE: {"schema": {"type": "string"}},
            PDF: {"schema": {"type": "string", "format": "binary"}},
        },
    }
)
@blueprint.response(201, DocumentAnswer)
@bearer
def upload_document(query: dict[str, str]) -> dict[str, Any]:
    """Upload a document that signed events will name by its digest.

    A transport document is checked against every rule of DCSA BL 3.0; all faults are told at once.
    What looks like personal data in its free text is told as warnings, or refused where the
    platform is set so. A disclosure is sent as application/sd-jwt, by the carrier that signed it,
    a visualisation as application/pdf, by the carrier whose issuance manifest bears its SHA-256.
    """
    try:
        kind = DocumentKind(query["kind"])
    except ValueError:
        abort(
            422, description=f"kind is {query['kind']}, one of {', '.join(DocumentKind)} is known"
        )
    if kind is DocumentKind.VISUALISATION:
        request.max_content_length = MAX_FILE_BYTES
    if kind is DocumentKind.DISCLOSURE:  # each field of the document with a salt: thrice its size
        request.max_content_length = disclosure.MAX_BYTES
    documents = services().documents
    content = body(_media_type(kind))
    services().rates.upload_by(g.party, len(content))
    row = documents.upload(content, kind, g.party)
    return _answer(row, documents.warnings(row))


@blueprint.get("/v1/documents/<string:digest>")
@blueprint.response(200, description="The bytes as uploaded")
@bearer
def own_document(digest: str) -> Response:
    """A document that you uploaded, or the disclosures of a bill that you hold."""
    return as_received(services().documents.own(digest, g.party))


def as_received(row: DocumentRow) -> Response:
    """The very bytes that were uploaded."""
    answer = Response(row.content, 200, content_type=_media_type(row.kind))
    answer.set_etag(row.digest)
    return answer


def _media_type(kind: str) -> str:
    if kind in (KIND_VISUALISATION, KIND_SUPPORTING):
        return PDF
    return disclosure.MEDIA_TYPE if kind == DocumentKind.DISCLOSURE else "application/json"


def _answer(row: DocumentRow, warnings: list[PersonalData]) -> dict[str, Any]:
    answer: dict[str, Any] = {"digest": row.digest, "kind": row.kind}
    if warnings:
        answer["warnings"] = [
            {"pointer": found.pointer, "rule": found.kind, "message": found.message}
            for found in warnings
        ]
    if row.facts is not None:
        answer["checksum"] = row.facts.checksum
        answer["contentDigest"] = row.facts.content_digest
    return answer
