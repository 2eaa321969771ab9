"""While somebody else appends, a group is judged ahead of the lock, which says what that is worth.

Each test holds the log's lock on PostgreSQL, lets the sequencer judge an event ahead, records
something else meanwhile, and lets go.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from bol_service.application.commit import Accepted, Answer, GroupCommit
from bol_service.application.judging import Judging
from bol_service.application.ports import Writing
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain import errors
from bol_service.storage import writing as writing_module
from bol_service.storage.writing import SqlWriting
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import decode
from tests.desk import ORIGIN, STORY, Desk, Json, roll
from tests.many_bills import HOLDER
from tests.recording import WritePath, write_path

PATIENCE = 60.0


class Rivals:
    """One who has the lock, and one who judges meanwhile."""

    def __init__(self, path: WritePath, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.judgings: list[Judging] = []
        self.ahead: list[int] = []
        self._waits = threading.Event()
        ahead, begin, lock = Judging.ahead, Judging.__init__, SqlWriting.lock

        def begun(judging: Judging, *given: Any, **named: Any) -> None:
            begin(judging, *given, **named)
            self.judgings.append(judging)

        def went_ahead(judging: Judging) -> None:
            ahead(judging)
            self.ahead.append(len(judging.judgements))

        def locked(writing: SqlWriting) -> Any:
            self._waits.set()
            return lock(writing)

        monkeypatch.setattr(Judging, "__init__", begun)
        monkeypatch.setattr(Judging, "ahead", went_ahead)
        monkeypatch.setattr(SqlWriting, "lock", locked)

    def late(self, *late: str, meanwhile: tuple[str, ...]) -> list[Answer]:
        """What `late` is told, which was judged before `meanwhile` was recorded."""
        with ThreadPoolExecutor(1) as pool:
            with self.path.store.writing() as writing:
                signed = [decode(each) for each in late]
                told = pool.submit(self.path.sequencer.submit_all, signed)
                assert self._waits.wait(PATIENCE), "nobody waits for the lock"
                if meanwhile:
                    self._record(writing, meanwhile)
                self.judgings.clear()
            return told.result(PATIENCE)

    def _record(self, writing: Writing, compacts: tuple[str, ...]) -> None:
        platform = self.path.sequencer._platform
        commit = GroupCommit(writing, clock=self.path.clock, platform=platform)
        committed = commit.run([decode(each) for each in compacts], self.path.sequencer._sign)
        assert all(isinstance(answer, Accepted) for answer in committed.answers())

    @property
    def judged_anew(self) -> bool:
        return len(self.judgings) == 1


@pytest.fixture
def path(postgres_url: str) -> Iterator[WritePath]:
    with write_path(postgres_url) as opened:
        yield opened
        assert opened.audit().problems == []


@pytest.fixture
def bills(path: WritePath) -> list[str]:
    return path.maker.issue(3)


@pytest.fixture
def rivals(path: WritePath, bills: list[str], monkeypatch: pytest.MonkeyPatch) -> Rivals:
    return Rivals(path, monkeypatch)


def passed(path: WritePath, bill: str, taker: str = "bankcq") -> str:
    return path.desk.transfer(bill, HOLDER, taker)


def registered(desk: Desk, slug: str, office: str) -> str:
    """The registration of a new party that the authority knows as `office`."""
    known = roll()["bankcq"]["identity"]
    identity: Json = {**known, "identifiers": [{"type": "AUTHORITY", "value": office}]}
    signer = LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(signer, origin=ORIGIN, party=slug, identity=identity)
    details = {**proof, "identity": identity, "roles": ["BANK"]}
    return desk.event("operator", "REGISTER", f"party:{slug}", details)


def test_what_was_judged_ahead_stands_when_others_acted_on_other_streams(
    path: WritePath, bills: list[str], rivals: Rivals
) -> None:
    one, other, third = bills
    before = path.store.reading
    [first, second] = rivals.late(
        passed(path, one), passed(path, third), meanwhile=(passed(path, other),)
    )
    assert rivals.ahead == [2]
    assert not rivals.judged_anew
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    with before() as reading:
        assert [first.receipt.index, second.receipt.index] == [
            reading.log().size - 2,
            reading.log().size - 1,
        ]


def test_what_was_judged_ahead_stands_when_nobody_acted_at_all(
    path: WritePath, bills: list[str], rivals: Rivals
) -> None:
    [answer] = rivals.late(passed(path, bills[0]), meanwhile=())
    assert isinstance(answer, Accepted)
    assert rivals.ahead == [1]
    assert not rivals.judged_anew


def test_who_judged_ahead_of_an_act_on_the_same_bill_is_told_of_its_new_head(
    path: WritePath, bills: list[str], rivals: Rivals
) -> None:
    bill = bills[0]
    [answer] = rivals.late(passed(path, bill), meanwhile=(passed(path, bill, "banksg"),))
    assert isinstance(answer, errors.StaleHead)
    assert rivals.judged_anew


def test_a_party_that_was_suspended_meanwhile_transfers_nothing(
    path: WritePath, bills: list[str], rivals: Rivals
) -> None:
    suspended = path.desk.event("operator", "SUSPEND", f"party:{HOLDER}", {"reason": "review"})
    [answer] = rivals.late(passed(path, bills[0]), meanwhile=(suspended,))
    assert isinstance(answer, errors.Suspended)


def test_the_very_act_that_was_recorded_meanwhile_gets_its_first_receipt(
    path: WritePath, bills: list[str], rivals: Rivals
) -> None:
    transfer = passed(path, bills[0])
    [answer] = rivals.late(transfer, meanwhile=(transfer,))
    assert isinstance(answer, Accepted)
    assert answer.resend


def test_an_id_that_was_used_meanwhile_is_used(
    path: WritePath, bills: list[str], rivals: Rivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = bills[:2]
    monkeypatch.setattr(drafting, "uuid7", lambda _: "01a3ff3e-c200-7000-8000-000000000001")
    [answer] = rivals.late(passed(path, one), meanwhile=(passed(path, other),))
    assert isinstance(answer, errors.IdReused)


def test_time_does_not_run_backwards_for_what_was_judged_before_it_went_on(
    path: WritePath, bills: list[str], rivals: Rivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = path.clock
    record = rivals._record

    def later(writing: Writing, compacts: tuple[str, ...]) -> None:
        clock.moment = STORY + timedelta(minutes=1)
        record(writing, compacts)
        clock.moment = STORY

    monkeypatch.setattr(rivals, "_record", later)
    [answer] = rivals.late(passed(path, bills[0]), meanwhile=(passed(path, bills[1]),))
    assert isinstance(answer, Accepted)
    assert answer.receipt.entry.recorded_at == instant_text(STORY + timedelta(minutes=1))
    assert rivals.judged_anew


def test_what_was_judged_long_ago_is_judged_anew(
    path: WritePath, bills: list[str], rivals: Rivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mandate, the key or the order that it hangs on may have run out while it waited."""
    lock = SqlWriting.lock

    def after_a_while(writing: SqlWriting) -> Any:
        path.clock.moment = STORY + timedelta(seconds=2)
        return lock(writing)

    monkeypatch.setattr(SqlWriting, "lock", after_a_while)
    [answer] = rivals.late(passed(path, bills[0]), meanwhile=())
    assert isinstance(answer, Accepted)
    assert rivals.judged_anew
    assert answer.receipt.entry.recorded_at == instant_text(STORY + timedelta(seconds=2))


def test_who_was_overtaken_by_many_does_not_look_at_each(
    path: WritePath, bills: list[str], rivals: Rivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing_module, "_MUCH", 1)
    one, *others = bills
    meanwhile = tuple(passed(path, other) for other in others)
    [answer] = rivals.late(passed(path, one), meanwhile=meanwhile)
    assert isinstance(answer, Accepted)
    assert rivals.judged_anew


def test_what_must_be_unique_is_judged_under_the_lock_alone(
    path: WritePath, rivals: Rivals
) -> None:
    desk = path.desk
    [answer] = rivals.late(
        registered(desk, "late-bank", "one office"),
        meanwhile=(registered(desk, "first-bank", "one office"),),
    )
    assert isinstance(answer, errors.AlreadyRegistered)
    assert rivals.ahead == [0]


def test_events_that_need_the_lock_are_judged_in_their_turn(
    path: WritePath, bills: list[str], rivals: Rivals
) -> None:
    one, other, third = bills
    group = (passed(path, one), registered(path.desk, "new-bank", "an office"), passed(path, other))
    answers = rivals.late(*group, meanwhile=(passed(path, third),))
    assert rivals.ahead == [1]
    assert not rivals.judged_anew
    indexes = [answer.receipt.index for answer in answers if isinstance(answer, Accepted)]
    assert indexes == list(range(indexes[0], indexes[0] + 3))
