"""The frame of the pages beside the portal: the API's description and the catalogue of errors."""

from __future__ import annotations

from html import escape

from flask import Response

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


def page(title: str, head: str, body: str) -> Response:
    """`title` is text; `head` and `body` are HTML."""
    text = _PAGE.format(title=escape(title), head=head, body=body)
    return Response(text, 200, content_type="text/html; charset=utf-8")
