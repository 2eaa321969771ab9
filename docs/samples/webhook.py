"""Verify a message of a platform's webhook; needs cryptography, nothing else.

`key` is the platform's `whpk_…`, kept from when the webhook was added; `headers` have names in
small letters; `body` is the bytes as received. Raises if the message is not to be trusted.
"""

import base64
import json
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def verify(key: str, headers: dict[str, str], body: bytes, now: float | None = None) -> dict:
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix("whpk_")))
    sent = headers["webhook-timestamp"]
    if abs((time.time() if now is None else now) - int(sent)) > 300:
        raise ValueError(f"the message was sent at {sent}; more than five minutes away")
    version, signature = headers["webhook-signature"].split(",")
    if version != "v1a":
        raise ValueError(f"the signature is {version}, v1a is wanted")
    signed = f"{headers['webhook-id']}.{sent}.".encode() + body
    public.verify(base64.b64decode(signature), signed)  # raises InvalidSignature
    return json.loads(body)
