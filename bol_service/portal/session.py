"""Logging in with the party's own key, and who may send what from where.

1. The page signs the same client assertion that GET-ting a token needs (RFC 7523); the server keeps
   nothing of it and answers with a cookie that holds the access token: five minutes, readable by no
   script, sent to this site only. The page renews it while it is open.
2. Every request that is not a plain reading must come from a page of this platform: the Origin
   header is ours, and Sec-Fetch-Site, where the browser sends it, says `same-origin`.
3. A page for a party leads to the log-in page when nobody is logged in; the token only reads,
   whoever steals the cookie can sign nothing.
4. Logging out ends the token on the server as well: a copy of the cookie opens nothing afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import quote

from flask import Blueprint, Response, g, json, redirect, render_template, request
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as AnyResponse

from bol_service.application.access_tokens import NotAuthenticated
from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.domain.states import PartyState
from bol_service.portal.desk import desk
from bol_service.wire.event_fields import instant_text

P = ParamSpec("P")
R = TypeVar("R")
_READING = ("GET", "HEAD", "OPTIONS")
_MAX_ASSERTION = 8192
_OWN_PAGE = re.compile(r"/portal/[A-Za-z0-9/_.?=&%:+-]*")

blueprint = Blueprint("portal_session", __name__)


def require_same_origin() -> None:
    """Refuse what another site made the browser send; raises Forbidden."""
    if request.method in _READING:
        return
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    if site != "same-origin" or origin != desk().web_origin:
        raise Forbidden(f"origin {origin}, expected {desk().web_origin}")


def find_party() -> None:
    """Put the logged-in party into `g.party`; a session that has ended is none."""
    token = request.cookies.get(cookie_name())
    if token:
        with suppress(NotAuthenticated):
            g.party = desk().tokens.party_of(token)


def signed_in(view: Callable[P, R]) -> Callable[P, R | AnyResponse]:
    """Only for a logged-in party, which is `g.party`; others are led to the log-in page."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R | AnyResponse:
        if g.party is None and request.headers.get("HX-Request"):
            return Response(status=401)  # a part of a page that is open: a log-in page is no answer
        if g.party is None:
            wanted = request.full_path.rstrip("?") if request.method == "GET" else "/portal/"
            return redirect(f"/portal/log-in?next={quote(wanted, safe='/')}", 303)
        return view(*args, **kwargs)

    return checked


def me() -> PartyState:
    """The logged-in party; raises NotFound."""
    found = desk().views.names([g.party]).get(g.party)
    if found is None:
        raise errors.NotFound(f"party {g.party} is not registered")
    return found


def cookie_name() -> str:
    # With this prefix browsers refuse the cookie unless it is Secure and of this host alone.
    return "__Host-ebl-session" if desk().is_secure else "ebl-session"


def own_page(wanted: str | None) -> str:
    """`wanted` if it is a page of the portal, else its first page."""
    if wanted and _OWN_PAGE.fullmatch(wanted) and "//" not in wanted:
        return wanted
    return "/portal/"


# -- routes --------------------------------------------------------------------------------------


@blueprint.get("/log-in")
def log_in() -> str:
    """Choose a key of this browser; the page's script does the rest."""
    return render_template("portal/log_in.html", next=own_page(request.args.get("next")))


@blueprint.get("/session")
def session_facts() -> Response:
    """What a log-in has to be made out to, and the platform's time."""
    now = desk().clock.now()
    value = {
        "audience": f"{desk().base_url}/oauth/token",
        "now": int(now.timestamp()),
        "at": instant_text(now),
        "origin": desk().origin,
        "party": g.party,
    }
    return _json(value)


@blueprint.post("/session")
def open_session() -> Response:
    """Exchange a client assertion for the cookie."""
    try:
        issued = desk().tokens.exchange(_assertion())
    except NotAuthenticated as error:
        return _json({"code": "not_authenticated", "detail": str(error)}, 401)
    answer = _json({"party": issued.party, "expiresIn": issued.expires_in})
    answer.set_cookie(
        cookie_name(),
        issued.token,
        max_age=issued.expires_in,
        path="/",
        secure=desk().is_secure,
        httponly=True,
        samesite="Strict",
    )
    return answer


@blueprint.post("/session/end")
def end_session() -> AnyResponse:
    """Log out of this browser; the keys stay in it, and the token of its cookie reads no more."""
    token = request.cookies.get(cookie_name())
    if token:
        desk().tokens.end(token)
    answer = redirect("/portal/", 303)
    answer.delete_cookie(
        cookie_name(), path="/", secure=desk().is_secure, httponly=True, samesite="Strict"
    )
    return answer


def _assertion() -> str:
    if (request.content_length or 0) > _MAX_ASSERTION or request.mimetype != "application/json":
        raise NotAuthenticated("the log-in is a small JSON object with one assertion")
    try:
        value = strictjson.loads_event(request.get_data())
    except strictjson.BadJson as error:
        raise NotAuthenticated(str(error)) from None
    assertion = value.get("assertion") if isinstance(value, dict) else None
    if not isinstance(assertion, str):
        raise NotAuthenticated("the log-in has no assertion")
    return assertion


def _json(value: dict[str, object], status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")
