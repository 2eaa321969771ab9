"""The Flask application: blueprints, OpenAPI 3.1, error answers. Built by `bootstrap`."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from bol_service.http import (
    abroad,
    bills,
    docs,
    documents,
    edge,
    error_pages,
    events,
    files,
    platform,
    precedence,
    problems,
    webhooks,
    witness,
)
from bol_service.settings import MAX_BODY_BYTES
from bol_service.wire.answers import Problem

DESCRIPTION = """
Electronic bills of lading. Every legal act is an event that a party signs with its own key and
sends to `POST /v1/events`; everything else reads. Numbers in signed events are integers; amounts
are decimal strings. See docs/formats.md for the signed bytes and docs/clients.md for samples.
"""


class ProblemApi(Api):
    """flask-smorest, answering its own refusals as problems too."""

    ERROR_SCHEMA = Problem

    def handle_http_exception(self, error: HTTPException) -> object:
        return problems.http_exception(error)


_CONFIG: dict[str, Any] = {
    "API_TITLE": "Electronic bill of lading",
    "API_VERSION": "1.0.0",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/docs",
    "OPENAPI_JSON_PATH": "openapi.json",
    "API_SPEC_OPTIONS": {
        "info": {"description": DESCRIPTION.strip(), "license": {"name": "Apache-2.0"}},
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    },
    "MAX_CONTENT_LENGTH": MAX_BODY_BYTES,
    "JSON_SORT_KEYS": False,
    "PROPAGATE_EXCEPTIONS": False,
}


def create_app(services: edge.Services) -> Flask:
    """The WSGI application around `services`."""
    app = Flask("bol_service.http", static_folder=None)
    app.config.update(_CONFIG)
    app.extensions["bol"] = services
    precedence.install(app)
    edge.install(app)
    _register(app)
    problems.register(app)
    webhooks.register(app)
    abroad.register(app)
    return app


def describe_api() -> dict[str, Any]:
    """The OpenAPI 3.1 description, made without a running service."""
    app = Flask("bol_service.http", static_folder=None)
    app.config.update(_CONFIG)
    description: dict[str, Any] = _register(app).spec.to_dict()
    return description


def _register(app: Flask) -> ProblemApi:
    api = ProblemApi(app)
    for blueprint in (
        events.blueprint,
        documents.blueprint,
        bills.bills,
        bills.drafts,
        bills.parties,
        bills.streams,
        webhooks.blueprint,
        files.blueprint,
        abroad.blueprint,
        platform.tokens,
        platform.health,
        platform.public,
        witness.blueprint,
        docs.blueprint,
        error_pages.blueprint,
    ):
        api.register_blueprint(blueprint)
    return api
