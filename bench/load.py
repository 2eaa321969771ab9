"""A load generator that costs the machine little: prepared requests over raw keep-alive sockets.

Every connection has its own queue of complete HTTP requests and sends the next one when it has the
answer to the last. One thread, one selector; signing is done before the clock starts. Any answer
but the expected one ends the run: a figure made of refusals would be a fast one.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

HOST = "127.0.0.1"


class UnexpectedAnswer(RuntimeError):  # noqa: N818 - says what happened
    """The server refused, or answered what was not expected; the message ends with its words."""


@dataclass(kw_only=True)
class Result:
    """`latencies` are seconds, in no order; `seconds` is the whole run; `bodies` if kept."""

    seconds: float
    latencies: list[float] = field(repr=False)
    bodies: list[bytes] = field(repr=False)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Seconds within which `share` of the answers came."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request(path: str, body: bytes, media_type: str) -> bytes:
    """A whole POST request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


def event(compact: str) -> bytes:
    """The request that records one signed event."""
    return request("/v1/events", compact.encode("ascii"), "application/jose")


def get(path: str, token: str) -> bytes:
    """A whole GET request with an access token."""
    head = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n\r\n"
    return head.encode("ascii")


@dataclass(kw_only=True)
class _Connection:
    socket: socket.socket
    requests: Iterator[bytes]
    sent_at: float = 0.0
    answer: bytearray = field(default_factory=bytearray)

    def send(self) -> bool:
        """Send the next request; False when there is none."""
        following = next(self.requests, None)
        if following is None:
            return False
        self.sent_at = time.perf_counter()
        self.socket.sendall(following)
        return True


def run(
    ports: int | Sequence[int],
    queues: Iterable[Iterable[bytes]],
    *,
    expect: int = 201,
    keep: bool = False,
) -> Result:
    """Send every queue over a connection of its own, all at once; `keep` the answers' bodies.

    With several ports the connections go to them in turn.

    Raises:
        UnexpectedAnswer: An answer had another status than `expect`.
        ConnectionError: The server closed a connection.
    """
    selector = selectors.DefaultSelector()
    ports = [ports] if isinstance(ports, int) else ports
    for port, queue in zip(cycle(ports), queues, strict=False):  # the ports never end
        sock = socket.create_connection((HOST, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(socket=sock, requests=iter(queue))
        selector.register(sock, selectors.EVENT_READ, connection)
    try:
        return _exchange(selector, expect, keep)
    finally:
        for key in list(selector.get_map().values()):
            key.data.socket.close()
        selector.close()


def _exchange(selector: selectors.BaseSelector, expect: int, keep: bool) -> Result:
    latencies: list[float] = []
    bodies: list[bytes] = []
    connections = [key.data for key in selector.get_map().values()]
    started = time.perf_counter()
    open_ = sum(connection.send() for connection in connections)
    while open_:
        for key, _ in selector.select():
            connection = key.data
            body = _answered(connection, expect)
            if body is None:
                continue
            latencies.append(time.perf_counter() - connection.sent_at)
            if keep:
                bodies.append(body)
            if not connection.send():
                selector.unregister(connection.socket)
                connection.socket.close()
                open_ -= 1
    seconds = time.perf_counter() - started
    return Result(seconds=seconds, latencies=latencies, bodies=bodies)


def _answered(connection: _Connection, expect: int) -> bytes | None:
    """The body once the answer is complete; it is taken out of the buffer."""
    part = connection.socket.recv(65536)
    if not part:
        raise ConnectionError("the server closed the connection")
    answer = connection.answer
    answer += part
    head_end = answer.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    total = head_end + 4 + _content_length(bytes(answer[:head_end]).lower())
    if len(answer) < total:
        return None
    status, body = int(answer[9:12]), bytes(answer[head_end + 4 : total])
    if status != expect:
        words = body.decode("utf-8", "replace")
        raise UnexpectedAnswer(f"{status} where {expect} was expected: {words[:600]}")
    del answer[:total]
    return body


def _content_length(head: bytes) -> int:
    _, found, rest = head.partition(b"\r\ncontent-length:")
    if not found:
        raise UnexpectedAnswer(f"an answer without Content-Length: {head[:200]!r}")
    return int(rest.partition(b"\r")[0])
