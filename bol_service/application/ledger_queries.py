"""Reading the public side of the log: checkpoint, tiles, and RFC 6962 proofs."""

from __future__ import annotations

from datetime import datetime

from bol_service.application.cosigned import with_cosignatures
from bol_service.application.ports import Reading, Store
from bol_service.application.receipts import path_of
from bol_service.ledger.merkle import NodeId, consistency_nodes, consistency_path
from bol_service.ledger.proof_file import ProofFile
from bol_service.ledger.tiles import Tile, TileError, parse_tile, write_entries, write_hashes


class NotInLog(LookupError):  # noqa: N818 - says what is the matter
    """The log does not hold this, or not yet. It is public: the message says how far it goes."""


class LedgerQueries:
    def __init__(self, store: Store) -> None:
        self._store = store

    def size(self) -> int:
        with self._store.reading() as reading:
            return reading.log().size

    def last(self) -> tuple[int, datetime | None]:
        """The log's size, and when its last entry was recorded and its checkpoint signed."""
        with self._store.reading() as reading:
            head = reading.log()
        return head.size, head.recorded_at

    def checkpoint(self) -> str:
        """The latest signed checkpoint with the cosignatures that it has by now; raises NotInLog
        while the log is empty."""
        with self._store.reading() as reading:
            return _cosigned_head(reading)

    def tile(self, path: str) -> bytes:
        """The content at a path like `tile/0/000.p/7`; raises NotInLog beyond the log."""
        try:
            tile = parse_tile(path)
        except TileError as error:
            raise NotInLog(str(error)) from None
        with self._store.reading() as reading:
            size = reading.log().size
            if not tile.is_in(size):
                raise NotInLog(f"{path} is not in a log of {size} entries")
            return _content(reading, tile)

    def proof_file(self, index: int) -> str:
        """A C2SP tlog-proof of the entry `index` under the latest checkpoint."""
        with self._store.reading() as reading:
            note = _cosigned_head(reading)
            size = self._size(reading.log().size, None)
            if not 0 <= index < size:
                raise NotInLog(f"the tree of size {size} has no entry {index}: the first one is 0")
            path = tuple(path_of(reading, index, size))
        return ProofFile(index=index, path=path, checkpoint=note).text()

    def inclusion(self, index: int, size: int | None) -> tuple[int, list[bytes]]:
        """(tree size, path) for the entry `index`."""
        with self._store.reading() as reading:
            tree = self._size(reading.log().size, size)
            if not 0 <= index < tree:
                raise NotInLog(f"the tree of size {tree} has no entry {index}: the first one is 0")
            return tree, path_of(reading, index, tree)

    def consistency(self, old: int, new: int | None) -> tuple[int, list[bytes]]:
        """(new size, proof) that the tree of `old` is the beginning of that of `new`."""
        with self._store.reading() as reading:
            tree = self._size(reading.log().size, new)
            if not 0 <= old <= tree:
                raise NotInLog(f"a tree of size {old} is no beginning of one of size {tree}")
            return tree, consistency_of(reading, old, tree)

    def _size(self, current: int, wanted: int | None) -> int:
        size = current if wanted is None else wanted
        if not 0 <= size <= current:
            raise NotInLog(f"the log has {current} entries, {size} were asked for")
        return size


def consistency_of(reading: Reading, old: int, new: int) -> list[bytes]:
    """The RFC 6962 proof from the tree of `old` leaves to that of `new`."""
    nodes = reading.nodes(consistency_nodes(old, new))
    return consistency_path(lambda level, idx: nodes[NodeId(level, idx)], old, new)


def _cosigned_head(reading: Reading) -> str:
    head = reading.log()
    if head.note is None:
        raise NotInLog("the log has no entry and no checkpoint yet")
    return with_cosignatures(reading, head.size, head.note)


def _content(reading: Reading, tile: Tile) -> bytes:
    if tile.level is None:
        return write_entries(reading.public_entries(tile.first, tile.width))
    return write_hashes(reading.complete_nodes(tile.merkle_level, tile.first, tile.width))
