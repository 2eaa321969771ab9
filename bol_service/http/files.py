"""Files that go with a bill: its visualisation and supporting documents."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request

from bol_service.application.bill_files import MAX_FILE_BYTES, PDF, BillFile, is_pdf
from bol_service.http.download import download
from bol_service.http.edge import StrictBlueprint, bearer, body, services
from bol_service.wire.answers import FileAnswer, FileList

OCTETS = "application/octet-stream"

blueprint = StrictBlueprint("files", __name__, description="Files that go with a bill")


@blueprint.before_request
def _allow_files() -> None:
    request.max_content_length = MAX_FILE_BYTES


@blueprint.get("/v1/bills/<string:bill>/files")
@blueprint.response(200, FileList)
@bearer
def list_files(bill: str) -> dict[str, Any]:
    """The carrier's visualisation, and the supporting documents that you may read."""
    found = services().files.files(bill, g.party)
    return {"items": [_answer(each) for each in found]}


@blueprint.get("/v1/bills/<string:bill>/files/<string:digest>")
@blueprint.response(200, description="The bytes of the file", content_type=PDF)
@bearer
def get_file(bill: str, digest: str) -> Response:
    """One of these files, always as a download.

    The carrier signed the SHA-256 of the visualisation; of supporting documents nobody signed
    anything here.
    """
    content = services().files.content(bill, digest, g.party)
    known = is_pdf(content)
    kind, name = (PDF, f"{digest[:16]}.pdf") if known else (OCTETS, digest[:16])
    answer = download(content, kind, name)
    answer.set_etag(digest)
    return answer


@blueprint.post("/v1/bills/<string:bill>/files")
@blueprint.doc(
    requestBody={
        "required": True,
        "description": "A PDF; its bytes are kept as they are",
        "content": {PDF: {"schema": {"type": "string", "format": "binary"}}},
    }
)
@blueprint.response(201, FileAnswer)
@bearer
def attach_file(bill: str) -> dict[str, Any]:
    """Attach a supporting document, which travels with the bill (its carrier or possessor)."""
    content = body(PDF)
    services().rates.upload_by(g.party, len(content))
    return _answer(services().files.attach(bill, content, g.party))


def _answer(found: BillFile) -> dict[str, Any]:
    return {
        "role": found.role,
        "name": found.metadata.name,
        "mediaType": found.metadata.media_type,
        "size": found.metadata.size,
        "digest": found.metadata.checksum,
    }
