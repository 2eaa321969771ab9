"""The one transaction that appends to the log, and what it keeps up to date beside it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, delete, select, text

from bol_service.application.ports import Batch, BillRow, LogState, StoredEntry
from bol_service.domain.states import DraftState, Head, PartyState, State
from bol_service.storage import tables
from bol_service.storage.codec import encode_state
from bol_service.storage.reading import SqlReading
from bol_service.wire.event_fields import instant_text

_MOVE_HEAD = text(
    "UPDATE log SET size = :size, frontier = :frontier, recorded_at = :recorded_at, note = :note "
    "WHERE size = :before"
)


class LogMoved(RuntimeError):  # noqa: N818 - says what happened
    """The head changed under us: another writer appended although we hold the lock."""


class SqlWriting(SqlReading):
    """Implements `application.ports.Writing`; holds the lock on the log's row."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        connection.execute(select(tables.log.c.id).with_for_update())

    def append(self, batch: Batch, log: LogState) -> None:
        """Write the batch and move the head to `log`; raises LogMoved if it is not as read."""
        insert = self._statements.insert
        if batch.entries:
            insert(tables.entries, [_entry_row(entry) for entry in batch.entries])
            insert(
                tables.nodes,
                [
                    {"level": node.level, "idx": node.position, "hash": node.hash}
                    for node in batch.nodes
                ],
            )
            insert(tables.checkpoints, [{"size": log.size, "note": log.note}])
            self._move_head(batch, log)
        insert(
            tables.states,
            [_state_row(stream, *stored) for stream, stored in batch.states.items()],
            replace=True,
        )
        self._put_claims(batch)
        insert(
            tables.keys,
            [{"kid": key.kid, "party": key.party, "jwk": key.jwk} for key in batch.keys],
        )
        self._put_finding_rows(batch)
        insert(tables.notices, _notice_rows(batch, log))

    def _move_head(self, batch: Batch, log: LogState) -> None:
        before = batch.entries[0].index
        moved = self._connection.execute(
            _MOVE_HEAD,
            {
                "size": log.size,
                "frontier": log.frontier.to_bytes(),
                "recorded_at": instant_text(log.recorded_at) if log.recorded_at else None,
                "note": log.note,
                "before": before,
            },
        )
        if moved.rowcount != 1:
            raise LogMoved(f"the log is no longer at size {before}")

    def _put_claims(self, batch: Batch) -> None:
        for claim in batch.freed:
            self._connection.execute(
                delete(tables.claims).where(
                    tables.claims.c.kind == claim.kind, tables.claims.c.value == claim.value
                )
            )
        self._statements.insert(
            tables.claims,
            [
                {"kind": claim.kind, "value": claim.value, "owner": owner}
                for claim, owner in batch.taken.items()
            ],
        )

    def _put_finding_rows(self, batch: Batch) -> None:
        """The rows by which drafts, mandates and bills are found."""
        states = [state for state, _, _ in batch.states.values()]
        drafts = [state for state in states if isinstance(state, DraftState)]
        insert = self._statements.insert
        insert(
            tables.draft_parties,
            [
                {"party": slug, "shipment": draft.shipment}
                for draft in drafts
                for slug in _drafting_parties(draft)
            ],
            once=True,
        )
        for state in states:
            if isinstance(state, PartyState):
                self._put_mandates(state)
        bills = list(batch.bills.values())
        insert(tables.bills, [_bill_row(bill) for bill in bills], replace=True)
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

    def _put_mandates(self, state: PartyState) -> None:
        self._connection.execute(
            delete(tables.mandates).where(tables.mandates.c.shipper == state.slug)
        )
        self._statements.insert(
            tables.mandates,
            [{"forwarder": mandate.forwarder, "shipper": state.slug} for mandate in state.mandates],
        )


def _drafting_parties(draft: DraftState) -> list[str]:
    named = {draft.carrier, draft.shipper, draft.forwarder}
    return sorted(slug for slug in named if slug is not None)


def _entry_row(entry: StoredEntry) -> dict[str, Any]:
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


def _state_row(stream: str, state: State, head: Head, index: int) -> dict[str, Any]:
    return {
        "stream": stream,
        "kind": stream.partition(":")[0],
        "state": encode_state(state),
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


def _notice_rows(batch: Batch, log: LogState) -> list[dict[str, Any]]:
    at = instant_text(log.recorded_at) if log.recorded_at else ""
    return [
        {
            "party": notice.party,
            "kind": notice.kind,
            "stream": notice.stream,
            "idx": index,
            "at": at,
            "facts": json.dumps(notice.facts, ensure_ascii=False, sort_keys=True),
        }
        for notice, index in batch.notices
    ]
