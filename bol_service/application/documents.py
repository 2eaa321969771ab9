"""Uploads: transport documents with their visualisations, shipping instructions and disclosures.

A document is stored as received, byte for byte, and found by the SHA-256 of its bytes; the checksum
of its RFC 8785 form is the bill's id. Nothing here is signed: a document counts only through the
signed event that names its digest. Disclosures are found by the digest that ISSUE names; see
`disclosures`. Of files that go with a bill see `bill_files`.

A transport document with personal data in its free text is kept with warnings, or refused where the
platform is set so (DR-03).
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from bol_service.application import bill_files, disclosures
from bol_service.application.ports import Clock, DocumentRow, Reading, Store
from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.domain.document import DocumentFacts
from bol_service.wire.document import DocumentError, read_document
from bol_service.wire.event_fields import instant_text
from bol_service.wire.personal_data import PersonalData, personal_data


class DocumentKind(StrEnum):
    TRANSPORT_DOCUMENT = "transport-document"
    SHIPPING_INSTRUCTIONS = "shipping-instructions"
    DISCLOSURE = disclosures.KIND
    VISUALISATION = bill_files.KIND_VISUALISATION


class Documents:
    def __init__(
        self, store: Store, clock: Clock, origin: str, *, refuse_personal_data: bool = False
    ) -> None:
        self._store = store
        self._clock = clock
        self._origin = origin
        self._refuse_personal_data = refuse_personal_data

    def upload(self, content: bytes, kind: DocumentKind, party: str) -> DocumentRow:
        """Keep a document; the same bytes again change nothing.

        Raises:
            DocumentError: A transport document breaks rules of the standard; lists all of them.
            errors.BadEvent: Not strict JSON, or not an object; not the whole of a disclosure; a
                visualisation that is no PDF or too large.
            errors.BadSignature: A disclosure that is not signed with a key of `party`.
            errors.PersonalData: This platform takes no personal data in free text.
        """
        if kind is DocumentKind.DISCLOSURE:
            return self._upload_disclosure(content, party)
        if kind is DocumentKind.VISUALISATION:
            return self._upload_visualisation(content, party)
        value = parse(content)
        facts: DocumentFacts | None = None
        if kind is DocumentKind.TRANSPORT_DOCUMENT:
            facts = read_document(content, value)
            self._judge_personal_data(value)
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

    def warnings(self, row: DocumentRow) -> list[PersonalData]:
        """What the uploader of a transport document should think of before it is issued."""
        if row.kind != DocumentKind.TRANSPORT_DOCUMENT:
            return []
        return personal_data(parse(row.content))

    def own(self, digest: str, party: str) -> DocumentRow:
        """A document that `party` uploaded, be it after others, or the disclosures of a bill that
        it holds; raises NotFound for the rest."""
        with self._store.reading() as reading:
            row = reading.document(digest) if self._may_read(reading, digest, party) else None
        if row is None:
            raise errors.NotFound(f"no document {digest} of yours")
        return row

    def _may_read(self, reading: Reading, digest: str, party: str) -> bool:
        if reading.has_uploaded(party, digest):
            return True
        now = self._clock.now()
        return disclosures.may_read(reading, digest, party, origin=self._origin, now=now)

    def _upload_visualisation(self, content: bytes, party: str) -> DocumentRow:
        bill_files.require_pdf(content)
        row = DocumentRow(
            digest=hashlib.sha256(content).hexdigest(),
            checksum=None,
            kind=DocumentKind.VISUALISATION,
            content=content,
            facts=None,
            uploaded_by=party,
            uploaded_at=instant_text(self._clock.now()),
        )
        self._store.add_document(row)
        return row

    def _upload_disclosure(self, content: bytes, party: str) -> DocumentRow:
        now = self._clock.now()
        with self._store.reading() as reading:
            found = disclosures.read(reading, content, party, origin=self._origin, now=now)
        row = DocumentRow(
            digest=found.digest,
            checksum=found.claims.bill,
            kind=DocumentKind.DISCLOSURE,
            content=content,
            facts=None,
            uploaded_by=party,
            uploaded_at=instant_text(now),
        )
        self._store.add_document(row)
        return row

    def _judge_personal_data(self, value: dict[str, object]) -> None:
        if not self._refuse_personal_data:
            return
        found = personal_data(value)
        if found:
            told = "; ".join(f"{entry.pointer} {entry.message}" for entry in found[:10])
            raise errors.PersonalData(told, pointer=found[0].pointer)


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
