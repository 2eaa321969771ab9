"""Files that the API hands out: always saved under a name of ours, never shown in place."""

from __future__ import annotations

from flask import Response


def download(content: bytes | str, media_type: str, name: str) -> Response:
    """`name` goes into a header as it is: nothing that somebody else has written."""
    answer = Response(content, 200, content_type=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
