"""From a carrier system's issuance request to a signed ISSUE, and back to its response.

1. `ask` takes a request that says by itself what it should (`wire.dcsa_issuance`), whose manifest a
   trusted key of the carrier signed, and whose number has no request pending or bill issued; it is
   on the disk when `ask` returns. Nothing is promised by that.
2. `settle` finds the shipment whose approved draft has this very content, names the parties by
   their registrations, uploads the document, signs ISSUE and sends it.
3. Once the receipt proves the bill, ISSU is owed to the carrier's system; after a refusal BREQ,
   where another request may succeed, or REFU. What is in doubt is settled in a later round.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from bol_service.client import Refused, Unreachable
from bol_service.crypto import strictjson
from bol_service.crypto.peer_keys import PinnedKey
from bol_service.domain import errors
from bol_service.domain.document import BillKind, DocumentFacts
from bol_service.domain.events import Issue
from bol_service.domain.states import Status
from bol_service.gateway import manifests
from bol_service.gateway.delivery import CARRIER
from bol_service.gateway.desk import Desk, InDoubt, NotProven, Rejected
from bol_service.gateway.directory import Directory
from bol_service.gateway.state import Issuance
from bol_service.wire import drafting
from bol_service.wire.dcsa_issuance import (
    IssuanceCode,
    IssuanceRequest,
    IssuanceResponse,
    one_line,
    read_issuance_request,
)

Json = dict[str, Any]
RESPONSES: Final = "/v3/ebl-issuance-responses"
# What no other request to this platform could cure; everything else the carrier may correct.
REFUSED_HERE: Final = frozenset(
    refusal.code
    for refusal in (
        errors.ConsentMissing,
        errors.KeyRevoked,
        errors.NotCarrier,
        errors.NotSupported,
        errors.RecipientUnavailable,
        errors.Suspended,
        errors.WrongKey,
    )
)
# The stream of the bill is not empty, or its number or cargo is on a bill already.
TAKEN: Final = frozenset({errors.StaleHead.code, errors.NumberUsed.code})
_UNDONE: Final = (Status.VOIDED, Status.ISSUE_REFUSED)
log = structlog.get_logger()


class NumberTaken(Exception):  # noqa: N818 - says what is the matter
    """A request for this number is pending, or its bill is issued."""


@dataclass(frozen=True, kw_only=True)
class Issuing:
    """`trusted` are the keys that may have signed manifests, beside the gateway's own."""

    desk: Desk
    directory: Directory
    trusted: Sequence[PinnedKey] = ()

    # -- the request -----------------------------------------------------------------------------

    def ask(self, body: bytes) -> None:
        """Raises PintFormatError, BadSignature or NumberTaken."""
        request = read_issuance_request(body)
        manifests.check(request.signed_manifest, self._pins(), self.desk.now())
        facts, state = request.facts, self.desk.state
        with state.transaction():
            last = state.last_issuance(facts.reference, facts.sub_reference)
            if last is not None and self._holds(last):
                outcome = "is issued" if last.code else "is requested, the response is to come"
                raise NumberTaken(f"{facts.reference} {outcome} (document {last.bill})")
            state.add_issuance(
                facts.reference, facts.sub_reference, facts.checksum, body, self.desk.now()
            )

    def _holds(self, last: Issuance) -> bool:
        if last.code is None:
            return True
        return last.code == IssuanceCode.ISSU and self.desk.state.status(last.bill) != "VOIDED"

    def _pins(self) -> list[PinnedKey]:
        return [PinnedKey.from_jwk(self.desk.signer.public.to_jwk()), *self.trusted]

    # -- the act ---------------------------------------------------------------------------------

    def settle_all(self) -> None:
        """Whatever is pending: done, refused, or left for the next round."""
        for asked in self.desk.state.waiting_issuances():
            try:
                self._settle(asked)
            except (InDoubt, NotProven, Refused, Unreachable) as later:
                log.warning("issuance waits", document=asked.document, why=str(later))
            except Exception as fault:
                log.error("issuance failed", document=asked.document, exc_info=fault)

    def _settle(self, asked: Issuance) -> None:
        request = read_issuance_request(asked.body)
        try:
            self.desk.act(f"issue:{asked.number}", lambda: self._event(request))
        except Rejected as rejected:
            if rejected.code not in TAKEN or not self._stands(request):
                refused = rejected.code in REFUSED_HERE
                code = IssuanceCode.REFU if refused else IssuanceCode.BREQ
                self._close(asked, request.facts, code, rejected)
                return
        self._close(asked, request.facts, IssuanceCode.ISSU, None)

    def _stands(self, request: IssuanceRequest) -> bool:
        """Whether this very bill was issued to this very party already: by the carrier's people, or
        by a gateway that lost its state. Raises NotProven where the evidence does not tell."""
        try:
            history = self.desk.history(request.facts.checksum)
        except Refused as refused:
            if refused.status == 404:
                return False
            raise
        first = history.events[0].event
        return (
            isinstance(first, Issue)
            and first.actor == self.desk.me
            and first.issue_to_checksum == request.issue_to.checksum
            and history.status not in _UNDONE
        )

    def _close(
        self, asked: Issuance, facts: DocumentFacts, code: IssuanceCode, why: Rejected | None
    ) -> None:
        response = IssuanceResponse(
            reference=facts.reference,
            sub_reference=facts.sub_reference,
            code=code,
            reason=None if why is None else one_line(str(why), 255),
            errors=() if why is None else ((why.code, str(why)),),
        )
        state = self.desk.state
        with state.transaction():
            state.end_issuance(asked.number, str(code))
            body = strictjson.canonical(response.to_json())
            state.owe(f"issuance:{asked.number}", CARRIER, RESPONSES, body, self.desk.now())
            if code is IssuanceCode.ISSU:
                state.see(asked.bill)
        log.info("issuance settled", document=facts.reference, bill=facts.checksum, code=str(code))

    def _event(self, request: IssuanceRequest) -> bytes:
        """The payload of ISSUE; the document is uploaded. Raises Rejected."""
        facts, client = request.facts, self.desk.client
        if request.issue_to.platform != self.directory.code:
            raise Rejected(
                errors.NotSupported.code,
                f"issueTo is on {request.issue_to.platform}, bills are issued to parties of "
                f"{self.directory.code}; the first holder can transfer it there",
            )
        issue_to = self.directory.first_possessor(request.issue_to)
        details = {
            "shipment": self._shipment(facts),
            "contentDigest": facts.content_digest,
            "receivedBytes": facts.received_bytes,
            "issuanceManifestSignedContent": self._manifest(request),
            "issueTo": issue_to,
            "issueToParty": request.issue_to.value,
            "parties": self._parties(facts),
            "rulebook": hashlib.sha256(client.fetch("/rulebook").content).hexdigest(),
        }
        self._upload(request)
        return drafting.payload(
            action="ISSUE",
            actor=self.desk.me,
            at=self.desk.now(),
            audience=client.origin,
            stream=f"bill:{facts.checksum}",
            after=None,
            details=details,
        )

    def _manifest(self, request: IssuanceRequest) -> str:
        registered = self.desk.client.get(f"/v1/parties/{self.desk.me}")["keys"]
        kids = {key["kid"] for key in registered if "endedAt" not in key}
        return manifests.for_ledger(
            request.signed_manifest, request.manifest, kids, self.desk.signer
        )

    def _shipment(self, facts: DocumentFacts) -> str:
        """The one whose approved draft is this document. Raises Rejected."""
        booked = [
            view
            for view in self.desk.client.pages("/v1/drafts")
            if view["carrier"] == self.desk.me
            and view["carrierBookingReference"] in facts.booking_references
        ]
        approved = [
            view
            for view in booked
            if view["status"] == "APPROVED" and view.get("contentDigest") == facts.content_digest
        ]
        if len(approved) == 1:
            return str(approved[0]["shipment"])
        bookings = ", ".join(facts.booking_references)
        if not booked:
            raise Rejected(
                "unknown_draft", f"no shipment of {self.desk.me} is booked as {bookings}"
            )
        if approved:
            raise Rejected(
                "ambiguous", f"{len(approved)} shipments of {bookings} have this content"
            )
        raise Rejected(
            errors.StaleDraft.code,
            f"the document has content {facts.content_digest}; of {bookings} there is "
            + ", ".join(f"{view['status']} {view.get('contentDigest', '')}" for view in booked),
        )

    def _parties(self, facts: DocumentFacts) -> Json:
        find = self.directory
        straight = facts.kind is BillKind.STRAIGHT
        title = facts.consignee if straight else facts.endorsee
        value: Json = {"shipper": find.slug_of(facts.shipper, "shipper")}
        if title is not None:
            value["titleHolder"] = find.slug_of(title, "consignee" if straight else "endorsee")
        if facts.consignee is not None:
            value["consignee"] = find.slug_of(facts.consignee, "consignee")
        told = [find.possible_slug(reference) for reference in facts.notify]
        notify = list(dict.fromkeys(slug for slug in told if slug is not None))
        return {**value, "notify": notify} if notify else value

    def _upload(self, request: IssuanceRequest) -> None:
        """Raises Rejected; NotProven if the platform digests the document otherwise."""
        facts = request.facts
        try:
            answered = self.desk.client.upload(request.content)
        except Refused as refused:
            if refused.code == "bad_document":
                raise Rejected(refused.code, str(refused)) from refused
            raise
        for member, own in (
            ("digest", facts.received_bytes),
            ("checksum", facts.checksum),
            ("contentDigest", facts.content_digest),
        ):
            if answered.get(member) != own:
                raise NotProven(f"the platform's {member} is {answered.get(member)}, ours is {own}")
        if request.visualisation is not None:
            self._upload_visualisation(request.visualisation)

    def _upload_visualisation(self, content: bytes) -> None:
        """Raises Rejected; the platform takes PDF files only."""
        try:
            self.desk.client.upload(content, "visualisation", "application/pdf")
        except Refused as refused:
            if refused.code == errors.BadEvent.code:
                raise Rejected(refused.code, f"eBLVisualisationByCarrier: {refused}") from refused
            raise
