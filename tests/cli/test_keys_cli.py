"""`bol keys`: private keys stay encrypted on the party's side, public halves and proofs go out."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest

from bol_service.crypto import jws
from bol_service.crypto.keys import Algorithm, PublicKey
from bol_service.crypto.signers import open_signer
from bol_service.ledger.note import KeyType, parse_vkey
from bol_service.wire.events import PROOF_TYP, key_proof_payload
from tests.command_line import run, write_json

ORIGIN = "demo.cq.example/ebl"
SECRET = {"BOL_KEY_PASSPHRASE": "only for this test"}
IDENTITY = {"legalName": "Yunling", "country": "CN", "identifiers": []}


def made(path: Path, *options: str) -> PublicKey:
    ran = run("keys", "generate", path, *options, "--json", **SECRET)
    assert ran.code == 0, ran.err
    return PublicKey.from_jwk(ran.json()["jwk"])


@pytest.mark.parametrize(
    ("options", "alg"),
    [
        pytest.param((), Algorithm.ED25519, id="Ed25519 if nothing is said"),
        pytest.param(("--alg", "ES256"), Algorithm.ES256, id="ES256 for carriers"),
        pytest.param(("--alg", "es256"), Algorithm.ES256, id="in small letters too"),
    ],
)
def test_a_generated_key_opens_with_its_passphrase_and_matches_its_public_file(
    options: tuple[str, ...], alg: Algorithm, tmp_path: Path
) -> None:
    key = made(tmp_path / "key.pem", *options)
    signer = open_signer(f"file:{tmp_path / 'key.pem'}", lambda: b"only for this test")
    written = json.loads((tmp_path / "key.pem.pub.json").read_text())
    assert signer.public == key == PublicKey.from_jwk(written)
    assert key.alg is alg


def test_the_private_file_is_encrypted_and_for_its_owner_only(tmp_path: Path) -> None:
    made(tmp_path / "key.pem")
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    assert (
        (tmp_path / "key.pem").read_text().startswith("-----BEGIN ENCRYPTED " + "PRIVATE KEY-----")
    )


@pytest.mark.parametrize("taken", ["key.pem", "key.pem.pub.json"])
def test_a_file_that_exists_is_never_overwritten(taken: str, tmp_path: Path) -> None:
    (tmp_path / taken).write_text("precious")
    ran = run("keys", "generate", tmp_path / "key.pem", **SECRET)
    assert ran.code == 4
    assert f"{taken} exists already" in ran.err
    assert (tmp_path / taken).read_text() == "precious"
    assert len(list(tmp_path.iterdir())) == 1


def test_without_terminal_and_passphrase_no_key_is_made(tmp_path: Path) -> None:
    ran = run("keys", "generate", tmp_path / "key.pem")
    assert ran.code == 4
    assert "Set BOL_KEY_PASSPHRASE or give --passphrase-file." in ran.err
    assert list(tmp_path.iterdir()) == []


def test_an_empty_passphrase_makes_no_key(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\n")
    ran = run("keys", "generate", tmp_path / "key.pem", "--passphrase-file", tmp_path / "secret")
    assert ran.code == 4
    assert not (tmp_path / "key.pem").exists()


def test_a_passphrase_file_counts_without_its_last_line_break(tmp_path: Path) -> None:
    made(tmp_path / "key.pem")
    secret = tmp_path / "secret"
    secret.write_text("only for this test\n")
    ran = run("keys", "public", tmp_path / "key.pem", "--passphrase-file", secret)
    assert ran.code == 0


def test_a_passphrase_file_that_is_missing_is_told(tmp_path: Path) -> None:
    made(tmp_path / "key.pem")
    gone = tmp_path / "gone"
    ran = run("keys", "public", tmp_path / "key.pem", "--passphrase-file", gone)
    assert ran.code == 4
    assert f"{gone} cannot be read" in ran.err


def test_a_wrong_passphrase_is_told_as_one(tmp_path: Path) -> None:
    made(tmp_path / "key.pem")
    ran = run("keys", "public", tmp_path / "key.pem", BOL_KEY_PASSPHRASE="wrong")
    assert ran.code == 4
    assert "wrong passphrase" in ran.err


def test_the_public_half_is_shown_as_jwk_with_its_key_id(tmp_path: Path) -> None:
    key = made(tmp_path / "key.pem")
    ran = run("keys", "public", tmp_path / "key.pem", "--json", **SECRET)
    assert ran.json() == {"alg": "Ed25519", "kid": key.kid, "jwk": key.to_jwk()}
    assert key.kid in run("keys", "public", tmp_path / "key.pem", **SECRET).out


def test_a_key_for_webhooks_is_shown_as_receivers_pin_it(tmp_path: Path) -> None:
    key = made(tmp_path / "key.pem")
    shown = run("keys", "public", tmp_path / "key.pem.pub.json", "--webhook").out.strip()
    assert base64.b64decode(shown.removeprefix("whpk_")) == key.public_bytes_raw
    made(tmp_path / "other.pem", "--alg", "ES256")
    ran = run("keys", "public", tmp_path / "other.pem.pub.json", "--webhook", "--json")
    assert (ran.code, ran.problem()["code"]) == (4, "not_set_up")
    assert "webhook messages are signed with Ed25519" in ran.problem()["detail"]


def test_a_public_file_needs_no_passphrase(tmp_path: Path) -> None:
    key = made(tmp_path / "key.pem")
    ran = run("keys", "public", tmp_path / "key.pem.pub.json", "--json")
    assert ran.json()["kid"] == key.kid


def test_a_private_jwk_is_refused_as_public_key(tmp_path: Path) -> None:
    key = made(tmp_path / "key.pem")
    leaked = write_json(tmp_path / "leaked.json", {**key.to_jwk(), "d": "AAAA"})
    ran = run("keys", "public", leaked)
    assert ran.code == 4
    assert "private" in ran.err


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param(None, id="for a further key, without identity"),
        pytest.param(IDENTITY, id="for a registration, over the identity"),
    ],
)
def test_a_proof_is_signed_by_the_key_over_origin_party_and_identity(
    identity: dict[str, object] | None, tmp_path: Path
) -> None:
    key = made(tmp_path / "key.pem")
    words: list[object] = ["--party", "yunling", "--origin", ORIGIN, "--key", tmp_path / "key.pem"]
    if identity is not None:
        words += ["--identity", write_json(tmp_path / "identity.json", identity)]
    proof = json.loads(run("keys", "proof", *words, **SECRET).out)

    assert proof.keys() == {"key", "keyProof"}
    payload = key_proof_payload(origin=ORIGIN, party="yunling", key=key, identity=identity)
    jws.verify(jws.parse_detached(proof["keyProof"], payload, PROOF_TYP), key)


def test_a_proof_without_origin_is_not_made(tmp_path: Path) -> None:
    made(tmp_path / "key.pem")
    ran = run("keys", "proof", "--party", "yunling", "--key", tmp_path / "key.pem", **SECRET)
    assert (ran.code, "--origin" in ran.err) == (4, True)


def test_a_proof_for_an_impossible_party_is_wrong_use(tmp_path: Path) -> None:
    ran = run("keys", "proof", "--party", "Yunling!", "--origin", ORIGIN)
    assert (ran.code, "'Yunling!'" in ran.err) == (2, True)


def test_the_verifier_key_of_a_log_names_its_origin(tmp_path: Path) -> None:
    key = made(tmp_path / "log.pem")
    ran = run("keys", "vkey", tmp_path / "log.pem.pub.json", "--name", ORIGIN)
    vkey = parse_vkey(ran.out.strip())
    assert (vkey.name, vkey.type, vkey.public) == (ORIGIN, KeyType.ED25519, key.public_bytes_raw)


def test_an_es256_key_is_no_log_key(tmp_path: Path) -> None:
    made(tmp_path / "log.pem", "--alg", "ES256")
    ran = run("keys", "vkey", tmp_path / "log.pem.pub.json", "--name", ORIGIN)
    assert (ran.code, "ES256" in ran.err) == (4, True)
