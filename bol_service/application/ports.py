"""What the use cases need from the outside, as protocols.

`storage` implements `Store`; the system clock or, for demonstrations, a settable one is a `Clock`.
A `Writing` is one database transaction under the lock of the log's head: what it appends is there
together or not at all.

What is made for each event that is recorded is a Struct, which is made in C (docs/adr/0046).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec

from bol_service.application.audit_ports import Book, Cache, CacheRow
from bol_service.application.witness_ports import PublicReading
from bol_service.domain.document import DocumentFacts
from bol_service.domain.states import Head, State
from bol_service.ledger.entry import Entry
from bol_service.ledger.merkle import Frontier, Node, NodeId


class Unavailable(RuntimeError):  # noqa: N818 - says what is the matter
    """The database does not answer: it is failing over, or its disk is full. Nothing was kept."""

    retry_after = 2


class Clock(Protocol):
    def now(self) -> datetime:
        """The time as aware UTC."""
        ...


@dataclass(frozen=True, kw_only=True)
class LogState:
    """The log as committed last; `recorded_at` is the time of its last entry."""

    origin: str
    frontier: Frontier
    recorded_at: datetime | None
    note: str | None

    @property
    def size(self) -> int:
        return self.frontier.size


class StoredEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the log. `digest` is SHA-256 of the entry bytes, hex."""

    index: int
    stream: str
    sequence: int
    entry: Entry
    event_id: str
    actor: str
    action: str
    kid: str
    payload_digest: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A thing that can belong to one stream only, such as a bill number or a carrier code."""

    kind: str
    value: str


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a party has to learn; `kind` is a stable word, `facts` plain JSON."""

    party: str
    kind: str
    stream: str
    facts: Mapping[str, object] = msgspec.field(default_factory=dict)


class NoticeRow(Notice, frozen=True, kw_only=True):
    number: int
    index: int | None
    at: str


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    kid: str
    party: str
    jwk: str


@dataclass(frozen=True, kw_only=True)
class BillRow:
    """How a bill is found: by number, by container, by those who may know it."""

    bill: str
    reference: str
    carrier: str
    country: str
    shipment: str
    shipper: str
    status: str
    parties: frozenset[str]
    containers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DocumentRow:
    """An uploaded document as received; `digest` is the SHA-256 of the bytes.

    `uploaded_by` and `uploaded_at` tell the first upload; see `Reading.has_uploaded`.
    """

    digest: str
    checksum: str | None
    kind: str
    content: bytes
    facts: DocumentFacts | None
    uploaded_by: str
    uploaded_at: str


@dataclass(kw_only=True)
class Batch:
    """All that one group commit writes."""

    entries: list[StoredEntry] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    states: dict[str, tuple[State, Head, int]] = field(default_factory=dict)
    taken: dict[Claim, str] = field(default_factory=dict)
    freed: set[Claim] = field(default_factory=set)
    keys: list[KeyRow] = field(default_factory=list)
    bills: dict[str, BillRow] = field(default_factory=dict)
    notices: list[tuple[Notice, int | None]] = field(default_factory=list)


class Reading(PublicReading, Protocol):
    """A consistent view of what is committed."""

    def log(self) -> LogState:
        """Raises ValueError for a head that contradicts itself."""
        ...

    def states(self, streams: Iterable[str]) -> dict[str, tuple[State, Head]]: ...

    def bills_with(self, container: str) -> dict[str, tuple[State, Head]]:
        """The states, by stream, of the bills on which the container stands."""
        ...

    def node_count(self) -> int: ...

    def facts(self, digests: Iterable[str]) -> list[DocumentFacts]: ...

    def key(self, kid: str) -> KeyRow | None: ...

    def earlier(
        self, payload_digests: Iterable[str], event_ids: Iterable[str]
    ) -> list[StoredEntry]:
        """The entries that have one of these payloads or one of these event ids."""
        ...

    def entry(self, index: int) -> StoredEntry | None: ...

    def entries(self, stream: str, first: int, limit: int) -> list[StoredEntry]: ...

    def entry_at(self, stream: str, sequence: int) -> StoredEntry | None: ...

    def scan(self, first: int, limit: int) -> list[StoredEntry]: ...

    def nodes(self, ids: Iterable[NodeId]) -> dict[NodeId, bytes]: ...

    def checkpoint(self, at_least: int) -> tuple[int, str] | None:
        """Size and note of the first checkpoint that covers `at_least` entries."""
        ...

    def checkpoints(self, after: int, up_to: int) -> list[tuple[int, str]]:
        """Size and note of the checkpoints of `after` < size <= `up_to`, the smallest first."""
        ...

    def document(self, digest: str) -> DocumentRow | None: ...

    def has_uploaded(self, party: str, digest: str) -> bool:
        """Whether the party has sent these bytes, first or after others."""
        ...

    def contents(self, digests: Iterable[str]) -> dict[str, bytes]:
        """The bytes of those documents that are there, by their digest."""
        ...

    def document_of_bill(self, bill: str, received_bytes: str) -> DocumentRow | None: ...

    def parties(self, after: str, limit: int) -> list[str]: ...

    def find_bills(
        self,
        *,
        party: str,
        shippers: Sequence[str],
        audited_country: str | None,
        after: str,
        limit: int,
        filters: Mapping[str, str],
    ) -> list[str]: ...

    def find_drafts(self, *, party: str, after: str, limit: int) -> list[str]: ...

    def bills_with_container(self, container: str) -> list[str]: ...

    def mandators(self, forwarder: str) -> list[str]: ...

    def notices(self, party: str, after: int, limit: int) -> list[NoticeRow]: ...

    def claim_owner(self, claim: Claim) -> str | None: ...

    def ordered(self, cache: Cache) -> Iterator[CacheRow]:
        """All rows of a cache as stored, the key's columns first, by the code points of the key."""
        ...


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """An access token that was issued to `party` for an assertion by its key `kid`."""

    party: str
    kid: str
    expires: str
    state: State | None


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a writer will ask for first: streams, and the payload digests and ids of its events."""

    streams: frozenset[str] = frozenset()
    payloads: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()


NOTHING_EXPECTED: Final = Expected()


@dataclass(frozen=True, kw_only=True)
class Meanwhile:
    """What others have recorded: on which streams, and under which ids."""

    streams: frozenset[str]
    ids: frozenset[str]


class Writing(Reading, Protocol):
    """One transaction. Once the log's head is `locked` it stays so to the end, and what is read is
    how it is; until then somebody else may be changing it."""

    @property
    def expected(self) -> Expected:
        """What was read at once, if nothing has changed since."""
        ...

    @property
    def locked(self) -> bool:
        """False if somebody else had the lock when this began, and `lock` was not called yet."""
        ...

    def lock(self) -> Meanwhile | None:
        """Wait for the lock; says what has been recorded since this began, None if it was much."""
        ...

    def append(self, batch: Batch, log: LogState) -> None:
        """The last thing asked of a writing, under the lock: the database may still be at it when
        this returns, and an error of it may be raised by the end of the block only. From here on
        it may be committed, whatever becomes of the block."""
        ...

    def replace_caches(
        self, contents: Iterable[tuple[Cache, Iterable[CacheRow]]], facts: Iterable[DocumentFacts]
    ) -> None:
        """Write all caches anew, and the cached facts of these documents."""
        ...


class Store(Protocol):
    def reading(self) -> AbstractContextManager[Reading]: ...

    def writing(self, expected: Expected = NOTHING_EXPECTED) -> AbstractContextManager[Writing]:
        """Commits when the block ends; rolls back when it raises before `append`.

        Who expects nothing gets the lock at once, and waits for it.
        """
        ...

    def audit_book(self, file: Path | None) -> AbstractContextManager[Book]:
        """The book in `file`, made if it is not there; without a file, one for this audit only.

        Raises:
            BookError: The file is no book, or another audit uses it.
        """
        ...

    def opener(self) -> Callable[[], Store]:
        """What opens the same database in another process."""
        ...

    def add_document(self, row: DocumentRow) -> None: ...

    def add_token(self, token_hash: str, party: str, kid: str, jti: str, expires: str) -> bool:
        """False if this party used this jti before."""
        ...

    def bearer(self, token_hash: str) -> Bearer | None:
        """Whose token this is, and that party as it is now: one statement, which is a snapshot."""
        ...

    def end_token(self, token_hash: str, at: str) -> None:
        """The token expires at `at`, if that is sooner; its row stays, and its jti stays used."""
        ...

    def forget_tokens(self, before: str) -> None: ...


class CheckpointFile(Protocol):
    """The last checkpoint, kept where the database's administrator cannot rewrite it unseen."""

    def read(self) -> str | None: ...

    def replace(self, note: str) -> None:
        """Durable when it returns."""
        ...
