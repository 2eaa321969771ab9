"""How much a run does: enough to trust its ratios, or just enough to see that it works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """`requests` are those of one client in one sample; `seconds` is one sample of pgbench."""

    samples: int = 3
    clients: int = 64
    requests: int = 50
    seconds: int = 4
    batch: int = 500
    batches: int = 3  # of one client in one sample
    issues: int = 5  # of one client in one sample
    few_bills: int = 100
    many_bills: int = 100_000
    reads: int = 400  # in one sample
    long_bill: int = 500
    audited_bills: int = 10_000  # of 20 entries each
    verified: int = 40_000  # entries whose signatures alone are checked


FULL = Sizes()
QUICK = Sizes(
    requests=15,
    seconds=2,
    batches=1,
    issues=1,
    many_bills=2_000,
    reads=100,
    audited_bills=1_000,  # starting three processes must not be most of it
    verified=2_000,
)
TINY = Sizes(
    samples=1,
    clients=4,
    requests=3,
    seconds=1,
    batch=8,
    batches=1,
    issues=1,
    few_bills=4,
    many_bills=8,
    reads=5,
    long_bill=10,
    audited_bills=3,
    verified=20,
)
