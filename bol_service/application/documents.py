"""Uploads: transport documents and shipping instructions, kept byte for byte.

A document is stored as received and found by the SHA-256 of its bytes; the checksum of its RFC 8785
form is the bill's id. Nothing here is signed: a document counts only through the signed event that
names its digest.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from bol_service.application.ports import Clock, DocumentRow, Store
from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.domain.document import DocumentFacts
from bol_service.wire.document import DocumentError, read_document
from bol_service.wire.event_fields import instant_text


class DocumentKind(StrEnum):
    TRANSPORT_DOCUMENT = "transport-document"
    SHIPPING_INSTRUCTIONS = "shipping-instructions"


class Documents:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def upload(self, content: bytes, kind: DocumentKind, party: str) -> DocumentRow:
        """Keep a document; the same bytes again change nothing.

        Raises:
            DocumentError: A transport document breaks rules of the standard; lists all of them.
            errors.BadEvent: Not strict JSON, or not an object.
        """
        value = parse(content)
        facts: DocumentFacts | None = None
        if kind is DocumentKind.TRANSPORT_DOCUMENT:
            facts = read_document(content, value)
        row = DocumentRow(
            digest=hashlib.sha256(content).hexdigest(),
            checksum=facts.checksum if facts else None,
            kind=kind,
            content=content,
            facts=facts,
            uploaded_by=party,
            uploaded_at=instant_text(self._clock.now()),
        )
        self._store.add_document(row)
        return row

    def own(self, digest: str, party: str) -> DocumentRow:
        """A document that `party` uploaded; raises NotFound for those of others."""
        with self._store.reading() as reading:
            row = reading.document(digest)
        if row is None or row.uploaded_by != party:
            raise errors.NotFound(f"no document {digest} of yours")
        return row


def parse(content: bytes) -> dict[str, object]:
    """The JSON object in `content`; raises BadEvent."""
    try:
        value = strictjson.loads_document(content)
    except strictjson.BadJson as error:
        raise errors.BadEvent(str(error), pointer=error.pointer) from None
    if not isinstance(value, dict):
        raise errors.BadEvent("the document is not a JSON object", pointer="")
    return value


__all__ = ["DocumentError", "DocumentKind", "Documents", "parse"]
