"""Receiving originals: the receiver's side of DCSA PINT 3.0.

`verification.pint_chain` judges; here the judgement becomes an entry of the ledger and a signed
answer.

1. An envelope whose manifest and last entry were answered for good before gets that answer again,
   a refusal as well: its sender has the original back and may have given it to somebody else.
2. Judged against the ledger as it is. Nothing missing: the entry is recorded, then RECE is signed.
   The entry decides: whoever never gets the answer sends again and is told DUPE.
3. Documents missing: the envelope waits under a reference, and is judged once more when it is
   finished, since another transfer may have been accepted in between, or the operator may have
   closed this one (`exchange_closing`). Of accepting and closing one comes first.
4. What the law refuses is answered BENV, what contradicts the ledger DISE.
5. Nothing is signed for a caller that is known not to be the sender.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from bol_service.application.documents import DocumentKind
from bol_service.application.exchange_desk import Desk, Found
from bol_service.application.exchange_history import is_open, kept_envelope, known_history
from bol_service.application.exchange_parties import (
    NameOf,
    named_in_document,
    names,
    own_slug,
    slug_for,
)
from bol_service.application.exchange_ports import ExchangeBook, Flow, Inbound
from bol_service.application.ports import Reading
from bol_service.crypto import peer_jws, strictjson
from bol_service.crypto.jws import BadJws, BadSignature
from bol_service.crypto.peer_jws import text_digest
from bol_service.domain import errors
from bol_service.domain.document import BillKind, DocumentFacts
from bol_service.domain.events import Action
from bol_service.domain.states import OPERATOR, PartyState
from bol_service.verification.pint_chain import claimed_sender, judge_envelope
from bol_service.verification.pint_documents import (
    AlreadyHeld,
    Fits,
    judge_document,
    judge_finish,
)
from bol_service.verification.pint_judgement import (
    Accepted,
    Duplicate,
    Judgement,
    Refused,
    Unsigned,
    answer_to,
)
from bol_service.verification.pint_possession import ENDORSEMENTS, ForeignAct
from bol_service.wire import pint_answers
from bol_service.wire.document import DocumentError, read_document
from bol_service.wire.event_fields import instant_text
from bol_service.wire.peers import PeerOptions
from bol_service.wire.pint_answers import HTTP_STATUS, FinishedResponse, ResponseCode
from bol_service.wire.pint_entry import Transaction, chain_entry
from bol_service.wire.pint_envelope import EblEnvelope, envelope_manifest, read_envelope
from bol_service.wire.pint_parties import ChainParty, IdentifyingCode

KIND_ENVELOPE = "envelope"
KIND_ATTACHMENT = "attachment"
_ATTEMPTS = 5
_UNTITLED = frozenset({"ISSUE", "TRANSFER", "SIGN"})
"""Acts that change nobody's title."""


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


class Reception:
    def __init__(self, desk: Desk, book: ExchangeBook, rulebook: str) -> None:
        self._desk = desk
        self._book = book
        self._rulebook = rulebook

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
        if transfer is None or not _is_callers(transfer, caller):
            return _unknown(reference)
        with self._desk.store.reading() as reading:
            kept = kept_envelope(reading, transfer.envelope)
        if not is_open(transfer):
            # Never BENV: what was received would then be refused too, with a signature.
            return self._refusal(
                kept.envelope, ResponseCode.INCD, f"the transfer {reference} is closed"
            )
        held = self._book.held(transfer.bill)
        judged = judge_document(kept.manifest, checksum, encoded, held=held)
        if isinstance(judged, Refused):
            return self._refusal(kept.envelope, judged.code, judged.reason)
        if isinstance(judged, AlreadyHeld):
            return Kept()
        self._keep_attachment(transfer, kept.envelope, judged)
        return Kept()

    def finish(self, reference: str, caller: str | None) -> SignedAnswer | Started | Declined:
        transfer = self._book.inbound(reference)
        if transfer is None or not _is_callers(transfer, caller):
            return _unknown(reference)
        if transfer.answer is not None and transfer.status is not None:
            return self._again(transfer.answer, transfer.status)
        with self._desk.store.reading() as reading:
            body = reading.contents([transfer.envelope])[transfer.envelope]
        return self._judged(read_envelope(body), body, caller, finishing=True)

    def validate(self, code: IdentifyingCode) -> str | None:
        """The legal name of the one party that answers to the code and can receive."""
        with self._desk.store.reading() as reading:
            slug = slug_for(reading, code)
            state = None if slug is None else _receiver(reading, slug, self._rulebook)
        return None if state is None else state.identity.legal_name

    # -- judging and concluding ----------------------------------------------------------------

    def _judged(
        self, envelope: EblEnvelope, body: bytes, caller: str | None, *, finishing: bool
    ) -> SignedAnswer | Started | Declined:
        for _ in range(_ATTEMPTS):
            begun = self._book.open_transfer(envelope.document_checksum)
            before = self._concluded(envelope, caller)
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
                return self._answered(envelope, body, judgement, caller)
            refused = self._misnamed(judgement, found)
            if refused is None and judgement.missing:
                started = self._started(envelope, body, judgement, begun)
                if started is not None:
                    return started
                continue
            if refused is None:
                if not self._claimed(begun):
                    continue
                refused = self._record(judgement, envelope, body, found)
                if refused is None:
                    return self._answered(envelope, body, judgement, caller)
                self._release(begun)
            if not isinstance(refused, errors.StaleHead):
                return self._answered(envelope, body, _as_refused(refused), caller)
        reason = "the bill changed while it was judged; send the same envelope again"
        return Declined(status=HTTPStatus.SERVICE_UNAVAILABLE, reason=reason)

    def _judgement(
        self, envelope: EblEnvelope, found: Found, caller: str | None, *, finishing: bool
    ) -> Judgement:
        sender = claimed_sender(envelope)
        peer = self._desk.peers.platforms.get(sender) if sender is not None else None
        judge = judge_finish if finishing else judge_envelope
        with self._desk.store.reading() as reading:
            return judge(
                envelope,
                pins=self._desk.peers.pins,
                known=known_history(reading, self._book, envelope.document_checksum, found.state),
                me=self._desk.platform,
                moment=self._desk.clock.now(),
                knows=lambda party: self._knows(reading, party, found),
                options=peer.options if peer is not None else PeerOptions(),
                caller=caller,
            )

    def _knows(self, reading: Reading, party: ChainParty, found: Found) -> bool:
        slug = own_slug(reading, party)
        if slug is None:
            return False
        if found.state is not None and slug == found.state.carrier:
            return True  # a surrender goes to the carrier, which never holds otherwise
        return _receiver(reading, slug, self._rulebook) is not None

    def _concluded(self, envelope: EblEnvelope, caller: str | None) -> SignedAnswer | None:
        """The answer that was given for good about this manifest and last entry."""
        for row in self._book.answered(text_digest(envelope.manifest)):
            if row.answer is None or row.status is None or not _is_callers(row, caller):
                continue
            told = pint_answers.read_finished_response(peer_jws.parse(row.answer).value)
            if told.last_checksum == envelope.last_checksum:
                return self._again(row.answer, row.status)
        return None

    def _again(self, text: str, status: int) -> SignedAnswer:
        """The same bytes; the same content where our key has been replaced since, as the peer
        would take no signature of the old one."""
        parsed = peer_jws.parse(text)
        if parsed.header.get("kid") == self._desk.signer.kid:
            return SignedAnswer(text=text, status=status)
        return SignedAnswer(text=peer_jws.sign(parsed.payload, self._desk.signer), status=status)

    def _misnamed(self, judgement: Accepted, found: Found) -> errors.Refusal | None:
        """What a chain cannot say of our own parties: that one acted elsewhere, or that one has the
        title who is not here or could not hold it."""
        me = self._desk.platform
        with self._desk.store.reading() as reading:
            for act in judgement.new:
                if act.actor.platform == me and act.action not in _UNTITLED:
                    message = f"{act.action} of a party of {me} was recorded by {act.platform}"
                    return errors.BadChain(message)
                if act.action not in ENDORSEMENTS or act.recipient is None:
                    continue
                if act.recipient.platform == me and not self._knows(reading, act.recipient, found):
                    return errors.BadRecipient(
                        f"the endorsee {act.recipient.name} cannot be found here or cannot receive"
                    )
        return None

    def _record(
        self, judgement: Accepted, envelope: EblEnvelope, body: bytes, found: Found
    ) -> errors.Refusal | None:
        """Keep what came and record the entry; the refusal, if the law has one."""
        document = strictjson.canonical(envelope.document)
        try:
            facts = read_document(document, envelope.document, strict=False)
        except DocumentError as error:
            return errors.BadEvent(str(error))
        digest = self._desk.keep_document(body, KIND_ENVELOPE)
        self._desk.keep_document(document, DocumentKind.TRANSPORT_DOCUMENT, facts)
        action = Action.IMPORTED if found.state is None else Action.RETURNED
        with self._desk.store.reading() as reading:
            details = self._details(reading, judgement, digest, facts, found)
        try:
            self._desk.record(action, envelope.document_checksum, found.head, details)
        except errors.Refusal as refusal:
            return refusal
        last = judgement.facts.acts[-1]
        self._crossed(judgement.sender, envelope.document_checksum, last, KIND_ENVELOPE, body)
        return None

    def _details(
        self,
        reading: Reading,
        judgement: Accepted,
        digest: str,
        facts: DocumentFacts,
        found: Found,
    ) -> dict[str, Any]:
        name_of = names(reading, self._desk.platform)
        carried = {
            "platform": judgement.sender,
            "envelope": digest,
            "lastEntry": judgement.facts.entries[-1].digest,
        }
        if found.state is not None:
            return {**carried, "steps": _steps(judgement.new, name_of)}
        first, *others = judgement.facts.acts
        return {
            **carried,
            **_origin_of(judgement, facts, name_of),
            "receivedBytes": facts.received_bytes,
            "issueTo": name_of(_recipient(first)),
            "rulebook": self._rulebook,
            "steps": _steps(others, name_of),
        }

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

    def _answered(
        self,
        envelope: EblEnvelope,
        body: bytes,
        judgement: Accepted | Duplicate | Refused,
        caller: str | None,
    ) -> SignedAnswer:
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
            opened=self._now(),
            answer=signed.text,
            status=signed.status,
        )
        self._book.keep_inbound(transfer)

    # -- small parts ---------------------------------------------------------------------------

    def _refusal(self, envelope: EblEnvelope, code: ResponseCode, reason: str) -> SignedAnswer:
        return self._signed(pint_answers.refused(envelope.last_checksum, code, reason))

    def _signed(self, answer: FinishedResponse) -> SignedAnswer:
        text = pint_answers.finished_response(answer, self._desk.signer)
        return SignedAnswer(text=text, status=HTTP_STATUS[answer.code])

    def _keep_attachment(self, transfer: Inbound, envelope: EblEnvelope, fits: Fits) -> None:
        self._desk.keep_document(fits.content, KIND_ATTACHMENT)
        self._book.hold(transfer.bill, fits.document.checksum)
        last = chain_entry(peer_jws.parse(envelope.chain[-1]).value).transactions[-1]
        self._crossed(transfer.sender, transfer.bill, last, "document", fits.content)

    def _crossed(
        self, sender: str, bill: str, act: ForeignAct | Transaction, what: str, content: bytes
    ) -> None:
        assert act.recipient is not None  # `judge_envelope` has seen it
        self._book.crossed(
            Flow(
                at=self._now(),
                direction="IN",
                platform=sender,
                bill=bill,
                what=what,
                digest=hashlib.sha256(content).hexdigest(),
                size=len(content),
                recipient=act.recipient.codes[0].code[:100],
                basis=act.action,
            )
        )

    def _now(self) -> str:
        return instant_text(self._desk.clock.now())


def read_document_body(body: bytes) -> str | None:
    """The JSON string of an upload; None for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def _origin_of(judgement: Accepted, facts: DocumentFacts, name_of: NameOf) -> dict[str, str]:
    """Who the bill was made out by, for and to, as far as document and chain tell."""
    home = judgement.facts.possession.issued_on
    parties = [act.actor for act in judgement.facts.acts]
    parties += [act.recipient for act in judgement.facts.acts if act.recipient is not None]
    roles = {
        "shipper": facts.shipper,
        "consignee": facts.consignee,
        "titleHolder": facts.consignee if facts.kind is BillKind.STRAIGHT else facts.endorsee,
    }
    named = {
        role: named_in_document(reference, parties, home, name_of)
        for role, reference in roles.items()
    }
    told = {role: name for role, name in named.items() if name is not None}
    return {**told, "home": home, "carrier": name_of(judgement.facts.possession.issuer)}


def _steps(acts: Sequence[ForeignAct], name_of: NameOf) -> list[dict[str, str]]:
    return [_step(act, name_of) for act in acts]


def _step(act: ForeignAct, name_of: NameOf) -> dict[str, str]:
    step = {
        # A repeated ISSUE, where a peer is allowed it, is what older toolkits call every transfer.
        "action": "TRANSFER" if act.action == "ISSUE" else act.action,
        "actor": name_of(act.actor),
    }
    if act.recipient is not None:
        step["recipient"] = name_of(act.recipient)
    if act.reason_code is not None:
        step["reasonCode"] = act.reason_code
    return step


def _recipient(act: ForeignAct) -> ChainParty:
    assert act.recipient is not None  # `judge_envelope` has seen it
    return act.recipient


def _receiver(reading: Reading, slug: str, rulebook: str) -> PartyState | None:
    stream = f"party:{slug}"
    state, _ = reading.states([stream]).get(stream, (None, None))
    if slug == OPERATOR or not isinstance(state, PartyState):
        return None
    if state.suspended or rulebook not in state.rulebooks:
        return None
    return state


def _as_refused(refusal: errors.Refusal) -> Refused:
    contradicts = isinstance(
        refusal, errors.NumberUsed | errors.DuplicateCargo | errors.InTransit | errors.BadChain
    )
    code = ResponseCode.DISE if contradicts else ResponseCode.BENV
    return Refused(code=code, reason=f"{refusal.code}: {refusal.message}")


def _accepting(begun: Inbound) -> Inbound:
    return replace(begun, status=HTTP_STATUS[ResponseCode.RECE])


def _is_about(begun: Inbound, envelope: EblEnvelope) -> bool:
    """Whether `envelope` is the one that was begun: its manifest, and the chain it is about."""
    if begun.manifest != text_digest(envelope.manifest):
        return False
    manifest = envelope_manifest(peer_jws.parse(envelope.manifest).value)
    return manifest.last_checksum == envelope.last_checksum


def _is_callers(transfer: Inbound, caller: str | None) -> bool:
    return caller is None or caller == transfer.sender


def _unknown(reference: str) -> Declined:
    return Declined(status=HTTPStatus.NOT_FOUND, reason=f"no transfer {reference} is known")
