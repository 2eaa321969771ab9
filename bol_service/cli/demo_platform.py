"""A platform of its own for a demonstration: fresh keys, a fresh database, a real server process.

Everything lies in one folder: database, keys, state, passphrase. The server is `bol serve`, started
as an operator would start it, on a loopback port that was free.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bol_service.cli.voyage import Voyage
from bol_service.cli.voyage_script import Script
from bol_service.client import Client, Refused, Unreachable
from bol_service.crypto import strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate, write_private_key
from bol_service.ledger.note import KeyType, VerifierKey
from bol_service.verification.trust import DEFAULT_MAX_AGE
from bol_service.wire.event_fields import instant_text

ORIGIN = "demo.cq.example/ebl"
CODE = "CQGY"
START_SECONDS = 60.0


class DemoFailed(RuntimeError):  # noqa: N818 - says what happened
    """The demonstration's server did not start or did not stop."""


@dataclass(kw_only=True)
class DemoPlatform:
    """Make it with `prepare`, then `start`; `stop` ends the server process that it started."""

    folder: Path
    script: Script
    signers: dict[str, LocalSigner]
    environment: dict[str, str]
    trust: dict[str, object]
    port: int
    origin: str = ORIGIN
    _process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return self.environment["BOL_BASE_URL"]

    def set_clock(self, moment: datetime | None) -> None:
        clock = Path(self.environment["BOL_CLOCK_FILE"])
        if moment is None:
            clock.unlink(missing_ok=True)
            return
        fresh = clock.with_suffix(".new")
        fresh.write_text(instant_text(moment), encoding="ascii")
        fresh.replace(clock)

    def voyage(self) -> Voyage:
        return Voyage(
            self.script,
            base_url=self.base_url,
            origin=ORIGIN,
            platform_code=CODE,
            signers=self.signers,
            set_clock=self.set_clock,
        )

    def bol(self, *arguments: str) -> None:
        """Run a `bol` command with this platform's settings; raises DemoFailed."""
        command = [sys.executable, "-m", "bol_service", *arguments]
        done = subprocess.run(  # noqa: S603 - our own program
            command, env=self.environment, capture_output=True, check=False
        )
        if done.returncode != 0:
            raise DemoFailed(f"bol {' '.join(arguments)}: {done.stderr.decode('utf-8', 'replace')}")

    def start(self) -> None:
        """Start `bol serve` and wait until it is ready; raises DemoFailed with its own words."""
        _end_on_sigterm()
        self.bol("db", "upgrade")
        log = self.folder / "server.log"
        command = [sys.executable, "-m", "bol_service", "serve", "--port", str(self.port)]
        with open(log, "wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command, env=self.environment, stdout=output, stderr=output, process_group=0
            )
        deadline = time.monotonic() + START_SECONDS
        client = Client(base_url=self.base_url, origin=self.origin)
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                client.get("/readyz")
                return
            except (Unreachable, Refused):
                time.sleep(0.05)
        self.stop()
        raise DemoFailed(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._process = None

    @contextmanager
    def silent(self) -> Iterator[None]:
        """The server takes connections and answers nothing, as in a cut line."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def wait(self) -> None:
        """Until the server ends by itself."""
        if self._process is not None:
            self._process.wait()


def _end_on_sigterm() -> None:
    """A SIGTERM to us ends like Ctrl-C, so that the server we started is ended too."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def prepare(
    folder: Path,
    seeds: Path,
    ends: datetime,
    *,
    port: int = 0,
    origin: str = ORIGIN,
    code: str = CODE,
) -> DemoPlatform:
    """Fresh keys and settings in `folder`, which is emptied first."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o700)
    script = Script(folder=seeds, ends=ends)
    passphrase = secrets.token_urlsafe(24)
    (folder / "passphrase").write_text(passphrase, encoding="ascii")
    (folder / "passphrase").chmod(0o600)
    signers = _party_keys(folder / "keys", script, passphrase.encode())
    log_key, statement_key = generate(Algorithm.ED25519), generate(Algorithm.ED25519)
    write_private_key(folder / "keys" / "platform-log.pem", log_key, passphrase.encode())
    write_private_key(
        folder / "keys" / "platform-statement.pem", statement_key, passphrase.encode()
    )
    port = port or _free_port()
    return DemoPlatform(
        folder=folder,
        script=script,
        signers=signers,
        environment={
            **_environment(folder, port, signers, os.environ),
            "BOL_ORIGIN": origin,
            "BOL_PLATFORM_CODE": code,
        },
        trust={
            **_trust(origin, LocalSigner(log_key), LocalSigner(statement_key)),
            "code": code,
            "registrarKids": [signers["operator"].public.kid],
        },
        port=port,
        origin=origin,
    )


def write_trust(path: Path, trust: dict[str, object]) -> None:
    path.write_bytes(strictjson.canonical(trust) + b"\n")


def _party_keys(folder: Path, script: Script, passphrase: bytes) -> dict[str, LocalSigner]:
    folder.mkdir(mode=0o700)
    signers = {}
    for party in script.parties:
        key = generate(Algorithm(party["alg"]))
        write_private_key(folder / f"{party['party']}.pem", key, passphrase)
        signers[party["party"]] = LocalSigner(key)
    return signers


def _environment(
    folder: Path, port: int, signers: Mapping[str, LocalSigner], inherited: Mapping[str, str]
) -> dict[str, str]:
    return {
        **{name: value for name, value in inherited.items() if not name.startswith("BOL_")},
        "BOL_DATABASE_URL": f"sqlite:///{folder / 'ledger.db'}",
        "BOL_STATE_DIR": str(folder / "state"),
        "BOL_BASE_URL": f"http://127.0.0.1:{port}",
        "BOL_LOG_KEY": f"file:{folder / 'keys' / 'platform-log.pem'}",
        "BOL_STATEMENT_KEY": f"file:{folder / 'keys' / 'platform-statement.pem'}",
        "BOL_KEY_PASSPHRASE_FILE": str(folder / "passphrase"),
        "BOL_REGISTRAR_KIDS": signers["operator"].public.kid,
        "BOL_CLOCK_FILE": str(folder / "clock"),
        "BOL_LOG_LEVEL": "warning",
    }


def _trust(origin: str, log: LocalSigner, statement: LocalSigner) -> dict[str, object]:
    key = VerifierKey(name=origin, type=KeyType.ED25519, public=log.public.public_bytes_raw)
    return {
        "origin": origin,
        "demo": True,
        "logKeys": [{"vkey": key.vkey, "fromSize": 0}],
        "statementKeys": [statement.public.to_jwk()],
        "witnesses": [],
        "quorum": 0,
        "maxAge": DEFAULT_MAX_AGE,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
