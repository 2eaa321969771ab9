"""Everything the service reads, on one connection inside one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    TextClause,
    exists,
    func,
    or_,
    select,
    text,
    union,
)

from bol_service.application.audit_ports import Cache, CacheRow
from bol_service.application.ports import (
    Claim,
    DocumentRow,
    KeyRow,
    LogState,
    NoticeRow,
    StoredEntry,
)
from bol_service.domain.document import DocumentFacts
from bol_service.domain.states import Head, State
from bol_service.domain.values import made
from bol_service.ledger.entry import Entry
from bol_service.ledger.merkle import Frontier, NodeId
from bol_service.storage import tables
from bol_service.storage.cache_tables import CacheTables
from bol_service.storage.codec import decode_facts
from bol_service.storage.public_log import SqlPublicReading
from bol_service.storage.recent import STATES
from bol_service.storage.statements import Statements
from bol_service.wire.event_fields import instant

_FEW = {"reference", "container"}
"""Filters that leave only a handful of bills, whoever may see them."""
_ENTRY = ", ".join(column.name for column in tables.entries.columns)
_SCAN = text(f"SELECT {_ENTRY} FROM entries WHERE idx >= :first ORDER BY idx LIMIT :limit")  # noqa: S608


class SqlReading(SqlPublicReading):
    """Implements `application.ports.Reading`."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._statements = Statements(connection)

    def log(self) -> LogState:
        return log_state(*self._connection.execute(head_of_log()).one())

    def states(self, streams: Iterable[str]) -> dict[str, tuple[State, Head]]:
        wanted = self._statements.texts(streams)
        return states_of(self._statements.ask(states_among(self._statements), {"streams": wanted}))

    def bills_with(self, container: str) -> dict[str, tuple[State, Head]]:
        return states_of(self._statements.ask(_BILLS_WITH, {"container": container}))

    def node_count(self) -> int:
        counted: int = self._connection.execute(
            select(func.count()).select_from(tables.nodes)
        ).scalar_one()
        return counted

    def facts(self, digests: Iterable[str]) -> list[DocumentFacts]:
        wanted = {"digests": self._statements.texts(digests)}
        statement = _facts_among(self._statements.among("digest", "digests"))
        rows = self._connection.execute(statement, wanted).fetchall()
        return [decode_facts(facts) for (facts,) in rows]

    def key(self, kid: str) -> KeyRow | None:
        row = self._connection.execute(
            select(tables.keys).where(tables.keys.c.kid == kid)
        ).one_or_none()
        return KeyRow(kid=row.kid, party=row.party, jwk=row.jwk) if row else None

    def earlier(
        self, payload_digests: Iterable[str], event_ids: Iterable[str]
    ) -> list[StoredEntry]:
        wanted = {
            "digests": self._statements.texts(payload_digests),
            "ids": self._statements.texts(event_ids),
        }
        rows = self._connection.execute(entries_of_acts(self._statements), wanted)
        return [entry_of(row) for row in rows]

    def entry(self, index: int) -> StoredEntry | None:
        table = tables.entries
        row = self._connection.execute(select(table).where(table.c.idx == index)).one_or_none()
        return entry_of(row) if row else None

    def entries(self, stream: str, first: int, limit: int) -> list[StoredEntry]:
        table = tables.entries
        rows = self._connection.execute(
            select(table)
            .where(table.c.stream == stream, table.c.sequence >= first)
            .order_by(table.c.sequence)
            .limit(limit)
        )
        return [entry_of(row) for row in rows]

    def entry_at(self, stream: str, sequence: int) -> StoredEntry | None:
        return next(iter(self.entries(stream, sequence, 1)), None)

    def scan(self, first: int, limit: int) -> list[StoredEntry]:
        rows = self._connection.execute(_SCAN, {"first": first, "limit": limit})
        return [entry_of(row) for row in rows.fetchall()]

    def nodes(self, ids: Iterable[NodeId]) -> dict[NodeId, bytes]:
        found: dict[NodeId, bytes] = {}
        by_level: dict[int, list[int]] = {}
        for node in set(ids):
            by_level.setdefault(node.level, []).append(node.position)
        wanted = self._statements.among("idx", "positions", "bigint")
        statement = text(f"SELECT idx, hash FROM nodes WHERE level = :level AND {wanted}")  # noqa: S608
        for level, positions in by_level.items():
            bound = {"level": level, "positions": self._statements.integers(positions)}
            for position, value in self._connection.execute(statement, bound):
                found[NodeId(level, position)] = _bytes(value)
        return found

    def checkpoint(self, at_least: int) -> tuple[int, str] | None:
        table = tables.checkpoints
        row = self._connection.execute(
            select(table).where(table.c.size >= at_least).order_by(table.c.size).limit(1)
        ).one_or_none()
        return (row.size, row.note) if row else None

    def checkpoints(self, after: int, up_to: int) -> list[tuple[int, str]]:
        rows = self._connection.execute(_CHECKPOINTS, {"after": after, "up_to": up_to})
        return [(size, note) for size, note in rows.fetchall()]

    def document(self, digest: str) -> DocumentRow | None:
        table = tables.documents
        row = self._connection.execute(select(table).where(table.c.digest == digest)).one_or_none()
        return _document(row) if row else None

    def has_uploaded(self, party: str, digest: str) -> bool:
        table = tables.document_uploaders
        found = self._connection.execute(
            select(table.c.party).where(table.c.digest == digest, table.c.party == party)
        ).one_or_none()
        return found is not None

    def contents(self, digests: Iterable[str]) -> dict[str, bytes]:
        wanted = {"digests": self._statements.texts(digests)}
        statement = _contents_among(self._statements.among("digest", "digests"))
        rows = self._connection.execute(statement, wanted).fetchall()
        return {digest: _bytes(content) for digest, content in rows}

    def document_of_bill(self, bill: str, received_bytes: str) -> DocumentRow | None:
        row = self.document(received_bytes)
        return row if row is not None and row.checksum == bill else None

    def parties(self, after: str, limit: int) -> list[str]:
        table = tables.states
        rows = self._connection.execute(
            select(table.c.stream)
            .where(table.c.kind == "party", table.c.stream > f"party:{after}")
            .order_by(table.c.stream)
            .limit(limit)
        )
        return [row.stream for row in rows]

    def find_bills(
        self,
        *,
        party: str,
        shippers: Sequence[str],
        audited_country: str | None,
        after: str,
        limit: int,
        filters: Mapping[str, str],
    ) -> list[str]:
        bills, named = tables.bills, tables.bill_parties
        filtered = _filtered(filters)
        others: list[ColumnElement[bool]] = []
        if shippers:
            others.append(bills.c.shipper.in_(shippers))
        if audited_country is not None:
            others.append(bills.c.country == audited_country)
        if filters.keys() & _FEW:
            own = exists().where(named.c.party == party, named.c.bill == bills.c.bill)
            query = select(bills.c.bill).where(bills.c.bill > after, *filtered, or_(own, *others))
            rows = self._connection.execute(query.order_by(bills.c.bill).limit(limit))
            return [row.bill for row in rows]
        # Each branch walks its index in order and stops: a page costs the same however many bills
        # the party has.
        joined = select(named.c.bill).join(bills, bills.c.bill == named.c.bill)
        pages = [
            joined.where(named.c.party == party, named.c.bill > after, *filtered).order_by(
                named.c.bill
            )
        ]
        for visible in others:
            query = select(bills.c.bill).where(visible, bills.c.bill > after, *filtered)
            pages.append(query.order_by(bills.c.bill))
        # Subqueries of their own, since SQLite takes no LIMIT in a branch of a union.
        found = union(*(select(page.limit(limit).subquery().c.bill) for page in pages)).subquery()
        rows = self._connection.execute(select(found.c.bill).order_by(found.c.bill).limit(limit))
        return [row.bill for row in rows]

    def find_drafts(self, *, party: str, after: str, limit: int) -> list[str]:
        table = tables.draft_parties
        rows = self._connection.execute(
            select(table.c.shipment)
            .where(table.c.party == party, table.c.shipment > after)
            .order_by(table.c.shipment)
            .limit(limit)
        )
        return [row.shipment for row in rows]

    def bills_with_container(self, container: str) -> list[str]:
        table = tables.bill_containers
        rows = self._connection.execute(select(table.c.bill).where(table.c.container == container))
        return [row.bill for row in rows]

    def mandators(self, forwarder: str) -> list[str]:
        table = tables.mandates
        rows = self._connection.execute(
            select(table.c.shipper).where(table.c.forwarder == forwarder)
        )
        return [row.shipper for row in rows]

    def notices(self, party: str, after: int, limit: int) -> list[NoticeRow]:
        table = tables.notices
        rows = self._connection.execute(
            select(table)
            .where(table.c.party == party, table.c.number > after)
            .order_by(table.c.number)
            .limit(limit)
        )
        return [notice_of(row) for row in rows]

    def claim_owner(self, claim: Claim) -> str | None:
        table = tables.claims
        owner: str | None = self._connection.execute(
            select(table.c.owner).where(table.c.kind == claim.kind, table.c.value == claim.value)
        ).scalar_one_or_none()
        return owner

    def ordered(self, cache: Cache) -> Iterator[CacheRow]:
        return CacheTables(self._connection, self._statements).ordered(cache)


_CHECKPOINTS = text(
    "SELECT size, note FROM checkpoints WHERE size > :after AND size <= :up_to ORDER BY size"
)


@cache
def _facts_among(wanted: str) -> TextClause:
    return text(f"SELECT facts FROM documents WHERE {wanted} AND facts IS NOT NULL")  # noqa: S608


@cache
def _contents_among(wanted: str) -> TextClause:
    return text(f"SELECT digest, content FROM documents WHERE {wanted}")  # noqa: S608


@cache
def _states_among(wanted: str) -> TextClause:
    return text(f"SELECT stream, kind, state, sequence, digest FROM states WHERE {wanted}")  # noqa: S608


_BILLS_WITH = _states_among(
    "stream IN (SELECT 'bill:' || bill FROM bill_containers WHERE container = :container)"
)


def states_among(statements: Statements) -> TextClause:
    """The states of `:streams`; `states_of` reads its rows."""
    return _states_among(statements.among("stream", "streams"))


def states_of(rows: Iterable[Sequence[Any]]) -> dict[str, tuple[State, Head]]:
    return {
        stream: (STATES.read(kind, state), made(Head, sequence=sequence, digest=digest))
        for stream, kind, state, sequence, digest in rows
    }


@cache
def _entries_of_acts(same: str, reused: str) -> TextClause:
    # Two halves, so that each is answered by its own index.
    return text(
        f"SELECT {_ENTRY} FROM entries WHERE {same} "  # noqa: S608
        f"UNION SELECT {_ENTRY} FROM entries WHERE {reused}"
    )


def entries_of_acts(statements: Statements) -> TextClause:
    """The entries of `:digests` and `:ids`; `entry_of` reads a row."""
    same = statements.among("payload_digest", "digests")
    return _entries_of_acts(same, statements.among("event_id", "ids"))


_SINCE = text("SELECT stream, event_id FROM entries WHERE idx >= :size ORDER BY idx LIMIT :limit")


def acts_since() -> TextClause:
    """Stream and event id of the first `:limit` entries from the index `:size` on."""
    return _SINCE


@cache
def head_of_log(lock: str = "") -> TextClause:
    """The head; `log_state` reads its row."""
    return text(f"SELECT origin, size, frontier, recorded_at, note FROM log{lock}")  # noqa: S608


def log_state(
    origin: str, size: int, edge: bytes, recorded_at: str | None, note: str | None
) -> LogState:
    """The head from its row; raises ValueError when the row contradicts itself."""
    frontier = Frontier.from_bytes(edge)
    if frontier.size != size:
        raise ValueError(f"the size is {size}, the frontier is of size {frontier.size}")
    return LogState(
        origin=origin,
        frontier=frontier,
        recorded_at=instant(recorded_at) if recorded_at else None,
        note=note,
    )


def _bytes(value: Any) -> bytes:
    """SQLite keeps text where a stranger wrote text."""
    return value.encode() if isinstance(value, str) else bytes(value)


def entry_of(row: Any) -> StoredEntry:
    """`row` has the columns of `tables.entries` in their order."""
    idx, stream, sequence, event, recorded_at, event_id, actor, action, kid, payload_digest = row
    return StoredEntry(
        index=idx,
        stream=stream,
        sequence=sequence,
        entry=Entry(event=event, recorded_at=recorded_at),
        event_id=event_id,
        actor=actor,
        action=action,
        kid=kid,
        payload_digest=payload_digest,
    )


def notice_of(row: Row[Any]) -> NoticeRow:
    """`row` has the columns of `tables.notices`."""
    return NoticeRow(
        number=row.number,
        party=row.party,
        kind=row.kind,
        stream=row.stream,
        index=row.idx,
        at=row.at,
        facts=json.loads(row.facts),
    )


def _document(row: Row[Any]) -> DocumentRow:
    return DocumentRow(
        digest=row.digest,
        checksum=row.checksum,
        kind=row.kind,
        content=row.content,
        facts=decode_facts(row.facts) if row.facts is not None else None,
        uploaded_by=row.uploaded_by,
        uploaded_at=row.uploaded_at,
    )


def _filtered(filters: Mapping[str, str]) -> list[ColumnElement[bool]]:
    bills, boxes = tables.bills, tables.bill_containers
    columns = ("reference", "status", "carrier", "shipment")
    found = [bills.c[column] == filters[column] for column in columns if column in filters]
    if "container" in filters:
        held = select(boxes.c.bill).where(boxes.c.container == filters["container"])
        found.append(bills.c.bill.in_(held))
    return found
