"""The parts of the page's engine on their own: JSON, keys, signatures, hashes, forms."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import unicodedata
from collections.abc import Callable
from copy import deepcopy
from itertools import product
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bol_service.crypto import base64url, peer_jws, strictjson, text
from bol_service.crypto.jws import BadJws
from bol_service.crypto.keys import Algorithm, PublicKey
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain import identifiers
from bol_service.ledger.note import from_base64
from bol_service.wire.document import DocumentError, read_document
from bol_service.wire.event_fields import instant
from bol_service.wire.pint_answers import read_finished_response
from bol_service.wire.pint_forms import PintFormatError
from tests.complete_document import complete_document
from tests.documents import corridor_document
from tests.node_verifier import ask, milliseconds
from tests.small_orders import signed_with_neutral_r, small_points
from tests.verifier_answers import peer
from tests.verifier_cases import mutants, written
from tests.verifier_traces import plain

Json = dict[str, Any]

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SEED = 20270308


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def accepted(check: Callable[[Any], object], value: Any) -> bool:
    try:
        check(value)
    except ValueError:
        return False
    return True


# -- JSON ----------------------------------------------------------------------------------------

NUMBERS = (
    *("0", "-0", "1", "-1", "01", "+1", "1.", ".5", "1.0", "1.50", "0.1", "-0.0", "1e3", "1E+3"),
    *("1e-7", "1.5e-3", "123456789012345680", "9007199254740991", "9007199254740992"),
    *("-9007199254740991", "-9007199254740992", "9007199254740991.0", "9007199254740993.0"),
    *("1e400", "1e-400", "0e99999999999999999999", "0e999999999999999", "1e99999999999999999999"),
    *("0.30000000000000004", "0.300000000000000040", "0.3000000000000000444", "5e-324", "4.9e-324"),
    *("2.2250738585072014e-308", "1.7976931348623157e308", "0.1e1", "100e-2", "1e15", "1.0e15"),
    *("NaN", "Infinity", "-Infinity", "-", "1e", "0x1", "1_0", "١", "1" * 400, "0." + "0" * 399),
)
TEXTS = (
    *('"a"', '"\\u0041"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\ude00\\ud83d"', '"\\u0000"'),
    *('"\\x41"', '"\\/"', '"\\b\\f\\n\\r\\t\\"\\\\"', '"\t"', '"\x7f"', '"é"', '"\u2028"'),
    *('"😀"', '"\ufffe"', '"', '"\\u12"', '"\\u12G4"', "'a'", '"a" "b"', '"\\uD83D\\u0041"'),
)
SHAPES = (
    *("", " ", "null", "true", "tru", "True", "[]", "{}", "[1,]", "[,1]", '{"a":1,}', "{a:1}"),
    *('{"a":1 "b":2}', '{"a" 1}', '{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '{"":1}', "[1 2]"),
    *('{"__proto__":1}', '{"constructor":{"a":1}}', '{"b":1,"a":2,"10":3,"9":4}', "\ufeff[]"),
    *('{"\u20ac":1,"\U0001f600":2,"\ufb33":3}', "[]\x00", "[]\x0b", " [ ] ", "\r\n\t[]", "[]x"),
    *("\u00a0[]", "/**/[]", "[] //", '{"toString":1,"hasOwnProperty":2}'),
    *("[" * depth + "]" * depth for depth in (31, 32, 33, 63, 64, 65, 2000)),
    *('{"a":' * depth + "1" + "}" * depth for depth in (32, 33, 64, 65)),
)
BYTES = (
    *(
        b"\xff",
        b'"\xc3"',
        b'"\xed\xa0\x80"',
        b'"\xf4\x90\x80\x80"',
        b'"\xc0\x80"',
        b"\xef\xbb\xbf1",
    ),
    *(b"\x00[]", '{"a":1}'.encode("utf-16"), b'"\xf0\x9f\x98\x80"', b"\xef\xbb[]"),
)


def canonical_or_none(profile: str, data: bytes) -> str | None:
    load = strictjson.loads_event if profile == "event" else strictjson.loads_document
    try:
        return b64(strictjson.canonical(load(data)))
    except strictjson.BadJson:
        return None


def random_numbers(count: int) -> list[str]:
    chance = random.Random(SEED)
    exact = [repr(chance.uniform(-1, 1) * 10 ** chance.randrange(-9, 15)) for _ in range(count)]
    return exact + [f"{text}{chance.randrange(10)}" for text in exact if "e" not in text]


def test_json_is_read_and_written_alike() -> None:
    numbers = [*NUMBERS, *random_numbers(400)]
    texts = [*numbers, *(f"[{number}]" for number in numbers), *TEXTS, *SHAPES]
    samples = [*(text.encode("utf-8", "surrogatepass") for text in texts), *BYTES]
    questions = [(part, data) for part in ("event", "document") for data in samples]

    found = ask([{"part": part, "bytes": b64(data)} for part, data in questions], "--parts")

    for (part, data), there in zip(questions, found, strict=True):
        assert canonical_or_none(part, data) == there, (part, data)


def base64_spellings() -> list[str]:
    sound = [b64(bytes(range(size))) for size in range(12)]
    slips = [text[:-1] + sign for text in sound if text for sign in "AB=/+-_ \n"]
    padded = [text + tail for text in sound for tail in ("=", "==", "===", "====", "A")]
    return [*sound, *slips, *padded, *(text.rstrip("=") for text in sound), "=", "====", "Ä"]


def test_base64_has_one_spelling_in_both() -> None:
    rows: list[tuple[str, Callable[[str], bytes]]] = [
        ("base64", from_base64),
        ("base64url", base64url.decode),
    ]
    samples = [(part, read, spelt) for part, read in rows for spelt in base64_spellings()]

    found = ask([{"part": part, "text": spelt} for part, _, spelt in samples], "--parts")

    for (part, read, spelt), there in zip(samples, found, strict=True):
        assert (read(spelt).hex() if accepted(read, spelt) else None) == there, (part, spelt)


# -- documents -----------------------------------------------------------------------------------


def documents() -> list[Json]:
    """The corridor's bills and one with every member, their parties named by other codes, and all
    of it bent member by member, as far as the law looks at it."""
    sound = [corridor_document(), complete_document()]
    codes: list[Json] = [
        {"codeListProvider": provider, "partyCode": "X", **({"codeListName": name} if name else {})}
        for provider in ("ZZZ", "GLEIF", "WAVE")
        for name in (None, "LEI", "DID")
    ]
    named = deepcopy(sound[0])
    named["documentParties"]["shipper"]["identifyingCodes"] = codes
    taxes = [{"type": kind, "value": "1", "countryCode": "CN"} for kind in ("USCC", "UEN", "VAT")]
    named["documentParties"]["shipper"]["taxLegalReferences"] = [*taxes, *taxes]
    places = deepcopy(sound[0])
    for member in ("placeOfReceipt", "portOfLoading", "portOfDischarge"):
        places["transports"][member] = {"UNLocationCode": "", "address": {"city": "Qinzhou"}}
    bent = [changed for value in (named, places) for _, changed in mutants(value, share=0.08)]
    return [*sound, named, places, *bent]


def facts_or_none(data: bytes) -> Json | None:
    try:
        value = strictjson.loads_document(data)
        assert isinstance(value, dict)
        return plain(read_document(data, value, strict=False))
    except (strictjson.BadJson, DocumentError):
        return None


def test_documents_tell_the_same_facts_in_both() -> None:
    samples = [written(value) for value in documents()]

    found = ask([{"part": "facts", "text": data.decode()} for data in samples], "--parts")

    here = [facts_or_none(data) for data in samples]
    assert sum(facts is not None for facts in here) > 100
    for data, one, other in zip(samples, here, found, strict=True):
        assert one == other, data


# -- keys and signatures -------------------------------------------------------------------------


def ed25519_edges() -> list[bytes]:
    """Encodings of small order, off the curve, beyond the prime, and ordinary ones."""
    numbers = (*range(20), *(P + n for n in range(19)), 2**255 - 1, P - 1, 2**254)
    spelt = [n.to_bytes(32, "little") for n in numbers]
    turned = [raw[:31] + bytes([raw[31] | 0x80]) for raw in spelt]
    order8 = (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
    return [*spelt, *turned, *map(bytes.fromhex, order8)]


def jwks() -> list[Any]:
    sound = {alg: LocalSigner(generate(alg)).public.to_jwk() for alg in Algorithm}
    okp, ec = sound[Algorithm.ED25519], sound[Algorithm.ES256]
    return [
        *({"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(raw)} for raw in ed25519_edges()),
        *(okp, ec, None, [], "x", {}, okp | {"d": "x"}, okp | {"kid": "x"}, okp | {"y": ec["y"]}),
        *({**ec, "y": okp["x"]}, {**ec, "x": ec["y"], "y": ec["x"]}, okp | {"kty": "EC"}),
        *({**okp, "crv": "Ed448"}, {**okp, "x": okp["x"] + "="}, {**okp, "x": okp["x"][:-1]}),
        *({**okp, "x": 1}, {**okp, "x": None}, {"kty": "OKP", "crv": "Ed25519"}),
        {**ec, "x": base64url.encode(b"\xff" * 32)},
    ]


@pytest.mark.parametrize("options", [(), ("--own-arithmetic",)], ids=["WebCrypto", "own"])
def test_keys_are_taken_and_named_alike(options: tuple[str, ...]) -> None:
    samples = jwks()

    found = ask([{"part": "key", "jwk": jwk} for jwk in samples], "--parts", *options)

    for jwk, there in zip(samples, found, strict=True):
        here = PublicKey.from_jwk(jwk).kid if accepted(PublicKey.from_jwk, jwk) else None
        assert here == there, jwk


def signatures() -> list[tuple[str, tuple[bytes, ...], bytes, bytes]]:
    """(alg, coordinates, signature, message): right ones, and all sorts of wrong ones."""
    chance, samples = random.Random(SEED), []
    for alg in Algorithm:
        for size in (0, 1, 63, 64, 111, 112, 127, 128, 129, 500, 3000):
            signer, message = LocalSigner(generate(alg)), chance.randbytes(size)
            raw = tuple(map(base64url.decode, signer.public.coordinates))
            right = signer.sign(message)
            halves = right[:32], right[32:]
            wrong = [
                right,
                right[:-1],
                right + b"\x00",
                bytes(64),
                halves[0] + bytes(32),
                bytes(32) + halves[1],
                halves[1] + halves[0],
                right[:5] + bytes([right[5] ^ 1]) + right[6:],
                right[:40] + bytes([right[40] ^ 1]) + right[41:],
            ]
            if alg is Algorithm.ES256:
                s = int.from_bytes(halves[1])
                wrong += [halves[0] + value.to_bytes(32) for value in (N - s, N, 2**256 - 1)]
                wrong += [value.to_bytes(32) + halves[1] for value in (N, 1)]
            else:
                private = signer._key
                assert isinstance(private, Ed25519PrivateKey)
                wrong.append(signed_with_neutral_r(private, message))
                s = int.from_bytes(halves[1], "little")
                wrong.append(halves[0] + (s + L).to_bytes(32, "little"))
                wrong += [point + halves[1] for point in ed25519_edges()[:3]]
            samples += [(str(alg), raw, signature, message) for signature in wrong]
            samples.append((str(alg), raw, right, message + b"x"))
    return samples


def weak_signatures() -> list[tuple[str, tuple[bytes, ...], bytes, bytes]]:
    """Under keys that nobody may have: small orders, R as well. Libraries differ about them."""
    points = ed25519_edges()
    chance = random.Random(SEED)
    picked = [(chance.choice(points), chance.choice(points)) for _ in range(50)]
    picked += product(small_points(), repeat=2)
    return [
        ("Ed25519", (key,), point + s.to_bytes(32, "little"), bytes([number]))
        for number, (key, point) in enumerate(picked)
        for s in (0, 1)
    ]


WEAK = weak_signatures()


def holds(alg: str, raw: tuple[bytes, ...], signature: bytes, message: bytes) -> bool:
    try:
        key = PublicKey(alg=Algorithm(alg), coordinates=tuple(map(base64url.encode, raw)))
    except ValueError:
        return False
    return key.verify(signature, message)


def library_takes(raw: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def test_there_are_signatures_of_small_orders_that_a_library_takes() -> None:
    """Without them the next test would say nothing about the rule against them."""
    weak = [library_takes(raw[0], signature, message) for _, raw, signature, message in WEAK]
    assert sum(weak) > 10
    assert not any(holds(*sample) for sample in WEAK)


@pytest.mark.parametrize("options", [(), ("--own-arithmetic",)], ids=["WebCrypto", "own"])
def test_signatures_hold_alike(options: tuple[str, ...]) -> None:
    samples = [*signatures(), *WEAK]
    questions = [
        {
            "part": "signature",
            "alg": alg,
            "raw": list(map(b64, raw)),
            "signature": b64(signature),
            "message": b64(message),
        }
        for alg, raw, signature, message in samples
    ]

    found = ask(questions, "--parts", *options)

    for sample, there in zip(samples, found, strict=True):
        assert holds(*sample) == there, sample


def test_hashes_are_sha_256_sha_384_and_sha_512() -> None:
    samples = [bytes([size % 251]) * size for size in (*range(300), 4095, 100_000)]

    found = ask([{"part": "hash", "bytes": b64(data)} for data in samples], "--parts")

    for data, there in zip(samples, found, strict=True):
        assert there == [
            getattr(hashlib, name)(data).hexdigest() for name in ("sha256", "sha384", "sha512")
        ]


# -- forms ---------------------------------------------------------------------------------------


def test_texts_are_taken_alike() -> None:
    """Every code point alone up to the Hangul syllables, then every 97th; and combining pairs.

    Python and a browser may know different versions of Unicode: what either knows as unassigned
    is left out.
    """
    points = [*range(0xD7FF), *range(0xE000, 0x110000, 97), 0xFEFF, 0xFFFE, 0x1FFFF, 0xE0001]
    assigned = [
        chr(p) for p in points if unicodedata.category(chr(p)) != "Cn" or p & 0xFFFE == 0xFFFE
    ]
    samples = [*assigned, "e\u0301", "\u0301", "\u1100\u1161", "\u2126", "\u0958", "a\u0323\u0307"]

    found = ask([{"part": "text", "text": sample} for sample in samples], "--parts")

    for sample, there in zip(samples, found, strict=True):
        assert accepted(text.check_text, sample) == there, f"U+{ord(sample[0]):04X}"


IDENTIFIERS: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
    "container": (identifiers.check_container, ("XLCU7001127", "CSQU3054383", "XLCU7001129")),
    "LEI": (identifiers.check_lei, ("ZZZZ00CARRIERXLSC065", "5493001KJTIIGC8Y1R12")),
    "USCC": (identifiers.check_uscc, ("91500112MA60EBL160", "91350100M000100Y43")),
    "UEN": (identifiers.check_uen, ("209912345Z", "53123456A", "T08LL1234A", "1234")),
    "slug": (identifiers.check_slug, ("yunling", "a", "a-b", "A", "-a", "a" * 31, "a" * 32)),
    "unlocode": (identifiers.check_unlocode, ("CNCQI", "SGSIN", "CN1QI", "cncqi")),
}


def neighbours(value: str) -> list[str]:
    """The value, every one that differs in its last sign, and some slips of the pen."""
    signs = "0123456789ABCDEFGHJKLMNPQRTUWXYa-\n "
    return [
        value,
        *(value[:-1] + sign for sign in signs),
        value[::-1],
        value + "\n",
        f" {value}",
        "",
    ]


def test_identifiers_are_taken_alike() -> None:
    samples = [
        (form, near)
        for form, (_, values) in IDENTIFIERS.items()
        for value in values
        for near in neighbours(value)
    ]

    lines = [{"part": "identifier", "form": form, "value": value} for form, value in samples]
    found = ask(lines, "--parts")

    for (form, value), there in zip(samples, found, strict=True):
        assert accepted(IDENTIFIERS[form][0], value) == there, (form, value)


def test_streams_and_instants_are_taken_alike() -> None:
    shipment = "0195a3c0-7c1e-7d2a-9b00-0000000000a1"
    streams = (
        *("bill:" + "0" * 64, "bill:x", f"draft:{shipment}", f"draft:{shipment}:", "party:a"),
        *("party:yunling", "party:yunling:x", f"custody:{shipment}:XLCU7001127", ":", "", "bill"),
        *(f"custody:{shipment}:XLCU7001128", f"custody:{shipment}", "note:x", " party:yunling"),
    )
    moments = (
        *("2027-03-05T08:00:00.000Z", "2027-02-29T08:00:00.000Z", "2028-02-29T23:59:59.999Z"),
        *("2027-03-05T24:00:00.000Z", "2027-03-05T08:60:00.000Z", "2027-03-05T08:00:60.000Z"),
        *("2027-03-05T08:00:00Z", "2027-03-05 08:00:00.000Z", "0001-01-01T00:00:00.000Z"),
        *("0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "0099-01-01T00:00:00.000Z"),
        *("1900-02-29T00:00:00.000Z", "2000-02-29T00:00:00.000Z", "2027-03-05T08:00:00.000Z\n"),
        *("2027-13-05T08:00:00.000Z", "2027-00-05T08:00:00.000Z", "٢027-03-05T08:00:00.000Z"),
    )

    found = ask([{"part": "stream", "text": name} for name in streams], "--parts")
    assert found == [accepted(identifiers.parse_stream, name) for name in streams]

    found = ask([{"part": "instant", "text": moment} for moment in moments], "--parts")
    here = [milliseconds(instant(m)) if accepted(instant, m) else None for m in moments]
    assert found == here, json.dumps(moments)


ANSWER: Json = {
    "lastEnvelopeTransferChainEntrySignedContentChecksum": "a0" * 32,
    "responseCode": "DUPE",
    "duplicateOfAcceptedEnvelopeTransferChainEntrySignedContent": "a.b-_.c",
    "reason": "it was here before",
    "missingAdditionalDocumentChecksums": [],
    "receivedAdditionalDocumentChecksums": ["b1" * 32, "c2" * 32],
}


def answer_or_none(compact: str) -> Json | None:
    try:
        response = read_finished_response(peer_jws.parse(compact).value)
    except (BadJws, PintFormatError):
        return None
    return {"code": str(response.code), "lastEntry": response.last_checksum}


def test_answers_of_other_platforms_are_read_alike() -> None:
    """Open to members of later editions, strict about its own; the header only names an alg."""
    header = {"alg": "ES256", "kid": "x"}
    samples = [peer(header, written(value)) for _, value in mutants(ANSWER)]
    samples += [peer(changed, written(ANSWER)) for _, changed in mutants(header)]
    whole = peer(header, written(ANSWER))
    samples += [whole[:at] + sign + whole[at + 1 :] for at in range(0, 700, 7) for sign in ".=~A"]
    samples += [whole, *(peer(value, written(ANSWER)) for value in ([], None, 1, "alg"))]
    samples += [peer(header, written(value)) for value in ([ANSWER], None, 1, "RECE", {})]

    found = ask([{"part": "answer", "text": sample} for sample in samples], "--parts")

    for sample, there in zip(samples, found, strict=True):
        assert answer_or_none(sample) == there, sample
    taken = sum(there is not None for there in found)
    assert 50 < taken < len(samples) - 100
