"""Over HTTP: transfers one by one, in batches, and the issuing of bills.

All clients are one load generator on the same two cores; see `load`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import islice

from bench import load
from bench.figures import Figure, Target, in_turn, limited, measured
from bench.filling import fill
from bench.platforms import POSTGRESQL, PROCESSES, SQLITE, Ground, start
from bench.transfers import Queues, Shuttle, unheard_of

NO_STORAGE = "the same HTTP stack and signature check, storing nothing"
SINGLE = "the same clients transferring, one per request, on the same platform"
P99_LIMIT_MS = 120.0
BATCH_CLIENTS = 4
WARM_UP = 2  # requests of each client: the first ones load code and open connections


def single_transfers(ground: Ground, database: str) -> list[Figure]:
    """Signed transfers, one per request, and how long the slowest hundredth takes."""
    sizes, name = ground.sizes, f"http-{database}"
    kept = ground.platform(name, database, lambda opened: opened.maker.issue(sizes.clients))
    kept = ground.shared(kept, PROCESSES[database])
    silent = ground.shared(ground.no_storage(name, database), PROCESSES[database])
    shuttle, echo = Shuttle(desk=kept.desk), Shuttle(desk=silent.desk)
    strangers = unheard_of(sizes.clients)
    slowest: list[float] = []

    def stored(_: int) -> float:
        result = load.run(kept.ports, shuttle.queues(kept.made, sizes.requests))
        slowest.append(result.percentile(0.99) * 1000)
        return result.per_second

    def forgotten(_: int) -> float:
        queues = echo.queues(strangers, sizes.requests)
        return load.run(silent.ports, queues).per_second

    start(kept, silent)
    load.run(kept.ports, shuttle.queues(kept.made, WARM_UP))
    load.run(silent.ports, echo.queues(strangers, WARM_UP))
    samples, baselines = in_turn(sizes.samples, stored, forgotten)
    return [
        measured(
            name,
            samples,
            "transfers/s",
            against=NO_STORAGE,
            baselines=baselines,
            target=Target(least=0.5),
            note=f"{sizes.clients} clients, {len(kept.ports)} process(es)",
        ),
        limited(f"{name}-p99", slowest, "ms", limit=P99_LIMIT_MS, target=Target(most=1)),
    ]


http_sqlite = partial(single_transfers, database=SQLITE)
http_postgresql = partial(single_transfers, database=POSTGRESQL)


def batches(ground: Ground) -> list[Figure]:
    """Transfers sent many to a request, each client with bills of its own."""
    sizes, name = ground.sizes, "batch-postgresql"
    count = max(sizes.batch, sizes.clients)
    kept = ground.platform(name, POSTGRESQL, lambda opened: fill(opened, count).bills)
    shuttle, port = Shuttle(desk=kept.desk), kept.service.port

    def batched(_: int) -> float:
        queues = _batch_queues(shuttle, kept.made, sizes.batch, sizes.batches)
        result = load.run(port, queues, expect=200, keep=True)
        return all_recorded(result.bodies, sizes.batch) / result.seconds

    def single(_: int) -> float:
        return load.run(port, shuttle.queues(kept.made[: sizes.clients], sizes.requests)).per_second

    start(kept)
    load.run(port, shuttle.queues(kept.made[: sizes.clients], WARM_UP))
    samples, baselines = in_turn(sizes.samples, batched, single)
    return [
        measured(
            name,
            samples,
            "transfers/s",
            against=SINGLE,
            baselines=baselines,
            target=Target(least=2),
            note=f"{BATCH_CLIENTS} clients, {sizes.batch} events to a batch",
        )
    ]


def _batch_queues(shuttle: Shuttle, bills: Sequence[str], size: int, count: int) -> Queues:
    """`count` batches per client; a client's bills move several times within one batch."""
    queues = []
    for client in range(BATCH_CLIENTS):
        own = bills[client::BATCH_CLIENTS]
        compacts = (shuttle.next(bill) for _ in range(size * count) for bill in own)
        queues.append([_batch(list(islice(compacts, size))) for _ in range(count)])
    return queues


def _batch(compacts: list[str]) -> bytes:
    return load.request("/v1/events:batch", json.dumps(compacts).encode(), "application/json")


def all_recorded(bodies: Sequence[bytes], size: int) -> int:
    """How many events were recorded; raises UnexpectedAnswer if one was not."""
    items = [item for body in bodies for item in json.loads(body)["items"]]
    statuses = Counter(item["status"] for item in items)
    if statuses != {201: len(bodies) * size}:
        refused = next((item for item in items if item["status"] != 201), None)
        raise load.UnexpectedAnswer(f"the batches were answered {statuses}, first: {refused}")
    return len(items)


def issuing(ground: Ground) -> list[Figure]:
    """Bills issued: documents are uploaded and drafts approved before the clock starts."""
    sizes, name = ground.sizes, "issue"
    share = sizes.clients * sizes.issues
    waiting, moving = sizes.clients + share * sizes.samples, sizes.clients
    kept = ground.platform(
        name,
        POSTGRESQL,
        lambda opened: (
            fill(opened, waiting, hold_issues=True).issues,
            fill(opened, moving, first=waiting).bills,
        ),
    )
    requests = iter([load.event(compact) for compact in kept.made[0]])
    bills, shuttle, port = kept.made[1], Shuttle(desk=kept.desk), kept.service.port

    def issue(each: int) -> float:
        queues = [list(islice(requests, each)) for _ in range(sizes.clients)]
        return load.run(port, queues).per_second

    def single(_: int) -> float:
        return load.run(port, shuttle.queues(bills, sizes.requests)).per_second

    start(kept)
    issue(1)
    load.run(port, shuttle.queues(bills, WARM_UP))
    samples, baselines = in_turn(sizes.samples, lambda _: issue(sizes.issues), single)
    return [
        measured(
            name,
            samples,
            "bills/s",
            against=SINGLE,
            baselines=baselines,
            baseline_unit="transfers/s",
            target=Target(least=0.2),
            note=f"{sizes.clients} clients, documents of 6 KB",
        )
    ]
