"""Applying for registration from the browser that made the key, and seeing what became of it."""

from __future__ import annotations

from flask import Blueprint, Response, json, render_template, request

from bol_service.application.registrations import BadApplication
from bol_service.portal.desk import desk

blueprint = Blueprint("portal_registrations", __name__)


@blueprint.post("/registrations")
def apply() -> tuple[Response, int]:
    """Hand in what the keys page has prepared; the answer names the page that tells the outcome."""
    desk().rates.application_from(request.remote_addr)
    try:
        found = desk().registrations.apply(request.get_data())
    except BadApplication as fault:
        return _json({"detail": str(fault)}), 422
    return _json({"page": f"/portal/registrations/{found.id}"}), 201


@blueprint.get("/registrations/<string:application>")
def show_outcome(application: str) -> str:
    """Whether it waits, was accepted, or was refused and why; for whoever knows its id."""
    found = desk().registrations.one(application)
    return render_template("portal/registration.html", found=found, asked=found.application.asked)


def _json(value: dict[str, str]) -> Response:
    return Response(json.dumps(value), content_type="application/json")
