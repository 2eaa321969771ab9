"""The law of custody: the journey of one container, who signs each step, dates and seals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from bol_service.domain import errors
from bol_service.domain.custody import TRANSITIONS, is_local_date
from bol_service.domain.events import Action, Leg
from bol_service.domain.states import Place, SealException
from tests.law import Refused, Voyage, rows
from tests.law_scene import (
    BOX_1,
    BOX_2,
    FOREIGN_BOX,
    LOADED_ON,
    PORT_ONLY,
    RECEIVED_ON,
    SEALS,
    VESSEL,
    VOYAGE,
)

Act = Callable[[Voyage], object]

GATE_IN: Act = lambda v: v.gate_in()  # noqa: E731 - the steps read as a list of acts
LOADED_RAIL: Act = lambda v: v.load_on_train()  # noqa: E731
RAIL_DEPARTED: Act = lambda v: v.train_departs()  # noqa: E731
RAIL_ARRIVED: Act = lambda v: v.train_arrives()  # noqa: E731
RECEIVED: Act = lambda v: v.receive_for_transhipment(by=v.custodians.loading)  # noqa: E731
LOADED: Act = lambda v: v.load_on_vessel()  # noqa: E731
SAILED: Act = lambda v: v.vessel_departs()  # noqa: E731
DISCHARGED: Act = lambda v: v.discharge()  # noqa: E731

BY_RAIL = (
    ("GATE_IN", GATE_IN),
    ("LOADED_RAIL", LOADED_RAIL),
    ("RAIL_DEPARTED", RAIL_DEPARTED),
    ("RAIL_ARRIVED", RAIL_ARRIVED),
    ("RECEIVED_TRANSHIPMENT", RECEIVED),
    ("LOADED_VESSEL", LOADED),
    ("VESSEL_DEPARTED", SAILED),
    ("DISCHARGED", DISCHARGED),
)
FROM_PORT = tuple(step for step in BY_RAIL if "RAIL" not in step[0] and "TRANS" not in step[0])


def booked() -> Voyage:
    return Voyage(until="booked")


def at_port() -> Voyage:
    return Voyage(until="booked", custodians=PORT_ONLY)


def after(steps: int, *, rail: bool = True) -> Voyage:
    """The journey's first steps on box 1, all at the same hour."""
    voyage, route = (booked(), BY_RAIL) if rail else (at_port(), FROM_PORT)
    return voyage.then(*(act for _, act in route[:steps]))


# -- the way of a container ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rail", "route"), [(True, BY_RAIL), (False, FROM_PORT)], ids=["by rail", "from the port"]
)
def test_each_step_leads_to_its_place(rail: bool, route: tuple[tuple[str, Act], ...]) -> None:
    voyage = after(0, rail=rail)
    for name, act in route:
        act(voyage)
        assert voyage.box().place is Place(name)


WRONG_ORDER = tuple(
    Refused(
        f"{name} {'by rail' if rail else 'from the port'} after "
        f"{route[done - 1][0] if done else 'nothing'}",
        errors.BadTransition,
        lambda done=done, rail=rail: after(done, rail=rail),  # type: ignore[misc]
        act,
        "/action",
    )
    for rail, route in ((True, BY_RAIL), (False, FROM_PORT))
    for done in range(len(route) + 1)
    for position, (name, act) in enumerate(route)
    if position != done
)
DEAD_ENDS = (
    Refused(
        "without rail nothing is received for transhipment",
        errors.BadTransition,
        lambda: after(1, rail=False),
        RECEIVED,
        "/action",
    ),
    Refused(
        "nothing is received again after it has left the gate",
        errors.BadTransition,
        lambda: Voyage(until="gone"),
        GATE_IN,
        "/action",
    ),
)


@pytest.mark.parametrize("row", rows((*WRONG_ORDER, *DEAD_ENDS)))
def test_no_step_out_of_order(row: Refused) -> None:
    row.check()


# -- who signs -----------------------------------------------------------------------------------

SIGNERS = {
    "GATE_IN": ("guoyuan", Leg.RECEIPT),
    "LOADED_RAIL": ("wrail", Leg.RAIL),
    "RAIL_DEPARTED": ("wrail", Leg.RAIL),
    "RAIL_ARRIVED": ("wrail", Leg.RAIL),
    "RECEIVED_TRANSHIPMENT": ("qinzhou", Leg.LOADING),
    "LOADED_VESSEL": ("qinzhou", Leg.LOADING),
    "VESSEL_DEPARTED": ("qinzhou", Leg.LOADING),
    "DISCHARGED": ("sgterm", Leg.DISCHARGE),
}
METHODS = {
    "GATE_IN": "gate_in",
    "LOADED_RAIL": "load_on_train",
    "RAIL_DEPARTED": "train_departs",
    "RAIL_ARRIVED": "train_arrives",
    "RECEIVED_TRANSHIPMENT": "receive_for_transhipment",
    "LOADED_VESSEL": "load_on_vessel",
    "VESSEL_DEPARTED": "vessel_departs",
    "DISCHARGED": "discharge",
}
PARTIES_TO_CUSTODY = ("guoyuan", "wrail", "qinzhou", "sgterm", "xlsc", "yunling", "sgcus")


@pytest.mark.parametrize("done", range(len(BY_RAIL)), ids=[name for name, _ in BY_RAIL])
def test_only_the_custodian_of_the_leg_signs_and_becomes_custodian(done: int) -> None:
    voyage = after(done)
    name = BY_RAIL[done][0]
    signer, leg = SIGNERS[name]
    sign = getattr(voyage, METHODS[name])
    assert TRANSITIONS[Action(name)].leg is leg

    for other in PARTIES_TO_CUSTODY:
        if other != signer:
            with voyage.refuses(errors.NotCustodian, pointer="/actor"):
                sign(by=other)
    sign(by=signer)

    assert voyage.box().custodian == signer


@pytest.mark.parametrize("slug", ["shadow", "straits", "bankcq", "auditor", "operator", "merlion"])
def test_who_has_no_part_in_custody_learns_nothing_of_it(slug: str) -> None:
    voyage = booked()
    with voyage.refuses(errors.NotFound):
        voyage.gate_in(by=slug)


def test_custody_of_a_shipment_that_nobody_booked_is_unknown() -> None:
    voyage = Voyage()
    with voyage.refuses(errors.NotFound):
        voyage.gate_in()


# -- containers, dates, voyages ------------------------------------------------------------------


def _day(text: str) -> date:
    return date.fromisoformat(text)


OTHERS = (
    Refused(
        "a container that the booking does not name is not received",
        errors.NotOnBill,
        booked,
        lambda v: v.gate_in(FOREIGN_BOX),
        "/stream",
    ),
    Refused(
        "what happened more than a day before the signature",
        errors.BadTime,
        booked,
        lambda v: v.gate_in(occurred_at=v.now - timedelta(hours=24, milliseconds=1)),
        "/details/occurredAt",
    ),
    Refused(
        "what happens more than five minutes after the signature",
        errors.BadTime,
        booked,
        lambda v: v.gate_in(occurred_at=v.now + timedelta(minutes=5, milliseconds=1)),
        "/details/occurredAt",
    ),
    Refused(
        "what happens more than five minutes after the recording",
        errors.BadTime,
        booked,
        lambda v: v.gate_in(
            at=v.now + timedelta(minutes=5), occurred_at=v.now + timedelta(minutes=6)
        ),
        "/details/occurredAt",
    ),
    Refused(
        "what happened before the container's last event",
        errors.BadTime,
        lambda: after(1),
        lambda v: v.load_on_train(occurred_at=v.now - timedelta(milliseconds=1)),
        "/details/occurredAt",
    ),
    Refused(
        "a local date that was yesterday's everywhere",
        errors.BadTime,
        lambda: booked().clock("2027-02-24 21:00"),  # 13:00 UTC, 01:00 at UTC-12
        lambda v: v.gate_in(local_date=_day("2027-02-23")),
        "/details/localDate",
    ),
    Refused(
        "a local date that is tomorrow's everywhere",
        errors.BadTime,
        lambda: booked().clock("2027-02-24 17:00"),  # 09:00 UTC, 23:00 at UTC+14
        lambda v: v.gate_in(local_date=_day("2027-02-25")),
        "/details/localDate",
    ),
    Refused(
        "a vessel departs with what another vessel loaded",
        errors.NotLoaded,
        lambda: after(6),
        lambda v: v.vessel_departs(vessel="OTHER VESSEL"),
        "/details/vessel",
    ),
    Refused(
        "a vessel departs on another voyage than it loaded for",
        errors.NotLoaded,
        lambda: after(6),
        lambda v: v.vessel_departs(voyage="028S"),
        "/details/vessel",
    ),
)
CUSTOMS = (
    Refused(
        "a customs authority that the booking does not name",
        errors.NotFound,
        lambda: Voyage().then(lambda v: v.book(customs=("sgcus",)), GATE_IN),
        lambda v: v.release_by_customs(by="cqcus"),
    ),
    Refused(
        "a terminal in the place of customs",
        errors.NotCustodian,
        lambda: after(1),
        lambda v: v.release_by_customs(by="guoyuan"),
        "/actor",
    ),
    Refused(
        "the carrier in the place of customs",
        errors.NotCustodian,
        lambda: after(1),
        lambda v: v.release_by_customs(by="xlsc"),
        "/actor",
    ),
    Refused(
        "customs before the container was received",
        errors.BadTransition,
        booked,
        lambda v: v.release_by_customs(),
        "/action",
    ),
    Refused(
        "customs after the container has left",
        errors.BadTransition,
        lambda: Voyage(until="ordered", customs_release=False).then(lambda v: v.gate_out()),
        lambda v: v.release_by_customs(),
        "/action",
    ),
    Refused(
        "a second release by customs",
        errors.BadTransition,
        lambda: after(1).then(lambda v: v.release_by_customs(by="cqcus")),
        lambda v: v.release_by_customs(by="sgcus"),
        "/action",
    ),
    Refused(
        "customs with a date long past",
        errors.BadTime,
        lambda: after(1),
        lambda v: v.release_by_customs(occurred_at=v.now - timedelta(hours=25)),
        "/details/occurredAt",
    ),
)


@pytest.mark.parametrize("row", rows((*OTHERS, *CUSTOMS)))
def test_refused(row: Refused) -> None:
    row.check()


@pytest.mark.parametrize(
    "ago",
    [timedelta(hours=24), timedelta(0), timedelta(minutes=-5)],
    ids=["a day ago", "now", "in five minutes"],
)
def test_an_event_may_be_told_of(ago: timedelta) -> None:
    voyage = booked()
    occurred = voyage.now - ago

    voyage.gate_in(occurred_at=occurred)

    assert voyage.box().since == occurred


def test_two_events_may_happen_at_one_moment() -> None:
    assert after(2).box().place is Place.LOADED_RAIL


def test_customs_may_release_by_a_time_before_the_last_move() -> None:
    voyage = after(1)
    since = voyage.box().since

    voyage.release_by_customs(occurred_at=since - timedelta(hours=1))

    assert voyage.box().customs_released == "SG-REL-118"
    assert (voyage.box().since, voyage.box().custodian) == (since, "guoyuan")
    assert voyage.box().place is Place.GATE_IN


def test_a_container_may_come_in_without_its_seals_being_read() -> None:
    voyage = booked().then(lambda v: v.gate_in(seals=None))

    assert voyage.box().seals is None


def test_seals_read_for_the_first_time_are_no_mismatch() -> None:
    voyage = booked().then(
        lambda v: v.gate_in(seals=None), lambda v: v.load_on_train(seals=("S1",))
    )

    assert (voyage.box().seals, voyage.box().exceptions) == (("S1",), ())


def test_a_container_found_without_the_seals_it_had_is_an_exception() -> None:
    voyage = booked().then(lambda v: v.gate_in(seals=("S1",)), lambda v: v.load_on_train(seals=()))

    assert [(e.expected, e.found) for e in voyage.box().exceptions] == [(("S1",), ())]


def test_a_booking_without_containers_takes_any() -> None:
    voyage = Voyage().then(lambda v: v.book(containers=()), lambda v: v.gate_in(FOREIGN_BOX))

    assert voyage.box(FOREIGN_BOX).place is Place.GATE_IN


NOON = datetime(2027, 3, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "moment", "somewhere"),
    [
        (date(2027, 3, 5), NOON, True),
        (date(2027, 3, 4), NOON - timedelta(milliseconds=1), True),
        (date(2027, 3, 4), NOON, False),
        (date(2027, 3, 6), NOON - timedelta(hours=2), True),
        (date(2027, 3, 6), NOON - timedelta(hours=2, milliseconds=1), False),
    ],
    ids=[
        "the day in Greenwich",
        "the day before, as long as UTC-12 has it",
        "not the day before once UTC-12 is past it",
        "the day after, as soon as UTC+14 has it",
        "not the day after before UTC+14 has it",
    ],
)
def test_a_local_date_is_one_that_some_place_has(
    day: date, moment: datetime, somewhere: bool
) -> None:
    assert is_local_date(day, moment) is somewhere


def test_loading_is_remembered_for_the_notation() -> None:
    voyage = Voyage(until="discharged")

    loading = voyage.box().loading
    assert loading is not None
    assert (loading.vessel, loading.voyage, loading.local_date) == (VESSEL, VOYAGE, LOADED_ON)
    assert voyage.box().received_on == RECEIVED_ON


# -- appointing another custodian ----------------------------------------------------------------


def test_an_appointed_custodian_signs_from_now_on_and_the_former_no_more() -> None:
    voyage = after(5).then(lambda v: v.appoint(Leg.LOADING, "guoyuan"))

    with voyage.refuses(errors.NotFound):
        voyage.load_on_vessel(by="qinzhou")
    voyage.load_on_vessel(by="guoyuan")


# -- seals ---------------------------------------------------------------------------------------


def test_equal_seals_in_another_order_are_no_exception() -> None:
    voyage = after(4)

    voyage.receive_for_transhipment(seals=tuple(reversed(SEALS[BOX_1])))

    assert voyage.box().exceptions == ()


def test_seals_that_are_not_read_are_no_exception() -> None:
    voyage = after(4)

    voyage.receive_for_transhipment(seals=None)

    assert voyage.box().exceptions == ()
    assert voyage.box().seals == SEALS[BOX_1]


FOUND = (
    ("another seal", ("XL9999999",)),
    ("one seal of two", SEALS[BOX_1][:1]),
    ("one seal more", (*SEALS[BOX_1], "XX1")),
    ("no seal at all", ()),
)


@pytest.mark.parametrize("found", [row[1] for row in FOUND], ids=[row[0] for row in FOUND])
def test_a_seal_mismatch_at_the_port_is_recorded_and_makes_an_exception(
    found: tuple[str, ...],
) -> None:
    voyage = after(4)

    voyage.receive_for_transhipment(seals=found)

    exception = SealException(sequence=4, custodian="qinzhou", expected=SEALS[BOX_1], found=found)
    assert voyage.box().exceptions == (exception,)
    assert voyage.box().place is Place.RECEIVED_TRANSHIPMENT


def test_the_next_custodian_must_find_what_was_found() -> None:
    voyage = after(4).then(lambda v: v.receive_for_transhipment(seals=("XL1",)))

    voyage.load_on_vessel(seals=("XL1",))
    assert len(voyage.box().exceptions) == 1
    voyage.vessel_departs(seals=SEALS[BOX_1])

    assert [exception.found for exception in voyage.box().exceptions] == [
        ("XL1",),
        SEALS[BOX_1],
    ]


def test_seals_that_customs_changed_make_an_exception_under_its_name() -> None:
    voyage = after(1)

    voyage.release_by_customs(seals=("CQC-NEW",))

    assert [exception.custodian for exception in voyage.box().exceptions] == ["sgcus"]


def test_the_journey_names_every_place_once_in_order() -> None:
    places = [TRANSITIONS[Action(name)].after for name, _ in BY_RAIL]

    assert all(list(Place).index(one) < list(Place).index(two) for one, two in pairwise(places))


def test_boxes_have_separate_journeys() -> None:
    voyage = after(3).then(lambda v: v.gate_in(BOX_2))

    assert (voyage.box(BOX_1).place, voyage.box(BOX_2).place) == (
        Place.RAIL_DEPARTED,
        Place.GATE_IN,
    )


def test_the_table_of_moves_stands_as_it_is_written() -> None:
    found = {
        str(action): ({str(place) for place in move.before}, str(move.leg), str(move.after))
        for action, move in TRANSITIONS.items()
    }
    assert found == {
        "GATE_IN": ({"None"}, "receipt", "GATE_IN"),
        "LOADED_RAIL": ({"GATE_IN"}, "rail", "LOADED_RAIL"),
        "RAIL_DEPARTED": ({"LOADED_RAIL"}, "rail", "RAIL_DEPARTED"),
        "RAIL_ARRIVED": ({"RAIL_DEPARTED"}, "rail", "RAIL_ARRIVED"),
        "RECEIVED_TRANSHIPMENT": ({"RAIL_ARRIVED"}, "loading", "RECEIVED_TRANSHIPMENT"),
        "LOADED_VESSEL": ({"RECEIVED_TRANSHIPMENT", "GATE_IN"}, "loading", "LOADED_VESSEL"),
        "VESSEL_DEPARTED": ({"LOADED_VESSEL"}, "loading", "VESSEL_DEPARTED"),
        "DISCHARGED": ({"VESSEL_DEPARTED"}, "discharge", "DISCHARGED"),
        "GATE_OUT": ({"DISCHARGED"}, "discharge", "GATE_OUT"),
    }


@pytest.mark.parametrize("day", [date.min, date.max])
def test_local_dates_at_the_ends_of_the_calendar_can_be_asked_for(day: date) -> None:
    assert is_local_date(day, datetime(day.year, day.month, day.day, 23, tzinfo=UTC))
