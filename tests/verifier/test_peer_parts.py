"""The parts of the page's engine that read and check what other platforms sign."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from marshmallow import ValidationError

from bol_service.crypto import base64url, peer_jws
from bol_service.crypto.jws import BadJws, BadSignature
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.peer_keys import PeerAlgorithm, PinnedKey
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.verification.trust_peers import (
    ALGORITHMS,
    TrustedPeerSchema,
    key_to_json,
    trusted_peers,
)
from bol_service.wire.pint_entry import chain_entry
from bol_service.wire.pint_forms import PintFormatError
from bol_service.wire.transport_document_fields import Moment
from tests.node_verifier import ask, milliseconds
from tests.pint_story import CQ, ISSUE, TO_BANK, Story
from tests.small_orders import signed_with_neutral_r
from tests.verifier_cases import mutants, written

Json = dict[str, Any]
NOW = datetime(2027, 3, 8, tzinfo=UTC)
RSA = rsa.generate_private_key(65537, 2048)
ODD_RSA = rsa.generate_private_key(3, 2049)  # one bit over a byte: PSS is a byte shorter then
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
EC = LocalSigner(generate(Algorithm.ES256))
EDWARDS_KEY = ed25519.Ed25519PrivateKey.generate()
EDWARDS = LocalSigner(EDWARDS_KEY)


# -- signatures -----------------------------------------------------------------------------------


def rsa_signed(
    key: rsa.RSAPrivateKey, alg: str, message: bytes, *, salt: int | None = None
) -> bytes:
    digest = HASHES[alg[2:]]
    if alg.startswith("RS"):
        return key.sign(message, padding.PKCS1v15(), digest)
    length = digest.digest_size if salt is None else salt
    return key.sign(message, padding.PSS(padding.MGF1(digest), length), digest)


def text_of(header: Json, sign: Any, payload: bytes = b'{"a":1}') -> str:
    told = f"{base64url.encode(json.dumps(header).encode())}.{base64url.encode(payload)}"
    return f"{told}.{base64url.encode(sign(told.encode()))}"


def pinned(key: Any, *algorithms: str) -> Json:
    chosen = frozenset(map(PeerAlgorithm, algorithms))
    return key_to_json(PinnedKey(key=key, algorithms=chosen))


def spelled(jwk: Json, *algorithms: str) -> Json:
    return {"jwk": jwk, "algorithms": list(algorithms)}


def signatures() -> Iterator[tuple[str, str, list[Json], bool]]:
    """What it is, its text, the keys of the trust file, and whether one of them signed it."""
    families = [alg for alg in ALGORITHMS if alg[:2] in ("RS", "PS")]
    for name, key in (("2048 bits", RSA), ("2049 bits", ODD_RSA)):
        keys = [pinned(key.public_key(), *families)]
        for alg in families:
            good = text_of({"alg": alg}, lambda m, k=key, a=alg: rsa_signed(k, a, m))
            yield f"{alg} with {name}", good, keys, True
            others = {other: good for other in families if other != alg}
            for other in others:
                wrong = text_of({"alg": other}, lambda m, k=key, a=alg: rsa_signed(k, a, m))
                yield f"{alg} called {other}", wrong, keys, False
            yield f"{alg} not pinned", good, [pinned(key.public_key(), *_but(families, alg))], False
    keys = [pinned(RSA.public_key(), "PS256", "RS256")]
    salted = text_of({"alg": "PS256"}, lambda m: rsa_signed(RSA, "PS256", m, salt=20))
    yield "PSS with a short salt", salted, keys, False
    unsalted = text_of({"alg": "PS256"}, lambda m: rsa_signed(RSA, "PS256", m, salt=0))
    yield "PSS without salt", unsalted, keys, False
    for alg in ("PS256", "RS256"):
        longer = text_of({"alg": alg}, lambda m, a=alg: b"\0" + rsa_signed(RSA, a, m))
        yield f"{alg} with a zero before", longer, keys, False
        short = text_of({"alg": alg}, lambda m, a=alg: rsa_signed(RSA, a, m)[:-1])
        yield f"{alg} cut short", short, keys, False
        for place in (0, 1, 100, 255):
            bent = text_of({"alg": alg}, lambda m, a=alg, p=place: _bent(rsa_signed(RSA, a, m), p))
            yield f"{alg} bent at {place}", bent, keys, False
        for value in (0, 1, RSA.public_key().public_numbers().n):
            plain = text_of({"alg": alg}, lambda _, v=value: v.to_bytes(256))
            yield f"{alg} of the number {str(value)[:5]}", plain, keys, False
    odd = [pinned(ODD_RSA.public_key(), "PS256", "RS256")]
    for alg in ("PS256", "RS256"):  # the same number modulo n, in as many bytes
        again = text_of({"alg": alg}, lambda m, a=alg: _beyond(rsa_signed(ODD_RSA, a, m)))
        yield f"{alg} with the modulus added", again, odd, False
    for alg in ("EdDSA", "Ed25519"):
        good = text_of({"alg": alg}, EDWARDS.sign)
        yield alg, good, [spelled(EDWARDS.public.to_jwk(), alg)], True
        weak = text_of({"alg": alg}, lambda m: signed_with_neutral_r(EDWARDS_KEY, m))
        yield (
            f"{alg} with an R of small order",
            weak,
            [spelled(EDWARDS.public.to_jwk(), alg)],
            False,
        )
        other = "EdDSA" if alg == "Ed25519" else "Ed25519"
        yield f"{alg}, pinned as {other}", good, [spelled(EDWARDS.public.to_jwk(), other)], False
    own = [spelled(EC.public.to_jwk(), "ES256")]
    yield "ES256", text_of({"alg": "ES256"}, EC.sign), own, True
    turned = text_of({"alg": "ES256"}, lambda m: _turned_over(EC.sign(m)))
    yield "ES256 turned over, which ECDSA allows", turned, own, True
    yield "ES256 among other keys", text_of({"alg": "ES256"}, EC.sign), [*keys, *own], True
    yield "ES256 cut short", text_of({"alg": "ES256"}, lambda m: EC.sign(m)[:-1]), own, False
    for more in ({"crit": ["exp"]}, {"b64": False}, {"b64": 1}, {"b64": None}):
        yield f"ES256 with {more}", text_of({"alg": "ES256", **more}, EC.sign), own, False
    for more in ({"b64": True}, {"kid": 1, "jku": "x", "x5c": []}):
        yield f"ES256 with {more}", text_of({"alg": "ES256", **more}, EC.sign), own, True
    for alg in ("none", "HS256", "es256", "ES384", ""):
        yield f"alg {alg!r}", text_of({"alg": alg}, EC.sign), own, False
    for bounds, holds in (
        ({"notBefore": "2027-03-08T00:00:00.000Z"}, True),
        ({"notBefore": "2027-03-08T00:00:00.001Z"}, False),
        ({"notAfter": "2027-03-08T00:00:00.000Z"}, True),
        ({"notAfter": "2027-03-07T23:59:59.999Z"}, False),
    ):
        yield (
            f"ES256 with {bounds}",
            text_of({"alg": "ES256"}, EC.sign),
            [{**own[0], **bounds}],
            holds,
        )


def _but(names: list[str], one: str) -> list[str]:
    return [name for name in names if name != one]


def _beyond(signature: bytes) -> bytes:
    modulus = ODD_RSA.public_key().public_numbers().n
    return (int.from_bytes(signature) + modulus).to_bytes(len(signature))


def _turned_over(signature: bytes) -> bytes:
    return signature[:32] + (P256_ORDER - int.from_bytes(signature[32:])).to_bytes(32)


def _bent(signature: bytes, place: int) -> bytes:
    return signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :]


def loaded(keys: list[Json]) -> tuple[PinnedKey, ...]:
    entry = TrustedPeerSchema().load({"platform": "SGPX", "keys": keys})
    return tuple(trusted_peers([entry], []).platforms["SGPX"])


def is_signed(text: str, keys: list[Json]) -> bool:
    try:
        peer_jws.verify(peer_jws.parse(text), loaded(keys), NOW)
    except BadSignature:
        return False
    return True


@pytest.mark.parametrize("arithmetic", [(), ("--own-arithmetic",)], ids=["WebCrypto", "arithmetic"])
def test_both_engines_know_which_key_made_a_signature(arithmetic: tuple[str, ...]) -> None:
    cases = list(signatures())
    asked = [
        {"part": "peerSignature", "text": text, "keys": keys, "now": milliseconds(NOW)}
        for _, text, keys, _ in cases
    ]

    found = ask(asked, "--parts", *arithmetic)

    for (name, text, keys, holds), there in zip(cases, found, strict=True):
        assert (name, is_signed(text, keys), there) == (name, holds, holds)


# -- keys -----------------------------------------------------------------------------------------


def keys() -> Iterator[Json]:
    modulus = RSA.public_key().public_numbers().n
    good = pinned(RSA.public_key(), "PS256")
    for key in (good, spelled(EC.public.to_jwk(), "ES256")):
        yield key
        for _, changed in mutants(key):
            yield changed
    yield pinned(ODD_RSA.public_key(), "RS512", "RS512")
    numbers = ((modulus, 65537), (modulus, 3), (modulus, 1), (modulus, 2), (modulus, 65536))
    odd = (modulus, 2**32 - 1), (modulus, 2**32 + 1), (modulus - 1, 3), (modulus, modulus)
    small = ((1 << 2046) + 1, 3), ((1 << 2047) + 1, 3), ((1 << 8191) + 1, 3), ((1 << 8192) + 1, 3)
    for n, e in (*numbers, *odd, *small):
        yield spelled({"kty": "RSA", "n": _number(n), "e": _number(e)}, "RS256")
    zero = base64url.encode(b"\0" + modulus.to_bytes(256))
    yield spelled({"kty": "RSA", "n": zero, "e": "AQAB"}, "RS256")
    yield spelled({**good["jwk"], "alg": "PS256"}, "PS256")
    yield spelled({**good["jwk"], "d": "AQAB"}, "PS256")
    wide = ec.generate_private_key(ec.SECP384R1()).public_key()
    yield spelled(
        PinnedKey(key=wide, algorithms=frozenset({PeerAlgorithm.ES384})).to_jwk(), "ES256"
    )
    edwards = ed25519.Ed25519PrivateKey.generate().public_key()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(edwards.public_bytes_raw())}
    for algorithms in ((), ("EdDSA",), ("Ed25519", "EdDSA"), ("ES256",), ("PS256",), ("HS256",)):
        yield spelled(jwk, *algorithms)
    for at in ("2027-03-08", "2027-02-30T00:00:00.000Z", "2027-03-08T00:00:00.000Z", 1, None):
        yield {**good, "notBefore": at}


def _number(value: int) -> str:
    return base64url.encode(value.to_bytes((value.bit_length() + 7) // 8))


def is_usable(key: Json) -> bool:
    try:
        return len(loaded([key])) == 1
    except (ValueError, ValidationError):
        return False


def test_both_engines_take_the_same_keys_of_other_platforms() -> None:
    tried = list(keys())

    found = ask([{"part": "peerKeys", "keys": [key]} for key in tried], "--parts")

    here = [is_usable(key) for key in tried]
    assert [count == 1 for count in found] == here
    assert here.count(True) >= 10 <= here.count(False)


def test_a_key_on_a_curve_that_the_page_cannot_check_is_not_written_down() -> None:
    wide = ec.generate_private_key(ec.SECP384R1()).public_key()
    with pytest.raises(ValueError, match="ES384, which no verifier checks"):
        pinned(wide, "ES384")


# -- entries of a chain ---------------------------------------------------------------------------

MOMENTS = (
    *("2027-03-08T06:00:00Z", "2027-03-08t06:00:00z", "2027-03-08T06:00:00.123456789+08:00"),
    *(
        "2027-03-08T06:00:00",
        "2027-03-08 06:00:00Z",
        "2027-02-29T06:00:00Z",
        "2028-02-29T06:00:00Z",
    ),
    *(
        "2027-03-08T24:00:00Z",
        "2027-03-08T23:60:00Z",
        "2027-03-08T23:59:60Z",
        "0000-01-01T00:00:00Z",
    ),
    *("2027-03-08T06:00:00+00:99", "2027-03-08T06:00:00+23:59", "2027-03-08T06:00:00-24:00"),
    *("0001-01-01T00:00:00+00:01", "0001-01-01T00:01:00+00:01", "9999-12-31T23:59:59-00:01"),
    *(
        "2027-03-08T06:00:00.Z",
        "2027-03-08T06:00:00,5Z",
        "2027-03-08T06:00Z",
        "2027-03-08T06:00:00Z\n",
    ),
)


def moment_of(text: str) -> float | None:
    try:
        at = Moment().deserialize(text).astimezone(UTC)
    except (ValidationError, OverflowError):
        return None
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 1000 + since.microseconds / 1000


def test_both_engines_read_the_same_moments() -> None:
    found = ask([{"part": "moment", "text": text} for text in MOMENTS], "--parts")
    assert dict(zip(MOMENTS, found, strict=True)) == {text: moment_of(text) for text in MOMENTS}


def is_entry(text: str) -> bool:
    try:
        chain_entry(peer_jws.parse(text).value)
    except (BadJws, PintFormatError):
        return False
    return True


def test_both_engines_read_the_same_entries_of_a_chain() -> None:
    text = Story().then(CQ, ISSUE, TO_BANK).chain[0]
    value = peer_jws.parse(text).value
    blanks = ("\u0085", "\ufeff", "\x1c", "\u2028", "\u00a0", " ", "a\nb", "é", "\U0001f600" * 70)
    named = [{**value, "controlTrackingRegistry": f"https://x{sign}"} for sign in blanks]
    for sign in blanks:
        first = json.loads(json.dumps(value))
        first["transactions"][0]["actor"]["partyName"] = sign
        second = json.loads(json.dumps(value))
        second["eblPlatform"] = f"A{sign[:1]}"
        named += [first, second]
    tried = [
        text,
        *(_entry(one) for one in named),
        *(_entry(one) for _, one in mutants(value, share=0.5)),
    ]

    found = ask([{"part": "chainEntry", "text": one} for one in tried], "--parts")

    here = [is_entry(one) for one in tried]
    assert [pair for pair in zip(tried, here, found, strict=True) if pair[1] != pair[2]] == []
    assert here.count(True) >= 10 <= here.count(False)


def _entry(value: Json) -> str:
    return text_of({"alg": "ES256"}, lambda _: bytes(64), written(value))


def test_hashes_of_the_page_are_those_of_the_library() -> None:
    sizes = (0, 1, 55, 56, 63, 64, 111, 112, 127, 128, 1000)
    asked = [{"part": "hash", "bytes": base64.b64encode(bytes(size)).decode()} for size in sizes]
    for size, found in zip(sizes, ask(asked, "--parts"), strict=True):
        digest = hashes.Hash(hashes.SHA384())
        digest.update(bytes(size))
        assert found[1] == digest.finalize().hex()
