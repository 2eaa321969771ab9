"""Examining pages in several processes; they come back in the order of the log.

1. A worker opens the database for itself. It is started afresh (`spawn`), so that it shares no
   connection, thread or lock with this process.
2. At most `AHEAD` pages per worker are under way: memory stays flat when the replay is slower.
3. What a page gives is many small values without cycles, so cycles are looked for seldom.
4. Ctrl-C is this process's business; a worker whose parent was killed ends by itself.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager

from bol_service.application.audit_pages import PAGE, Page, PageTask
from bol_service.application.audit_parcels import Parcel, packed, unpacked
from bol_service.application.ports import Reading, Store
from bol_service.ledger.note import VerifierKey

AHEAD = 3
_SELDOM = 100_000, 50, 100
WORTH_IT = 4 * PAGE  # below this many entries, starting processes takes longer than the work


def pages(
    store: Store,
    reading: Reading,
    task: PageTask,
    span: range,
    *,
    log_keys: Sequence[VerifierKey],
    jobs: int,
) -> Iterator[Page]:
    """The pages of the entries in `span`, in order; with one job, by this process itself."""
    bounds = [(first, min(first + PAGE, span.stop)) for first in range(span.start, span.stop, PAGE)]
    if jobs <= 1 or len(span) < WORTH_IT:
        for first, end in bounds:
            yield task(reading, first, end, log_keys)
        return
    pool = ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(store.opener(), tuple(log_keys)),
    )
    try:
        yield from _in_order(pool, task, bounds, jobs * AHEAD)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


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


def _in_order(
    pool: ProcessPoolExecutor, task: PageTask, bounds: Sequence[tuple[int, int]], ahead: int
) -> Iterator[Page]:
    waiting: deque[Future[Parcel]] = deque()
    for first, end in bounds:
        waiting.append(pool.submit(_work, task, first, end))
        if len(waiting) >= ahead:
            yield unpacked(waiting.popleft().result())
    while waiting:
        yield unpacked(waiting.popleft().result())


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


def _work(task: PageTask, first: int, end: int) -> Parcel:
    with _Worker.store.reading() as reading:
        return packed(task(reading, first, end, _Worker.log_keys))
