"""A JWS from outside counts if a pinned key made it, with an algorithm pinned for that key."""

from __future__ import annotations

import hashlib
import json
import warnings
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jws as jose
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from bol_service.crypto import base64url, peer_jws
from bol_service.crypto.jws import BadJws, BadSignature
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.peer_keys import PeerAlgorithm, PinnedKey
from bol_service.crypto.peer_signers import EcSigner
from bol_service.crypto.signers import LocalSigner, generate
from tests.rsa_signer import RsaSigner

NOW = datetime(2027, 3, 8, 6, 0, tzinfo=UTC)
PAYLOAD = b'{"eblPlatform": "SGPX"}'
ALL = [str(alg) for alg in PeerAlgorithm]


@cache
def private_key(alg: str) -> Any:
    if alg[:2] in ("PS", "RS"):
        return private_rsa()
    curves = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
    if alg in curves:
        return ec.generate_private_key(curves[alg])
    return private_ed()


@cache
def private_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def private_ed() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def jose_key(key: Any) -> Any:
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAKey.import_key(key)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ECKey.import_key(key)
    return OKPKey.import_key(key)


def pin(alg: str) -> PinnedKey:
    """For this algorithm only."""
    return PinnedKey(key=private_key(alg).public_key(), algorithms=frozenset({PeerAlgorithm(alg)}))


def by_another_stack(alg: str, payload: bytes = PAYLOAD, **header: object) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that EdDSA has a new name is not our concern here
        registry = jose.JWSRegistry(algorithms=[alg], strict_check_header=False)
        return jose.serialize_compact(
            {"alg": alg, **header}, payload, jose_key(private_key(alg)), registry=registry
        )


def with_header(header: object, alg: str = "ES256", payload: bytes = PAYLOAD) -> str:
    """Rightly signed under any header, as JSON or as raw bytes."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    text = f"{base64url.encode(raw)}.{base64url.encode(payload)}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        algorithm = jose.JWSRegistry(algorithms=[alg]).get_alg(alg)
    signature = algorithm.sign(text.encode(), jose_key(private_key(alg)))
    return f"{text}.{base64url.encode(signature)}"


@pytest.mark.parametrize("alg", ALL)
def test_each_algorithm_is_accepted_while_it_is_pinned(alg: str) -> None:
    parsed = peer_jws.parse(by_another_stack(alg))
    assert peer_jws.verify(parsed, [pin(alg)], NOW).algorithms == {alg}
    assert parsed.value == {"eblPlatform": "SGPX"}


@pytest.mark.parametrize("alg", ALL)
def test_each_algorithm_is_refused_the_moment_it_is_not_pinned(alg: str) -> None:
    parsed = peer_jws.parse(by_another_stack(alg))
    others = [pin(other) for other in ALL if other != alg]
    with pytest.raises(BadSignature, match=f"no pinned key of the signer takes alg {alg}"):
        peer_jws.verify(parsed, others, NOW)
    with pytest.raises(BadSignature):
        peer_jws.verify(parsed, [], NOW)


@pytest.mark.parametrize("alg", ALL)
def test_each_algorithm_notices_another_payload(alg: str) -> None:
    header, _, signature = by_another_stack(alg).split(".")
    other = base64url.encode(b'{"eblPlatform": "CQGY"}')
    parsed = peer_jws.parse(f"{header}.{other}.{signature}")
    with pytest.raises(BadSignature, match="verifies under none"):
        peer_jws.verify(parsed, [pin(alg)], NOW)


@pytest.mark.parametrize("alg", ALL)
@pytest.mark.parametrize(
    "cut", [pytest.param(slice(1, None), id="from"), pytest.param(slice(-1), id="to")]
)
def test_a_signature_of_another_length_is_no_signature(alg: str, cut: slice) -> None:
    head, _, signature = by_another_stack(alg).rpartition(".")
    shorter = base64url.encode(base64url.decode(signature)[cut])
    with pytest.raises(BadSignature):
        peer_jws.verify(peer_jws.parse(f"{head}.{shorter}"), [pin(alg)], NOW)


@pytest.mark.parametrize("alg", sorted(each for each in ALL if each[:2] in ("PS", "RS")))
def test_an_rsa_signature_keeps_its_leading_zero(alg: str) -> None:
    """One in 256 begins with a zero, and is the same number without it."""
    for each in count():
        text = by_another_stack(alg, b'{"try": %d}' % each)
        head, _, signature = text.rpartition(".")
        if base64url.decode(signature)[0] == 0:
            break
    assert peer_jws.verify(peer_jws.parse(text), [pin(alg)], NOW).algorithms == {alg}
    shorter = base64url.encode(base64url.decode(signature)[1:])
    with pytest.raises(BadSignature, match="verifies under none"):
        peer_jws.verify(peer_jws.parse(f"{head}.{shorter}"), [pin(alg)], NOW)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512"])
def test_a_signature_has_its_two_numbers_in_one_length_only(alg: str) -> None:
    head, _, signature = by_another_stack(alg).rpartition(".")
    raw = base64url.decode(signature)
    half = len(raw) // 2
    padded = base64url.encode(raw[:half] + b"\0" + raw[half:])
    with pytest.raises(BadSignature):
        peer_jws.verify(peer_jws.parse(f"{head}.{padded}"), [pin(alg)], NOW)


def test_a_signature_is_not_taken_for_one_of_another_algorithm() -> None:
    text = with_header({"alg": "RS256"}, alg="PS256")
    with pytest.raises(BadSignature, match="verifies under none of the signer's 1"):
        peer_jws.verify(peer_jws.parse(text), [pin("RS256")], NOW)


def test_the_right_one_of_several_pinned_keys_is_told() -> None:
    right, other = pin("ES256"), PinnedKey.from_jwk(new_jwk())
    parsed = peer_jws.parse(by_another_stack("ES256"))
    assert peer_jws.verify(parsed, [other, right], NOW) is right


def new_jwk() -> dict[str, str]:
    return LocalSigner(generate(Algorithm.ES256)).public.to_jwk()


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        pytest.param(
            {"not_after": datetime(2027, 3, 8, 5, tzinfo=UTC)}, "2027-03-08T05", id="no more"
        ),
        pytest.param(
            {"not_before": datetime(2027, 3, 8, 7, tzinfo=UTC)}, "2027-03-08T07", id="not yet"
        ),
    ],
)
def test_a_key_signs_nothing_outside_its_validity(
    bounds: dict[str, datetime], message: str
) -> None:
    key = private_key("ES256").public_key()
    timed = PinnedKey(key=key, algorithms=frozenset({PeerAlgorithm.ES256}), **bounds)
    parsed = peer_jws.parse(by_another_stack("ES256"))
    with pytest.raises(BadSignature, match=message):
        peer_jws.verify(parsed, [timed], NOW)
    assert peer_jws.verify(parsed, [timed, pin("ES256")], NOW).not_after is None


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"kid": "any name"}, id="kid"),
        pytest.param({"typ": "JOSE"}, id="typ"),
        pytest.param({"x5c": ["AAAA"]}, id="x5c"),
        pytest.param({"jku": "https://evil.example/keys"}, id="jku"),
        pytest.param({"jwk": {"kty": "oct"}}, id="jwk"),
        pytest.param({"iat": 1.5}, id="a number"),
        pytest.param({"b64": True}, id="b64 as it is by default"),
    ],
)
def test_other_members_of_the_header_are_tolerated_and_not_used(header: dict[str, Any]) -> None:
    parsed = peer_jws.parse(with_header({"alg": "ES256", **header}))
    assert peer_jws.verify(parsed, [pin("ES256")], NOW)
    with pytest.raises(BadSignature):
        peer_jws.verify(parsed, [PinnedKey.from_jwk(new_jwk())], NOW)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        pytest.param({"alg": "none"}, "alg 'none' is never taken", id="no algorithm"),
        pytest.param({"alg": "HS256"}, "alg 'HS256' is never taken", id="a shared secret"),
        pytest.param({"alg": "es256"}, "alg 'es256' is never taken", id="small letters"),
        pytest.param({"alg": "ES256K"}, "alg 'ES256K' is never taken", id="another curve"),
        pytest.param({"alg": "ES256", "crit": ["exp"]}, "crit", id="crit that is not known"),
        pytest.param({"alg": "ES256", "crit": []}, "crit", id="an empty crit"),
        pytest.param({"alg": "ES256", "b64": False}, "unencoded", id="an unencoded payload"),
        pytest.param({"alg": "ES256", "b64": 1}, "unencoded", id="a b64 that only looks true"),
    ],
)
def test_a_header_that_changes_the_meaning_is_not_trusted(
    header: dict[str, Any], message: str
) -> None:
    parsed = peer_jws.parse(with_header(header))
    with pytest.raises(BadSignature, match=message):
        peer_jws.verify(parsed, [pin("ES256")], NOW)


def test_the_public_key_as_shared_secret_is_not_trusted() -> None:
    pem = private_rsa().public_key()
    secret = json.dumps(RSAKey.import_key(pem).as_dict(private=False)).encode()
    text = jose.serialize_compact({"alg": "HS256"}, PAYLOAD, OctKey.import_key(secret))
    with pytest.raises(BadSignature, match="HS256"):
        peer_jws.verify(peer_jws.parse(text), [pin("RS256")], NOW)


GOOD = "eyJhbGciOiJFUzI1NiJ9"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "three non-empty parts", id="nothing"),
        pytest.param(f"{GOOD}.e30", "three non-empty parts", id="two parts"),
        pytest.param(f"{GOOD}.e30.", "three non-empty parts", id="no signature"),
        pytest.param(f"{GOOD}..AAAA", "three non-empty parts", id="no payload"),
        pytest.param(f"{GOOD}.e30.AA.AA", "three non-empty parts", id="four parts"),
        pytest.param(f"{GOOD}.e30.AA=", "the signature has a character", id="padding"),
        pytest.param(f"{GOOD}.e31.AAAA", "the payload ends in bits", id="bits that carry nothing"),
        pytest.param(f"{GOOD}\n.e30.AAAA", "the header has a character", id="a line break"),
        pytest.param("e30.e30.AAAA", "alg is None", id="a header without alg"),
        pytest.param(f"{base64url.encode(b'[]')}.e30.AAAA", "header is a JSON object", id="a list"),
        pytest.param(f"{base64url.encode(b'{')}.e30.AAAA", "header is refused", id="no JSON"),
        pytest.param(
            base64url.encode(b'{"alg":"ES256","alg":"none"}') + ".e30.AAAA",
            "given twice",
            id="alg given twice",
        ),
        pytest.param(
            base64url.encode(b'{"alg":["ES256"]}') + ".e30.AAAA", "alg is", id="a list of algs"
        ),
    ],
)
def test_what_is_no_compact_jws_is_refused_before_any_key(text: str, message: str) -> None:
    with pytest.raises(BadJws, match=message):
        peer_jws.parse(text)


def test_a_message_is_bounded() -> None:
    text = f"{GOOD}.e30.AAAA"
    assert peer_jws.parse(text, max_bytes=len(text)).text == text
    with pytest.raises(BadJws, match=f"at most {len(text) - 1} are taken"):
        peer_jws.parse(text, max_bytes=len(text) - 1)


def test_a_mebibyte_is_taken_if_nothing_is_said() -> None:
    payload = "A" * (1024 * 1024 - len(f"{GOOD}..AAAA"))
    assert peer_jws.parse(f"{GOOD}.{payload}.AAAA")
    with pytest.raises(BadJws, match="at most 1048576 are taken"):
        peer_jws.parse(f"{GOOD}.{payload}A.AAAA")


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        pytest.param(b"[1]", "payload is a JSON object", id="a list"),
        pytest.param(b"no", "payload is refused", id="no JSON"),
        pytest.param(b'{"a":1,"a":2}', "given twice", id="a member twice"),
        pytest.param(b'{"a":"\xff"}', "not UTF-8", id="other bytes"),
    ],
)
def test_a_payload_that_is_no_strict_json_object_is_refused(payload: bytes, message: str) -> None:
    with pytest.raises(BadJws, match=message):
        _ = peer_jws.parse(with_header({"alg": "ES256"}, payload=payload)).value


def test_the_checksum_is_of_the_text_and_the_content_digest_of_what_it_says() -> None:
    first = peer_jws.parse(with_header({"alg": "ES256"}, payload=b'{"a": 1.0, "b": [2]}'))
    again = peer_jws.parse(with_header({"alg": "ES256"}, payload=b'{"b":[2],"a":1}'))
    other = peer_jws.parse(with_header({"alg": "ES256"}, payload=b'{"b":[2],"a":2}'))
    assert first.digest == hashlib.sha256(first.text.encode()).hexdigest() != again.digest
    assert first.content_digest == again.content_digest != other.content_digest


# -- our own signature ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "signer",
    [
        pytest.param(EcSigner(LocalSigner(private_key("ES256"))), id="ES256"),
        pytest.param(RsaSigner(private_rsa()), id="PS256"),
    ],
)
def test_another_stack_reads_what_is_signed(signer: EcSigner | RsaSigner) -> None:
    text = peer_jws.sign(PAYLOAD, signer)
    key = jose_key(private_key(str(signer.alg)))
    read = jose.deserialize_compact(text, key, algorithms=[str(signer.alg)])
    assert read.payload == PAYLOAD
    assert read.headers() == {"alg": str(signer.alg), "kid": key.thumbprint()}
    assert peer_jws.verify(peer_jws.parse(text), [pin(str(signer.alg))], NOW)


def test_an_ed25519_key_does_not_sign_for_platforms() -> None:
    with pytest.raises(ValueError, match="bol keys generate --alg ES256"):
        EcSigner(LocalSigner(generate(Algorithm.ED25519)))
