"""A cluster under `ops/ha` loses its primary while sixteen clients write: nothing else is lost.

The cluster itself is a torture test: three nodes of etcd, Patroni and PostgreSQL on this machine.
What its configuration promises is looked at in every run.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import pairwise
from pathlib import Path
from tempfile import gettempdir
from time import monotonic

import pytest
import yaml
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bol_service.application.ledger_queries import LedgerQueries
from bol_service.ledger import receipt as receipts
from bol_service.ledger.merkle import verify_consistency
from bol_service.ledger.receipt import Receipt
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from ops.ha import cluster as ha
from ops.ha.cluster import Cluster
from ops.ha.layout import NAMES, OWNER, SERVICE, Layout, new_layout, read_layout
from ops.ha.programs import LOCK, ROOT, ClusterError
from tests import many_bills
from tests.desk import Desk
from tests.many_bills import HOLDER
from tests.service_process import Service, new_service

CLIENTS = 16
PAIR = (HOLDER, "bankcq")
MOVES = 25  # acknowledged to each client before the primary dies, and again afterwards
PATIENCE = 180.0  # seconds for that
PAUSE = 0.05  # seconds before an event in doubt is sent again


# -- the primary dies ----------------------------------------------------------------------------


@dataclass(kw_only=True)
class Writer:
    """Transfers one bill back and forth; sends what is in doubt again until it is answered."""

    bill: str
    desk: Desk
    service: Service
    stopped: threading.Event
    acknowledged: list[Receipt] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def work(self) -> None:
        connection = self.service.connect()
        while not self.stopped.is_set():
            giver, taker = PAIR[len(self.times) % 2], PAIR[(len(self.times) + 1) % 2]
            compact = self.desk.transfer(self.bill, giver, taker)
            while not self._sent(connection, compact):
                connection.close()
                threading.Event().wait(PAUSE)
        connection.close()

    def _sent(self, connection: HTTPConnection, compact: str) -> bool:
        try:
            connection.request("POST", "/v1/events", compact, {"Content-Type": "application/jose"})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException):
            self.statuses[0] = self.statuses.get(0, 0) + 1
            return False
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        if answer.status == 503:
            assert int(answer.headers["Retry-After"]) > 0
            return False
        assert answer.status in (200, 201), body
        receipt = Receipt.from_value(json.loads(body))
        assert receipt.entry.event == compact
        self.desk.note(receipt)
        self.acknowledged.append(receipt)
        self.times.append(monotonic())
        return True


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    # Its nodes may be another user's, who must reach it, and a socket's path must be short.
    folder = Path(gettempdir()) / f"bol-ha-{tmp_path_factory.getbasetemp().name}"
    made = ha.create(folder)
    try:
        yield made
    finally:
        made.stop()
        ha.remove(folder)


@pytest.mark.torture
def test_the_primary_killed_under_load_costs_time_and_no_acknowledged_event(
    tmp_path: Path, cluster: Cluster
) -> None:
    service = migrated(tmp_path, cluster.layout)
    desk = service.desk
    bills: list[str] = []
    service.fill(lambda running: bills.extend(many_bills.made(running, desk, CLIENTS)))
    service.start()
    stopped = threading.Event()
    writers = [
        Writer(
            bill=bill,
            desk=Desk(signers=desk.signers, heads=dict(desk.heads)),
            service=service,
            stopped=stopped,
        )
        for bill in bills
    ]
    try:
        died = under_load(writers, stopped, cluster.kill_leader)
        assert service.process is not None
        assert service.process.poll() is None, "the service went with the primary"
        assert service.get("/readyz").status == 200
        require_all_kept(service, writers)
        report(writers, died)
        require_sound(tmp_path, service, writers)
        assert service.stop() == 0
        service.start()  # the checkpoint file and the new primary agree
        cluster.start()  # the old primary comes back behind the new one
        assert {member["timeline"] for member in cluster.members()} == {2}
        audited_on_a_standby(service)
    finally:
        stopped.set()
        service.stop()


def migrated(folder: Path, layout: Layout) -> Service:
    """A platform on the cluster: migrated by the owner, served by the other role."""
    service = new_service(folder, database_url=layout.url(OWNER))
    bol(service, "db", "upgrade", "--service-role", SERVICE)
    service.environment["BOL_DATABASE_URL"] = layout.url(SERVICE)
    return service


def under_load(
    writers: list[Writer], stopped: threading.Event, kill: Callable[[], object]
) -> float:
    """Write, let the primary die, write on; the moment of its death."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(writer.work) for writer in writers]
        try:
            await_moves(writers, running, 0.0)
            kill()
            died = monotonic()
            await_moves(writers, running, died)
        finally:
            stopped.set()
        for each in running:
            each.result()
    return died


def await_moves(writers: list[Writer], running: list[Future[None]], since: float) -> None:
    """Until each has `MOVES` acknowledged after `since`."""
    deadline = monotonic() + PATIENCE
    while min(sum(at > since for at in writer.times) for writer in writers) < MOVES:
        assert not any(each.done() for each in running), [each.exception(0) for each in running]
        assert monotonic() < deadline, [writer.statuses for writer in writers]
        threading.Event().wait(0.1)


def require_all_kept(service: Service, writers: list[Writer]) -> None:
    """What was acknowledged is recorded, in order, once, and nothing else."""
    engine = open_engine(service.environment["BOL_DATABASE_URL"])
    with SqlStore(engine).reading() as reading:
        for writer in writers:
            rows = reading.entries(f"bill:{writer.bill}", 1, 1_000_000)  # after its issue
            told = [receipt.entry.event for receipt in writer.acknowledged]
            assert [row.entry.event for row in rows] == told
    engine.dispose()


def require_sound(folder: Path, service: Service, writers: list[Writer]) -> None:
    """Database, checkpoint file and receipts tell one history that grew."""
    kept = folder / "kept-checkpoint"
    kept.write_bytes((service.settings.state_dir / "checkpoint").read_bytes())
    bol(service, "ledger", "check", "--log-vkey", service.log_key.vkey, "--checkpoint", str(kept))
    vkeys = [service.log_key]
    seen = {
        receipts.verify(receipt, vkeys).checkpoint
        for writer in writers
        for receipt in writer.acknowledged
    }
    engine = open_engine(service.environment["BOL_DATABASE_URL"])
    ledger = LedgerQueries(SqlStore(engine))
    for older, newer in pairwise(sorted(seen, key=lambda checkpoint: checkpoint.size)):
        _, proof = ledger.consistency(older.size, newer.size)
        verify_consistency(older.size, newer.size, proof, older.root, newer.root)
    engine.dispose()


def audited_on_a_standby(service: Service) -> None:
    """The audit only reads, so that the primary need not be burdened with it."""
    url = service.environment["BOL_DATABASE_URL"].replace("=read-write", "=standby")
    bol(service, "ledger", "check", "--log-vkey", service.log_key.vkey, BOL_DATABASE_URL=url)


def report(writers: list[Writer], died: float) -> None:
    times = sorted(at for writer in writers for at in writer.times)
    gap = max(later - earlier for earlier, later in pairwise(times))
    resumed = next(at for at in times if at > died + 1.0)
    doubts = {status: sum(w.statuses.get(status, 0) for w in writers) for status in (0, 200, 503)}
    print(
        f"{len(times)} acknowledged, 0 lost; writes stood still for {gap:.1f} s, resumed "
        f"{resumed - died:.1f} s after the kill; without answer {doubts[0]}, 503 {doubts[503]}, "
        f"recorded before their answer got lost {doubts[200]}"
    )


def bol(service: Service, *words: str, **changes: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bol_service", *words],
        env=service.environment | changes,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# -- what the configuration promises -------------------------------------------------------------


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return new_layout(tmp_path, tmp_path / "programs")


def test_no_commit_is_acknowledged_without_a_second_copy(layout: Layout) -> None:
    for node in layout.nodes:
        configuration = yaml.safe_load(layout.patroni(node))
        shared = configuration["bootstrap"]["dcs"]
        assert (shared["synchronous_mode"], shared["synchronous_mode_strict"]) == (True, True)
        assert shared["ttl"] == 20
        assert shared["postgresql"]["use_pg_rewind"] is True
        assert shared["postgresql"]["parameters"]["synchronous_commit"] == "on"
        assert "data-checksums" in configuration["bootstrap"]["initdb"]
        assert configuration["watchdog"]["mode"] == "off"


def test_every_node_knows_the_others_and_only_loopback(layout: Layout) -> None:
    hosts = [f"127.0.0.1:{node.etcd}" for node in layout.nodes]
    for node in layout.nodes:
        configuration = yaml.safe_load(layout.patroni(node))
        assert configuration["name"] == node.name
        assert configuration["etcd3"]["hosts"] == hosts
        listening = (configuration["restapi"]["listen"], configuration["postgresql"]["listen"])
        assert listening == (f"127.0.0.1:{node.rest}", f"127.0.0.1:{node.postgresql}")
        command = layout.etcd(node, "etcd")
        assert all("//127.0.0.1:" in word for word in command if "url" in word)
        [members] = [word for word in command if word.startswith("--initial-cluster=")]
        assert all(f"{name}=http://127.0.0.1:" in members for name in NAMES)


@pytest.mark.parametrize("role", [OWNER, SERVICE])
def test_the_url_names_every_node_and_asks_for_the_primary(layout: Layout, role: str) -> None:
    url = make_url(layout.url(role))
    stated = url.query
    assert stated["target_session_attrs"] == "read-write"
    assert len(stated["host"]) == len(layout.nodes)
    assert url.username == role
    lines = layout.passfile_lines(role).splitlines()
    assert [line.split(":")[1] for line in lines] == [
        host.partition(":")[2] for host in stated["host"]
    ]
    assert layout.passwords[role] not in layout.url(role)


def test_what_is_written_down_can_be_read_again_by_nobody_else(layout: Layout) -> None:
    layout.save()
    assert read_layout(layout.folder) == layout
    assert (layout.folder / "cluster.json").stat().st_mode & 0o077 == 0
    assert layout.passwords[OWNER] not in repr(layout)


def test_a_machine_without_etcd_is_told_where_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError, match="apt-get install etcd-server"):
        ha.create(tmp_path / "cluster")


def test_a_folder_without_a_cluster_is_told_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ha.main(["status", "--folder", str(tmp_path)]) == 1
    assert "make one with: up" in capsys.readouterr().err


def test_patroni_is_installed_from_hashes_only_and_not_with_the_service() -> None:
    locked = LOCK.read_text(encoding="utf-8")
    for requirement in re.findall(r"^[a-z0-9][^ ]*==.*$", locked, re.MULTILINE):
        assert requirement.endswith("\\"), requirement
    assert "patroni==" in locked
    for name in ("requirements.lock", "requirements-postgres.lock", "requirements-dev.lock"):
        assert "patroni" not in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "stated"),
    [
        pytest.param("", "5", id="five seconds unless the URL says otherwise"),
        pytest.param("?connect_timeout=17", "17", id="what the URL says"),
    ],
)
def test_a_host_that_does_not_answer_is_given_up_after(
    postgres_url: str, given: str, stated: str
) -> None:
    joined = postgres_url + (given.replace("?", "&") if "?" in postgres_url else given)
    engine = open_engine(joined)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.info.get_parameters()["connect_timeout"] == stated
        assert driver.info.get_parameters()["tcp_user_timeout"] == "10000"
    engine.dispose()
