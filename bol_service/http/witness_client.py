"""Asking another party's witness over HTTP. Implements `application.witness_ports.WitnessPeer`.

Addresses come from the operator's own policy file. Redirects are not followed, an answer is read
up to a limit, and nothing waits longer than the time-out for a single step of the connection.
"""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

from bol_service.application.witness_ports import PeerAnswer, WitnessAway
from bol_service.ledger.witnessing import origin_hash

TIMEOUT_SECONDS: Final = 5
MAX_ANSWER_BYTES: Final = 64 * 1024


class HttpWitness:
    """`url` is the witness's submission prefix and its monitoring prefix; ValueError for one that
    is no http or https address."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError(f"a witness has an address like https://host/witness, not {url!r}")
        self._url = url
        self._connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._address = parts.netloc
        self._prefix = parts.path.rstrip("/")

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
        connection = self._connect(self._address, timeout=TIMEOUT_SECONDS)
        headers = {"Content-Type": "text/plain; charset=utf-8"} if body is not None else {}
        try:
            connection.request(method, f"{self._prefix}/{path}", body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read(MAX_ANSWER_BYTES + 1)
        except (OSError, HTTPException) as error:
            raise WitnessAway(f"{self._url}: {error!r}") from None
        finally:
            connection.close()
        if len(content) > MAX_ANSWER_BYTES:
            raise WitnessAway(f"{self._url} answered more than {MAX_ANSWER_BYTES} bytes")
        media_type = (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        return PeerAnswer(status=answer.status, media_type=media_type, content=content)
