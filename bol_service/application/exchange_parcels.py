"""What goes out: the envelope of an original that leaves, built once from the bill's stream.

1. One chain entry tells what happened since both sides last knew the same chain; the manifest ties
   it to the document and to the files that go with it.
2. It is kept as a document and named by SENT before anything leaves; every later try sends the
   same bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from http import HTTPStatus

from bol_service.application import travelling_fields
from bol_service.application.bill_files import supporting_of, visualisation_of
from bol_service.application.exchange_chain import (
    PartyOf,
    Signed,
    since_last_exchange,
    transactions,
)
from bol_service.application.exchange_desk import KIND_ATTACHMENT, KIND_ENVELOPE, Desk
from bol_service.application.exchange_history import KeptEnvelope, kept_envelope, last_known
from bol_service.application.exchange_parties import as_chain_party, stranger
from bol_service.application.exchange_ports import ExchangeBook, PeerAway, PeerLink
from bol_service.application.ports import Reading
from bol_service.crypto import peer_jws, strictjson
from bol_service.domain.events import Action, Imported, Issue
from bol_service.domain.identifiers import is_foreign
from bol_service.domain.states import BillState, Head, PartyState, Transit
from bol_service.wire.events import decode
from bol_service.wire.pint_answers import read_receiver_validation
from bol_service.wire.pint_building import (
    build_chain_entry,
    build_envelope,
    build_manifest,
    describe,
)
from bol_service.wire.pint_entry import chain_entry
from bol_service.wire.pint_envelope import DocumentMetadata, envelope_manifest, read_envelope
from bol_service.wire.pint_parties import ChainParty, foreign_name

_PAGE = 100


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


class Parcels:
    def __init__(self, desk: Desk, book: ExchangeBook) -> None:
        self._desk = desk
        self._book = book

    def of(self, state: BillState, transit: Transit, head: Head | None, link: PeerLink) -> Parcel:
        """The envelope for the act that waits; made, kept and named by SENT if there is none yet.

        Raises:
            errors.Refusal, NotReady, Busy, Uncertain: See `Desk.record`.
            LostEnvelope: The one that was made is not kept any more.
            PeerAway, PintFormatError: The peer could not be asked for its recipient.
        """
        if transit.sent is None:
            return self._first(state, transit, head, link)
        with self._desk.store.reading() as reading:
            kept = kept_envelope(reading, transit.sent.envelope)
            body = reading.contents([transit.sent.envelope])[transit.sent.envelope]
        return Parcel(body=body, kept=kept, transit=transit)

    def sealed_anew(self, bill: str, parcel: Parcel) -> Parcel:
        """The same chain and documents under a new manifest, for a peer that has refused the old
        one and would only repeat that. The ledger goes on naming the envelope that was made."""
        kept = parcel.kept
        manifest = build_manifest(
            document_checksum=bill,
            last_entry=parcel.last_entry,
            signer=self._desk.signer,
            visualisation=kept.manifest.visualisation,
            supporting=kept.manifest.supporting,
        )
        sealed = replace(kept.envelope, manifest=manifest)
        document = strictjson.canonical(sealed.document)
        root = sealed.root_issuance_manifest
        body = build_envelope(document, manifest=manifest, chain=sealed.chain, root_issuance=root)
        return Parcel(
            body=body,
            kept=KeptEnvelope(envelope=sealed, manifest=kept.manifest),
            transit=parcel.transit,
        )

    def _first(
        self, state: BillState, transit: Transit, head: Head | None, link: PeerLink
    ) -> Parcel:
        recipient = self._validated(transit, link)
        self._keep_fields(state)
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
        self._desk.record(Action.SENT, state.bill, head, details)
        manifest = envelope_manifest(peer_jws.parse(envelope.manifest).value)
        return Parcel(
            body=body, kept=KeptEnvelope(envelope=envelope, manifest=manifest), transit=transit
        )

    def _keep_fields(self, state: BillState) -> None:
        """Under its SHA-256, by which it is asked for; ISSUE names it by another digest."""
        with self._desk.store.reading() as reading:
            fields = travelling_fields.leaving(reading, _opening(reading, state.bill))
        if fields is not None:
            self._desk.keep_document(fields, KIND_ATTACHMENT)

    def _built(self, reading: Reading, state: BillState, recipient: ChainParty) -> bytes:
        stream = self._stream(reading, state)
        opening = _opening(reading, state.bill)
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
        picture = visualisation_of(reading, last, opening)
        manifest = build_manifest(
            document_checksum=state.bill,
            last_entry=entry,
            signer=self._desk.signer,
            visualisation=picture,
            supporting=(
                *supporting_of(reading, self._book, state, last, picture),
                *_fields_of(reading, last, opening),
            ),
        )
        document = reading.contents([opening.received_bytes])[opening.received_bytes]
        root = last.envelope.root_issuance_manifest if last is not None else None
        return build_envelope(document, manifest=manifest, chain=chain, root_issuance=root)

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
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise PeerAway(f"{transit.platform} answered 429 to who {transit.recipient} is")
        if reply.status != HTTPStatus.OK:
            return recipient  # the peer will say so in its signed answer
        return replace(recipient, name=read_receiver_validation(reply.content))


def _opening(reading: Reading, bill: str) -> Issue | Imported:
    entry = reading.entry_at(f"bill:{bill}", 0)
    assert entry is not None  # its state was made from it
    event = decode(entry.entry.event).event
    assert isinstance(event, Issue | Imported)
    return event


def _fields_of(
    reading: Reading, last: KeptEnvelope | None, opening: Issue | Imported
) -> list[DocumentMetadata]:
    """The file to disclose from, with the first transfer; later it is among what came."""
    content = travelling_fields.leaving(reading, opening) if last is None else None
    return [] if content is None else [travelling_fields.described(content)]


def _asked_before(state: BillState) -> str | None:
    """Who had asked for delivery before the acts that have to be told: one who asked abroad."""
    asked = state.surrendered_by
    return asked if asked is not None and is_foreign(asked) else None


def _issuance_manifest(stream: list[Signed]) -> str:
    payload = peer_jws.parse(stream[0].text).value
    manifest: str = payload["details"]["issuanceManifestSignedContent"]
    return manifest
