"""Receiving originals: the receiver's side of DCSA PINT 3.0.

`verification.pint_chain` judges; here the judgement becomes an entry of the ledger
(`exchange_entries`) and a signed answer (`exchange_answers`).

1. An envelope that was answered for good before gets that answer again.
2. Judged against the ledger as it is. Nothing missing: the entry is recorded, then RECE is signed.
   The entry decides: whoever never gets the answer sends again and is told DUPE.
3. Documents missing: the envelope waits under a reference, and is judged once more when it is
   finished, since another transfer may have been accepted in between, or the operator may have
   closed this one (`exchange_closing`). Of accepting and closing one comes first.
4. What the law refuses is answered BENV, what contradicts the ledger DISE.
5. Nothing is signed for a caller that is known not to be the sender.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from http import HTTPStatus

from bol_service.application.exchange_answers import (
    Answers,
    Declined,
    Kept,
    SignedAnswer,
    Started,
    is_callers,
)
from bol_service.application.exchange_desk import KIND_ATTACHMENT, KIND_ENVELOPE, Desk, Found
from bol_service.application.exchange_entries import Entries
from bol_service.application.exchange_history import is_open, kept_envelope, known_history
from bol_service.application.exchange_ports import ExchangeBook, Inbound
from bol_service.crypto import peer_jws
from bol_service.crypto.peer_jws import text_digest
from bol_service.domain import errors
from bol_service.verification.pint_chain import claimed_sender, judge_envelope
from bol_service.verification.pint_documents import (
    AlreadyHeld,
    Fits,
    at_the_end,
    judge_document,
)
from bol_service.verification.pint_judgement import Accepted, Judgement, Refused, Unsigned
from bol_service.wire import pint_answers
from bol_service.wire.event_fields import instant_text
from bol_service.wire.peers import PeerOptions
from bol_service.wire.pint_answers import HTTP_STATUS, ResponseCode
from bol_service.wire.pint_entry import chain_entry
from bol_service.wire.pint_envelope import EblEnvelope, read_envelope
from bol_service.wire.pint_parties import IdentifyingCode

_ATTEMPTS = 5


class Reception:
    def __init__(self, desk: Desk, book: ExchangeBook, rulebook: str) -> None:
        self._desk = desk
        self._book = book
        self._answers = Answers(desk, book)
        self._entries = Entries(desk, book, rulebook)

    # -- the three steps of a transfer, and the question before it -----------------------------

    def start(self, body: bytes, caller: str | None) -> SignedAnswer | Started | Declined:
        """Raises PintFormatError for a body that is no envelope."""
        envelope = read_envelope(body)
        self._desk.require_ready()
        return self._judged(envelope, body, caller, finishing=False)

    def add_document(
        self, reference: str, checksum: str, encoded: str, caller: str | None
    ) -> Kept | SignedAnswer | Declined:
        transfer = self._book.inbound(reference)
        if transfer is None or not is_callers(transfer, caller):
            return _unknown(reference)
        with self._desk.store.reading() as reading:
            kept = kept_envelope(reading, transfer.envelope)
        if not is_open(transfer):
            # Never BENV: what was received would then be refused too, with a signature.
            return self._answers.refusal(
                kept.envelope, ResponseCode.INCD, f"the transfer {reference} is closed"
            )
        held = self._book.held(transfer.bill)
        judged = judge_document(kept.manifest, checksum, encoded, held=held)
        if isinstance(judged, Refused):
            return self._answers.refusal(kept.envelope, judged.code, judged.reason)
        if isinstance(judged, AlreadyHeld):
            return Kept()
        self._keep_attachment(transfer, kept.envelope, judged)
        return Kept()

    def finish(self, reference: str, caller: str | None) -> SignedAnswer | Started | Declined:
        transfer = self._book.inbound(reference)
        if transfer is None or not is_callers(transfer, caller):
            return _unknown(reference)
        if transfer.answer is not None and transfer.status is not None:
            return self._answers.again(transfer.answer, transfer.status)
        with self._desk.store.reading() as reading:
            body = reading.contents([transfer.envelope])[transfer.envelope]
        return self._judged(read_envelope(body), body, caller, finishing=True)

    def validate(self, code: IdentifyingCode) -> str | None:
        """The legal name of the one party that answers to the code and can receive."""
        return self._entries.receiver(code)

    # -- judging and concluding ----------------------------------------------------------------

    def _judged(
        self, envelope: EblEnvelope, body: bytes, caller: str | None, *, finishing: bool
    ) -> SignedAnswer | Started | Declined:
        for _ in range(_ATTEMPTS):
            begun = self._book.open_transfer(envelope.document_checksum)
            before = self._answers.concluded(envelope, caller)
            if before is not None:
                return before
            found = self._desk.find(envelope.document_checksum)
            judgement = self._judgement(envelope, found, caller, finishing=finishing)
            if isinstance(judgement, Unsigned):
                status = (
                    HTTPStatus.SERVICE_UNAVAILABLE if judgement.may_retry else HTTPStatus.FORBIDDEN
                )
                return Declined(status=status, reason=judgement.reason)
            if not isinstance(judgement, Accepted):
                return self._answers.answered(envelope, body, judgement, caller)
            refused = self._entries.misnamed(judgement, found)
            if refused is None and judgement.missing:
                started = self._started(envelope, body, judgement, begun)
                if started is not None:
                    return started
                continue
            if refused is None:
                if not self._claimed(begun):
                    continue
                refused = self._entries.record(judgement, envelope, body, found)
                if refused is None:
                    return self._answers.answered(envelope, body, judgement, caller)
                self._release(begun)
            if not isinstance(refused, errors.StaleHead):
                return self._answers.answered(envelope, body, _as_refused(refused), caller)
        reason = "the bill changed while it was judged; send the same envelope again"
        return Declined(status=HTTPStatus.SERVICE_UNAVAILABLE, reason=reason)

    def _judgement(
        self, envelope: EblEnvelope, found: Found, caller: str | None, *, finishing: bool
    ) -> Judgement:
        sender = claimed_sender(envelope)
        peer = self._desk.peers.platforms.get(sender) if sender is not None else None
        with self._desk.store.reading() as reading:
            judgement = judge_envelope(
                envelope,
                pins=self._desk.peers.pins,
                known=known_history(reading, self._book, envelope.document_checksum, found.state),
                me=self._desk.platform,
                moment=self._desk.clock.now(),
                knows=lambda party: self._entries.knows(reading, party, found),
                options=peer.options if peer is not None else PeerOptions(),
                caller=caller,
            )
        return at_the_end(judgement) if finishing else judgement

    def _claimed(self, begun: Inbound | None) -> bool:
        """From now on nobody closes what was begun; False if somebody just did."""
        if begun is None or begun.status is not None:
            return True
        return self._book.swap_inbound(begun, _accepting(begun))

    def _release(self, begun: Inbound | None) -> None:
        """The claim that was made on `begun`, as nothing was accepted; never that of another."""
        if begun is not None and begun.status is None:
            self._book.swap_inbound(_accepting(begun), begun)

    def _started(
        self, envelope: EblEnvelope, body: bytes, judgement: Accepted, begun: Inbound | None
    ) -> Started | None:
        """None if what was begun has just been closed."""
        digest = self._desk.keep_document(body, KIND_ENVELOPE)
        transfer = Inbound(
            reference=begun.reference if begun is not None else secrets.token_hex(16),
            bill=envelope.document_checksum,
            sender=judgement.sender,
            manifest=text_digest(envelope.manifest),
            envelope=digest,
            opened=begun.opened if begun is not None else self._now(),
            status=begun.status if begun is not None else None,
        )
        if begun is None:
            self._book.keep_inbound(transfer)
        elif not self._book.swap_inbound(begun, transfer):
            return None
        missing = tuple(each.checksum for each in judgement.missing)
        started = pint_answers.StartedResponse(
            reference=transfer.reference,
            document_checksum=envelope.document_checksum,
            last_checksum=envelope.last_checksum,
            missing=missing,
        )
        return Started(body=started.to_json())

    def _keep_attachment(self, transfer: Inbound, envelope: EblEnvelope, fits: Fits) -> None:
        self._desk.keep_document(fits.content, KIND_ATTACHMENT)
        self._book.hold(transfer.bill, fits.document.checksum)
        last = chain_entry(peer_jws.parse(envelope.chain[-1]).value).transactions[-1]
        self._entries.crossed(transfer.sender, transfer.bill, last, "document", fits.content)

    def _now(self) -> str:
        return instant_text(self._desk.clock.now())


def read_document_body(body: bytes) -> str | None:
    """The JSON string of an upload; None for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def _as_refused(refusal: errors.Refusal) -> Refused:
    contradicts = isinstance(
        refusal, errors.NumberUsed | errors.DuplicateCargo | errors.InTransit | errors.BadChain
    )
    code = ResponseCode.DISE if contradicts else ResponseCode.BENV
    return Refused(code=code, reason=f"{refusal.code}: {refusal.message}")


def _accepting(begun: Inbound) -> Inbound:
    return replace(begun, status=HTTP_STATUS[ResponseCode.RECE])


def _unknown(reference: str) -> Declined:
    return Declined(status=HTTPStatus.NOT_FOUND, reason=f"no transfer {reference} is known")
