"""Appending alone, without HTTP: the sequencer in this process, judging real events.

64 threads submit transfers whose signatures have been checked, each to a bill of its own, and wait
for each receipt. Beside it pgbench commits rows of the same size to the same PostgreSQL.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from bench import pgbench
from bench.figures import Figure, Target, in_turn, measured
from bench.platforms import POSTGRESQL, Ground
from bench.transfers import Shuttle
from bol_service.application.commit import Accepted
from bol_service.application.sequencer import Sequencer
from bol_service.wire.events import SignedEvent, decode

Chain = list[SignedEvent]


def appending(ground: Ground) -> list[Figure]:
    """`append-postgresql`, `append-ordered`: the same samples against two paces of pgbench."""
    sizes = ground.sizes
    kept = ground.platform("append", POSTGRESQL, lambda opened: opened.maker.issue(sizes.clients))
    shuttle = Shuttle(desk=kept.desk)
    beside = pgbench.prepared(
        ground.postgres(), ground.folder, clients=sizes.clients, seconds=sizes.seconds
    )

    def chains(length: int) -> list[Chain]:
        return [[decode(shuttle.next(bill)) for _ in range(length)] for bill in kept.made]

    with kept.inside() as running:
        sequencer = running.services.sequencer
        appended_per_second(sequencer, chains(2))
        samples, unordered, ordered = in_turn(
            sizes.samples,
            lambda _: appended_per_second(sequencer, chains(sizes.requests)),
            lambda _: beside.commits(pgbench.UNORDERED),
            lambda _: beside.commits(pgbench.ORDERED),
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
            note=f"{sizes.clients} threads; {beside.name}",
        )
        for bench, against, baselines, least in rows
    ]


def appended_per_second(sequencer: Sequencer, chains: Sequence[Chain]) -> float:
    """One thread for each chain; raises the refusal of an event that was refused."""

    def append(chain: Chain) -> None:
        for signed in chain:
            answer: Accepted = sequencer.submit(signed)
            assert not answer.resend

    gc.collect()
    gc.freeze()  # what was signed before the clock starts is no rubbish to look for
    with ThreadPoolExecutor(len(chains)) as pool:
        started = time.perf_counter()
        for done in [pool.submit(append, chain) for chain in chains]:
            done.result()
        seconds = time.perf_counter() - started
    return sum(map(len, chains)) / seconds
