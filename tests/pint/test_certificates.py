"""Self-signed certificates: what they state, to whom they are of use, and that each is in DER."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Final

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bol_service.crypto.certificates import self_signed
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate

BEGIN, END = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
KEY: Final = generate(Algorithm.ES256)
SIGNER: Final = LocalSigner(KEY)
OF_A_SIGNATURE: Final = {x509.BasicConstraints, x509.KeyUsage, x509.SubjectKeyIdentifier}
OF_TLS: Final = OF_A_SIGNATURE | {x509.ExtendedKeyUsage, x509.SubjectAlternativeName}


def certificate(*hosts: str, name: str = "CQGY") -> x509.Certificate:
    text = self_signed(SIGNER, name=name, not_before=BEGIN, not_after=END, tls_hosts=hosts)
    return x509.load_pem_x509_certificate(text.encode())


def test_a_certificate_binds_the_name_and_the_key_for_a_time() -> None:
    found = certificate()
    assert found.subject == found.issuer
    assert [(part.oid, part.value) for part in found.subject] == [(NameOID.COMMON_NAME, "CQGY")]
    assert (found.not_valid_before_utc, found.not_valid_after_utc) == (BEGIN, END)
    spki = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    assert found.public_key().public_bytes(*spki) == KEY.public_key().public_bytes(*spki)
    found.verify_directly_issued_by(found)


def test_a_certificate_for_signatures_says_nothing_of_tls() -> None:
    assert {type(part.value) for part in certificate().extensions} == OF_A_SIGNATURE


def test_who_cannot_read_what_the_key_is_for_must_not_use_the_certificate() -> None:
    """Critical (RFC 5280 section 4.2) are that it is no authority and that it only signs."""
    critical = {type(part.value): part.critical for part in certificate("cq.example").extensions}
    assert critical == dict.fromkeys(OF_TLS, False) | {
        x509.BasicConstraints: True,
        x509.KeyUsage: True,
    }


def test_the_key_signs_and_does_nothing_else() -> None:
    extensions = certificate().extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage == x509.KeyUsage(
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
    constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    assert constraints == x509.BasicConstraints(ca=False, path_length=None)
    identifier = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert identifier == x509.SubjectKeyIdentifier.from_public_key(KEY.public_key())


def test_one_certificate_serves_and_calls_under_its_names_and_addresses() -> None:
    extensions = certificate("cq.example", "127.0.0.1", "::1").extensions
    both = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(both) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["cq.example"]
    assert names.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("127.0.0.1"),
        ipaddress.ip_address("::1"),
    ]


@pytest.mark.parametrize(
    ("hosts", "size"),
    [
        pytest.param(1, 0x100, id="less than 8,192 bytes"),
        pytest.param(200, 0x2000, id="more than 8,192 bytes"),
        pytest.param(700, 0x8000, id="more than 32,768 bytes"),
    ],
)
def test_a_certificate_of_any_length_is_der(hosts: int, size: int) -> None:
    """A length has one form only, with as few bytes as it needs; the library reads no other."""
    content = certificate(*(f"{number:050}.example" for number in range(hosts))).public_bytes(
        Encoding.DER
    )
    assert size < len(content) < 0x10000
    assert x509.load_der_x509_certificate(content).public_bytes(Encoding.DER) == content


def test_a_token_that_signs_with_another_key_makes_no_certificate() -> None:
    swapped = LocalSigner(KEY)
    swapped.public = LocalSigner(generate(Algorithm.ES256)).public
    with pytest.raises(InvalidSignature):
        self_signed(swapped, name="CQGY", not_before=BEGIN, not_after=END)


def test_an_ed25519_key_gets_no_certificate() -> None:
    signer = LocalSigner(generate(Algorithm.ED25519))
    with pytest.raises(ValueError, match="bol keys generate --alg ES256"):
        self_signed(signer, name="CQGY", not_before=BEGIN, not_after=END)


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_name_that_no_certificate_can_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"[Ll]ength|characters|empty"):
        certificate(name=name)
