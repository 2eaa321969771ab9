"""The API's description for people: Swagger UI from our own files."""

from __future__ import annotations

from pathlib import Path

from flask import Response, send_from_directory

from bol_service.http.events import StrictBlueprint

STATIC = Path(__file__).parent / "static"

blueprint = StrictBlueprint("docs", __name__, description="The API's description")

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{head}
</head>
<body>
{body}
</body>
</html>
"""


@blueprint.get("/docs/")
@blueprint.response(200, description="HTML")
def api_description() -> Response:
    """The API, to read and to try; works without internet."""
    head = (
        '<link rel="stylesheet" href="/docs/static/swagger-ui/swagger-ui.css">'
        '<script src="/docs/static/swagger-ui/swagger-ui-bundle.js"></script>'
        '<script src="/docs/static/docs.js"></script>'
    )
    return _html("Electronic bill of lading: API", head, '<main id="api"></main>')


@blueprint.get("/docs/static/<path:name>")
@blueprint.response(200, description="A file of the description")
def static_file(name: str) -> Response:
    """Files of Swagger UI (Apache-2.0, see VENDORED.json)."""
    answer = send_from_directory(STATIC, name)
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer


def _html(title: str, head: str, body: str) -> Response:
    page = _PAGE.format(title=title, head=head, body=body)
    return Response(page, 200, content_type="text/html; charset=utf-8")
