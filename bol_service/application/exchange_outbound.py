"""Sending originals: the sender's side of DCSA PINT 3.0, driven by the outbox.

1. Each act that has to reach another platform left a notice in its own transaction; from it comes
   one row of the book, worked on by one process at a time and tried again until it is closed.
2. The envelope is built once: kept as a document, named by SENT in the ledger, and from then on the
   same bytes are sent however often it takes. Until SENT is recorded nothing has left.
3. Only an answer signed by the peer's pinned key, about our last entry, concludes: RECE and DUPE
   become MOVED, BSIG, BENV and DISE become NOT_MOVED. Anything else (silence, an error page, an
   answer about another chain) leaves the bill locked, and the same is tried again later.
4. A notice, which moves nothing, is owed until it is received: a refusal concludes nothing, and
   the same chain is offered again under a manifest signed anew, which the peer judges anew.
5. The row only remembers how far we got; what is true is in the ledger. A row that is behind the
   ledger after a crash is caught up with it.
6. Each peer is a lane of its own: one that hangs holds up nobody else's originals.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from urllib.parse import quote

import structlog

from bol_service.application.exchange_desk import KIND_ENVELOPE, Desk, NotReady
from bol_service.application.exchange_history import LostEnvelope
from bol_service.application.exchange_parcels import Parcel, Parcels
from bol_service.application.exchange_ports import (
    ExchangeBook,
    Flow,
    LeaseLost,
    Links,
    Outbound,
    PeerAway,
    PeerLink,
    PeerReply,
    Stage,
)
from bol_service.application.notices import EXCHANGE
from bol_service.application.ports import Unavailable
from bol_service.application.sequencer import Busy, Uncertain
from bol_service.crypto import peer_jws
from bol_service.domain import errors
from bol_service.domain.events import Action
from bol_service.domain.states import Transit
from bol_service.verification.pint_answer import Answer, Outcome, UntrustedAnswer, read_answer
from bol_service.wire.event_fields import instant_text
from bol_service.wire.pint_answers import (
    ResponseCode,
    StartedResponse,
    read_finished_response,
    read_signed_body,
    read_started_response,
)
from bol_service.wire.pint_building import describe
from bol_service.wire.pint_forms import PintFormatError

LEASE: Final = timedelta(minutes=2)
"""Longer than any single request to a peer may take; prolonged before each."""
LONGEST_PAUSE_SECONDS: Final = 300
LONGEST_REFUSED_SECONDS: Final = 3600
_PAGE = 100
_ATTEMPTS = 5
_SIGNED = (200, 409, 422)
_RETRY = (
    PeerAway,
    UntrustedAnswer,
    PintFormatError,
    LostEnvelope,
    NotReady,
    Unavailable,
    Busy,
    Uncertain,
    errors.Refusal,
)
_STAGES = {
    Outcome.MOVED: Stage.MOVED,
    Outcome.REFUSED: Stage.REFUSED,
    Outcome.DISPUTED: Stage.DISPUTED,
}

log = structlog.get_logger()


@dataclass(kw_only=True)
class Attempt:
    """One try of a transfer, under a lease that is prolonged before each request."""

    book: ExchangeBook
    transfer: Outbound
    lease: Callable[[], str]

    def reach(self, stage: Stage, reference: str | None = None) -> None:
        """Raises LeaseLost."""
        reached = replace(
            self.transfer, stage=stage, reference=reference or self.transfer.reference
        )
        self.transfer = self.book.reach(reached, self.lease())


def pause_seconds(attempts: int, longest: int) -> int:
    return min(1 << min(attempts, 20), longest)


class Dispatch:
    """`step` may be called by any number of processes at once."""

    def __init__(
        self, desk: Desk, book: ExchangeBook, links: Links, observe: Callable[[str], None]
    ) -> None:
        self._desk = desk
        self._parcels = Parcels(desk, book)
        self._book = book
        self._links = links
        self._observe = observe

    @property
    def lanes(self) -> tuple[str | None, ...]:
        """Every peer, and None for what was made out to platforms that are no peers any more."""
        return (*sorted(self._links), None)

    def step(self, lane: str | None) -> bool:
        """Work on one transfer of the lane that is due; False if there is none."""
        self._enlist()
        platforms = list(self._links) if lane is None else [lane]
        transfer = self._book.take_due(
            instant_text(self._desk.clock.now()), self._lease(), platforms, others=lane is None
        )
        if transfer is None:
            return False
        attempt = Attempt(book=self._book, transfer=transfer, lease=self._lease)
        try:
            self._book.give_back(self._tried(attempt))
        except LeaseLost as lost:
            log.warning("a transfer took too long", bill=transfer.bill, error=str(lost))
        return True

    def _lease(self) -> str:
        return instant_text(self._desk.clock.now() + LEASE)

    def _enlist(self) -> None:
        """A row for every notice that asks for a transfer and has none yet."""
        while True:
            with self._desk.store.reading() as reading:
                rows = reading.notices(EXCHANGE, self._book.last_number(), _PAGE)
            for row in rows:
                self._book.enlist(
                    Outbound(
                        number=row.number,
                        bill=row.stream.removeprefix("bill:"),
                        platform=str(row.facts["platform"]),
                        since=int(str(row.facts["since"])),
                        stage=Stage.LOCKED,
                        attempts=0,
                        due=row.at,
                    )
                )
            if len(rows) < _PAGE:
                return

    def _tried(self, attempt: Attempt) -> Outbound:
        try:
            return self._advanced(attempt)
        except _RETRY as error:
            return self._later(attempt.transfer, str(error), LONGEST_PAUSE_SECONDS)

    def _later(self, transfer: Outbound, fault: str, longest: int) -> Outbound:
        pause = pause_seconds(transfer.attempts, longest)
        due = self._desk.clock.now() + timedelta(seconds=pause)
        self._observe("retry")
        log.warning(
            "an original waits to leave",
            bill=transfer.bill,
            platform=transfer.platform,
            attempts=transfer.attempts + 1,
            error=fault,
            pause=pause,
        )
        return replace(
            transfer, attempts=transfer.attempts + 1, due=instant_text(due), fault=fault[:250]
        )

    def _advanced(self, attempt: Attempt) -> Outbound:
        transfer = attempt.transfer
        found = self._desk.find(transfer.bill)
        state = found.state
        transit = state.transit if state is not None else None
        if state is None or transit is None or transit.since != transfer.since:
            return self._caught_up(transfer)
        link = self._links.get(transfer.platform)
        if link is None:
            raise PeerAway(f"no address of {transfer.platform} is set; see BOL_PEERS")
        parcel = self._parcels.of(state, transit, found.head, link)
        is_notice = transit.after is None
        if is_notice and transfer.answer is not None:
            parcel = self._parcels.sealed_anew(transfer.bill, parcel)
        attempt.reach(Stage.STARTED)
        answer = self._delivered(attempt, parcel, link)
        if is_notice and answer.outcome is not Outcome.MOVED:
            return self._refused_notice(attempt.transfer, answer)
        self._conclude(transfer, answer)
        self._observe(str(_STAGES[answer.outcome]))
        return replace(
            attempt.transfer, stage=_STAGES[answer.outcome], answer=answer.text, fault=None
        )

    def _refused_notice(self, transfer: Outbound, answer: Answer) -> Outbound:
        """Nothing was offered that could be kept instead: it is owed until it is received."""
        response = answer.response
        fault = f"{transfer.platform} refused the notice, {response.code}: {response.reason}"
        owed = replace(transfer, stage=Stage.LOCKED, answer=answer.text)
        return self._later(owed, fault, LONGEST_REFUSED_SECONDS)

    def _caught_up(self, transfer: Outbound) -> Outbound:
        """The ledger concluded before this row did."""
        stream = f"bill:{transfer.bill}"
        with self._desk.store.reading() as reading:
            later = reading.entries(stream, transfer.since + 1, _PAGE)
        for entry in later:
            if entry.action in (Action.MOVED, Action.NOT_MOVED):
                text: str = peer_jws.parse(entry.entry.event).value["details"]["answer"]
                code = read_finished_response(peer_jws.parse(text).value).code
                refused = Stage.DISPUTED if code is ResponseCode.DISE else Stage.REFUSED
                stage = Stage.MOVED if entry.action == Action.MOVED else refused
                return replace(transfer, stage=stage, answer=text, fault=None)
        raise PeerAway(f"{stream} has no transfer since {transfer.since}")

    # -- the conversation -------------------------------------------------------------------------

    def _delivered(self, attempt: Attempt, parcel: Parcel, link: PeerLink) -> Answer:
        """What the peer signed in the end; raises PeerAway while it has signed nothing final."""
        transfer = attempt.transfer
        reply = link.post("/v3/envelopes", parcel.body)
        self._crossed(transfer, parcel.transit, KIND_ENVELOPE, parcel.body)
        if reply.status == 201:
            started = read_started_response(reply.content)
            place = f"/v3/envelopes/{quote(started.reference, safe='')}"
            self._upload(attempt, started, parcel, link, place)
            attempt.reach(Stage.FINISHING, started.reference)
            reply = link.put(f"{place}/finish-transfer", b"")
        answer = self._read(transfer, parcel, reply)
        if answer.outcome is Outcome.OPEN:
            raise PeerAway(f"{transfer.platform} answered {answer.response.code}; once more")
        return answer

    def _upload(
        self,
        attempt: Attempt,
        started: StartedResponse,
        parcel: Parcel,
        link: PeerLink,
        place: str,
    ) -> None:
        platform = attempt.transfer.platform
        undeclared = set(started.missing) - {each.checksum for each in parcel.documents}
        if undeclared:  # whatever else is kept here is none of the peer's business
            raise PeerAway(f"{platform} wants {min(undeclared)}, which belongs to another bill")
        with self._desk.store.reading() as reading:
            contents = reading.contents(started.missing)
        for checksum in started.missing:
            if checksum not in contents:
                raise PeerAway(f"{platform} wants {checksum}, which is not kept here")
            attempt.reach(Stage.UPLOADING, started.reference)
            encoded = json.dumps(base64.b64encode(contents[checksum]).decode()).encode()
            reply = link.put(f"{place}/additional-documents/{checksum}", encoded)
            if reply.status != 204:
                raise PeerAway(f"{platform} answered {reply.status} to {checksum}")
            self._crossed(attempt.transfer, parcel.transit, "document", contents[checksum])

    def _read(self, transfer: Outbound, parcel: Parcel, reply: PeerReply) -> Answer:
        if reply.status not in _SIGNED:
            raise PeerAway(f"{transfer.platform} answered {reply.status}, unsigned")
        return read_answer(
            read_signed_body(reply.content),
            pins=self._desk.peers.pins,
            receiver=transfer.platform,
            moment=self._desk.clock.now(),
            last_entry=parcel.last_entry,
            documents=[each.checksum for each in parcel.documents],
        )

    def _conclude(self, transfer: Outbound, answer: Answer) -> None:
        """Record what the peer has signed; others may have acted on the stream meanwhile, such as
        the carrier with a notation."""
        action = Action.MOVED if answer.outcome is Outcome.MOVED else Action.NOT_MOVED
        details = {"platform": transfer.platform, "answer": answer.text}
        for attempt in range(_ATTEMPTS):
            head = self._desk.find(transfer.bill).head
            try:
                self._desk.record(action, transfer.bill, head, details)
            except errors.StaleHead:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    def _crossed(self, transfer: Outbound, transit: Transit, what: str, content: bytes) -> None:
        digest = describe(content, name=what, media_type="application/octet-stream").checksum
        self._book.crossed(
            Flow(
                at=instant_text(self._desk.clock.now()),
                direction="OUT",
                platform=transfer.platform,
                bill=transfer.bill,
                what=what,
                digest=digest,
                size=len(content),
                recipient=transit.recipient,
                basis=f"act {transfer.since} of the bill",
            )
        )
