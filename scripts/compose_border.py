"""What the compose dry run does with the platforms that it started.

1. Each operator opens its log; the receipt is verified with the log's key.
2. With both platforms: a cast is registered, Chongqing asks Singapore over the TLS door who the
   bank is, and a bill issued in Chongqing is transferred to it.
3. Each log's newest checkpoint is found under the cosignature of the other platform.

Parties and document are the demonstration's (`seeds/demo`), dated today: a real clock runs here.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bol_service.application.exchange_ports import PeerAway
from bol_service.application.witness_ports import WitnessAway
from bol_service.cli.client import Refused, Unreachable
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.http.witness_client import HttpWitness
from bol_service.ledger import receipt as receipts
from bol_service.ledger.checkpoint import open_checkpoint
from bol_service.ledger.note import NoteError
from bol_service.ledger.receipt import Receipt
from bol_service.pint.client import HttpPeer
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import issue_to_checksum
from bol_service.wire.peers import read_peers
from scripts.compose_file import DryRunFailed
from scripts.compose_platform import Platform

SEEDS = Path(__file__).resolve().parents[1] / "seeds" / "demo"
CASTS = {
    "chongqing": ("yunling", "xlsc", "wrail", "guoyuan", "qinzhou", "sgterm"),
    "singapore": ("banksg",),
}
CARRIER, SHIPPER, BANK, DESK = "xlsc", "yunling", "banksg", "exchange"
PATIENCE_SECONDS = 60.0
FAULTS = (DryRunFailed, Refused, Unreachable, PeerAway, WitnessAway, NoteError)
Json = dict[str, Any]


def cast_of(platforms: Mapping[str, Platform]) -> Json:
    """Make the parties' keys; returns the carrier as `peers.json` names it."""
    for name, slugs in CASTS.items():
        for slug in slugs:
            alg = Algorithm.ES256 if slug == CARRIER else Algorithm.ED25519
            platforms[name].signers[slug] = LocalSigner(generate(alg))
    carrier = platforms["chongqing"].signers[CARRIER].public
    return {"NMFTA:XLSC": {"keys": [{"jwk": carrier.to_jwk()}]}}


def play(platforms: Mapping[str, Platform]) -> Iterator[str]:
    """A line for each thing shown; raises one of FAULTS."""
    for platform in platforms.values():
        receipt = _register(platform, "operator", _named("Operator"), ["OPERATOR"])
        receipts.verify(receipt, [platform.log_key])
        yield f"{platform.name} recorded entry {receipt.index}, receipt verified"
    if len(platforms) == 2:
        home, abroad = platforms["chongqing"], platforms["singapore"]
        yield from _cross(home, abroad)
        yield _cosigned(home, abroad)
        yield _cosigned(abroad, home)


def _cross(home: Platform, abroad: Platform) -> Iterator[str]:
    for platform in (home, abroad):
        _enrol(platform)
    yield f"{abroad.name} says by mutual TLS who {BANK} is: {_receiver(home, abroad)}"
    bill = _issue(home)
    home.client(SHIPPER).act("TRANSFER", f"bill:{bill}", recipient=f"{abroad.code}:{BANK}")
    _until(lambda: _status(home, SHIPPER, bill) == "MOVED", "the original did not leave")
    arrived = _status(abroad, BANK, bill)
    if arrived != "ISSUED":
        raise DryRunFailed(f"the original left {home.name}, but {abroad.name} says {arrived}")
    yield f"the original left {home.name} and is {arrived} at {abroad.name}"


def _cosigned(one: Platform, other: Platform) -> str:
    _until(partial(_is_cosigned, one, other), f"{other.name} did not cosign")
    return f"{other.name} cosigned the checkpoint of {one.name}"


# -- parties -------------------------------------------------------------------------------------


def _enrol(platform: Platform) -> None:
    """Register cast and exchange desk; everybody of the cast accepts the rulebook."""
    parties = {each["party"]: each for each in _seed("parties.json")}
    _register(platform, DESK, _named(f"{platform.code} Exchange Desk"), ["EXCHANGE"])
    rulebook = _rulebook(platform)
    for slug in CASTS[platform.name]:
        party = parties[slug]
        optional = {name: party[name] for name in ("carrierCode", "facilities") if name in party}
        _register(platform, slug, party["identity"], party["roles"], optional)
        platform.client(slug).act("ACCEPT_RULEBOOK", f"party:{slug}", {"rulebook": rulebook})


def _register(
    platform: Platform, slug: str, identity: Json, roles: Sequence[str], more: Json | None = None
) -> Receipt:
    proof = drafting.prove_key(
        platform.signers[slug], origin=platform.origin, party=slug, identity=identity
    )
    details = {**proof, **(more or {}), "identity": identity, "roles": list(roles)}
    answer = platform.client("operator").act("REGISTER", f"party:{slug}", details, after=None)
    return Receipt.from_value(answer)


def _named(name: str) -> Json:
    name = f"Compose Dry Run {name}"
    identifiers = [{"type": "AUTHORITY", "value": name}]
    return {"legalName": name, "country": "SG", "identifiers": identifiers}


def _rulebook(platform: Platform) -> str:
    rulebook = platform.client("operator").request("GET", "/rulebook", None, None, token=None)
    return hashlib.sha256(rulebook.content).hexdigest()


# -- the bill ------------------------------------------------------------------------------------


def _issue(home: Platform) -> str:
    """From booking to issue, by the carrier's own acts and those it needs; returns the bill."""
    now = datetime.now(UTC)
    document: Json = _dated(_seed("document.json"), now.date().isoformat())
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
        home.client("guoyuan").act("GATE_IN", stream, {**gate_in, "seals": ["S1"]})
    issued = carrier.upload(json.dumps(document).encode())
    bill = str(issued["checksum"])
    carrier.act("ISSUE", f"bill:{bill}", _issue_details(home, shipment, issued), after=None)
    return bill


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
            "receipt": "guoyuan",
            "rail": "wrail",
            "loading": "qinzhou",
            "discharge": "sgterm",
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
        "rulebook": _rulebook(home),
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


def _seed(name: str) -> Any:
    return json.loads((SEEDS / name).read_text(encoding="utf-8"))


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
    for party in _seed("parties.json"):
        for identifier in party["identity"]["identifiers"]:
            if party["party"] == slug and identifier["type"] == kind:
                return str(identifier["value"])
    raise DryRunFailed(f"{slug} has no {kind}")


def _status(platform: Platform, party: str, bill: str) -> str:
    try:
        return str(platform.client(party).get(f"/v1/bills/{bill}")["status"])
    except Refused as refused:
        return refused.code


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


def _until(done: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise DryRunFailed(f"{otherwise} within {PATIENCE_SECONDS:.0f} seconds")
        time.sleep(0.2)
