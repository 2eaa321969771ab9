"""Writing what a party signs: payloads in their one canonical form, and the JWS around them.

Runs on the party's side; the service never signs for anybody.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from bol_service.crypto import jws, strictjson
from bol_service.crypto.keys import PublicKey
from bol_service.crypto.signers import Signer
from bol_service.domain.states import Head
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import (
    EVENT_TYP,
    PLATFORM_TYP,
    PROOF_TYP,
    VERSION,
    key_proof_payload,
)


def uuid7(moment: datetime) -> str:
    """A new UUIDv7 (RFC 9562) for the millisecond of `moment`."""
    milliseconds = int(moment.timestamp() * 1000)
    random = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64
    value |= 0b10 << 62 | random & (1 << 62) - 1
    return str(UUID(int=value))


def payload(
    *,
    action: str,
    actor: str,
    at: datetime,
    audience: str,
    stream: str,
    after: Head | None,
    details: Mapping[str, Any] | None = None,
    recipient: str | None = None,
) -> bytes:
    """The payload of an event that continues `stream` after the head `after` (None: opens it)."""
    value: dict[str, Any] = {
        "action": action,
        "actor": actor,
        "at": instant_text(at),
        "audience": audience,
        "details": dict(details or {}),
        "id": uuid7(at),
        "previous": after.digest if after else None,
        "sequence": after.sequence + 1 if after else 0,
        "stream": stream,
        "v": VERSION,
    }
    if recipient is not None:
        value["recipient"] = recipient
    return strictjson.canonical(value)


def sign(event: bytes, signer: Signer) -> str:
    """The compact JWS of a payload."""
    return jws.sign(event, EVENT_TYP, signer)


def sign_as_platform(event: bytes, signer: Signer) -> str:
    """The compact JWS of an entry of the exchange desk."""
    return jws.sign(event, PLATFORM_TYP, signer)


def prove_key(
    signer: Signer, *, origin: str, party: str, identity: dict[str, Any] | None = None
) -> dict[str, Any]:
    """`key` and `keyProof` for REGISTER (with `identity`), ADD_KEY and ROTATE_KEY."""
    key: PublicKey = signer.public
    proof = key_proof_payload(origin=origin, party=party, key=key, identity=identity)
    return {"key": key.to_jwk(), "keyProof": jws.sign_detached(proof, PROOF_TYP, signer)}


def issuance_manifest(
    signer: Signer,
    *,
    document_checksum: str,
    issue_to_checksum: str,
    visualisation_checksum: str | None = None,
) -> str:
    """The DCSA issuance manifest, signed by the carrier; its header bears no typ."""
    value = {"documentChecksum": document_checksum, "issueToChecksum": issue_to_checksum}
    if visualisation_checksum is not None:
        value["eBLVisualisationByCarrierChecksum"] = visualisation_checksum
    return jws.sign(strictjson.canonical(value), None, signer)
