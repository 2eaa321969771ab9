"""The documents that the events of a page name, read again from their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from bol_service.application.ports import Reading
from bol_service.domain import errors
from bol_service.domain.document import DocumentFacts
from bol_service.domain.events import Event, Opening
from bol_service.wire.document import DocumentError, plain_facts, read_document


class Documents:
    """Reads what `events` name at once; asking for each would take as long as judging it."""

    def __init__(self, reading: Reading, events: Iterable[Event]) -> None:
        digests = {event.received_bytes for event in events if isinstance(event, Opening)}
        self._contents = reading.contents(digests) if digests else {}
        self._cached = _cached(reading, digests) if digests else {}

    def of(self, event: Opening) -> tuple[DocumentFacts, DocumentFacts | None]:
        """The facts of an issued document, and once more if those that are cached differ.

        Raises:
            errors.BadEvent: It is not there, or not what its digest says.
        """
        digest = event.received_bytes
        content = self._contents.get(digest)
        if content is None:
            raise errors.BadEvent(f"document {digest} is missing")
        if hashlib.sha256(content).hexdigest() != digest:
            raise errors.BadEvent(f"document {digest} was changed")
        try:
            facts = facts_of(content, digest)
        except DocumentError as error:
            raise errors.BadEvent(f"document is unreadable: {error}") from None
        return facts, None if facts == self._cached.get(digest) else facts


def facts_of(content: bytes, digest: str) -> DocumentFacts:
    """The facts of the document that has these bytes, of which `digest` is the SHA-256.

    Raises:
        errors.BadEvent, DocumentError: As reading it strictly and without the standard's rules.
    """
    plain = plain_facts(content, digest)
    if plain is not None:
        return plain
    # Few documents need it, and what it brings with it is a quarter of a worker's start.
    from bol_service.application.documents import parse

    return read_document(content, parse(content), strict=False)


def _cached(reading: Reading, digests: set[str]) -> dict[str, DocumentFacts]:
    """The cached facts that can be read, by the document that they say they are of."""
    try:
        found = reading.facts(digests)
    except ValueError:  # one of them cannot be read
        found = [facts for digest in digests for facts in _readable(reading, digest)]
    return {facts.received_bytes: facts for facts in found}


def _readable(reading: Reading, digest: str) -> list[DocumentFacts]:
    try:
        return reading.facts([digest])
    except ValueError:
        return []
