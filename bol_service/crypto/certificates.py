"""Self-signed X.509 certificates (RFC 5280) for keys of this service.

Peers pin a certificate as it is; nobody certifies anybody. What it states: the name (CN), the
validity, that the key signs and is no authority; for TLS also the hosts and both sides of a
connection, so that one certificate serves and calls (mutual TLS).

Built for a `Signer`, which never hands out its private key and may keep it in a token: the library
writes the certificate under a throw-away key, then that signature is replaced by the signer's own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bol_service.crypto import base64url
from bol_service.crypto.keys import SIGNATURE_SIZE, Algorithm
from bol_service.crypto.signers import Signer

_BIT_STRING: Final = 0x03
_SEQUENCE: Final = 0x30


def self_signed(
    signer: Signer,
    *,
    name: str,
    not_before: datetime,
    not_after: datetime,
    tls_hosts: Sequence[str] = (),
) -> str:
    """PEM. With `tls_hosts`, names or IP addresses, for TLS. Raises ValueError for an Ed25519 key
    or an unusable name."""
    if signer.public.alg is not Algorithm.ES256:
        raise ValueError(
            f"the key is {signer.public.alg}; DCSA platforms and TLS libraries take ES256."
            " Make one with: bol keys generate --alg ES256"
        )
    builder = _builder(signer, name, not_before, not_after)
    if tls_hosts:
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(both), critical=False)
        names = x509.SubjectAlternativeName([_general_name(host) for host in tls_hosts])
        builder = builder.add_extension(names, critical=False)
    draft = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    certificate = x509.load_der_x509_certificate(_resigned(draft, signer))
    certificate.verify_directly_issued_by(certificate)
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _builder(
    signer: Signer, name: str, not_before: datetime, not_after: datetime
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    key = _public_key(signer)
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=subject, public_key=key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_SIGNS_ONLY, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


_SIGNS_ONLY: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def _public_key(signer: Signer) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(base64url.decode(part)) for part in signer.public.coordinates)
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _resigned(draft: x509.Certificate, signer: Signer) -> bytes:
    """The certificate's own parts (RFC 5280 section 4.1), the signature by `signer` in DER."""
    content = draft.tbs_certificate_bytes
    raw = signer.sign(content)
    half = SIGNATURE_SIZE // 2
    signature = encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))
    whole = draft.public_bytes(Encoding.DER)
    unsigned = whole[whole.index(content) : -len(_bit_string(draft.signature))]
    return _der(_SEQUENCE, unsigned + _bit_string(signature))


def _bit_string(value: bytes) -> bytes:
    return _der(_BIT_STRING, b"\x00" + value)


def _der(tag: int, value: bytes) -> bytes:
    """Tag, length in as few bytes as possible, value (X.690 section 10.1)."""
    if len(value) < 0x80:
        return bytes([tag, len(value)]) + value
    length = len(value).to_bytes((len(value).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + value
