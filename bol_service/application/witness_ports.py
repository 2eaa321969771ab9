"""What publishing the log, and witnessing it, need from the outside, as protocols.

`storage` implements `PublicReading` (as part of every `Reading`), `CosignatureBook` and
`WitnessBook`; whoever talks to a witness over a network is a `WitnessPeer`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Cosignature:
    """A witness's signature line under the checkpoint of `size`; `witness` is a `witness_id`."""

    size: int
    witness: str
    line: str


@dataclass(frozen=True, kw_only=True)
class Witnessed:
    """The largest checkpoint of another log that this service cosigned; `note` bears the log's
    signature and the cosignature."""

    origin: str
    size: int
    root: bytes
    note: str


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """A checkpoint that its log signed and that was not shown to continue `kept`, what we had
    cosigned; `offered` bears the log's own signatures alone. `is_fork`: both are of one size."""

    origin: str
    size: int
    root: bytes
    is_fork: bool
    at: datetime
    kept: str | None
    offered: str


class WitnessAway(RuntimeError):  # noqa: N818 - says what is the matter
    """A witness gave no answer that can be used."""


@dataclass(frozen=True, kw_only=True)
class PeerAnswer:
    status: int
    media_type: str
    content: bytes


class PublicReading(Protocol):
    """What of the log anyone may read, and the cosignatures under its checkpoints."""

    def complete_nodes(self, level: int, first: int, count: int) -> list[bytes]:
        """Nodes `first` and after of a level of the tree; fewer where they do not exist yet."""
        ...

    def public_entries(self, first: int, count: int) -> list[bytes]:
        """The 72-byte entries from index `first`."""
        ...

    def cosignatures(self, size: int) -> list[Cosignature]: ...

    def cosigned(self, at_least: int, limit: int, *, newest: bool) -> list[Cosignature]:
        """Cosignatures under checkpoints of at least this size, of the newest or the oldest."""
        ...

    def cosigned_after(
        self, after: tuple[int, str], limit: int
    ) -> list[tuple[Cosignature, str | None]]:
        """Cosignatures by size and witness, those after this place, each with the checkpoint that
        it is under (None: there is none)."""
        ...

    def last_cosigned(self, witness: str) -> int:
        """The size of the largest checkpoint that this witness cosigned, 0 for none."""
        ...


class CosignatureBook(Protocol):
    def add_cosignature(self, cosignature: Cosignature) -> None:
        """Keep it; the first one of a witness at a size stays."""
        ...


class WitnessBook(Protocol):
    def witnessed(self, origin: str) -> Witnessed | None: ...

    def advance(self, origin: str, decide: Callable[[Witnessed | None], Witnessed]) -> Witnessed:
        """Replace what is kept for `origin` by what `decide` makes of it, as one atomic step.

        Durable when it returns; what `decide` raises leaves everything as it was.
        """
        ...

    def keep_dispute(self, dispute: Dispute) -> None:
        """Durable when it returns; the first one about a checkpoint stays, and a log of which the
        most that are kept are there gets no more."""
        ...

    def disputes(self) -> Sequence[Dispute]:
        """All that are kept, the oldest first."""
        ...

    def count_disputes(self) -> dict[tuple[str, bool], int]:
        """How many are kept, by origin and `is_fork`."""
        ...


class WitnessPeer(Protocol):
    """Another party's witness. Both raise WitnessAway."""

    def add_checkpoint(self, request: bytes) -> PeerAnswer: ...

    def latest(self, origin: str) -> str | None:
        """The note that the witness cosigned last for a log; None if it knows none."""
        ...
