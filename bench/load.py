"""A load generator that costs the machine little: prepared requests over raw keep-alive sockets.

Every connection has its own queue of complete HTTP requests and sends the next one when it has the
answer to the last. One thread, one selector; signing is done before the clock starts.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Result:
    """`latencies` are seconds, in no order; `seconds` is the whole run."""

    seconds: float
    statuses: Counter[int]
    latencies: list[float] = field(repr=False)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request(path: str, body: bytes, media_type: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {media_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


@dataclass(kw_only=True)
class _Connection:
    socket: socket.socket
    requests: list[bytes]
    sent_at: float = 0.0
    next: int = 0
    answer: bytearray = field(default_factory=bytearray)

    def send(self) -> bool:
        if self.next == len(self.requests):
            return False
        self.sent_at = time.perf_counter()
        self.socket.sendall(self.requests[self.next])
        self.next += 1
        return True


def run(port: int, queues: Sequence[Sequence[bytes]]) -> Result:
    """Send every queue over a connection of its own, all at once."""
    selector = selectors.DefaultSelector()
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    for queue in queues:
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(socket=sock, requests=list(queue))
        selector.register(sock, selectors.EVENT_READ, connection)
    open_ = len(queues)
    started = time.perf_counter()
    for key in list(selector.get_map().values()):
        key.data.send()
    while open_:
        for key, _ in selector.select():
            connection = key.data
            status = _read(connection)
            if status is None:
                continue
            latencies.append(time.perf_counter() - connection.sent_at)
            statuses[status] += 1
            if not connection.send():
                selector.unregister(connection.socket)
                connection.socket.close()
                open_ -= 1
    return Result(seconds=time.perf_counter() - started, statuses=statuses, latencies=latencies)


def _read(connection: _Connection) -> int | None:
    """The status once an answer is complete; the rest of the buffer stays."""
    part = connection.socket.recv(65536)
    if not part:
        raise ConnectionError("the server closed the connection")
    answer = connection.answer
    answer += part
    head_end = answer.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    head = bytes(answer[:head_end]).lower()
    mark = head.index(b"content-length:") + 15
    length = int(head[mark : head.find(b"\r", mark) if b"\r" in head[mark:] else None])
    total = head_end + 4 + length
    if len(answer) < total:
        return None
    status = int(answer[9:12])
    del answer[:total]
    return status
