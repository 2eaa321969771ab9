"""The platform's trust file: what it is for, what it names, and the file itself.

1. It is for anybody, logged in or not: whoever checks evidence without this platform needs it.
2. A file that says whose signatures count is believed without proof, so the page tells its SHA-256
   and where to compare it: with what the operator publishes elsewhere.
"""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, render_template

from bol_service.portal.desk import desk
from bol_service.portal.download import download

blueprint = Blueprint("portal_trust_file", __name__)


@blueprint.get("/trust")
def show() -> str:
    """What the file is for and what it names."""
    own = desk().trust_file
    return render_template(
        "portal/trust.html",
        digest=hashlib.sha256(own.content).hexdigest(),
        names=own.read,
        published=own.published,
    )


@blueprint.get("/trust.json")
def get() -> Response:
    """The file."""
    code = desk().platform_code
    return download(desk().trust_file.content, "application/json", f"{code}-trust.json")
