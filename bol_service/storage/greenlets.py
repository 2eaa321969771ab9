"""Waiting for PostgreSQL in a greenlet.

psycopg waits before each thing that it sends or fetches, mostly for a socket that is ready. With
gevent's own `poll` each such wait is a watcher, a timer, and a turn of every other greenlet that is
ready: 25 of them for one group (docs/adr/0039). Here the socket itself is asked first, and others
have their turn when there is nothing to do but wait.
"""

from __future__ import annotations

import select
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from psycopg import Connection

_READS: Final = ~select.POLLOUT  # what is broken is read, and tells what is the matter


def is_patched() -> bool:
    """Whether what waits in this process are greenlets."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched("select")


def poll() -> Any:
    """The system's `select.poll()`, of which no greenlet knows."""
    return _poll(is_patched())()


@cache
def _poll(patched: bool) -> Any:
    if not patched:
        return select.poll
    from gevent.monkey import get_original

    return get_original("select", "poll")


@cache
def connection_class() -> type[Connection[Any]]:
    """A connection of psycopg that waits as the module says."""
    from gevent.socket import wait_read, wait_readwrite, wait_write
    from psycopg import Connection
    from psycopg.waiting import Ready, Wait

    waits = {
        Wait.R: (select.POLLIN, wait_read),
        Wait.W: (select.POLLOUT, wait_write),
        Wait.RW: (select.POLLIN | select.POLLOUT, wait_readwrite),
    }
    found = {
        (reads, writes): Ready(reads * Ready.R | writes * Ready.W)
        for reads in (False, True)
        for writes in (False, True)
    }

    class GreenConnection(Connection[Any]):
        def wait(self, gen: Any, interval: float = 0.0, timeout: float | None = None) -> Any:
            if timeout is not None:
                return super().wait(gen, interval, timeout)
            socket = self.pgconn.socket
            asked = poll()
            try:
                wanted = next(gen)
                while True:
                    mask, waited = waits[wanted]
                    asked.register(socket, mask)
                    events = asked.poll(0)
                    if not events:
                        waited(socket)
                        continue
                    event = events[0][1]
                    ready = found[bool(event & _READS), bool(event & select.POLLOUT)]
                    wanted = gen.send(ready)
            except StopIteration as end:
                return end.value

    return GreenConnection
