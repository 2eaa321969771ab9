"""Evidence of a bill with a long history: how fast it is made, and how fast it is checked.

Both in this process: making is what the route does before it answers, checking is the engine of
`bol verify`. Checking is counted in CPU seconds, since it uses one core.
"""

from __future__ import annotations

import time
from statistics import median

from bench.figures import Figure, Target, in_turn, limited
from bench.platforms import SQLITE, Ground, Opened
from bench.transfers import Shuttle
from bol_service import bootstrap
from bol_service.settings import Settings
from bol_service.verification import verifier
from bol_service.verification.bundle import read_bundle
from bol_service.verification.report import Verdict
from bol_service.verification.trust import LogKey, Trust
from tests.desk import STORY
from tests.many_bills import CARRIER

BUILD_LIMIT_MS = 50.0
VERIFY_LIMIT = 1_000.0
REPEATED = 3  # within a sample: one run takes only some ten milliseconds


def evidence(ground: Ground) -> list[Figure]:
    """`evidence-500` and `verify-500`."""
    sizes = ground.sizes
    platform = ground.platform(
        "evidence", SQLITE, lambda opened: long_bill(opened, sizes.long_bill)
    )
    settings = platform.service.settings
    cpu: list[float] = []  # of building, ms: what a neighbour cannot change
    with platform.inside() as running:
        trust = trust_of(settings)
        content = running.services.evidence.bundle(platform.made, CARRIER)
        entries = len(read_bundle(content).entries)

        def build(_: int) -> float:
            started, worked = time.perf_counter(), time.process_time()
            for _ in range(REPEATED):
                running.services.evidence.bundle(platform.made, CARRIER)
            cpu.append((time.process_time() - worked) / REPEATED * 1000)
            return (time.perf_counter() - started) / REPEATED * 1000

        def verify(_: int) -> float:
            started = time.process_time()
            for _ in range(REPEATED):
                report = verifier.verify(content, trust, STORY)
                if report.verdict is not Verdict.CURRENT:
                    raise AssertionError(f"the evidence was found {report.verdict}: {report}")
            return entries * REPEATED / (time.process_time() - started)

        builds, verifications = in_turn(sizes.samples, build, verify)
    about = f"{entries} events in {len(content) // 1000} KB"
    return [
        limited(
            "evidence-500",
            builds,
            "ms",
            limit=BUILD_LIMIT_MS,
            target=Target(most=1),
            note=f"full evidence for its carrier, {about}, SQLite; {median(cpu):.0f} ms of CPU",
        ),
        limited(
            "verify-500",
            verifications,
            "events/s",
            limit=VERIFY_LIMIT,
            target=Target(least=1),
            note=f"one core, {about}",
        ),
    ]


def trust_of(settings: Settings) -> Trust:
    """What the platform would publish for verifiers."""
    log_signer, statement_signer = bootstrap.platform_keys(settings)
    log_key = bootstrap.log_verifier_key(settings.origin, log_signer)
    return Trust(
        origin=settings.origin,
        code=settings.platform_code,
        demo=True,
        log_keys=(LogKey(key=log_key, from_size=0, to_size=None),),
        registrar_kids=settings.registrar_kids,
        statement_keys=(statement_signer.public,),
        witnesses=(),
        quorum=0,
        max_age=600,
    )


def long_bill(opened: Opened, events: int) -> str:
    """A bill whose stream has `events` entries: its issue, and transfers."""
    [bill] = opened.maker.issue(1)
    shuttle = Shuttle(desk=opened.maker.desk)
    compacts = [shuttle.next(bill) for _ in range(events - 1)]
    for answer in opened.running.services.recorder.submit_all(compacts):
        if isinstance(answer, Exception):
            raise answer
    return bill
