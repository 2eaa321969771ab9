"""Where the containers of a bill were seen, on a small map of the corridor: one static drawing.

1. The route is that of the signed document; where a reader may not see the document, that of the
   custodians' own registered facilities. A route elsewhere in the world has no map here.
2. Every signed act of custody is a dot. Acts at one place stand one after the other along the
   route, containers beside each other, so that no dot hides another: a scheme, not a survey.
3. A container is marked where it was signed for last. On a train or ship the mark stands in the
   middle of the leg, because nobody signs for places between.
4. Nothing here is told by the drawing alone: the same acts stand as text beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot
from typing import Any, Final

from bol_service.domain.events import Action
from bol_service.portal.corridor_shape import HEIGHT, LAND, NAMES, PLACES, VIA, WIDTH

Json = dict[str, Any]
Point = tuple[float, float]

LANES: Final = 4  # containers beside each other; more would not be told apart
_STEP, _LANE = 13.0, 10.5
_NAME_WIDTH = 110
_INLAND: Final = frozenset({"CNCQI", "CNCHQ", "CNCTN"})
_GULF: Final = frozenset({"CNQZH", "CNBIH", "CNFAN"})


@dataclass(frozen=True, kw_only=True)
class Route:
    """UN/LOCODEs of the places where custody changes; None where it is not known."""

    receipt: str | None
    loading: str | None
    discharge: str | None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One signed act of custody; `told` is its text for people."""

    action: Action
    told: str


@dataclass(frozen=True, kw_only=True)
class Leg:
    kind: str
    points: tuple[Point, ...]

    @property
    def length(self) -> float:
        return sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(self.points))

    def at(self, distance: float, aside: float = 0.0) -> Point:
        """The point `distance` along the leg, and `aside` to its right."""
        left = min(max(distance, 0.0), self.length)
        for a, b in pairwise(self.points):
            part = hypot(b[0] - a[0], b[1] - a[1])
            if left <= part or b == self.points[-1]:
                along = ((b[0] - a[0]) / part, (b[1] - a[1]) / part)
                x = a[0] + along[0] * left - along[1] * aside
                y = a[1] + along[1] * left + along[0] * aside
                return round(x, 1), round(y, 1)
            left -= part
        raise AssertionError("a leg has two points at least")


@dataclass(frozen=True, kw_only=True)
class Track:
    """The legs of a route; `rail` is None where the port of loading itself receives."""

    rail: Leg | None
    sea: Leg

    @property
    def legs(self) -> tuple[Leg, ...]:
        return (self.rail, self.sea) if self.rail else (self.sea,)

    def station(self, action: Action, steps: float = 0.0, aside: float = 0.0) -> Point:
        """Where an act stands; `steps` further along."""
        leg, distance = self._place(action)
        return leg.at(distance + steps * _STEP, aside)

    def now(self, action: Action, aside: float) -> Point:
        """Where a container is after `action` as its last act."""
        if action is Action.VESSEL_DEPARTED:
            return self.sea.at(self.sea.length / 2, aside)
        if action is Action.RAIL_DEPARTED and self.rail is not None:
            return self.rail.at(self.rail.length / 2, aside)
        return self.station(action, aside=aside)

    def _place(self, action: Action) -> tuple[Leg, float]:
        first = self.rail or self.sea
        at_port = 0.0 if self.rail else _STEP
        end_of_rail = self.rail.length if self.rail else 0.0
        places = {
            Action.GATE_IN: (first, 0.0),
            Action.LOADED_RAIL: (first, _STEP),
            Action.RAIL_DEPARTED: (first, 2 * _STEP),
            Action.RAIL_ARRIVED: (first, end_of_rail - 2 * _STEP),
            Action.RECEIVED_TRANSHIPMENT: (first, end_of_rail - _STEP),
            Action.LOADED_VESSEL: (self.sea, at_port),
            Action.VESSEL_DEPARTED: (self.sea, at_port + _STEP),
            Action.DISCHARGED: (self.sea, self.sea.length - _STEP),
            Action.GATE_OUT: (self.sea, self.sea.length),
        }
        return places[action]


@dataclass(frozen=True, kw_only=True)
class Dot:
    x: float
    y: float
    kind: str
    told: str


@dataclass(frozen=True, kw_only=True)
class Stop:
    x: float
    y: float
    code: str
    names: tuple[str, str]
    is_below: bool  # whether its name stands below it, for want of room on its left


@dataclass(frozen=True, kw_only=True)
class CorridorMap:
    """What the template draws. `left_out` counts the containers for which there was no lane."""

    legs: tuple[tuple[str, str], ...]
    stops: tuple[Stop, ...]
    dots: tuple[Dot, ...]
    marks: tuple[Dot, ...]
    left_out: int
    land: str = LAND
    size: tuple[int, int] = (WIDTH, HEIGHT)


def route_of(document: Json | None, facilities: Mapping[str, Iterable[str]]) -> Route:
    """The route; `facilities` are UN/LOCODEs of whoever signed, by the name of the act."""
    transports = (document or {}).get("transports", {})
    transports = transports if isinstance(transports, dict) else {}

    def code(member: str, *actions: Action) -> str | None:
        place = transports.get(member)
        found = place.get("UNLocationCode") if isinstance(place, dict) else None
        signed = [known for action in actions for known in facilities.get(action, ())]
        named = (known for known in (found, *signed) if isinstance(known, str))
        return next((known for known in named if known in PLACES), None)

    return Route(
        receipt=code("placeOfReceipt", Action.GATE_IN),
        loading=code("portOfLoading", Action.RECEIVED_TRANSHIPMENT, Action.LOADED_VESSEL),
        discharge=code("portOfDischarge", Action.DISCHARGED, Action.GATE_OUT),
    )


def track(route: Route) -> Track | None:
    """The route as lines of the map; None for one that this map does not show."""
    loading = route.loading
    if loading not in _GULF or route.discharge != "SGSIN":
        return None
    receipt = route.receipt or loading
    if receipt != loading and receipt not in _INLAND and receipt != "CNNIN":
        return None
    via = VIA["RAIL_CHONGQING"] if receipt in _INLAND else ()
    rail = Leg(kind="rail", points=(PLACES[receipt], *via, PLACES[loading]))
    sea = Leg(kind="sail", points=(PLACES[loading], *VIA["SEA_BEIBU"], PLACES["SGSIN"]))
    return Track(rail=None if receipt == loading else rail, sea=sea)


def corridor_map(route: Route, boxes: Mapping[str, Sequence[Seen]]) -> CorridorMap | None:
    """The map of the containers' signed acts; None where there is nothing, or no such map."""
    shown = dict(list(boxes.items())[:LANES])
    found = track(route)
    if found is None or not any(boxes.values()) or not _fits(found, boxes):
        return None
    dots: list[Dot] = []
    marks: list[Dot] = []
    for number, acts in enumerate(shown.values()):
        aside = (number - (len(shown) - 1) / 2) * _LANE
        dots += _dots(found, acts, aside)
        moves = [act for act in acts if act.action is not Action.CUSTOMS_RELEASE]
        if moves:
            x, y = found.now(moves[-1].action, aside)
            marks.append(Dot(x=x, y=y, kind="now", told=moves[-1].told))
    return CorridorMap(
        legs=tuple((leg.kind, path(leg.points)) for leg in found.legs),
        stops=tuple(_stops(route)),
        # What customs signs stands between two steps: drawn last, it is not covered by them.
        dots=tuple(sorted(dots, key=lambda dot: dot.kind == "customs")),
        marks=tuple(marks),
        left_out=len(boxes) - len(shown),
    )


def _fits(found: Track, boxes: Mapping[str, Sequence[Seen]]) -> bool:
    """Whether the acts are those of this track: no train where it has no rail."""
    rail = {Action.LOADED_RAIL, Action.RAIL_DEPARTED, Action.RAIL_ARRIVED}
    acts = {act.action for seen in boxes.values() for act in seen}
    return found.rail is not None or not acts & rail


def _dots(found: Track, acts: Sequence[Seen], aside: float) -> Iterable[Dot]:
    last = Action.GATE_IN
    for act in acts:
        if act.action is Action.CUSTOMS_RELEASE:
            x, y = found.station(last, steps=0.5, aside=aside)
            yield Dot(x=x, y=y, kind="customs", told=act.told)
            continue
        last = act.action
        x, y = found.station(last, aside=aside)
        yield Dot(x=x, y=y, kind="step", told=act.told)


def _stops(route: Route) -> Iterable[Stop]:
    for code in dict.fromkeys((route.receipt, route.loading, route.discharge)):
        if code is not None:
            x, y = PLACES[code]
            yield Stop(x=x, y=y, code=code, names=NAMES[code], is_below=x < _NAME_WIDTH)


def path(points: Sequence[Point]) -> str:
    """An SVG path through `points`."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
