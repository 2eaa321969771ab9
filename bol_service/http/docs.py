"""The API's description for people: Swagger UI from our own files."""

from __future__ import annotations

from pathlib import Path

from flask import Response, send_from_directory

from bol_service.http.edge import StrictBlueprint
from bol_service.http.page import page

STATIC = Path(__file__).parent / "static"

blueprint = StrictBlueprint("docs", __name__, description="The API's description")


@blueprint.get("/docs/")
@blueprint.response(200, description="HTML")
def api_description() -> Response:
    """The API, to read and to try; works without internet."""
    head = (
        '<link rel="stylesheet" href="/docs/static/swagger-ui/swagger-ui.css">'
        '<script src="/docs/static/swagger-ui/swagger-ui-bundle.js"></script>'
        '<script src="/docs/static/docs.js"></script>'
    )
    return page("Electronic bill of lading: API", head, '<main id="api"></main>')


@blueprint.get("/docs/static/<path:name>")
@blueprint.response(200, description="A file of the description")
def static_file(name: str) -> Response:
    """Files of Swagger UI (Apache-2.0, see VENDORED.json)."""
    answer = send_from_directory(STATIC, name)
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer
