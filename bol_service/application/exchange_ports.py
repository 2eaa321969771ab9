"""What the exchange of originals needs from the outside, as protocols.

`storage` implements `ExchangeBook`: what is under way and not in the ledger yet. Everything that
counts is in the ledger; a lost book only costs another try. Whoever talks to a peer over a network
is a `PeerLink`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """An envelope that was offered to us under `reference`.

    `manifest` is the SHA-256 of its manifest's JWS text, `envelope` that of its bytes. It is open
    until `answer`, the compact JWS that we signed, is there; `status` is the HTTP status with it.
    A status without an answer: it is being accepted just now, and can no longer be closed.
    """

    reference: str
    bill: str
    sender: str
    manifest: str
    envelope: str
    opened: str
    answer: str | None = None
    status: int | None = None


class Stage(StrEnum):
    """How far an outbound transfer is. While it is before the last three, the bill is locked."""

    LOCKED = "LOCKED"
    STARTED = "STARTED"
    UPLOADING = "UPLOADING"
    FINISHING = "FINISHING"
    MOVED = "MOVED"
    REFUSED = "REFUSED"
    DISPUTED = "DISPUTED"


CLOSED = (Stage.MOVED, Stage.REFUSED, Stage.DISPUTED)


@dataclass(frozen=True, kw_only=True)
class Outbound:
    """One act that has to reach `platform`; `number` is that of the notice which asked for it.

    `since` is the sequence of the act on the bill's stream. `reference` is the peer's name for the
    transfer, `fault` why the last try failed, `answer` the peer's last signed answer. `lease` says
    until when somebody works on it; only who got it from `take_due` or `reach` may write.
    """

    number: int
    bill: str
    platform: str
    since: int
    stage: Stage
    attempts: int
    due: str
    reference: str | None = None
    fault: str | None = None
    answer: str | None = None
    lease: str = ""

    def is_being_tried(self, now: str) -> bool:
        """Whether a process works on it; one that died is taken to do so until its lease ends."""
        return self.lease >= now


class LeaseLost(RuntimeError):  # noqa: N818 - says what is the matter
    """It took so long that another process works on the transfer now."""


class ExchangeBook(Protocol):
    def open_transfer(self, bill: str) -> Inbound | None: ...

    def answered(self, manifest: str) -> list[Inbound]:
        """What was answered with a signature under this manifest, the newest first."""
        ...

    def inbound(self, reference: str) -> Inbound | None: ...

    def keep_inbound(self, transfer: Inbound) -> None:
        """Add it, or replace the one of the same reference."""
        ...

    def swap_inbound(self, was: Inbound, becomes: Inbound) -> bool:
        """Replace one that has no answer yet; False if somebody else has changed it since."""
        ...

    def inbounds(self, bill: str | None, limit: int, *, only_open: bool) -> list[Inbound]:
        """The newest first."""
        ...

    def held(self, bill: str) -> frozenset[str]:
        """Checksums of the documents that were received for this bill."""
        ...

    def hold(self, bill: str, checksum: str) -> None: ...

    def enlist(self, transfer: Outbound) -> None:
        """Add it unless its number is there already."""
        ...

    def last_number(self) -> int: ...

    def take_due(
        self, now: str, until: str, platforms: Collection[str], *, others: bool = False
    ) -> Outbound | None:
        """The first open transfer to one of `platforms` (with `others`: to none of them) that is
        due and that no other process works on, leased `until` then."""
        ...

    def reach(self, transfer: Outbound, until: str) -> Outbound:
        """Write what was reached, with the lease prolonged; raises LeaseLost."""
        ...

    def give_back(self, transfer: Outbound) -> None:
        """Write what was reached and end the lease; raises LeaseLost."""
        ...

    def outbounds(self, bill: str | None, limit: int) -> list[Outbound]:
        """The newest first."""
        ...

    def crossed(self, flow: Flow) -> None:
        """Add a line to the flow log; there is no other way to change it."""
        ...

    def flows(self, after: int, limit: int) -> list[tuple[int, Flow]]: ...


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What crossed the border (DR-05): which bytes, of which bill, to whom, on which ground."""

    at: str
    direction: str
    platform: str
    bill: str
    what: str
    digest: str
    size: int
    recipient: str
    basis: str


class PeerAway(RuntimeError):  # noqa: N818 - says what is the matter
    """The peer gave no answer that can be used; the same may be tried again."""


@dataclass(frozen=True, kw_only=True)
class PeerReply:
    status: int
    content: bytes


class PeerLink(Protocol):
    """One peer; every method raises PeerAway."""

    def post(self, path: str, body: bytes) -> PeerReply: ...

    def put(self, path: str, body: bytes) -> PeerReply: ...


Links = Mapping[str, PeerLink]
