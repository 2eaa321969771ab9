"""Servers killed and links cut while originals cross: never on both platforms, never on neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from bol_service.application.exchange_history import last_known
from bol_service.domain.states import BillState, Status
from tests.stormy_border import Storm, audited, look, reading_of, stormy_border
from tests.two_platforms import Side
from tests.warm_service import launcher


@pytest.mark.parametrize(
    ("turns", "bills"),
    [
        pytest.param(10, 3, id="10 transfers"),
        pytest.param(200, 8, id="200 transfers", marks=pytest.mark.torture),
    ],
)
def test_an_original_is_on_exactly_one_platform_whatever_dies_on_its_way(
    tmp_path: Path, turns: int, bills: int
) -> None:
    with launcher() as fork, stormy_border(tmp_path, fork, bills=bills, seed=turns) as storm:
        storm.play(turns)
        for bill in storm.bills:
            _has_one_possessor(storm, bill)
        for side in (storm.two.cq, storm.two.sg):
            assert audited(side).problems == []
    assert sum(storm.events.values()) == turns


def _has_one_possessor(storm: Storm, bill: str) -> None:
    states = {side.code: look(side, bill) for side in (storm.two.cq, storm.two.sg)}
    live = {code: state for code, state in states.items() if _is_live(state)}
    assert len(live) == 1, states
    (code, here) = next(iter(live.items()))
    assert here is not None
    for other, state in states.items():
        if other == code or state is None:
            continue
        assert state.status is Status.MOVED
        assert state.control.possessor == f"{code}:{here.control.possessor}"
    told = {_last_entry(side, bill) for side in (storm.two.cq, storm.two.sg)}
    assert len(told - {None}) <= 1, told


def _is_live(state: BillState | None) -> bool:
    return state is not None and state.status is Status.ISSUED


def _last_entry(side: Side, bill: str) -> str | None:
    """The end of the chain that this side knows."""
    with reading_of(side) as store, store.reading() as reading:
        kept = last_known(reading, look(side, bill))
    return None if kept is None else kept.envelope.last_checksum
