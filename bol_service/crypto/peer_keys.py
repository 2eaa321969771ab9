"""Keys of other platforms and of carriers: pinned by configuration, never taken from a message.

1. A pin is an X.509 certificate or a public JWK. Nobody vouches for it but the file it stands in:
   no chain, no revocation list; a pin that is taken away counts no more.
2. The key decides which algorithms may be used with it (RFC 7518): RSA of 2048 to 8192 bits
   PS256/384/512 and RS256/384/512; P-256 ES256, P-384 ES384, P-521 ES512. A pin may narrow that.
3. Ed25519 signs only where the pin names `EdDSA` or `Ed25519`, since the standard's own tools do
   not know it.
4. A certificate counts from its notBefore to its notAfter and must allow signatures, if it says
   what it allows (RFC 5280 section 4.2.1.3). A JWK counts as long as it is pinned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from bol_service.crypto import edwards

MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192  # beyond it every check costs more than any signature is worth
_CERTIFICATE: Final = re.compile(
    r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*"
)
_KEY_MEMBERS: Final[tuple[str, ...]] = ("kty", "crv", "x", "y", "n", "e")
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})

VerifyingKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey


class PeerAlgorithm(StrEnum):
    """Every `alg` that a message from outside may bear (RFC 7518, RFC 8037, RFC 9864)."""

    ES256 = "ES256"
    ES384 = "ES384"
    ES512 = "ES512"
    PS256 = "PS256"
    PS384 = "PS384"
    PS512 = "PS512"
    RS256 = "RS256"
    RS384 = "RS384"
    RS512 = "RS512"
    EDDSA = "EdDSA"
    ED25519 = "Ed25519"


_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
_RSA: Final = frozenset(alg for alg in PeerAlgorithm if alg[:2] in ("PS", "RS"))
_EDWARDS: Final = frozenset({PeerAlgorithm.EDDSA, PeerAlgorithm.ED25519})
_CURVES: Final = {
    "secp256r1": PeerAlgorithm.ES256,
    "secp384r1": PeerAlgorithm.ES384,
    "secp521r1": PeerAlgorithm.ES512,
}
_KEY_TYPES: Final[Mapping[str, type[RSAKey | ECKey | OKPKey]]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}


@dataclass(frozen=True, kw_only=True)
class PinnedKey:
    """`not_before` and `not_after` bound its use, None where the pin has no bound.

    Raises ValueError for a key that is too weak, of another kind, or pinned for what it cannot do.
    """

    key: VerifyingKey = field(repr=False)
    algorithms: frozenset[PeerAlgorithm]
    not_before: datetime | None = None
    not_after: datetime | None = None

    def __post_init__(self) -> None:
        possible = _possible(self.key)
        if not self.algorithms:
            raise ValueError("an Ed25519 key signs only if its pin says so; name EdDSA or Ed25519")
        if not self.algorithms <= possible:
            raise ValueError(
                f"this key cannot sign {_listed(self.algorithms - possible)}; pin it for"
                f" {_listed(possible)}"
            )

    @classmethod
    def from_certificate(
        cls, pem: str, algorithms: Iterable[PeerAlgorithm] | None = None
    ) -> PinnedKey:
        """Of exactly one certificate; raises ValueError."""
        certificate = read_certificate(pem)
        _refuse_other_usage(certificate)
        key = _verifying_key(certificate)
        return cls(
            key=key,
            algorithms=_chosen(key, algorithms),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )

    @classmethod
    def from_jwk(cls, jwk: object, algorithms: Iterable[PeerAlgorithm] | None = None) -> PinnedKey:
        """`alg` in the JWK narrows the pin as `algorithms` does; raises ValueError."""
        if not isinstance(jwk, dict):
            raise ValueError(f"a JWK is a JSON object, not {type(jwk).__name__}")
        if jwk.keys() & _PRIVATE_MEMBERS:
            raise ValueError("the JWK holds a private key; pin the public members only")
        if jwk.get("use", "sig") != "sig":
            raise ValueError(f"the JWK is for use {jwk['use']!r}; pin one that is for sig")
        key = _imported(jwk)
        stated = None if "alg" not in jwk else {_algorithm(jwk["alg"])}
        chosen = _chosen(key, stated if algorithms is None else algorithms)
        if stated is not None and not chosen <= stated:
            raise ValueError(f"the JWK is for alg {jwk['alg']}, pinned for {_listed(chosen)}")
        return cls(key=key, algorithms=chosen)

    @cached_property
    def kid(self) -> str:
        """RFC 7638 SHA-256 thumbprint: the same for a certificate and a JWK of one key."""
        return thumbprint(self.key)

    def to_jwk(self) -> dict[str, str]:
        """The members that make the key, and no others."""
        jwk = _jose(self.key).as_dict(private=False)
        return {name: str(jwk[name]) for name in _KEY_MEMBERS if name in jwk}

    def covers(self, moment: datetime) -> bool:
        """Whether `moment` lies within the validity, both ends included."""
        if self.not_before is not None and moment < self.not_before:
            return False
        return self.not_after is None or moment <= self.not_after

    def verify(self, alg: PeerAlgorithm, signature: bytes, message: bytes) -> bool:
        """False also for an algorithm that the key is not pinned for."""
        if alg not in self.algorithms:
            return False
        try:
            _verify(self.key, alg, signature, message)
        except InvalidSignature:
            return False
        return True


def read_certificate(pem: str) -> x509.Certificate:
    """The one certificate in a PEM text; raises ValueError."""
    if _CERTIFICATE.fullmatch(pem.strip()) is None:
        raise ValueError("is not one certificate in PEM; pin the signer's own, without a chain")
    try:
        return x509.load_pem_x509_certificate(pem.encode("ascii"))
    except ValueError as error:
        raise ValueError(f"is no X.509 certificate: {error}") from error


def _verifying_key(certificate: x509.Certificate) -> VerifyingKey:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"the certificate's key cannot be used: {error}") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey):
        raise ValueError(f"the certificate holds {type(key).__name__}; use RSA, EC or Ed25519")
    return key


def _refuse_other_usage(certificate: x509.Certificate) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not (usage.digital_signature or usage.content_commitment):
        raise ValueError("the certificate's key usage does not allow signatures; pin another one")


def _imported(jwk: dict[str, Any]) -> VerifyingKey:
    kind = _KEY_TYPES.get(str(jwk.get("kty")))
    if kind is None:
        raise ValueError(f"kty {jwk.get('kty')!r} is not supported; use RSA, EC or OKP")
    try:
        members = {name: jwk[name] for name in _KEY_MEMBERS if name in jwk}
        key = kind.import_key(members).public_key
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"the JWK is no usable {jwk['kty']} key: {error}") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey):
        raise ValueError(f"crv {jwk.get('crv')!r} is not supported; use Ed25519")
    return key


def _jose(key: VerifyingKey) -> RSAKey | ECKey | OKPKey:
    if isinstance(key, rsa.RSAPublicKey):
        return RSAKey.import_key(key)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return ECKey.import_key(key)
    return OKPKey.import_key(key)


def _possible(key: VerifyingKey) -> frozenset[PeerAlgorithm]:
    """What the key can sign; raises ValueError for a key that is not used at all."""
    if isinstance(key, Ed25519PublicKey):
        edwards.check_point(key.public_bytes_raw())
        return _EDWARDS
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES:
            raise ValueError(f"the curve {key.curve.name} is not supported; use P-256")
        return frozenset({_CURVES[key.curve.name]})
    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise ValueError(
            f"the RSA key has {key.key_size} bits; from {MIN_RSA_BITS} to {MAX_RSA_BITS} are taken"
        )
    return _RSA


def _chosen(
    key: VerifyingKey, algorithms: Iterable[PeerAlgorithm] | None
) -> frozenset[PeerAlgorithm]:
    if algorithms is not None:
        return frozenset(algorithms)
    return frozenset() if isinstance(key, Ed25519PublicKey) else _possible(key)


def _algorithm(text: object) -> PeerAlgorithm:
    if text not in list(PeerAlgorithm):
        raise ValueError(f"alg {text!r} is not supported; use one of {_listed(PeerAlgorithm)}")
    return PeerAlgorithm(str(text))


def _verify(key: VerifyingKey, alg: PeerAlgorithm, signature: bytes, message: bytes) -> None:
    """Raises InvalidSignature."""
    if isinstance(key, Ed25519PublicKey):
        if edwards.has_small_order(signature[:32]):
            raise InvalidSignature
        key.verify(signature, message)
        return
    digest = _HASHES[alg[2:]]
    size = (key.key_size + 7) // 8
    if isinstance(key, rsa.RSAPublicKey):
        if len(signature) != size:  # OpenSSL takes one whose leading zeros are left out
            raise InvalidSignature
        key.verify(signature, message, rsa_padding(alg), digest)
        return
    if len(signature) != 2 * size:
        raise InvalidSignature
    r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    key.verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))


def rsa_padding(alg: PeerAlgorithm) -> padding.AsymmetricPadding:
    """RFC 7518 sections 3.3 and 3.5: a PSS salt is as long as the hash."""
    if alg.startswith("RS"):
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(_HASHES[alg[2:]]), padding.PSS.DIGEST_LENGTH)


def thumbprint(key: VerifyingKey) -> str:
    """RFC 7638, SHA-256, 43 characters."""
    return _jose(key).thumbprint()


def _listed(algorithms: Iterable[PeerAlgorithm]) -> str:
    return ", ".join(sorted(algorithms))
