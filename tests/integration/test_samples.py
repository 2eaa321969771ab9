"""The clients that docs/clients.md shows work against a real platform, each with both algorithms.

Nothing is skipped: a machine that lacks bash, curl, openssl or node cannot show that they work.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bol_service.crypto.keys import Algorithm, PublicKey
from bol_service.crypto.signers import LocalSigner, PrivateKey, generate
from bol_service.wire import drafting
from tests import kit

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
CLIENTS = {
    "bash": ["bash", str(SAMPLES / "client.sh"), "sign"],
    "python": [sys.executable, str(SAMPLES / "client.py")],
    "node": ["node", str(SAMPLES / "client.mjs")],
}
HOLDER = "yunling"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kit.Platform]:
    with kit.platform(tmp_path_factory.mktemp("platform")) as started:
        yield started


@pytest.fixture(scope="module")
def bill(platform: kit.Platform) -> str:
    """A bill that its shipper holds: the voyage up to and including its issue."""
    voyage = platform.voyage()
    voyage.open()
    for played in voyage.play():
        assert played.as_expected, played
        if (played.step, played.action) == ("5", "ISSUE"):
            break
    platform.set_clock(None)  # the samples know no clock but the machine's
    return voyage.bill


@pytest.fixture(scope="module")
def keys(
    platform: kit.Platform, bill: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[Algorithm, Path]:
    """A new key of the holder for each algorithm, as the unencrypted PEM that the samples read."""
    folder = tmp_path_factory.mktemp("keys")
    paths = {}
    for algorithm in Algorithm:
        key = generate(algorithm)
        proof = drafting.prove_key(LocalSigner(key), origin=kit.ORIGIN, party=HOLDER)
        platform.client(HOLDER).act("ADD_KEY", f"party:{HOLDER}", proof)
        paths[algorithm] = write(folder / f"{algorithm}.pem", key)
    return paths


def write(path: Path, key: PrivateKey) -> Path:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("language", CLIENTS)
def test_a_sample_reads_a_bill_and_signs_an_event(
    language: str,
    algorithm: Algorithm,
    platform: kit.Platform,
    bill: str,
    keys: dict[Algorithm, Path],
) -> None:
    before = platform.client(HOLDER).head(f"bill:{bill}")
    assert before is not None

    shown = run(
        [*CLIENTS[language], platform.base_url, kit.ORIGIN, HOLDER, str(keys[algorithm]), bill]
    )

    after = platform.client(HOLDER).get(f"/v1/bills/{bill}/events", limit="100")["items"][-1]
    assert (after["action"], after["actor"]) == ("SIGN", HOLDER)
    assert after["sequence"] == before.sequence + 1
    assert shown.splitlines() == ["status ISSUED", f"recorded at index {after['index']}"]


@pytest.mark.parametrize("language", CLIENTS)
def test_a_sample_ends_with_a_failure_when_the_platform_refuses(
    language: str, platform: kit.Platform, bill: str, tmp_path: Path
) -> None:
    strange = write(tmp_path / "strange.pem", generate(Algorithm.ED25519))
    command = [*CLIENTS[language], platform.base_url, kit.ORIGIN, HOLDER, str(strange), bill]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode != 0
    assert "recorded" not in done.stdout


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_the_bash_sample_makes_a_key_that_a_platform_accepts(
    algorithm: Algorithm, tmp_path: Path
) -> None:
    path = tmp_path / "new.pem"
    jwk, kid = run(["bash", str(SAMPLES / "client.sh"), "new-key", str(path), algorithm]).split()
    key = PublicKey.from_jwk(json.loads(jwk))
    assert (key.alg, key.kid) == (algorithm, kid)
    assert path.stat().st_mode & 0o777 == 0o600
