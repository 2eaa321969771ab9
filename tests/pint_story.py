"""Two platforms and a carrier that exchange one bill by PINT, in memory.

`Story` tells a chain entry by entry; `judged` lets a platform judge what another one sends. Keys
are made once for the run. Whatever is signed can be signed wrongly too: see `signed`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from bol_service.crypto import peer_jws, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.peer_keys import PinnedKey
from bol_service.crypto.peer_signers import EcSigner, PeerSigner
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.verification.pint_chain import judge_envelope
from bol_service.verification.pint_history import KnownHistory
from bol_service.verification.pint_judgement import Accepted, Judgement, Refused
from bol_service.wire.peers import Pins
from bol_service.wire.pint_building import build_chain_entry, build_envelope, build_manifest
from bol_service.wire.pint_entry import Transaction
from bol_service.wire.pint_envelope import DocumentMetadata, EblEnvelope, read_envelope
from bol_service.wire.pint_parties import ChainParty, IdentifyingCode, issue_to_checksum
from tests.documents import Json, corridor_document

NOW = datetime(2027, 3, 8, 6, 0, tzinfo=UTC)
CARRIER = "NMFTA:XLSC"
CQ, SG, TH = "CQGY", "SGPX", "THXX"


@dataclass(frozen=True, kw_only=True)
class House:
    """A platform or a carrier with its key."""

    code: str
    signer: PeerSigner
    pin: PinnedKey


@cache
def house(code: str, which: int = 0) -> House:
    """Always the same for one code; `which` gives the code another key."""
    signer = LocalSigner(generate(Algorithm.ES256))
    pin = PinnedKey.from_jwk(signer.public.to_jwk())
    return House(code=code, signer=EcSigner(signer), pin=pin)


def pins(*codes: str, carrier: bool = True) -> Pins:
    carriers = {CARRIER: (house(CARRIER).pin,)} if carrier else {}
    return Pins(platforms={code: (house(code).pin,) for code in codes}, carriers=carriers)


def party(slug: str, platform: str) -> ChainParty:
    code = IdentifyingCode(provider="ZZZ", code=slug, list_name=f"{platform}-PARTY")
    return ChainParty(name=slug.title(), platform=platform, codes=(code,))


CARRIER_PARTY = party("xlsc", CQ)
SHIPPER = party("yunling", CQ)
BANK = party("banksg", SG)
BUYER = party("straits", SG)
STRANGER = party("bangkok", TH)


def act(
    action: str, actor: ChainParty, recipient: ChainParty | None = None, **members: Any
) -> Transaction:
    return Transaction(
        action=action, actor=actor, recipient=recipient, at=NOW - timedelta(days=3), **members
    )


ISSUE = act("ISSUE", CARRIER_PARTY, SHIPPER)
TO_BANK = act("TRANSFER", SHIPPER, BANK)
TO_BUYER = act("TRANSFER", BANK, BUYER)
SURRENDER = act("SURRENDER_FOR_DELIVERY", BUYER, CARRIER_PARTY)
SACC = act("SACC", CARRIER_PARTY, BUYER)
SREJ = act("SREJ", CARRIER_PARTY, BUYER)


def signed(value: object, signer: PeerSigner) -> str:
    """A JWS over any JSON value, right or wrong."""
    return peer_jws.sign(json.dumps(value).encode(), signer)


def payload(compact: str) -> Json:
    return peer_jws.parse(compact).value


def checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Story:
    """A document and the chain told about it so far."""

    document: Json = field(default_factory=corridor_document)
    chain: tuple[str, ...] = ()
    visualisation_checksum: str | None = None

    @property
    def document_checksum(self) -> str:
        return checksum(strictjson.canonical(self.document))

    def issuance(self, **changes: object) -> str:
        """The carrier's manifest; a change to None takes the member away."""
        value: Json = {
            "documentChecksum": self.document_checksum,
            "issueToChecksum": issue_to_checksum(SHIPPER.to_json()),
            "eBLVisualisationByCarrierChecksum": self.visualisation_checksum,
            **changes,
        }
        kept = {name: member for name, member in value.items() if member is not None}
        return signed(kept, house(CARRIER).signer)

    def then(self, platform: str, *acts: Transaction) -> Story:
        """The story with one more entry, by this platform."""
        entry = build_chain_entry(
            platform=platform,
            document_checksum=self.document_checksum,
            transactions=acts,
            signer=house(platform).signer,
            issuance_manifest=None if self.chain else self.issuance(**_issued_to(acts[0])),
            after=self.chain[-1] if self.chain else None,
        )
        return replace(self, chain=(*self.chain, entry))

    def retold(self, index: int = -1, *, by: str | None = None, **changes: object) -> Story:
        """One entry changed and signed again, later ones as they were; None removes a member."""
        value = {**payload(self.chain[index]), **changes}
        kept = {name: member for name, member in value.items() if member is not None}
        signer = house(by or value["eblPlatform"]).signer
        chain = list(self.chain)
        chain[index] = signed(kept, signer)
        return replace(self, chain=tuple(chain))

    def manifest(
        self,
        sender: str,
        visualisation: DocumentMetadata | None = None,
        supporting: Sequence[DocumentMetadata] = (),
    ) -> str:
        return build_manifest(
            document_checksum=self.document_checksum,
            last_entry=self.chain[-1],
            signer=house(sender).signer,
            visualisation=visualisation,
            supporting=supporting,
        )

    def body(self, sender: str, **documents: Any) -> bytes:
        raw = json.dumps(self.document, ensure_ascii=False).encode()
        return build_envelope(raw, manifest=self.manifest(sender, **documents), chain=self.chain)

    def envelope(self, sender: str, **documents: Any) -> EblEnvelope:
        return read_envelope(self.body(sender, **documents))


def _issued_to(first: Transaction) -> dict[str, object]:
    recipient = first.recipient
    told = {} if recipient is None else {"issueToChecksum": issue_to_checksum(recipient.to_json())}
    return dict(told)


def outbound() -> Story:
    """Issued in Chongqing, transferred to a bank in Singapore."""
    return Story().then(CQ, ISSUE, TO_BANK)


def surrendered() -> Story:
    """Gone on to the buyer in Singapore and surrendered to the carrier."""
    return outbound().then(SG, TO_BUYER, SURRENDER)


def judged(envelope: EblEnvelope, *, me: str = SG, **changes: Any) -> Judgement:
    """By a platform that pins all three and knows no bill; every argument can be replaced."""
    given: Json = {
        "pins": pins(CQ, SG, TH),
        "known": KnownHistory(),
        "me": me,
        "moment": NOW,
        "knows": lambda party: party in (BANK, BUYER, CARRIER_PARTY, SHIPPER, STRANGER),
        **changes,
    }
    return judge_envelope(envelope, **given)


def accepted(judgement: Judgement) -> Accepted:
    assert isinstance(judgement, Accepted), judgement
    return judgement


def refused(judgement: Judgement) -> Refused:
    assert isinstance(judgement, Refused), judgement
    return judgement


def tampered(text: str) -> str:
    """The same JWS with one character of its signature changed."""
    head, _, signature = text.rpartition(".")
    return f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
