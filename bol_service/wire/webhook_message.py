"""A notice as a webhook message (Standard Webhooks 1.0.0, asymmetric signatures `v1a`).

1. The id is the same at every attempt and every replay, so that a receiver knows what it has.
2. What is signed is `id.timestamp.body`, the timestamp in whole seconds, with Ed25519.
3. The body holds what `GET /v1/notices` tells the same party, and whose log it is from.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bol_service.crypto import strictjson
from bol_service.crypto.keys import PublicKey

PUBLIC_PREFIX = "whpk_"
VERSION = "v1a"
USER_AGENT = "bol-webhooks/1"


@dataclass(frozen=True, kw_only=True)
class Message:
    id: str
    body: bytes

    def headers(self, timestamp: int, sign: Callable[[bytes], bytes]) -> dict[str, str]:
        """The headers of one attempt; `timestamp` is its time in seconds since 1970."""
        signature = sign(signed_content(self.id, timestamp, self.body))
        return {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "webhook-id": self.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": f"{VERSION},{base64.b64encode(signature).decode('ascii')}",
        }


def signed_content(message_id: str, timestamp: int, body: bytes) -> bytes:
    return b".".join((message_id.encode("ascii"), str(timestamp).encode("ascii"), body))


def public_text(key: PublicKey) -> str:
    """The spelling by which receivers are given an Ed25519 key; ValueError for another one."""
    return PUBLIC_PREFIX + base64.b64encode(key.public_bytes_raw).decode("ascii")


def message(
    *, webhook: str, origin: str, party: str, number: int, notice: Mapping[str, object]
) -> Message:
    """`notice` is the party's own view of its notice `number`."""
    body = {
        "type": f"notice.{notice['kind']}",
        "timestamp": notice["at"],
        "data": {"origin": origin, "party": party, **notice},
    }
    return Message(id=f"msg_{webhook}_{number}", body=strictjson.canonical(body))
