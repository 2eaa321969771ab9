"""Many transport documents at the price of one: checked once, then printed with other numbers.

All bills of `tests/many_bills.py` differ only in number, box and booking, which are of one length
each and stand nowhere else. So what holds for one of them holds for all, and bytes, canonical form
and facts of another come out of replacing three words.
"""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import rfc8785

from bol_service.application.documents import DocumentKind
from bol_service.application.ports import DocumentRow
from bol_service.domain.document import DocumentFacts
from bol_service.storage.codec import decode_facts, encode_facts
from bol_service.wire.document import CHANGING, read_document
from bol_service.wire.event_fields import instant_text
from tests.desk import STORY, Json
from tests.documents import draft_of
from tests.many_bills import CARRIER, Uploads, container, one_box_document

FULL_SIZE = 6_000  # bytes: a real bill's terms fill it


class Plate:
    """One document of the bill number 0, ready to be printed for others."""

    def __init__(self, document: Json) -> None:
        self._content = json.dumps(document, ensure_ascii=False).encode()
        self._canonical = rfc8785.dumps(document)
        kept = {name: member for name, member in document.items() if name not in CHANGING}
        self._kept = rfc8785.dumps(kept)
        self._facts = encode_facts(read_document(self._content, document))

    def printed(self, number: int) -> DocumentRow:
        """The document of the bill `number`, as an upload of its carrier."""
        content = _renumbered(self._content, number)
        facts = self._facts_of(number, content)
        return DocumentRow(
            digest=facts.received_bytes,
            checksum=facts.checksum,
            kind=DocumentKind.TRANSPORT_DOCUMENT,
            content=content,
            facts=facts,
            uploaded_by=CARRIER,
            uploaded_at=instant_text(STORY),
        )

    def _facts_of(self, number: int, content: bytes) -> DocumentFacts:
        return replace(
            decode_facts(_renumbered(self._facts, number)),
            checksum=sha256(_renumbered(self._canonical, number)).hexdigest(),
            content_digest=sha256(_renumbered(self._kept, number)).hexdigest(),
            received_bytes=sha256(content).hexdigest(),
        )


class Press:
    """Prints draft and issued document of any number; raises ValueError if they come out wrong."""

    def __init__(self) -> None:
        issued = full_size_document()
        self._draft, self._issued = Plate(draft_of(issued)), Plate(issued)
        for row in self.uploads(1):
            if row.facts != read_document(row.content, json.loads(row.content)):
                raise ValueError(
                    "a printed document does not say what was printed; see bench/press.py"
                )

    def uploads(self, number: int) -> Uploads:
        return self._draft.printed(number), self._issued.printed(number)


def full_size_document() -> Json:
    """The bill number 0 with terms that bring it to its full size."""
    document = one_box_document(0)
    missing = FULL_SIZE - len(json.dumps(document, ensure_ascii=False).encode())
    sentence = " Goods are carried as received, under deck or on deck, at the carrier's option."
    document["termsAndConditions"] += (sentence * (missing // len(sentence) + 1))[: max(missing, 0)]
    return document


def _renumbered(content: bytes, number: int) -> bytes:
    for old, new in zip(_words(0), _words(number), strict=True):
        content = content.replace(old, new)
    return content


def _words(number: int) -> tuple[bytes, ...]:
    words = (container(number), f"XLBMANY{number:06}", f"XLSCMANY{number:06}")
    return tuple(word.encode("ascii") for word in words)
