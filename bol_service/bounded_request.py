"""One HTTP request that ends: nobody who is asked can hold up who asks, nor fill its memory.

1. Connecting takes `CONNECT_SECONDS` at most for each address of a name, each wait for the other
   side `wait`, and all that follows `total`: then the connection is cut from outside, however
   slowly the other side dripped. Only the look-up of a name is left to the system's own limits.
2. An answer of more than `most` bytes is none, nor is one that ends before it is whole.
3. Redirects are not followed; no proxy and no cookie is known.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Final
from urllib.parse import urlsplit

CONNECT_SECONDS: Final = 10.0
_PORTS: Final = {"http": 80, "https": 443}


class NoAnswer(OSError):  # noqa: N818 - says what is the matter
    """No whole answer came; what the other side has done is not known."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds for one wait, seconds for everything, bytes of an answer; with `most` 0 its body is
    not looked at."""

    wait: float
    total: float
    most: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    def header(self, name: str) -> str:
        """Empty where it is missing; `name` in lower case."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")


@dataclass(frozen=True, kw_only=True)
class Server:
    """Whom to ask, by scheme, host and port of `url`; `tls` None: the public authorities vouch.

    Raises ValueError for what is no http or https address, or holds a name and password.
    """

    url: str
    limits: Limits
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
            raise ValueError(f"{self.url!r} is no http or https address")
        _ = parts.port  # a ValueError of its own

    def ask(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """Raises NoAnswer; `target` is path and query."""
        try:
            connected = socket.create_connection(self._address, CONNECT_SECONDS)
        except OSError as error:
            raise NoAnswer(repr(error)) from None
        with connected, cut_after(self.limits.total, connected) as was_cut:
            try:
                answer = self._exchange(connected, method, target, body, headers)
            except (OSError, HTTPException, ValueError) as error:
                reason = self._too_late if was_cut.is_set() else repr(error)
                raise NoAnswer(reason) from None
        if was_cut.is_set():  # the library takes the cut for the end of the answer
            raise NoAnswer(self._too_late)
        if len(answer.content) > self.limits.most:
            raise NoAnswer(f"it answered more than {self.limits.most} bytes")
        return answer

    @property
    def _address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return str(parts.hostname), parts.port or _PORTS[parts.scheme]

    @property
    def _too_late(self) -> str:
        return f"no whole answer came within {self.limits.total:g} s"

    def _exchange(
        self,
        connected: socket.socket,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> Answer:
        connected.settimeout(self.limits.wait)
        with self._secured(connected) as channel:
            connection = HTTPConnection(urlsplit(self.url).netloc)
            connection.sock = channel
            connection.request(method, target, body, {**headers, "Connection": "close"})
            with connection.getresponse() as answer:
                content = self._content(answer) if self.limits.most else b""
                return Answer(
                    status=answer.status, headers=dict(answer.getheaders()), content=content
                )

    def _content(self, answer: HTTPResponse) -> bytes:
        content = answer.read(self.limits.most + 1)
        if answer.length and len(content) <= self.limits.most:
            raise IncompleteRead(content, answer.length)
        return content

    def _secured(self, connected: socket.socket) -> socket.socket:
        """A channel of its own on the connection, which stays with whoever may cut it."""
        parts = urlsplit(self.url)
        if parts.scheme == "http":
            return connected.dup()
        context = self.tls or ssl.create_default_context()
        return context.wrap_socket(connected.dup(), server_hostname=parts.hostname)


@contextmanager
def cut_after(seconds: float, connected: socket.socket) -> Iterator[threading.Event]:
    """End the connection under whoever waits on it, once the time is over; says if it was."""
    was_cut = threading.Event()
    timer = threading.Timer(seconds, _cut, (connected, was_cut))
    timer.daemon = True
    timer.start()
    try:
        yield was_cut
    finally:
        timer.cancel()


def _cut(connected: socket.socket, was_cut: threading.Event) -> None:
    was_cut.set()
    with suppress(OSError):  # it may have ended by itself
        connected.shutdown(socket.SHUT_RDWR)
