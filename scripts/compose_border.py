"""What the compose dry run does with the platforms that it started.

1. Each operator opens its log; the receipt is verified with the log's key.
2. With both platforms: a cast is registered, Chongqing asks Singapore over the TLS door who the
   bank is, and a bill issued in Chongqing is endorsed and transferred to it.
3. Its cargo is handed out in Singapore (`scripts/compose_delivery.py`).
4. Each log's newest checkpoint is found under the cosignature of the other platform.

Parties and document are the demonstration's (`seeds/demo`), dated today: a real clock runs here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bol_service.application.exchange_ports import PeerAway
from bol_service.application.witness_ports import WitnessAway
from bol_service.client import Refused, Unreachable
from bol_service.http.witness_client import HttpWitness
from bol_service.ledger import receipt as receipts
from bol_service.ledger.checkpoint import open_checkpoint
from bol_service.ledger.note import NoteError
from bol_service.pint.client import HttpPeer
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import issue_to_checksum
from bol_service.wire.peers import read_peers
from scripts import compose_delivery
from scripts.compose_delivery import Shipped
from scripts.compose_file import DryRunFailed
from scripts.compose_parties import (
    BANK,
    CARRIER,
    LOADING,
    RAIL,
    RECEIPT,
    SHIPPER,
    TERMINAL,
    enrol,
    named,
    register,
    rulebook,
    seed,
    status,
    until,
)
from scripts.compose_platform import Platform

FAULTS = (DryRunFailed, Refused, Unreachable, PeerAway, WitnessAway, NoteError)
Json = dict[str, Any]


def play(platforms: Mapping[str, Platform]) -> Iterator[str]:
    """A line for each thing shown; raises one of FAULTS."""
    for platform in platforms.values():
        receipt = register(platform, "operator", named("Operator"), ["OPERATOR"])
        receipts.verify(receipt, [platform.log_key])
        yield f"{platform.name} recorded entry {receipt.index}, receipt verified"
    if len(platforms) == 2:
        home, abroad = platforms["chongqing"], platforms["singapore"]
        for platform in (home, abroad):
            enrol(platform)
        yield f"{abroad.name} says by mutual TLS who {BANK} is: {_receiver(home, abroad)}"
        yield compose_delivery.settle_in(home, abroad)
        shipped = _issue(home)
        yield _cross(home, abroad, shipped.bill)
        yield from compose_delivery.play(home, abroad, shipped)
        yield _cosigned(home, abroad)
        yield _cosigned(abroad, home)


def _cross(home: Platform, abroad: Platform, bill: str) -> str:
    for action in ("ENDORSE_TO_ORDER", "TRANSFER"):
        recipient = f"{abroad.code}:{BANK}"
        home.client(SHIPPER).act(action, f"bill:{bill}", recipient=recipient)
    until(lambda: status(home, SHIPPER, bill) == "MOVED", "the original did not leave")
    arrived = status(abroad, BANK, bill)
    if arrived != "ISSUED":
        raise DryRunFailed(f"the original left {home.name}, but {abroad.name} says {arrived}")
    return f"the original left {home.name} and is {arrived} at {abroad.name}"


def _cosigned(one: Platform, other: Platform) -> str:
    until(partial(_is_cosigned, one, other), f"{other.name} did not cosign")
    return f"{other.name} cosigned the checkpoint of {one.name}"


# -- the bill ------------------------------------------------------------------------------------


def _issue(home: Platform) -> Shipped:
    """From booking to issue, by the carrier's own acts and those it needs."""
    now = datetime.now(UTC)
    document: Json = _dated(seed("document.json"), now.date().isoformat())
    shipment = drafting.uuid7(now)
    boxes = [
        each["equipment"]["equipmentReference"] for each in document["utilizedTransportEquipments"]
    ]
    carrier = home.client(CARRIER)
    carrier.act("BOOKING", f"draft:{shipment}", _booking(document, boxes), after=None)
    _approve(home, f"draft:{shipment}", _draft_of(document))
    gate_in = {"occurredAt": instant_text(now), "localDate": now.date().isoformat()}
    for box in boxes:
        stream = f"custody:{shipment}:{box}"
        home.client(RECEIPT).act("GATE_IN", stream, {**gate_in, "seals": ["S1"]})
    issued = carrier.upload(json.dumps(document).encode())
    bill = str(issued["checksum"])
    carrier.act("ISSUE", f"bill:{bill}", _issue_details(home, shipment, issued), after=None)
    return Shipped(bill=bill, shipment=shipment, container=boxes[0])


def _approve(home: Platform, stream: str, draft: Json) -> None:
    """The carrier publishes the draft, the shipper approves it."""
    carrier = home.client(CARRIER)
    uploaded = carrier.upload(json.dumps(draft).encode())
    version = {"version": 1, "contentDigest": uploaded["contentDigest"]}
    carrier.act("PUBLISH_DRAFT", stream, {**version, "document": uploaded["digest"]})
    home.client(SHIPPER).act("APPROVE_DRAFT", stream, version)


def _booking(document: Json, boxes: list[str]) -> Json:
    return {
        "carrierBookingReference": document["consignmentItems"][0]["carrierBookingReference"],
        "shipper": SHIPPER,
        "custodians": {
            "receipt": RECEIPT,
            "rail": RAIL,
            "loading": LOADING,
            "discharge": TERMINAL,
        },
        "containers": boxes,
        "customsRelease": False,
    }


def _issue_details(home: Platform, shipment: str, issued: Json) -> Json:
    code = {
        "codeListName": f"{home.code}-PARTY",
        "codeListProvider": "ZZZ",
        "partyCode": SHIPPER,
    }
    to = {
        "partyName": "The shipper",
        "sendToPlatform": home.code,
        "identifyingCodes": [code],  # without one it is nobody to whom a chain could be directed
    }
    manifest = drafting.issuance_manifest(
        home.signers[CARRIER],
        document_checksum=issued["checksum"],
        issue_to_checksum=issue_to_checksum(to),
    )
    return {
        "shipment": shipment,
        "contentDigest": issued["contentDigest"],
        "receivedBytes": issued["digest"],
        "issuanceManifestSignedContent": manifest,
        "issueTo": SHIPPER,
        "issueToParty": to,
        "parties": {"shipper": SHIPPER, "titleHolder": SHIPPER},
        "rulebook": rulebook(home),
    }


def _draft_of(document: Json) -> Json:
    only_issued = ("issueDate", "receivedForShipmentDate")
    draft = {name: value for name, value in document.items() if name not in only_issued}
    return draft | {"transportDocumentStatus": "DRAFT"}


def _dated(value: Any, today: str) -> Any:
    """`value` with today instead of each moment of the demonstration's calendar."""
    if isinstance(value, list):
        return [_dated(item, today) for item in value]
    if not isinstance(value, dict):
        return value
    if "$date" in value:
        return today
    return {name: _dated(member, today) for name, member in value.items()}


# -- across the border ---------------------------------------------------------------------------


def _receiver(home: Platform, abroad: Platform) -> str:
    """The name of the bank that the peer answers to the certificate of `home`."""
    peers = read_peers((home.exchange / "peers.json").read_bytes())
    certificate, key = (home.exchange / f"peers-tls.pem{end}" for end in (".crt", ""))
    link = HttpPeer(peers.platforms[abroad.code], certificate, key, home.passphrase.encode())
    lei = _identifier(BANK, "LEI")
    code = {"codeListProvider": "GLEIF", "codeListName": "LEI", "partyCode": lei}
    reply = link.post("/v3/receiver-validation", json.dumps(code).encode())
    if reply.status != 200:
        raise DryRunFailed(f"{abroad.name} answered {reply.status}: {reply.content!r}")
    return str(json.loads(reply.content)["partyName"])


def _identifier(slug: str, kind: str) -> str:
    for party in seed("parties.json"):
        for identifier in party["identity"]["identifiers"]:
            if party["party"] == slug and identifier["type"] == kind:
                return str(identifier["value"])
    raise DryRunFailed(f"{slug} has no {kind}")


def _is_cosigned(one: Platform, other: Platform) -> bool:
    """Whether `other` shows the newest checkpoint of `one` with both signatures."""
    newest = one.client("operator").request("GET", "/ledger/checkpoint", None, None, token=None)
    size = open_checkpoint(newest.content.decode(), [one.log_key]).checkpoint.size
    note = HttpWitness(f"{other.base_url}/witness").latest(one.origin)
    if note is None:
        return False
    signed = open_checkpoint(note, [one.log_key, other.witness_key])
    is_by_other = any(by.key == other.witness_key for by in signed.by)
    return is_by_other and signed.checkpoint.size >= size
