"""What other platforms are answered: signed once, kept, and told again to the byte.

1. An envelope whose manifest and last entry were answered for good before gets that answer again,
   a refusal as well: its sender has the original back and may have given it to somebody else.
2. Nothing is kept for a caller that is known not to be the sender.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from bol_service.application.exchange_desk import Desk
from bol_service.application.exchange_ports import ExchangeBook, Inbound
from bol_service.crypto import peer_jws
from bol_service.crypto.jws import BadJws, BadSignature
from bol_service.crypto.peer_jws import text_digest
from bol_service.verification.pint_chain import claimed_sender
from bol_service.verification.pint_judgement import Accepted, Duplicate, Refused, answer_to
from bol_service.wire import pint_answers
from bol_service.wire.event_fields import instant_text
from bol_service.wire.pint_answers import HTTP_STATUS, FinishedResponse, ResponseCode
from bol_service.wire.pint_envelope import EblEnvelope, envelope_manifest


@dataclass(frozen=True, kw_only=True)
class SignedAnswer:
    """`text` is the compact JWS that this platform answers with."""

    text: str
    status: int


@dataclass(frozen=True, kw_only=True)
class Started:
    """Unsigned: documents are wanted under the reference."""

    body: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Declined:
    """Unsigned: nothing was judged; `status` says whether to try again."""

    status: HTTPStatus
    reason: str


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The document is here."""


class Answers:
    def __init__(self, desk: Desk, book: ExchangeBook) -> None:
        self._desk = desk
        self._book = book

    def concluded(self, envelope: EblEnvelope, caller: str | None) -> SignedAnswer | None:
        """The answer that was given for good about this manifest and last entry."""
        for row in self._book.answered(text_digest(envelope.manifest)):
            if row.answer is None or row.status is None or not is_callers(row, caller):
                continue
            told = pint_answers.read_finished_response(peer_jws.parse(row.answer).value)
            if told.last_checksum == envelope.last_checksum:
                return self.again(row.answer, row.status)
        return None

    def again(self, text: str, status: int) -> SignedAnswer:
        """The same bytes; the same content where our key has been replaced since, as the peer
        would take no signature of the old one."""
        parsed = peer_jws.parse(text)
        if parsed.header.get("kid") == self._desk.signer.kid:
            return SignedAnswer(text=text, status=status)
        return SignedAnswer(text=peer_jws.sign(parsed.payload, self._desk.signer), status=status)

    def answered(
        self,
        envelope: EblEnvelope,
        body: bytes,
        judgement: Accepted | Duplicate | Refused,
        caller: str | None,
    ) -> SignedAnswer:
        """Signed, and kept for good unless documents are missing only."""
        answer = answer_to(judgement, envelope)
        signed = self._signed(answer)
        if answer.code is ResponseCode.MDOC:
            return signed
        begun = self._book.open_transfer(envelope.document_checksum)
        refused = isinstance(judgement, Refused)
        if begun is not None and (not refused or _is_about(begun, envelope)):
            self._book.keep_inbound(replace(begun, answer=signed.text, status=signed.status))
        sender = (
            self._vouched(envelope, caller) if isinstance(judgement, Refused) else judgement.sender
        )
        if sender is not None:
            self._keep_answer(envelope, body, sender, signed)
        return signed

    def refusal(self, envelope: EblEnvelope, code: ResponseCode, reason: str) -> SignedAnswer:
        return self._signed(pint_answers.refused(envelope.last_checksum, code, reason))

    def _vouched(self, envelope: EblEnvelope, caller: str | None) -> str | None:
        """The platform of which the last entry certainly is: nobody else fills the book."""
        sender = claimed_sender(envelope)
        if sender is None or sender not in self._desk.peers.platforms or sender == caller:
            return caller
        pinned = self._desk.peers.pins.platforms.get(sender, ())
        try:
            peer_jws.verify(peer_jws.parse(envelope.chain[-1]), pinned, self._desk.clock.now())
        except (BadJws, BadSignature):
            return caller
        return sender

    def _keep_answer(
        self, envelope: EblEnvelope, body: bytes, sender: str, signed: SignedAnswer
    ) -> None:
        transfer = Inbound(
            reference=secrets.token_hex(16),
            bill=envelope.document_checksum,
            sender=sender,
            manifest=text_digest(envelope.manifest),
            envelope=hashlib.sha256(body).hexdigest(),
            opened=instant_text(self._desk.clock.now()),
            answer=signed.text,
            status=signed.status,
        )
        self._book.keep_inbound(transfer)

    def _signed(self, answer: FinishedResponse) -> SignedAnswer:
        text = pint_answers.finished_response(answer, self._desk.signer)
        return SignedAnswer(text=text, status=HTTP_STATUS[answer.code])


def is_callers(transfer: Inbound, caller: str | None) -> bool:
    return caller is None or caller == transfer.sender


def _is_about(begun: Inbound, envelope: EblEnvelope) -> bool:
    """Whether `envelope` is the one that was begun: its manifest, and the chain it is about."""
    if begun.manifest != text_digest(envelope.manifest):
        return False
    manifest = envelope_manifest(peer_jws.parse(envelope.manifest).value)
    return manifest.last_checksum == envelope.last_checksum
