"""Following somebody's log from outside: what a monitor checks at every visit.

1. The checkpoint is signed by the log's key, and not smaller than the one kept.
2. Consistency: the log proves that its tree continues the tree that was kept.
3. Every new public entry is read from the bundles; together they make the root that was signed.
4. Every stream counts on without gap and without repeat: a stream that was forked inside the tree
   shows as a (tag, sequence) that occurs twice.
5. No watched party has a key that was not there before, and the platform shows as many of its own
   acts as the log holds; acts in its own stream are told.

What was kept is replaced only when all of it holds, in one transaction. An alarm carries both
signed notes: together they convict whoever signed them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from bol_service.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from bol_service.ledger.entry import split_public_entry, stream_tag
from bol_service.ledger.merkle import Frontier, ProofError, leaf_hash, verify_consistency
from bol_service.ledger.note import NoteError, VerifierKey, from_base64, parse_note
from bol_service.ledger.tiles import FULL_WIDTH, Tile, TileError, bundles, read_entries

Progress = Callable[[int, int], None]


class Alarm(RuntimeError):  # noqa: N818 - says what it is
    """The log does not hold what it promises; `kept` and `served` are signed notes."""

    def __init__(self, code: str, message: str, *, kept: str | None, served: str | None) -> None:
        super().__init__(message)
        self.code = code
        self.kept = kept
        self.served = served
        self.proof: tuple[str, ...] = ()


class LogSource(Protocol):
    """The public endpoints of a log, as it answers today."""

    def checkpoint(self) -> str: ...

    def consistency(self, old: int, new: int) -> list[str]:
        """Base64 of the proof's hashes."""
        ...

    def tile(self, path: str) -> bytes: ...

    def party(self, slug: str) -> dict[str, Any] | None:
        """The party as the platform shows it, None if it is not registered."""
        ...


class Kept(Protocol):
    """What a monitor remembers between visits; inside `FollowState.visiting` only."""

    def note(self) -> str | None: ...

    def frontier(self) -> Frontier: ...

    def next_sequence(self, tag: bytes) -> int: ...

    def set_next_sequence(self, tag: bytes, sequence: int) -> None: ...

    def keys(self, party: str) -> set[str] | None:
        """None for a party that was not watched before."""
        ...

    def set_keys(self, party: str, kids: Iterable[str]) -> None: ...

    def put(self, note: str, frontier: Frontier) -> None: ...


class FollowState(Protocol):
    def visiting(self) -> AbstractContextManager[Kept]:
        """Kept when the block ends, as it was when it raises."""
        ...


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A visit without alarm. `acts` are (party, sequence, index) in the streams of watched
    parties, `new_parties` those whose keys were noted for the first time, with these keys."""

    checkpoint: Checkpoint
    note: str
    before: int
    acts: list[tuple[str, int, int]] = field(default_factory=list)
    new_parties: dict[str, list[str]] = field(default_factory=dict)


class Follower:
    """`known_keys` are kids that the watched parties say are theirs. What a party has at the first
    visit counts as its own too, unless one of its own keys is known."""

    def __init__(
        self,
        source: LogSource,
        state: FollowState,
        keys: Sequence[VerifierKey],
        *,
        watch: Sequence[str] = (),
        known_keys: Sequence[str] = (),
        progress: Progress = lambda _done, _all: None,
    ) -> None:
        self._source = source
        self._state = state
        self._keys = keys
        self._watch = watch
        self._known_keys = frozenset(known_keys)
        self._progress = progress

    def visit(self) -> Visit:
        """Check what is new and remember it.

        Raises:
            Alarm: Something does not hold; nothing new is remembered.
        """
        with self._state.visiting() as kept:
            return self._visit(kept)

    def _visit(self, kept: Kept) -> Visit:
        before = kept.note()
        served = self._source.checkpoint()
        checkpoint = self._opened(served, before)
        frontier = kept.frontier()
        if before is not None:
            self._require_growth(before, served, checkpoint)
        acts = self._entries(kept, frontier, checkpoint, before, served)
        if frontier.root() != checkpoint.root:
            raise Alarm(
                "wrong_root",
                f"the {checkpoint.size} entries that {checkpoint.origin} publishes make the root "
                f"{frontier.root().hex()}, it signed {checkpoint.root.hex()}",
                kept=before,
                served=served,
            )
        new = [slug for slug in self._watch if kept.keys(slug) is None]
        kids = {slug: self._watched(kept, slug, before, served) for slug in self._watch}
        old_size = _size(before) if before is not None else 0
        kept.put(served, frontier)
        return Visit(
            checkpoint=checkpoint,
            note=served,
            before=old_size,
            acts=acts,
            new_parties={slug: kids[slug] for slug in new},
        )

    # -- 1, 2: checkpoint ------------------------------------------------------------------------

    def _opened(self, served: str, before: str | None) -> Checkpoint:
        try:
            checkpoint = open_checkpoint(served, self._keys).checkpoint
        except NoteError as error:
            raise Alarm("bad_checkpoint", str(error), kept=before, served=served) from None
        if before is not None and _opened_before(before).origin != checkpoint.origin:
            raise Alarm(
                "other_log",
                f"the state is of {_opened_before(before).origin}, the log is "
                f"{checkpoint.origin}; keep one state file per log",
                kept=before,
                served=served,
            )
        return checkpoint

    def _require_growth(self, before: str, served: str, new: Checkpoint) -> None:
        old = _opened_before(before)
        if new.size < old.size:
            raise Alarm(
                "rollback",
                f"{new.origin} shows {new.size} entries, it has signed {old.size} before",
                kept=before,
                served=served,
            )
        if new.size == old.size or old.size == 0:
            proof = []
        else:
            proof = self._source.consistency(old.size, new.size)
        try:
            path = [from_base64(item) for item in proof]
            verify_consistency(old.size, new.size, path, old.root, new.root)
        except (ProofError, NoteError) as error:
            alarm = Alarm(
                "fork",
                f"{new.origin} has signed two histories: its tree of {new.size} entries does not "
                f"continue its tree of {old.size} entries ({error})",
                kept=before,
                served=served,
            )
            alarm.proof = tuple(proof)
            raise alarm from None

    # -- 3, 4: entries ---------------------------------------------------------------------------

    def _entries(
        self,
        kept: Kept,
        frontier: Frontier,
        checkpoint: Checkpoint,
        before: str | None,
        served: str,
    ) -> list[tuple[str, int, int]]:
        tags = {stream_tag(f"party:{slug}"): slug for slug in self._watch}
        acts = []
        try:
            for tile in bundles(frontier.size, checkpoint.size):
                for tag, sequence, index in self._bundle(tile, frontier):
                    _count(kept, tag, sequence, index)
                    if tag in tags:
                        acts.append((tags[tag], sequence, index))
                self._progress(frontier.size, checkpoint.size)
        except (TileError, _MiscountError, ValueError) as error:
            code = error.code if isinstance(error, _MiscountError) else "bad_entries"
            raise Alarm(code, str(error), kept=before, served=served) from None
        return acts

    def _bundle(self, tile: Tile, frontier: Frontier) -> Iterable[tuple[bytes, int, int]]:
        """(tag, sequence, index) of the entries of a bundle that the frontier has not yet."""
        content = read_entries(self._source.tile(tile.path), tile)
        for entry in content[frontier.size % FULL_WIDTH :]:
            tag, sequence, _ = split_public_entry(entry)
            index = frontier.size
            frontier.append(leaf_hash(entry))
            yield tag, sequence, index

    # -- 5: parties ------------------------------------------------------------------------------

    def _watched(self, kept: Kept, slug: str, before: str | None, served: str) -> list[str]:
        """The party's keys as they are shown now; raises Alarm for a strange one."""
        shown = self._source.party(slug) or {}
        self._require_all_acts(kept, slug, shown, before, served)
        kids = {str(key.get("kid")) for key in shown.get("keys", [])}
        noted = kept.keys(slug)
        strange = kids - (noted or set()) - self._known_keys
        if strange and (noted is not None or self._is_known(kids)):
            raise Alarm(
                "new_key",
                f"{slug} has a new key: {', '.join(sorted(strange))}. If {slug} did not register "
                "it, its name is being used by somebody else",
                kept=before,
                served=served,
            )
        kept.set_keys(slug, kids | (noted or set()))
        return sorted(kids)

    def _is_known(self, kids: set[str]) -> bool:
        """Whether the known keys speak of the party with these keys."""
        return bool(self._known_keys & kids) or (bool(self._known_keys) and len(self._watch) == 1)

    def _require_all_acts(
        self, kept: Kept, slug: str, shown: dict[str, Any], before: str | None, served: str
    ) -> None:
        """The page of a party is the platform's word; the log tells how many acts it rests on."""
        sequence = shown.get("sequence", -1)
        told = sequence + 1 if isinstance(sequence, int) else 0
        held = kept.next_sequence(stream_tag(f"party:{slug}"))
        if told < held:
            raise Alarm(
                "hidden_act",
                f"the log holds {held} events in the stream of {slug}, the platform shows what "
                f"{told} of them made: it does not show all keys that may speak for {slug}",
                kept=before,
                served=served,
            )


class _MiscountError(ValueError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _count(kept: Kept, tag: bytes, sequence: int, index: int) -> None:
    expected = kept.next_sequence(tag)
    if sequence < expected:
        raise _MiscountError(
            "forked_stream",
            f"entry {index} repeats sequence {sequence} of the stream with tag {tag.hex()}, which "
            f"continues with {expected}: the stream was forked inside the log",
        )
    if sequence > expected:
        raise _MiscountError(
            "gap",
            f"entry {index} has sequence {sequence} of the stream with tag {tag.hex()}, {expected} "
            "is missing",
        )
    kept.set_next_sequence(tag, sequence + 1)


def _opened_before(note: str) -> Checkpoint:
    return parse_checkpoint(parse_note(note).text)


def _size(note: str) -> int:
    return _opened_before(note).size
