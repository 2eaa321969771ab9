"""The one thread that appends: groups, neighbours, full queues, failed commits, and time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select
from werkzeug.test import TestResponse

from bol_service.application import sequencer as sequencer_module
from bol_service.application.commit import Accepted
from bol_service.application.ledger_queries import LedgerQueries
from bol_service.application.ports import Claim
from bol_service.application.sequencer import Busy, Sequencer, Uncertain
from bol_service.crypto import base64url, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain import errors
from bol_service.domain.states import Head
from bol_service.ledger import receipt as receipts
from bol_service.storage.round_trip import RoundTrip
from bol_service.storage.tables import metadata
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import decode
from tests import kit, many_bills
from tests.desk import ORIGIN, STORY, Desk
from tests.held_lock import held_lock
from tests.many_bills import HOLDER, Act
from tests.recording import WritePath, write_path

PATIENCE = 60.0
REASON = {"reason": "wrong weight"}
ACCEPTANCE = {"rulebook": many_bills.RULEBOOK}


@pytest.fixture
def path(tmp_path: Path) -> Iterator[WritePath]:
    with write_path(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


class Line:
    """Events that wait in the given order while somebody else holds the log's lock.

    The first is taken alone, all others make one group when the lock is let go.
    """

    def __init__(
        self, path: WritePath, pool: ThreadPoolExecutor, until_asked: Callable[[], None]
    ) -> None:
        self._path = path
        self._pool = pool
        self._until_asked = until_asked
        self._length = 0

    def add(self, compact: str) -> Future[Accepted]:
        sent = self._pool.submit(self._path.recorder.submit, compact)
        if self._length:
            await_waiting(self._path.sequencer, self._length)
        else:
            self._until_asked()
        self._length += 1
        return sent


@contextmanager
def line(path: WritePath) -> Iterator[Line]:
    with ThreadPoolExecutor(16) as pool, held_lock(path.store) as until_asked:
        yield Line(path, pool, until_asked)


def await_waiting(sequencer: Sequencer, count: int) -> None:
    tick = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if sequencer.waiting == count:
            return
        tick.wait(0.005)
    raise AssertionError(f"{sequencer.waiting} wait, {count} should")


def size(path: WritePath) -> int:
    return LedgerQueries(path.store).size()


def follow(desk: Desk, compact: str) -> None:
    """Continue after an event that nobody has answered yet."""
    signed = decode(compact)
    stream = signed.event.stream
    desk.heads[stream] = Head(sequence=signed.event.sequence, digest=signed.parsed.digest)


# -- groups --------------------------------------------------------------------------------------


def test_several_events_of_one_stream_chain_within_one_group(path: WritePath) -> None:
    opener, bill = path.maker.issue(2)
    with line(path) as waiting:
        waiting.add(path.desk.transfer(opener, HOLDER, "bankcq"))
        sent = []
        for giver, taker in ((HOLDER, "bankcq"), ("bankcq", "banksg"), ("banksg", "straits")):
            compact = path.desk.transfer(bill, giver, taker)
            follow(path.desk, compact)
            sent.append(waiting.add(compact))
    found = [each.result().receipt for each in sent]
    assert path.groups[-1].size == 3
    assert [receipt.sequence for receipt in found] == [1, 2, 3]
    assert len({receipt.checkpoint for receipt in found}) == 1
    for receipt in found:
        receipts.verify(receipt, [path.log_key])
    assert path.audit().problems == []


def test_a_refused_event_does_not_hurt_its_neighbours(path: WritePath) -> None:
    opener, first, second, third = path.maker.issue(4)
    before = size(path)
    with line(path) as waiting:
        waiting.add(path.desk.transfer(opener, HOLDER, "bankcq"))
        good = waiting.add(path.desk.transfer(first, HOLDER, "bankcq"))
        stranger = waiting.add(path.desk.transfer(second, "bankcq", "banksg"))
        nobody = waiting.add(path.desk.transfer(second, HOLDER, "nobody"))
        also_good = waiting.add(path.desk.transfer(third, HOLDER, "bankcq"))
    assert not good.result().resend
    assert not also_good.result().resend
    assert isinstance(stranger.exception(), errors.NotFound)
    assert isinstance(nobody.exception(), errors.RecipientUnavailable)
    assert (path.groups[-1].size, path.groups[-1].accepted) == (4, 2)
    assert size(path) == before + 3
    assert path.audit().problems == []


def test_the_same_event_twice_in_a_group_is_recorded_once(path: WritePath) -> None:
    opener, bill = path.maker.issue(2)
    compact = path.desk.transfer(bill, HOLDER, "bankcq")
    with line(path) as waiting:
        waiting.add(path.desk.transfer(opener, HOLDER, "bankcq"))
        sent = [waiting.add(compact), waiting.add(compact)]
    first, second = (each.result() for each in sent)
    assert (first.resend, second.resend) == (False, True)
    assert first.receipt == second.receipt


def test_one_id_for_two_acts_in_a_group_is_refused(path: WritePath) -> None:
    opener, bill = path.maker.issue(2)
    compact = path.desk.transfer(bill, HOLDER, "bankcq")
    other = json.loads(base64url.decode(compact.split(".")[1])) | {"recipient": "banksg"}
    twin = drafting.sign(strictjson.canonical(other), path.desk.signers[HOLDER])
    with line(path) as waiting:
        waiting.add(path.desk.transfer(opener, HOLDER, "bankcq"))
        first, second = waiting.add(compact), waiting.add(twin)
    assert not first.result().resend
    assert isinstance(second.exception(), errors.IdReused)


def test_what_is_taken_and_given_back_within_a_group_is_free_again(path: WritePath) -> None:
    opener = path.maker.issue(1)[0]
    *before, issue = path.maker.acts(1, path.maker.upload(1))
    for act in before:
        path.maker.act(act.actor, act.action, act.stream, act.details)
    with line(path) as waiting:
        waiting.add(path.desk.transfer(opener, HOLDER, "bankcq"))
        for act in (
            issue,
            Act(HOLDER, "REFUSE", issue.stream, REASON),
            Act("xlsc", "VOID", issue.stream, REASON),
        ):
            compact = path.desk.event(act.actor, act.action, act.stream, act.details)
            follow(path.desk, compact)
            last = waiting.add(compact)
    assert not last.result().resend
    assert path.groups[-1].accepted == 3
    with path.store.reading() as reading:
        number = Claim(kind="bill-number", value="NMFTA:XLSC:XLSCMANY000001")
        assert reading.claim_owner(number) is None


# -- the queue -----------------------------------------------------------------------------------


def test_who_finds_the_queue_full_is_told_at_once(
    path: WritePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    bills = path.maker.issue(4)
    compacts = [path.desk.transfer(bill, HOLDER, "bankcq") for bill in bills]
    monkeypatch.setattr(sequencer_module, "MAX_WAITING", 2)
    path.restart()
    with line(path) as waiting:
        sent = [waiting.add(compact) for compact in compacts[:3]]
        with pytest.raises(Busy, match="2 events are waiting"):
            path.recorder.submit(compacts[3])
    assert [each.result().resend for each in sent] == [False, False, False]
    assert not path.recorder.submit(compacts[3]).resend


def test_what_waits_when_the_service_stops_is_finished_and_later_events_are_uncertain(
    path: WritePath,
) -> None:
    first, second, third = path.maker.issue(3)
    with ThreadPoolExecutor(1) as stopper:
        with line(path) as waiting:
            sent = [
                waiting.add(path.desk.transfer(bill, HOLDER, "bankcq")) for bill in (first, second)
            ]
            stopping = stopper.submit(path.sequencer.stop)
            await_waiting(path.sequencer, 2)
        stopping.result()
    assert [each.result().resend for each in sent] == [False, False]
    with pytest.raises(Uncertain, match="not running"):
        path.recorder.submit(path.desk.transfer(third, HOLDER, "bankcq"))


# -- failed commits ------------------------------------------------------------------------------

RECIPIENTS = {"GRANT_MANDATE": "qiaolian", "TRANSFER": "bankcq"}


class FailingStatement:
    """Raises at the n-th statement that the sequencer sends from now on, once."""

    def __init__(self, engine: Engine, patch: pytest.MonkeyPatch) -> None:
        self.countdown = 0
        self.fired = False
        event.listen(engine, "before_cursor_execute", lambda *_: self._count())
        event.listen(engine, "commit", lambda _connection: self._count())
        for step in ("send", "depart", "arrive"):  # of the round trips, which no engine sees
            self._watch(step, getattr(RoundTrip, step), patch)

    def _watch(self, step: str, taken: Callable[..., Any], patch: pytest.MonkeyPatch) -> None:
        def counted(trip: RoundTrip, *args: Any) -> Any:
            self._count()
            return taken(trip, *args)

        patch.setattr(RoundTrip, step, counted)

    def arm(self, number: int) -> None:
        self.countdown, self.fired = number, False

    def _count(self) -> None:
        if threading.current_thread().name != "sequencer" or not self.countdown:
            return
        self.countdown -= 1
        if not self.countdown:
            self.fired = True
            raise OSError(28, "No space left on device")


def test_whichever_statement_of_a_commit_fails_all_or_nothing_is_written(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with write_path(database_url) as path:
        failing = FailingStatement(path.store.engine, monkeypatch)
        for act in acts_on_every_table(path):
            compact = path.desk.event(
                act.actor, act.action, act.stream, act.details, recipient=RECIPIENTS.get(act.action)
            )
            survive_each_fault(path, failing, compact)
        assert path.audit().problems == []


def acts_on_every_table(path: WritePath) -> Iterator[Act]:
    until = {"validUntil": instant_text(STORY + timedelta(days=1))}
    key = LocalSigner(generate(Algorithm.ED25519))
    yield Act("yunling", "GRANT_MANDATE", "party:yunling", until)
    proof = drafting.prove_key(key, origin=ORIGIN, party="yunling")
    yield Act("yunling", "ADD_KEY", "party:yunling", proof)
    bill = ""
    for act in path.maker.acts(0, path.maker.upload(0)):
        bill = act.stream
        yield act
    yield Act("yunling", "TRANSFER", bill, {})


def survive_each_fault(path: WritePath, failing: FailingStatement, compact: str) -> None:
    before = rows(path)
    for number in range(1, 200):
        failing.arm(number)
        try:
            answer = path.recorder.submit(compact)
        except Uncertain:
            assert failing.fired
            if rows(path) == before:
                continue
            answer = path.recorder.submit(compact)
            assert answer.resend, f"statement {number} left something"
        failing.arm(0)
        assert number > 10, "so few statements cannot be a commit"
        assert path.recorder.submit(compact).receipt == answer.receipt
        path.desk.note(answer.receipt)
        return
    raise AssertionError("it never ends")


def rows(path: WritePath) -> dict[str, int]:
    with path.store.engine.begin() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


# -- time ----------------------------------------------------------------------------------------


def test_a_clock_that_goes_backwards_never_lessens_recorded_at(path: WritePath) -> None:
    bill = path.maker.issue(1)[0]
    recorded = []
    for minutes, (giver, taker) in zip(
        (10, -30, 11, 0),
        ((HOLDER, "bankcq"), ("bankcq", HOLDER), (HOLDER, "bankcq"), ("bankcq", HOLDER)),
        strict=True,
    ):
        path.clock.moment = STORY + timedelta(minutes=minutes)
        answer = path.recorder.submit(path.desk.transfer(bill, giver, taker))
        path.desk.note(answer.receipt)
        recorded.append(answer.receipt.entry.recorded_at)
    expected = [instant_text(STORY + timedelta(minutes=minutes)) for minutes in (10, 10, 11, 11)]
    assert recorded == expected
    assert path.audit().problems == []


# -- over HTTP -----------------------------------------------------------------------------------


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[kit.Platform]:
    """A platform whose queue holds one event."""
    monkeypatch.setattr(sequencer_module, "MAX_WAITING", 1)
    with kit.platform(tmp_path) as started:
        started.set_clock(STORY)
        yield started


def send(platform: kit.Platform, compact: str) -> TestResponse:
    client = platform.running.app.test_client()
    return client.post("/v1/events", data=compact, content_type="application/jose")


def ready(platform: kit.Platform) -> TestResponse:
    return platform.running.app.test_client().get("/readyz")


def maker_of(platform: kit.Platform) -> many_bills.Maker:
    services = platform.running.services
    return many_bills.Maker(
        desk=Desk(signers=platform.signers),
        recorder=services.recorder,
        documents=services.documents,
    )


def test_a_full_queue_answers_429_with_retry_after(platform: kit.Platform) -> None:
    maker = maker_of(platform)
    maker.open_log()
    acts = [
        maker.desk.event(slug, "REVOKE_MANDATE", f"party:{slug}", recipient="qiaolian")
        for slug in ("yunling", "straits", "bankcq")
    ]
    sequencer = platform.running.services.sequencer
    with ThreadPoolExecutor(2) as pool, held_lock(platform.running.store) as until_asked:
        pool.submit(send, platform, acts[0])
        until_asked()
        pool.submit(send, platform, acts[1])
        await_waiting(sequencer, 1)
        answer = send(platform, acts[2])
    assert (answer.status_code, answer.json["code"]) == (429, "busy")
    assert answer.headers["Retry-After"] == "2"


def test_a_failed_commit_answers_503_with_retry_after_and_the_resend_is_recorded(
    platform: kit.Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = maker_of(platform)
    maker.open_log()
    failing = FailingStatement(platform.running.store.engine, monkeypatch)
    compact = maker.desk.event("straits", "ACCEPT_RULEBOOK", "party:straits", ACCEPTANCE)
    failing.arm(5)
    answer = send(platform, compact)
    assert (answer.status_code, answer.json["code"]) == (503, "uncertain")
    assert answer.headers["Retry-After"] == "1"
    assert ready(platform).status_code == 503
    assert "No space left" in ready(platform).json["parts"]["lastCommit"]
    again = send(platform, compact)
    assert again.status_code == 201
    assert send(platform, compact).data == again.data
    assert ready(platform).status_code == 200


def test_a_reading_that_the_database_does_not_answer_is_503_and_not_a_fault_of_ours(
    platform: kit.Platform,
) -> None:
    maker_of(platform).open_log()
    engine, client = platform.running.store.engine, platform.running.app.test_client()
    path = Path(str(engine.url.database))
    engine.dispose()
    path.rename(path.with_suffix(".away"))
    path.mkdir()

    answer = client.get("/v1/parties")

    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"
    path.rmdir()
    path.with_suffix(".away").rename(path)
    assert client.get("/v1/parties").status_code == 200
