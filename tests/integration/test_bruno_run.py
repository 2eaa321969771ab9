"""The Bruno collection runs from end to end, with its scripts, after a whole voyage."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bol_service.crypto.signers import LocalSigner, write_private_key
from scripts.bruno_collection import FOLDER
from tests import kit

RUNNER = Path(__file__).parents[1] / "bruno_runner.mjs"
PASSPHRASE = "correct horse battery staple"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """What each request of the collection was answered, by its name."""
    node = shutil.which("node")
    assert node is not None, "node is not installed; it is needed to run the collection"
    folder = tmp_path_factory.mktemp("bruno")
    with kit.platform(folder) as platform:
        voyage = platform.voyage()
        voyage.open()
        for played in voyage.play():
            assert played.as_expected, played
        platform.set_clock(None)  # the collection's scripts know no clock but the machine's
        signer = platform.signers["xlsc"]
        assert isinstance(signer, LocalSigner)
        write_private_key(folder / "xlsc.pem", signer._key, PASSPHRASE.encode())
        (folder / "passphrase").write_text(f"{PASSPHRASE}\n")
        environment = {
            "baseUrl": platform.base_url,
            "keyFile": str(folder / "xlsc.pem"),
            "passphraseFile": str(folder / "passphrase"),
        }
        done = subprocess.run(
            [node, str(RUNNER), str(FOLDER), json.dumps(environment)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["name"]: line for line in lines}


def test_every_request_of_the_collection_is_answered_as_it_asserts(
    answers: dict[str, dict[str, object]],
) -> None:
    written = [file for file in FOLDER.rglob("*-*.bru") if file.parent.name != "environments"]
    assert len(answers) == len(written) >= 40
    assert [answer for answer in answers.values() if not answer["holds"]] == []


def test_what_one_request_hands_on_reaches_the_next(answers: dict[str, dict[str, object]]) -> None:
    """Without the token and the bill, these would be refused or not found."""
    assert answers["POST /oauth/token"]["status"] == 200
    assert answers["GET /v1/bills/{bill}/evidence"]["status"] == 200
    assert answers["GET /v1/documents/{digest}"]["status"] == 200
