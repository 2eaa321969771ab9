"""The HTTP server of `bol serve`: gunicorn, which reads requests strictly, with one gevent worker.

Import it after `gevent.monkey.patch_all()`. One worker is one process with one sequencer; what
waits for the sequencer or for PostgreSQL costs a greenlet, not a thread (ADR 0022). More processes,
each started by itself on a port of its own, share one PostgreSQL.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

from gunicorn.app.base import BaseApplication
from sqlalchemy.exc import OperationalError

from bol_service import bootstrap
from bol_service.application.ports import Unavailable
from bol_service.application.startup import RollbackSuspected
from bol_service.crypto.signers import KeyFileError
from bol_service.pint.door import open_door
from bol_service.settings import Settings, SettingsError
from bol_service.storage.held_file import DatabaseBusy
from bol_service.storage.schema import SchemaError
from bol_service.storage.store import WrongDatabase

NOT_SET_UP = 4
CONNECTIONS = 1000
SELDOM: Final = (20_000, 20, 50)
FAULTS = (
    SettingsError,
    KeyFileError,
    SchemaError,
    WrongDatabase,
    DatabaseBusy,
    RollbackSuspected,
    Unavailable,
    OperationalError,
)


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(
        self,
        options: dict[str, Any],
        settings: Settings,
        start: Callable[[], bootstrap.Running],
    ) -> None:
        self._options = options
        self._settings = settings
        self._start = start
        self._running: bootstrap.Running | None = None
        self._door: Any = None
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)
        self.cfg.set("worker_exit", self._stop)

    def _stop(self, _server: Any, _worker: Any) -> None:
        if self._door is not None:
            self._door.stop(timeout=5)
        if self._running is not None:
            self._running.stop()

    def load(self) -> Any:
        # In the worker, after the fork: the sequencer and the lock belong to it.
        try:
            self._running = self._start()
            if self._running.border is not None:
                peers = self._running.border.peers
                self._door = open_door(self._settings, peers, self._running.app)
        except FAULTS as fault:
            print(f"bol serve: {fault}", file=sys.stderr)
            # 4 is gunicorn's own code for "the app does not load": the arbiter stops, no retry.
            sys.exit(NOT_SET_UP)
        keep_what_is_loaded()
        return self._running.app


def run(host: str, port: int, settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until told to stop; exits the process. `ready` gets the address when it answers."""
    options = {
        "bind": address(host, port),
        # What fails at start has failed by then; what connects meanwhile waits in the socket.
        "post_worker_init": lambda worker: ready(_bound(worker)),
        "workers": 1,
        "worker_class": "gevent",
        "worker_connections": CONNECTIONS,
        "timeout": 120,
        "graceful_timeout": 10,
        "keepalive": 5,
        "limit_request_line": 4094,
        "limit_request_field_size": 8190,
        "loglevel": "warning",
        "pidfile": os.environ.get("BOL_PID_FILE"),
    }
    _Server(options, settings, lambda: _started(settings)).run()


def address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bound(worker: Any) -> str:
    host, port, *_ = worker.sockets[0].getsockname()
    return f"http://{address(host, port)}"


def keep_what_is_loaded() -> None:
    """The collector looks no more at what the start has made, and more seldom at the rest.

    It looked through all modules now and then, for up to a tenth of a second, while everybody who
    had asked for something waited.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)


def _started(settings: Settings) -> bootstrap.Running:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return bootstrap.start(settings, ended=_end_worker)


def _end_worker(_error: BaseException) -> None:
    """gunicorn starts another worker, which begins by looking at database and checkpoint file."""
    os.kill(os.getpid(), signal.SIGTERM)
