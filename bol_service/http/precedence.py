"""Questions go before signatures, for a moment.

Who writes waits for a group anyway; who asks at a gate waits for nothing but us. So a request that
writes lets those that read finish first, and for `PATIENCE` at most: a crowd of readers slows the
writers, it never stops them.
"""

from __future__ import annotations

import threading
from typing import Final, cast

from flask import Flask, current_app, g, request

PATIENCE: Final = 0.05  # seconds
_EXTENSION: Final = "bol-precedence"


class _Precedence:
    """How many requests read now; one for all requests of a process."""

    def __init__(self) -> None:
        self._readers = 0
        self._lock = threading.Lock()
        self._nobody_reads = threading.Event()
        self._nobody_reads.set()

    def enter(self) -> None:
        if request.method == "GET":
            g.reads = True
            with self._lock:
                self._readers += 1
                self._nobody_reads.clear()

    def leave(self, _error: BaseException | None) -> None:
        if g.pop("reads", False):
            with self._lock:
                self._readers -= 1
                if self._readers == 0:
                    self._nobody_reads.set()

    def wait(self) -> None:
        self._nobody_reads.wait(PATIENCE)


def install(app: Flask) -> None:
    """Count the requests of `app` that read; before all else that could answer them."""
    precedence = app.extensions[_EXTENSION] = _Precedence()
    app.before_request(precedence.enter)
    app.teardown_request(precedence.leave)


def give_way() -> None:
    """Return when no request reads, or after `PATIENCE`."""
    cast(_Precedence, current_app.extensions[_EXTENSION]).wait()
