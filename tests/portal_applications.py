"""Applications for registration as the keys page makes them, and handing them in."""

from __future__ import annotations

import json
from typing import Any

from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.wire import drafting
from tests import kit
from tests.bill_scene import Answer
from tests.portal_stage import Stage

Json = dict[str, Any]


def identity(name: str, **more: object) -> Json:
    identifiers = [{"type": "AUTHORITY", "value": name}]
    return {"country": "SG", "identifiers": identifiers, "legalName": name, **more}


def prepared(party: str, signer: LocalSigner | None = None, **more: object) -> Json:
    """A registration file as the keys page makes it."""
    signer = signer or LocalSigner(generate(Algorithm.ED25519))
    claims = identity(party, **more)
    proof = drafting.prove_key(signer, origin=kit.ORIGIN, party=party, identity=claims)
    return {"party": party, "identity": claims, **proof}


def hand_in(stage: Stage, asked: object) -> Answer:
    headers = {"Content-Type": "application/json", "Origin": stage.base_url}
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    return stage.request("POST", "/portal/registrations", body=body, headers=headers)
