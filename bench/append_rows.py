"""Appending alone, without HTTP: the sequencer in one process, judging real events.

64 threads submit transfers whose signatures have been checked, each to a bill of its own, and wait
for each receipt. The process is like the service's (`appender`): its threads are gevent's. Beside
it pgbench commits rows of the same size to the same PostgreSQL.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from bench import pgbench
from bench.figures import Figure, Target, in_turn, measured
from bench.platforms import POSTGRESQL, Ground
from bench.transfers import Shuttle
from tests.service_process import Service

LONGER = 4  # than a sample over HTTP: one of pgbench takes as long
Chain = list[str]


class AppenderEnded(RuntimeError):  # noqa: N818 - says what happened
    """The process that appends ended; what it wrote stands above."""


def appending(ground: Ground) -> list[Figure]:
    """`append-postgresql`, `append-ordered`: the same samples against two paces of pgbench."""
    sizes = ground.sizes
    kept = ground.platform("append", POSTGRESQL, lambda opened: opened.maker.issue(sizes.clients))
    shuttle = Shuttle(desk=kept.desk)
    beside = pgbench.prepared(
        ground.postgres(), ground.folder, clients=sizes.clients, seconds=sizes.seconds
    )

    def chains(length: int) -> list[Chain]:
        return [[shuttle.next(bill) for _ in range(length)] for bill in kept.made]

    def settled(commits: Callable[[], float]) -> Callable[[int], float]:
        def sample(_: int) -> float:
            beside.settle()
            return commits()

        return sample

    with appender(kept.service) as process:
        process.appended_per_second(chains(2))
        samples, unordered, ordered = in_turn(
            sizes.samples,
            settled(lambda: process.appended_per_second(chains(LONGER * sizes.requests))),
            settled(lambda: beside.commits(pgbench.UNORDERED)),
            settled(lambda: beside.commits(pgbench.ORDERED)),
        )
    rows = (
        ("append-postgresql", "durable single-row commits without order", unordered, 0.3),
        ("append-ordered", "the same with an order: head FOR UPDATE, insert, update", ordered, 3.0),
    )
    return [
        measured(
            bench,
            samples,
            "events/s",
            against=against,
            baselines=baselines,
            baseline_unit="commits/s",
            target=Target(least=least),
            note=f"{sizes.clients} threads of gevent in one process; {beside.name}",
        )
        for bench, against, baselines, least in rows
    ]


@dataclass(kw_only=True)
class Appender:
    asks: IO[str]
    answers: IO[str]

    def appended_per_second(self, chains: list[Chain]) -> float:
        """Signed before, decoded there, appended by one thread for each chain."""
        self._tell(json.dumps(chains))
        self.told()
        self._tell("go")
        return sum(map(len, chains)) / float(self.told())

    def _tell(self, line: str) -> None:
        self.asks.write(f"{line}\n")
        self.asks.flush()

    def told(self) -> str:
        line = self.answers.readline()
        if not line:
            raise AppenderEnded("nothing more is appended")
        return line


@contextmanager
def appender(service: Service) -> Iterator[Appender]:
    """The process, ready, for the length of a block."""
    command = [sys.executable, "-m", "bench.appender"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, env=service.environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        made = Appender(asks=process.stdin, answers=process.stdout)
        made.told()
        yield made
        process.stdin.close()
