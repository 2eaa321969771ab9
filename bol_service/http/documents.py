"""Uploads of transport documents and shipping instructions."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, g

from bol_service.application.documents import DocumentKind
from bol_service.application.ports import DocumentRow
from bol_service.http.edge import bearer, body, services
from bol_service.http.events import StrictBlueprint
from bol_service.wire.answers import DocumentAnswer, DocumentQuery

blueprint = StrictBlueprint("documents", __name__, description="Documents, kept byte for byte")


@blueprint.post("/v1/documents")
@blueprint.arguments(DocumentQuery, location="query")
@blueprint.doc(
    requestBody={
        "required": True,
        "description": "The document; its bytes are kept as they are",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
)
@blueprint.response(201, DocumentAnswer)
@bearer
def upload_document(query: dict[str, str]) -> dict[str, Any]:
    """Upload a document that signed events will name by its digest.

    A transport document is checked against every rule of DCSA BL 3.0; all faults are told at once.
    """
    try:
        kind = DocumentKind(query["kind"])
    except ValueError:
        abort(
            422, description=f"kind is {query['kind']}, one of {', '.join(DocumentKind)} is known"
        )
    return _answer(services().documents.upload(body("application/json"), kind, g.party))


@blueprint.get("/v1/documents/<string:digest>")
@blueprint.response(200, description="The bytes as uploaded")
@bearer
def own_document(digest: str) -> Response:
    """A document that you uploaded."""
    return as_received(services().documents.own(digest, g.party))


def as_received(row: DocumentRow) -> Response:
    """The very bytes that were uploaded."""
    answer = Response(row.content, 200, content_type="application/json")
    answer.set_etag(row.digest)
    return answer


def _answer(row: DocumentRow) -> dict[str, Any]:
    answer: dict[str, Any] = {"digest": row.digest, "kind": row.kind}
    if row.facts is not None:
        answer["checksum"] = row.facts.checksum
        answer["contentDigest"] = row.facts.content_digest
    return answer
