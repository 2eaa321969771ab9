"""Several processes find what one finds, in the same order, and only a few pages ahead."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

import pytest

from bol_service.application import audit_pages, audit_replay, audit_workers
from bol_service.application.audit_pages import Page, examine
from bol_service.application.audit_parcels import leave
from bol_service.application.audit_replay import Replay
from bol_service.application.ports import Unavailable
from bol_service.domain import errors
from bol_service.wire.events import decode
from tests import audited
from tests.audited import Audited
from tests.desk import ORIGIN
from tests.many_bills import HOLDER
from tests.recording import WritePath


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    return audited.made(tmp_path_factory.mktemp("genuine"))


@pytest.fixture
def ledger(genuine: Audited, tmp_path: Path) -> Audited:
    return genuine.copy(tmp_path)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small ledger has enough of them for two processes.

    These come from one that has imported the modules: the killed audit below has them as always.
    """
    warm = multiprocessing.get_context("forkserver")
    warm.set_forkserver_preload(["bol_service.storage.store", "tests.audited"])
    monkeypatch.setattr(multiprocessing, "get_context", lambda _method: warm)
    monkeypatch.setattr(audit_workers, "PAGE", 4)
    monkeypatch.setattr(audit_workers, "WORTH_IT", 1)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE log SET id = id", id="nothing"),
        pytest.param("UPDATE entries SET event = substr(event, 1, 900) WHERE idx = 9", id="event"),
        pytest.param("UPDATE entries SET event = 'x' WHERE idx = 9", id="no event"),
        pytest.param("DELETE FROM entries WHERE idx = 9", id="entry missing"),
        pytest.param("DELETE FROM entries WHERE idx > 9", id="entries missing at the end"),
        pytest.param("UPDATE documents SET content = x'7b7d'", id="documents"),
        pytest.param("UPDATE documents SET content = 'text'", id="documents, by text"),
        pytest.param("UPDATE checkpoints SET note = 'x' WHERE size = 9", id="checkpoint"),
        pytest.param("UPDATE keys SET jwk = 'x'", id="cached keys that cannot be read"),
        pytest.param("DELETE FROM keys", id="no cached keys"),
        pytest.param("UPDATE notices SET stream = 'party:x'", id="tables beside the log"),
    ],
)
def test_two_processes_find_what_one_finds(ledger: Audited, change: str) -> None:
    ledger.tamper(change)
    alone, together = ledger.audit(jobs=1), ledger.audit(jobs=2)
    assert together == alone
    assert bool(alone.problems) == (change != "UPDATE log SET id = id")


@pytest.mark.usefixtures("small_pages")
def test_an_audit_goes_on_with_two_processes(ledger: Audited, tmp_path: Path) -> None:
    first = ledger.audit(jobs=2, since=tmp_path / "book")
    again = ledger.audit(jobs=2, since=tmp_path / "book")
    assert (again.since, again.root, again.problems) == (first.entries, first.root, [])


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_table_beside_the_log_that_cannot_be_read_hides_nothing_of_the_log(
    ledger: Audited, jobs: int
) -> None:
    ledger.tamper("DROP TABLE access_tokens")
    with pytest.raises(Unavailable, match="access_tokens"):
        ledger.audit(jobs=jobs)
    ledger.tamper("DELETE FROM entries WHERE idx = 9")
    assert ledger.audit(jobs=jobs).problems == ["entry 9 is missing; the next row is 10"]


class Late(Future[None]):
    """Done once it was asked for the third time; a worker has begun it, and leaves page 0."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.asked = 0
        self.set_running_or_notify_cancel()

    def done(self) -> bool:
        self.asked += 1
        return self.asked > 2

    def result(self, timeout: float | None = None) -> None:
        leave(Page(first=0, end=0, rows=[]), self.folder)


def asked_for(first: int, future: Future[None]) -> audit_workers._Asked:
    return audit_workers._Asked(first=first, end=first + 1, future=future)


@pytest.mark.parametrize(("steps", "left"), [(1, 0), (2, 0), (5, 3)])
def test_steps_are_taken_until_the_page_is_there(steps: int, left: int, tmp_path: Path) -> None:
    meanwhile: Iterator[None] = iter([None] * steps)
    waiting = deque([asked_for(0, Late(tmp_path))])
    assert audit_workers._next(waiting, tmp_path, meanwhile, None).rows == []
    assert len(list(meanwhile)) == left


def test_steps_go_on_where_an_earlier_page_left_them(tmp_path: Path) -> None:
    """A generator that is closed in between would leave out the rest without a word."""
    taken: list[int] = []

    def steps() -> Iterator[None]:
        for step in range(6):
            taken.append(step)
            yield

    meanwhile = steps()
    for _ in range(2):
        audit_workers._next(deque([asked_for(0, Late(tmp_path))]), tmp_path, meanwhile, None)
    list(meanwhile)
    assert taken == list(range(6))


def test_a_page_that_no_worker_has_begun_is_examined_by_the_process_that_waits(
    tmp_path: Path,
) -> None:
    examined: list[int] = []

    def own(first: int, end: int) -> Page:
        examined.append(first)
        return Page(first=first, end=end, rows=[])

    nothing: Iterator[None] = iter(())
    waiting = deque([asked_for(0, Late(tmp_path)), asked_for(1, Future()), asked_for(2, Future())])
    assert audit_workers._next(waiting, tmp_path, nothing, own).first == 0
    assert examined == [2, 1]
    left = [audit_workers._next(waiting, tmp_path, nothing, own).first for _ in range(2)]
    assert left == [1, 2]
    assert examined == [2, 1]


# -- keys ----------------------------------------------------------------------------------------


def test_a_signature_is_never_verified_by_a_key_that_was_put_in_the_cache(
    ledger: Audited,
) -> None:
    """Another party's key under the kid: a page believes only what hashes to the kid."""
    ledger.tamper(
        "UPDATE keys SET jwk = (SELECT jwk FROM keys WHERE party = 'xlsc') WHERE party = 'yunling'"
    )
    audit_pages._KEYS.clear()
    (problem,) = ledger.audit().problems
    assert problem.startswith("the cached key")


def forged(path: WritePath) -> None:
    """A transfer whose signature is another's, put into the log past the one who verifies it."""
    heads = path.desk.heads
    bill = next(name for name in heads if name.startswith("bill:") and not heads[name].sequence)
    compact = path.desk.event(HOLDER, "SIGN", bill)
    body, _, signature = compact.rpartition(".")
    other = path.desk.event(HOLDER, "SIGN", bill).rpartition(".")[2]
    assert other != signature
    path.sequencer.submit(decode(f"{body}.{other}"))


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_signature_that_does_not_verify_is_found(tmp_path: Path, jobs: int) -> None:
    ledger = audited.made(tmp_path, forged)
    (problem,) = ledger.audit(jobs=jobs).problems
    assert "(SIGN by yunling" in problem
    assert "does not stand: bad_signature" in problem


def test_keys_that_verified_count_only_for_the_party_that_registered_them(ledger: Audited) -> None:
    """The page says by which keys all signatures verified; whose they are is judged in order."""
    with ledger.store() as store, store.reading() as reading, store.audit_book(None) as book:
        (first, *_), (second, *_) = (
            examine(reading, index, index + 1, [ledger.log_key]).rows for index in (0, 1)
        )
        assert first.act is not None
        assert second.act is not None
        replay = Replay(book, ORIGIN)
        replay.apply(first.act, 0, first.recorded_at)
        strange = second.act._replace(signers=(*second.act.signers, "x"))
        with pytest.raises(errors.BadSignature, match="no key x is registered"):
            replay.apply(strange, 1, second.recorded_at)
        replay.apply(second.act, 1, second.recorded_at)


def test_time_that_runs_backwards_is_found(ledger: Audited) -> None:
    ledger.tamper(
        "UPDATE entries SET recorded_at = '2027-03-01T04:00:00.001Z' WHERE idx < 5",
    )
    problems = ledger.audit().problems
    assert any(problem.startswith("entry 5 was recorded at") for problem in problems)


# -- memory --------------------------------------------------------------------------------------


class CountingPool(ProcessPoolExecutor):
    """A pool of no process: what is asked of it is done when its result is."""

    def __init__(self) -> None:
        self.under_way = 0
        self.most = 0

    def submit(self, *asked: object, **_options: object) -> Future[None]:  # type: ignore[override]
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        pool = self

        class Answer(Future[None]):
            def result(self, timeout: float | None = None) -> None:
                pool.under_way -= 1
                leave(Page(first=int(str(asked[2])), end=0, rows=[]), Path(str(asked[4])))

        return Answer()


def test_only_a_few_pages_are_under_way_at_once(tmp_path: Path) -> None:
    pool, task = CountingPool(), audit_pages.examine
    bounds = [(first, first + 1) for first in range(100)]
    pages = audit_workers._in_order(pool, task, bounds, tmp_path, 6)
    assert [page.first for page in pages] == list(range(100))
    assert (pool.most, pool.under_way) == (6, 0)
    assert list(tmp_path.iterdir()) == []


def test_the_replay_forgets_what_it_has_written(
    ledger: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[tuple[int, int]] = []
    flush = audit_replay.Replay.flush

    def counted(replay: audit_replay.Replay) -> None:
        held.append((len(replay._groups), len(replay._loader.world.states)))
        flush(replay)
        assert len(replay._loader.world.states) == len(replay._groups) == len(replay._claims) == 0

    monkeypatch.setattr(audit_replay, "FLUSH", 5)
    monkeypatch.setattr(audit_workers, "PAGE", 5)
    monkeypatch.setattr(audit_replay.Replay, "flush", counted)
    assert ledger.audit().problems == []
    streams = len(ledger.rows("SELECT 1 FROM states"))
    assert len(held) > 5
    assert max(groups for groups, _ in held) <= 10
    assert max(states for _, states in held) < streams


def test_groups_end_where_the_log_says_even_if_the_memory_is_written_between(
    ledger: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_replay, "FLUSH", 1)
    assert ledger.audit().problems == []


# -- an audit that is killed ---------------------------------------------------------------------

KILLED = """
import multiprocessing, sys
from pathlib import Path
from bol_service.application import audit_workers
from bol_service.ledger.note import parse_vkey
from tests.audited import Audited

def main():
    audit_workers.PAGE, audit_workers.WORTH_IT = 4, 1
    def hold(_done, _all):
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        sys.stdin.read()
    ledger = Audited(database=Path(sys.argv[1]), log_key=parse_vkey(sys.argv[2]))
    ledger.audit(jobs=2, progress=hold)

if __name__ == "__main__":
    main()
"""


def test_the_workers_of_a_killed_audit_end_by_themselves(ledger: Audited, tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(
        [sys.executable, str(script), str(ledger.database), ledger.log_key.vkey],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        workers = [int(pid) for pid in process.stdout.readline().split()]
        process.send_signal(signal.SIGKILL)
    assert len(workers) >= 1
    assert eventually(lambda: not any(is_running(pid) for pid in workers))


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def eventually(is_so: Callable[[], bool], seconds: float = 120.0) -> bool:
    """Asks every 50 ms."""
    tick = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if is_so():
            return True
        tick.wait(0.05)
    return False
