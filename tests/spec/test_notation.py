"""The on-board notation: by the carrier, once, and exactly what the load events prove."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bol_service.domain import errors
from bol_service.domain.events import Leg
from bol_service.domain.states import Status
from tests.law import Refused, Voyage, rows
from tests.law_scene import BOX_1, BOX_2, LOADED_ON, PORT_ONLY, RECEIVED_ON, shipped


def loaded() -> Voyage:
    return Voyage(until="loaded")


def carried() -> Voyage:
    return Voyage(until="carried")


NOTATION = (
    Refused(
        "nothing is loaded",
        errors.NotLoaded,
        carried,
        lambda v: v.note_on_board(),
    ),
    Refused(
        "one container of two is loaded",
        errors.NotLoaded,
        lambda: carried().clock("2027-03-05 04:40").then(lambda v: v.load_on_vessel(BOX_1)),
        lambda v: v.note_on_board(),
    ),
    Refused(
        "the containers are on two vessels",
        errors.NotLoaded,
        lambda: (
            carried()
            .clock("2027-03-05 04:40")
            .then(
                lambda v: v.load_on_vessel(BOX_1),
                lambda v: v.load_on_vessel(BOX_2, vessel="OTHER VESSEL"),
            )
        ),
        lambda v: v.note_on_board(),
    ),
    Refused(
        "the containers are on two voyages",
        errors.NotLoaded,
        lambda: (
            carried()
            .clock("2027-03-05 04:40")
            .then(
                lambda v: v.load_on_vessel(BOX_1), lambda v: v.load_on_vessel(BOX_2, voyage="028S")
            )
        ),
        lambda v: v.note_on_board(),
    ),
    Refused(
        "it names another vessel",
        errors.NotLoaded,
        loaded,
        lambda v: v.note_on_board(vessel="OTHER VESSEL"),
        "/details/vesselName",
    ),
    Refused(
        "it names another voyage",
        errors.NotLoaded,
        loaded,
        lambda v: v.note_on_board(voyage="028S"),
        "/details/vesselName",
    ),
    Refused(
        "it is dated the day before loading",
        errors.Antedating,
        loaded,
        lambda v: v.note_on_board(on_board_date=date(2027, 3, 4)),
        "/details/onBoardDate",
    ),
    Refused(
        "it is dated the day after loading",
        errors.Antedating,
        loaded,
        lambda v: v.note_on_board(on_board_date=date(2027, 3, 6)),
        "/details/onBoardDate",
    ),
    Refused(
        "it is dated by the first container of two",
        errors.Antedating,
        lambda: (
            carried()
            .clock("2027-03-05 04:40")
            .then(lambda v: v.load_on_vessel(BOX_1))
            .clock("2027-03-06 04:40")
            .then(lambda v: v.load_on_vessel(BOX_2))
        ),
        lambda v: v.note_on_board(on_board_date=LOADED_ON),
        "/details/onBoardDate",
    ),
    Refused(
        "it names a port where the loading terminal is not",
        errors.NotLoaded,
        loaded,
        lambda v: v.note_on_board(port_of_loading="SGSIN"),
        "/details/portOfLoading",
    ),
    Refused(
        "the shipper signs it",
        errors.NotCarrier,
        loaded,
        lambda v: v.note_on_board("yunling"),
        "/actor",
    ),
    Refused(
        "the terminal signs it",
        errors.NotCarrier,
        loaded,
        lambda v: v.note_on_board("qinzhou"),
        "/actor",
    ),
    Refused(
        "it is made already",
        errors.AlreadyOnBoard,
        lambda: Voyage(until="noted"),
        lambda v: v.note_on_board(),
    ),
    Refused(
        "the bill was issued as shipped on board",
        errors.AlreadyOnBoard,
        lambda: issued_shipped(),
        lambda v: v.note_on_board(),
    ),
    Refused(
        "a surrender waits for the answer",
        errors.PendingSurrender,
        lambda: loaded().then(lambda v: v.surrender("yunling")),
        lambda v: v.note_on_board(),
    ),
    Refused(
        "the bill is surrendered",
        errors.TerminalState,
        lambda: loaded().then(lambda v: v.surrender("yunling"), lambda v: v.accept_surrender()),
        lambda v: v.note_on_board(),
    ),
    Refused(
        "the issue was refused",
        errors.TerminalState,
        lambda: loaded().then(lambda v: v.refuse("yunling")),
        lambda v: v.note_on_board(),
    ),
)


def issued_shipped() -> Voyage:
    voyage = Voyage(document=shipped(), custodians=PORT_ONLY, until="received")
    voyage.clock("2027-03-05 04:40")
    return voyage.then(
        lambda v: v.load_on_vessel(BOX_1), lambda v: v.load_on_vessel(BOX_2), lambda v: v.issue()
    )


@pytest.mark.parametrize("row", rows(NOTATION))
def test_no_notation_when(row: Refused) -> None:
    row.check()


def test_a_notation_makes_an_on_board_bill_and_leaves_control_alone() -> None:
    voyage = loaded()
    control = voyage.control

    voyage.note_on_board()

    assert (voyage.bill.received_on, voyage.bill.on_board_on) == (RECEIVED_ON, LOADED_ON)
    assert (voyage.control, voyage.status) == (control, Status.ISSUED)


def test_a_notation_bears_the_date_of_the_last_container() -> None:
    voyage = carried().clock("2027-03-05 04:40").then(lambda v: v.load_on_vessel(BOX_2))
    voyage.wait(days=1).then(lambda v: v.load_on_vessel(BOX_1))

    voyage.note_on_board(on_board_date=LOADED_ON + timedelta(days=1))

    assert voyage.bill.on_board_on == date(2027, 3, 6)


@pytest.mark.parametrize("stage", ["sailed", "discharged"])
def test_a_notation_may_follow_after_departure_and_after_discharge(stage: str) -> None:
    voyage = loaded()
    for box in (BOX_1, BOX_2):
        voyage.vessel_departs(box)
        if stage == "discharged":
            voyage.discharge(box)

    voyage.note_on_board()

    assert voyage.bill.on_board_on == LOADED_ON


def test_appointing_another_terminal_later_does_not_move_the_port_of_loading() -> None:
    voyage = Voyage(until="sailed").then(lambda v: v.appoint(Leg.LOADING, "guoyuan"))

    with voyage.refuses(errors.NotLoaded, pointer="/details/portOfLoading"):
        voyage.note_on_board(port_of_loading="CNCQI")
    voyage.note_on_board(port_of_loading="CNQZH")

    assert voyage.bill.on_board_on == LOADED_ON
