"""A disk that is full, cannot be written or cannot be synced: no acknowledgement, and no harm.

Every fault is the kernel's own answer to the running service: a limit on the size of its files for
a full disk, /dev/full and /dev/null in the place of a file, a folder that is not there, a filter
that lets every sync fail. PostgreSQL gets the same limit. While the fault lasts the client is told
503 with Retry-After; when it is repaired, the same bytes are answered, with or without a restart.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest

from bol_service.ledger import receipt as receipts
from bol_service.ledger.receipt import Receipt
from bol_service.storage.checkpoint_file import note_in
from tests import many_bills
from tests.desk import Desk
from tests.failing_sync import refuse_fdatasync
from tests.many_bills import HOLDER
from tests.mortal_postgres import MortalPostgres, mortal_postgres
from tests.processes import children, fill_disk, free_disk
from tests.service_process import Service, new_service
from tests.warm_service import Launcher, launcher

PATIENCE = 60.0
Told = tuple[int, bytes]


@dataclass(kw_only=True)
class House:
    """A running service, and bills that nobody has transferred yet."""

    service: Service
    desk: Desk
    fresh: Iterator[str]

    @property
    def state(self) -> Path:
        return self.service.settings.state_dir

    @property
    def workers(self) -> list[int]:
        assert self.service.process is not None
        return children(self.service.process.pid)

    def transfer(self) -> str:
        return self.desk.transfer(next(self.fresh), HOLDER, "bankcq")

    def send(self, compact: str) -> Told:
        """Status and body; a 503 bears Retry-After."""
        connection = self.service.connect()
        connection.request("POST", "/v1/events", compact, {"Content-Type": "application/jose"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert (answer.status == 503) == ("Retry-After" in answer.headers)
        return answer.status, body

    def get(self, path: str) -> Told:
        connection = self.service.connect()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    def require_uncertain(self, compact: str) -> None:
        status, body = self.send(compact)
        assert (status, json.loads(body)["code"]) == (503, "uncertain")

    def require_recorded(self, compact: str) -> int:
        """The status of the answer: 201 for recorded now, 200 for recorded while in doubt."""
        status, body = self.send(compact)
        assert status in (200, 201), body
        receipt = Receipt.from_value(json.loads(body))
        assert receipt.entry.event == compact
        receipts.verify(receipt, [self.service.log_key])
        return status

    def settle(self, compact: str) -> None:
        """Send it until it is answered."""
        deadline = monotonic() + PATIENCE
        while self.send(compact)[0] == 503:
            assert monotonic() < deadline, self.service.written
        assert self.require_recorded(compact) == 200

    def not_ready(self) -> str:
        """What /readyz says about the last commit."""
        status, body = self.get("/readyz")
        assert status == 503
        return str(json.loads(body)["parts"]["lastCommit"])

    def require_sound(self) -> None:
        assert self.service.stop() == 0
        assert self.service.audit().problems == []


@contextmanager
def opened_house(
    folder: Path, *, bills: int, warm: Launcher, database_url: str | None = None
) -> Iterator[House]:
    """A filled platform whose service is not started yet; stopped at the end."""
    service = new_service(folder, database_url=database_url, launcher=warm)
    desk = service.desk
    made: list[str] = []
    service.fill(lambda running: made.extend(many_bills.made(running, desk, bills)))
    try:
        yield House(service=service, desk=desk, fresh=iter(made))
    finally:
        service.stop()


# -- faults of the running service ---------------------------------------------------------------


class Fault(ABC):
    """`begin` and `end` it while the service runs; `says` is what the operator reads."""

    says = ""

    @abstractmethod
    def begin(self, house: House) -> None: ...

    @abstractmethod
    def end(self, house: House) -> None: ...


class DatabaseDiskFull(Fault):
    """The write-ahead log of SQLite cannot grow; the service's own log still can."""

    says = "disk I/O error"

    def begin(self, house: House) -> None:
        written = house.service.folder / "ledger.db-wal"
        house.require_recorded(house.transfer())  # so that it is there, and the larger file
        assert written.stat().st_size > (house.service.folder / "server.log").stat().st_size
        fill_disk(house.workers, written.stat().st_size)

    def end(self, house: House) -> None:
        free_disk(house.workers)


class CheckpointDevice(Fault):
    """The file of checkpoints has to be begun anew, and that goes to a device instead."""

    def __init__(self, device: str, says: str) -> None:
        self._device = device
        self.says = says

    def begin(self, house: House) -> None:
        kept = house.state / "checkpoint"
        kept.write_text(note_in(kept.read_bytes()), encoding="utf-8")
        (house.state / "checkpoint.new").symlink_to(self._device)

    def end(self, house: House) -> None:
        (house.state / "checkpoint.new").unlink()


class CheckpointNotReplaceable(Fault):
    """A folder stands where the checkpoint file was."""

    says = "Is a directory"

    def begin(self, house: House) -> None:
        (house.state / "checkpoint").rename(house.state / "kept")
        (house.state / "checkpoint").mkdir()

    def end(self, house: House) -> None:
        (house.state / "checkpoint").rmdir()
        (house.state / "kept").rename(house.state / "checkpoint")


class CheckpointFolderGone(Fault):
    """As when its disk is no longer mounted."""

    says = "No such file"

    def begin(self, house: House) -> None:
        house.state.rename(house.state.with_name("unmounted"))

    def end(self, house: House) -> None:
        house.state.with_name("unmounted").rename(house.state)


FAULTS = [
    pytest.param(DatabaseDiskFull(), 201, id="the disk of the database is full"),
    pytest.param(
        CheckpointDevice("/dev/full", "No space left"), 200, id="the checkpoint's disk is full"
    ),
    pytest.param(
        CheckpointDevice("/dev/null", "Invalid argument"), 200, id="the checkpoint is not synced"
    ),
    pytest.param(CheckpointNotReplaceable(), 200, id="the checkpoint cannot be replaced"),
    pytest.param(CheckpointFolderGone(), 200, id="the checkpoint's folder is gone"),
]


@pytest.fixture(scope="module")
def warm() -> Iterator[Launcher]:
    with launcher() as found:
        yield found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, warm: Launcher) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with opened_house(folder, bills=2 * len(FAULTS) + 2, warm=warm) as opened:
        opened.service.start()
        yield opened
        opened.require_sound()


@pytest.mark.parametrize(("fault", "answer"), FAULTS)
def test_nothing_is_acknowledged_while(house: House, fault: Fault, answer: int) -> None:
    """`answer`: 201 if nothing was recorded, 200 if the event was in the log but not yet safe."""
    fault.begin(house)
    compact = house.transfer()
    house.require_uncertain(compact)
    house.require_uncertain(compact)
    assert fault.says in house.not_ready()
    assert house.get("/ledger/checkpoint")[0] == 200
    fault.end(house)
    assert house.require_recorded(compact) == answer
    assert house.get("/readyz")[0] == 200


@pytest.mark.parametrize(("fault", "answer"), FAULTS)
def test_a_restart_after_it_answers_what_was_in_doubt_when(
    house: House, fault: Fault, answer: int
) -> None:
    fault.begin(house)
    compact = house.transfer()
    house.require_uncertain(compact)
    fault.end(house)
    house.service.kill()
    house.service.start()
    assert house.require_recorded(compact) == answer
    assert house.require_recorded(compact) == 200


# -- a disk that cannot sync ---------------------------------------------------------------------


def test_nothing_is_acknowledged_while_no_file_can_be_synced(
    tmp_path: Path, warm: Launcher
) -> None:
    with opened_house(tmp_path, bills=2, warm=warm) as house:
        house.service.launcher = warm.after("tests.failing_sync:refuse_sync")
        house.service.start()
        first, second = house.transfer(), house.transfer()
        for compact in (first, second, first):
            house.require_uncertain(compact)
        assert "disk I/O error" in house.not_ready()
        house.service.kill()
        house.service.launcher = warm
        house.service.start()
        for compact in (first, second):
            house.require_recorded(compact)
            assert house.require_recorded(compact) == 200
        house.require_sound()


# -- PostgreSQL ----------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Tenant:
    """A house on a PostgreSQL of its own."""

    house: House
    postgres: MortalPostgres


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory, warm: Launcher) -> Iterator[Tenant]:
    folder = tmp_path_factory.mktemp("tenant")
    with (
        mortal_postgres() as postgres,
        opened_house(folder, bills=8, database_url=postgres.url, warm=warm) as house,
    ):
        house.service.start()
        yield Tenant(house=house, postgres=postgres)
        house.require_sound()


def test_a_full_disk_under_postgresql_is_told_and_the_service_goes_on_by_itself(
    tenant: Tenant,
) -> None:
    """The write-ahead log cannot be written: PostgreSQL panics, recovers, and starts anew."""
    house, postgres = tenant.house, tenant.postgres
    house.require_recorded(house.transfer())
    compact = house.transfer()
    fill_disk(postgres.processes(), 8192)
    house.require_uncertain(compact)
    house.settle(compact)
    assert "File too large" in postgres.log


def test_the_service_outlives_its_database_and_says_what_is_the_matter(tenant: Tenant) -> None:
    house = tenant.house
    house.require_recorded(house.transfer())  # whose key it is, is known from here on
    compact = house.transfer()
    tenant.postgres.die()
    house.require_uncertain(compact)
    assert house.get("/healthz")[0] == 200
    status, ready = house.get("/readyz")
    assert status == 503
    assert json.loads(ready)["parts"]["database"] != "ok"
    status, metrics = house.get("/metrics")
    assert status == 200
    assert b"bol_queue_waiting 0.0" in metrics
    tenant.postgres.rise()
    house.settle(compact)
    assert house.get("/readyz")[0] == 200


def test_nothing_is_acknowledged_while_the_checkpoint_cannot_be_synced(
    tenant: Tenant, warm: Launcher
) -> None:
    """With PostgreSQL the checkpoint is the only file that the service itself syncs."""
    house = tenant.house
    assert house.service.stop() == 0
    house.service.launcher = warm.after("tests.failing_sync:refuse_fdatasync")
    house.service.start()
    compact = house.transfer()
    for _ in range(2):
        house.require_uncertain(compact)
    assert "Input/output error" in house.not_ready()
    house.service.kill()
    house.service.launcher = warm
    house.service.start()
    assert house.require_recorded(compact) == 200


def test_postgresql_that_cannot_sync_acknowledges_nothing_and_loses_nothing(
    tenant: Tenant,
) -> None:
    """It panics, and again in each recovery, until it is started where the disk can sync."""
    house, postgres = tenant.house, tenant.postgres
    postgres.set("wal_sync_method", "fsync")
    postgres.die()
    postgres.rise(before=refuse_fdatasync)
    acknowledged, in_doubt = house.transfer(), house.transfer()
    house.settle(acknowledged)
    postgres.set("wal_sync_method", "fdatasync")
    house.require_uncertain(in_doubt)
    house.require_uncertain(in_doubt)
    assert "PANIC:  could not fdatasync file" in postgres.log
    postgres.die()
    postgres.forget_settings()
    postgres.rise()
    house.settle(in_doubt)
    assert house.require_recorded(acknowledged) == 200
    assert house.get("/readyz")[0] == 200
