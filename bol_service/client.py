"""A party's connection to a platform: reads with its own short-lived token, sends signed events.

Signs on this side; only the standard library talks HTTP, so that a partner can copy the approach in
any language (docs/clients.md).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from bol_service.crypto import jws, strictjson
from bol_service.crypto.signers import Signer
from bol_service.domain.states import Head
from bol_service.wire import drafting

ASSERTION_TYP = "client-authentication+jwt"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TIMEOUT_SECONDS = 60


class Unreachable(RuntimeError):  # noqa: N818 - says what is the matter
    """No answer came: whether an event was recorded is not known; send it again."""


class Refused(RuntimeError):  # noqa: N818 - says what is the matter
    """The platform answered with a problem; `problem` is its RFC 9457 body."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(f"{problem.get('code')}: {problem.get('detail')}")
        self.problem = problem

    @property
    def code(self) -> str:
        return str(self.problem.get("code", "unknown"))

    @property
    def status(self) -> int:
        return int(self.problem.get("status", 0))


@dataclass(frozen=True, kw_only=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass(kw_only=True)
class Client:
    """One party at one platform; `party` and `signer` are None for public reading."""

    base_url: str
    origin: str
    party: str | None = None
    signer: Signer | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _token: str | None = field(default=None, repr=False)

    # -- acting ----------------------------------------------------------------------------------

    def draft_event(
        self,
        action: str,
        stream: str,
        details: Mapping[str, Any] | None = None,
        *,
        recipient: str | None = None,
        after: Head | str | None = "read",
    ) -> bytes:
        """The payload of my next event on `stream`; its head is read unless `after` is given."""
        head = self.head(stream) if isinstance(after, str) else after
        return drafting.payload(
            action=action,
            actor=self._me(),
            at=self.now(),
            audience=self.origin,
            stream=stream,
            after=head,
            details=details,
            recipient=recipient,
        )

    def act(
        self,
        action: str,
        stream: str,
        details: Mapping[str, Any] | None = None,
        *,
        recipient: str | None = None,
        after: Head | str | None = "read",
    ) -> dict[str, Any]:
        """Sign and send an event; returns the receipt. Raises Refused."""
        event = self.draft_event(action, stream, details, recipient=recipient, after=after)
        return self.send(drafting.sign(event, self._key()))

    def send(self, compact: str) -> dict[str, Any]:
        """Send a signed event; returns the receipt. Raises Refused or Unreachable."""
        answered = self.request(
            "POST", "/v1/events", compact.encode("ascii"), "application/jose", token=None
        )
        receipt: dict[str, Any] = answered.json()
        return receipt

    def upload(
        self,
        content: bytes,
        kind: str = "transport-document",
        media_type: str = "application/json",
    ) -> dict[str, Any]:
        """Upload a document; returns digest, checksum and contentDigest. Raises Refused."""
        path = f"/v1/documents?{urlencode({'kind': kind})}"
        answered = self._authorised("POST", path, content, media_type)
        uploaded: dict[str, Any] = answered.json()
        return uploaded

    def post(self, path: str, value: Mapping[str, Any] | None = None) -> Any:
        """A JSON answer to a JSON request, made with my token. Raises Refused or Unreachable."""
        body = json.dumps(value).encode() if value is not None else b""
        media_type = "application/json" if value is not None else None
        return self._authorised("POST", path, body, media_type).json()

    def delete(self, path: str) -> None:
        """Raises Refused or Unreachable."""
        self._authorised("DELETE", path, None, None)

    # -- reading ---------------------------------------------------------------------------------

    def head(self, stream: str) -> Head | None:
        """The head of a stream, None if it does not exist for me.

        A party that is not registered has no token; it opens its first stream with `after=None`.
        """
        path = f"/v1/streams/{quote(stream, safe='')}/head"
        try:
            found = self.get(path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return Head(sequence=found["sequence"], digest=found["digest"])

    def get(self, path: str, **query: str) -> Any:
        """A JSON answer, read with my token if I have a key. Raises Refused."""
        return self.fetch(path, **query).json()

    def fetch(self, path: str, **query: str) -> Answered:
        """An answer as bytes. Raises Refused."""
        full = f"{path}?{urlencode(query)}" if query else path
        return self._authorised("GET", full, None, None)

    def _authorised(
        self, method: str, path: str, body: bytes | None, media_type: str | None
    ) -> Answered:
        """A request with my token; an expired one is replaced once. Without a key: no token."""
        if self.signer is None:
            return self.request(method, path, body, media_type, token=None)
        try:
            return self.request(method, path, body, media_type, token=self.token())
        except Refused as refused:
            if refused.status != 401:
                raise
            self._token = None
            return self.request(method, path, body, media_type, token=self.token())

    def token(self) -> str:
        if self._token is None:
            form = urlencode(
                {
                    "grant_type": "client_credentials",
                    "client_assertion_type": ASSERTION,
                    "client_assertion": self.assertion(),
                }
            )
            answered = self.request(
                "POST",
                "/oauth/token",
                form.encode("ascii"),
                "application/x-www-form-urlencoded",
                token=None,
            )
            self._token = str(answered.json()["access_token"])
        return self._token

    def assertion(self) -> str:
        """A fresh client assertion (RFC 7523), valid for a minute."""
        issued = int(self.now().timestamp())
        claims = {
            "aud": f"{self.base_url}/oauth/token",
            "exp": issued + 60,
            "iat": issued,
            "iss": self._me(),
            "jti": secrets.token_urlsafe(16),
            "sub": self._me(),
        }
        return jws.sign(strictjson.canonical(claims), ASSERTION_TYP, self._key())

    # -- HTTP ------------------------------------------------------------------------------------

    def request(
        self, method: str, path: str, body: bytes | None, media_type: str | None, token: str | None
    ) -> Answered:
        """One request; redirects are not followed. Raises Refused or Unreachable."""
        url = urlsplit(self.base_url)
        connect = HTTPSConnection if url.scheme == "https" else HTTPConnection
        connection = connect(url.netloc, timeout=TIMEOUT_SECONDS)
        headers = {"Accept": "application/json"}
        if media_type is not None:
            headers["Content-Type"] = media_type
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, f"{url.path}{path}", body=body, headers=headers)
            answer = connection.getresponse()
            return _checked(answer, answer.read())
        except (OSError, HTTPException) as error:
            raise Unreachable(f"{self.base_url}: {error!r}") from None
        finally:
            connection.close()

    def _me(self) -> str:
        if self.party is None:
            raise ValueError("no party is set")
        return self.party

    def _key(self) -> Signer:
        if self.signer is None:
            raise ValueError("no key is set")
        return self.signer


def _checked(answer: HTTPResponse, content: bytes) -> Answered:
    if answer.status >= 400:
        try:
            problem = json.loads(content)
        except ValueError:
            problem = {"code": "unknown", "detail": content[:200].decode("utf-8", "replace")}
        raise Refused({"status": answer.status, **problem})
    return Answered(status=answer.status, headers=dict(answer.getheaders()), content=content)
