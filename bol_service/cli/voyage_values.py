"""What the placeholders of a voyage's script stand for when it is played.

`${name.member}` is something saved before; `{"$date": T}` the local date and `{"$time": T}` the UTC
instant of the shifted scenario time T; `$draft`, `$issued`, `$instructions` and `$issue` build
documents and the details of ISSUE.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from bol_service.cli.voyage_script import Script
from bol_service.crypto.signers import Signer
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import issue_to_checksum

Json = dict[str, Any]


class Values:
    def __init__(
        self,
        script: Script,
        saved: Mapping[str, Any],
        *,
        platform_code: str,
        now: Callable[[], datetime],
        signer: Callable[[str], Signer],
    ) -> None:
        """`saved` may grow while the script is played; `now` is the moment of the story."""
        self._script = script
        self.saved = saved
        self._code = platform_code
        self._now = now
        self._signer = signer

    def details(self, step: Json, stream: str) -> Json:
        """The details of the step's act."""
        details: Json = self.value(step.get("details", {}))
        if "$issue" in details:
            details = self.issue(details, step.get("signer") or step["actor"])
        if stream.startswith("custody:"):
            local = self._now().astimezone(self._script.zone)
            details.setdefault("occurredAt", instant_text(local))
            details.setdefault("localDate", local.date().isoformat())
        return details

    def issue(self, details: Json, signer: str) -> Json:
        uploaded = self.saved[details.pop("$issue")]
        slug = details["issueTo"]
        party = next(entry for entry in self._script.parties if entry["party"] == slug)
        issue_to_party = {
            "identifyingCodes": [
                {
                    "codeListName": f"{self._code}-PARTY",
                    "codeListProvider": "ZZZ",
                    "partyCode": slug,
                }
            ],
            "partyName": party["identity"]["legalName"],
            "sendToPlatform": self._code,
        }
        manifest = drafting.issuance_manifest(
            self._signer(signer),
            document_checksum=uploaded["checksum"],
            issue_to_checksum=issue_to_checksum(issue_to_party),
        )
        return {
            **details,
            "contentDigest": uploaded["contentDigest"],
            "receivedBytes": uploaded["digest"],
            "issuanceManifestSignedContent": manifest,
            "issueToParty": issue_to_party,
            "parties": {"shipper": "yunling", "titleHolder": "yunling", "notify": ["straits"]},
            "rulebook": self.saved["rulebook"],
        }

    def document(self, wanted: Json) -> Json:
        """What the step uploads."""
        if "$instructions" in wanted:
            return {"shippingInstructionsReference": wanted["$instructions"]}
        changes: Json = wanted["$draft"] if "$draft" in wanted else wanted["$issued"]
        document: Json = self.value(deepcopy(self._script.document))
        _change(document, changes)
        if "$draft" in wanted:
            document["transportDocumentStatus"] = "DRAFT"
            for member in ("issueDate", "receivedForShipmentDate"):
                del document[member]
        return document

    def value(self, value: Any) -> Any:
        """`value` with every placeholder in it filled."""
        if isinstance(value, dict):
            if "$date" in value:
                return self._script.when(value["$date"]).date().isoformat()
            if "$time" in value:
                return instant_text(self._script.when(value["$time"]))
            return {name: self.value(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.value(member) for member in value]
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda found: self._saved(found[1]), text)

    def _saved(self, path: str) -> str:
        value: Any = self.saved
        for name in path.split("."):
            value = value[name]
        return str(value)


def _change(document: Json, changes: Json) -> None:
    """Make of the voyage's document another bill: number, booking, containers, one weight."""
    item = document["consignmentItems"][0]
    if "number" in changes:
        document["transportDocumentReference"] = changes["number"]
    if "booking" in changes:
        item["carrierBookingReference"] = changes["booking"]
    if "containers" in changes:
        item["cargoItems"] = item["cargoItems"][: len(changes["containers"])]
        equipment = document["utilizedTransportEquipments"][: len(changes["containers"])]
        document["utilizedTransportEquipments"] = equipment
        for number, container in enumerate(changes["containers"]):
            item["cargoItems"][number]["equipmentReference"] = container
            equipment[number]["equipment"]["equipmentReference"] = container
    if "grossWeight" in changes:
        container, kilograms = changes["grossWeight"]
        for cargo_item in item["cargoItems"]:
            if cargo_item["equipmentReference"] == container:
                cargo_item["cargoGrossWeight"]["value"] = kilograms
