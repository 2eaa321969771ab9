"""Appending alone, without HTTP: sequencers that judge real events.

64 threads submit transfers whose signatures have been checked, each to a bill of its own, and wait
for each receipt. They are shared out among as many processes as the service has on PostgreSQL, each
like one of its own (`appender`), with threads of gevent. Beside them pgbench commits rows of the
same size to the same PostgreSQL.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

from bench import pgbench
from bench.figures import Figure, Target, in_turn, measured
from bench.platforms import POSTGRESQL, PROCESSES, Ground
from bench.transfers import Shuttle
from tests.service_process import Service

LONGER = 4  # than a sample over HTTP: one of pgbench takes as long
Chain = list[str]


class AppenderEnded(RuntimeError):  # noqa: N818 - says what happened
    """The process that appends ended; what it wrote stands above."""


def appending(ground: Ground) -> list[Figure]:
    """`append-postgresql`, `append-ordered`: the same samples against two paces of pgbench."""
    sizes = ground.sizes
    made = ground.platform("append", POSTGRESQL, lambda opened: opened.maker.issue(sizes.clients))
    kept = ground.shared(made, PROCESSES[POSTGRESQL])
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

    with appenders(kept.processes) as processes:
        processes.appended_per_second(chains(2))
        samples, unordered, ordered = in_turn(
            sizes.samples,
            settled(lambda: processes.appended_per_second(chains(LONGER * sizes.requests))),
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
            note=f"{sizes.clients} threads of gevent in {len(kept.processes)} processes; "
            f"{beside.name}",
        )
        for bench, against, baselines, least in rows
    ]


@dataclass(frozen=True, kw_only=True)
class Appenders:
    processes: Sequence[Appender]

    def appended_per_second(self, chains: list[Chain]) -> float:
        """Signed before, decoded there, appended by one thread for each chain; from the first
        thread's start to the last one's end."""
        for number, process in enumerate(self.processes):
            process.tell(json.dumps(chains[number :: len(self.processes)]))
        for process in self.processes:
            process.told()
        for process in self.processes:
            process.tell("go")
        spans = [json.loads(process.told()) for process in self.processes]
        begun, ended = min(span[0] for span in spans), max(span[1] for span in spans)
        return sum(map(len, chains)) / float(ended - begun)


@dataclass(frozen=True, kw_only=True)
class Appender:
    asks: IO[str]
    answers: IO[str]

    def tell(self, line: str) -> None:
        self.asks.write(f"{line}\n")
        self.asks.flush()

    def told(self) -> str:
        line = self.answers.readline()
        if not line:
            raise AppenderEnded("nothing more is appended")
        return line


@contextmanager
def appenders(services: Sequence[Service]) -> Iterator[Appenders]:
    """One process for each, all ready, for the length of a block."""
    with ExitStack() as all_of_them:
        started = [all_of_them.enter_context(appender(service)) for service in services]
        yield Appenders(processes=started)


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
