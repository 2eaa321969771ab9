"""Peers that take their time: servers on loopback that answer a byte now and then, or never."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PAUSE_SECONDS = 0.02


@dataclass(kw_only=True)
class Slow:
    """`came` is set when somebody has connected; `let_go` ends all connections."""

    port: int = 0
    came: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)
    _open: list[socket.socket] = field(default_factory=list)

    def let_go(self) -> None:
        self.gone.set()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


Behaviour = Callable[[Slow, socket.socket], None]


def dripping(beginning: bytes) -> Behaviour:
    """Sends `beginning` at once, and then one byte after the other without end."""

    def behave(slow: Slow, connected: socket.socket) -> None:
        connected.sendall(beginning)
        while not slow.gone.wait(PAUSE_SECONDS):
            connected.sendall(b"x")

    return behave


def pouring(beginning: bytes) -> Behaviour:
    """Sends `beginning` and then as much as the other side takes."""

    def behave(slow: Slow, connected: socket.socket) -> None:
        connected.sendall(beginning)
        while not slow.gone.is_set():
            connected.sendall(b"x" * 65536)

    return behave


def deaf(slow: Slow, _: socket.socket) -> None:
    """Takes the connection and reads nothing."""
    slow.gone.wait()


@contextmanager
def slow_peer(behave: Behaviour) -> Iterator[Slow]:
    listener = socket.create_server(("127.0.0.1", 0))
    slow = Slow(port=listener.getsockname()[1])

    def serve(connected: socket.socket) -> None:
        with suppress(OSError), connected:
            behave(slow, connected)

    def accept() -> None:
        while True:
            try:
                connected, _ = listener.accept()
            except OSError:
                return
            slow._open.append(connected)
            slow.came.set()
            threading.Thread(target=serve, args=(connected,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield slow
    finally:
        slow.let_go()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
