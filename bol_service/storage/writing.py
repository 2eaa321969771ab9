"""The one transaction that appends to the log, and what it keeps up to date beside it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from bol_service.application.ports import Batch, BillRow, LogState
from bol_service.domain.states import DraftState, PartyState, State
from bol_service.storage import tables
from bol_service.storage.codec import encode_state
from bol_service.storage.reading import SqlReading
from bol_service.wire.event_fields import instant_text


class LogMoved(RuntimeError):  # noqa: N818 - says what happened
    """The head changed under us: another writer appended although we hold the lock."""


class SqlWriting(SqlReading):
    """Implements `application.ports.Writing`; holds the lock on the log's row."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        connection.execute(select(tables.log.c.id).with_for_update())

    def append(self, batch: Batch, log: LogState) -> None:
        """Write the batch and move the head to `log`; raises LogMoved if it is not as read."""
        self._insert(tables.entries, [_entry_row(entry) for entry in batch.entries])
        self._insert(
            tables.nodes,
            [
                {"level": node.level, "idx": node.position, "hash": node.hash}
                for node in batch.nodes
            ],
        )
        if batch.entries:
            self._move_head(batch, log)
        for stream, (state, head, index) in batch.states.items():
            self._put_state(stream, state, head.sequence, head.digest, index)
        for claim in batch.freed:
            self._connection.execute(
                delete(tables.claims).where(
                    tables.claims.c.kind == claim.kind, tables.claims.c.value == claim.value
                )
            )
        self._insert(
            tables.claims,
            [
                {"kind": claim.kind, "value": claim.value, "owner": owner}
                for claim, owner in batch.taken.items()
            ],
        )
        self._insert(
            tables.keys,
            [{"kid": key.kid, "party": key.party, "jwk": key.jwk} for key in batch.keys],
        )
        for bill in batch.bills.values():
            self._put_bill(bill)
        self._put_notices(batch, log)

    def _move_head(self, batch: Batch, log: LogState) -> None:
        self._insert(tables.checkpoints, [{"size": log.size, "note": log.note}])
        moved = self._connection.execute(
            update(tables.log)
            .where(tables.log.c.size == batch.entries[0].index)
            .values(
                size=log.size,
                frontier=log.frontier.to_bytes(),
                recorded_at=instant_text(log.recorded_at) if log.recorded_at else None,
                note=log.note,
            )
        )
        if moved.rowcount != 1:
            raise LogMoved(f"the log is no longer at size {batch.entries[0].index}")

    def _put_state(self, stream: str, state: State, sequence: int, digest: str, index: int) -> None:
        self._replace(
            tables.states,
            {"stream": stream},
            {
                "kind": stream.partition(":")[0],
                "state": encode_state(state),
                "sequence": sequence,
                "digest": digest,
                "idx": index,
            },
        )
        if isinstance(state, DraftState):
            named = {state.carrier, state.shipper, state.forwarder} - {None}
            self._add_missing(
                tables.draft_parties,
                [{"party": slug, "shipment": state.shipment} for slug in named],
            )
        if isinstance(state, PartyState):
            self._connection.execute(
                delete(tables.mandates).where(tables.mandates.c.shipper == state.slug)
            )
            self._insert(
                tables.mandates,
                [
                    {"forwarder": mandate.forwarder, "shipper": state.slug}
                    for mandate in state.mandates
                ],
            )

    def _put_bill(self, row: BillRow) -> None:
        self._replace(
            tables.bills,
            {"bill": row.bill},
            {
                "reference": row.reference,
                "carrier": row.carrier,
                "country": row.country,
                "shipment": row.shipment,
                "shipper": row.shipper,
                "status": row.status,
            },
        )
        self._add_missing(
            tables.bill_parties, [{"party": slug, "bill": row.bill} for slug in row.parties]
        )
        self._add_missing(
            tables.bill_containers,
            [{"container": container, "bill": row.bill} for container in row.containers],
        )

    def _put_notices(self, batch: Batch, log: LogState) -> None:
        at = instant_text(log.recorded_at) if log.recorded_at else ""
        self._insert(
            tables.notices,
            [
                {
                    "party": notice.party,
                    "kind": notice.kind,
                    "stream": notice.stream,
                    "idx": index,
                    "at": at,
                    "facts": json.dumps(notice.facts, ensure_ascii=False, sort_keys=True),
                }
                for notice, index in batch.notices
            ],
        )

    def _insert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(insert(table), rows)

    def _replace(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
        where = [table.c[name] == value for name, value in key.items()]
        if self._connection.execute(update(table).where(*where).values(values)).rowcount == 0:
            self._connection.execute(insert(table).values({**key, **values}))

    def _add_missing(self, table: Table, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            where = [table.c[name] == value for name, value in row.items()]
            if self._connection.execute(select(table).where(*where)).first() is None:
                self._connection.execute(insert(table).values(row))


def _entry_row(entry: Any) -> dict[str, Any]:
    return {
        "idx": entry.index,
        "stream": entry.stream,
        "sequence": entry.sequence,
        "event": entry.entry.event,
        "recorded_at": entry.entry.recorded_at,
        "event_id": entry.event_id,
        "actor": entry.actor,
        "action": entry.action,
        "kid": entry.kid,
        "payload_digest": entry.payload_digest,
    }
