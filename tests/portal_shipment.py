"""A second shipment on the portal's stage: booked, instructed and drafted with the API.

Its containers are in nobody's custody yet, so that a test may receive them or not.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bol_service.wire import drafting
from bol_service.wire.document import content_digest
from tests.portal_stage import Stage

Json = dict[str, Any]
CUSTODIANS = {
    "receipt": "guoyuan",
    "rail": "wrail",
    "loading": "qinzhou",
    "discharge": "sgterm",
}


@dataclass
class Shipment:
    stage: Stage
    reference: str
    boxes: tuple[str, str]
    shipment: str = ""
    version: int = 0
    documents: list[Json] = field(default_factory=list)

    @property
    def stream(self) -> str:
        return f"draft:{self.shipment}"

    @property
    def path(self) -> str:
        return f"/portal/shipments/{self.shipment}"

    def book(self) -> None:
        self.shipment = drafting.uuid7(datetime.now(UTC))
        details = {
            "carrierBookingReference": self.reference,
            "shipper": "yunling",
            "custodians": CUSTODIANS,
            "containers": list(self.boxes),
            "customs": ["sgcus"],
            "customsRelease": True,
        }
        self.stage.clients["xlsc"].act("BOOKING", self.stream, details, after=None)

    def document(self) -> Json:
        """The voyage's document, as a draft of this shipment."""
        document: Json = self.stage.voyage.values.value(
            deepcopy(self.stage.platform.script.document)
        )
        document["transportDocumentStatus"] = "DRAFT"
        document["transportDocumentReference"] = f"B{self.reference}"[:20]
        for member in ("issueDate", "receivedForShipmentDate"):
            document.pop(member, None)
        item = document["consignmentItems"][0]
        item["carrierBookingReference"] = self.reference
        for number, box in enumerate(self.boxes):
            item["cargoItems"][number]["equipmentReference"] = box
            used = document["utilizedTransportEquipments"][number]
            used["equipment"]["equipmentReference"] = box
        return document

    def publish(self, document: Json) -> None:
        carrier = self.stage.clients["xlsc"]
        content = json.dumps(document, ensure_ascii=False).encode()
        uploaded = carrier.upload(content)
        self.version += 1
        self.documents.append(document)
        details = {
            "version": self.version,
            "document": uploaded["digest"],
            "contentDigest": content_digest(document),
        }
        carrier.act("PUBLISH_DRAFT", self.stream, details)

    def approve(self) -> None:
        details = {"version": self.version, "contentDigest": content_digest(self.documents[-1])}
        self.stage.clients["yunling"].act("APPROVE_DRAFT", self.stream, details)

    def receive(self) -> None:
        """The terminal signs the gate-in of both containers."""
        for box in self.boxes:
            self._custody("guoyuan", "GATE_IN", box, {}, after=None)

    def load(self) -> None:
        """Both containers go by rail to the vessel that the draft names."""
        train = {"train": "X9802"}
        sailing = self.documents[-1]["transports"]["vesselVoyages"][0]
        for box in self.boxes:
            self._custody("wrail", "LOADED_RAIL", box, {**train, "waybill": "W-1"})
            self._custody("wrail", "RAIL_DEPARTED", box, train)
            self._custody("wrail", "RAIL_ARRIVED", box, train)
            self._custody("qinzhou", "RECEIVED_TRANSHIPMENT", box, {})
            self._custody("qinzhou", "LOADED_VESSEL", box, sailing)

    def _custody(self, keeper: str, action: str, box: str, details: Json, **after: None) -> None:
        client = self.stage.clients[keeper]
        now = client.now().astimezone(UTC)
        local = now.astimezone(self.stage.platform.script.zone)
        when = {
            "occurredAt": f"{now:%Y-%m-%dT%H:%M:%S}.000Z",
            "localDate": f"{local:%Y-%m-%d}",
        }
        stream = f"custody:{self.shipment}:{box}"
        client.act(action, stream, {**details, **when}, **after)


def drafted(stage: Stage, reference: str, boxes: tuple[str, str]) -> Shipment:
    """A shipment with two versions of its draft; the second waits for approval."""
    made = Shipment(stage=stage, reference=reference, boxes=boxes)
    made.book()
    first = made.document()
    made.publish(first)
    comment = "The vessel is another one, and the second container weighs less"
    stage.clients["yunling"].act("REQUEST_CHANGE", made.stream, {"version": 1, "comment": comment})
    second = deepcopy(first)
    second["transports"]["vesselVoyages"][0]["vesselName"] = "XIN HE QINZHOU"
    second["consignmentItems"][0]["cargoItems"][1]["cargoGrossWeight"]["value"] = 17900
    del second["consignmentItems"][0]["shippingMarks"]
    made.publish(second)
    return made
