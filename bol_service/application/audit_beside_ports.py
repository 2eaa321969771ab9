"""What an audit of the tables beside the log needs from the outside, as a protocol.

`storage` implements `BesideReading` on one snapshot of the database. Rows are raw, as whoever wrote
them left them: on SQLite a value may be of any type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Protocol

from bol_service.domain.document import DocumentFacts

RawRow = tuple[object, ...]


class Strange(StrEnum):
    """Rows that do not fit other rows: what the database can find out by itself."""

    ENTRY_OF_NOTICE = "entry of notice"
    NOTICE_OF_KEY = "notice of key"
    PARTY_OF_UPLOADER = "party of uploader"
    DOCUMENT_OF_UPLOADER = "document of uploader"
    PARTY_OF_DOCUMENT = "party of document"
    DOCUMENT_RECEIVED = "document received"
    NOTICE_OF_TRANSFER = "notice of transfer"
    TRANSFER_OF_NOTICE = "transfer of notice"
    SIZE_OF_FLOW = "size of flow"
    KEY_OF_ACCESS = "key of access"
    PARTY_ABROAD = "party abroad"
    EVIDENCE_OF_BOX = "evidence of box"
    FOLLOWED = "followed"


class BesideReading(Protocol):
    def strange(self, what: Strange) -> Iterator[RawRow]:
        """The rows that do not fit, with what their sentence tells of them."""
        ...

    def rows(self, table: str, *columns: str) -> Iterator[RawRow]:
        """All rows, by key; all columns where none are named."""
        ...

    def unissued(self) -> Iterator[RawRow]:
        """Digest, kind, content, checksum and cached facts of the documents with facts, or that
        should have some, of which there is no bill."""
        ...

    def crossings(self) -> Iterator[RawRow]:
        """Index, stream, sequence, action and event of the entries about other platforms."""
        ...

    def content(self, digest: str) -> bytes | None:
        """Of a document; raises TypeError where something else than bytes is kept."""
        ...

    def key(self, kid: str) -> tuple[str, str] | None:
        """Its party and its JWK."""
        ...

    def has_entry(self, stream: str, sequence: int) -> bool: ...

    def notice_facts(self, number: int) -> str | None:
        """As JSON."""
        ...

    def facts(self, cached: object) -> DocumentFacts | None:
        """The facts in the column of a document; None for none, and for what cannot be read."""
        ...

    def keyed(self, table: str) -> Iterator[tuple[str, str]]:
        """For each row its key and a digest of all of it, as text."""
        ...


class Memory(Protocol):
    """What an earlier audit saw of rows that are only ever added; part of a book that is kept."""

    def compared(self, table: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
        """Remember rows by key and digest; the keys of those that are gone or changed since."""
        ...
