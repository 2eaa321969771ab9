"""Calling another platform. Implements `application.exchange_ports.PeerLink`.

1. The address is that of the operator's own `peers.json`: no redirect is followed.
2. Where a certificate is pinned for the peer, exactly that one must be shown, whoever else might
   vouch for another.
3. Of an answer at most `most_bytes` are read; a longer one is none.
4. Connecting takes 5 s at most, each wait for the peer 10 s, and all of one request 30 s and the
   time that its body takes at `SLOWEST_LINK` (`bounded_request`).
"""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bol_service.application.exchange_ports import PeerAway, PeerReply
from bol_service.bounded_request import Limits, NoAnswer, Server
from bol_service.wire.peers import Peer

CONNECT_SECONDS: Final = 5.0
WAIT_SECONDS: Final = 10.0
TOTAL_SECONDS: Final = 30.0
SLOWEST_LINK: Final = 500_000
"""Bytes per second. With it no request outlasts the lease of a transfer."""
MAX_ANSWER_BYTES: Final = 1_000_000


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
        pinned, parts = peer.tls_certificate, urlsplit(peer.url)
        secured = parts.scheme == "https"
        self._url = peer.url
        self._prefix = parts.path.rstrip("/")
        self._server = Server(
            url=peer.url,
            limits=Limits(
                wait=WAIT_SECONDS, total=total_seconds, most=most_bytes, connect=CONNECT_SECONDS
            ),
            tls=_context(certificate, key, passphrase, pinned=bool(pinned)) if secured else None,
            pinned=None if pinned is None else ssl.PEM_cert_to_DER_cert(pinned),
        )

    def post(self, path: str, body: bytes) -> PeerReply:
        return self._ask("POST", path, body)

    def put(self, path: str, body: bytes) -> PeerReply:
        return self._ask("PUT", path, body)

    def _ask(self, method: str, path: str, body: bytes) -> PeerReply:
        limits = self._server.limits
        allowed = replace(limits, total=limits.total + len(body) / SLOWEST_LINK)
        headers = {"Content-Type": "application/json", "API-Version": "3"}
        try:
            answer = replace(self._server, limits=allowed).ask(
                method, self._prefix + path, body, headers
            )
        except NoAnswer as error:
            raise PeerAway(f"{self._url}: {error}") from None
        return PeerReply(status=answer.status, content=answer.content)


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
