"""Custody on the map of the corridor: every signed act a dot, no dot without text, no guesses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from math import dist
from typing import Any

import pytest

from bol_service.domain.custody import TRANSITIONS
from bol_service.domain.events import Action
from bol_service.portal.corridor import (
    LANES,
    CorridorMap,
    Route,
    Seen,
    corridor_map,
    route_of,
    track,
)
from bol_service.portal.corridor_shape import HEIGHT, PLACES, WIDTH
from scripts import corridor_map as script
from tests.documents import corridor_document
from tests.portal_stage import Stage

BY_RAIL = Route(receipt="CNCQI", loading="CNQZH", discharge="SGSIN")
BY_PORT = Route(receipt="CNQZH", loading="CNQZH", discharge="SGSIN")
JOURNEY = tuple(TRANSITIONS)
WITHOUT_RAIL = (
    Action.GATE_IN,
    Action.LOADED_VESSEL,
    Action.VESSEL_DEPARTED,
    Action.DISCHARGED,
    Action.GATE_OUT,
)


def seen(actions: Sequence[Action]) -> list[Seen]:
    return [Seen(action=action, told=str(action)) for action in actions]


def drawn(actions: Sequence[Action], route: Route = BY_RAIL, boxes: int = 1) -> CorridorMap:
    made = corridor_map(route, {f"BOX{number}": seen(actions) for number in range(boxes)})
    assert made is not None
    return made


def test_shapes_and_picture_are_what_the_seeds_make() -> None:
    for path, make in script.made().items():
        assert path.read_text(encoding="utf-8") == make(), "run: python scripts/corridor_map.py"


@pytest.mark.parametrize(
    ("route", "journey"),
    [(BY_RAIL, JOURNEY), (BY_PORT, WITHOUT_RAIL)],
    ids=["by rail", "received at the port itself"],
)
def test_every_act_of_a_journey_has_a_dot_of_its_own_on_the_map(
    route: Route, journey: tuple[Action, ...]
) -> None:
    dots = drawn(journey, route).dots
    assert [dot.told for dot in dots] == [str(action) for action in journey]
    for number, one in enumerate(dots):
        assert 0 < one.x < WIDTH
        assert 0 < one.y < HEIGHT
        assert all(dist((one.x, one.y), (o.x, o.y)) > 8 for o in dots[number + 1 :])


def test_acts_stand_at_the_places_where_they_happen() -> None:
    found = track(BY_RAIL)
    assert found is not None
    assert found.station(Action.GATE_IN) == PLACES["CNCQI"]
    assert found.station(Action.LOADED_VESSEL) == PLACES["CNQZH"]
    assert found.station(Action.GATE_OUT) == PLACES["SGSIN"]


def test_a_container_is_marked_where_it_was_signed_for_last() -> None:
    for action in JOURNEY:
        made = drawn(JOURNEY[: JOURNEY.index(action) + 1])
        mark, last = made.marks[0], made.dots[-1]
        on_the_way = action in (Action.RAIL_DEPARTED, Action.VESSEL_DEPARTED)
        assert ((mark.x, mark.y) == (last.x, last.y)) is not on_the_way
        assert mark.told == str(action)


def test_a_ship_under_way_stands_between_the_ports_and_not_at_one() -> None:
    mark = drawn(JOURNEY[:7]).marks[0]
    for port in ("CNQZH", "SGSIN"):
        assert dist((mark.x, mark.y), PLACES[port]) > 100


def test_customs_release_moves_nothing() -> None:
    made = drawn((Action.GATE_IN, Action.CUSTOMS_RELEASE))
    step, customs = made.dots
    assert (step.kind, customs.kind) == ("step", "customs")
    assert dist((step.x, step.y), (customs.x, customs.y)) > 6
    assert (made.marks[0].x, made.marks[0].y) == (step.x, step.y)
    alone = drawn((Action.CUSTOMS_RELEASE,))
    assert alone.marks == ()


def test_what_customs_signs_is_drawn_over_the_steps_and_not_under_them() -> None:
    made = drawn((Action.GATE_IN, Action.CUSTOMS_RELEASE, Action.LOADED_RAIL), boxes=2)
    assert [dot.kind for dot in made.dots] == ["step"] * 4 + ["customs"] * 2


def test_containers_lie_beside_each_other_and_the_rest_is_counted() -> None:
    made = drawn(JOURNEY[:3], boxes=LANES + 3)
    places = [(dot.x, dot.y) for dot in made.dots]
    assert len(set(places)) == len(places) == 3 * LANES
    assert made.left_out == 3


@pytest.mark.parametrize(
    "route",
    [
        Route(receipt="CNCQI", loading="NLRTM", discharge="SGSIN"),
        Route(receipt="SGSIN", loading="SGSIN", discharge="CNQZH"),
        Route(receipt="SGSIN", loading="CNQZH", discharge="SGSIN"),
        Route(receipt="CNCQI", loading="CNQZH", discharge=None),
        Route(receipt="CNCQI", loading=None, discharge="SGSIN"),
    ],
    ids=["another port", "the other way", "a strange receipt", "no discharge", "no loading"],
)
def test_a_route_that_the_map_does_not_show_has_no_map(route: Route) -> None:
    assert corridor_map(route, {"BOX": seen(JOURNEY[:1])}) is None


def test_a_train_on_a_route_without_rails_is_not_drawn_somewhere() -> None:
    assert corridor_map(BY_PORT, {"BOX": seen(JOURNEY)}) is None


def test_nothing_signed_means_no_map() -> None:
    assert corridor_map(BY_RAIL, {}) is None
    assert corridor_map(BY_RAIL, {"BOX": []}) is None


def test_the_route_is_that_of_the_document() -> None:
    assert route_of(corridor_document(), {Action.GATE_IN: ["CNBIH"]}) == BY_RAIL


def test_without_the_document_it_is_that_of_the_custodians_own_places() -> None:
    facilities = {
        Action.GATE_IN: ["XXXXX", "CNCTN"],
        Action.LOADED_VESSEL: ["CNBIH"],
        Action.GATE_OUT: ["SGSIN"],
    }
    found = route_of(None, facilities)
    assert found == Route(receipt="CNCTN", loading="CNBIH", discharge="SGSIN")
    assert track(found) is not None


@pytest.mark.parametrize(
    "transports",
    [None, [], "x", {"portOfLoading": "CNQZH"}, {"portOfLoading": {"UNLocationCode": ["CNQZH"]}}],
)
def test_a_document_of_another_shape_names_no_place(transports: Any) -> None:
    assert route_of({"transports": transports}, {}).loading is None


# -- on the pages --------------------------------------------------------------------------------


def map_of(page: str) -> str:
    found = re.search(r'<figure class="corridor">.*?</figure>', page, re.DOTALL)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Custody on the map"), ("zh", "箱子保管链")]
)
def test_the_bill_s_page_draws_every_act_that_it_tells(
    stage: Stage, language: str, title: str
) -> None:
    path = f"/portal/bills/{stage.bill_a}"
    page = stage.request("GET", path, party="bankcq", language=language).body.decode()
    drawing = map_of(page)
    assert title in drawing
    assert 'role="img" aria-labelledby="map-title map-text"' in drawing
    assert "<desc" in drawing
    assert not re.search(r"<script|\sstyle=|\son[a-z]+=|href=|<image", drawing)
    dots = re.findall(r'<circle class="(?:step|customs)" cx="[^>]*><title>(.*?)</title>', drawing)
    told = page.count('<ol class="timeline">'), len(re.findall(r"<li><strong>", page))
    assert len(dots) == told[1] > 10
    for dot in dots:
        assert re.match(r"(箱 )?XLCU70011(27|32)", unescape(dot))
        when = re.search(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} \(UTC\+8\)", dot)
        assert when is not None
        assert when[0] in page.replace(drawing, "")


def test_whoever_may_not_see_custody_sees_no_map(stage: Stage) -> None:
    former = stage.request("GET", f"/portal/bills/{stage.bill_a}", party="nusantara")
    assert former.status == 404 or b'class="corridor"' not in former.body
