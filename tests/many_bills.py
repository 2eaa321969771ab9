"""A log with its cast and any number of issued bills, made quickly through the recorder itself.

Each bill has a booking, a published and approved draft, one container received at the gate, and its
issue to the shipper `yunling`: five signed events and two documents. Bills are made side by side,
so that their events share group commits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from bol_service import bootstrap
from bol_service.application.documents import DocumentKind, Documents
from bol_service.application.ports import DocumentRow
from bol_service.application.record import Recorder
from bol_service.domain.identifiers import check_container
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import issue_to_checksum
from tests.desk import CAST, LOCAL_DATE, ORIGIN, STORY, Desk, Json, roll
from tests.documents import corridor_document, draft_of

HOLDER = "yunling"
CARRIER = "xlsc"
RULEBOOK = hashlib.sha256(bootstrap.rulebook()).hexdigest()
SIDE_BY_SIDE = 16
Uploads = tuple[DocumentRow, DocumentRow]


@dataclass(frozen=True)
class Act:
    actor: str
    action: str
    stream: str
    details: Json


@dataclass(frozen=True, kw_only=True)
class Maker:
    """Writes what `desk` signs through `recorder`; see `open_log` and `issue`.

    `visualisation` is the SHA-256 of the carrier's picture of each bill.
    """

    desk: Desk
    recorder: Recorder
    documents: Documents
    visualisation: str | None = None

    def open_log(self) -> None:
        """Register the cast; everybody accepts the rulebook."""
        for slug in CAST:
            self.act("operator", "REGISTER", f"party:{slug}", self._registration(slug))
        for slug in CAST:
            self.act(slug, "ACCEPT_RULEBOOK", f"party:{slug}", {"rulebook": RULEBOOK})

    def issue(self, count: int, first: int = 0) -> list[str]:
        """The ids of `count` new bills from the number `first` on, all held by `HOLDER`."""
        numbers = range(first, first + count)
        uploads = [self.upload(number) for number in numbers]
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            return list(pool.map(self._issue, numbers, uploads))

    def acts(self, number: int, uploads: Uploads) -> Iterator[Act]:
        """From booking to issue; the bill number `number` has one container."""
        draft, issued = uploads
        assert draft.facts is not None
        assert issued.facts is not None
        shipment = drafting.uuid7(STORY)
        stream = f"draft:{shipment}"
        version = {"version": 1, "contentDigest": draft.facts.content_digest}
        yield Act(CARRIER, "BOOKING", stream, _booking(number))
        yield Act(CARRIER, "PUBLISH_DRAFT", stream, {**version, "document": draft.digest})
        yield Act(HOLDER, "APPROVE_DRAFT", stream, version)
        gate_in = {"occurredAt": instant_text(STORY), "localDate": LOCAL_DATE, "seals": ["S1"]}
        yield Act("guoyuan", "GATE_IN", f"custody:{shipment}:{container(number)}", gate_in)
        details = self._issue_details(shipment, issued)
        yield Act(CARRIER, "ISSUE", f"bill:{issued.facts.checksum}", details)

    def upload(self, number: int) -> Uploads:
        """The draft and the issued document of the bill number `number`."""
        issued = one_box_document(number)
        return self._keep(draft_of(issued)), self._keep(issued)

    def act(
        self,
        actor: str,
        action: str,
        stream: str,
        details: Json | None = None,
        *,
        recipient: str | None = None,
    ) -> None:
        compact = self.desk.event(actor, action, stream, details, recipient=recipient)
        self.desk.note(self.recorder.submit(compact).receipt)

    def _registration(self, slug: str) -> Json:
        party = roll()[slug]
        signer = self.desk.signers[slug]
        identity = party["identity"]
        proof = drafting.prove_key(signer, origin=ORIGIN, party=slug, identity=identity)
        optional = {name: party[name] for name in ("carrierCode", "facilities") if name in party}
        return {**proof, **optional, "identity": identity, "roles": party["roles"]}

    def _keep(self, document: Json) -> DocumentRow:
        content = json.dumps(document, ensure_ascii=False).encode()
        return self.documents.upload(content, DocumentKind.TRANSPORT_DOCUMENT, CARRIER)

    def _issue(self, number: int, uploads: Uploads) -> str:
        for act in self.acts(number, uploads):
            self.act(act.actor, act.action, act.stream, act.details)
        assert uploads[1].facts is not None
        return uploads[1].facts.checksum

    def _issue_details(self, shipment: str, issued: DocumentRow) -> Json:
        assert issued.facts is not None
        to = {
            "identifyingCodes": [
                {"codeListName": "CQGY-PARTY", "codeListProvider": "ZZZ", "partyCode": HOLDER}
            ],
            "partyName": roll()[HOLDER]["identity"]["legalName"],
            "sendToPlatform": "CQGY",
        }
        manifest = drafting.issuance_manifest(
            self.desk.signers[CARRIER],
            document_checksum=issued.facts.checksum,
            issue_to_checksum=issue_to_checksum(to),
            visualisation_checksum=self.visualisation,
        )
        return {
            "shipment": shipment,
            "contentDigest": issued.facts.content_digest,
            "receivedBytes": issued.digest,
            "issuanceManifestSignedContent": manifest,
            "issueTo": HOLDER,
            "issueToParty": to,
            "parties": {"shipper": HOLDER, "titleHolder": HOLDER, "notify": ["straits"]},
            "rulebook": RULEBOOK,
        }


def container(number: int) -> str:
    """The container of the bill `number`, with its check digit."""
    body = f"XLCU{800000 + number}"
    for digit in "0123456789":
        try:
            check_container(body + digit)
        except ValueError:
            continue
        return body + digit
    raise AssertionError(body)


def one_box_document(number: int) -> Json:
    """The voyage's document, made into a bill of its own with one container."""
    document = corridor_document(transportDocumentReference=f"XLSCMANY{number:06}")
    item: Any = document["consignmentItems"][0]
    item["carrierBookingReference"] = _reference(number)
    item["cargoItems"] = item["cargoItems"][:1]
    item["cargoItems"][0]["equipmentReference"] = container(number)
    boxes: Any = document["utilizedTransportEquipments"][:1]
    boxes[0]["equipment"]["equipmentReference"] = container(number)
    return {**document, "utilizedTransportEquipments": boxes}


def made(running: bootstrap.Running, desk: Desk, count: int) -> list[str]:
    """Open the log of a running service and issue `count` bills on it."""
    services = running.services
    maker = Maker(desk=desk, recorder=services.recorder, documents=services.documents)
    maker.open_log()
    return maker.issue(count)


def _booking(number: int) -> Json:
    return {
        "carrierBookingReference": _reference(number),
        "shipper": HOLDER,
        "custodians": {
            "receipt": "guoyuan",
            "rail": "wrail",
            "loading": "qinzhou",
            "discharge": "sgterm",
        },
        "containers": [container(number)],
        "customsRelease": False,
    }


def _reference(number: int) -> str:
    return f"XLBMANY{number:06}"
