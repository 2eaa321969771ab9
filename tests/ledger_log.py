"""A log in memory for tests, and the RFC's own definitions transcribed as they are printed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bol_service.ledger import merkle


class MemoryLog:
    """Keeps the complete nodes as a database would; `entries` are leaf inputs."""

    def __init__(self, entries: Sequence[bytes] = ()) -> None:
        self.frontier = merkle.Frontier()
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.roots = [merkle.EMPTY_ROOT]
        self.leaves: list[bytes] = []
        for entry in entries:
            self.append(merkle.leaf_hash(entry))

    def append(self, leaf: bytes) -> None:
        for node in self.frontier.append(leaf):
            self.nodes[node.level, node.position] = node.hash
        self.leaves.append(leaf)
        self.roots.append(self.frontier.root())

    def get(self, level: int, position: int) -> bytes:
        return self.nodes[level, position]

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return merkle.inclusion_path(self.get, index, size)

    def consistency(self, old: int, new: int) -> list[bytes]:
        return merkle.consistency_path(self.get, old, new)


def mth(d: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, over leaf inputs."""
    n = len(d)
    if n == 0:
        return hashlib.sha256(b"").digest()
    if n == 1:
        return hashlib.sha256(b"\x00" + d[0]).digest()
    k = largest_power_below(n)
    return hashlib.sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1."""
    n = len(d)
    if n == 1:
        return []
    k = largest_power_below(n)
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def proof(m: int, d: Sequence[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.2, for 0 < m <= n."""
    return subproof(m, d, True)


def subproof(m: int, d: Sequence[bytes], b: bool) -> list[bytes]:
    n = len(d)
    if m == n:
        return [] if b else [mth(d)]
    k = largest_power_below(n)
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k
