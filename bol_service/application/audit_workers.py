"""Examining pages in several processes; they come back in the order of the log.

1. A worker opens the database for itself. It is started afresh (`spawn`), so that it shares no
   connection, thread or lock with this process.
2. At most `AHEAD` pages per worker are under way: memory stays flat when the replay is slower.
3. What a page gives is many small values without cycles, so cycles are looked for seldom.
4. While this process waits for a page, it does what only it can do, in small steps (`meanwhile`),
   or examines a page that no worker has begun. So there are as many processes as jobs and no more:
   three on two cores took a quarter more of CPU, since they push each other out of the caches.
5. Ctrl-C is this process's business; a worker whose parent was killed ends by itself.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bol_service.application.audit_pages import PAGE, Page, PageTask
from bol_service.application.audit_parcels import fetch, leave
from bol_service.application.ports import Reading, Store
from bol_service.ledger.note import VerifierKey

AHEAD = 3
_SELDOM = 100_000, 50, 100
Own = Callable[[int, int], Page]
_DONE = object()
_NOTHING: Iterator[None] = iter(())
WORTH_IT = 4 * PAGE  # below this many entries, starting processes takes longer than the work


def pages(
    store: Store,
    reading: Reading,
    task: PageTask,
    span: range,
    *,
    log_keys: Sequence[VerifierKey],
    jobs: int,
    meanwhile: Iterator[None] = _NOTHING,
) -> Iterator[Page]:
    """The pages of the entries in `span`, in order; with one job, by this process itself.

    While a page is awaited, this process takes steps of `meanwhile`, and examines others.
    """
    bounds = [(first, min(first + PAGE, span.stop)) for first in range(span.start, span.stop, PAGE)]
    if jobs <= 1 or len(span) < WORTH_IT:
        for first, end in bounds:
            yield task(reading, first, end, log_keys)
        return
    pool = ProcessPoolExecutor(
        jobs - 1,  # this process is one of them
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(store.opener(), tuple(log_keys)),
    )
    with TemporaryDirectory(prefix="bol-audit-") as folder:
        try:
            own = partial(_examined_here, task, reading, log_keys)
            yield from _in_order(pool, task, bounds, Path(folder), jobs * AHEAD, meanwhile, own)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _examined_here(
    task: PageTask, reading: Reading, log_keys: Sequence[VerifierKey], first: int, end: int
) -> Page:
    return task(reading, first, end, log_keys)


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look for cycles seldom: a page makes ten thousands of values, which hold each other in none.

    With Python's own thresholds every few hundred of them are walked through again.
    """
    before = gc.get_threshold()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@dataclass(kw_only=True)
class _Asked:
    """A page that was asked for; `page` if this process has examined it itself."""

    first: int
    end: int
    future: Future[None]
    page: Page | None = None


def _in_order(
    pool: ProcessPoolExecutor,
    task: PageTask,
    bounds: Sequence[tuple[int, int]],
    folder: Path,
    ahead: int,
    meanwhile: Iterator[None] = _NOTHING,
    own: Own | None = None,
) -> Iterator[Page]:
    waiting: deque[_Asked] = deque()
    for first, end in bounds:
        future = pool.submit(_work, task, first, end, folder)
        waiting.append(_Asked(first=first, end=end, future=future))
        if len(waiting) >= ahead:
            yield _next(waiting, folder, meanwhile, own)
    while waiting:
        yield _next(waiting, folder, meanwhile, own)


def _next(waiting: deque[_Asked], folder: Path, meanwhile: Iterator[None], own: Own | None) -> Page:
    """The page that was asked for first."""
    asked = waiting[0]
    while not asked.future.done():
        if next(meanwhile, _DONE) is _DONE and not _takes_one_itself(waiting, own):
            break
    waiting.popleft()
    if asked.page is not None:
        return asked.page
    asked.future.result()
    return fetch(asked.first, folder)


def _takes_one_itself(waiting: Iterable[_Asked], own: Own | None) -> bool:
    """Examine a page that no worker has begun, the last one first; False if there is none."""
    if own is None:
        return False
    for asked in reversed(list(waiting)):
        if asked.page is None and asked.future.cancel():
            asked.page = own(asked.first, asked.end)
            return True
    return False


# -- in the worker -------------------------------------------------------------------------------


class _Worker:
    """What this process works with, if it is a worker."""

    store: Store
    log_keys: tuple[VerifierKey, ...]


def _begin(opener: Callable[[], Store], log_keys: tuple[VerifierKey, ...]) -> None:
    gc.set_threshold(*_SELDOM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Worker.store = opener()
    _Worker.log_keys = log_keys


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(task: PageTask, first: int, end: int, folder: Path) -> None:
    with _Worker.store.reading() as reading:
        leave(task(reading, first, end, _Worker.log_keys), folder)
