"""Tiles: the tree and its entries as files that anyone can cache (C2SP tlog-tiles).

1. A tile holds up to 256 hashes of one level: tile N of level L the complete nodes N*256 and
   after of Merkle level 8*L, 32 bytes each, one after the other.
2. A bundle holds up to 256 entries, each after its length as 2 bytes, big-endian.
3. The path is `tile/<L>/<N>`, `tile/entries/<N>` for a bundle; N is written in groups of three
   digits, all but the last prefixed with x: 1234067 is x001/x234/067. A tile that is not full yet
   ends in `.p/<W>`, its width of 1 to 255.
4. Only what a tree holds exists. What a path named once never changes, so it may be kept for ever.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bol_service.ledger.merkle import HASH_SIZE, MAX_SIZE

FULL_WIDTH: Final = 256
TILE_HEIGHT: Final = 8  # levels of the tree that lie between two levels of tiles
MAX_LEVEL: Final = 63
MAX_ENTRY_SIZE: Final = 65_535
_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


class TileError(ValueError):
    """A tile's path or content is malformed; the message holds both values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """`level` counts levels of tiles, None is a bundle of entries; TileError if out of range."""

    level: int | None
    number: int
    width: int = FULL_WIDTH

    def __post_init__(self) -> None:
        if self.level is not None and not 0 <= self.level <= MAX_LEVEL:
            raise TileError(f"a tile's level lies in 0..{MAX_LEVEL}, not {self.level}")
        if not 1 <= self.width <= FULL_WIDTH:
            raise TileError(f"a tile's width lies in 1..{FULL_WIDTH}, not {self.width}")
        if not 0 <= self.number <= MAX_SIZE // FULL_WIDTH:
            raise TileError(f"no log of at most {MAX_SIZE} entries has a tile {self.number}")

    @property
    def first(self) -> int:
        """Position, within its level, of the first hash or entry."""
        return self.number * FULL_WIDTH

    @property
    def merkle_level(self) -> int:
        """The level of the tree that the hashes are of; entries stand at level 0."""
        return TILE_HEIGHT * (self.level or 0)

    @property
    def path(self) -> str:
        kind = "entries" if self.level is None else str(self.level)
        groups = [f"{self.number % 1000:03d}"]
        rest = self.number // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        part = "" if self.width == FULL_WIDTH else f".p/{self.width}"
        return f"tile/{kind}/{'/'.join(groups)}{part}"

    def is_in(self, size: int) -> bool:
        """Whether a tree of `size` leaves has all of this tile."""
        return self.first + self.width <= size >> self.merkle_level


def parse_tile(path: str) -> Tile:
    """The tile at a path like `tile/0/x001/067.p/8`; raises TileError for any other spelling."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise TileError(f"{path[:80]!r} is not tile/<L>/<N> or tile/entries/<N>, with .p/<W>")
    tile = Tile(
        level=None if found[1] == "entries" else int(found[1]),
        number=int(found[2].replace("x", "").replace("/", "")),
        width=int(found[3]) if found[3] else FULL_WIDTH,
    )
    if tile.path != path:
        raise TileError(f"{path[:80]!r} is written {tile.path}")
    return tile


def tiles_of(size: int) -> list[Tile]:
    """The last tile of each level of a tree, the lowest level first; full tiles precede each."""
    found, level = [], 0
    while count := size >> TILE_HEIGHT * level:
        full, width = divmod(count, FULL_WIDTH)
        last = Tile(level=level, number=full if width else full - 1, width=width or FULL_WIDTH)
        found.append(last)
        level += 1
    return found


def bundles(first: int, size: int) -> Iterator[Tile]:
    """The bundles that hold the entries first <= i < size, as a tree of `size` has them."""
    for number in range(first // FULL_WIDTH, -(-size // FULL_WIDTH)):
        width = min(FULL_WIDTH, size - number * FULL_WIDTH)
        yield Tile(level=None, number=number, width=width)


def write_hashes(hashes: Iterable[bytes]) -> bytes:
    return b"".join(hashes)


def read_hashes(content: bytes, tile: Tile) -> list[bytes]:
    """Raises TileError unless `content` is as wide as `tile`."""
    if len(content) != tile.width * HASH_SIZE:
        raise TileError(
            f"{tile.path} has {tile.width * HASH_SIZE} bytes, {len(content)} were received"
        )
    return [content[at : at + HASH_SIZE] for at in range(0, len(content), HASH_SIZE)]


def write_entries(entries: Iterable[bytes]) -> bytes:
    """Raises TileError for an entry of more than 65,535 bytes."""
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_SIZE:
            raise TileError(f"an entry has at most {MAX_ENTRY_SIZE} bytes, not {len(entry)}")
        parts.append(struct.pack(">H", len(entry)) + entry)
    return b"".join(parts)


def read_entries(content: bytes, tile: Tile) -> list[bytes]:
    """Raises TileError unless `content` is as many whole entries as `tile` is wide."""
    entries: list[bytes] = []
    at = 0
    while at < len(content):
        start = at + 2
        at = start + int.from_bytes(content[at:start])
        entries.append(content[start:at])
    if at != len(content) or len(entries) != tile.width:
        raise TileError(
            f"{tile.path} has {tile.width} entries; {len(content)} bytes were received that are "
            f"not as many"
        )
    return entries
