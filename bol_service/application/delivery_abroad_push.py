"""Offering evidence to platforms abroad: the log itself is the outbox.

1. Every entry of the log is looked at once, in order, after it was committed. One on the stream of
   a bill, or on one that a bill rests on, makes evidence due for everyone abroad who may see it.
2. Evidence is made when it is sent, so that it is the newest; it is not sent if it shows its reader
   nothing that the reader has not got.
3. It is tried again until the peer has taken it, after 1, 2, 4 … seconds, at most 5 minutes. Taken
   is also what the peer says it has newer.

Any number of processes may do this at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import structlog

from bol_service.application.delivery_abroad_home import flow_of
from bol_service.application.delivery_abroad_ports import (
    DeliveryBook,
    DeliveryPeers,
    Offer,
)
from bol_service.application.delivery_abroad_sight import CrossingDesk, ForeignReader, Made
from bol_service.application.exchange_ports import PeerAway
from bol_service.application.ports import Clock, Reading, Store, StoredEntry, Unavailable
from bol_service.application.receipts import NotCovered
from bol_service.domain import errors
from bol_service.domain.events import Action
from bol_service.domain.identifiers import StreamKind, parse_stream
from bol_service.wire.abroad import Kind, crossing_body
from bol_service.wire.event_fields import instant_text

LEASE: Final = timedelta(minutes=2)
LONGEST_PAUSE_SECONDS: Final = 300
OFFER_SECONDS: Final = 15.0
_PAGE: Final = 100
_TAKEN: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.CONFLICT)

log = structlog.get_logger()


class Offering:
    """`step` may be called by any number of processes at once."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        book: DeliveryBook,
        crossings: CrossingDesk,
        peers: DeliveryPeers,
        delay: timedelta = timedelta(0),
    ) -> None:
        """`delay` is what our witnesses take: peers may demand their cosignatures."""
        self._delay = delay
        self._store = store
        self._clock = clock
        self._book = book
        self._crossings = crossings
        self._peers = peers

    def step(self) -> bool:
        """Look at new entries and work on one offer that is due; False if there is none."""
        self._follow()
        now = self._clock.now()
        offer = self._book.take_offer(instant_text(now), instant_text(now + LEASE))
        if offer is None:
            return False
        self._book.settle_offer(self._tried(offer))
        return True

    # -- 1. what is due --------------------------------------------------------------------------

    def _follow(self) -> None:
        first = self._book.followed()
        if first is None:
            # What was recorded before this version is told when somebody asks for it.
            with self._store.reading() as reading:
                first = reading.log().size
            self._book.follow(first)
        while True:
            with self._store.reading() as reading:
                entries = reading.scan(first, _PAGE)
                bills = {bill for entry in entries for bill in _bills_of(reading, entry)}
            if not entries:
                return
            self._make_due(bills)
            first += len(entries)
            self._book.follow(first)

    def _make_due(self, bills: set[str]) -> None:
        platforms = frozenset(self._peers)
        due = instant_text(self._clock.now() + self._delay)
        for bill in sorted(bills):
            for reader in self._crossings.readers(bill, platforms):
                self._book.owe(reader.platform, bill, reader.name, due)

    # -- 2, 3. sending ---------------------------------------------------------------------------

    def _tried(self, offer: Offer) -> Offer:
        try:
            return self._sent(offer)
        except (PeerAway, Unavailable, NotCovered) as error:
            pause = min(2 ** min(offer.attempts, 20), LONGEST_PAUSE_SECONDS)
            due = self._clock.now() + timedelta(seconds=pause)
            log.warning(
                "evidence waits to be taken",
                bill=offer.bill,
                platform=offer.platform,
                reader=offer.reader,
                error=str(error),
                pause=pause,
            )
            return replace(
                offer,
                attempts=offer.attempts + 1,
                due=instant_text(due),
                fault=str(error)[:250],
            )

    def _sent(self, offer: Offer) -> Offer:
        done = replace(offer, due=None, fault=None)
        peer = self._peers.get(offer.platform)
        if peer is None:
            return done  # it is no peer any more
        try:
            made = self._crossings.make(
                offer.bill, ForeignReader(platform=offer.platform, name=offer.reader)
            )
        except errors.NotFound:
            return done  # it may see nothing any more
        if made.seen == offer.seen:
            return done
        self._crossed(offer, made)
        reply = peer.ask(Kind.OFFER, crossing_body(made.crossing), OFFER_SECONDS)
        if reply.status not in _TAKEN:
            raise PeerAway(f"{offer.platform} answered {reply.status}: {_beginning(reply.content)}")
        return replace(done, seen=made.seen)

    def _crossed(self, offer: Offer, made: Made) -> None:
        """Before it is sent: what is on its way may have arrived, whatever the answer."""
        self._book.crossed(
            flow_of(
                at=instant_text(self._clock.now()),
                direction="OUT",
                platform=offer.platform,
                bill=offer.bill,
                what="evidence",
                content=made.crossing.bundle.decode("utf-8"),
                recipient=offer.reader,
                basis=made.basis,
            )
        )


def _bills_of(reading: Reading, entry: StoredEntry) -> list[str]:
    """The bills about which an entry tells something."""
    stream = parse_stream(entry.stream)
    if stream.kind is StreamKind.BILL and stream.bill is not None:
        return [stream.bill]
    if stream.kind is StreamKind.CUSTODY and stream.container is not None:
        return reading.bills_with_container(stream.container)
    if entry.action == Action.APPOINT and stream.shipment is not None:
        return reading.find_bills(
            party=entry.actor,
            shippers=(),
            audited_country=None,
            after="",
            limit=_PAGE,
            filters={"shipment": stream.shipment},
        )
    return []


def _beginning(content: bytes) -> str:
    return content[:150].decode("utf-8", "replace").replace("\0", "\ufffd")
