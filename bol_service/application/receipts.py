"""Receipts: the proof that an entry is in the log, made when it was committed, or again later.

A receipt is a function of the entry and of the first checkpoint that covers it, so a resend gets
the very bytes that the first sender got.
"""

from __future__ import annotations

from bol_service.application.ports import Reading, StoredEntry
from bol_service.ledger.merkle import NodeId, inclusion_nodes, inclusion_path
from bol_service.ledger.receipt import Receipt


class NotCovered(RuntimeError):  # noqa: N818 - says what is the matter
    """No checkpoint covers an entry that is in the log: the database is damaged."""


def receipt_of(
    reading: Reading, entry: StoredEntry, fresh: dict[NodeId, bytes] | None = None
) -> Receipt:
    """The receipt of `entry`; nodes in `fresh` need not be read from the database."""
    found = reading.checkpoint(entry.index + 1)
    if found is None:
        raise NotCovered(f"entry {entry.index} is under no checkpoint; run: bol ledger check")
    size, note = found
    return Receipt(
        entry=entry.entry,
        index=entry.index,
        stream=entry.stream,
        sequence=entry.sequence,
        inclusion_path=tuple(path_of(reading, entry.index, size, fresh)),
        checkpoint=note,
    )


def path_of(
    reading: Reading, index: int, size: int, fresh: dict[NodeId, bytes] | None = None
) -> list[bytes]:
    """The RFC 6962 inclusion path of an entry in the tree of `size`."""
    known = dict(fresh or {})
    wanted = [node for node in inclusion_nodes(index, size) if node not in known]
    if wanted:
        known.update(reading.nodes(wanted))
    return inclusion_path(lambda level, idx: known[NodeId(level, idx)], index, size)
