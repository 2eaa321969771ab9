"""Receipts: the proof that an entry is in the log, made when it was committed, or again later.

A receipt is a function of the entry and of the first checkpoint that covers it, so a resend gets
the very bytes that the first sender got.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bol_service.application.ports import LogState, Reading, StoredEntry
from bol_service.ledger.merkle import NodeId, inclusion_nodes, inclusion_path, inclusion_paths
from bol_service.ledger.receipt import Receipt


class NotCovered(RuntimeError):  # noqa: N818 - says what is the matter
    """No checkpoint covers an entry that is in the log: the database is damaged."""


def receipt_of(reading: Reading, entry: StoredEntry) -> Receipt:
    """The receipt of an entry that was committed before."""
    found = reading.checkpoint(entry.index + 1)
    if found is None:
        raise NotCovered(f"entry {entry.index} is under no checkpoint; run: bol ledger check")
    size, note = found
    return _receipt(entry, note, path_of(reading, entry.index, size))


def fresh_receipts(
    entries: Iterable[StoredEntry], log: LogState, nodes: Mapping[NodeId, bytes]
) -> dict[int, Receipt]:
    """The receipts, by index, of entries of the group that made `log`; asks the database nothing.

    `nodes` are those that the group made and the edge of the tree before it.
    """
    made = {entry.index: entry for entry in entries}
    if not made:
        return {}
    assert log.note is not None
    paths = inclusion_paths(lambda level, position: nodes[NodeId(level, position)], made, log.size)
    return {index: _receipt(entry, log.note, paths[index]) for index, entry in made.items()}


def path_of(reading: Reading, index: int, size: int) -> list[bytes]:
    """The RFC 6962 inclusion path of an entry in the tree of `size`."""
    nodes = reading.nodes(inclusion_nodes(index, size))
    return inclusion_path(lambda level, position: nodes[NodeId(level, position)], index, size)


def _receipt(entry: StoredEntry, note: str, path: list[bytes]) -> Receipt:
    return Receipt(
        entry=entry.entry,
        index=entry.index,
        stream=entry.stream,
        sequence=entry.sequence,
        inclusion_path=tuple(path),
        checkpoint=note,
    )
