"""What the next act on a stream will read is asked for together with the lock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bol_service.application import expecting
from bol_service.application.expecting import Expecting
from bol_service.domain.states import Needs
from bol_service.storage.writing import SqlWriting
from bol_service.wire.events import SignedEvent, decode
from tests.many_bills import HOLDER
from tests.recording import WritePath, write_path


@pytest.fixture
def path(tmp_path: Path) -> Iterator[WritePath]:
    with write_path(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


def test_the_second_act_on_a_bill_asks_for_nothing_that_was_not_read_with_the_lock(
    path: WritePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []
    states = SqlWriting.states

    def watched(writing: SqlWriting, streams: Any) -> Any:
        asked.append(set(streams) - writing.expected.streams)
        return states(writing, streams)

    [bill] = path.maker.issue(1)
    path.restart()  # and nothing is remembered
    monkeypatch.setattr(SqlWriting, "states", watched)

    def moved(giver: str, taker: str) -> set[str]:
        asked.clear()
        path.desk.note(path.recorder.submit(path.desk.transfer(bill, giver, taker)).receipt)
        return set().union(*asked)

    first = moved(HOLDER, "bankcq")
    assert any(stream.startswith("custody:") for stream in first)
    assert moved("bankcq", HOLDER) == set()


def test_an_act_is_judged_by_what_it_reads_whatever_was_expected(path: WritePath) -> None:
    one, other = path.maker.issue(2)
    transfer = path.desk.transfer(one, HOLDER, "bankcq")
    elsewhere = Needs(streams={"bill:unheard-of", f"bill:{other}"})
    path.sequencer._expecting.learn([decode(transfer)], [elsewhere])
    assert not path.recorder.submit(transfer).resend


def test_what_many_streams_read_is_forgotten_and_learned_anew(
    path: WritePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expecting, "MOST_STREAMS", 1)
    bills = path.maker.issue(3)
    signed = [decode(path.desk.transfer(bill, HOLDER, "bankcq")) for bill in bills]
    guesses = Expecting()
    for each in signed:
        guesses.learn([each], [Needs(streams={"draft:d"})])
    assert [guessed(guesses, each) for each in signed] == [False, False, True]


def guessed(guesses: Expecting, signed: SignedEvent) -> bool:
    return "draft:d" in guesses.by([signed]).streams
