"""One HTTP request that ends: nobody who is asked can hold up who asks, nor fill its memory.

1. Connecting takes `connect` seconds at most, of which each of a name's first addresses has its
   share; each wait for the other side takes `wait`, and all that follows `total`: then the
   connection is cut from outside, however slowly the other side dripped. Only the look-up of a name
   is left to the system's own limits.
2. An answer of more than `most` bytes is none, nor is one that ends before it is whole.
3. Redirects are not followed; no proxy and no cookie is known.
"""

from __future__ import annotations

import hmac
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

_MOST_ADDRESSES: Final = 3  # of one name are tried
_PORTS: Final = {"http": 80, "https": 443}


class NoAnswer(OSError):  # noqa: N818 - says what is the matter
    """No whole answer came; what the other side has done is not known."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds for one wait, seconds for everything, bytes of an answer; with `most` 0 its body is
    not looked at. `connect`: seconds for connecting, before these."""

    wait: float
    total: float
    most: int
    connect: float = 10.0


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
    `pinned`: the one certificate (DER) that is talked to, for a `tls` that believes any.

    Raises ValueError for what is no http or https address, or holds a name and password.
    """

    url: str
    limits: Limits
    tls: ssl.SSLContext | None = None
    pinned: bytes | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
            raise ValueError(f"{self.url!r} is no http or https address")
        _ = parts.port  # a ValueError of its own

    def ask(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """Raises NoAnswer; `target` is path and query."""
        host, port = self._address
        try:
            connected = connect(addresses_of(host, port), port, self.limits.connect)
        except OSError as error:
            raise NoAnswer(repr(error)) from None
        with connected, cut_after(self.limits.total, connected) as was_cut:
            try:
                answer = self._exchange(connected, method, target, body, headers)
            except NoAnswer:
                raise
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
        channel = context.wrap_socket(connected.dup(), server_hostname=parts.hostname)
        shown = channel.getpeercert(binary_form=True) or b""
        if self.pinned is not None and not hmac.compare_digest(shown, self.pinned):
            channel.close()
            raise NoAnswer("it shows another certificate than the one that is pinned")
        return channel


def addresses_of(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says, IPv4 and IPv6; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def connect(addresses: Sequence[str], port: int, seconds: float) -> socket.socket:
    """To whichever of the first addresses answers; one that does not leaves time for the others.

    Raises:
        OSError: None of them did.
    """
    tried = addresses[:_MOST_ADDRESSES]
    deadline = monotonic() + seconds
    failed: OSError | None = None
    for left, address in zip(range(len(tried), 0, -1), tried, strict=True):
        share = (deadline - monotonic()) / left
        if share <= 0:
            break
        try:
            return socket.create_connection((address, port), share)
        except OSError as error:
            failed = error
    raise failed or TimeoutError("timed out")


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
