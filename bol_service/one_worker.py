"""gunicorn with one worker process: what `bol serve` and `bol carrier-gateway` have in common.

1. What serves is opened in the worker, after the fork: sequencer, locks and state belong to it.
   What has to be closed goes onto the stack that it gets, and is closed when the worker ends.
2. An error at start that can be told is told, and the server ends with 4; no worker is tried again.
   Any other is gunicorn's: a traceback.
3. The limits of a request's head are strict and the same for all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from gunicorn.app.base import BaseApplication

NOT_SET_UP: Final = 4
"""Also gunicorn's own code for "the app does not load": the arbiter stops, no retry."""
Start = Callable[[ExitStack], Any]
"""Gives the WSGI application."""
Told = Callable[[Exception], bool]
"""Whether the error was one that it could tell."""
_SAME_FOR_ALL: Final[dict[str, Any]] = {
    "workers": 1,
    "timeout": 120,
    "graceful_timeout": 10,
    "keepalive": 5,
    "limit_request_line": 4094,
    "limit_request_field_size": 8190,
    "loglevel": "warning",
}


class OneWorker(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """`ready` gets the host and port that were bound, when they answer."""

    def __init__(
        self,
        options: dict[str, Any],
        start: Start,
        *,
        told: Told,
        ready: Callable[[str], None],
    ) -> None:
        self._options = {**_SAME_FOR_ALL, **options}
        self._start = start
        self._told = told
        self._ready = ready
        self._open = ExitStack()
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)
        # What fails at start has failed by then; what connects meanwhile waits in the socket.
        self.cfg.set("post_worker_init", lambda worker: self._ready(_bound(worker)))
        self.cfg.set("worker_exit", lambda _server, _worker: self._open.close())

    def load(self) -> Any:
        try:
            return self._start(self._open)
        except Exception as fault:
            if not self._told(fault):
                raise
            sys.exit(NOT_SET_UP)


def address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bound(worker: Any) -> str:
    host, port, *_ = worker.sockets[0].getsockname()
    return address(host, port)
