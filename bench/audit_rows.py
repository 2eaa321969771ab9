"""The audit of a whole ledger, against nothing but checking as many signatures on as many cores.

The audit is the command `bol ledger check`, from its start to its end. The limit is what the
signatures alone cost: events are read and decoded before its clock starts, in one process per core.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from statistics import median

from bench.figures import Figure, Target, in_turn, measured
from bench.filling import fill
from bench.platforms import SQLITE, Ground
from bol_service.crypto.jws import ParsedJws
from bol_service.crypto.keys import PublicKey
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from bol_service.verification import signatures
from bol_service.wire.events import decode
from tests.service_process import Service

TRANSFERS = 15  # and five entries before them: about the life of a bill
PAGE = 1_000


class AuditFailed(RuntimeError):  # noqa: N818 - says what happened
    """`bol ledger check` did not find the ledger sound."""


def audit(ground: Ground) -> list[Figure]:
    sizes = ground.sizes
    platform = ground.platform(
        "audit",
        SQLITE,
        lambda opened: fill(opened, sizes.audited_bills, transfers=TRANSFERS).bills,
    )
    service, cores = platform.service, len(os.sched_getaffinity(0))
    entries = [0]
    cpu: list[float] = []  # of all its processes, microseconds: what a neighbour changes least

    def check(_: int) -> float:
        started, worked = time.perf_counter(), _worked()
        entries[0] = checked_entries(service)
        cpu.append((_worked() - worked) / entries[0] * 1e6)
        return entries[0] / (time.perf_counter() - started)

    samples, baselines = in_turn(
        sizes.samples, check, lambda _: verified_per_second(service, cores, sizes.verified)
    )
    return [
        measured(
            "audit",
            samples,
            "entries/s",
            against=f"the signatures alone of {sizes.verified} entries, on {cores} cores",
            baselines=baselines,
            target=Target(least=0.5),
            note=f"`bol ledger check` of {entries[0]} entries, SQLite; {median(cpu):.0f} µs of CPU "
            "per entry",
        )
    ]


def _worked() -> float:
    """CPU seconds of the processes that this one has started and that have ended."""
    spent = os.times()
    return spent.children_user + spent.children_system


def checked_entries(service: Service) -> int:
    """Run `bol ledger check` over the whole database; raises AuditFailed."""
    command = [sys.executable, "-m", "bol_service", "ledger", "check", "--json"]
    command += ["--log-vkey", service.log_key.vkey]
    done = subprocess.run(
        command, capture_output=True, text=True, env=service.environment, check=False
    )
    if done.returncode != 0:
        raise AuditFailed(
            f"bol ledger check ended with {done.returncode}: {done.stdout}{done.stderr}"
        )
    return int(json.loads(done.stdout)["entries"])


# -- signatures alone ----------------------------------------------------------------------------


def verified_per_second(service: Service, cores: int, entries: int) -> float:
    """Entries per second whose every signature was verified, the cores working at once."""
    context = multiprocessing.get_context("fork")  # no thread runs here now
    barrier, answers = context.Barrier(cores), context.SimpleQueue()
    share = entries // cores
    url = service.environment["BOL_DATABASE_URL"]
    workers = [
        context.Process(target=_verify, args=(url, core * share, share, barrier, answers))
        for core in range(cores)
    ]
    for worker in workers:
        worker.start()
    seconds: list[float] = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    return share * cores / max(seconds)


Check = tuple[Callable[[bytes, bytes], bool], bytes, bytes]


def _verify(
    url: str, first: int, count: int, barrier: Barrier, answers: SimpleQueue[float]
) -> None:
    prepared = _prepared(url, first, count)
    barrier.wait()
    started = time.perf_counter()
    for verify, signature, message in prepared:
        if not verify(signature, message):
            raise AssertionError("a signature that the service took does not verify")
    answers.put(time.perf_counter() - started)


def _prepared(url: str, first: int, count: int) -> list[Check]:
    """(key's check, signature, signed bytes) of every signature of these entries."""
    engine = open_engine(url)
    found: list[Check] = []
    with SqlStore(engine).reading() as reading:
        keys: dict[str, PublicKey] = {}
        for start in range(first, first + count, PAGE):
            for entry in reading.scan(start, min(PAGE, first + count - start)):
                for parsed in decode(entry.entry.event).signatures:
                    if parsed.kid not in keys:
                        row = reading.key(parsed.kid)
                        assert row is not None
                        keys[parsed.kid] = signatures.public_key(row.jwk)
                    found.append((keys[parsed.kid].verify, *_signed(parsed)))
    engine.dispose()
    return found


def _signed(parsed: ParsedJws) -> tuple[bytes, bytes]:
    message, _, _ = parsed.text.rpartition(".")
    return parsed.signature, message.encode("ascii")
