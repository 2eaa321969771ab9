"""The parties of the compose dry run, and what each step of its story asks of a platform.

They are the demonstration's (`seeds/demo`). The terminal is a party of Singapore alone: Chongqing
registers it from the application that Singapore relays (`scripts/compose_delivery.py`).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bol_service.client import Refused
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.ledger.receipt import Receipt
from bol_service.wire import drafting
from scripts.compose_file import DryRunFailed
from scripts.compose_platform import Platform

SEEDS = Path(__file__).resolve().parents[1] / "seeds" / "demo"
CARRIER, SHIPPER, BANK, DESK = "xlsc", "yunling", "banksg", "exchange"
RECEIPT, RAIL, LOADING, TERMINAL = "guoyuan", "wrail", "qinzhou", "sgterm"
CASTS = {
    "chongqing": (SHIPPER, CARRIER, RAIL, RECEIPT, LOADING),
    "singapore": (BANK, TERMINAL),
}
PATIENCE_SECONDS = 60.0
Json = dict[str, Any]


def cast_of(platforms: Mapping[str, Platform]) -> Json:
    """Make the parties' keys; returns the carrier as `peers.json` names it."""
    for name, slugs in CASTS.items():
        for slug in slugs:
            alg = Algorithm.ES256 if slug == CARRIER else Algorithm.ED25519
            platforms[name].signers[slug] = LocalSigner(generate(alg))
    carrier = platforms["chongqing"].signers[CARRIER].public
    return {"NMFTA:XLSC": {"keys": [{"jwk": carrier.to_jwk()}]}}


def enrol(platform: Platform) -> None:
    """Register cast and exchange desk; everybody of the cast accepts the rulebook."""
    register(platform, DESK, named(f"{platform.code} Exchange Desk"), ["EXCHANGE"])
    accepted = {"rulebook": rulebook(platform)}
    for slug in CASTS[platform.name]:
        party = party_of(slug)
        register(platform, slug, party["identity"], party["roles"], optional(party))
        platform.client(slug).act("ACCEPT_RULEBOOK", f"party:{slug}", accepted)


def register(
    platform: Platform, slug: str, identity: Json, roles: Sequence[str], more: Json | None = None
) -> Receipt:
    proof = drafting.prove_key(
        platform.signers[slug], origin=platform.origin, party=slug, identity=identity
    )
    details = {**proof, **(more or {}), "identity": identity, "roles": list(roles)}
    answer = platform.client("operator").act("REGISTER", f"party:{slug}", details, after=None)
    return Receipt.from_value(answer)


def named(name: str) -> Json:
    name = f"Compose Dry Run {name}"
    identifiers = [{"type": "AUTHORITY", "value": name}]
    return {"legalName": name, "country": "SG", "identifiers": identifiers}


def party_of(slug: str) -> Json:
    """As the demonstration registers it."""
    found: Json = next(each for each in seed("parties.json") if each["party"] == slug)
    return found


def optional(party: Json) -> Json:
    """What only some registrations have."""
    return {name: party[name] for name in ("carrierCode", "facilities") if name in party}


def rulebook(platform: Platform) -> str:
    """The SHA-256 of the platform's rulebook."""
    asked = platform.client("operator").request("GET", "/rulebook", None, None, token=None)
    return hashlib.sha256(asked.content).hexdigest()


def seed(name: str) -> Any:
    return json.loads((SEEDS / name).read_text(encoding="utf-8"))


def status(platform: Platform, party: str, bill: str) -> str:
    """The bill's status as `party` reads it, or why it may not."""
    try:
        return str(platform.client(party).get(f"/v1/bills/{bill}")["status"])
    except Refused as refused:
        return refused.code


def until(done: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise DryRunFailed(f"{otherwise} within {PATIENCE_SECONDS:.0f} seconds")
        time.sleep(0.2)
