"""The trust file: which keys it may name, and since which size of the log they count."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.ledger.note import KeyType, VerifierKey
from bol_service.verification.trust import LogKey, Trust, TrustError, read_trust

Json = dict[str, Any]
ORIGIN = "demo.cq.example/ebl"
ED25519, ES256 = (LocalSigner(generate(alg)).public for alg in Algorithm)


def vkey(name: str, kind: KeyType = KeyType.ED25519) -> VerifierKey:
    return VerifierKey(name=name, type=kind, public=ED25519.public_bytes_raw)


LOG = vkey(ORIGIN)
WITNESSES = tuple(vkey(f"witness-{n}.example", KeyType.COSIGNATURE) for n in (1, 2))
FILE: Json = {
    "origin": ORIGIN,
    "code": "CQGY",
    "demo": True,
    "logKeys": [
        {"vkey": LOG.vkey, "fromSize": 0, "toSize": 7},
        {"vkey": vkey("next.example").vkey, "fromSize": 8},
    ],
    "registrarKids": [ED25519.kid, ES256.kid],
    "statementKeys": [ED25519.to_jwk(), ES256.to_jwk()],
    "witnesses": [witness.vkey for witness in WITNESSES],
    "quorum": 2,
    "maxAge": 1,
}


def read(**changes: Any) -> Trust:
    return read_trust(json.dumps({**FILE, **changes}).encode())


def test_a_trust_file_is_read_member_by_member() -> None:
    assert read() == Trust(
        origin=ORIGIN,
        code="CQGY",
        demo=True,
        log_keys=(
            LogKey(key=LOG, from_size=0, to_size=7),
            LogKey(key=vkey("next.example"), from_size=8, to_size=None),
        ),
        registrar_kids=frozenset({ED25519.kid, ES256.kid}),
        statement_keys=(ED25519, ES256),
        witnesses=WITNESSES,
        quorum=2,
        max_age=1,
    )


def test_a_platform_of_the_trade_is_no_demonstration() -> None:
    assert not read(origin="cq.example/ebl", demo=False).demo


@pytest.mark.parametrize("quorum", [0, 1, 2])
def test_a_quorum_may_ask_for_as_many_witnesses_as_are_named(quorum: int) -> None:
    assert read(quorum=quorum).quorum == quorum


@pytest.mark.parametrize("name", FILE)
def test_no_member_of_a_trust_file_may_be_missing(name: str) -> None:
    rest = {member: value for member, value in FILE.items() if member != name}
    with pytest.raises(TrustError, match=f"'{name}'.*required"):
        read_trust(json.dumps(rest).encode())


@pytest.mark.parametrize("name", ["vkey", "fromSize"])
def test_no_member_of_a_log_key_may_be_missing(name: str) -> None:
    key = {member: value for member, value in FILE["logKeys"][0].items() if member != name}
    with pytest.raises(TrustError, match=f"'{name}'.*required"):
        read(logKeys=[key])


PEER_KEY = {"jwk": ES256.to_jwk(), "algorithms": ["ES256"]}


def peer(count: int = 1, **changes: object) -> Json:
    return {"platform": "SGPX", "keys": [PEER_KEY] * count, **changes}


def carrier(count: int = 1, **changes: object) -> Json:
    return {"carrier": "SMDG:XLSC", "keys": [PEER_KEY] * count, **changes}


NOT_TAKEN = {
    "a member nobody knows": ({"note": ""}, "Unknown field"),
    "a member of a log key nobody knows": (
        {"logKeys": [{**FILE["logKeys"][0], "note": ""}]},
        "Unknown field",
    ),
    "an origin that is none": ({"origin": "demo. cq"}, "origin"),
    "a demonstration under an origin of the trade": ({"origin": "cq.example/ebl"}, "contradict"),
    "an origin of a demonstration that claims to be none": ({"demo": False}, "contradict"),
    "no key of the log": ({"logKeys": []}, "between 1 and 100"),
    "more keys of the log than anybody needs": (
        {"logKeys": FILE["logKeys"] * 50 + FILE["logKeys"][:1]},
        "between 1 and 100",
    ),
    "no registrar": ({"registrarKids": []}, "between 1 and 100"),
    "more registrars than anybody needs": (
        {"registrarKids": [ED25519.kid] * 101},
        "between 1 and 100",
    ),
    "no statement key": ({"statementKeys": []}, "between 1 and 100"),
    "more statement keys than anybody needs": (
        {"statementKeys": [ED25519.to_jwk()] * 101},
        "between 1 and 100",
    ),
    "a log key before the first size": (
        {"logKeys": [{"vkey": LOG.vkey, "fromSize": -1}]},
        "greater than or equal to 0",
    ),
    "a log key that ends before the first size": (
        {"logKeys": [{"vkey": LOG.vkey, "fromSize": 0, "toSize": -1}]},
        "greater than or equal to 0",
    ),
    "a size in quotes": ({"logKeys": [{"vkey": LOG.vkey, "fromSize": "0"}]}, "integer"),
    "an end in quotes": (
        {"logKeys": [{"vkey": LOG.vkey, "fromSize": 0, "toSize": "7"}]},
        "integer",
    ),
    "a quorum in quotes": ({"quorum": "1"}, "integer"),
    "a quorum below nothing": ({"quorum": -1}, "greater than or equal to 0"),
    "a quorum of more witnesses than are named": ({"quorum": 3}, "quorum of 3 of 2"),
    "an age in quotes": ({"maxAge": "600"}, "integer"),
    "no age at all": ({"maxAge": 0}, "greater than or equal to 1"),
    "a log key that is none": ({"logKeys": [{"vkey": "x", "fromSize": 0}]}, "vkey"),
    "a witness that is none": ({"witnesses": ["x"], "quorum": 0}, "vkey"),
    "a statement key that is none": ({"statementKeys": [{"kty": "RSA"}]}, "kty"),
    "a peer whose keys are not there": ({"peers": [{"platform": "SGPX"}]}, "keys.*required"),
    "a peer without a key": ({"peers": [peer(0)]}, "between 1 and 100"),
    "a peer with more keys than anybody needs": ({"peers": [peer(101)]}, "between 1 and 100"),
    "a carrier whose keys are not there": (
        {"carriers": [{"carrier": "SMDG:XLSC"}]},
        "keys.*required",
    ),
    "a carrier without a key": ({"carriers": [carrier(0)]}, "between 1 and 100"),
    "a carrier with more keys than anybody needs": (
        {"carriers": [carrier(101)]},
        "between 1 and 100",
    ),
}


@pytest.mark.parametrize(("changes", "reason"), NOT_TAKEN.values(), ids=NOT_TAKEN)
def test_a_trust_file_is_refused_that_has(changes: Json, reason: str) -> None:
    with pytest.raises(TrustError, match=reason):
        read(**changes)


def test_a_hundred_keys_of_each_kind_are_taken() -> None:
    trust = read(
        logKeys=FILE["logKeys"] * 50,
        registrarKids=[ED25519.kid] * 100,
        statementKeys=[ED25519.to_jwk()] * 100,
    )
    assert (len(trust.log_keys), len(trust.statement_keys)) == (100, 100)


@pytest.mark.parametrize("count", [1, 100])
def test_a_peer_and_a_carrier_may_have_so_many_keys(count: int) -> None:
    peers = read(peers=[peer(count)], carriers=[carrier(count)]).peers
    assert len(peers.platforms["SGPX"]) == len(peers.carriers["SMDG:XLSC"]) == count


def test_a_single_key_of_each_kind_is_taken() -> None:
    trust = read(
        logKeys=FILE["logKeys"][:1], registrarKids=[ED25519.kid], statementKeys=[ES256.to_jwk()]
    )
    assert (len(trust.log_keys), len(trust.statement_keys)) == (1, 1)


def test_a_log_key_may_count_from_its_only_size() -> None:
    keys = [{"vkey": LOG.vkey, "fromSize": 0, "toSize": 0}]
    assert read(logKeys=keys).log_keys == (LogKey(key=LOG, from_size=0, to_size=0),)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff", b'{"origin":1,"origin":1}', b"{}"],
    ids=["nothing", "a list", "no UTF-8", "a member named twice", "an empty object"],
)
def test_what_is_no_object_of_strict_json_is_no_trust_file(content: bytes) -> None:
    with pytest.raises(TrustError, match="trust file cannot be used"):
        read_trust(content)


@pytest.mark.parametrize(
    ("size", "covered"),
    [(4, False), (5, True), (9, True), (10, False)],
    ids=["before it", "at its first size", "at its last size", "after it"],
)
def test_a_log_key_counts_from_its_first_size_to_its_last(size: int, covered: bool) -> None:
    assert LogKey(key=LOG, from_size=5, to_size=9).covers(size) is covered


def test_a_log_key_without_an_end_counts_for_ever() -> None:
    key = LogKey(key=LOG, from_size=5, to_size=None)
    assert (key.covers(4), key.covers(5), key.covers(2**62)) == (False, True, True)
