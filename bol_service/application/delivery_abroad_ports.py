"""What the delivery of a bill on another platform needs from the outside, as protocols.

Two sides: *home* is the platform of issue, on whose ledger custody, delivery orders and GATE_OUT
are; *abroad* the one whose parties keep and clear the cargo. Every platform is both. `storage`
implements `DeliveryBook`; `pint` implements `DeliveryPeer`. Nothing of the book is part of the law:
lost, it can be asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from bol_service.application.exchange_ports import Flow, PeerReply
from bol_service.verification.trust import Trust
from bol_service.wire.abroad import Kind


class RefusedAbroad(Exception):  # noqa: N818 - says what happened
    """A refusal that is none of the law; `code` is in the catalogue of `http.problems`."""

    code: ClassVar[str]


class NotReached(RefusedAbroad):
    """The party is not registered through the platform that speaks for it."""

    code = "not_reached"


class PeerSilent(RefusedAbroad):
    """The other platform gave no usable answer in time. Whether it has recorded an event that was
    relayed is not known; the same may be sent again."""

    code = "peer_unreachable"
    retry_after: ClassVar[int] = 2


class BadEvidence(RefusedAbroad):
    """Evidence from another platform that proves nothing to this reader."""

    code = "bad_evidence"


class NotCosigned(BadEvidence):
    """Evidence that lacks a cosignature which its witnesses give a moment later."""


class OldEvidence(RefusedAbroad):
    """Evidence that is older than what is kept."""

    code = "old_evidence"


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A party of `platform`, `name` there, wants to be `party` here with the key `kid`.

    `application` is canonical JSON: the details of its REGISTER. It is reached through `platform`
    from the moment on that the operator has registered `party` with this very key.
    """

    platform: str
    name: str
    party: str
    kid: str
    application: str
    at: str


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Evidence of `bill` that is owed to `reader` of `platform`.

    `asked` counts how often it fell due. `seen` is what the evidence showed that was taken last, as
    a digest; None before the first.
    """

    platform: str
    bill: str
    reader: str
    asked: int
    attempts: int
    due: str | None
    seen: str | None = None
    fault: str | None = None


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Verified evidence of another platform's ledger, the newest for this bill and reader."""

    platform: str
    bill: str
    reader: str
    at: str
    size: int
    cover: str
    bundle: bytes
    received: str


@dataclass(frozen=True, kw_only=True)
class PartyAbroad:
    """The party `party` of this platform has applied to be `name` on `platform`."""

    party: str
    platform: str
    name: str
    at: str


class DeliveryBook(Protocol):
    # -- home ------------------------------------------------------------------------------------

    def add_application(self, applied: Applied) -> bool:
        """False if an application with this key is there already."""
        ...

    def application(self, kid: str) -> Applied | None: ...

    def applications(self, limit: int) -> list[tuple[int, Applied]]:
        """The newest first, with their numbers."""
        ...

    def applications_of(self, platform: str, name: str) -> list[Applied]: ...

    def applications_for(self, party: str) -> list[Applied]: ...

    def followed(self) -> int | None:
        """How many entries of the log have been looked at; None before the first look."""
        ...

    def follow(self, size: int) -> None: ...

    def owe(self, platform: str, bill: str, reader: str, due: str) -> None:
        """Evidence is due; what was seen last stays known."""
        ...

    def take_offer(self, now: str, until: str) -> Offer | None:
        """One that is due and that no other process works on, leased `until` then."""
        ...

    def settle_offer(self, offer: Offer) -> None:
        """Write what came of it and end the lease; one that fell due anew meanwhile stays due."""
        ...

    def crossed(self, flow: Flow) -> None: ...

    # -- abroad ----------------------------------------------------------------------------------

    def add_party_abroad(self, party: PartyAbroad) -> None: ...

    def parties_abroad(self, party: str) -> list[PartyAbroad]: ...

    def keep(self, kept: Kept, containers: Sequence[str]) -> None:
        """Add it, or put it in the place of an older one; a newer one that came in between stays.

        Raises:
            OldEvidence: A newer one is there.
        """
        ...

    def kept(self, platform: str, bill: str, reader: str) -> Kept | None: ...

    def kept_by(self, reader: str, limit: int) -> list[Kept]: ...

    def kept_for(self, container: str, reader: str) -> list[Kept]: ...

    def root_at(self, platform: str, size: int) -> str | None: ...

    def keep_root(self, platform: str, size: int, root: str) -> None: ...


class DeliveryPeer(Protocol):
    """One peer that evidence is exchanged with; both methods raise PeerAway."""

    @property
    def trust(self) -> Trust: ...

    def ask(self, kind: Kind, body: Mapping[str, Any], seconds: float) -> PeerReply:
        """Its answer; PeerAway if there is none within `seconds`, however slowly it comes."""
        ...


DeliveryPeers = Mapping[str, DeliveryPeer]
