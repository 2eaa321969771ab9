"""Reading the public side of the log: checkpoint and RFC 6962 proofs."""

from __future__ import annotations

from bol_service.application.ports import Store
from bol_service.application.receipts import path_of
from bol_service.domain import errors
from bol_service.ledger.merkle import NodeId, consistency_nodes, consistency_path


class LedgerQueries:
    def __init__(self, store: Store) -> None:
        self._store = store

    def size(self) -> int:
        with self._store.reading() as reading:
            return reading.log().size

    def checkpoint(self) -> str:
        """The latest signed checkpoint; raises NotFound while the log is empty."""
        with self._store.reading() as reading:
            note = reading.log().note
        if note is None:
            raise errors.NotFound("the log is empty")
        return note

    def inclusion(self, index: int, size: int | None) -> tuple[int, list[bytes]]:
        """(tree size, path) for the entry `index`."""
        with self._store.reading() as reading:
            tree = self._size(reading.log().size, size)
            if not 0 <= index < tree:
                raise errors.NotFound(f"entry {index} is not in a tree of size {tree}")
            return tree, path_of(reading, index, tree)

    def consistency(self, old: int, new: int | None) -> tuple[int, list[bytes]]:
        """(new size, proof) that the tree of `old` is the beginning of that of `new`."""
        with self._store.reading() as reading:
            tree = self._size(reading.log().size, new)
            if not 0 <= old <= tree:
                raise errors.NotFound(f"no tree of size {old} within one of {tree}")
            nodes = reading.nodes(consistency_nodes(old, tree))
        proof = consistency_path(lambda level, idx: nodes[NodeId(level, idx)], old, tree)
        return tree, proof

    def _size(self, current: int, wanted: int | None) -> int:
        size = current if wanted is None else wanted
        if not 0 <= size <= current:
            raise errors.NotFound(f"the log has {current} entries, {size} were asked for")
        return size
