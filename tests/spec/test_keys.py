"""Public keys have one spelling and one name; private keys stay in files only their owner reads."""

from __future__ import annotations

import json
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bol_service.crypto import base64url, edwards
from bol_service.crypto.keys import Algorithm, PublicKey
from bol_service.crypto.signers import (
    KeyFileError,
    LocalSigner,
    generate,
    open_signer,
    write_private_key,
    write_public_key,
)
from tests.small_orders import signed_with_neutral_r, small_points

BOTH = pytest.mark.parametrize("alg", list(Algorithm), ids=lambda alg: f"with {alg}")
P = 2**255 - 19
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
P256_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1


def secret() -> bytes:
    return b"a passphrase of the test"


def plain_pem(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@BOTH
def test_a_key_survives_its_jwk(alg):
    key = LocalSigner(generate(alg)).public
    assert PublicKey.from_jwk(key.to_jwk()) == key
    assert PublicKey.from_jwk(json.loads(json.dumps(key.to_jwk()))).kid == key.kid
    assert key.alg is alg
    assert len(key.kid) == 43


def test_the_name_of_a_key_is_the_thumbprint_of_the_published_example():
    # RFC 8037 appendix A.2 and A.3.
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    key = PublicKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": x})
    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@BOTH
def test_a_signature_verifies_for_its_message_only(alg):
    signer = LocalSigner(generate(alg))
    signature = signer.sign(b"message")
    assert len(signature) == 64
    assert signer.public.verify(signature, b"message")
    assert not signer.public.verify(signature, b"massage")
    assert not LocalSigner(generate(alg)).public.verify(signature, b"message")
    assert not signer.public.verify(signature + b"\0", b"message")
    assert not signer.public.verify(signature[:-1], b"message")
    assert not signer.public.verify(bytes(64), b"message")


def test_an_es256_signature_has_one_length():
    signer = LocalSigner(generate(Algorithm.ES256))
    signature = signer.sign(b"message")
    assert not signer.public.verify(signature[:32] + b"\0" + signature[32:], b"message")


def test_an_es256_signature_out_of_range_is_no_signature():
    signer = LocalSigner(generate(Algorithm.ES256))
    signature = signer.sign(b"message")
    for r_or_s in (0, P256_ORDER, 2**256 - 1):
        wrong = r_or_s.to_bytes(32)
        assert not signer.public.verify(wrong + signature[32:], b"message")
        assert not signer.public.verify(signature[:32] + wrong, b"message")


def test_only_an_ed25519_key_has_raw_bytes():
    private = Ed25519PrivateKey.generate()
    raw = private.public_key().public_bytes_raw()
    assert LocalSigner(private).public.public_bytes_raw == raw
    with pytest.raises(ValueError, match="only an Ed25519 key has raw bytes, this one is ES256"):
        _ = LocalSigner(generate(Algorithm.ES256)).public.public_bytes_raw


def ed25519_jwk(**changes) -> dict[str, object]:
    key = LocalSigner(generate(Algorithm.ED25519)).public
    return {**key.to_jwk(), **changes}


def es256_jwk(**changes) -> dict[str, object]:
    return {**LocalSigner(generate(Algorithm.ES256)).public.to_jwk(), **changes}


def without(jwk: dict[str, object], name: str) -> dict[str, object]:
    return {member: value for member, value in jwk.items() if member != name}


ZEROS = base64url.encode(bytes(32))

REFUSED_JWKS = [
    pytest.param("text", "JSON object", id="not an object"),
    pytest.param(ed25519_jwk(d=ZEROS), "private key", id="an Ed25519 private key"),
    pytest.param(es256_jwk(d=ZEROS), "private key", id="an ES256 private key"),
    pytest.param({"kty": "oct", "k": "AAAA"}, "private key", id="a shared secret"),
    *(
        pytest.param(ed25519_jwk(**{name: ZEROS}), "private key", id=f"the private member {name}")
        for name in ("p", "q", "dp", "dq", "qi", "oth", "priv")
    ),
    pytest.param(ed25519_jwk(kid="x"), "exactly the members", id="an extra member"),
    pytest.param(ed25519_jwk(alg="Ed25519"), "exactly the members", id="an alg member"),
    pytest.param(without(ed25519_jwk(), "x"), "exactly the members", id="without x"),
    pytest.param(without(es256_jwk(), "y"), "exactly the members", id="without y"),
    pytest.param(ed25519_jwk(crv="Ed448"), "not supported", id="Ed448"),
    pytest.param(ed25519_jwk(crv="X25519"), "not supported", id="a key agreement curve"),
    pytest.param(es256_jwk(crv="P-384"), "not supported", id="P-384"),
    pytest.param({"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "not supported", id="RSA"),
    pytest.param(without(ed25519_jwk(), "kty"), "not supported", id="without kty"),
    pytest.param(ed25519_jwk(x=7), "int, not base64url", id="x is a number"),
    pytest.param(ed25519_jwk(x=ZEROS + "="), "alphabet", id="padding"),
    pytest.param(ed25519_jwk(x=ZEROS[:-1] + "B"), "bits that carry nothing", id="trailing bits"),
    pytest.param(ed25519_jwk(x="A" * 41), "41 characters", id="an impossible length"),
    pytest.param(ed25519_jwk(x="+" * 43), "^x has a char", id="the other base64 alphabet"),
    pytest.param(ed25519_jwk(x="A" * 42), "31 bytes, not 32", id="31 bytes"),
    pytest.param(es256_jwk(y=base64url.encode(bytes(33))), "33 bytes, not 32", id="33 bytes"),
    pytest.param(es256_jwk(x=ZEROS, y=ZEROS), "no point of the curve P-256", id="not on P-256"),
    pytest.param(es256_jwk(y=ZEROS), "no point of the curve P-256", id="another y"),
]


@pytest.mark.parametrize(("jwk", "reason"), REFUSED_JWKS)
def test_a_jwk_that_is_not_exactly_a_public_key_is_refused(jwk, reason):
    with pytest.raises(ValueError, match=reason):
        PublicKey.from_jwk(jwk)


def test_a_p256_coordinate_beyond_the_prime_is_refused():
    # There are points with x = 0 and x = 5; the prime added names them a second time.
    for x in (0, 5):
        y = pow(x**3 - 3 * x + P256_B, (P256_PRIME + 1) // 4, P256_PRIME)
        wanted = {"kty": "EC", "crv": "P-256", "y": base64url.encode(y.to_bytes(32))}
        PublicKey.from_jwk({**wanted, "x": base64url.encode(x.to_bytes(32))})
        with pytest.raises(ValueError, match="not reduced modulo the prime of P-256"):
            PublicKey.from_jwk({**wanted, "x": base64url.encode((x + P256_PRIME).to_bytes(32))})


def test_the_largest_p256_coordinate_is_judged_by_the_curve():
    largest = base64url.encode((P256_PRIME - 1).to_bytes(32))
    with pytest.raises(ValueError, match="no point of the curve"):
        PublicKey.from_jwk(es256_jwk(y=largest))


def test_a_key_cannot_be_made_past_the_checks():
    with pytest.raises(ValueError, match="small order"):
        PublicKey(alg=Algorithm.ED25519, coordinates=(base64url.encode(bytes(32)),))
    with pytest.raises(ValueError, match="shorter"):
        PublicKey(alg=Algorithm.ES256, coordinates=(ZEROS,))


def little(number: int) -> bytes:
    return number.to_bytes(32, "little")


# The eight points of small order have five y coordinates; the two of order eight differ by sign.
ORDER_EIGHT = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SIGN = 2**255

WEAK_POINTS = [
    pytest.param(little(1), "small order", id="order 1"),
    pytest.param(little(P - 1), "small order", id="order 2"),
    pytest.param(little(0), "small order", id="order 4"),
    pytest.param(little(SIGN), "small order", id="order 4, negative"),
    pytest.param(little(ORDER_EIGHT), "small order", id="order 8"),
    pytest.param(little(ORDER_EIGHT + SIGN), "small order", id="order 8, negative"),
    pytest.param(little(P - ORDER_EIGHT), "small order", id="order 8, other half"),
    pytest.param(little(P - ORDER_EIGHT + SIGN), "small order", id="order 8, other, negative"),
    pytest.param(little(P), "not reduced", id="zero written as the prime"),
    pytest.param(little(P + 1), "not reduced", id="one written beyond the prime"),
    pytest.param(little(2**255 - 1), "not reduced", id="the largest coordinate"),
    pytest.param(little(2), "no point", id="a coordinate without a point"),
    pytest.param(little(1 + SIGN), "no point", id="minus zero for x"),
]


@pytest.mark.parametrize(("encoded", "reason"), WEAK_POINTS)
def test_a_point_that_binds_nobody_is_no_key(encoded, reason):
    with pytest.raises(ValueError, match=reason):
        edwards.check_point(encoded)
    with pytest.raises(ValueError, match=reason):
        PublicKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(encoded)})


def doubled(y):
    """The y coordinate of P + P; it depends on x only through its square."""
    x_squared = edwards._x_squared(y)
    return (y * y + x_squared) * pow(1 - edwards._D * x_squared * y * y, -1, P) % P


def test_points_of_small_order_are_those_that_three_doublings_bring_to_the_neutral_one():
    # RFC 8032 names the base point by y = 4/5; twice it is a multiple found in every table.
    base = 4 * pow(5, -1, P) % P
    twice = bytes.fromhex("c9a3f86aae465f0e56513864510f3997561fa2c9e85ea21dc2292309f3cd6022")
    assert little(doubled(base)) == twice
    assert not edwards.has_small_order(little(base))
    for point in small_points():
        assert edwards.has_small_order(point)
        y = int.from_bytes(point, "little") % SIGN % P
        assert doubled(doubled(doubled(y))) == 1


def test_a_signature_that_begins_with_a_point_of_small_order_is_none():
    # Its key's owner made it, the equation holds and this library takes it; others do not.
    private = Ed25519PrivateKey.generate()
    signature = signed_with_neutral_r(private, b"message")
    private.public_key().verify(signature, b"message")
    assert not LocalSigner(private).public.verify(signature, b"message")


def test_a_hundred_fresh_keys_are_good_points():
    for _ in range(100):
        edwards.check_point(Ed25519PrivateKey.generate().public_key().public_bytes_raw())


@BOTH
@pytest.mark.parametrize("form", ["file:{}", "{}"], ids=["as a file: address", "as a bare path"])
def test_a_written_key_opens_with_its_passphrase(tmp_path, alg, form):
    path, key = tmp_path / "party key.pem", generate(alg)
    write_private_key(path, key, secret())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"ENCRYPTED" in path.read_bytes()
    signer = open_signer(form.format(path), secret)
    assert signer.public == LocalSigner(key).public
    assert signer.public.verify(signer.sign(b"m"), b"m")


def test_a_key_file_may_be_stricter_than_needed(tmp_path):
    path = tmp_path / "key.pem"
    write_private_key(path, generate(Algorithm.ED25519), secret())
    path.chmod(0o400)
    assert open_signer(str(path), secret).public.alg is Algorithm.ED25519


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o700, 0o666], ids=oct)
def test_a_key_file_open_to_others_is_refused_with_the_cure(tmp_path, mode):
    path = tmp_path / "party key.pem"
    write_private_key(path, generate(Algorithm.ED25519), secret())
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=rf"mode {mode:04o}.*chmod 600 '.*party key.pem'"):
        open_signer(f"file:{path}", secret)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(plain_pem(Ed25519PrivateKey.generate()), "openssl pkcs8", id="a plain key"),
        pytest.param(b"hello", "not an encrypted PKCS#8 key", id="no key at all"),
        pytest.param(b"x" * 65537, "larger than 65536 bytes", id="a large file"),
        pytest.param(b"x" * 65536, "not an encrypted PKCS#8 key", id="the largest file, no key"),
        pytest.param(
            b"-----BEGIN ENCRYPTED "
            + b"PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "no PKCS#8 PEM",
            id="a damaged key",
        ),
    ],
)
def test_a_file_that_is_no_encrypted_key_is_refused(tmp_path, content, reason):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match=reason):
        open_signer(str(path), secret)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        pytest.param(ec.generate_private_key(ec.SECP384R1()), "secp384r1", id="P-384"),
        pytest.param(rsa.generate_private_key(65537, 2048), "RSAPrivateKey", id="RSA"),
    ],
)
def test_a_key_of_another_kind_is_refused(tmp_path, key, reason):
    path = tmp_path / "key.pem"
    write_private_key(path, key, secret())
    with pytest.raises(KeyFileError, match=reason):
        open_signer(str(path), secret)


def test_an_encrypted_key_needs_the_right_passphrase(tmp_path):
    path = tmp_path / "key.pem"
    write_private_key(path, generate(Algorithm.ED25519), secret())
    with pytest.raises(KeyFileError, match="is encrypted; give its passphrase"):
        open_signer(str(path))
    for wrong in (b"wrong", b""):
        with pytest.raises(KeyFileError, match="wrong passphrase"):
            open_signer(str(path), lambda wrong=wrong: wrong)


def test_a_missing_or_unreadable_place_is_named(tmp_path):
    with pytest.raises(KeyFileError, match=r"absent\.pem cannot be read: No such file"):
        open_signer(f"file:{tmp_path / 'absent.pem'}", secret)
    with pytest.raises(KeyFileError, match="Is a directory"):
        open_signer(str(tmp_path), secret)


def test_a_key_opens_from_the_environment(tmp_path, monkeypatch):
    key, path = generate(Algorithm.ED25519), tmp_path / "key.pem"
    write_private_key(path, key, secret())
    monkeypatch.setenv("BOL_TEST_PLAIN", plain_pem(key).decode())
    monkeypatch.setenv("BOL_TEST_ENCRYPTED", path.read_text())
    assert open_signer("env:BOL_TEST_PLAIN").public == LocalSigner(key).public
    assert open_signer("env:BOL_TEST_ENCRYPTED", secret).public == LocalSigner(key).public
    with pytest.raises(KeyFileError, match="env:BOL_TEST_ENCRYPTED is encrypted"):
        open_signer("env:BOL_TEST_ENCRYPTED")


@pytest.mark.parametrize("content", [None, ""], ids=["not set", "set to nothing"])
def test_an_environment_variable_without_a_key_is_named(monkeypatch, content):
    monkeypatch.delenv("BOL_TEST_ABSENT", raising=False)
    if content is not None:
        monkeypatch.setenv("BOL_TEST_ABSENT", content)
    with pytest.raises(KeyFileError, match="env:BOL_TEST_ABSENT: the variable is not set"):
        open_signer("env:BOL_TEST_ABSENT")


def test_a_hardware_token_is_refused_as_not_built_without_showing_its_pin():
    with pytest.raises(KeyFileError, match="PKCS#11 tokens are not built") as caught:
        open_signer("pkcs11:token=party;object=key?pin-value=1234")
    assert "1234" not in str(caught.value)


def test_a_key_is_never_written_in_the_clear(tmp_path):
    with pytest.raises(KeyFileError, match="passphrase is empty"):
        write_private_key(tmp_path / "key.pem", generate(Algorithm.ED25519), b"")
    assert not (tmp_path / "key.pem").exists()


def test_no_key_file_is_overwritten(tmp_path):
    path, key = tmp_path / "key", generate(Algorithm.ED25519)
    path.write_text("precious")
    with pytest.raises(KeyFileError, match="exists already"):
        write_private_key(path, key, secret())
    with pytest.raises(KeyFileError, match="exists already"):
        write_public_key(path, LocalSigner(key).public)
    assert path.read_text() == "precious"


def test_a_key_file_in_a_missing_folder_cannot_be_created(tmp_path):
    with pytest.raises(KeyFileError, match="cannot be created: No such file"):
        write_private_key(tmp_path / "absent" / "key", generate(Algorithm.ED25519), secret())


@BOTH
def test_a_public_key_file_is_the_jwk(tmp_path, alg):
    key = LocalSigner(generate(alg)).public
    write_public_key(tmp_path / "key.json", key)
    assert PublicKey.from_jwk(json.loads((tmp_path / "key.json").read_bytes())) == key
    assert stat.S_IMODE((tmp_path / "key.json").stat().st_mode) & ~0o644 == 0


def test_a_public_key_file_reads_well_and_is_the_same_every_time(tmp_path):
    jwk = {"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kty": "OKP", "crv": "Ed25519"}
    write_public_key(tmp_path / "key.json", PublicKey.from_jwk(jwk))
    assert (tmp_path / "key.json").read_text() == (
        '{\n  "crv": "Ed25519",\n  "kty": "OKP",\n'
        '  "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"\n}\n'
    )
