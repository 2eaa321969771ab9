"""Questions go before signatures, for a moment.

Who writes waits for a group anyway; who asks at a gate waits for nothing but us. So a request that
writes lets those that read finish first, and for `PATIENCE` at most: a crowd of readers slows the
writers, it never stops them. Those that waited go on one by one, and each hears first whether
another question has come: a greenlet computes until it waits, and let go together 30 of them would
be 20 milliseconds in which nobody so much as accepts a connection.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final, cast

from flask import Flask, current_app, g, request

PATIENCE: Final = 0.05  # seconds
_LATELY: Final = 0.2  # seconds since the last question; after that nobody is waited for
_A_LOOK: Final = 1e-6  # seconds; not 0, with which a greenlet goes on before sockets are looked at
_EXTENSION: Final = "bol-precedence"


class _Queue:
    """One after the other, in the order in which they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        place = self._place()
        try:
            if place is not None:
                place.acquire()
            yield
        finally:
            self._leave(place)

    def _place(self) -> threading.Lock | None:
        with self._lock:
            if not self._taken:
                self._taken = True
                return None
            place = threading.Lock()
            place.acquire()
            self._waiting.append(place)
            return place

    def _leave(self, place: threading.Lock | None) -> None:
        with self._lock:
            if (
                place is not None and place in self._waiting
            ):  # ended while it waited: it had no turn to hand over
                self._waiting.remove(place)
            elif self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


class _Precedence:
    """How many requests read now; one for all requests of a process."""

    def __init__(self) -> None:
        self._readers = 0
        self._last = float("-inf")
        self._lock = threading.Lock()
        self._nobody_reads = threading.Event()
        self._nobody_reads.set()
        self._writers = _Queue()

    def enter(self) -> None:
        if request.method == "GET":
            g.reads = True
            with self._lock:
                self._readers += 1
                self._nobody_reads.clear()
                self._last = monotonic()

    def leave(self, _error: BaseException | None) -> None:
        if g.pop("reads", False):
            with self._lock:
                self._readers -= 1
                if self._readers == 0:
                    self._nobody_reads.set()

    def wait(self) -> None:
        now = monotonic()
        if now - self._last > _LATELY:
            return
        with self._writers.turn():
            time.sleep(_A_LOOK)
            while not self._nobody_reads.is_set() and (left := now + PATIENCE - monotonic()) > 0:
                self._nobody_reads.wait(left)
                time.sleep(_A_LOOK)


def install(app: Flask) -> None:
    """Count the requests of `app` that read; before all else that could answer them."""
    precedence = app.extensions[_EXTENSION] = _Precedence()
    app.before_request(precedence.enter)
    app.teardown_request(precedence.leave)


def give_way() -> None:
    """Return when no request reads, or after `PATIENCE`."""
    cast(_Precedence, current_app.extensions[_EXTENSION]).wait()
