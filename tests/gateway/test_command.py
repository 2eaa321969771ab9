"""`bol carrier-gateway` as a carrier starts it: when it does not, and a real process with TLS."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bol_service.cli.main import cli
from bol_service.crypto.certificates import self_signed
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from tests import kit
from tests.desk import STORY
from tests.gateway_stage import CARRIER, TOKEN, Stage, carrier_files

START_SECONDS = 120.0
Json = dict[str, Any]


def arguments(on: Stage, found: dict[str, Path], state: Path) -> list[str]:
    return [
        "carrier-gateway",
        *("--party", CARRIER, "--key", f"file:{found['key']}"),
        *("--platform", on.platform.base_url, "--trust", str(found["trust"])),
        *("--carrier-system", "http://127.0.0.1:9", "--state", str(state)),
    ]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        pytest.param([], "nothing would prove who calls", id="no proof of the caller"),
        pytest.param(
            ["--token-file", "{token}", "--listen", "0.0.0.0:8090"],
            "not this machine alone",
            id="open to the network without TLS",
        ),
        pytest.param(
            ["--token-file", "{token}", "--listen", "cq.example:8090"],
            "not this machine alone",
            id="a name without TLS",
        ),
        pytest.param(["--token-file", "{token}", "--listen", "8090"], "no HOST:PORT", id="no host"),
        pytest.param(["--token-file", "{open}"], "others may read", id="a token others may read"),
        pytest.param(["--token-file", "{short}"], "no token of at least", id="a short token"),
        pytest.param(
            ["--client-ca", "{token}"], "means nothing without TLS", id="mTLS without TLS"
        ),
        pytest.param(
            ["--token-file", "{token}", "--tls-key", "{token}"], "its key", id="half of TLS"
        ),
        pytest.param(
            ["--token-file", "{token}", "--carrier-system", "http://carrier.example"],
            "use https",
            id="a carrier's system in the clear",
        ),
        pytest.param(
            ["--token-file", "{token}", "--origin", "demo.other/ebl"],
            "the trust file is for",
            id="another origin than the trust file's",
        ),
        pytest.param(
            ["--token-file", "{token}", "--manifest-key", "{trust}"],
            "JWK",
            id="a manifest key that is none",
        ),
        pytest.param(
            ["--token-file", "{token}", "--subscribers", "{trust}"],
            "no list of subscribers",
            id="subscribers that are none",
        ),
        pytest.param(
            ["--token-file", "{token}", "--trust", "{token}"],
            "bad_trust_file",
            id="a trust file that is none",
        ),
    ],
)
def test_it_does_not_start(on: Stage, tmp_path: Path, more: list[str], told: str) -> None:
    found = carrier_files(on, tmp_path)
    for name, text, mode in (("open", TOKEN, 0o644), ("short", "x" * 31, 0o600)):
        found[name] = tmp_path / name
        found[name].write_text(text)
        found[name].chmod(mode)
    given = [word.format(**found) for word in more]
    # If a guard failed, it should still not serve: the state is below a file, and for the guards
    # that come before the key there is none.
    nowhere, early = found["token"] / "state", "--listen" in more or not more

    result = CliRunner().invoke(
        cli,
        [*arguments(on, found, nowhere), *given, *(["--key", "file:none"] if early else [])],
        env={"BOL_KEY_PASSPHRASE": kit.PASSPHRASE.decode()},
    )

    assert result.exit_code == 4, result.output
    assert told in " ".join(result.output.split())


# -- a real process ------------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> Path:
    """One PEM file with certificate and key, for 127.0.0.1."""
    key = generate(Algorithm.ES256)
    now = datetime.now(UTC)
    pem = self_signed(
        LocalSigner(key),
        name=name,
        not_before=now - timedelta(hours=1),
        not_after=now + timedelta(days=1),
        tls_hosts=["127.0.0.1"],
    )
    own = folder / f"{name}.crt"
    own.write_text(pem)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.key").write_bytes(secret)
    return own


@pytest.fixture
def served(on: Stage, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A gateway with mutual TLS and no token: its port, and the folder of certificates."""
    found = carrier_files(on, tmp_path)
    ours, caller = certificate(tmp_path, "gateway"), certificate(tmp_path, "caller")
    command = [
        *(sys.executable, "-m", "bol_service", *arguments(on, found, tmp_path / "state")),
        *("--listen", "127.0.0.1:0", "--tls-certificate", str(ours)),
        *("--tls-key", str(ours.with_suffix(".key")), "--client-ca", str(caller)),
    ]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("BOL_")},
        "BOL_KEY_PASSPHRASE": kit.PASSPHRASE.decode(),
    }
    with open(tmp_path / "gateway.log", "wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield _told(process, tmp_path / "gateway.log"), tmp_path
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def test_a_gateway_without_a_state_ends_and_tells_why(on: Stage, tmp_path: Path) -> None:
    found = carrier_files(on, tmp_path)
    nowhere = found["trust"] / "state"
    command = [sys.executable, "-m", "bol_service", *arguments(on, found, nowhere)]
    ended = subprocess.run(
        [*command, "--listen", "127.0.0.1:0", "--token-file", str(found["token"]), "--json"],
        env={**os.environ, "BOL_KEY_PASSPHRASE": kit.PASSPHRASE.decode()},
        capture_output=True,
        timeout=120,
        check=False,
    )
    problem = json.loads(ended.stderr.splitlines()[0])
    assert (ended.returncode, ended.stdout, problem["code"]) == (4, b"", "not_set_up")
    assert f"{nowhere} cannot be used" in problem["detail"]


def _told(process: subprocess.Popen[bytes], log: Path) -> int:
    """The port that it says it serves on, when it does."""
    deadline = time.monotonic() + START_SECONDS
    said = re.compile(r"serving xlsc of \S+ on https://127\.0\.0\.1:([1-9][0-9]+)\n")
    while (found := said.search(log.read_text(encoding="utf-8"))) is None:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return int(found[1])


def ask(port: int, folder: Path, caller: str | None) -> tuple[int, Json]:
    context = ssl.create_default_context(cafile=folder / "gateway.crt")
    if caller is not None:
        context.load_cert_chain(folder / f"{caller}.crt", folder / f"{caller}.key")
    connection = HTTPSConnection("127.0.0.1", port, timeout=120, context=context)
    try:
        connection.request("GET", "/endorsement-chains/NOBODY")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_with_mutual_tls_only_the_carriers_certificate_gets_in(
    on: Stage, served: tuple[int, Path]
) -> None:
    port, folder = served
    on.platform.set_clock(None)  # the process runs on the machine's own time
    try:
        status, value = ask(port, folder, "caller")
    finally:
        on.platform.set_clock(STORY)
    assert (status, value["errors"][0]["errorCode"]) == (404, 7001)

    certificate(folder, "stranger")
    for caller in (None, "stranger"):
        with pytest.raises((ssl.SSLError, OSError)):
            ask(port, folder, caller)
