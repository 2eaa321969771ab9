"""`bol keys trust`: what other platforms and carriers sign with, in a trust file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bol_service.crypto.keys import Algorithm
from bol_service.crypto.peer_keys import PeerAlgorithm, PinnedKey
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.verification.trust import read_trust
from tests.command_line import run

Json = dict[str, Any]
PASSPHRASE = "only for this test"
TRUST = Path(__file__).parent.parent / "vectors" / "voyage-v1.trust.json"
FIRST, SECOND, CARRIER = (LocalSigner(generate(Algorithm.ES256)).public for _ in range(3))


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    file = tmp_path / "trust.json"
    file.write_bytes(TRUST.read_bytes())
    return file


def peers(tmp_path: Path, *keys: Json, **platforms: list[Json]) -> Path:
    file = tmp_path / "peers.json"
    named = {"SGPX": list(keys), **platforms}
    value = {
        "platforms": {
            code: {"url": "http://localhost:9", "keys": pins} for code, pins in named.items()
        },
        "carriers": {"NMFTA:XLSC": {"keys": [{"jwk": CARRIER.to_jwk()}]}},
    }
    file.write_text(json.dumps(value))
    return file


def certified(tmp_path: Path, name: str) -> tuple[PinnedKey, Json]:
    path = tmp_path / f"{name}.pem"
    secret = {"BOL_KEY_PASSPHRASE": PASSPHRASE}
    assert run("keys", "generate", path, "--alg", "ES256", **secret).code == 0
    assert run("keys", "certificate", path, "--name", "SGPX", **secret).code == 0
    pem = Path(f"{path}.crt").read_text()
    return PinnedKey.from_certificate(pem), {"certificate": pem}


def test_pinned_keys_are_put_beside_what_the_trust_file_says_already(
    tmp_path: Path, trust: Path
) -> None:
    before = read_trust(trust.read_bytes())

    done = run(
        "keys", "trust", trust, "--peers", peers(tmp_path, {"jwk": FIRST.to_jwk()}), "--json"
    )

    assert (done.code, done.json()["added"], done.json()["leftOut"]) == (0, 2, [])
    after = read_trust(trust.read_bytes())
    assert (after.origin, after.log_keys) == (before.origin, before.log_keys)
    assert [key.kid for key in after.peers.platforms["SGPX"]] == [FIRST.kid]
    assert [key.kid for key in after.peers.carriers["NMFTA:XLSC"]] == [CARRIER.kid]
    assert after.peers.all_keys


def test_a_key_that_is_pinned_no_more_stays_in_the_trust_file(tmp_path: Path, trust: Path) -> None:
    for key in (FIRST, SECOND, SECOND):
        run("keys", "trust", trust, "--peers", peers(tmp_path, {"jwk": key.to_jwk()}))
    found = read_trust(trust.read_bytes()).peers.platforms["SGPX"]
    assert [key.kid for key in found] == [FIRST.kid, SECOND.kid]


def test_a_certificate_becomes_a_key_and_its_validity(tmp_path: Path, trust: Path) -> None:
    pin, entry = certified(tmp_path, "pint")

    run("keys", "trust", trust, "--peers", peers(tmp_path, entry))

    [found] = read_trust(trust.read_bytes()).peers.platforms["SGPX"]
    assert found == pin
    assert found.not_before is not None


def test_a_key_that_is_pinned_without_a_certificate_too_counts_without_end(
    tmp_path: Path, trust: Path
) -> None:
    pin, entry = certified(tmp_path, "pint")
    run("keys", "trust", trust, "--peers", peers(tmp_path, entry))
    run("keys", "trust", trust, "--peers", peers(tmp_path, {"jwk": pin.to_jwk()}))
    [found] = read_trust(trust.read_bytes()).peers.platforms["SGPX"]
    assert (found.not_before, found.not_after) == (None, None)


def test_a_signer_whose_keys_verifiers_cannot_check_is_left_out_as_a_whole(
    tmp_path: Path, trust: Path
) -> None:
    wide = ec.generate_private_key(ec.SECP384R1()).public_key()
    jwk = PinnedKey(key=wide, algorithms=frozenset({PeerAlgorithm.ES384})).to_jwk()
    file = peers(tmp_path, {"jwk": FIRST.to_jwk()}, THXX=[{"jwk": SECOND.to_jwk()}, {"jwk": jwk}])

    done = run("keys", "trust", trust, "--peers", file)

    assert (done.code, "THXX is left out" in done.err) == (0, True)
    assert set(read_trust(trust.read_bytes()).peers.platforms) == {"SGPX"}


def test_with_out_the_trust_file_itself_stays_as_it_is(tmp_path: Path, trust: Path) -> None:
    before, other = trust.read_bytes(), tmp_path / "other.json"
    file = peers(tmp_path, {"jwk": FIRST.to_jwk()})
    assert run("keys", "trust", trust, "--peers", file, "--out", other).code == 0
    assert (trust.read_bytes(), len(read_trust(other.read_bytes()).peers.platforms)) == (before, 1)


@pytest.mark.parametrize("broken", ["trust", "peers", "neither is there"])
def test_files_that_cannot_be_used_are_told_and_nothing_is_written(
    tmp_path: Path, trust: Path, broken: str
) -> None:
    file = peers(tmp_path, {"jwk": FIRST.to_jwk()})
    if broken == "trust":
        trust.write_text("{}")
    elif broken == "peers":
        file.write_text("{}")
    else:
        file.unlink()
    before = trust.read_bytes()
    done = run("keys", "trust", trust, "--peers", file)
    assert (done.code, trust.read_bytes()) == (2, before)


def test_a_trust_file_with_too_many_keys_is_not_written(tmp_path: Path, trust: Path) -> None:
    value = json.loads(trust.read_bytes())
    key = {"jwk": FIRST.to_jwk(), "algorithms": ["ES256"]}
    value["peers"] = [{"platform": "SGPX", "keys": [key] * 100}]
    trust.write_text(json.dumps(value))
    before = trust.read_bytes()
    file = peers(tmp_path, {"jwk": SECOND.to_jwk()})
    done = run("keys", "trust", trust, "--peers", file, "--json")
    assert (done.code, trust.read_bytes()) == (2, before)
    assert "/peers/0/keys is a list of 101" in done.problem()["detail"]


@pytest.mark.parametrize("command", ["verify", "keys trust", "ledger check"])
def test_a_bad_trust_file_is_told_by_member_and_with_one_code(
    tmp_path: Path, trust: Path, command: str
) -> None:
    trust.write_text('{"origin": 1}')
    file = peers(tmp_path, {"jwk": FIRST.to_jwk()})
    arguments = {
        "verify": [file, "--trust", trust],
        "keys trust": [trust, "--peers", file],
        "ledger check": ["--trust", trust],
    }
    told = run(*command.split(), *arguments[command], "--json").problem()
    assert told["code"] == "bad_trust_file"
    assert "/origin is 1; wanted is the name of the platform's log" in told["detail"]
    assert told["nextStep"].startswith("Correct that member")
