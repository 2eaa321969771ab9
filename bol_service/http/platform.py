"""The platform itself: tokens, health, rulebook, keys, the public log."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from time import time
from typing import Any

from flask import Response, request

from bol_service.application.access_tokens import NotAuthenticated
from bol_service.application.ports import Unavailable
from bol_service.http.edge import StrictBlueprint, services
from bol_service.http.readiness import OK
from bol_service.ledger.note import to_base64
from bol_service.wire.answers import TokenAnswer, TokenRequest

tokens = StrictBlueprint("tokens", __name__, description="Access tokens for reading")
health = StrictBlueprint("health", __name__, description="Health and metrics")
public = StrictBlueprint("public", __name__, description="What anyone may read")

GRANT = "client_credentials"
TEXT = "text/plain; charset=utf-8"
FOR_EVER = "public, max-age=31536000, immutable"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@tokens.post("/oauth/token")
@tokens.arguments(TokenRequest, location="form")
@tokens.response(200, TokenAnswer)
def get_token(form: dict[str, str]) -> dict[str, Any]:
    """An access token for a client assertion signed with your party's key (RFC 7523)."""
    if form["grant_type"] != GRANT or form["client_assertion_type"] != ASSERTION:
        raise NotAuthenticated(f"only grant_type {GRANT} with {ASSERTION} is known")
    services().rates.token_from(request.remote_addr)
    issued = services().tokens.exchange(form["client_assertion"])
    return {
        "access_token": issued.token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
    }


# -- health --------------------------------------------------------------------------------------


@health.get("/healthz")
@health.response(200, description="The process answers")
def healthz() -> dict[str, str]:
    """Whether this process lives."""
    return {"status": "ok"}


@health.get("/readyz")
@health.response(200, description="Every part is ready")
def readyz() -> tuple[dict[str, Any], int]:
    """Whether this process can record events; names the part that is not ready."""
    parts = services().readiness.parts()
    ready = all(state == OK for state in parts.values())
    return {"ready": ready, "parts": parts}, 200 if ready else 503


@health.get("/metrics")
@health.response(200, description="Prometheus exposition")
def metrics() -> Response:
    """Counters and times of this process; serve it to your monitoring only."""
    found = services().metrics
    found.waiting.set(services().sequencer.waiting)
    found.commit_failing.set(services().sequencer.failure is not None)
    parts = services().readiness.parts()
    found.ready(parts)
    # What the database says stays as it was while it does not answer; `bol_ready` tells that.
    with suppress(Unavailable):
        if parts["database"] != OK:
            raise Unavailable(parts["database"])
        found.head(*services().ledger.last(), now=time())
        cosigning = services().cosigning
        if cosigning is not None:
            found.lags(cosigning.lags())
        witness = services().witness
        if witness is not None:
            found.disputes(witness.disputes())
        delivering = services().delivering
        if delivering is not None:
            found.webhook_backlog.set(delivering.backlog())
    return Response(found.text(), 200, content_type="text/plain; version=0.0.4; charset=utf-8")


# -- public --------------------------------------------------------------------------------------


@public.get("/rulebook")
@public.response(200, description="The rulebook that a party accepts")
def rulebook() -> Response:
    """The rules between the parties. Its SHA-256 is what ACCEPT_RULEBOOK and ISSUE name."""
    content = services().rulebook
    answer = Response(content, 200, content_type="text/markdown; charset=utf-8")
    answer.set_etag(hashlib.sha256(content).hexdigest())
    answer.headers["Rulebook-Digest"] = hashlib.sha256(content).hexdigest()
    return answer


@public.get("/.well-known/jwks.json")
@public.response(200, description="RFC 7517 key set")
def jwks() -> dict[str, Any]:
    """The platform's own public keys. Trust them only if another channel names them too."""
    return {"keys": list(services().public_keys)}


@public.get("/ledger/checkpoint")
@public.response(200, description="C2SP tlog-checkpoint")
def checkpoint() -> Response:
    """The latest signed head of the log."""
    answer = Response(services().ledger.checkpoint(), 200, content_type=TEXT)
    answer.headers["Cache-Control"] = "public, max-age=2"
    return answer


@public.get("/ledger/tile/<path:name>")
@public.response(200, description="C2SP tlog-tiles: hashes of the tree, or entries")
def tile(name: str) -> Response:
    """A tile `<L>/<N>` of the tree, or a bundle `entries/<N>`, with `.p/<W>` if it is not full.

    An entry is 72 bytes: a digest of the stream's name, the sequence in the stream, a digest of the
    event. What a path named once never changes.
    """
    content = services().ledger.tile(f"tile/{name}")
    answer = Response(content, 200, content_type="application/octet-stream")
    answer.headers["Cache-Control"] = FOR_EVER
    return answer


@public.get("/ledger/proof/file/<int:index>")
@public.response(200, description="C2SP tlog-proof")
def proof_file(index: int) -> Response:
    """That the entry `index` is in the log, as a file that can be checked offline."""
    with services().metrics.proof("file"):
        content = services().ledger.proof_file(index)
    return Response(content, 200, content_type=TEXT)


@public.get("/ledger/proof/inclusion/<int:index>")
@public.get("/ledger/proof/inclusion/<int:index>/<int:size>")
@public.response(200, description="RFC 6962 inclusion proof")
def inclusion(index: int, size: int | None = None) -> dict[str, Any]:
    """That the entry `index` is in the tree of `size` (the latest without it)."""
    with services().metrics.proof("inclusion"):
        tree, path = services().ledger.inclusion(index, size)
    return {"index": index, "size": tree, "proof": [to_base64(item) for item in path]}


@public.get("/ledger/proof/consistency/<int:old>")
@public.get("/ledger/proof/consistency/<int:old>/<int:new>")
@public.response(200, description="RFC 6962 consistency proof")
def consistency(old: int, new: int | None = None) -> dict[str, Any]:
    """That the tree of size `old` is the beginning of the one of size `new`."""
    with services().metrics.proof("consistency"):
        tree, path = services().ledger.consistency(old, new)
    return {"old": old, "new": tree, "proof": [to_base64(item) for item in path]}
