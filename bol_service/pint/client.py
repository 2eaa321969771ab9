"""Calling another platform. Implements `application.exchange_ports.PeerLink`.

1. The address is that of the operator's own `peers.json`: no redirect is followed.
2. Where a certificate is pinned for the peer, exactly that one must be shown, whoever else might
   vouch for another.
3. Of an answer at most `most_bytes` are read; a longer one is none.
4. Connecting takes 5 s at most, each wait for the peer 10 s, and all of one request 30 s and the
   time that its body takes at `SLOWEST_LINK`: then the connection is cut from outside, however
   slowly the peer dripped. Only the look-up of its name is left to the system's own limits.
"""

from __future__ import annotations

import hmac
import socket
import ssl
from http.client import HTTPConnection, HTTPException, IncompleteRead
from pathlib import Path
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from bol_service.application.exchange_ports import PeerAway, PeerReply
from bol_service.bounded_request import cut_after
from bol_service.wire.peers import Peer

CONNECT_SECONDS: Final = 5.0
WAIT_SECONDS: Final = 10.0
TOTAL_SECONDS: Final = 30.0
SLOWEST_LINK: Final = 500_000
"""Bytes per second. With it no request outlasts the lease of a transfer."""
MAX_ANSWER_BYTES: Final = 1_000_000
_MOST_ADDRESSES: Final = 3  # of one name are tried
_PORTS: Final = {"http": 80, "https": 443}


class HttpPeer:
    """`certificate` and `key` (PEM files) are shown to a peer that asks for them."""

    def __init__(
        self,
        peer: Peer,
        certificate: Path | None = None,
        key: Path | None = None,
        passphrase: bytes = b"",
        *,
        total_seconds: float = TOTAL_SECONDS,
        most_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        parts = urlsplit(peer.url)
        self._url = peer.url
        self._authority = parts.netloc
        self._host = str(parts.hostname)
        self._port = parts.port or _PORTS[parts.scheme]
        self._prefix = parts.path.rstrip("/")
        self._total_seconds = total_seconds
        self._most_bytes = most_bytes
        self._pinned = (
            None if peer.tls_certificate is None else ssl.PEM_cert_to_DER_cert(peer.tls_certificate)
        )
        self._context = (
            _context(certificate, key, passphrase, pinned=self._pinned is not None)
            if parts.scheme == "https"
            else None
        )

    def post(self, path: str, body: bytes) -> PeerReply:
        return self._ask("POST", path, body)

    def put(self, path: str, body: bytes) -> PeerReply:
        return self._ask("PUT", path, body)

    def _ask(self, method: str, path: str, body: bytes) -> PeerReply:
        allowed = self._total_seconds + len(body) / SLOWEST_LINK
        try:
            connected = _connect(self._host, self._port)
        except OSError as error:
            raise PeerAway(f"{self._url}: {error!r}") from None
        too_late = f"{self._url} gave no whole answer within {allowed:g} s"
        with connected, cut_after(allowed, connected) as was_cut:
            try:
                status, content = self._exchange(connected, method, path, body)
            except (OSError, HTTPException, ValueError) as error:
                reason = too_late if was_cut.is_set() else f"{self._url}: {error!r}"
                raise PeerAway(reason) from None
        if was_cut.is_set():  # the library takes the cut for the end of the answer
            raise PeerAway(too_late)
        if len(content) > self._most_bytes:
            raise PeerAway(f"{self._url} answered more than {self._most_bytes} bytes")
        return PeerReply(status=status, content=content)

    def _exchange(
        self, connected: socket.socket, method: str, path: str, body: bytes
    ) -> tuple[int, bytes]:
        connected.settimeout(WAIT_SECONDS)
        with self._secured(connected) as channel:
            connection = HTTPConnection(self._authority)
            connection.sock = channel
            headers = {
                "Content-Type": "application/json",
                "API-Version": "3",
                "Connection": "close",
            }
            connection.request(method, self._prefix + path, body=body, headers=headers)
            with connection.getresponse() as answer:
                content = answer.read(self._most_bytes + 1)
                if answer.length and len(content) <= self._most_bytes:
                    raise IncompleteRead(content, answer.length)
                return answer.status, content

    def _secured(self, connected: socket.socket) -> socket.socket:
        """A channel of its own on the connection, which stays with whoever may cut it."""
        if self._context is None:
            return connected.dup()
        channel = self._context.wrap_socket(connected.dup(), server_hostname=self._host)
        if self._pinned is not None:
            shown = channel.getpeercert(binary_form=True)
            if shown is None or not hmac.compare_digest(shown, self._pinned):
                channel.close()
                raise PeerAway(f"{self._url} shows another certificate than the one that is pinned")
        return channel


def _connect(host: str, port: int) -> socket.socket:
    """A TCP connection to one of the first addresses of the name; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    deadline = monotonic() + CONNECT_SECONDS
    failed: OSError | None = None
    for entry in found[:_MOST_ADDRESSES]:
        remaining = deadline - monotonic()
        if remaining <= 0:
            break
        try:
            return socket.create_connection((str(entry[4][0]), port), remaining)
        except OSError as error:
            failed = error
    raise failed or TimeoutError("timed out")


def _context(
    certificate: Path | None, key: Path | None, passphrase: bytes, *, pinned: bool
) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if pinned:  # the very certificate is compared instead of its name and issuer
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(certificate, key, password=passphrase)
    return context
