"""What the owner of an Ed25519 key can sign and nobody should take: an R of small order.

With r = 0, R is the neutral point and s = kA's multiple alone: the equation of RFC 8032 section
5.1.7 holds, for libraries that do not look at R. Others refuse it, as W3C Web Cryptography asks.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
NEUTRAL = (1).to_bytes(32, "little")
_OF_ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"


def signed_with_neutral_r(private: Ed25519PrivateKey, message: bytes) -> bytes:
    public = private.public_key().public_bytes_raw()
    k = int.from_bytes(hashlib.sha512(NEUTRAL + public + message).digest(), "little")
    return NEUTRAL + (k * _scalar(private) % L).to_bytes(32, "little")


def _scalar(private: Ed25519PrivateKey) -> int:
    head = hashlib.sha512(private.private_bytes_raw()).digest()[:32]
    return int.from_bytes(head, "little") & (2**254 - 8) | 2**254


def small_points() -> list[bytes]:
    """Every spelling of the points of order 1, 2, 4 and 8, also those beyond the prime."""
    of_order_8 = int.from_bytes(bytes.fromhex(_OF_ORDER_8), "little")
    rows = (0, 1, P - 1, P, P + 1, of_order_8, P - of_order_8)
    return [(y | sign << 255).to_bytes(32, "little") for y in rows for sign in (0, 1)]
