"""Asking another party's witness over HTTP. Implements `application.witness_ports.WitnessPeer`.

Addresses come from the operator's own policy file. A witness may be away, slow or malicious: no
request takes longer than `LIMITS`, also not at the start of the service, which asks it.

A witness may stand behind a door that asks for a certificate, as that of another platform does:
`tls_context` makes what shows ours there, and believes a certificate that was exchanged by hand.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bol_service.application.witness_ports import PeerAnswer, WitnessAway
from bol_service.bounded_request import Limits, NoAnswer, Server
from bol_service.ledger.witnessing import origin_hash

LIMITS: Final = Limits(wait=5, total=15, most=64 * 1024)


class HttpWitness:
    """`url` is the witness's submission prefix and its monitoring prefix; ValueError for one that
    is no http or https address. Over https `tls` says whom we believe and what we show."""

    def __init__(
        self, url: str, tls: ssl.SSLContext | None = None, *, limits: Limits = LIMITS
    ) -> None:
        parts = urlsplit(url)
        if parts.query or parts.fragment:
            raise ValueError(f"a witness has an address like https://host/witness, not {url!r}")
        self._url = url
        self._prefix = parts.path.rstrip("/")
        self._server = Server(url=url, limits=limits, tls=tls)

    def add_checkpoint(self, request: bytes) -> PeerAnswer:
        return self._ask("POST", "add-checkpoint", request)

    def latest(self, origin: str) -> str | None:
        answer = self._ask("GET", f"{origin_hash(origin)}/checkpoint", None)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise WitnessAway(f"{self._url} answered {answer.status}")
        try:
            return answer.content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise WitnessAway(f"{self._url} answered no text: {error}") from None

    def _ask(self, method: str, path: str, body: bytes | None) -> PeerAnswer:
        headers = {"Content-Type": "text/plain; charset=utf-8"} if body is not None else {}
        try:
            answer = self._server.ask(method, f"{self._prefix}/{path}", body, headers)
        except NoAnswer as error:
            raise WitnessAway(f"{self._url}: {error}") from None
        media_type = answer.header("content-type").partition(";")[0].strip().lower()
        return PeerAnswer(status=answer.status, media_type=media_type, content=answer.content)


def tls_context(
    believed: Path | None, certificate: Path | None, key: Path | None, passphrase: bytes
) -> ssl.SSLContext:
    """`believed` are PEM certificates that count beside those of the public authorities, also
    where a witness shows one of them itself; `certificate` with its `key` is shown to who asks.

    Raises:
        OSError: A file cannot be read, or is not what it should be.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if believed is not None:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cafile=believed)
    if certificate is not None:
        context.load_cert_chain(certificate, key, password=passphrase)
    return context
