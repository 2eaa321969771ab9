"""The tables beside the log, as an audit reads them; see `application.audit_beside`.

Everything is read in one snapshot of its own, begun after that of the log: what the log needs of
these tables was written before its entries, so a service that goes on meanwhile does no harm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Executable, select, text

from bol_service.application.audit_beside_ports import RawRow, Strange
from bol_service.domain.document import DocumentFacts
from bol_service.storage import tables
from bol_service.storage.codec import decode_facts
from bol_service.storage.engine import is_sqlite
from bol_service.storage.store import SqlStore, reached

_PART = 500
_STRANGE: Final = {
    Strange.ENTRY_OF_NOTICE: (
        "SELECT n.number, n.party, n.idx FROM notices n LEFT JOIN entries e ON e.idx = n.idx "
        "WHERE n.idx IS NOT NULL "
        "AND (e.idx IS NULL OR e.stream <> n.stream OR e.recorded_at <> n.at)"
    ),
    Strange.NOTICE_OF_KEY: (
        "SELECT e.idx, e.action, e.actor FROM entries e LEFT JOIN notices n "
        "ON n.idx = e.idx AND n.party = e.actor AND n.kind = e.action "
        "WHERE e.action IN ('ADD_KEY', 'ROTATE_KEY', 'REVOKE_KEY') AND n.number IS NULL"
    ),
    Strange.PARTY_OF_UPLOADER: (
        "SELECT u.digest, u.party FROM document_uploaders u "
        "LEFT JOIN entries e ON e.stream = 'party:' || u.party AND e.sequence = 0 "
        "WHERE e.idx IS NULL"
    ),
    Strange.DOCUMENT_OF_UPLOADER: (
        "SELECT u.digest, u.party FROM document_uploaders u "
        "LEFT JOIN documents d ON d.digest = u.digest WHERE d.digest IS NULL"
    ),
    Strange.PARTY_OF_DOCUMENT: (
        "SELECT d.digest, d.uploaded_by FROM documents d "
        "LEFT JOIN entries e ON e.stream = 'party:' || d.uploaded_by AND e.sequence = 0 "
        "WHERE e.idx IS NULL"
    ),
    Strange.DOCUMENT_RECEIVED: (
        "SELECT r.bill, r.checksum FROM inbound_documents r "
        "LEFT JOIN documents d ON d.digest = r.checksum WHERE d.digest IS NULL"
    ),
    Strange.NOTICE_OF_TRANSFER: (
        "SELECT o.number, o.bill FROM outbound_transfers o LEFT JOIN notices n "
        "ON n.number = o.number AND n.party = '~exchange' AND n.stream = 'bill:' || o.bill "
        "WHERE n.number IS NULL"
    ),
    Strange.TRANSFER_OF_NOTICE: (
        "SELECT n.number, n.stream FROM notices n "
        "LEFT JOIN outbound_transfers o ON o.number = n.number "
        "WHERE n.party = '~exchange' AND o.number IS NULL "
        "AND n.number < (SELECT max(number) FROM outbound_transfers)"
    ),
    Strange.SIZE_OF_FLOW: (
        "SELECT f.number, f.size, length(d.content) FROM flows f "
        "JOIN documents d ON d.digest = f.digest WHERE length(d.content) <> f.size"
    ),
    Strange.KEY_OF_ACCESS: (
        "SELECT t.party, t.kid FROM access_tokens t LEFT JOIN keys k "
        "ON k.kid = t.kid AND k.party = t.party WHERE k.kid IS NULL"
    ),
    Strange.PARTY_ABROAD: (
        "SELECT a.party, a.platform FROM parties_abroad a "
        "LEFT JOIN entries e ON e.stream = 'party:' || a.party AND e.sequence = 0 "
        "WHERE e.idx IS NULL"
    ),
    Strange.EVIDENCE_OF_BOX: (
        "SELECT b.container, b.platform, b.bill, b.reader FROM kept_boxes b "
        "LEFT JOIN kept_evidence k "
        "ON k.platform = b.platform AND k.bill = b.bill AND k.reader = b.reader "
        "WHERE k.bill IS NULL"
    ),
    Strange.FOLLOWED: (
        "SELECT f.size, l.size FROM evidence_followed f, log l WHERE f.size > l.size"
    ),
}
_UNISSUED: Final = (
    "SELECT d.digest, d.kind, d.content, d.checksum, d.facts FROM documents d "
    "LEFT JOIN bills b ON b.bill = d.checksum "
    "WHERE b.bill IS NULL AND (d.kind = 'transport-document' OR d.facts IS NOT NULL) "
    "ORDER BY d.digest"
)
_CROSSINGS: Final = (
    "SELECT idx, stream, sequence, action, event FROM entries "
    "WHERE action IN ('SENT', 'MOVED', 'NOT_MOVED', 'IMPORTED', 'RETURNED') "
    "AND idx < (SELECT size FROM log) ORDER BY idx"
)


class SqlBeside:
    """Implements `application.audit_beside_ports.BesideReading`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def strange(self, what: Strange) -> Iterator[RawRow]:
        return self._streamed(_STRANGE[what])

    def rows(self, table: str, *columns: str) -> Iterator[RawRow]:
        found = tables.metadata.tables[table]
        wanted = [found.c[name] for name in columns] or list(found.columns)
        query = select(*wanted).order_by(*found.primary_key)
        yield from self._in_parts(query)

    def unissued(self) -> Iterator[RawRow]:
        return self._streamed(_UNISSUED)

    def crossings(self) -> Iterator[RawRow]:
        return self._streamed(_CROSSINGS)

    def content(self, digest: str) -> bytes | None:
        query = text("SELECT content FROM documents WHERE digest = :digest")
        found = self._connection.execute(query, {"digest": digest}).scalar_one_or_none()
        if found is not None and not isinstance(found, bytes | memoryview):
            raise TypeError(f"document {digest} is kept as {type(found).__name__}, not as bytes")
        return None if found is None else bytes(found)

    def key(self, kid: str) -> tuple[str, str] | None:
        query = text("SELECT party, jwk FROM keys WHERE kid = :kid")
        row = self._connection.execute(query, {"kid": kid}).one_or_none()
        return None if row is None else (row.party, row.jwk)

    def has_entry(self, stream: str, sequence: int) -> bool:
        query = text("SELECT idx FROM entries WHERE stream = :stream AND sequence = :sequence")
        found = self._connection.execute(query, {"stream": stream, "sequence": sequence})
        return found.first() is not None

    def notice_facts(self, number: int) -> str | None:
        query = text("SELECT facts FROM notices WHERE number = :number")
        found = self._connection.execute(query, {"number": number}).scalar_one_or_none()
        return None if found is None else str(found)

    def facts(self, cached: object) -> DocumentFacts | None:
        if not isinstance(cached, bytes | memoryview):
            return None
        try:
            return decode_facts(bytes(cached))
        except ValueError:
            return None

    def keyed(self, table: str) -> Iterator[tuple[str, str]]:
        columns = tables.metadata.tables[table].columns
        places = [place for place, column in enumerate(columns) if column.primary_key]
        for row in self.rows(table):
            digest = hashlib.sha256(repr(row).encode()).hexdigest()
            yield ", ".join(str(row[place]) for place in places), digest

    def _streamed(self, query: str) -> Iterator[RawRow]:
        yield from self._in_parts(text(query))

    def _in_parts(self, query: Executable) -> Iterator[RawRow]:
        """Asked for row by row, a row takes several times as long."""
        found = self._connection.execute(query.execution_options(yield_per=_PART))
        for part in found.partitions():
            yield from map(tuple, part)


@contextmanager
def opened_beside(store: SqlStore) -> Iterator[SqlBeside]:
    """One snapshot for the whole block."""
    engine = store.engine
    if not is_sqlite(engine):
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with reached(), engine.begin() as connection:
        yield SqlBeside(connection)
