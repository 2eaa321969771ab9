"""Files that the portal hands out: never shown in place, always saved under a name of ours."""

from __future__ import annotations

from flask import Response


def download(content: bytes | str, media_type: str, name: str) -> Response:
    """`name` goes into a header as it is: nothing that somebody else has written."""
    answer = Response(content, 200, content_type=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
