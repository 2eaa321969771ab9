"""The platforms that are measured, and the ground they stand on.

1. A platform is what an operator runs: `bol serve` in processes of its own, started as
   `tests/service_process.py` starts it, and filled before it starts.
2. `Ground.no_storage` is the same program with the same options, but a recorder that stores
   nothing: the limit that the machine sets to HTTP and signatures alone.
3. PostgreSQL is the development wheel's, durable: fsync and synchronous_commit are on.
4. All of it lies in one temporary folder and ends with the `Ground`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from bench.sizes import Sizes
from bol_service import bootstrap
from bol_service.client import Client
from scripts import local_postgres
from scripts.local_postgres import LocalPostgres
from tests import service_process
from tests.desk import ORIGIN, STORY, Desk
from tests.many_bills import Maker
from tests.service_process import Service, beside

ROOT = Path(__file__).parent.parent
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "max_connections=200")
T = TypeVar("T")
SQLITE, POSTGRESQL = "sqlite", "postgresql"
PROCESSES = {POSTGRESQL: 2, SQLITE: 1}
"""As they are run: one for each core where the database can be shared; SQLite cannot."""


class NoStorage(Service):
    """A service whose recorder checks what it is sent and forgets it."""

    def launch(self, **changes: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "bench.no_storage", "serve", "--port", str(self.port)]
        with open(self.folder / "server.log", "wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment | changes,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return self.process


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A service that runs in this process with its cast registered; `maker` writes into it."""

    service: Service
    running: bootstrap.Running
    maker: Maker


@dataclass(frozen=True, kw_only=True)
class Platform(Generic[T]):
    """A service with a filled log; `desk` knows the heads, `made` is what the filling gave.

    `others` are further processes of it, at the same database.
    """

    service: Service
    desk: Desk
    made: T
    others: tuple[Service, ...] = ()

    @property
    def processes(self) -> tuple[Service, ...]:
        return (self.service, *self.others)

    @property
    def ports(self) -> list[int]:
        return [service.port for service in self.processes]

    @contextmanager
    def inside(self) -> Iterator[bootstrap.Running]:
        """The service in this process, for the length of a block."""
        running = bootstrap.start(self.service.settings)
        try:
            yield running
        finally:
            running.stop()

    def token(self, party: str) -> str:
        """An access token of `party`, from the server that runs."""
        return self.client(party).token()

    def client(self, party: str) -> Client:
        """A client of `party`, at the moment at which the platform's clock stands still."""
        return Client(
            base_url=self.service.environment["BOL_BASE_URL"],
            origin=ORIGIN,
            party=party,
            signer=self.service.signers[party],
            now=lambda: STORY,
        )


@dataclass(kw_only=True)
class Ground:
    """Where a run of benchmarks stands; make it with `ground`."""

    folder: Path
    sizes: Sizes
    _services: list[Service] = field(default_factory=list)
    _postgres: LocalPostgres | None = None

    def postgres(self) -> LocalPostgres:
        """The durable server of this run, started when it is asked for first."""
        if self._postgres is None:
            self._postgres = local_postgres.start(settings=DURABLE)
        return self._postgres

    def platform(self, name: str, database: str, fill: Callable[[Opened], T]) -> Platform[T]:
        """A platform with its cast registered, filled, and not started yet."""
        service = service_process.new_service(
            self._new_folder(name), database_url=self._url(name, database)
        )
        self._services.append(service)
        desk, made = service.desk, []

        def work(running: bootstrap.Running) -> None:
            maker = maker_of(running, desk)
            maker.open_log()
            made.append(fill(Opened(service=service, running=running, maker=maker)))

        service.fill(work)
        return Platform(service=service, desk=desk, made=made[0])

    def no_storage(self, name: str, database: str) -> Platform[None]:
        """A platform with its cast, whose recorder stores nothing."""
        opened = self.platform(f"{name}_silent", database, lambda _: None)
        service = opened.service
        silent = NoStorage(
            folder=service.folder,
            environment=service.environment,
            port=service.port,
            signers=service.signers,
        )
        self._services.append(silent)
        return Platform(service=silent, desk=opened.desk, made=None)

    def shared(self, platform: Platform[T], processes: int) -> Platform[T]:
        """`platform` with so many processes in all; none of them runs yet."""
        numbers = range(1, processes)
        others = tuple(beside(platform.service, f"process{number}") for number in numbers)
        self._services.extend(others)
        return replace(platform, others=others)

    def clear(self) -> None:
        """End every service, so that the next row has the machine for itself."""
        while self._services:
            service = self._services.pop()
            if service.process is not None:
                with suppress(ProcessLookupError):  # it has ended already
                    service.kill()  # nobody will miss what it holds
            shutil.rmtree(service.folder, ignore_errors=True)

    def end(self) -> None:
        """End every process and remove the folder."""
        self.clear()
        if self._postgres is not None:
            self._postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _new_folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    def _url(self, name: str, database: str) -> str | None:
        if database == SQLITE:
            return None
        server = self.postgres()
        server.create_database(name)
        return server.url(name)


@contextmanager
def ground(sizes: Sizes) -> Iterator[Ground]:
    """A temporary folder with all that a run needs, for the length of a block."""
    made = Ground(folder=Path(tempfile.mkdtemp(prefix="bol-bench-")), sizes=sizes)
    try:
        yield made
    finally:
        made.end()


def maker_of(running: bootstrap.Running, desk: Desk) -> Maker:
    """Whoever writes what `desk` signs into a service that runs in this process."""
    services = running.services
    return Maker(desk=desk, recorder=services.recorder, documents=services.documents)


def start(*platforms: Platform[Any]) -> None:
    """Start these servers side by side and wait until all are ready."""
    services = [service for platform in platforms for service in platform.processes]
    with ThreadPoolExecutor(len(services)) as pool:
        list(pool.map(lambda service: service.start(), services))
