"""A party's connection to a platform: reads with its own short-lived token, sends signed events.

Signs on this side; only the standard library talks HTTP, so that a partner can copy the approach in
any language (docs/clients.md).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from bol_service.bounded_request import Answer, Limits, NoAnswer, Server
from bol_service.crypto import jws, strictjson
from bol_service.crypto.signers import Signer
from bol_service.domain.states import Head
from bol_service.wire import drafting

ASSERTION_TYP = "client-authentication+jwt"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIMITS: Final = Limits(wait=60, total=600, most=100_000_000)


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
        """Raises ValueError."""
        try:
            return json.loads(self.content)
        except RecursionError:
            raise ValueError("the answer is nested too deeply") from None


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

    def relay(self, compact: str) -> Answered:
        """Send a signed event for another platform's ledger. Raises Refused or Unreachable."""
        body = compact.encode("ascii")
        return self._authorised("POST", "/v1/abroad/events", body, "application/jose")

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

    def attach(self, bill: str, content: bytes) -> dict[str, Any]:
        """Attach a supporting document, a PDF, to a bill. Raises Refused or Unreachable."""
        path = f"/v1/bills/{quote(bill, safe='')}/files"
        attached: dict[str, Any] = self._authorised("POST", path, content, "application/pdf").json()
        return attached

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

    def pages(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page. Raises Refused."""
        while True:
            answered = self.fetch(path, **{"limit": "100", **query})
            yield from answered.json()["items"]
            headers = {name.lower(): value for name, value in answered.headers.items()}
            cursor = headers.get("next-page-cursor")
            if cursor is None:
                return
            query = {**query, "cursor": cursor}

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
        headers = {"Accept": "application/json"}
        if media_type is not None:
            headers["Content-Type"] = media_type
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            server = Server(url=self.base_url, limits=LIMITS)
            answer = server.ask(method, f"{urlsplit(self.base_url).path}{path}", body, headers)
        except (NoAnswer, ValueError) as error:
            raise Unreachable(f"{self.base_url}: {error}") from None
        return _checked(answer)

    def _me(self) -> str:
        if self.party is None:
            raise ValueError("no party is set")
        return self.party

    def _key(self) -> Signer:
        if self.signer is None:
            raise ValueError("no key is set")
        return self.signer


def _checked(answer: Answer) -> Answered:
    if answer.status >= 400:
        raise Refused({**_problem(answer.content), "status": answer.status})
    return Answered(status=answer.status, headers=answer.headers, content=answer.content)


def _problem(content: bytes) -> dict[str, Any]:
    """What a proxy says has any form, or none."""
    try:
        problem = json.loads(content)
    except (ValueError, RecursionError):
        problem = None
    if isinstance(problem, dict):
        return problem
    return {"code": "unknown", "detail": content[:200].decode("utf-8", "replace")}
