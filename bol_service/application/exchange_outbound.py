"""Sending originals: the sender's side of DCSA PINT 3.0, driven by the outbox.

1. Each act that has to reach another platform left a notice in its own transaction; from it comes
   one row of the book, worked on by one process at a time and tried again until it is closed.
2. The envelope is built once: kept as a document, named by SENT in the ledger, and from then on the
   same bytes are sent however often it takes. Until SENT is recorded nothing has left.
3. Only an answer signed by the peer's pinned key, about our last entry, concludes: RECE and DUPE
   become MOVED, BSIG, BENV and DISE become NOT_MOVED. Anything else (silence, an error page, an
   answer about another chain) leaves the bill locked, and the same is tried again later.
4. The row only remembers how far we got; what is true is in the ledger. A row that is behind the
   ledger after a crash is caught up with it.
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

from bol_service.application.exchange_chain import (
    PartyOf,
    Signed,
    since_last_exchange,
    transactions,
)
from bol_service.application.exchange_desk import Desk, Found, NotReady
from bol_service.application.exchange_history import (
    KeptEnvelope,
    LostEnvelope,
    kept_envelope,
    last_known,
)
from bol_service.application.exchange_inbound import KIND_ENVELOPE
from bol_service.application.exchange_parties import as_chain_party, foreign_name, stranger
from bol_service.application.exchange_ports import (
    ExchangeBook,
    Flow,
    Links,
    Outbound,
    PeerAway,
    PeerLink,
    PeerReply,
    Stage,
)
from bol_service.application.notices import EXCHANGE
from bol_service.application.ports import Reading, Unavailable
from bol_service.application.sequencer import Busy, Uncertain
from bol_service.crypto import peer_jws
from bol_service.domain import errors
from bol_service.domain.events import Action, Imported, Issue
from bol_service.domain.identifiers import is_foreign
from bol_service.domain.states import BillState, PartyState, Transit
from bol_service.verification.pint_answer import (
    Answer,
    Outcome,
    UntrustedAnswer,
    read_answer,
)
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import decode
from bol_service.wire.pint_answers import (
    read_receiver_validation,
    read_signed_body,
    read_started_response,
)
from bol_service.wire.pint_building import (
    build_chain_entry,
    build_envelope,
    build_manifest,
    describe,
)
from bol_service.wire.pint_entry import chain_entry
from bol_service.wire.pint_envelope import DocumentMetadata, envelope_manifest, read_envelope
from bol_service.wire.pint_forms import PintFormatError
from bol_service.wire.pint_parties import ChainParty

LEASE: Final = timedelta(minutes=2)
LONGEST_PAUSE_SECONDS: Final = 300
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


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What goes out: the bytes of the envelope, and what is in them."""

    body: bytes
    kept: KeptEnvelope
    transit: Transit

    @property
    def last_entry(self) -> str:
        return self.kept.envelope.chain[-1]

    @property
    def documents(self) -> tuple[DocumentMetadata, ...]:
        return self.kept.manifest.documents


class Dispatch:
    """`step` may be called by any number of processes at once."""

    def __init__(
        self, desk: Desk, book: ExchangeBook, links: Links, observe: Callable[[str], None]
    ) -> None:
        self._desk = desk
        self._book = book
        self._links = links
        self._observe = observe

    def step(self) -> bool:
        """Work on one transfer that is due; False if there is none."""
        self._enlist()
        now = self._desk.clock.now()
        until = instant_text(now + LEASE)
        transfer = self._book.take_due(instant_text(now), until)
        if transfer is None:
            return False
        self._book.give_back(self._tried(transfer))
        return True

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

    def _tried(self, transfer: Outbound) -> Outbound:
        try:
            return self._advanced(transfer)
        except _RETRY as error:
            pause = min(2 ** min(transfer.attempts, 20), LONGEST_PAUSE_SECONDS)
            due = self._desk.clock.now() + timedelta(seconds=pause)
            self._observe("retry")
            log.warning(
                "an original waits to leave",
                bill=transfer.bill,
                platform=transfer.platform,
                attempts=transfer.attempts + 1,
                error=str(error),
                pause=pause,
            )
            return replace(
                transfer,
                attempts=transfer.attempts + 1,
                due=instant_text(due),
                fault=str(error)[:250],
            )

    def _advanced(self, transfer: Outbound) -> Outbound:
        found = self._desk.find(transfer.bill)
        state = found.state
        transit = state.transit if state is not None else None
        if state is None or transit is None or transit.since != transfer.since:
            return self._caught_up(transfer)
        link = self._links.get(transfer.platform)
        if link is None:
            raise PeerAway(f"no address of {transfer.platform} is set; see BOL_PEERS")
        parcel = self._parcel(state, transit, found, link)
        self._book.reach(replace(transfer, stage=Stage.STARTED))
        answer = self._delivered(transfer, parcel, link)
        self._conclude(transfer, answer)
        self._observe(str(_STAGES[answer.outcome]))
        return replace(transfer, stage=_STAGES[answer.outcome], answer=answer.text, fault=None)

    def _caught_up(self, transfer: Outbound) -> Outbound:
        """The ledger concluded before this row did."""
        stream = f"bill:{transfer.bill}"
        with self._desk.store.reading() as reading:
            later = reading.entries(stream, transfer.since + 1, _PAGE)
        for entry in later:
            if entry.action in (Action.MOVED, Action.NOT_MOVED):
                moved = entry.action == Action.MOVED
                return replace(transfer, stage=Stage.MOVED if moved else Stage.REFUSED)
        raise PeerAway(f"{stream} has no transfer since {transfer.since}")

    # -- the envelope, made once ------------------------------------------------------------------

    def _parcel(self, state: BillState, transit: Transit, found: Found, link: PeerLink) -> Parcel:
        if transit.sent is None:
            return self._first(state, transit, found, link)
        with self._desk.store.reading() as reading:
            kept = kept_envelope(reading, transit.sent.envelope)
            body = reading.contents([transit.sent.envelope])[transit.sent.envelope]
        return Parcel(body=body, kept=kept, transit=transit)

    def _first(self, state: BillState, transit: Transit, found: Found, link: PeerLink) -> Parcel:
        recipient = self._validated(transit, link)
        with self._desk.store.reading() as reading:
            body = self._built(reading, state, recipient)
        envelope = read_envelope(body)
        self._desk.keep_document(body, KIND_ENVELOPE)
        digest = describe(body, name=KIND_ENVELOPE, media_type="application/json").checksum
        details = {
            "platform": transit.platform,
            "envelope": digest,
            "lastEntry": envelope.last_checksum,
        }
        self._desk.record(Action.SENT, state.bill, found.head, details)
        manifest = envelope_manifest(peer_jws.parse(envelope.manifest).value)
        return Parcel(
            body=body, kept=KeptEnvelope(envelope=envelope, manifest=manifest), transit=transit
        )

    def _built(self, reading: Reading, state: BillState, recipient: ChainParty) -> bytes:
        stream = self._stream(reading, state)
        opening = stream[0].event
        assert isinstance(opening, Issue | Imported)
        last = last_known(reading, state)
        party_of = self._party_of(reading, last, recipient)
        entry = build_chain_entry(
            platform=self._desk.platform,
            document_checksum=state.bill,
            transactions=transactions(
                since_last_exchange(stream),
                party_of=party_of,
                carrier=state.carrier,
                surrendered_by=_asked_before(state),
            ),
            signer=self._desk.signer,
            issuance_manifest=None if last is not None else _issuance_manifest(stream),
            after=None if last is None else last.envelope.chain[-1],
        )
        chain = (*(last.envelope.chain if last is not None else ()), entry)
        manifest = build_manifest(
            document_checksum=state.bill,
            last_entry=entry,
            signer=self._desk.signer,
            visualisation=_visualisation(reading, last, opening),
            supporting=last.manifest.supporting if last is not None else (),
        )
        document = reading.contents([opening.received_bytes])[opening.received_bytes]
        return build_envelope(document, manifest=manifest, chain=chain)

    def _stream(self, reading: Reading, state: BillState) -> list[Signed]:
        entries, first = [], 0
        while True:
            page = reading.entries(f"bill:{state.bill}", first, _PAGE)
            entries += page
            if len(page) < _PAGE:
                break
            first += _PAGE
        return [
            Signed(event=decode(entry.entry.event).event, text=entry.entry.event)
            for entry in entries
        ]

    def _party_of(
        self, reading: Reading, last: KeptEnvelope | None, recipient: ChainParty
    ) -> PartyOf:
        met = {foreign_name(recipient): recipient}
        for text in last.envelope.chain if last is not None else ():
            for told in chain_entry(peer_jws.parse(text).value).transactions:
                for party in (told.actor, told.recipient):
                    if party is not None and party.platform != self._desk.platform:
                        met.setdefault(foreign_name(party), party)

        def party_of(name: str) -> ChainParty:
            if is_foreign(name):
                return met.get(name) or stranger(name)
            state, _ = reading.states([f"party:{name}"])[f"party:{name}"]
            assert isinstance(state, PartyState)
            return as_chain_party(state, self._desk.platform)

        return party_of

    def _validated(self, transit: Transit, link: PeerLink) -> ChainParty:
        """The recipient with the name that its own platform has for it, where it tells one."""
        recipient = stranger(transit.recipient)
        reply = link.post(
            "/v3/receiver-validation", json.dumps(recipient.codes[0].to_json()).encode()
        )
        if reply.status != 200:
            return recipient  # the peer will say so in its signed answer
        return replace(recipient, name=read_receiver_validation(reply.content))

    # -- the conversation -------------------------------------------------------------------------

    def _delivered(self, transfer: Outbound, parcel: Parcel, link: PeerLink) -> Answer:
        """What the peer signed in the end; raises PeerAway while it has signed nothing final."""
        reply = link.post("/v3/envelopes", parcel.body)
        self._crossed(transfer, parcel.transit, KIND_ENVELOPE, parcel.body)
        if reply.status == 201:
            started = read_started_response(reply.content)
            place = f"/v3/envelopes/{quote(started.reference, safe='')}"
            self._book.reach(replace(transfer, stage=Stage.UPLOADING, reference=started.reference))
            self._upload(transfer, parcel, link, place, started.missing)
            self._book.reach(replace(transfer, stage=Stage.FINISHING, reference=started.reference))
            reply = link.put(f"{place}/finish-transfer", b"")
        answer = self._read(transfer, parcel, reply)
        if answer.outcome is Outcome.OPEN:
            raise PeerAway(f"{transfer.platform} answered {answer.response.code}; once more")
        return answer

    def _upload(
        self,
        transfer: Outbound,
        parcel: Parcel,
        link: PeerLink,
        place: str,
        missing: tuple[str, ...],
    ) -> None:
        with self._desk.store.reading() as reading:
            contents = reading.contents(missing)
        for checksum in missing:
            if checksum not in contents:
                raise PeerAway(f"{transfer.platform} wants {checksum}, which is not kept here")
            encoded = json.dumps(base64.b64encode(contents[checksum]).decode()).encode()
            reply = link.put(f"{place}/additional-documents/{checksum}", encoded)
            if reply.status != 204:
                raise PeerAway(f"{transfer.platform} answered {reply.status} to {checksum}")
            self._crossed(transfer, parcel.transit, "document", contents[checksum])

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


def _asked_before(state: BillState) -> str | None:
    """Who had asked for delivery before the acts that have to be told: one who asked abroad."""
    asked = state.surrendered_by
    return asked if asked is not None and is_foreign(asked) else None


def _issuance_manifest(stream: list[Signed]) -> str:
    payload = peer_jws.parse(stream[0].text).value
    manifest: str = payload["details"]["issuanceManifestSignedContent"]
    return manifest


def _visualisation(
    reading: Reading, last: KeptEnvelope | None, opening: Issue | Imported
) -> DocumentMetadata | None:
    """As in the first transfer; in that one the carrier's own, if it was uploaded here."""
    if last is not None:
        return last.manifest.visualisation
    checksum = opening.manifest.visualisation_checksum if isinstance(opening, Issue) else None
    content = reading.contents([checksum]).get(checksum) if checksum is not None else None
    if content is None:
        return None
    return describe(content, name="visualisation.pdf", media_type="application/pdf")
