"""Copying the full tiles of a log, whoever serves it, so that object storage can serve them.

1. The checkpoint is signed by the log's key.
2. The tiles that are not full yet, at the right edge of the tree, make the root that was signed.
3. From the highest level down, each full tile makes the hash that the tile above it holds, and the
   entries of each bundle make the hashes of their tile. Nothing else is kept.

Full tiles never change: what is kept already is not asked for again, so that an interrupted copy
goes on, and a copy can be brought up to date every night.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bol_service.ledger.checkpoint import Checkpoint, open_checkpoint
from bol_service.ledger.merkle import Frontier, leaf_hash, node_hash
from bol_service.ledger.note import NoteError, VerifierKey
from bol_service.ledger.tiles import (
    FULL_WIDTH,
    TILE_HEIGHT,
    Tile,
    TileError,
    read_entries,
    read_hashes,
    tiles_of,
)

Progress = Callable[[int, int], None]


class NotGenuine(RuntimeError):  # noqa: N818 - says what is the matter
    """What the log serves is not what it signed; nothing of that was kept."""


class TileSource(Protocol):
    def checkpoint(self) -> str: ...

    def tile(self, path: str) -> bytes: ...


class TileKeep(Protocol):
    """Files under the paths of C2SP tlog-tiles."""

    def read(self, path: str) -> bytes | None:
        """None for what is not kept."""
        ...

    def keep(self, path: str, content: bytes) -> None:
        """Durable and whole when it returns."""
        ...


@dataclass(frozen=True, kw_only=True)
class Archived:
    """`new` and `full` count tiles and bundles: kept by this copy, and that there are."""

    checkpoint: Checkpoint
    new: int
    full: int


class Archiving:
    def __init__(
        self,
        source: TileSource,
        keep: TileKeep,
        keys: Sequence[VerifierKey],
        progress: Progress = lambda _done, _all: None,
    ) -> None:
        self._source = source
        self._keep = keep
        self._keys = keys
        self._progress = progress

    def run(self) -> Archived:
        """Keep every full tile and bundle that is not kept yet; raises NotGenuine."""
        try:
            checkpoint = open_checkpoint(self._source.checkpoint(), self._keys).checkpoint
            edge = self._edge(checkpoint)
            counts = [checkpoint.size >> TILE_HEIGHT * (level + 1) for level in range(len(edge))]
            full, new, done = sum(counts) + counts[0] if counts else 0, 0, 0
            for level in reversed(range(len(edge))):
                for number in range(counts[level]):
                    new += self._tile(Tile(level=level, number=number), edge)
                    done += 1 if level else 2
                    self._progress(done, full)
        except (NoteError, TileError, ValueError) as error:
            raise NotGenuine(str(error)) from None
        return Archived(checkpoint=checkpoint, new=new, full=full)

    def _edge(self, checkpoint: Checkpoint) -> list[list[bytes]]:
        """The hashes of the last tile of each level if it is partial; the lowest level first."""
        edge, nodes = [], []
        for tile in tiles_of(checkpoint.size):
            is_partial = tile.width < FULL_WIDTH
            edge.append(read_hashes(self._source.tile(tile.path), tile) if is_partial else [])
        for hashes in reversed(edge):
            nodes += _complete(hashes)
        root = Frontier(checkpoint.size, nodes).root()
        if root != checkpoint.root:
            raise NotGenuine(
                f"the tiles at the edge of {checkpoint.size} entries make the root {root.hex()}, "
                f"{checkpoint.origin} signed {checkpoint.root.hex()}"
            )
        return edge

    def _tile(self, tile: Tile, edge: list[list[bytes]]) -> int:
        """Keeps the tile, and at the lowest level its entries; how many of them were new."""
        content, new = self._keep.read(tile.path), 0
        if content is None:
            content, new = self._source.tile(tile.path), 1
            made, wanted = _root(read_hashes(content, tile)), self._above(tile, edge)
            if made != wanted:
                raise NotGenuine(f"{tile.path} makes {made.hex()}, the tree has {wanted.hex()}")
            self._keep.keep(tile.path, content)
        if tile.level == 0:
            new += self._bundle(Tile(level=None, number=tile.number), read_hashes(content, tile))
        return new

    def _bundle(self, bundle: Tile, hashes: list[bytes]) -> int:
        if self._keep.read(bundle.path) is not None:
            return 0
        content = self._source.tile(bundle.path)
        if [leaf_hash(entry) for entry in read_entries(content, bundle)] != hashes:
            raise NotGenuine(f"{bundle.path} has other entries than the tree's leaves are made of")
        self._keep.keep(bundle.path, content)
        return 1

    def _above(self, tile: Tile, edge: list[list[bytes]]) -> bytes:
        """The hash that the tile above holds for this one."""
        level, (number, place) = (tile.level or 0) + 1, divmod(tile.number, FULL_WIDTH)
        above = Tile(level=level, number=number)
        content = self._keep.read(above.path)
        hashes = read_hashes(content, above) if content is not None else edge[level]
        return hashes[place]


def _complete(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the complete subtrees that a tile's hashes make, the largest first."""
    found, first = [], 0
    for bit in range(TILE_HEIGHT - 1, -1, -1):
        if len(hashes) >> bit & 1:
            found.append(_root(hashes[first : first + (1 << bit)]))
            first += 1 << bit
    return found


def _root(hashes: Sequence[bytes]) -> bytes:
    """Of a power of two of hashes."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [node_hash(left, right) for left, right in pairs]
    return hashes[0]
