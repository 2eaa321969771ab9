"""The smallest bill there is, for tests that touch every byte of its evidence.

Three parties (operator, a carrier that runs the only port, a shipper), one booking, one draft, one
container, and a blank bill just issued: ten entries. `build` lets the real service make it, behind
no socket; names are as short as the formats allow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bol_service import bootstrap
from bol_service.application.documents import DocumentKind
from bol_service.crypto import strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, Signer, generate, write_private_key
from bol_service.domain.states import Head
from bol_service.settings import Settings
from bol_service.verification.trust import LogKey, Trust
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import issue_to_checksum
from tests.fresh_database import fresh_log

Json = dict[str, Any]

ORIGIN = "demo.a/b"
CARRIER, SHIPPER, OPERATOR = "ca", "sh", "operator"
CONTAINERS = (
    *("XLCU7001127", "XLCU7001132", "XLCU7001148", "XLCU7001153"),
    *("XLCU7001169", "XLCU7001174", "XLCU7001180", "XLCU7001195"),
    *("XLCU7001209", "XLCU7001214", "XLCU7001220", "XLCU7001235"),
)
PASSPHRASE = b"only for this test run"

_ROLES: dict[str, Json] = {
    OPERATOR: {"roles": ["OPERATOR"]},
    CARRIER: {
        "roles": ["CARRIER", "TERMINAL"],
        "carrierCode": {"code": "XLSC", "codeListProvider": "NMFTA"},
        "facilities": [{"UNLocationCode": "CNCQI", "facilityName": "P"}],
    },
    SHIPPER: {"roles": ["SHIPPER"]},
}


@dataclass(kw_only=True)
class MinimalWorld:
    """A running service, its parties' keys, and what was signed so far."""

    running: bootstrap.Running
    settings: Settings
    signers: dict[str, LocalSigner]
    log_signer: Signer
    statement_signer: Signer
    heads: dict[str, Head] = field(default_factory=dict)

    def sign(
        self, actor: str, action: str, stream: str, details: Json, recipient: str | None = None
    ) -> str:
        """The next event of `stream` as compact JWS, not sent."""
        event = drafting.payload(
            action=action,
            actor=actor,
            at=datetime.now(UTC),
            audience=ORIGIN,
            stream=stream,
            after=self.heads.get(stream),
            details=details,
            recipient=recipient,
        )
        return drafting.sign(event, self.signers[actor])

    def act(
        self, actor: str, action: str, stream: str, details: Json, recipient: str | None = None
    ) -> Head:
        compact = self.sign(actor, action, stream, details, recipient)
        receipt = self.running.services.recorder.submit(compact).receipt
        head = Head(sequence=receipt.sequence, digest=receipt.head)
        self.heads[stream] = head
        return head

    def register(self, slug: str, role: Json) -> None:
        signer = self.signers.setdefault(slug, LocalSigner(generate(Algorithm.ED25519)))
        details = _registration(slug, signer, role)
        self.act(OPERATOR, "REGISTER", f"party:{slug}", details)

    def issue(self, number: int = 0) -> str:
        """Book, draft, receive and issue; returns the bill's id. `number` tells bills apart."""
        shipment = drafting.uuid7(datetime.now(UTC))
        draft, box = f"draft:{shipment}", CONTAINERS[number]
        self.act(CARRIER, "BOOKING", draft, _booking(number))
        version = self._upload(_document(number, issued=False))
        content = {"version": 1, "contentDigest": version["contentDigest"]}
        published = {**content, "document": version["digest"]}
        self.act(CARRIER, "PUBLISH_DRAFT", draft, published)
        self.act(SHIPPER, "APPROVE_DRAFT", draft, content)
        now = datetime.now(UTC)
        gate_in = {"occurredAt": instant_text(now), "localDate": now.date().isoformat()}
        self.act(CARRIER, "GATE_IN", f"custody:{shipment}:{box}", gate_in)
        issued = self._upload(_document(number, issued=True))
        bill = str(issued["checksum"])
        self.act(CARRIER, "ISSUE", f"bill:{bill}", self._issue_details(issued, shipment))
        return bill

    def _issue_details(self, issued: Json, shipment: str) -> Json:
        issue_to: Json = {"partyName": SHIPPER, "sendToPlatform": "DEMO"}
        manifest = drafting.issuance_manifest(
            self.signers[CARRIER],
            document_checksum=issued["checksum"],
            issue_to_checksum=issue_to_checksum(issue_to),
        )
        return {
            "contentDigest": issued["contentDigest"],
            "issuanceManifestSignedContent": manifest,
            "issueTo": SHIPPER,
            "issueToParty": issue_to,
            "parties": {"shipper": SHIPPER},
            "receivedBytes": issued["digest"],
            "rulebook": _rulebook(),
            "shipment": shipment,
        }

    def _upload(self, document: Json) -> Json:
        content = strictjson.canonical(document)
        kind = DocumentKind.TRANSPORT_DOCUMENT
        row = self.running.services.documents.upload(content, kind, CARRIER)
        assert row.facts is not None
        return {
            "digest": row.digest,
            "checksum": row.facts.checksum,
            "contentDigest": row.facts.content_digest,
        }

    def bundle(self, bill: str, reader: str = SHIPPER) -> bytes:
        return self.running.services.evidence.bundle(bill, reader)

    def trust(self) -> Trust:
        key = bootstrap.log_verifier_key(ORIGIN, self.log_signer)
        return Trust(
            origin=ORIGIN,
            code="DEMO",
            demo=True,
            log_keys=(LogKey(key=key, from_size=0, to_size=None),),
            registrar_kids=frozenset({self.signers[OPERATOR].public.kid}),
            statement_keys=(self.statement_signer.public,),
            witnesses=(),
            quorum=0,
            max_age=600,
        )


@contextmanager
def build(folder: Path, carrier_alg: Algorithm = Algorithm.ED25519) -> Iterator[MinimalWorld]:
    """A world whose parties are registered and have accepted the rulebook; no bill yet."""
    signers = {slug: LocalSigner(generate(Algorithm.ED25519)) for slug in _ROLES}
    signers[CARRIER] = LocalSigner(generate(carrier_alg))
    settings = _settings(folder, signers[OPERATOR])
    fresh_log(settings.database_url, ORIGIN)
    log_signer, statement_signer = bootstrap.platform_keys(settings)
    world = MinimalWorld(
        running=bootstrap.start(settings),
        settings=settings,
        signers=signers,
        log_signer=log_signer,
        statement_signer=statement_signer,
    )
    try:
        for slug, role in _ROLES.items():
            world.register(slug, role)
        for slug in (CARRIER, SHIPPER):
            world.act(slug, "ACCEPT_RULEBOOK", f"party:{slug}", {"rulebook": _rulebook()})
        yield world
    finally:
        world.running.stop()


def _settings(folder: Path, operator: Signer) -> Settings:
    for name in ("log", "statement"):
        write_private_key(folder / f"{name}.pem", generate(Algorithm.ED25519), PASSPHRASE)
    return Settings(
        origin=ORIGIN,
        platform_code="DEMO",
        database_url=f"sqlite:///{folder / 'ledger.db'}",
        state_dir=folder / "state",
        base_url="http://demo.a",
        log_key=f"file:{folder / 'log.pem'}",
        statement_key=f"file:{folder / 'statement.pem'}",
        passphrase=PASSPHRASE,
        registrar_kids=frozenset({operator.public.kid}),
    )


def _rulebook() -> str:
    return hashlib.sha256(bootstrap.rulebook()).hexdigest()


def _registration(slug: str, signer: Signer, role: Json) -> Json:
    identity: Json = {
        "country": "CN",
        "identifiers": [{"type": "AUTHORITY", "value": slug}],
        "legalName": slug,
    }
    proof = drafting.prove_key(signer, origin=ORIGIN, party=slug, identity=identity)
    return {**proof, "identity": identity, **role}


def _booking(number: int) -> Json:
    return {
        "carrierBookingReference": f"B{number}",
        "customsRelease": False,
        "custodians": {"discharge": CARRIER, "loading": CARRIER, "receipt": CARRIER},
        "shipper": SHIPPER,
    }


def _document(number: int, *, issued: bool) -> Json:
    today = datetime.now(UTC).date().isoformat()
    status: Json = {"transportDocumentStatus": "DRAFT"}
    if issued:
        status = {
            "transportDocumentStatus": "ISSUED",
            "issueDate": today,
            "receivedForShipmentDate": today,
        }
    code = {"codeListProvider": "ZZZ", "partyCode": SHIPPER}
    box = CONTAINERS[number]
    return {
        **status,
        "cargoMovementTypeAtDestination": "FCL",
        "cargoMovementTypeAtOrigin": "FCL",
        "carrierCode": "XLSC",
        "carrierCodeListProvider": "NMFTA",
        "consignmentItems": [
            {
                "HSCodes": ["871410"],
                "cargoItems": [
                    {
                        "cargoGrossWeight": {"unit": "KGM", "value": 1},
                        "equipmentReference": box,
                        "outerPackaging": {
                            "description": "Box",
                            "numberOfPackages": 1,
                            "packageCode": "CT",
                        },
                    }
                ],
                "carrierBookingReference": f"B{number}",
                "descriptionOfGoods": ["PARTS"],
            }
        ],
        "deliveryTypeAtDestination": "CY",
        "documentParties": {
            "issuingParty": {
                "address": {"city": "A", "countryCode": "CN", "street": "A"},
                "partyName": CARRIER,
            },
            "notifyParties": [{"identifyingCodes": [code], "partyName": SHIPPER}],
            "shipper": {"identifyingCodes": [code], "partyName": SHIPPER},
        },
        "invoicePayableAt": {"freeText": "A"},
        "isElectronic": True,
        "isShippedOnBoardType": False,
        "isToOrder": True,
        "numberOfOriginalsWithoutCharges": 1,
        "partyContactDetails": [{"name": "A", "phone": "1"}],
        "receiptTypeAtOrigin": "CY",
        "termsAndConditions": "T",
        "transportDocumentReference": f"N{number}",
        "transportDocumentTypeCode": "BOL",
        "transports": {
            "plannedArrivalDate": today,
            "plannedDepartureDate": today,
            "portOfDischarge": {"UNLocationCode": "SGSIN"},
            "portOfLoading": {"UNLocationCode": "CNCQI"},
            "vesselVoyages": [{"carrierExportVoyageNumber": "1", "vesselName": "V"}],
        },
        "utilizedTransportEquipments": [
            {
                "equipment": {"equipmentReference": box},
                "isShipperOwned": False,
                "seals": [{"number": "S"}],
            }
        ],
    }
