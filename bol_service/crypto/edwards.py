"""Which 32 bytes are a point that binds, of a key or a signature (RFC 8032 section 5.1.3).

The signature library takes any 32 bytes. Refused of a key, once, when it is first seen:
1. a coordinate written beyond the field's prime: a second spelling of one key;
2. bytes that name no point of the curve;
3. points of order 1, 2, 4 or 8: under such a key one signature verifies for unrelated messages.

A signature begins with a point too, R. Its maker can choose one of rule 3. Some libraries take that
and some refuse it (W3C Web Cryptography asks for the latter), so that one signature would hold here
and not there: it is refused at every signature.
"""

from __future__ import annotations

from typing import Final

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_WITHOUT_SIGN: Final = 2**255 - 1
_OF_ORDER_8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDERS: Final = frozenset({0, 1, _P - 1, _P, _P + 1, _OF_ORDER_8, _P - _OF_ORDER_8})
"""Their y coordinates, 0 and 1 also as they are written beyond the prime."""


def check_point(encoded: bytes) -> None:
    """Raises ValueError naming which of the three rules the 32 bytes break."""
    number = int.from_bytes(encoded, "little")
    y, sign = number & _WITHOUT_SIGN, number >> 255
    if y >= _P:
        raise ValueError("the coordinate is not reduced modulo 2^255-19")
    x_squared = _x_squared(y)
    if not _is_square(x_squared) or (x_squared == 0 and sign):
        raise ValueError("the bytes are no point of the curve")
    if has_small_order(encoded):
        raise ValueError("the point has a small order and binds nobody")


def has_small_order(encoded: bytes) -> bool:
    """Whether 32 bytes name a point of order 1, 2, 4 or 8, in whatever spelling."""
    return int.from_bytes(encoded, "little") & _WITHOUT_SIGN in _SMALL_ORDERS


def _x_squared(y: int) -> int:
    return (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P


def _is_square(value: int) -> bool:
    return value == 0 or pow(value, (_P - 1) // 2, _P) == 1
