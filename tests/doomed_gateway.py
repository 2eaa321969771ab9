"""A carrier's gateway in processes of their own, to be killed with SIGKILL at a chosen moment.

`gateways()` is a process that has the imports; each `Doomed` is forked from it and serves with
`gateway.server.run`, as `bol carrier-gateway` does, its clock standing at `STORY`. `Turnstile`
stands before the platform and holds one request, before or after the platform has seen it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NoReturn

from bol_service.client import Client
from bol_service.crypto.signers import open_signer
from bol_service.gateway import server
from bol_service.gateway.delivery import Receiver
from bol_service.gateway.service import Plan
from bol_service.verification.trust import read_trust
from scripts.local_postgres import free_port
from tests import kit
from tests.desk import STORY
from tests.gateway_stage import CARRIER, TOKEN
from tests.processes import children, end_all

ROOT = Path(__file__).parents[1]
PATIENCE = 120.0
HEAD_SECONDS = 1.0
Json = dict[str, Any]


@dataclass(kw_only=True)
class Turnstile:
    """A WSGI application before another; `hold` lets one request come to a stop."""

    app: Any
    path: str | None = None
    seen: bool = False  # by the platform, when the request stops

    def __post_init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def hold(self, path: str, *, seen: bool) -> None:
        """The next request for `path`; it stays unanswered until `go_on`."""
        self.path, self.seen = path, seen
        self.reached.clear()
        self.go_on.clear()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] != self.path:
            return self.app(environ, start_response)
        self.path = None
        if self.seen:
            list(self.app(environ, lambda *_: None))
        self.reached.set()
        assert self.go_on.wait(PATIENCE)
        start_response("503 Service Unavailable", [])
        return []


@dataclass(kw_only=True)
class Doomed:
    pid: int
    port: int
    output: Path

    def call(self, method: str, path: str, value: Json) -> int | None:
        """As the carrier's system calls; None when no answer came. Waits until it is served."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        deadline = time.monotonic() + PATIENCE
        while True:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            try:
                connection.connect()
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, self.output.read_text()
                time.sleep(0.01)
                continue
            try:
                connection.request(method, path, json.dumps(value), headers)
                return connection.getresponse().status
            except OSError:
                return None
            finally:
                connection.close()

    def kill(self) -> None:
        """With its worker; when it returns both are gone, and with them the lock on the state."""
        end_all([self.pid, *children(self.pid)])


@dataclass(kw_only=True)
class Gateways:
    """`start` forks one on the state in `folder`."""

    process: subprocess.Popen[str]
    files: dict[str, Path]
    platform: str

    def start(self, folder: Path, carrier_system: str) -> Doomed:
        port, output = free_port(), folder.with_suffix(".log")
        told = {
            "key": str(self.files["key"]),
            "trust": str(self.files["trust"]),
            "platform": self.platform,
            "carrier_system": carrier_system,
            "state": str(folder),
            "port": port,
            "output": str(output),
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(told) + "\n")
        self.process.stdin.flush()
        return Doomed(pid=int(self.process.stdout.readline()), port=port, output=output)


@contextmanager
def gateways(files: dict[str, Path], platform: str) -> Iterator[Gateways]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.doomed_gateway"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Gateways(process=process, files=files, platform=platform)


def until(done: Callable[[], bool], told: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, told()
        time.sleep(0.01)


# -- the process that forks ----------------------------------------------------------------------


def _serve_forks(lines: Iterator[str]) -> None:
    started: list[int] = []
    for line in lines:
        pid = os.fork()
        if pid == 0:
            _become(json.loads(line))
        started.append(pid)
        print(pid, flush=True)
    _end(started)


def _end(started: Sequence[int]) -> None:
    for pid in started:
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _become(told: Json) -> NoReturn:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    written = os.open(told["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for place in (1, 2):
        os.dup2(written, place)
    client = Client(
        base_url=told["platform"],
        origin=kit.ORIGIN,
        party=CARRIER,
        signer=open_signer(f"file:{told['key']}", lambda: kit.PASSPHRASE),
        now=lambda: STORY,
    )
    plan = Plan(
        client=client,
        trust=read_trust(Path(told["trust"]).read_bytes()),
        state=Path(told["state"]),
        carrier_system=Receiver(url=told["carrier_system"]),
        token=TOKEN,
        interval=0.1,
    )
    try:
        server.run(plan, f"127.0.0.1:{told['port']}", None, head_seconds=HEAD_SECONDS)
    finally:
        os._exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    _serve_forks(iter(sys.stdin.readline, ""))
