"""Calling another platform. Implements `application.exchange_ports.PeerLink`.

The address is that of the operator's own `peers.json`: no redirect is followed, an answer is read
up to a limit, no step of the connection waits longer than the time-out. Where a certificate is
pinned for the peer, exactly that one must be shown, whoever else might vouch for another.
"""

from __future__ import annotations

import hmac
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bol_service.application.exchange_ports import PeerAway, PeerReply
from bol_service.wire.peers import Peer

TIMEOUT_SECONDS: Final = 10
MAX_ANSWER_BYTES: Final = 1_000_000


class HttpPeer:
    """`certificate` and `key` (PEM files) are shown to a peer that asks for them."""

    def __init__(
        self,
        peer: Peer,
        certificate: Path | None = None,
        key: Path | None = None,
        passphrase: bytes = b"",
    ) -> None:
        parts = urlsplit(peer.url)
        self._url = peer.url
        self._address = parts.netloc
        self._prefix = parts.path.rstrip("/")
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
        connection = self._connection()
        try:
            connection.connect()
            self._require_pinned(connection)
            headers = {"Content-Type": "application/json", "API-Version": "3"}
            connection.request(method, self._prefix + path, body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read(MAX_ANSWER_BYTES + 1)
        except (OSError, HTTPException) as error:
            raise PeerAway(f"{self._url}: {error!r}") from None
        finally:
            connection.close()
        if len(content) > MAX_ANSWER_BYTES:
            raise PeerAway(f"{self._url} answered more than {MAX_ANSWER_BYTES} bytes")
        return PeerReply(status=answer.status, content=content)

    def _connection(self) -> HTTPConnection:
        if self._context is None:
            return HTTPConnection(self._address, timeout=TIMEOUT_SECONDS)
        return HTTPSConnection(self._address, timeout=TIMEOUT_SECONDS, context=self._context)

    def _require_pinned(self, connection: HTTPConnection) -> None:
        if self._pinned is None:
            return
        socket = connection.sock
        shown = socket.getpeercert(binary_form=True) if isinstance(socket, ssl.SSLSocket) else None
        if shown is None or not hmac.compare_digest(shown, self._pinned):
            raise PeerAway(f"{self._url} shows another certificate than the one that is pinned")


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
