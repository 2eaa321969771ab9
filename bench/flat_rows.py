"""Does it slow down as it grows: one client, a small platform and a large one, side by side.

The median time of an answer is compared, not a rate: one client waits for each answer before it
sends the next. Bills that are read are drawn from the whole platform, so that nothing is warm that
would not be warm in a large one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bench import load
from bench.figures import Figure, Target, in_turn, measured
from bench.filling import fill
from bench.platforms import SQLITE, Ground, Opened, Platform, start
from bench.transfers import Shuttle
from tests.many_bills import HOLDER

FLAT = Target(most=1.3)
MOVED = 10  # bills that one sample transfers in turn
PAGE = 20
SHORTER = 4  # samples are so much shorter and more: neighbours on the machine come and go


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A running platform of one size; every method gives a median time in ms."""

    platform: Platform[list[str]]
    shuttle: Shuttle
    token: str
    reads: int
    dice: random.Random

    def write(self, _: int) -> float:
        bills = self.dice.sample(self.platform.made, min(MOVED, len(self.platform.made)))
        moves = [self.shuttle.next(bills[number % len(bills)]) for number in range(self.reads)]
        return self._median([load.event(compact) for compact in moves], 201)

    def read(self, _: int) -> float:
        bills = self.dice.choices(self.platform.made, k=self.reads)
        return self._median([load.get(f"/v1/bills/{bill}", self.token) for bill in bills], 200)

    def page(self, _: int) -> float:
        """A full page of the list, from the beginning or after some bill."""
        before_last_page = sorted(self.platform.made)[:-PAGE]
        cursors = self.dice.choices(["", *before_last_page], k=self.reads)
        paths = [f"/v1/bills?limit={PAGE}&cursor={cursor}" for cursor in cursors]
        return self._median([load.get(path, self.token) for path in paths], 200)

    def _median(self, requests: Sequence[bytes], expect: int) -> float:
        return load.run(self.platform.service.port, [requests], expect=expect).percentile(0.5) * 1e3


def growing(ground: Ground) -> list[Figure]:
    """`flat-write`, `flat-read`, `flat-list`: the large platform against the small one."""
    sizes = ground.sizes
    filled = [
        ground.platform(f"flat_{count}", SQLITE, partial(_bills, count))
        for count in (sizes.many_bills, sizes.few_bills)
    ]
    start(*filled)
    large, small = (_scale(ground, platform) for platform in filled)
    return [
        _figure(ground, "flat-write", large.write, small.write),
        _figure(ground, "flat-read", large.read, small.read),
        _figure(ground, "flat-list", large.page, small.page),
    ]


def _bills(count: int, opened: Opened) -> list[str]:
    return fill(opened, count).bills


def _scale(ground: Ground, platform: Platform[list[str]]) -> Scale:
    return Scale(
        platform=platform,
        shuttle=Shuttle(desk=platform.desk),
        token=platform.token(HOLDER),
        reads=max(1, ground.sizes.reads // SHORTER),
        dice=random.Random(len(platform.made)),
    )


def _figure(
    ground: Ground, bench: str, large: Callable[[int], float], small: Callable[[int], float]
) -> Figure:
    sizes = ground.sizes
    large(0)
    small(0)
    samples, baselines = in_turn(sizes.samples * SHORTER, large, small)
    return measured(
        bench,
        samples,
        "ms",
        against=f"p50 with {sizes.few_bills} bills",
        baselines=baselines,
        target=FLAT,
        note=f"p50 with {sizes.many_bills} bills, SQLite, one client",
    )
