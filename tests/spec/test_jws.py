"""A compact JWS has nothing to choose: every other way of writing one is refused."""

from __future__ import annotations

import hashlib
import json

import pytest

from bol_service.crypto import base64url, jws
from bol_service.crypto.jws import BadJws, BadSignature
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate

TYP = "ebl-event+jws"
SIGNERS = {alg: LocalSigner(generate(alg)) for alg in Algorithm}
ED25519 = SIGNERS[Algorithm.ED25519]
BOTH = pytest.mark.parametrize("signer", SIGNERS.values(), ids=[f"with {a}" for a in SIGNERS])
PAYLOAD = b'{"action":"TRANSFER","recipient":"banksg","sequence":7}'
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def header_of(signer: LocalSigner, **changes: object) -> dict[str, object]:
    return {"alg": str(signer.public.alg), "kid": signer.public.kid, "typ": TYP, **changes}


def signed_under(header: object, payload: bytes = PAYLOAD, signer: LocalSigner = ED25519) -> str:
    """A JWS whose signature is right for whatever header is given, as JSON or as raw bytes."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    signing_input = f"{base64url.encode(raw)}.{base64url.encode(payload)}"
    return f"{signing_input}.{base64url.encode(signer.sign(signing_input.encode()))}"


@BOTH
def test_a_signed_message_is_read_back_and_verifies(signer):
    text = jws.sign(PAYLOAD, TYP, signer)
    parsed = jws.parse(text, TYP)
    jws.verify(parsed, signer.public)
    assert (parsed.alg, parsed.kid, parsed.typ) == (signer.public.alg, signer.public.kid, TYP)
    assert parsed.payload == PAYLOAD
    assert parsed.signing_input.decode() == text.rpartition(".")[0]
    assert parsed.digest == hashlib.sha256(text.encode()).hexdigest()
    assert signer.public.verify(parsed.signature, parsed.signing_input)


@BOTH
def test_a_message_without_typ_is_read_where_none_is_expected(signer):
    text = jws.sign(PAYLOAD, None, signer)
    parsed = jws.parse(text, None)
    jws.verify(parsed, signer.public)
    assert parsed.typ is None
    assert json.loads(base64url.decode(text.split(".")[0])).keys() == {"alg", "kid"}


@BOTH
def test_a_detached_message_is_read_back_with_its_payload(signer):
    text = jws.sign_detached(PAYLOAD, "ebl-key-proof+jws", signer)
    assert ".." in text
    parsed = jws.parse_detached(text, PAYLOAD, "ebl-key-proof+jws")
    jws.verify(parsed, signer.public)
    assert parsed.payload == PAYLOAD
    other = jws.parse_detached(text, PAYLOAD + b" ", "ebl-key-proof+jws")
    with pytest.raises(BadSignature):
        jws.verify(other, signer.public)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(jws.sign(PAYLOAD, TYP, ED25519), id="a message with its payload inside"),
        pytest.param("a.b", id="two parts"),
        pytest.param("a...b", id="four parts"),
    ],
)
def test_a_detached_message_has_nothing_between_its_dots(text):
    with pytest.raises(BadJws, match="nothing between the dots"):
        jws.parse_detached(text, PAYLOAD, TYP)


def test_a_detached_message_obeys_the_same_limit():
    text = jws.sign_detached(PAYLOAD, TYP, ED25519)
    with pytest.raises(BadJws, match="at most 64"):
        jws.parse_detached(text, PAYLOAD, TYP, max_bytes=64)


KID = ED25519.public.kid
HEADER = json.dumps(header_of(ED25519)).encode()

REFUSED_HEADERS = [
    pytest.param(HEADER[:-1] + b',"kid":"%s"}' % KID.encode(), "given twice", id="kid twice"),
    pytest.param(HEADER[:-1] + b',"\\u0061lg":"none"}', "given twice", id="alg twice, escaped"),
    pytest.param(b"\xef\xbb\xbf" + HEADER, "byte order mark", id="a byte order mark"),
    pytest.param(b"\xff\xff", "not UTF-8", id="no UTF-8"),
    pytest.param(b"{", "not JSON", id="no JSON"),
    pytest.param(b"[" * 10_000, "nested deeper", id="endless nesting"),
    pytest.param([1], "JSON object, not list", id="a list"),
    *(
        pytest.param(header_of(ED25519, **{name: value}), "has exactly", id=f"with {name}")
        for name, value in {
            "jku": "https://evil.example/keys",
            "jwk": ED25519.public.to_jwk(),
            "x5u": "https://evil.example/chain",
            "x5c": ["AAAA"],
            "x5t": "AAAA",
            "crit": ["exp"],
            "b64": False,
            "cty": "json",
            "zip": "DEF",
            "nonce": "1",
        }.items()
    ),
    pytest.param({"alg": "Ed25519", "typ": TYP}, "has exactly", id="without kid"),
    pytest.param({"kid": KID, "typ": TYP}, "has exactly", id="without alg"),
    pytest.param({"alg": "Ed25519", "kid": KID}, "has exactly", id="without typ"),
    pytest.param(header_of(ED25519, typ="JWT"), "says typ 'JWT'", id="another typ"),
    pytest.param(header_of(ED25519, typ=TYP.upper()), "says typ", id="typ in capitals"),
    pytest.param(header_of(ED25519, typ=f"application/{TYP}"), "says typ", id="typ in full"),
    pytest.param(header_of(ED25519, typ=[TYP]), "says typ", id="typ in a list"),
    *(
        pytest.param(header_of(ED25519, alg=alg), "is not taken", id=f"alg {alg}")
        for alg in ("none", "None", "", "HS256", "EdDSA", "ed25519", "Ed448", "ES384", "RS256", 1)
    ),
    pytest.param(header_of(ED25519, alg=["Ed25519"]), "is not taken", id="alg in a list"),
    pytest.param(header_of(ED25519, alg=None), "is not taken", id="alg null"),
    pytest.param(header_of(ED25519, kid=KID[:-1]), "kid", id="kid too short"),
    pytest.param(header_of(ED25519, kid=KID + "A"), "not the thumbprint", id="kid too long"),
    pytest.param(header_of(ED25519, kid=KID + "="), "alphabet", id="kid padded"),
    pytest.param(header_of(ED25519, kid="../" + KID[3:]), "alphabet", id="kid with a path"),
    pytest.param(header_of(ED25519, kid="A" * 42 + "B"), "carry nothing", id="kid, trailing bits"),
    pytest.param(header_of(ED25519, kid=7), "not the thumbprint", id="kid a number"),
]


@pytest.mark.parametrize(("header", "reason"), REFUSED_HEADERS)
def test_a_header_that_is_not_exactly_the_agreed_one_is_refused(header, reason):
    with pytest.raises(BadJws, match=reason) as caught:
        jws.parse(signed_under(header), TYP)
    assert caught.value.reason == str(caught.value)


def test_a_typ_is_refused_where_none_is_expected():
    with pytest.raises(BadJws, match="has exactly"):
        jws.parse(jws.sign(PAYLOAD, TYP, ED25519), None)


def test_a_header_with_a_null_typ_is_not_a_header_without_one():
    with pytest.raises(BadJws, match="has exactly"):
        jws.parse(signed_under(header_of(ED25519, typ=None)), None)


GOOD = jws.sign(PAYLOAD, TYP, ED25519)
H, B, S = GOOD.split(".")

REFUSED_TEXTS = [
    pytest.param("", "three non-empty parts", id="nothing"),
    pytest.param(f"{H}.{B}", "three non-empty parts", id="two parts"),
    pytest.param(f"{GOOD}.{S}", "three non-empty parts", id="four parts"),
    pytest.param(f"{H}.{B}.", "three non-empty parts", id="an empty signature"),
    pytest.param(f"{H}..{S}", "three non-empty parts", id="a detached payload"),
    pytest.param(f".{B}.{S}", "three non-empty parts", id="an empty header"),
    pytest.param(f"{GOOD}==", "signature has a character outside", id="a padded signature"),
    pytest.param(f"{H}=.{B}.{S}", "header has a character outside", id="a padded header"),
    pytest.param(f"{H}.{B}=.{S}", "payload has a character outside", id="a padded payload"),
    pytest.param(f" {GOOD}", "header has a character outside", id="a space before"),
    pytest.param(f"{GOOD}\n", "signature has a character outside", id="a line feed after"),
    pytest.param(f"{H}.{B}.{S[:-1]}é", "signature has a character outside", id="not ASCII"),
    pytest.param(f"{H}.{B}.{S[:-1]}Ａ", "signature has a character outside", id="a wide letter"),
    pytest.param(f"{H}.{B}.{'+' + S[1:]}", "has a character outside", id="the other alphabet"),
    pytest.param(f"{H}.{B}.{S}AAA", "89 characters", id="an impossible length"),
    pytest.param(
        f"{H}.{B}.{base64url.encode(bytes(63))}", "has 63 bytes", id="a signature of 63 bytes"
    ),
    pytest.param(
        f"{H}.{B}.{base64url.encode(bytes(65))}", "has 65 bytes", id="a signature of 65 bytes"
    ),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED_TEXTS)
def test_a_text_that_is_not_exactly_a_compact_jws_is_refused(text, reason):
    with pytest.raises(BadJws, match=reason):
        jws.parse(text, TYP)


def test_one_signature_has_one_spelling():
    # 64 bytes leave 4 bits of the last character unused: 16 characters decode alike.
    last = ALPHABET.index(S[-1])
    twins = [c for c in ALPHABET if ALPHABET.index(c) >> 4 == last >> 4 and c != S[-1]]
    assert len(twins) == 15
    for twin in twins:
        with pytest.raises(BadJws, match="bits that carry nothing"):
            jws.parse(f"{H}.{B}.{S[:-1]}{twin}", TYP)


def test_the_size_limit_is_64_kib_and_may_be_set():
    assert jws.parse(GOOD, TYP, max_bytes=len(GOOD)).text == GOOD
    with pytest.raises(BadJws, match=f"at most {len(GOOD) - 1} are taken"):
        jws.parse(GOOD, TYP, max_bytes=len(GOOD) - 1)
    with pytest.raises(BadJws, match="at most 65536 are taken"):
        jws.parse("A" * 65537, TYP)


@BOTH
def test_a_large_message_verifies_where_the_door_allows_it(signer):
    parsed = jws.parse(jws.sign(b"x" * 300_000, TYP, signer), TYP, max_bytes=500_000)
    jws.verify(parsed, signer.public)


def refused(text: str, signer: LocalSigner) -> bool:
    try:
        jws.verify(jws.parse(text, TYP), signer.public)
    except (BadJws, BadSignature):
        return True
    return False


@BOTH
def test_every_substitution_of_one_character_is_refused(signer):
    text = jws.sign(PAYLOAD, TYP, signer)
    assert not refused(text, signer)
    for position, old in enumerate(text):
        new = "A" if old == "." else ALPHABET[(ALPHABET.index(old) + 1 + position % 63) % 64]
        changed = text[:position] + new + text[position + 1 :]
        assert refused(changed, signer), f"character {position}: {old} -> {new}"


def test_every_lost_or_doubled_character_is_refused():
    for position in range(len(GOOD)):
        assert refused(GOOD[:position] + GOOD[position + 1 :], ED25519)
        assert refused(GOOD[:position] + GOOD[position] + GOOD[position:], ED25519)


@BOTH
def test_the_signature_of_another_key_under_this_name_is_refused(signer):
    other = LocalSigner(generate(signer.public.alg))
    text = signed_under(header_of(signer), signer=other)
    with pytest.raises(BadSignature, match="does not verify under the key"):
        jws.verify(jws.parse(text, TYP), signer.public)


@BOTH
def test_a_message_that_names_another_key_is_refused(signer):
    other = LocalSigner(generate(signer.public.alg))
    text = signed_under(header_of(other), signer=signer)
    with pytest.raises(BadSignature, match=other.public.kid):
        jws.verify(jws.parse(text, TYP), signer.public)


def test_the_key_fixes_the_algorithm_not_the_header():
    es256 = SIGNERS[Algorithm.ES256]
    text = signed_under(header_of(es256, alg="Ed25519"), signer=es256)
    with pytest.raises(BadSignature, match=r"header says alg Ed25519; the key .* is ES256"):
        jws.verify(jws.parse(text, TYP), es256.public)


def test_a_malleable_es256_signature_verifies_but_is_another_message():
    # A property of ECDSA itself: (r, n-s) verifies where (r, s) does. The ledger records the
    # digest of the text, so the twin is never taken for the recorded message.
    signer = SIGNERS[Algorithm.ES256]
    text = jws.sign(PAYLOAD, TYP, signer)
    original = jws.parse(text, TYP)
    s = P256_ORDER - int.from_bytes(original.signature[32:])
    twin_signature = base64url.encode(original.signature[:32] + s.to_bytes(32))
    twin = jws.parse(f"{text.rpartition('.')[0]}.{twin_signature}", TYP)
    jws.verify(twin, signer.public)
    assert twin.payload == original.payload
    assert twin.digest != original.digest


def test_an_ed25519_signature_has_no_twin():
    parsed = jws.parse(GOOD, TYP)
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(parsed.signature[32:], "little") + order
    twin = base64url.encode(parsed.signature[:32] + s.to_bytes(32, "little"))
    assert refused(f"{H}.{B}.{twin}", ED25519)
