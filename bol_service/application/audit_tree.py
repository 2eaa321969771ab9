"""The tree as the entries make it, held against what is stored of it.

Nodes are compared many at a time, so what is wrong with them is told by `settle`.
"""

from __future__ import annotations

from bol_service.application.audit_findings import Finding, Kind
from bol_service.application.audit_pages import Note
from bol_service.application.ports import LogState, Reading
from bol_service.ledger.merkle import LEVELS, Frontier, Node, NodeId
from bol_service.wire.event_fields import instant_text

WORTH_ASKING = 2_000
"""Entries whose nodes are compared at once: each level is a question to the database."""


class Tree:
    def __init__(self, reading: Reading, origin: str) -> None:
        self.frontier = Frontier()
        self._reading = reading
        self._origin = origin
        self._settled = 0
        self._made: list[list[bytes]] = [[] for _ in range(LEVELS)]
        self._noted: list[tuple[Note, bytes]] = []

    @property
    def size(self) -> int:
        return self.frontier.size

    @property
    def is_full(self) -> bool:
        """Whether so much was made since it was last settled that it is worth asking."""
        return self.size - self._settled >= WORTH_ASKING

    def append(self, leaf: bytes) -> None:
        self.frontier.grow(leaf, self._made)

    def hold_against(self, note: Note) -> None:
        """The stored checkpoint of this very size."""
        self._noted.append((note, self.frontier.root()))

    def settle(self) -> list[Finding]:
        """What is wrong with nodes and checkpoints since the last time."""
        found = self._wrong_nodes()
        for note, root in self._noted:
            found += self._wrong_note(note, root)
        for hashes in self._made:
            hashes.clear()
        self._noted, self._settled = [], self.size
        return found

    def _wrong_nodes(self) -> list[Finding]:
        """Those of a level lie side by side; only where they differ is asked for each by itself."""
        levels = [(level, hashes) for level, hashes in enumerate(self._made) if hashes]
        if all(self._are_stored(level, hashes) for level, hashes in levels):
            return []
        made = [
            Node(level, (self._settled >> level) + place, found)
            for level, hashes in levels
            for place, found in enumerate(hashes)
        ]
        made.sort(key=lambda node: (_made_by(node), node.level))
        stored = self._reading.nodes([NodeId(node.level, node.position) for node in made])
        return [
            _wrong_node(node)
            for node in made
            if stored.get(NodeId(node.level, node.position)) != node.hash
        ]

    def _are_stored(self, level: int, hashes: list[bytes]) -> bool:
        first = self._settled >> level  # so many of them were complete then
        return self._reading.complete_nodes(level, first, len(hashes)) == hashes

    def _wrong_note(self, note: Note, root: bytes) -> list[Finding]:
        if isinstance(note.stated, str):
            text = f"the checkpoint of size {note.size} is not the log's: {note.stated}"
        elif note.stated != (self._origin, note.size, root):
            origin, size, stated = note.stated
            text = (
                f"the checkpoint of size {note.size} states {origin}, {size}, {stated.hex()}; the "
                f"entries make {root.hex()}"
            )
        else:
            return []
        return [Finding(kind=Kind.CHECKPOINT, text=text, index=note.size - 1)]


def _made_by(node: Node) -> int:
    """The entry with which the node became complete."""
    return ((node.position + 1) << node.level) - 1


def _wrong_node(node: Node) -> Finding:
    index = _made_by(node)
    text = (
        f"tree node {node.level}/{node.position}, made by entry {index}, is not what the entries "
        "make"
    )
    return Finding(kind=Kind.TREE, text=text, index=index)


def check_head(
    reading: Reading, log: LogState, frontier: Frontier, recorded_at: str
) -> list[Finding]:
    """What is wrong between the head and the entries, which make `frontier`."""
    found = [*_size_and_root(reading, log, frontier)]
    if log.size:
        found += _head_checkpoint(reading, log)
    stated = instant_text(log.recorded_at) if log.recorded_at else ""
    if stated != recorded_at:
        found.append(_head(f"the head was recorded at {stated}, its last entry at {recorded_at}"))
    # A complete node of level n stands over 2^n leaves.
    size, stored = frontier.size, reading.node_count()
    made = sum(size >> level for level in range(size.bit_length()))
    if stored != made:
        text = f"{stored} tree nodes are stored, {size} entries make {made}"
        found.append(Finding(kind=Kind.TREE, text=text))
    return found


def _size_and_root(reading: Reading, log: LogState, frontier: Frontier) -> list[Finding]:
    if log.size != frontier.size:
        return [_head(f"the head says {log.size} entries, {frontier.size} rows are there")]
    found = []
    if log.frontier.root() != frontier.root():
        found.append(_head("the head's frontier is not what the entries make"))
    if _has_more(reading, log.size):
        found.append(_head(f"entry {log.size} or one after it is there, beyond the head"))
    return found


def _has_more(reading: Reading, size: int) -> bool:
    try:
        return bool(reading.scan(size, 1))
    except (ValueError, TypeError):
        return True  # a row, if none that can be read


def _head_checkpoint(reading: Reading, log: LogState) -> list[Finding]:
    size, found = log.size, reading.checkpoint(log.size)
    wrong = []
    if found is None:
        wrong.append(f"no checkpoint covers the head at size {size}")
    elif found != (size, log.note):
        wrong.append(
            f"the head's own note is not the checkpoint of size {size}, the next one stored is of "
            f"size {found[0]}"
        )
    if reading.checkpoint(size + 1) is not None:
        wrong.append(f"a checkpoint is stored for more than the {size} entries of the log")
    return [Finding(kind=Kind.CHECKPOINT, text=text) for text in wrong]


def _head(text: str) -> Finding:
    return Finding(kind=Kind.HEAD, text=text)
