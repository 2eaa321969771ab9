"""Parties of this platform that keep or clear cargo whose bill was issued on another one.

They speak to this platform only. What they sign for the other ledger is theirs from end to end; we
look whether the key is one that speaks for this very party here, hand it over, and pass the answer
on as it came. Nothing is kept for later: who gets no answer sends the same again, and gets the same
receipt.

Who holds a bill here that was issued there asks for its evidence as its holder: between two parties
of this platform the bill passes without a word to the other one, which knows the first holder only.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from bol_service.application.delivery_abroad_home import flow_of
from bol_service.application.delivery_abroad_kept import read_kept
from bol_service.application.delivery_abroad_ports import (
    BadEvidence,
    DeliveryBook,
    DeliveryPeer,
    DeliveryPeers,
    Kept,
    NotReached,
    PartyAbroad,
    PeerSilent,
)
from bol_service.application.delivery_abroad_release import Pulling
from bol_service.application.exchange_ports import PeerAway, PeerReply
from bol_service.application.ports import Clock, Store
from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.domain.events import GateOut
from bol_service.domain.identifiers import party_stream
from bol_service.domain.states import BillState, PartyState, Status
from bol_service.verification.trust import Trust
from bol_service.wire.abroad import Kind, read_application
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import decode

RELAY_SECONDS: Final = 20.0
_PAGE: Final = 200


class PartiesAbroad:
    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        book: DeliveryBook,
        peers: DeliveryPeers,
        pulling: Pulling,
    ) -> None:
        self._store = store
        self._clock = clock
        self._book = book
        self._peers = peers
        self._pulling = pulling

    # -- what a party signs ------------------------------------------------------------------------

    def apply(self, party: str, platform: str, application: Mapping[str, Any]) -> PeerReply:
        """Ask the other platform's operator to register `party`; resending is safe.

        Raises:
            errors.Refusal: The application is not well formed, its key is none of the party's.
            PeerSilent: See there.
        """
        peer = self._peer(platform)
        read = read_application(dict(application), peer.trust.origin)
        self._require_own_key(party, read.kid)
        content = strictjson.canonical(dict(application)).decode("utf-8")
        self._crossed(platform, "", "application", content, party)
        body = {"name": party, "application": dict(application)}
        reply = self._asked(platform, Kind.APPLICATION, body)
        if reply.status in (HTTPStatus.OK, HTTPStatus.ACCEPTED):
            now = instant_text(self._clock.now())
            self._book.add_party_abroad(
                PartyAbroad(party=party, platform=platform, name=read.party, at=now)
            )
        return reply

    def relay(self, party: str, compact: str) -> PeerReply:
        """Hand a signed event to the platform whose ledger it is for.

        Raises:
            errors.Refusal: It is not well formed, for no peer's ledger, or not signed with a key
                that speaks for `party` here.
            NotReached: `party` has not applied there under the name that acts.
            PeerSilent: See there.
        """
        signed = decode(compact)
        event = signed.event
        platform = self._platform_of(event.audience)
        self._require_own_key(party, signed.parsed.kid)
        names = {own.name for own in self._names(party, platform)}
        if event.actor not in names:
            raise NotReached(
                f"{event.actor} acts, {party} is known on {platform} as "
                f"{', '.join(sorted(names)) or 'nobody'}; apply for the registration first"
            )
        bill = event.bill if isinstance(event, GateOut) else ""
        self._crossed(platform, bill, "event", compact, event.actor, event.stream)
        return self._asked(platform, Kind.EVENT, {"name": party, "event": compact})

    def head(self, party: str, origin: str, stream: str) -> PeerReply:
        """The head of a stream of the other ledger, as that platform tells it to this party."""
        platform = self._platform_of(origin)
        return self._asked(platform, Kind.HEAD, {"name": party, "stream": stream})

    # -- evidence ----------------------------------------------------------------------------------

    def kept(self, party: str) -> list[dict[str, Any]]:
        """What evidence is kept for the party, the newest first."""
        return [_summary(kept) for kept in self._book.kept_by(party, _PAGE)]

    def evidence(self, party: str, platform: str, bill: str, *, fresh: bool) -> Kept:
        """The evidence of one bill that is kept; with `fresh` asked for now, and never older.

        Raises:
            errors.NotFound: Nothing is kept; with `fresh`, that platform shows this party nothing.
            PeerSilent: See there.
            BadEvidence: What came now proves nothing, and was not kept.
        """
        if fresh:
            self._ask_anew(party, platform, bill)
        found = self._book.kept(platform, bill, party)
        if found is None:
            raise errors.NotFound(f"no evidence of bill {bill} on {platform} for you")
        return found

    def trust_of(self, platform: str) -> Trust:
        """The platform's keys as they are pinned here; raises UnknownPeer."""
        return self._peer(platform).trust

    @property
    def trusts(self) -> list[Trust]:
        """The pinned keys of all platforms that deliveries are exchanged with."""
        return [peer.trust for peer in self._peers.values()]

    def _ask_anew(self, party: str, platform: str, bill: str) -> None:
        held = {"holds": True} if self._holds(party, bill, platform) else {}
        pulled = self._pulling.pull(platform, party, {"bill": bill, **held})
        if pulled.fault == BadEvidence.code:
            raise BadEvidence(f"{platform}: {pulled.why}")
        if pulled.fault is not None:
            raise PeerSilent(f"{platform}: {pulled.why}")
        if bill not in {kept.bill for kept in pulled.kept}:
            raise errors.NotFound(f"{platform} shows {party} nothing of bill {bill}")

    def _holds(self, party: str, bill: str, platform: str) -> bool:
        """Whether the original is here, issued there, and the party possesses it or has title."""
        stream = f"bill:{bill}"
        with self._store.reading() as reading:
            state, _ = reading.states([stream]).get(stream, (None, None))
        if not isinstance(state, BillState) or state.home != platform:
            return False
        control = state.control
        return state.status is not Status.MOVED and party in (
            control.possessor,
            control.title_holder,
        )

    # -- checks ------------------------------------------------------------------------------------

    def _names(self, party: str, platform: str) -> list[PartyAbroad]:
        return [own for own in self._book.parties_abroad(party) if own.platform == platform]

    def _require_own_key(self, party: str, kid: str) -> None:
        stream = party_stream(party)
        with self._store.reading() as reading:
            state, _ = reading.states([stream])[stream]
        assert isinstance(state, PartyState)
        if state.suspended:
            raise errors.Suspended(f"{party} is suspended", pointer="/actor")
        key = state.key(kid)
        if key is None:
            raise errors.WrongKey(f"{kid} is not a key of {party} here", pointer="/kid")
        if not key.counts_at(self._clock.now()):
            raise errors.KeyRevoked(f"key {kid} does not count here any more", pointer="/kid")

    def _peer(self, platform: str) -> DeliveryPeer:
        peer = self._peers.get(platform)
        if peer is None:
            raise errors.UnknownPeer(f"no deliveries are exchanged with {platform}")
        return peer

    def _platform_of(self, origin: str) -> str:
        for code, peer in self._peers.items():
            if peer.trust.origin == origin:
                return code
        raise errors.UnknownPeer(f"no deliveries are exchanged with the ledger {origin}")

    def _asked(self, platform: str, kind: Kind, body: Mapping[str, Any]) -> PeerReply:
        try:
            reply = self._peer(platform).ask(kind, body, RELAY_SECONDS)
        except PeerAway as error:
            raise PeerSilent(str(error)) from None
        try:
            is_object = isinstance(strictjson.loads_document(reply.content), dict)
        except strictjson.BadJson:
            is_object = False
        if not is_object:  # a proxy's page is no answer of the platform
            raise PeerSilent(f"{platform} answered {reply.status} with what is no JSON object")
        return reply

    def _crossed(
        self, platform: str, bill: str, what: str, content: str, name: str, basis: str = ""
    ) -> None:
        self._book.crossed(
            flow_of(
                at=instant_text(self._clock.now()),
                direction="OUT",
                platform=platform,
                bill=bill,
                what=what,
                content=content,
                recipient=name,
                basis=basis or "the party's own signed request",
            )
        )


def _summary(kept: Kept) -> dict[str, Any]:
    cover, shown, _ = read_kept(kept)
    return {
        "platform": kept.platform,
        "origin": cover.origin,
        "bill": kept.bill,
        "transportDocumentReference": shown.reference,
        "shipment": shown.shipment,
        "status": shown.stated,
        "containers": [
            {
                "container": container,
                "place": str(shown.boxes[container].place) if container in shown.boxes else None,
            }
            for container in shown.containers
        ],
        "asOf": kept.at,
    }
