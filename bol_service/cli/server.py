"""The HTTP server of `bol serve`: gunicorn, which reads requests strictly, with one gevent worker.

Import it after `gevent.monkey.patch_all()`. One worker is one process with one sequencer; what
waits for the sequencer or for PostgreSQL costs a greenlet, not a thread (ADR 0022). More processes,
each started by itself on a port of its own, share one PostgreSQL.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from bol_service import bootstrap
from bol_service.one_worker import OneWorker, Told, address
from bol_service.pint.door import open_door
from bol_service.settings import Settings

CONNECTIONS = 1000
SELDOM: Final = (20_000, 20, 50)


def run(
    host: str, port: int, settings: Settings, *, ready: Callable[[str], None], told: Told
) -> None:
    """Serve until told to stop; exits the process. `ready` gets the address when it answers."""
    options = {
        "bind": address(host, port),
        "worker_class": "gevent",
        "worker_connections": CONNECTIONS,
        "pidfile": os.environ.get("BOL_PID_FILE"),
    }
    OneWorker(
        options,
        lambda held: _started(settings, held),
        told=told,
        ready=lambda bound: ready(f"http://{bound}"),
    ).run()


def keep_what_is_loaded() -> None:
    """The collector looks no more at what the start has made, and more seldom at the rest.

    It looked through all modules now and then, for up to a tenth of a second, while everybody who
    had asked for something waited.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)


def _started(settings: Settings, held: ExitStack) -> Any:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    running = bootstrap.start(settings, ended=_end_worker)
    held.callback(running.stop)
    if running.border is not None:
        door = open_door(settings, running.border.peers, running.app)
        if door is not None:
            held.callback(door.stop, timeout=5)
    keep_what_is_loaded()
    return running.app


def _end_worker(_error: BaseException) -> None:
    """gunicorn starts another worker, which begins by looking at database and checkpoint file."""
    os.kill(os.getpid(), signal.SIGTERM)
