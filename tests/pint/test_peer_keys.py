"""A pin is a certificate or a JWK, strong enough, for algorithms that its key can make."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey, OKPKey, RSAKey

from bol_service.crypto.peer_keys import MAX_RSA_BITS, PeerAlgorithm, PinnedKey, read_certificate
from tests.small_orders import signed_with_neutral_r

BEGIN = datetime(2027, 1, 1, tzinfo=UTC)
END = datetime(2028, 1, 1, tzinfo=UTC)
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
RSA_ALGORITHMS = {"PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(curve: str = "secp256r1") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(
        {
            "secp256r1": ec.SECP256R1(),
            "secp384r1": ec.SECP384R1(),
            "secp521r1": ec.SECP521R1(),
            "secp256k1": ec.SECP256K1(),
        }[curve]
    )


@cache
def ed_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any) -> dict[str, Any]:
    kind = {rsa.RSAPrivateKey: RSAKey, ec.EllipticCurvePrivateKey: ECKey}
    made = next((kind[k] for k in kind if isinstance(key, k)), OKPKey)
    return dict(made.import_key(key.public_key()).as_dict(private=False))


def certified(key: Any, *, usage: dict[str, bool] | None = None) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CQGY")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, BEGIN, END)
    if usage is not None:
        allowed = x509.KeyUsage(**{member: usage.get(member, False) for member in USAGES})
        builder = builder.add_extension(allowed, critical=True)
    edwards = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    digest = None if edwards else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("make", "algorithms"),
    [
        pytest.param(rsa_key, RSA_ALGORITHMS, id="RSA signs PSS and PKCS 1"),
        pytest.param(ec_key, {"ES256"}, id="P-256 signs ES256"),
        pytest.param(lambda: ec_key("secp384r1"), {"ES384"}, id="P-384 signs ES384"),
        pytest.param(lambda: ec_key("secp521r1"), {"ES512"}, id="P-521 signs ES512"),
    ],
)
def test_a_key_is_pinned_for_what_it_can_sign(
    make: Callable[[], Any], algorithms: set[str]
) -> None:
    by_jwk, by_certificate = PinnedKey.from_jwk(jwk(make())), certificate_pin(make())
    assert {str(alg) for alg in by_jwk.algorithms} == algorithms
    assert by_certificate.algorithms == by_jwk.algorithms
    assert by_certificate.kid == by_jwk.kid
    assert (by_jwk.not_before, by_jwk.not_after) == (None, None)


def test_a_pin_in_a_log_shows_what_it_allows_and_not_the_key() -> None:
    shown = repr(PinnedKey.from_jwk(jwk(ec_key())))
    assert "ES256" in shown
    assert "key=" not in shown


def certificate_pin(key: Any, **options: Any) -> PinnedKey:
    return PinnedKey.from_certificate(certified(key, **options))


@pytest.mark.parametrize(
    ("stated", "chosen", "algorithms"),
    [
        pytest.param("PS384", None, {"PS384"}, id="by alg in the JWK"),
        pytest.param(None, ["RS256"], {"RS256"}, id="by the pin"),
        pytest.param("RS256", ["RS256"], {"RS256"}, id="by both alike"),
    ],
)
def test_a_pin_can_be_narrowed(
    stated: str | None, chosen: list[str] | None, algorithms: set[str]
) -> None:
    value = jwk(rsa_key()) | ({"alg": stated} if stated else {})
    wanted = None if chosen is None else [PeerAlgorithm(alg) for alg in chosen]
    assert {str(alg) for alg in PinnedKey.from_jwk(value, wanted).algorithms} == algorithms


@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
def test_an_ed25519_key_signs_only_if_the_pin_says_so(alg: str) -> None:
    with pytest.raises(ValueError, match="only if its pin says so"):
        PinnedKey.from_jwk(jwk(ed_key()))
    with pytest.raises(ValueError, match="only if its pin says so"):
        certificate_pin(ed_key())
    wanted = PeerAlgorithm(alg)
    assert PinnedKey.from_jwk(jwk(ed_key()), [wanted]).algorithms == {wanted}
    assert PinnedKey.from_jwk(jwk(ed_key()) | {"alg": alg}).algorithms == {wanted}
    assert PinnedKey.from_certificate(certified(ed_key()), [wanted]).algorithms == {wanted}


@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
def test_a_signature_that_libraries_disagree_about_is_none(alg: str) -> None:
    """It begins with a point of small order; the key's owner made it so."""
    wanted = PeerAlgorithm(alg)
    pin = PinnedKey.from_jwk(jwk(ed_key()), [wanted])
    signature = signed_with_neutral_r(ed_key(), b"message")
    ed_key().public_key().verify(signature, b"message")
    assert pin.verify(wanted, ed_key().sign(b"message"), b"message")
    assert not pin.verify(wanted, signature, b"message")


@pytest.mark.filterwarnings("ignore:Key size should be")
@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(lambda: jwk(rsa_key(1024)), "1024 bits", id="an RSA key of 1024 bits"),
        pytest.param(lambda: jwk(ec_key("secp256k1")), "secp256k1", id="the curve of bitcoin"),
        pytest.param(
            lambda: jwk(ec_key()) | {"alg": "ES384"}, "cannot sign ES384", id="alg of other curve"
        ),
        pytest.param(lambda: jwk(ec_key()) | {"alg": "HS256"}, "not supported", id="alg HS256"),
        pytest.param(lambda: jwk(ec_key()) | {"alg": ["ES256"]}, "not supported", id="a list"),
        pytest.param(lambda: {"kty": "oct"}, "kty 'oct'", id="a shared secret without value"),
        pytest.param(lambda: jwk(ec_key()) | {"use": "enc"}, "use 'enc'", id="for encryption"),
        pytest.param(lambda: jwk(ec_key()) | {"x": 5}, "no usable EC key", id="a number as x"),
        pytest.param(lambda: jwk(ec_key()) | {"y": "AAAA"}, "no usable EC key", id="no point"),
        pytest.param(lambda: {"kty": "EC"}, "no usable EC key", id="a type and nothing else"),
        pytest.param(
            lambda: jwk(x25519.X25519PrivateKey.generate()), "crv 'X25519'", id="for key exchange"
        ),
        pytest.param(
            lambda: {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "alg": "EdDSA"},
            "small order",
            id="a point under which anything verifies",
        ),
        pytest.param(list, "JSON object", id="no object"),
    ],
)
def test_a_jwk_that_cannot_be_relied_on_is_refused(value: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PinnedKey.from_jwk(value())


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"])
def test_a_jwk_with_a_private_member_is_refused_not_trimmed(member: str) -> None:
    with pytest.raises(ValueError, match="holds a private key"):
        PinnedKey.from_jwk(jwk(rsa_key()) | {member: "AAAA"})


def test_alg_of_a_jwk_and_of_its_pin_must_agree() -> None:
    with pytest.raises(ValueError, match="is for alg PS256, pinned for RS256"):
        PinnedKey.from_jwk(jwk(rsa_key()) | {"alg": "PS256"}, [PeerAlgorithm.RS256])


def test_an_rsa_key_is_bounded_above_because_checks_become_dear() -> None:
    pinned = {}
    assert MAX_RSA_BITS == 8192
    for bits in (MAX_RSA_BITS, MAX_RSA_BITS + 1):
        key = rsa.RSAPublicNumbers(65537, (1 << bits - 1) + 1).public_key()
        pinned[bits] = partial(PinnedKey, key=key, algorithms=frozenset({PeerAlgorithm.PS256}))
    assert pinned[MAX_RSA_BITS]()
    with pytest.raises(ValueError, match=f"{MAX_RSA_BITS + 1} bits"):
        pinned[MAX_RSA_BITS + 1]()


def test_a_certificate_counts_from_its_first_to_its_last_second() -> None:
    pin = certificate_pin(ec_key())
    second = timedelta(seconds=1)
    assert [pin.covers(t) for t in (BEGIN - second, BEGIN, END, END + second)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "usage",
    [
        pytest.param(None, id="that does not say"),
        pytest.param({"digital_signature": True}, id="for signatures"),
        pytest.param({"content_commitment": True}, id="for signatures that commit"),
    ],
)
def test_a_certificate_for_signing_is_pinned(usage: dict[str, bool] | None) -> None:
    assert certificate_pin(ec_key(), usage=usage).algorithms == {PeerAlgorithm.ES256}


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        pytest.param(
            lambda: certified(ec_key(), usage={"key_cert_sign": True}),
            "does not allow signatures",
            id="of an authority",
        ),
        pytest.param(lambda: certified(rsa_key(1024)), "1024 bits", id="of a weak key"),
        pytest.param(
            lambda: certified(ed448.Ed448PrivateKey.generate()),
            "holds Ed448PublicKey; use RSA, EC or Ed25519",
            id="of a key of another kind",
        ),
        pytest.param(lambda: certified(ec_key()) * 2, "one certificate", id="two of them"),
        pytest.param(lambda: "x" + certified(ec_key()), "one certificate", id="text before"),
        pytest.param(lambda: "", "one certificate", id="nothing"),
        pytest.param(
            lambda: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "no X.509 certificate",
            id="something else inside",
        ),
    ],
)
def test_a_certificate_that_cannot_be_relied_on_is_refused(
    pem: Callable[[], str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        PinnedKey.from_certificate(pem())


def test_white_space_around_a_certificate_does_not_matter() -> None:
    assert read_certificate(f"\n{certified(ec_key())}\n\n").serial_number == 7


def test_an_algorithm_that_is_not_pinned_verifies_nothing() -> None:
    pin = PinnedKey.from_jwk(jwk(ec_key()))
    signature = bytes(64)
    assert not any(pin.verify(alg, signature, b"message") for alg in PeerAlgorithm)


@pytest.mark.parametrize(
    ("make", "members"),
    [(ec_key, "kty crv x y"), (ed_key, "kty crv x"), (rsa_key, "kty n e")],
    ids=["P-256", "Ed25519", "RSA"],
)
def test_a_pinned_key_is_told_with_the_members_that_make_it_and_no_others(
    make: Callable[[], Any], members: str
) -> None:
    value = {**jwk(make()), "use": "sig", "kid": "mine"}
    told = PinnedKey.from_jwk(value, pinned_for(value)).to_jwk()
    assert told == {name: value[name] for name in members.split()}


def pinned_for(value: dict[str, Any]) -> list[PeerAlgorithm] | None:
    return [PeerAlgorithm.EDDSA] if value["kty"] == "OKP" else None
