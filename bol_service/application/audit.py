"""The full audit of a ledger: believe nothing but the entries and the log's public key.

1. rows: contiguous, each column equal to what the signed bytes say, time never running backwards;
2. signatures: every one, under the key that was registered for its actor at that place;
3. law: every event judged again by `World.judge`, in log order, with documents read again from
   their bytes;
4. tree: leaves, stored nodes and the head's frontier from the entries alone;
5. checkpoints: signed by the log, each with the root of the tree at its size;
6. caches: the stored states and heads are those that the replay makes.

An audit from inside cannot see a database that was rolled back as a whole, or a second history
signed with a stolen log key: compare its root with a checkpoint that somebody else kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bol_service.application.documents import parse
from bol_service.application.ports import LogState, Reading, Store, StoredEntry
from bol_service.crypto.keys import PublicKey
from bol_service.domain import errors
from bol_service.domain.events import Issue, Recorded
from bol_service.domain.world import World
from bol_service.ledger.checkpoint import open_checkpoint
from bol_service.ledger.entry import leaf
from bol_service.ledger.merkle import Frontier, NodeId
from bol_service.ledger.note import NoteError, VerifierKey
from bol_service.verification import signatures
from bol_service.wire.document import DocumentError, read_document
from bol_service.wire.event_fields import instant, instant_text
from bol_service.wire.events import SignedEvent, decode

_PAGE = 500

Progress = Callable[[int, int], None]


@dataclass(kw_only=True)
class AuditReport:
    """`problems` are sentences that name the first wrong thing each; none of them: all is sound."""

    entries: int = 0
    root: bytes = b""
    problems: list[str] = field(default_factory=list)


def audit(
    store: Store,
    log_keys: Sequence[VerifierKey],
    progress: Progress = lambda _done, _all: None,
) -> AuditReport:
    """Audit the whole ledger. Stops at the first entry that cannot be replayed."""
    with store.reading() as reading:
        try:
            log = reading.log()
        except ValueError as error:
            return AuditReport(problems=[f"the head cannot be read: {error}"])
        return _Audit(reading, log, log_keys, progress).run()


class _Audit:
    def __init__(
        self,
        reading: Reading,
        log: LogState,
        log_keys: Sequence[VerifierKey],
        progress: Progress,
    ) -> None:
        self._reading = reading
        self._log = log
        self._log_keys = log_keys
        self._progress = progress
        self._world = World(self._log.origin)
        self._frontier = Frontier()
        self._report = AuditReport()
        self._last_recorded: str = ""

    def run(self) -> AuditReport:
        sound = self._entries()
        self._report.entries = self._frontier.size
        self._report.root = self._frontier.root()
        if sound:
            self._head()
            self._states()
        return self._report

    def _problem(self, text: str) -> None:
        self._report.problems.append(text)

    # -- entries, signatures, law, tree, checkpoints ---------------------------------------------

    def _entries(self) -> bool:
        while True:
            part = self._page()
            if part is None:
                return False
            notes = self._checkpoints(self._frontier.size + 1, self._frontier.size + len(part))
            for entry in part:
                if not self._entry(entry):
                    return False
                self._checkpoint(notes.get(self._frontier.size))
            self._progress(self._frontier.size, self._log.size)
            if not part:
                return True

    def _page(self) -> list[StoredEntry] | None:
        """The next rows; None, with a problem told, where the very next one is unreadable."""
        first = self._frontier.size
        for limit in (_PAGE, 1):  # one by one as soon as a page holds a row that is no entry
            try:
                return self._reading.scan(first, limit)
            except (ValueError, TypeError) as error:  # SQLite keeps values of any type
                reason = str(error)
        self._problem(f"entry {first} cannot be read: {reason}")
        return None

    def _entry(self, entry: StoredEntry) -> bool:
        index = self._frontier.size
        if entry.index != index:
            self._problem(f"entry {index} is missing; the next row is {entry.index}")
            return False
        try:
            signed = decode(entry.entry.event)
            self._columns(entry, signed)
            self._document(signed)
            signatures.verify(signed, lambda kid: self._key(signed.event.actor, kid))
            self._world.apply(
                Recorded(
                    event=signed.event,
                    digest=signed.parsed.digest,
                    kid=signed.parsed.kid,
                    alg=str(signed.parsed.alg),
                    recorded_at=instant(entry.entry.recorded_at),
                    index=index,
                )
            )
        except errors.Refusal as error:
            self._problem(
                f"entry {index} ({entry.action} by {entry.actor} on {entry.stream}) does not "
                f"stand: {error.code}: {error.message}"
            )
            return False
        self._grow(entry, signed)
        return True

    def _columns(self, entry: StoredEntry, signed: SignedEvent) -> None:
        event = signed.event
        stored = (
            entry.stream,
            entry.sequence,
            entry.event_id,
            entry.actor,
            entry.action,
            entry.kid,
            entry.payload_digest,
        )
        said = (
            event.stream,
            event.sequence,
            event.id,
            event.actor,
            str(event.action),
            signed.parsed.kid,
            signed.payload_digest,
        )
        if stored != said:
            self._problem(
                f"entry {entry.index}: the columns say {stored}, the signed event says {said}"
            )
        if entry.entry.recorded_at < self._last_recorded:
            self._problem(
                f"entry {entry.index} was recorded at {entry.entry.recorded_at}, before its "
                f"predecessor at {self._last_recorded}"
            )
        self._last_recorded = entry.entry.recorded_at

    def _document(self, signed: SignedEvent) -> None:
        if not isinstance(signed.event, Issue):
            return
        try:
            row = self._reading.document(signed.event.received_bytes)
        except ValueError as error:
            raise errors.BadEvent(f"its document cannot be read: {error}") from None
        if row is None:
            raise errors.BadEvent(f"document {signed.event.received_bytes} is missing")
        if hashlib.sha256(row.content).hexdigest() != signed.event.received_bytes:
            raise errors.BadEvent(f"document {signed.event.received_bytes} was changed")
        try:
            facts = read_document(row.content, parse(row.content), strict=False)
        except DocumentError as error:
            raise errors.BadEvent(f"document is unreadable: {error}") from None
        if facts != row.facts:
            self._problem(f"the cached facts of document {row.digest} differ from its bytes")
        self._world.add_document(facts)

    def _key(self, actor: str, kid: str) -> PublicKey | None:
        party = self._world.party(actor)
        key = party.key(kid) if party else None
        return signatures.public_key(key.jwk) if key else None

    def _grow(self, entry: StoredEntry, signed: SignedEvent) -> None:
        event = signed.event
        nodes = self._frontier.append(leaf(event.stream, event.sequence, entry.entry))
        stored = self._reading.nodes([NodeId(node.level, node.position) for node in nodes])
        for node in nodes:
            if stored.get(NodeId(node.level, node.position)) != node.hash:
                self._problem(
                    f"tree node {node.level}/{node.position}, made by entry {entry.index}, is not "
                    "what the entries make"
                )

    def _checkpoints(self, first: int, last: int) -> dict[int, str]:
        notes: dict[int, str] = {}
        size = first
        while size <= last:
            found = self._reading.checkpoint(size)
            if found is None or found[0] > last:
                break
            notes[found[0]] = found[1]
            size = found[0] + 1
        return notes

    def _checkpoint(self, note: str | None) -> None:
        if note is None:
            return
        size, root = self._frontier.size, self._frontier.root()
        try:
            checkpoint = open_checkpoint(note, self._log_keys).checkpoint
        except NoteError as error:
            self._problem(f"the checkpoint of size {size} is not the log's: {error}")
            return
        stated = (checkpoint.origin, checkpoint.size, checkpoint.root)
        if stated != (self._log.origin, size, root):
            self._problem(
                f"the checkpoint of size {size} states {checkpoint.origin}, {checkpoint.size}, "
                f"{checkpoint.root.hex()}; the entries make {root.hex()}"
            )

    # -- head and caches -------------------------------------------------------------------------

    def _head(self) -> None:
        if self._log.size != self._frontier.size:
            self._problem(
                f"the head says {self._log.size} entries, {self._frontier.size} rows are there"
            )
        elif self._log.frontier.root() != self._frontier.root():
            self._problem("the head's frontier is not what the entries make")
        if self._log.size:
            self._head_checkpoint(self._log.size)
        recorded = instant_text(self._log.recorded_at) if self._log.recorded_at else ""
        if recorded != self._last_recorded:
            self._problem(
                f"the head was recorded at {recorded}, its last entry at {self._last_recorded}"
            )
        # A complete node of level n stands over 2^n leaves.
        size = self._frontier.size
        made = sum(size >> level for level in range(size.bit_length()))
        if self._reading.node_count() != made:
            self._problem(
                f"{self._reading.node_count()} tree nodes are stored, {size} entries make {made}"
            )

    def _head_checkpoint(self, size: int) -> None:
        found = self._reading.checkpoint(size)
        if found is None:
            self._problem(f"no checkpoint covers the head at size {size}")
        elif found != (size, self._log.note):
            self._problem(
                f"the head's own note is not the checkpoint of size {size}, the next one stored is "
                f"of size {found[0]}"
            )
        if self._reading.checkpoint(size + 1) is not None:
            self._problem(f"a checkpoint is stored for more than the {size} entries of the log")

    def _states(self) -> None:
        made, heads = self._world.states, self._world.heads
        for stream, state in made.items():
            try:
                found = self._reading.states([stream]).get(stream)
            except ValueError as error:
                self._problem(f"the cached state of {stream} cannot be read: {error}")
                continue
            if found is None:
                self._problem(f"the cached state of {stream} is missing")
            elif found != (state, heads[stream]):
                self._problem(f"the cached state of {stream} is not what its events make")
        extra = self._reading.state_count() - len(made)
        if extra:
            self._problem(f"{extra} cached states belong to no entry")
