"""Figures: what a row of `make bench` measured, beside what it is compared to.

1. A figure is the median of its samples; the limit it is compared to is measured in the same run,
   sample by sample in turn, so that a busy machine slows both.
2. `ratio` is value by baseline. A target says that it should be at least, or at most, so much.
3. A missed target is marked, never an error: speed is told, not asserted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the ratio should be; exactly one of the two is set."""

    least: float | None = None
    most: float | None = None

    def met(self, ratio: float) -> bool:
        if self.least is not None:
            return ratio >= self.least
        assert self.most is not None
        return ratio <= self.most

    def __str__(self) -> str:
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`against` says in words what `baseline` is."""

    bench: str
    value: float
    unit: str
    against: str
    baseline: float
    baseline_unit: str
    target: Target
    samples: Sequence[float] = ()
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.value / self.baseline

    @property
    def ok(self) -> bool:
        return self.target.met(self.ratio)

    def to_json(self) -> str:
        """The figure as one JSON line."""
        value: dict[str, Any] = {
            "bench": self.bench,
            "value": _rounded(self.value),
            "unit": self.unit,
            "against": self.against,
            "baseline": {"value": _rounded(self.baseline), "unit": self.baseline_unit},
            "ratio": round(self.ratio, 3),
            "ok": self.ok,
        }
        limit = "least" if self.target.least is not None else "most"
        value[limit] = self.target.least if self.target.least is not None else self.target.most
        if self.samples:
            value["samples"] = [_rounded(sample) for sample in self.samples]
        if self.note:
            value["note"] = self.note
        return json.dumps(value, ensure_ascii=False)


def measured(
    bench: str,
    samples: Sequence[float],
    unit: str,
    *,
    against: str,
    baselines: Sequence[float],
    target: Target,
    baseline_unit: str | None = None,
    note: str = "",
) -> Figure:
    """A figure whose baseline was measured too, in the same unit unless another is given."""
    return Figure(
        bench=bench,
        value=median(samples),
        unit=unit,
        against=against,
        baseline=median(baselines),
        baseline_unit=baseline_unit or unit,
        target=target,
        samples=tuple(samples),
        note=note,
    )


def limited(
    bench: str,
    samples: Sequence[float],
    unit: str,
    *,
    limit: float,
    target: Target,
    note: str = "",
) -> Figure:
    """A figure held to a fixed limit of its own unit."""
    return Figure(
        bench=bench,
        value=median(samples),
        unit=unit,
        against=f"{limit:g} {unit}",
        baseline=limit,
        baseline_unit=unit,
        target=target,
        samples=tuple(samples),
        note=note,
    )


def in_turn(count: int, *runs: Callable[[int], float]) -> list[list[float]]:
    """`count` samples of each run, one of each at a time; a run is told the sample's number."""
    samples: list[list[float]] = [[] for _ in runs]
    for number in range(count):
        for kept, run in zip(samples, runs, strict=True):
            kept.append(run(number))
    return samples


def _rounded(value: float) -> float:
    """Four digits: no more than a shared machine can tell apart."""
    return float(f"{value:.4g}")
