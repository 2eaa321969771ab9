"""The first page, the language, our own files, and what leads nowhere."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    g,
    json,
    redirect,
    render_template,
    request,
    send_from_directory,
)
from werkzeug.wrappers import Response as AnyResponse

from bol_service.domain import errors
from bol_service.portal.desk import desk
from bol_service.portal.language import COOKIE, LANGUAGES
from bol_service.portal.session import own_page

STATIC = Path(__file__).parent / "static"
_YEAR = 31_536_000
_TYPES = {".js": "text/javascript", ".css": "text/css"}


def _release() -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


RELEASE = _release()

blueprint = Blueprint("portal_pages", __name__)
# Asked for with every page, and the same for everybody: no log-in is looked up for them.
FOR_ANYBODY = ("portal.portal_pages.static_file", "portal.portal_pages.words")


@blueprint.get("/")
def first() -> AnyResponse | str:
    """What waits for a party; for everybody else, what one can do here."""
    if g.party is not None:
        return redirect("/portal/to-do", 302)
    return render_template("portal/first.html")


@blueprint.post("/language")
def choose_language() -> AnyResponse:
    """Keep the reader's language in a cookie."""
    answer = redirect(own_page(request.form.get("next")), 303)
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        answer.set_cookie(
            COOKIE,
            chosen,
            max_age=_YEAR,
            path="/portal",
            secure=desk().is_secure,
            httponly=True,
            samesite="Strict",
        )
    return answer


@blueprint.get("/words/<string:name>.json")
def words(name: str) -> Response:
    """The words of a language, for the scripts."""
    if name not in LANGUAGES:
        raise errors.NotFound(f"no words in {name}")
    content = json.dumps(LANGUAGES[name], ensure_ascii=False)
    return Response(content, 200, content_type="application/json")


@blueprint.get("/static/<string:release>/<path:name>")
def static_file(release: str, name: str) -> Response:
    """Style sheet and scripts, all of them our own."""
    answer = send_from_directory(STATIC, name, mimetype=_TYPES.get(Path(name).suffix))
    # A page of another release, still open, gets what there is now, but may not keep it.
    kept = f"public, max-age={_YEAR}, immutable" if release == RELEASE else "no-store"
    answer.headers["Cache-Control"] = kept
    return answer


@blueprint.get("/<path:_nowhere>")
def nowhere(_nowhere: str) -> Response:
    raise errors.NotFound("this page is unknown")
