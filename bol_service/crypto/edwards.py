"""Which 32 bytes are an Ed25519 public key that binds its owner (RFC 8032 section 5.1.3).

The signature library takes any 32 bytes. Refused here, once, when a key is first seen:
1. a coordinate written beyond the field's prime: a second spelling of one key;
2. bytes that name no point of the curve;
3. points of order 1, 2, 4 or 8: under such a key one signature verifies for unrelated messages.
"""

from __future__ import annotations

from typing import Final

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P


def check_point(encoded: bytes) -> None:
    """Raises ValueError naming which of the three rules the 32 bytes break."""
    number = int.from_bytes(encoded, "little")
    y, sign = number & (2**255 - 1), number >> 255
    if y >= _P:
        raise ValueError("the coordinate is not reduced modulo 2^255-19")
    x_squared = _x_squared(y)
    if not _is_square(x_squared) or (x_squared == 0 and sign):
        raise ValueError("the bytes are no point of the curve")
    for _ in range(3):
        y = _doubled(y, x_squared)
        x_squared = _x_squared(y)
    if y == 1:
        raise ValueError("the point has a small order and binds nobody")


def _x_squared(y: int) -> int:
    return (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P


def _is_square(value: int) -> bool:
    return value == 0 or pow(value, (_P - 1) // 2, _P) == 1


def _doubled(y: int, x_squared: int) -> int:
    """The y coordinate of P + P; it depends on x only through its square."""
    return (y * y + x_squared) * pow(1 - _D * x_squared * y * y, -1, _P) % _P
