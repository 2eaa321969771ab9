"""The trust file: which keys it may name, and since which size of the log they count."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.ledger.note import KeyType, VerifierKey
from bol_service.verification.trust import LogKey, Trust, TrustSchema, read_trust
from bol_service.verification.trust_peers import (
    TrustedCarrierSchema,
    TrustedKeySchema,
    TrustedPeerSchema,
)
from bol_service.verification.trust_problem import WANTED, TrustError

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
    with pytest.raises(TrustError, match=f"/{name} is missing; wanted is "):
        read_trust(json.dumps(rest).encode())


@pytest.mark.parametrize("name", ["vkey", "fromSize"])
def test_no_member_of_a_log_key_may_be_missing(name: str) -> None:
    key = {member: value for member, value in FILE["logKeys"][0].items() if member != name}
    with pytest.raises(TrustError, match=f"/{name} is missing; wanted is "):
        read(logKeys=[key])


PEER_KEY = {"jwk": ES256.to_jwk(), "algorithms": ["ES256"]}


def peer(count: int = 1, **changes: object) -> Json:
    return {"platform": "SGPX", "keys": [PEER_KEY] * count, **changes}


def carrier(count: int = 1, **changes: object) -> Json:
    return {"carrier": "SMDG:XLSC", "keys": [PEER_KEY] * count, **changes}


NOT_TAKEN = {
    "a member nobody knows": ({"note": ""}, "no trust file has a member /.*note"),
    "a member of a log key nobody knows": (
        {"logKeys": [{**FILE["logKeys"][0], "note": ""}]},
        "no trust file has a member /.*note",
    ),
    "an origin that is none": ({"origin": "demo. cq"}, "/origin is not usable: "),
    "one fault, which is all that is told": ({"quorum": "1"}, "without quotes$"),
    "a demonstration under an origin of the trade": ({"origin": "cq.example/ebl"}, "contradict"),
    "an origin of a demonstration that claims to be none": ({"demo": False}, "contradict"),
    "no key of the log": ({"logKeys": []}, "is a list of (0|101); wanted is a list of 1 to 100"),
    "more keys of the log than anybody needs": (
        {"logKeys": FILE["logKeys"] * 50 + FILE["logKeys"][:1]},
        "is a list of (0|101); wanted is a list of 1 to 100",
    ),
    "no registrar": ({"registrarKids": []}, "is a list of (0|101); wanted is a list of 1 to 100"),
    "more registrars than anybody needs": (
        {"registrarKids": [ED25519.kid] * 101},
        "is a list of (0|101); wanted is a list of 1 to 100",
    ),
    "no statement key": (
        {"statementKeys": []},
        "is a list of (0|101); wanted is a list of 1 to 100",
    ),
    "more statement keys than anybody needs": (
        {"statementKeys": [ED25519.to_jwk()] * 101},
        "is a list of (0|101); wanted is a list of 1 to 100",
    ),
    "a log key before the first size": (
        {"logKeys": [{"vkey": LOG.vkey, "fromSize": -1}]},
        "is -1; wanted is a whole number from 0",
    ),
    "a log key that ends before the first size": (
        {"logKeys": [{"vkey": LOG.vkey, "fromSize": 0, "toSize": -1}]},
        "is -1; wanted is a whole number from 0",
    ),
    "a size in quotes": ({"logKeys": [{"vkey": LOG.vkey, "fromSize": "0"}]}, "/0/fromSize is '0'"),
    "an end in quotes": (
        {"logKeys": [{"vkey": LOG.vkey, "fromSize": 0, "toSize": "7"}]},
        "/0/toSize is '7'",
    ),
    "a quorum in quotes": ({"quorum": "1"}, "/quorum is '1'; wanted is a whole number"),
    "a quorum below nothing": ({"quorum": -1}, "is -1; wanted is a whole number from 0"),
    "a quorum of more witnesses than are named": (
        {"quorum": 3},
        "/quorum is 3, and /witnesses names 2",
    ),
    "an age in quotes": ({"maxAge": "600"}, "/maxAge is '600'; wanted is a whole number"),
    "no age at all": ({"maxAge": 0}, "/maxAge is 0; wanted is a whole number of seconds from 1"),
    "a log key that is none": (
        {"logKeys": [{"vkey": "x", "fromSize": 0}]},
        "/logKeys/0/vkey .*name.id.key, not 'x'",
    ),
    "a witness that is none": ({"witnesses": ["x"], "quorum": 0}, "/witnesses/0 .*name.id.key"),
    "a statement key that is none": ({"statementKeys": [{"kty": "RSA"}]}, "/statementKeys/0 .*kty"),
    "a peer whose keys are not there": ({"peers": [{"platform": "SGPX"}]}, "/0/keys is missing"),
    "a peer without a key": (
        {"peers": [peer(0)]},
        "is a list of (0|101); wanted is a list of 1 to 100",
    ),
    "a peer with more keys than anybody needs": (
        {"peers": [peer(101)]},
        "is a list of (0|101); wanted is a list of 1 to 100",
    ),
    "a peer's key that is none": (
        {"peers": [peer(), peer(keys=[PEER_KEY, {**PEER_KEY, "jwk": {}}])]},
        "/peers/1/keys/1 .*kty",
    ),
    "a witness that is a number": (
        {"witnesses": [1]},
        "/witnesses/0 is 1; wanted is what belongs into a list of verifier key lines",
    ),
    "a word that is nothing": ({"demo": None}, "/demo is null; wanted is true or false"),
    "another word where text belongs": ({"code": True}, "/code is true; wanted is"),
    "a list where a key of the log belongs": ({"logKeys": [[0]]}, "/logKeys/0 is a list of 1;"),
    "an object instead of text": ({"code": {}}, "/code is an object; wanted is the platform"),
    "a carrier's key that is none": (
        {"carriers": [carrier(keys=[{**PEER_KEY, "jwk": {}}])]},
        "/carriers/0/keys/0 .*kty",
    ),
    "a carrier whose keys are not there": (
        {"carriers": [{"carrier": "SMDG:XLSC"}]},
        "/0/keys is missing",
    ),
    "a carrier without a key": (
        {"carriers": [carrier(0)]},
        "is a list of (0|101); wanted is a list of 1 to 100",
    ),
    "a carrier with more keys than anybody needs": (
        {"carriers": [carrier(101)]},
        "is a list of (0|101); wanted is a list of 1 to 100",
    ),
}


@pytest.mark.parametrize(("changes", "reason"), NOT_TAKEN.values(), ids=NOT_TAKEN)
def test_a_trust_file_is_refused_that_has(changes: Json, reason: str) -> None:
    with pytest.raises(TrustError, match=reason):
        read(**changes)


def test_what_else_is_wrong_with_a_trust_file_is_counted() -> None:
    with pytest.raises(TrustError, match=r"^/quorum is .*\(and 2 more\)$"):
        read(quorum="1", maxAge="1", note="")


@pytest.mark.parametrize(
    ("changes", "begins"),
    [({"quorum": "1"}, "Correct"), ({"note": ""}, "Take"), ({"logKeys": [{}]}, "Add")],
    ids=["what is wrong", "what nobody knows", "what is missing"],
)
def test_of_a_bad_member_is_told_what_to_do_with(changes: Json, begins: str) -> None:
    with pytest.raises(TrustError) as refused:
        read(**changes)
    assert refused.value.next_step.startswith(f"{begins} ")


def test_what_is_wanted_is_known_of_every_member() -> None:
    log_key = TrustSchema().fields["logKeys"].inner.schema
    schemas = (TrustSchema(), log_key, TrustedPeerSchema(), TrustedCarrierSchema())
    members = {name for schema in (*schemas, TrustedKeySchema()) for name in schema.fields}
    assert members == set(WANTED)


def test_a_private_key_that_was_put_there_is_not_repeated() -> None:
    private = {**ED25519.to_jwk(), "d": "secret"}
    for place in ({"statementKeys": [private]}, {"code": private}):
        with pytest.raises(TrustError) as refused:
            read(**place)
        assert "secret" not in str(refused.value)


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
    ("content", "reason"),
    [
        pytest.param(b"", "^not JSON: ", id="nothing"),
        pytest.param(b"[]", "^the file is a list of 0; wanted is a JSON object", id="a list"),
        pytest.param(b"\xff", "^not UTF-8: ", id="no UTF-8"),
        pytest.param(b'{"origin":1,"origin":1}', "given twice", id="a member named twice"),
        pytest.param(b"{}", r"^/origin is missing; .* \(and 8 more\)$", id="an empty object"),
    ],
)
def test_what_is_no_object_of_strict_json_is_no_trust_file(content: bytes, reason: str) -> None:
    with pytest.raises(TrustError, match=reason):
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
