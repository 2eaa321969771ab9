"""Whether a process can record: what /readyz says of each part, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from bol_service.application.sequencer import Sequencer
from bol_service.http.readiness import REST_SECONDS, STUCK_SECONDS, Readiness
from tests import kit, many_bills
from tests.desk import STORY, Desk
from tests.held_lock import held_lock

ACCEPTANCE = {"rulebook": many_bills.RULEBOOK}
PATIENCE = 60.0


class Probe:
    """A platform with a log, and a readiness whose clock is set by hand."""

    def __init__(self, platform: kit.Platform, maker: many_bills.Maker) -> None:
        self.platform = platform
        self.maker = maker
        self.now = 1000.0
        self.services = platform.running.services
        self.readiness = Readiness(
            self.services.sequencer,
            self.services.ledger,
            None,
            lambda: self.services.metrics.groups,
            clock=lambda: self.now,
        )

    def acceptance(self, party: str) -> str:
        return self.maker.desk.event(party, "ACCEPT_RULEBOOK", f"party:{party}", ACCEPTANCE)

    def send(self, compact: str) -> int:
        client = self.platform.running.app.test_client()
        answer = client.post("/v1/events", data=compact, content_type="application/jose")
        return answer.status_code

    def get(self, path: str) -> str:
        return self.platform.running.app.test_client().get(path).text

    @property
    def failing(self) -> set[str]:
        return {part for part, state in self.readiness.parts().items() if state != "ok"}


def failures(probe: Probe) -> float:
    registry = probe.services.metrics.registry
    return registry.get_sample_value("bol_commit_failures_total") or 0.0


def await_true(holds: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if holds():
            return
        tick.wait(0.005)
    raise AssertionError("it did not come to be")


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[kit.Platform, many_bills.Maker]]:
    with kit.platform(tmp_path_factory.mktemp("ready")) as platform:
        platform.set_clock(STORY)
        services = platform.running.services
        maker = many_bills.Maker(
            desk=Desk(signers=platform.signers),
            recorder=services.recorder,
            documents=services.documents,
        )
        maker.open_log()
        yield platform, maker


@pytest.fixture
def probe(opened: tuple[kit.Platform, many_bills.Maker]) -> Probe:
    return Probe(*opened)


def test_a_checkpoint_that_cannot_be_kept_names_the_file_and_the_setting(probe: Probe) -> None:
    folder = probe.platform.settings.state_dir
    away = folder.rename(folder.with_name("away"))
    compact = probe.acceptance("straits")
    assert probe.send(compact) == 503

    told = probe.readiness.parts()["lastCommit"]
    assert str(folder / "checkpoint") in told
    assert "BOL_STATE_DIR" in told
    assert "bol_commit_failing 1.0" in probe.get("/metrics")
    assert 'bol_ready{part="lastCommit"} 0.0' in probe.get("/metrics")

    away.rename(folder)
    assert probe.send(compact) == 200  # it was recorded, and is acknowledged now
    assert probe.failing == set()
    assert "bol_commit_failing 0.0" in probe.get("/metrics")


def test_a_failure_counts_until_it_has_rested_so_that_somebody_is_sent_here_again(
    probe: Probe,
) -> None:
    folder = probe.platform.settings.state_dir
    away = folder.rename(folder.with_name("away"))
    compact = probe.acceptance("bankcq")
    before = failures(probe)
    for _ in range(2):  # each failure anew
        assert probe.send(compact) == 503
        assert probe.failing == {"lastCommit"}
        probe.now += REST_SECONDS - 1
        assert probe.failing == {"lastCommit"}
        probe.now += 1
        assert probe.failing == set()
    away.rename(folder)
    assert probe.send(compact) == 200
    assert failures(probe) == before + 2  # also for who looked at no time between them


def test_a_queue_in_which_nothing_moves_is_not_ready_and_says_for_how_long(probe: Probe) -> None:
    compacts = [probe.acceptance(party) for party in ("banksg", "yunling", "xlsc", "sgterm")]
    sequencer = probe.services.sequencer
    with ThreadPoolExecutor(4) as pool, held_lock(probe.platform.running.store) as until_asked:
        sent = [pool.submit(probe.send, compacts[0])]
        until_asked()
        sent += [pool.submit(probe.send, compact) for compact in compacts[1:]]
        await_true(lambda: sequencer.waiting == 3)
        assert probe.failing == set()
        probe.now += STUCK_SECONDS - 1
        assert probe.failing == set()
        probe.now += 1
        told = probe.readiness.parts()["sequencer"]
    assert f"events wait and no group was committed for {STUCK_SECONDS:.0f} seconds" in told
    assert [each.result() for each in sent] == [201] * 4
    assert probe.failing == set()


@dataclass
class Queue:
    """What a sequencer tells of its queue, and how many groups were committed; set by hand."""

    waiting: int = 3
    groups: int = 0
    alive: bool = True
    failure: BaseException | None = None


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param({"groups": 1}, id="groups are committed though it never empties"),
        pytest.param({"waiting": 0}, id="it was empty"),
        pytest.param({"failure": OSError()}, id="a commit was tried"),
    ],
)
def test_a_queue_does_not_stand_still_while(probe: Probe, meanwhile: dict[str, Any]) -> None:
    queue, now = Queue(), 0.0
    readiness = Readiness(
        cast(Sequencer, queue), probe.services.ledger, None, lambda: queue.groups, clock=lambda: now
    )
    assert readiness.parts()["sequencer"] == "ok"
    now = STUCK_SECONDS - 1
    for name, value in meanwhile.items():
        setattr(queue, name, value)
    assert readiness.parts()["sequencer"] == "ok"
    queue.waiting = 3
    now = STUCK_SECONDS
    assert readiness.parts()["sequencer"] == "ok"
    now = 2 * STUCK_SECONDS
    assert readiness.parts()["sequencer"] != "ok"


def test_a_queue_that_nobody_looked_at_since_it_was_empty_does_not_stand_still(
    probe: Probe,
) -> None:
    queue, now = Queue(waiting=0), 0.0
    readiness = Readiness(
        cast(Sequencer, queue), probe.services.ledger, None, lambda: queue.groups, clock=lambda: now
    )
    assert readiness.parts()["sequencer"] == "ok"
    queue.waiting, now = 3, STUCK_SECONDS + 1
    assert readiness.parts()["sequencer"] == "ok"


def test_a_database_that_does_not_answer_is_named_and_told_once_in_the_log(probe: Probe) -> None:
    engine = probe.platform.running.store.engine
    path = Path(str(engine.url.database))
    engine.dispose()
    away = path.rename(path.with_suffix(".away"))
    path.mkdir()
    with capture_logs() as journal:
        for _ in range(2):
            assert probe.readiness.parts()["database"] == "does not answer"
        path.rmdir()
        away.rename(path)
        assert probe.failing == set()
    told = [line["event"] for line in journal if "ready" in line["event"]]
    assert told == ["not ready", "ready again"]
    (line,) = [line for line in journal if line["event"] == "not ready"]
    assert "unable to open database file" in line["why"]


def test_metrics_tell_proofs_the_age_of_the_checkpoint_and_what_is_ready(probe: Probe) -> None:
    probe.get("/ledger/proof/inclusion/0")
    probe.get("/ledger/proof/consistency/1")
    probe.get("/ledger/proof/file/0")
    probe.services.metrics.head(3, STORY, now=STORY.timestamp() + 90)
    assert b"bol_checkpoint_age_seconds 90.0" in probe.services.metrics.text()
    probe.services.metrics.head(3, STORY, now=STORY.timestamp() - 90)
    assert b"bol_checkpoint_age_seconds 0.0" in probe.services.metrics.text()
    scraped = probe.get("/metrics")
    for kind in ("inclusion", "consistency", "file"):
        assert f'bol_proof_seconds_count{{kind="{kind}"}} 1.0' in scraped
    for part in ("sequencer", "lastCommit", "database", "witnesses"):
        assert f'bol_ready{{part="{part}"}} 1.0' in scraped
