"""The gate's question, asked while everybody writes.

A terminal asks whether a container may leave, again and again over one connection: first while
nobody else is there, then while 64 clients transfer bills from another process. The bill has been
surrendered and the delivery order made out, so the answer is RELEASE and all of the guard runs.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Iterator
from datetime import timedelta

from bench import load
from bench.figures import Figure, Target, in_turn, limited, measured
from bench.platforms import POSTGRESQL, PROCESSES, Ground, Opened, start
from bench.transfers import Queues, Shuttle
from bol_service.wire.event_fields import instant_text
from tests.desk import STORY
from tests.many_bills import CARRIER, HOLDER, container

TERMINAL = "sgterm"
IDLE_LIMIT_MS = 50.0
WARM_UP = 20


class WritersFailed(RuntimeError):  # noqa: N818 - says what happened
    """The clients that should write beside the reader were refused."""


def release_check(ground: Ground) -> list[Figure]:
    """`release-check` and `release-check-idle`: p99 of the answer."""
    sizes = ground.sizes
    platform = ground.platform("release", POSTGRESQL, lambda opened: _bills(opened, sizes.clients))
    platform = ground.shared(platform, PROCESSES[POSTGRESQL])
    service, shuttle = platform.service, Shuttle(desk=platform.desk)
    start(platform)
    question = load.get(f"/v1/containers/{container(0)}/release-check", platform.token(TERMINAL))
    _require_release(load.run(service.port, [[question] * WARM_UP], expect=200, keep=True))

    def idle(_: int) -> float:
        result = load.run(service.port, [[question] * sizes.reads], expect=200)
        return result.percentile(0.99) * 1000

    def beside_writers(_: int) -> float:
        queues = shuttle.queues(platform.made, sizes.requests)
        asked = [_while_writing(platform.ports, queues, question)]
        result = load.run(service.port, asked, expect=200)
        return result.percentile(0.99) * 1000

    busy, alone = in_turn(sizes.samples, beside_writers, idle)
    return [
        measured(
            "release-check",
            busy,
            "ms",
            against="p99 while nobody writes",
            baselines=alone,
            target=Target(most=5),
            note=f"p99 beside {sizes.clients} writing clients, {len(platform.ports)} process(es)",
        ),
        limited("release-check-idle", alone, "ms", limit=IDLE_LIMIT_MS, target=Target(most=1)),
    ]


def _while_writing(ports: list[int], queues: Queues, question: bytes) -> Iterator[bytes]:
    """The question again and again while another process writes, until it has ended."""
    context = multiprocessing.get_context("fork")  # no thread runs here now
    writers = context.Process(target=load.run, args=(ports, queues), daemon=True)
    writers.start()
    try:
        while writers.is_alive():
            yield question
    finally:
        writers.terminate()  # does nothing unless the reader failed
        writers.join()
    if writers.exitcode != 0:
        raise WritersFailed(f"the writers ended with {writers.exitcode}; they said why above")


def _bills(opened: Opened, count: int) -> list[str]:
    """Bills to transfer; the one before them is surrendered, its container may leave."""
    maker = opened.maker
    surrendered, *others = maker.issue(count + 1)
    stream = f"bill:{surrendered}"
    order = {
        "terminal": TERMINAL,
        "containers": [container(0)],
        "pickUp": {"name": "Haulier", "reference": "PICK-UP-1"},
        "codeHash": hashlib.sha256(b"known to the haulier").hexdigest(),
        "expires": instant_text(STORY + timedelta(days=7)),
    }
    maker.act(HOLDER, "SURRENDER_FOR_DELIVERY", stream)
    maker.act(CARRIER, "SACC", stream)
    maker.act(CARRIER, "DELIVERY_ORDER", stream, order)
    return others


def _require_release(result: load.Result) -> None:
    answer = json.loads(result.bodies[-1])
    if answer["answer"] != "RELEASE":
        raise AssertionError(f"the release check answers {answer}")
