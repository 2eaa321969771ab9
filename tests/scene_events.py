"""Events on the scene, to be spoilt in one place and sent."""

from __future__ import annotations

import json
from typing import Any

from bol_service.crypto import base64url, strictjson
from bol_service.crypto.signers import Signer
from bol_service.wire import drafting
from tests import kit
from tests.bill_scene import Answer, Scene

Json = dict[str, Any]


def key(stage: Scene, party: str) -> Signer:
    signer = stage.clients[party].signer
    assert signer is not None
    return signer


def sign_act(stage: Scene, **changes: Any) -> Json:
    """bankcq shows that it holds bill A (SIGN): lawful, unless `changes` spoil it."""
    stream = f"bill:{stage.bill_a}"
    payload: Json = json.loads(
        drafting.payload(
            action="SIGN",
            actor="bankcq",
            at=stage.voyage.now(),
            audience=kit.ORIGIN,
            stream=stream,
            after=stage.head(stream),
        )
    )
    return {name: value for name, value in (payload | changes).items() if value != "(none)"}


def compact(value: Json, signer: Signer) -> str:
    return drafting.sign(strictjson.canonical(value), signer)


def with_header(header: bytes, payload: bytes, signer: Signer) -> str:
    """A JWS with any header at all, correctly signed."""
    signing_input = f"{base64url.encode(header)}.{base64url.encode(payload)}"
    return f"{signing_input}.{base64url.encode(signer.sign(signing_input.encode()))}"


def refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.json()["code"]) == (status, code), answer.body
