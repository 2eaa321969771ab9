"""What every request passes first and every answer last.

In: a request id (given or made), a Host, no NUL in the address (not every database takes it), a
Content-Length for every body (a chunked body would be cut at the limit and taken for whole), strict
query parameters. Out: the request id, security headers, no caching of what is private, and no host
in a redirection, which would be whatever the request called us. `bearer` puts the proven party into
`g.party`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from time import monotonic
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import unquote_to_bytes, urlencode, urlsplit

import structlog
from flask import Flask, Response, abort, current_app, g, request
from flask_smorest import Blueprint
from marshmallow import EXCLUDE, RAISE
from webargs.flaskparser import FlaskParser

from bol_service.application.access_tokens import AccessTokens, NotAuthenticated
from bol_service.application.bill_files import BillFiles
from bol_service.application.cosigning import Cosigning
from bol_service.application.delivery_abroad_home import Applicants
from bol_service.application.delivery_abroad_parties import PartiesAbroad
from bol_service.application.documents import Documents
from bol_service.application.evidence import Evidence
from bol_service.application.ledger_queries import LedgerQueries
from bol_service.application.queries import Queries
from bol_service.application.rates import Rates
from bol_service.application.record import Recorder
from bol_service.application.sequencer import Sequencer
from bol_service.application.webhook_delivery import Delivering
from bol_service.application.webhooks import Webhooks
from bol_service.application.witness import Witness
from bol_service.copy.apart import Copies
from bol_service.http.metrics import Metrics
from bol_service.http.readiness import Readiness

P = ParamSpec("P")
R = TypeVar("R")
log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Services:
    """All that the routes use; made in `bootstrap`."""

    recorder: Recorder
    sequencer: Sequencer
    queries: Queries
    ledger: LedgerQueries
    documents: Documents
    files: BillFiles
    tokens: AccessTokens
    rates: Rates
    evidence: Evidence
    copies: Copies
    metrics: Metrics
    readiness: Readiness
    origin: str
    platform_code: str
    rulebook: bytes
    public_keys: tuple[dict[str, str], ...]
    webhooks: Webhooks
    witness: Witness | None = None
    cosigning: Cosigning | None = None
    delivering: Delivering | None = None
    abroad: PartiesAbroad | None = None
    applicants: Applicants | None = None


def services() -> Services:
    return cast(Services, current_app.extensions["bol"])


class _StrictParser(FlaskParser):
    """Unknown query and form parameters are errors, not ignored."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - the name is webargs'
        "json": RAISE,
        "query": RAISE,
        "form": RAISE,
        "headers": EXCLUDE,
        "path": RAISE,
    }


class StrictBlueprint(Blueprint):
    ARGUMENTS_PARSER = _StrictParser()


def install(app: Flask) -> None:
    app.before_request(_before)
    app.after_request(_after)


def bearer(view: Callable[P, R]) -> Callable[P, R]:
    """Only with a valid access token, `g.token`; the party is `g.party` afterwards."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticated("an Authorization: Bearer header is needed")
        g.party, g.token = services().tokens.party_of(token), token
        return view(*args, **kwargs)

    return checked


def body(media_type: str) -> bytes:
    """The raw body; 415 unless it is declared as `media_type`."""
    if request.mimetype != media_type:
        abort(415, description=f"{request.mimetype or 'nothing'} was sent, {media_type} is needed")
    return request.get_data(cache=False)


def etag(answer: Response, tag: str) -> Response:
    """Set the ETag and answer 304 where the client has this version."""
    answer.set_etag(tag)
    answer.make_conditional(request)
    return answer


def _before() -> None:
    given = request.headers.get("X-Request-Id", "")
    usable = re.fullmatch(r"[A-Za-z0-9._-]{8,64}", given) is not None
    g.request_id = given if usable else secrets.token_hex(8)
    g.started = monotonic()
    if not request.headers.get("Host"):
        abort(400, description="a Host header is needed")
    if "\0" in request.path or b"\0" in unquote_to_bytes(request.query_string):
        abort(400, description="the address holds NUL, which no name here has")
    if request.method in ("POST", "PUT", "PATCH") and request.content_length is None:
        abort(411, description="a Content-Length header is needed")


_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "API-Version": "1.0.0",
}


def _after(answer: Response) -> Response:
    answer.headers["X-Request-Id"] = g.get("request_id", "")
    if answer.location is not None:
        answer.headers["Location"] = _here(answer.location)
    present = {name.lower() for name, _ in answer.headers}
    for name, value in _HEADERS.items():
        if name.lower() not in present:
            answer.headers.add(name, value)
    elapsed = monotonic() - g.get("started", monotonic())
    rule = request.url_rule.rule if request.url_rule else "unmatched"
    services().metrics.request(rule, request.method, answer.status_code, elapsed)
    log.info(
        "request",
        method=request.method,
        route=rule,
        status=answer.status_code,
        seconds=round(elapsed, 4),
        party=g.get("party"),
        request_id=g.get("request_id"),
    )
    return answer


def _here(location: str) -> str:
    """The place without scheme and host, which the framework takes from the Host header: behind a
    proxy that ends TLS they are wrong, and a stranger can choose them."""
    parts = urlsplit(location)
    path = "/" + parts.path.lstrip("/")
    return f"{path}?{parts.query}" if parts.query else path


def page(items: list[Any], cursor: str | None) -> tuple[dict[str, Any], int, dict[str, str]]:
    """A page of a list; `Next-Page-Cursor` and `Link: rel=next` lead to the rest."""
    headers = {}
    if cursor is not None:
        query = {**request.args.to_dict(), "cursor": cursor}
        headers = {
            "Next-Page-Cursor": cursor,
            "Link": f'<{request.path}?{urlencode(query)}>; rel="next"',
        }
    return {"items": items}, 200, headers
