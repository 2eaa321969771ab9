"""The portal as a part of the platform's Flask application: blueprints, templates, failures.

It shares the application's edge (request id, limits, the strict content policy) and adds its own:
every page knows its language and its party, a request from another site is refused, and whatever
fails is answered as a page that says what to do.
"""

from __future__ import annotations

import structlog
from flask import Blueprint, Flask, Response, g, redirect, render_template, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from bol_service.application.access_tokens import NotAuthenticated
from bol_service.application.rates import TooMany
from bol_service.copy.faults import Busy, NoCopy
from bol_service.domain import errors
from bol_service.portal import (
    acts,
    bill_files,
    bills,
    disclosing,
    draft_desk,
    evidence_abroad,
    gate,
    gate_abroad,
    issuing,
    key_acts,
    language,
    ledger,
    mandates,
    operator,
    pages,
    parties,
    registrations,
    session,
    shipments,
    trust_file,
    verify,
    webhooks,
)
from bol_service.portal.desk import EXTENSION, Desk, desk

PREFIX = "/portal"
_BLUEPRINTS = (
    session.blueprint,
    pages.blueprint,
    verify.blueprint,
    bills.blueprint,
    bill_files.blueprint,
    disclosing.blueprint,
    acts.blueprint,
    shipments.blueprint,
    draft_desk.blueprint,
    issuing.blueprint,
    gate.blueprint,
    gate_abroad.blueprint,
    evidence_abroad.blueprint,
    parties.blueprint,
    key_acts.blueprint,
    mandates.blueprint,
    operator.blueprint,
    registrations.blueprint,
    ledger.blueprint,
    trust_file.blueprint,
    webhooks.blueprint,
)


def install(app: Flask, portal_desk: Desk) -> None:
    """Add the portal under /portal, and lead / to it."""
    app.extensions[EXTENSION] = portal_desk
    whole = Blueprint("portal", __name__, template_folder="templates", url_prefix=PREFIX)
    for blueprint in _BLUEPRINTS:
        whole.register_blueprint(blueprint)
    whole.before_request(_before)
    whole.after_request(_after)
    whole.register_error_handler(errors.Refusal, _refusal)
    whole.register_error_handler(NotAuthenticated, _ended)
    whole.register_error_handler(TooMany, _too_many)
    whole.register_error_handler(Busy, _too_many)
    whole.register_error_handler(NoCopy, _no_copy)
    whole.register_error_handler(HTTPException, _http)
    whole.register_error_handler(Exception, _unexpected)
    whole.context_processor(_context)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(moment=language.moment, day=language.day, pretty=language.pretty)
    app.jinja_env.globals.update(
        t=language.t, code_word=language.code_word, next_step=language.next_step
    )
    app.register_blueprint(whole)
    app.add_url_rule("/", "portal_root", lambda: redirect(f"{PREFIX}/", 302))


def _before() -> None:
    session.require_same_origin()
    g.party = None
    if request.endpoint not in pages.FOR_ANYBODY:
        session.find_party()


def _after(answer: Response) -> Response:
    # The edge's no-referrer would make browsers hide the Origin that our forms are checked by.
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def _context() -> dict[str, object]:
    party = desk().views.names([g.party]).get(g.party) if g.get("party") else None
    return {
        "lang": language.language(),
        "demo": desk().trust.demo,
        "origin": desk().origin,
        "me": party,
        "me_name": language.party_name(party, party.slug) if party else "",
        "here": request.path,
        "asset": asset,
    }


def asset(name: str) -> str:
    """The address of a file of ours. It changes with every release, and scripts import each other
    relative to it, so browsers may keep what they got and never mix two releases."""
    return f"{PREFIX}/static/{pages.RELEASE}/{name}"


# -- failures ------------------------------------------------------------------------------------


def _page(status: int, title: str, text: str, detail: str = "") -> Response:
    page = render_template("portal/failure.html", title=title, text=text, detail=detail)
    return Response(page, status, content_type="text/html; charset=utf-8")


def _refusal(error: errors.Refusal) -> Response:
    # What is forbidden and what does not exist must look alike, so its words name nothing.
    detail = "" if isinstance(error, errors.NotFound) else error.message
    return _page(
        error.status,
        language.t(f"refusal.{error.code}"),
        language.t(f"refusal.{error.code}.next"),
        detail,
    )


def _ended(_error: NotAuthenticated) -> AnyResponse:
    return redirect(f"{PREFIX}/log-in", 303)


def _too_many(error: TooMany | Busy) -> Response:
    words = language.t("failure.429"), language.t("failure.429.next", seconds=error.retry_after)
    answer = _page(429, *words)
    answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def _no_copy(error: NoCopy) -> Response:
    words = language.t("failure.copy"), language.t("failure.copy.next")
    return _page(406, *words, detail=str(error))


def _http(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status == 404:
        return _refusal(errors.NotFound("this page is unknown"))
    known = f"failure.{status}" if status in (403, 405, 413) else "failure.400"
    known = "failure.500" if status >= 500 else known
    return _page(status, language.t(known), language.t(f"{known}.next"))


def _unexpected(error: Exception) -> Response:
    structlog.get_logger().error("page failed", error=repr(error), exc_info=error)
    return _page(500, language.t("failure.500"), language.t("failure.500.next"))
