"""`bol exchange`: what waits to leave and what has crossed, on an empty and on a filled book."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from bol_service.application.exchange_ports import Flow, Outbound, Stage
from bol_service.storage.engine import open_engine
from bol_service.storage.exchange import SqlExchange
from bol_service.storage.store import SqlStore
from tests.command_line import Ran, run
from tests.desk import ORIGIN
from tests.fresh_database import fresh_log

BILL, OTHER = "ab" * 32, "cd" * 32
WAITS = Outbound(
    number=7,
    bill=BILL,
    platform="SGPX",
    since=3,
    stage=Stage.UPLOADING,
    attempts=2,
    due="2027-03-01T00:00:08.000Z",
    fault="http://127.0.0.1:9: refused \x1b[31m",
)
MOVED = Outbound(
    number=8, bill=OTHER, platform="THXX", since=4, stage=Stage.MOVED, attempts=0, due=""
)
FLOW = Flow(
    at="2027-03-01T00:00:00.000Z",
    direction="OUT",
    platform="SGPX",
    bill=BILL,
    what="envelope",
    digest="ef" * 32,
    size=4711,
    recipient="SGPX:banksg",
    basis="act 3 of the bill",
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    fresh_log(url, ORIGIN)
    return url


@pytest.fixture
def filled(url: str) -> str:
    engine = open_engine(url)
    book = SqlExchange(SqlStore(engine))
    for transfer in (WAITS, MOVED):
        book.enlist(transfer)
    for number in range(3):
        values = {field.name: getattr(FLOW, field.name) for field in fields(FLOW)}
        book.crossed(Flow(**{**values, "size": 4711 + number}))
    engine.dispose()
    return url


def exchange(url: str, *words: str, **settings: str) -> Ran:
    return run("exchange", *words, BOL_ORIGIN=ORIGIN, BOL_DATABASE_URL=url, **settings)


def test_where_nothing_has_crossed_it_says_so(url: str) -> None:
    assert exchange(url, "transfers").out == "nothing has left, and nothing waits to\n"
    assert exchange(url, "flows").out == "nothing has crossed the border\n"
    assert exchange(url, "transfers", "--json").json() == {"transfers": []}
    assert exchange(url, "flows", "--json").json() == {"flows": []}


def test_a_transfer_that_waits_tells_why_and_the_newest_comes_first(filled: str) -> None:
    assert exchange(filled, "transfers", "--json").json() == {
        "transfers": [
            {
                "number": 8,
                "bill": OTHER,
                "platform": "THXX",
                "stage": "MOVED",
                "attempts": 0,
                "due": None,
                "trying": False,
                "fault": None,
            },
            {
                "number": 7,
                "bill": BILL,
                "platform": "SGPX",
                "stage": "UPLOADING",
                "attempts": 2,
                "due": "2027-03-01T00:00:08.000Z",
                "trying": False,
                "fault": WAITS.fault,
            },
        ]
    }
    moved, waits = exchange(filled, "transfers").out.splitlines()
    assert moved == f"MOVED      {OTHER} to THXX, tried 0x"
    assert waits.startswith(
        f"UPLOADING  {BILL} to SGPX, tried 2x, again at 2027-03-01T00:00:08.000Z: http://127.0.0.1:9"
    )
    assert "\x1b" not in waits


def test_a_transfer_that_is_being_tried_is_said_to_be(filled: str, tmp_path: Path) -> None:
    engine = open_engine(filled)
    now, until, over = (f"2027-03-01T00:0{minute}:00.000Z" for minute in (1, 3, 4))
    assert SqlExchange(SqlStore(engine)).take_due(now, until, ["SGPX"]) is not None
    engine.dispose()

    def told(moment: str) -> tuple[bool, str]:
        (tmp_path / "clock").write_text(moment)
        clock = {"BOL_CLOCK_FILE": str(tmp_path / "clock")}
        row = exchange(filled, "transfers", "--json", "--bill", BILL, **clock).json()["transfers"]
        return row[0]["trying"], exchange(filled, "transfers", "--bill", BILL, **clock).out

    tried = "tried 2x, and being tried at this moment: http"
    assert [(trying, tried in line) for trying, line in map(told, (now, until, over))] == [
        (True, True),
        (True, True),
        (False, False),
    ]


def test_a_clock_that_tells_no_time_is_named(url: str, tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("noon")
    ran = exchange(url, "transfers", "--json", BOL_CLOCK_FILE=str(tmp_path / "clock"))
    assert (ran.code, ran.problem()["code"]) == (4, "not_set_up")
    assert "'noon' is not an instant" in ran.problem()["detail"]


def test_transfers_of_one_bill_only_and_not_more_than_wanted(filled: str) -> None:
    def numbers(*words: str) -> list[int]:
        shown = exchange(filled, "transfers", "--json", *words).json()["transfers"]
        return [row["number"] for row in shown]

    assert numbers("--bill", BILL) == [7]
    assert numbers("--bill", "00" * 32) == []
    assert numbers("--limit", "1") == [8]


def test_a_flow_names_what_crossed_to_whom_and_on_which_ground(filled: str) -> None:
    [first, *others] = exchange(filled, "flows", "--json").json()["flows"]
    assert first == {
        "number": 1,
        "at": FLOW.at,
        "direction": "OUT",
        "platform": "SGPX",
        "bill": BILL,
        "what": "envelope",
        "sha256": FLOW.digest,
        "bytes": 4711,
        "recipient": "SGPX:banksg",
        "basis": "act 3 of the bill",
    }
    assert [row["bytes"] for row in others] == [4712, 4713]
    page = exchange(filled, "flows", "--after", "1", "--limit", "1", "--json").json()["flows"]
    assert [row["number"] for row in page] == [2]
    assert exchange(filled, "flows").out.splitlines()[0] == (
        f"{FLOW.at} OUT SGPX envelope of bill {BILL}, 4711 bytes, for SGPX:banksg "
        "(act 3 of the bill)"
    )


@pytest.mark.parametrize(
    "words",
    [("transfers", "--bill", "s417"), ("transfers", "--limit", "0"), ("flows", "--after", "-1")],
    ids=["a bill that is no checksum", "a limit of nothing", "a number before the first"],
)
def test_it_is_used_wrongly_with(words: tuple[str, ...], url: str) -> None:
    assert exchange(url, *words).code == 2


def test_the_database_of_another_platform_is_not_read(filled: str) -> None:
    ran = run(
        "exchange", "flows", "--json", BOL_ORIGIN="elsewhere.example/ebl", BOL_DATABASE_URL=filled
    )
    assert ran.code == 4
    assert ORIGIN in ran.problem()["detail"]
    assert BILL not in ran.out + ran.err
