"""The Merkle tree of RFC 6962 section 2.1 (kept by RFC 9162 section 2.1), without storage.

1. A leaf is SHA-256(0x00 entry), a node SHA-256(0x01 left right), the empty tree SHA-256 of
   nothing. A tree of n leaves splits at the largest power of two below n.
2. A *complete* node (level, index) covers the leaves index*2^level up to (index+1)*2^level; once
   it exists it never changes, so these are the only hashes worth storing.
3. `Frontier` holds the complete nodes along the right edge: enough to append and to name the root.
4. Proofs are lists of subtree roots; each is folded from complete nodes. `inclusion_nodes` and
   `consistency_nodes` name them beforehand, so that a store reads them in one query.
5. Verification follows RFC 9162 sections 2.1.3.2 and 2.1.4.2 and believes nothing but 32-byte
   hashes.
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

HASH_SIZE: Final = 32
MAX_SIZE: Final = 2**63 - 1  # what a signed 64-bit column and other logs' readers hold
LEVELS: Final = MAX_SIZE.bit_length()
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

GetNode = Callable[[int, int], bytes]


class ProofError(ValueError):
    """A proof does not show what it claims; the message holds both values."""


class NodeId(NamedTuple):
    """`position` is the node's index within its level, from 0."""

    level: int
    position: int


class Node(NamedTuple):
    level: int
    position: int
    hash: bytes


class _Range(NamedTuple):
    """Leaves first <= i < end, as RFC 6962 writes D[first:end]."""

    first: int
    end: int


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """`hashes` are the complete subtrees for the one bits of `size`, largest first."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if not 0 <= size <= MAX_SIZE:
            raise ValueError(f"a tree has 0 to {MAX_SIZE} leaves, not {size}")
        if len(hashes) != size.bit_count() or any(len(h) != HASH_SIZE for h in hashes):
            raise ValueError(
                f"a tree of {size} leaves has {size.bit_count()} edge hashes of {HASH_SIZE} bytes,"
                f" not {[len(h) for h in hashes]}"
            )
        self.size = size
        self.hashes = list(hashes)

    def append(self, leaf: bytes) -> list[Node]:
        """`leaf` is a leaf hash. Returns the complete nodes that now exist, the leaf first."""
        level, index, latest = 0, self.size, leaf
        created = [Node(level, index, latest)]
        while index & 1:
            level, index, latest = level + 1, index >> 1, node_hash(self.hashes.pop(), latest)
            created.append(Node(level, index, latest))
        self.hashes.append(latest)
        self.size += 1
        return created

    def grow(self, leaf: bytes, levels: Sequence[list[bytes]]) -> None:
        """`append` for whoever adds many: each node is put at the end of its level in `levels`,
        which has a list for every level that the tree can have."""
        level, index, latest = 0, self.size, leaf
        levels[0].append(leaf)
        while index & 1:
            level, index, latest = level + 1, index >> 1, node_hash(self.hashes.pop(), latest)
            levels[level].append(latest)
        self.hashes.append(latest)
        self.size += 1

    def root(self) -> bytes:
        return _fold(self.hashes)

    def nodes(self) -> list[Node]:
        """The edge: the complete subtrees that cover all leaves, largest first.

        With these and the nodes that `append` returned since, the inclusion path of every leaf
        appended since can be made (RFC 6962: what lies left of them is complete).
        """
        ids = _complete_nodes(_Range(0, self.size))
        return [
            Node(node.level, node.position, value)
            for node, value in zip(ids, self.hashes, strict=True)
        ]

    def to_bytes(self) -> bytes:
        """The size as 8 bytes, big-endian, then the hashes."""
        return struct.pack(">Q", self.size) + b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """Raises ValueError when the number of hashes does not belong to the size."""
        if len(data) < 8:
            raise ValueError(f"a stored tree edge has at least 8 bytes, not {len(data)}")
        (size,) = struct.unpack_from(">Q", data)
        hashes = [data[at : at + HASH_SIZE] for at in range(8, len(data), HASH_SIZE)]
        return cls(size, hashes)


def inclusion_nodes(index: int, size: int) -> list[NodeId]:
    """The complete nodes that `inclusion_path` asks for; raises ValueError as it does."""
    return _nodes_of(_inclusion_ranges(index, size))


def inclusion_nodes_of(indexes: Iterable[int], size: int) -> set[NodeId]:
    """The complete nodes that `inclusion_paths` asks for; raises ValueError as it does."""
    parts = [part for part, _ in _siblings(indexes, size)]
    return {node for part in parts for node in _complete_nodes(part)}


def inclusion_paths(get: GetNode, indexes: Iterable[int], size: int) -> dict[int, list[bytes]]:
    """`inclusion_path` of many leaves, with what their paths have in common made once."""
    paths: dict[int, list[bytes]] = {index: [] for index in indexes}
    for part, leaves in _siblings(paths, size):
        root = _range_root(get, part)
        for index in leaves:
            paths[index].append(root)
    for path in paths.values():
        path.reverse()
    return paths


def consistency_nodes(old: int, new: int) -> list[NodeId]:
    """The complete nodes that `consistency_path` asks for; raises ValueError as it does."""
    return _nodes_of(_consistency_ranges(old, new))


def inclusion_path(get: GetNode, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962; `get(level, index)` returns a complete node. Raises
    ValueError unless the leaf is in the tree."""
    return [_range_root(get, part) for part in _inclusion_ranges(index, size)]


def consistency_path(get: GetNode, old: int, new: int) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962, empty for old 0 or old = new. Raises ValueError when the
    tree would shrink."""
    return [_range_root(get, part) for part in _consistency_ranges(old, new)]


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """`leaf` is a leaf hash. Raises ProofError."""
    _refuse_odd_hashes([leaf, *path, root])
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"leaf {index} is not in a tree of {size} leaves")
    position, last, computed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError(f"the path of {len(path)} hashes is too long for {size} leaves")
        if position & 1 or position == last:
            computed = node_hash(sibling, computed)
            position, last = _skip_lone_levels(position, last)
        else:
            computed = node_hash(computed, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofError(f"the path of {len(path)} hashes is too short for {size} leaves")
    _refuse_other_root("the tree", size, computed, root)


def verify_consistency(
    old_size: int, new_size: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """The first `old_size` leaves of the new tree are the old tree; raises ProofError."""
    _refuse_odd_hashes([*path, old_root, new_root])
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise ProofError(f"a tree of {old_size} leaves cannot have become one of {new_size}")
    if old_size in (0, new_size):
        _verify_trivial(old_size, path, old_root, new_root if old_size else EMPTY_ROOT)
        return
    # A complete old tree is itself the first hash of the proof, which then leaves it out.
    hashes = [old_root, *path] if old_size.bit_count() == 1 else list(path)
    _verify_growth(old_size, new_size, hashes, old_root, new_root)


def _verify_trivial(size: int, path: Sequence[bytes], root: bytes, expected: bytes) -> None:
    if path:
        raise ProofError(f"nothing is to be proved from size {size}, yet {len(path)} hashes came")
    _refuse_other_root("the old tree", size, expected, root)


def _verify_growth(
    old_size: int, new_size: int, hashes: list[bytes], old_root: bytes, new_root: bytes
) -> None:
    wrong_length = ProofError(
        f"{len(hashes)} hashes are the wrong number from {old_size} to {new_size} leaves"
    )
    if not hashes:
        raise wrong_length
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise wrong_length
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            position, last = _skip_lone_levels(position, last)
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise wrong_length
    _refuse_other_root("the old tree", old_size, old, old_root)
    _refuse_other_root("the new tree", new_size, new, new_root)


def _skip_lone_levels(position: int, last: int) -> tuple[int, int]:
    """On the right edge a node without a sibling is carried up unchanged."""
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _refuse_odd_hashes(hashes: Sequence[bytes]) -> None:
    # A longer "hash" could smuggle both children of a node in as one.
    for value in hashes:
        if len(value) != HASH_SIZE:
            raise ProofError(f"a hash has {len(value)} bytes, not {HASH_SIZE}")


def _refuse_other_root(which: str, size: int, computed: bytes, stated: bytes) -> None:
    if computed != stated:
        raise ProofError(
            f"{which} of {size} leaves has the root {stated.hex()}, but the proof gives"
            f" {computed.hex()}"
        )


def _fold(hashes: Sequence[bytes]) -> bytes:
    """The root over adjoining complete subtrees, largest first."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def _inclusion_ranges(index: int, size: int) -> list[_Range]:
    if not 0 <= index < size <= MAX_SIZE:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    ranges, first, end = [], 0, size
    while end - first > 1:
        split = first + _split(end - first)
        if index < split:
            ranges.append(_Range(split, end))
            end = split
        else:
            ranges.append(_Range(first, split))
            first = split
    return ranges[::-1]


def _siblings(indexes: Iterable[int], size: int) -> Iterator[tuple[_Range, list[int]]]:
    """Each range whose root is in the path of any of these leaves, and of which; from the top."""
    leaves = sorted(set(indexes))
    if leaves and not 0 <= leaves[0] <= leaves[-1] < size <= MAX_SIZE:
        raise ValueError(f"leaves {leaves[0]} to {leaves[-1]} are not in a tree of {size} leaves")
    waiting = [(_Range(0, size), leaves)] if leaves else []
    while waiting:
        (first, end), inside = waiting.pop()
        if end - first == 1:
            continue
        split = first + _split(end - first)
        left, right = _Range(first, split), _Range(split, end)
        place = bisect_left(inside, split)
        for half, other, those in ((left, right, inside[:place]), (right, left, inside[place:])):
            if those:
                yield other, those
                waiting.append((half, those))


def _consistency_ranges(old: int, new: int) -> list[_Range]:
    if not 0 <= old <= new <= MAX_SIZE:
        raise ValueError(f"a tree of {old} leaves cannot have become one of {new}")
    if old in (0, new):
        return []
    ranges, first, end = [], 0, new
    while end != old:
        split = first + _split(end - first)
        if old <= split:
            ranges.append(_Range(split, end))
            end = split
        else:
            ranges.append(_Range(first, split))
            first = split
    # The verifier knows the old root already; only a part of it has to be sent.
    if first:
        ranges.append(_Range(first, end))
    return ranges[::-1]


def _split(count: int) -> int:
    """The largest power of two below `count`, which is at least 2."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(get: GetNode, part: _Range) -> bytes:
    count = part.end - part.first
    if count.bit_count() == 1:  # nearly always; in a path such a range is one complete node
        level = count.bit_length() - 1
        return get(level, part.first >> level)
    return _fold([get(node.level, node.position) for node in _complete_nodes(part)])


def _nodes_of(ranges: list[_Range]) -> list[NodeId]:
    return [node for part in ranges for node in _complete_nodes(part)]


def _complete_nodes(part: _Range) -> list[NodeId]:
    nodes, first = [], part.first
    while first < part.end:
        level = (part.end - first).bit_length() - 1
        nodes.append(NodeId(level, first >> level))
        first += 1 << level
    return nodes
