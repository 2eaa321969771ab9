"""The portal as a clerk meets it: the page of a bill with a long history, and the first screen.

`bill-page-500` is the time of the whole answer inside the server, without the network.
`first-screen` is what a browser without anything of ours waits for after a start: the first page,
its style sheet and its scripts, one after the other, from a server that has answered no page yet;
the start itself, from the command until it is ready, is told in its note.
"""

from __future__ import annotations

import re
import time
from http.client import HTTPConnection
from statistics import median
from urllib.parse import urlsplit

from bench.evidence_rows import long_bill
from bench.figures import Figure, Target, limited
from bench.platforms import SQLITE, Ground, Platform
from bol_service.portal.desk import EXTENSION
from tests.many_bills import CARRIER

PAGE_LIMIT_MS = 300.0
SCREEN_LIMIT_MS = 1_000.0
_COOKIE = "ebl-session"


def portal(ground: Ground) -> list[Figure]:
    """`bill-page-500` and `first-screen`."""
    sizes = ground.sizes
    platform = ground.platform("portal", SQLITE, lambda opened: long_bill(opened, sizes.long_bill))
    pages, cpu, size = _bill_pages(platform, sizes.samples)
    screens, starts = zip(*(_first_screen(platform) for _ in range(sizes.samples)), strict=True)
    return [
        limited(
            "bill-page-500",
            pages,
            "ms",
            limit=PAGE_LIMIT_MS,
            target=Target(most=1),
            note=f"server time, its carrier, {sizes.long_bill} events in {size // 1000} KB, "
            f"SQLite; {median(cpu):.0f} ms of CPU",
        ),
        limited(
            "first-screen",
            screens,
            "ms",
            limit=SCREEN_LIMIT_MS,
            target=Target(most=1),
            note=f"page, style and scripts after a start, which took {median(starts):.0f} ms",
        ),
    ]


def _bill_pages(platform: Platform[str], samples: int) -> tuple[list[float], list[float], int]:
    """Milliseconds of each answer but the first, which reads the templates; CPU's; the size."""
    with platform.inside() as running:
        desk = running.app.extensions[EXTENSION]
        client = running.app.test_client()
        client.set_cookie(
            _COOKIE, desk.tokens.exchange(platform.client(CARRIER).assertion()).token, path="/"
        )
        took, cpu = [], []
        for _ in range(samples + 1):
            started, worked = time.perf_counter(), time.process_time()
            answer = client.get(f"/portal/bills/{platform.made}")
            took.append((time.perf_counter() - started) * 1000)
            cpu.append((time.process_time() - worked) * 1000)
            if answer.status_code != 200:
                raise AssertionError(f"the page of the bill answers {answer.status_code}")
    return took[1:], cpu[1:], len(answer.data)


def _first_screen(platform: Platform[str]) -> tuple[float, float]:
    """Milliseconds of the first screen, and of the start before it."""
    service = platform.service
    launched = time.perf_counter()
    service.start()
    ready = time.perf_counter()
    address = urlsplit(service.environment["BOL_BASE_URL"])
    connection = HTTPConnection(str(address.hostname), address.port, timeout=30)
    try:
        page = _get(connection, "/portal/")
        wanted = re.findall(r'(?:href|src)="(/portal/static/[^"]+)"', page)
        seen = set()
        while wanted:  # scripts name others, relative to themselves
            path = wanted.pop()
            if path not in seen:
                seen.add(path)
                content, folder = _get(connection, path), path.rpartition("/")[0]
                found = re.findall(r'from "\./([a-z0-9]+\.js)"', content)
                wanted += [f"{folder}/{name}" for name in found]
        done = time.perf_counter()
    finally:
        connection.close()
        service.stop()
    return (done - ready) * 1000, (ready - launched) * 1000


def _get(connection: HTTPConnection, path: str) -> str:
    connection.request("GET", path)
    answer = connection.getresponse()
    content = answer.read().decode("utf-8")
    if answer.status != 200:
        raise AssertionError(f"{path} answers {answer.status}")
    return content
