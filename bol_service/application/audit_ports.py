"""What an audit needs from the outside, as protocols.

A `Book` holds what a replay of the entries makes: the caches as they should be, and how far the
replay has come. `storage` implements it as a SQLite file, in which the memory of an audit stays
flat and from which a later one goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from bol_service.application.audit_beside_ports import Memory
from bol_service.ledger.merkle import Frontier

if TYPE_CHECKING:
    from bol_service.application.ports import Batch, Claim, Reading

CacheRow = tuple[object, ...]
Cosigned = tuple[int, str, str]
"""Size, witness, and a digest of the cosignature and of what it is under."""


class Cache(StrEnum):
    """The tables that the entries make, named as in the database; a table stands after those that
    it refers to."""

    STATES = "states"
    CLAIMS = "claims"
    KEYS = "keys"
    BILLS = "bills"
    BILL_PARTIES = "bill_parties"
    BILL_CONTAINERS = "bill_containers"
    DRAFT_PARTIES = "draft_parties"
    MANDATES = "mandates"


class BookError(RuntimeError):
    """The file is no book, or not one that this audit can go on from; says what to do."""


@dataclass(frozen=True, kw_only=True)
class Reached:
    """How far an audit came without finding anything wrong.

    `recorded_at` is the time of the last entry, "" for none; `at` that of the audit; `vkeys` are
    the keys under which checkpoints were verified; `version` is the software's.
    """

    origin: str
    version: str
    vkeys: tuple[str, ...]
    frontier: Frontier
    recorded_at: str
    at: str

    @property
    def size(self) -> int:
        return self.frontier.size


class Book(Memory, Protocol):
    """Nothing of it is durable before `keep`."""

    @property
    def reading(self) -> Reading:
        """The states of the book; it knows no documents, the replay brings them along."""
        ...

    def reached(self) -> Reached | None: ...

    def owner(self, claim: Claim) -> str | None: ...

    def put(self, *groups: Batch) -> None:
        """What the entries of these groups change."""
        ...

    def keep(self, reached: Reached) -> None:
        """Make all that was put durable, together with how far it goes."""
        ...

    def cosigned(self, after: tuple[int, str], up_to: tuple[int, str] | None) -> list[Cosigned]:
        """The verified cosignatures with `after` < (size, witness) <= `up_to`, None: all after."""
        ...

    def put_cosigned(self, verified: Sequence[Cosigned]) -> None: ...

    def ordered(self, cache: Cache) -> Iterator[CacheRow]:
        """All rows of a cache as they should be, by key."""
        ...
