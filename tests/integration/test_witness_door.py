"""A witness behind another platform's TLS door: our certificate is shown there, theirs believed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bol_service.bootstrap_witness import witnesses_of
from bol_service.crypto.certificates import self_signed
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate, write_private_key
from bol_service.settings import Settings, SettingsError, from_environment
from scripts.local_postgres import free_port
from tests.neighbours import PASSPHRASE, Neighbour, logs_file, neighbour, policy_file
from tests.processes import children, end_all
from tests.warm_service import Forked, launcher

CQ, SG = "demo.cq.example/ebl", "demo.sg.example/ebl"
OURS, THEIRS, STRANGER = "CQGY", "SGPX", "stranger"


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """`ours` asks; the witness serves at `port`, for the certificate of `OURS` alone."""

    ours: Neighbour
    witness_vkey: str
    port: int
    folder: Path

    def settings(self, *, shown: str | None, believed: str | None) -> Settings:
        line = f"witness sg {self.witness_vkey} https://localhost:{self.port}/witness"
        return replace(
            self.ours.settings,
            witnesses=policy_file(self.folder / "policy.txt", line, "quorum sg"),
            witness_certificates=None if believed is None else self.folder / f"{believed}.crt",
            pint_certificate=None if shown is None else self.folder / f"{shown}.crt",
            pint_certificate_key=None if shown is None else self.folder / f"{shown}.pem",
        )


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meeting]:
    folder = tmp_path_factory.mktemp("meeting")
    for name in (OURS, THEIRS, STRANGER):
        _certificate(folder, name)
    with (
        neighbour(folder / "cq", CQ, entries=3) as ours,
        neighbour(folder / "sg", SG) as theirs,
        launcher() as fork,
    ):
        theirs.stop()
        port = free_port()
        environment = _witness_at(folder, theirs.settings, port, ours)
        arguments = ["serve", "--port", str(free_port())]
        process = fork.launch(arguments, environment, folder / "server.log")
        try:
            _wait_for(port, process)
            yield Meeting(ours=ours, witness_vkey=theirs.witness_key.vkey, port=port, folder=folder)
        finally:
            end_all([process.pid, *children(process.pid)])
            process.wait()
            theirs.start()  # so that the fixture has something to stop


def _certificate(folder: Path, name: str) -> None:
    key, now = generate(Algorithm.ES256), datetime.now(UTC)
    write_private_key(folder / f"{name}.pem", key, PASSPHRASE)
    pem = self_signed(
        LocalSigner(key),
        name=name,
        not_before=now - timedelta(minutes=5),
        not_after=now + timedelta(days=1),
        tls_hosts=("localhost",),
    )
    (folder / f"{name}.crt").write_text(pem, encoding="ascii")


def _witness_at(folder: Path, settings: Settings, port: int, asker: Neighbour) -> dict[str, str]:
    """The environment of a platform that witnesses the asker's log behind its door."""
    pinned = LocalSigner(generate(Algorithm.ES256)).public.to_jwk()
    peer = {
        "url": "https://localhost:9",
        "keys": [{"jwk": pinned}],
        "tlsCertificate": (folder / f"{OURS}.crt").read_text(encoding="ascii"),
    }
    peers = folder / "peers.json"
    peers.write_text(json.dumps({"platforms": {OURS: peer}, "carriers": {}}), encoding="utf-8")
    write_private_key(folder / "pint.pem", generate(Algorithm.ES256), PASSPHRASE)
    return {
        **os.environ,
        "BOL_ORIGIN": settings.origin,
        "BOL_PLATFORM_CODE": THEIRS,
        "BOL_DATABASE_URL": settings.database_url,
        "BOL_STATE_DIR": str(settings.state_dir),
        "BOL_BASE_URL": settings.base_url,
        "BOL_LOG_KEY": settings.log_key,
        "BOL_STATEMENT_KEY": settings.statement_key,
        "BOL_KEY_PASSPHRASE": PASSPHRASE.decode(),
        "BOL_REGISTRAR_KIDS": ",".join(settings.registrar_kids),
        "BOL_WITNESS_KEY": f"file:{settings.state_dir.parent / 'witness.pem'}",
        "BOL_WITNESSED_LOGS": str(logs_file(folder / "logs.txt", asker.log_key)),
        "BOL_PEERS": str(peers),
        "BOL_PINT_KEY": f"file:{folder / 'pint.pem'}",
        "BOL_PEER_LISTEN": f"127.0.0.1:{port}",
        "BOL_PINT_CERTIFICATE": str(folder / f"{THEIRS}.crt"),
        "BOL_PINT_CERTIFICATE_KEY": str(folder / f"{THEIRS}.pem"),
    }


def _wait_for(port: int, process: Forked) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            HTTPConnection("127.0.0.1", port, timeout=1).connect()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"process {process.pid} does not listen on {port}")


def collected(meeting: Meeting, settings: Settings) -> tuple[int, str]:
    """How many entries the witness has cosigned after one visit, and what was logged."""
    meeting.ours.restart(**vars(settings))
    cosigning = meeting.ours.running.services.cosigning
    assert cosigning is not None
    cosigning.stop()
    with capture_logs() as journal:
        cosigning.collect()
    return meeting.ours.size - cosigning.lags()[0].entries, str(journal)


@pytest.mark.parametrize(
    ("shown", "believed", "told"),
    [
        pytest.param(None, THEIRS, "no cosignature", id="we show no certificate"),
        pytest.param(STRANGER, THEIRS, "no cosignature", id="we show one that nobody pinned"),
        pytest.param(OURS, None, "CERTIFICATE_VERIFY_FAILED", id="nobody vouches for theirs"),
        pytest.param(OURS, STRANGER, "CERTIFICATE_VERIFY_FAILED", id="we believe another one"),
    ],
)
def test_nothing_is_cosigned_when(
    meeting: Meeting, shown: str | None, believed: str | None, told: str
) -> None:
    covered, journal = collected(meeting, meeting.settings(shown=shown, believed=believed))
    assert (covered, told in journal) == (0, True)


def test_a_witness_behind_the_door_of_a_platform_cosigns_our_log(meeting: Meeting) -> None:
    covered, journal = collected(meeting, meeting.settings(shown=OURS, believed=THEIRS))
    assert (covered, journal) == (3, "[]")


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        pytest.param("witness_certificates", "BOL_WITNESS_CERTIFICATES", id="a missing file"),
        pytest.param("pint_certificate_key", "BOL_PINT_CERTIFICATE", id="another key"),
    ],
)
def test_what_cannot_be_used_is_refused_at_start(
    meeting: Meeting, tmp_path: Path, change: str, setting: str
) -> None:
    settings = meeting.settings(shown=OURS, believed=THEIRS)
    wrong = {
        "witness_certificates": tmp_path / "missing.crt",
        "pint_certificate_key": meeting.folder / f"{STRANGER}.pem",
    }
    with pytest.raises(SettingsError, match=setting):
        witnesses_of(replace(settings, **{change: wrong[change]}))  # type: ignore[arg-type]


def test_whom_we_believe_is_a_setting() -> None:
    required = ("BASE_URL", "DATABASE_URL", "STATE_DIR", "LOG_KEY", "STATEMENT_KEY")
    environment = {f"BOL_{name}": "x" for name in (*required, "KEY_PASSPHRASE", "REGISTRAR_KIDS")}
    named = {"BOL_ORIGIN": CQ, "BOL_PLATFORM_CODE": OURS, "BOL_WITNESS_CERTIFICATES": "sg.pem"}
    assert from_environment(environment | named).witness_certificates == Path("sg.pem")
