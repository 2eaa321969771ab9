"""Public keys: one spelling, one name, one algorithm.

1. A key is written as a JWK with its required members and nothing else (RFC 7517, RFC 8037,
   RFC 7518 section 6.2); a private member is refused, not dropped.
2. Coordinates are canonical base64url of 32 bytes and a point that binds its owner.
3. The name of a key is its RFC 7638 thumbprint; the key fixes the algorithm (RFC 8725 3.1).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from bol_service.crypto import base64url, edwards

SIGNATURE_SIZE: Final = 64
_COORDINATE_SIZE: Final = 32
_P256_PRIME: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1  # the library reduces, we refuse
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
_ES256_HASH: Final = ec.ECDSA(hashes.SHA256())


class Algorithm(StrEnum):
    """The only two `alg` values of signed messages (RFC 9864, RFC 7518)."""

    ED25519 = "Ed25519"
    ES256 = "ES256"


_FIXED_MEMBERS: Final = {
    Algorithm.ED25519: {"kty": "OKP", "crv": "Ed25519"},
    Algorithm.ES256: {"kty": "EC", "crv": "P-256"},
}
_COORDINATES: Final = {Algorithm.ED25519: ("x",), Algorithm.ES256: ("x", "y")}


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """`coordinates` are x, or x and y, in base64url; ValueError unless they are a usable key."""

    alg: Algorithm
    coordinates: tuple[str, ...]

    def __post_init__(self) -> None:
        raw = [
            _coordinate(name, text)
            for name, text in zip(_COORDINATES[self.alg], self.coordinates, strict=True)
        ]
        if self.alg is Algorithm.ED25519:
            edwards.check_point(raw[0])
            return
        if any(int.from_bytes(part) >= _P256_PRIME for part in raw):
            raise ValueError("x or y is not reduced modulo the prime of P-256")
        try:
            _ = self._verifier
        except ValueError as error:
            raise ValueError(f"x and y are no point of the curve P-256: {error}") from error

    @classmethod
    def from_jwk(cls, value: object) -> PublicKey:
        """Raises ValueError naming the member that is missing, unknown, private or wrong."""
        if not isinstance(value, dict):
            raise ValueError(f"a JWK is a JSON object, not {type(value).__name__}")
        if value.keys() & _PRIVATE_MEMBERS:
            raise ValueError("the JWK holds a private key; send only the public members")
        alg = _algorithm_of(value)
        expected = {"kty", "crv", *_COORDINATES[alg]}
        if value.keys() != expected:
            raise ValueError(
                f"a JWK for {alg} has exactly the members {sorted(expected)}, not {sorted(value)}"
            )
        return cls(alg=alg, coordinates=tuple(value[name] for name in _COORDINATES[alg]))

    @classmethod
    def of(cls, key: Ed25519PublicKey | ec.EllipticCurvePublicKey) -> PublicKey:
        """Raises ValueError for a curve other than P-256."""
        if isinstance(key, Ed25519PublicKey):
            x = base64url.encode(key.public_bytes_raw())
            return cls(alg=Algorithm.ED25519, coordinates=(x,))
        if not isinstance(key.curve, ec.SECP256R1):
            raise ValueError(f"the key is on the curve {key.curve.name}; make one on P-256")
        numbers = key.public_numbers()
        parts = [base64url.encode(n.to_bytes(_COORDINATE_SIZE)) for n in (numbers.x, numbers.y)]
        return cls(alg=Algorithm.ES256, coordinates=tuple(parts))

    def to_jwk(self) -> dict[str, str]:
        coordinates = zip(_COORDINATES[self.alg], self.coordinates, strict=True)
        return {**_FIXED_MEMBERS[self.alg], **dict(coordinates)}

    @cached_property
    def kid(self) -> str:
        """RFC 7638 SHA-256 thumbprint, unpadded base64url, 43 characters."""
        members = json.dumps(self.to_jwk(), sort_keys=True, separators=(",", ":"))
        return base64url.encode(hashlib.sha256(members.encode("ascii")).digest())

    @property
    def public_bytes_raw(self) -> bytes:
        """The 32 bytes of an Ed25519 key, as notes use them; raises ValueError for ES256."""
        if self.alg is not Algorithm.ED25519:
            raise ValueError(f"only an Ed25519 key has raw bytes, this one is {self.alg}")
        return base64url.decode(self.coordinates[0])

    def verify(self, signature: bytes, message: bytes) -> bool:
        """An ES256 signature is the 64 bytes r, s of RFC 7518 section 3.4, not DER; an R of small
        order is no signature."""
        if len(signature) != SIGNATURE_SIZE:
            return False
        try:
            if isinstance(self._verifier, Ed25519PublicKey):
                if edwards.has_small_order(signature[:_COORDINATE_SIZE]):
                    return False
                self._verifier.verify(signature, message)
            else:
                self._verifier.verify(_der(signature), message, _ES256_HASH)
        except InvalidSignature:
            return False
        return True

    @cached_property
    def _verifier(self) -> Ed25519PublicKey | ec.EllipticCurvePublicKey:
        raw = [base64url.decode(text) for text in self.coordinates]
        if self.alg is Algorithm.ED25519:
            return Ed25519PublicKey.from_public_bytes(raw[0])
        x, y = (int.from_bytes(part) for part in raw)
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def _algorithm_of(jwk: dict[Any, Any]) -> Algorithm:
    for alg, fixed in _FIXED_MEMBERS.items():
        if all(jwk.get(name) == value for name, value in fixed.items()):
            return alg
    raise ValueError(
        f"kty {jwk.get('kty')!r} with crv {jwk.get('crv')!r} is not supported;"
        " use OKP with Ed25519, or EC with P-256"
    )


def _coordinate(name: str, text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError(f"{name} is {type(text).__name__}, not base64url text")
    try:
        raw = base64url.decode(text)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error
    if len(raw) != _COORDINATE_SIZE:
        raise ValueError(f"{name} has {len(raw)} bytes, not {_COORDINATE_SIZE}")
    return raw


def _der(signature: bytes) -> bytes:
    half = SIGNATURE_SIZE // 2
    return encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
