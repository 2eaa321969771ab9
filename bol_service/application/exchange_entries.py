"""An accepted envelope becomes an entry of the ledger: IMPORTED, or RETURNED for a bill of ours.

The parties of the chain get the names that they have here; what it cannot say of our own parties is
refused before anything is recorded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from bol_service.application.documents import DocumentKind
from bol_service.application.exchange_desk import KIND_ENVELOPE, Desk, Found
from bol_service.application.exchange_parties import (
    NameOf,
    named_in_document,
    names,
    own_slug,
    slug_for,
)
from bol_service.application.exchange_ports import ExchangeBook, Flow
from bol_service.application.ports import Reading
from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.domain.document import BillKind, DocumentFacts
from bol_service.domain.events import Action
from bol_service.domain.states import OPERATOR, PartyState
from bol_service.verification.pint_judgement import Accepted
from bol_service.verification.pint_possession import ENDORSEMENTS, ForeignAct
from bol_service.wire.document import DocumentError, read_document
from bol_service.wire.event_fields import instant_text
from bol_service.wire.pint_entry import Transaction
from bol_service.wire.pint_envelope import EblEnvelope
from bol_service.wire.pint_parties import ChainParty, IdentifyingCode

_UNTITLED = frozenset({"ISSUE", "TRANSFER", "SIGN"})
"""Acts that change nobody's title."""


class Entries:
    def __init__(self, desk: Desk, book: ExchangeBook, rulebook: str) -> None:
        """`rulebook` is the SHA-256 of the one that receivers must have accepted."""
        self._desk = desk
        self._book = book
        self._rulebook = rulebook

    def receiver(self, code: IdentifyingCode) -> str | None:
        """The legal name of the one party that answers to the code and can receive."""
        with self._desk.store.reading() as reading:
            slug = slug_for(reading, code)
            state = None if slug is None else _receiver(reading, slug, self._rulebook)
        return None if state is None else state.identity.legal_name

    def knows(self, reading: Reading, party: ChainParty, found: Found) -> bool:
        slug = own_slug(reading, party)
        if slug is None:
            return False
        if found.state is not None and slug == found.state.carrier:
            return True  # a surrender goes to the carrier, which never holds otherwise
        return _receiver(reading, slug, self._rulebook) is not None

    def misnamed(self, judgement: Accepted, found: Found) -> errors.Refusal | None:
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
                if act.recipient.platform == me and not self.knows(reading, act.recipient, found):
                    return errors.BadRecipient(
                        f"the endorsee {act.recipient.name} cannot be found here or cannot receive"
                    )
        return None

    def record(
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
        # Before the entry: whatever dies in between, no entry is without its line (`audit_border`).
        last = judgement.facts.acts[-1]
        self.crossed(judgement.sender, envelope.document_checksum, last, KIND_ENVELOPE, body)
        try:
            self._desk.record(action, envelope.document_checksum, found.head, details)
        except errors.Refusal as refusal:
            return refusal
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

    def crossed(
        self, sender: str, bill: str, act: ForeignAct | Transaction, what: str, content: bytes
    ) -> None:
        assert act.recipient is not None  # `judge_envelope` has seen it
        self._book.crossed(
            Flow(
                at=instant_text(self._desk.clock.now()),
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
