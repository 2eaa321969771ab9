"""Unpadded base64url in its one canonical spelling (RFC 7515 section 2, RFC 4648 section 5).

1. Only A-Z a-z 0-9 - _; no padding, no white space.
2. Bits that carry nothing are zero, so that two texts never stand for the same bytes.
"""

from __future__ import annotations

import base64
import binascii
import string

_ALPHABET = f"{string.ascii_letters}{string.digits}-_".encode("ascii")
_FOREIGN = b"!"
_TO_STANDARD = bytes(sign if sign in _ALPHABET else ord(_FOREIGN) for sign in range(256)).translate(
    bytes.maketrans(b"-_", b"+/")
)
"""The alphabet of RFC 4648 section 4; everything that is not in ours becomes `_FOREIGN`."""
_PADDING = (b"", b"", b"==", b"=")
_LAST = {2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}
"""The last characters that leave no bit over, by how many characters there are beyond fours."""


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Raises ValueError unless `text` is exactly what `encode` writes for some bytes."""
    raw = text.encode("ascii", "replace").translate(_TO_STANDARD)
    if _FOREIGN in raw:
        raise ValueError("has a character outside the unpadded base64url alphabet")
    beyond = len(text) % 4
    if beyond == 1:
        raise ValueError(f"has {len(text)} characters, which no number of bytes encodes to")
    if beyond and text[-1] not in _LAST[beyond]:
        raise ValueError("ends in bits that carry nothing but are not zero")
    return binascii.a2b_base64(raw + _PADDING[beyond])
