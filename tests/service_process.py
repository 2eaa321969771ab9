"""`bol serve` as an operator runs it: a process group of its own, that tests start, stop and kill.

The platform (keys, settings, folder) is the demonstration's; its log is opened and filled in this
process before the server starts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

from bol_service import bootstrap
from bol_service.application.audit import AuditReport, audit
from bol_service.cli.demo_platform import prepare
from bol_service.client import Answered, Client, Refused, Unreachable
from bol_service.crypto.signers import LocalSigner
from bol_service.ledger.note import VerifierKey
from bol_service.settings import Settings, from_environment
from bol_service.storage.audit_beside import opened_beside
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from bol_service.wire.event_fields import instant_text
from scripts.local_postgres import free_port
from tests.desk import ORIGIN, SEEDS, STORY, Desk
from tests.fresh_database import fresh_log
from tests.warm_service import Forked, Launcher

START_SECONDS = 120.0
TICK = 0.02


class ServerEnded(AssertionError):  # noqa: N818 - says what happened
    """The server ended before it was ready; the message is what it wrote."""


@dataclass(kw_only=True)
class Service:
    folder: Path
    environment: dict[str, str]
    port: int
    signers: dict[str, LocalSigner]
    process: subprocess.Popen[bytes] | Forked | None = field(default=None, repr=False)
    launcher: Launcher | None = None  # from which to fork; otherwise a fresh interpreter

    @property
    def settings(self) -> Settings:
        return from_environment(self.environment)

    @property
    def desk(self) -> Desk:
        return Desk(signers=self.signers)

    @property
    def log_key(self) -> VerifierKey:
        log_signer, _ = bootstrap.platform_keys(self.settings)
        return bootstrap.log_verifier_key(ORIGIN, log_signer)

    @property
    def written(self) -> str:
        """What the server printed since it was started last."""
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def fill(self, work: Callable[[bootstrap.Running], None]) -> None:
        """Let `work` use the service in this process, before the server is started."""
        running = bootstrap.start(self.settings)
        try:
            work(running)
        finally:
            running.stop()

    def launch(self, **changes: str) -> subprocess.Popen[bytes] | Forked:
        """Start the server in a process group of its own, without waiting for it."""
        arguments = ["serve", "--port", str(self.port)]
        environment, written = self.environment | changes, self.folder / "server.log"
        if self.launcher is not None:
            self.process = self.launcher.launch(arguments, environment, written)
            return self.process
        with open(written, "wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bol_service", *arguments],
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return self.process

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        process = self.launch()
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            try:
                process.wait(TICK)
            except subprocess.TimeoutExpired:
                assert time.monotonic() < deadline, self.written
                continue
            raise ServerEnded(self.written)

    def _ready(self) -> bool:
        try:
            return self.get("/readyz").status == 200
        except (Unreachable, Refused):
            return False

    def kill(self) -> None:
        """SIGKILL to the whole group: nothing of it can finish anything."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def stop(self) -> int:
        """SIGTERM and wait; the exit code."""
        if self.process is None:
            return 0
        self.process.terminate()
        code = self.process.wait(120)
        self.process = None
        return code

    def get(self, path: str) -> Answered:
        client = Client(base_url=self.environment["BOL_BASE_URL"], origin=ORIGIN)
        return client.request("GET", path, None, None, token=None)

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=120)

    def audit(self) -> AuditReport:
        engine = open_engine(self.environment["BOL_DATABASE_URL"])
        store = SqlStore(engine)
        report = audit(store, [self.log_key], beside=opened_beside(store))
        engine.dispose()
        return report


def new_service(
    folder: Path, *, database_url: str | None = None, launcher: Launcher | None = None
) -> Service:
    """A platform whose log is named but empty, its clock standing at `STORY`."""
    platform = prepare(folder / "platform", SEEDS, datetime.now(UTC), port=free_port())
    environment = dict(platform.environment)
    if database_url is not None:
        environment["BOL_DATABASE_URL"] = database_url
    Path(environment["BOL_CLOCK_FILE"]).write_text(instant_text(STORY), encoding="ascii")
    fresh_log(environment["BOL_DATABASE_URL"], ORIGIN)
    return Service(
        folder=platform.folder,
        environment=environment,
        port=platform.port,
        signers=platform.signers,
        launcher=launcher,
    )


def beside(service: Service, name: str = "second") -> Service:
    """Another process of the same platform, with its own port and checkpoint file."""
    folder = service.folder / name
    folder.mkdir()
    state = folder / "state"
    state.mkdir()
    kept = (service.settings.state_dir / "checkpoint").read_bytes()
    (state / "checkpoint").write_bytes(kept)
    port = free_port()
    changes = {"BOL_STATE_DIR": str(state), "BOL_BASE_URL": f"http://127.0.0.1:{port}"}
    return replace(
        service, folder=folder, environment=service.environment | changes, port=port, process=None
    )


def post(connection: HTTPConnection, compact: str) -> tuple[int, bytes]:
    """Send a signed event; status and body."""
    connection.request("POST", "/v1/events", compact, {"Content-Type": "application/jose"})
    answer = connection.getresponse()
    return answer.status, answer.read()
