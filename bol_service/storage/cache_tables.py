"""The tables that repeat what the entries say: states, claims, keys and the rows of finding.

`put` keeps them up to date, in the log's own database at every commit and in the book of an audit
(`audit_book`) alike, so that a cache and what it is compared with are made by the same statements.
`ordered` reads one of them as a stream of raw rows; `replace` writes one anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache as remembered
from itertools import islice
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Table,
    TextClause,
    collate,
    delete,
    insert,
    select,
    text,
)

from bol_service.application.audit_ports import Cache, CacheRow
from bol_service.application.ports import Batch, BillRow
from bol_service.domain.states import DraftState, Head, PartyState, State
from bol_service.storage import tables
from bol_service.storage.recent import STATES
from bol_service.storage.statements import Statements

_PART = 1000
_FREE = text("DELETE FROM claims WHERE kind = :kind AND value = :value")
_END_MANDATES = text("DELETE FROM mandates WHERE shipper = :shipper")


class CacheTables:
    def __init__(self, connection: Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements

    def put(self, *groups: Batch) -> None:
        """What the entries of these groups, each one commit, change in the caches."""
        states = {stream: stored for group in groups for stream, stored in group.states.items()}
        self._statements.insert(
            tables.states,
            [_state_row(stream, *stored) for stream, stored in states.items()],
            replace=True,
        )
        self._put_claims(groups)
        self._statements.insert(
            tables.keys,
            [
                {"kid": key.kid, "party": key.party, "jwk": key.jwk}
                for group in groups
                for key in group.keys
            ],
        )
        for state, _, _ in states.values():
            if isinstance(state, PartyState):
                self._put_mandates(state)
        self._put_drafting_parties(groups)
        self._put_bills([bill for group in groups for bill in group.bills.values()])

    def _put_claims(self, groups: Iterable[Batch]) -> None:
        taken: dict[tuple[str, str], str] = {}
        for group in groups:
            for claim in group.freed:
                taken.pop((claim.kind, claim.value), None)
                self._statements.send(_FREE, {"kind": claim.kind, "value": claim.value})
            taken |= {(claim.kind, claim.value): owner for claim, owner in group.taken.items()}
        self._statements.insert(
            tables.claims,
            [
                {"kind": kind, "value": value, "owner": owner}
                for (kind, value), owner in taken.items()
            ],
        )

    def _put_mandates(self, state: PartyState) -> None:
        self._statements.send(_END_MANDATES, {"shipper": state.slug})
        self._statements.insert(
            tables.mandates,
            [{"forwarder": mandate.forwarder, "shipper": state.slug} for mandate in state.mandates],
        )

    def _put_drafting_parties(self, groups: Iterable[Batch]) -> None:
        states = [state for group in groups for state, _, _ in group.states.values()]
        self._statements.insert(
            tables.draft_parties,
            [
                {"party": slug, "shipment": draft.shipment}
                for draft in states
                if isinstance(draft, DraftState)
                for slug in _drafting_parties(draft)
            ],
            once=True,
        )

    def _put_bills(self, bills: list[BillRow]) -> None:
        insert = self._statements.insert
        latest = {bill.bill: bill for bill in bills}
        insert(tables.bills, [_bill_row(bill) for bill in latest.values()], replace=True)
        insert(
            tables.bill_parties,
            [{"party": slug, "bill": bill.bill} for bill in bills for slug in sorted(bill.parties)],
            once=True,
        )
        insert(
            tables.bill_containers,
            [{"container": box, "bill": bill.bill} for bill in bills for box in bill.containers],
            once=True,
        )

    # -- whole tables ----------------------------------------------------------------------------

    def ordered(self, cache: Cache) -> Iterator[CacheRow]:
        """All rows, the key's columns first, by the code points of their keys."""
        if self._connection.dialect.name == "postgresql":
            order = [collate(column, "C") for column in tables.metadata.tables[cache].primary_key]
            query = select(*columns(cache)).order_by(*order)
            found = self._connection.execute(query.execution_options(yield_per=_PART))
        else:
            found = self._connection.execute(in_order(cache))
        for part in found.partitions(_PART):  # row by row, each takes several times as long
            yield from map(tuple, part)

    def replace(self, contents: Iterable[tuple[Cache, Iterable[CacheRow]]]) -> None:
        """Throw all caches away and write them anew; `contents` come in the order of `Cache`."""
        for cache in reversed(Cache):
            self._connection.execute(delete(tables.metadata.tables[cache]))
        for cache, rows in contents:
            names = [column.name for column in columns(cache)]
            for part in _parts(rows):
                self._connection.execute(
                    insert(tables.metadata.tables[cache]),
                    [dict(zip(names, row, strict=True)) for row in part],
                )


@remembered
def in_order(cache: Cache) -> TextClause:
    """What `CacheTables.ordered` asks of SQLite, which compares texts by their code points."""
    names = ", ".join(column.name for column in columns(cache))
    key = ", ".join(column.name for column in tables.metadata.tables[cache].primary_key)
    return text(f"SELECT {names} FROM {cache} ORDER BY {key}")  # noqa: S608 - our own names


def columns(cache: Cache) -> list[Column[Any]]:
    """The columns of a cache, those of its key first."""
    table: Table = tables.metadata.tables[cache]
    key = list(table.primary_key)
    return [*key, *(column for column in table.columns if column not in set(key))]


def _parts(rows: Iterable[CacheRow]) -> Iterator[list[CacheRow]]:
    iterator = iter(rows)
    while part := list(islice(iterator, _PART)):
        yield part


def _drafting_parties(draft: DraftState) -> list[str]:
    named = {draft.carrier, draft.shipper, draft.forwarder}
    return sorted(slug for slug in named if slug is not None)


def _state_row(stream: str, state: State, head: Head, index: int) -> dict[str, Any]:
    kind = stream.partition(":")[0]
    return {
        "stream": stream,
        "kind": kind,
        "state": STATES.write(kind, state),
        "sequence": head.sequence,
        "digest": head.digest,
        "idx": index,
    }


def _bill_row(row: BillRow) -> dict[str, Any]:
    return {
        "bill": row.bill,
        "reference": row.reference,
        "carrier": row.carrier,
        "country": row.country,
        "shipment": row.shipment,
        "shipper": row.shipper,
        "status": row.status,
    }
