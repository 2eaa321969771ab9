"""What parties do on another platform's ledger through this one (docs/adr/0030).

A terminal or customs authority signs for the ledger on which the bill was issued, and sends it
here; the answer of that platform is passed on as it came, its problems too.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g
from marshmallow import ValidationError

from bol_service.application.delivery_abroad_parties import PartiesAbroad
from bol_service.application.delivery_abroad_ports import PeerSilent, RefusedAbroad
from bol_service.application.exchange_ports import PeerReply
from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.http.download import download
from bol_service.http.edge import StrictBlueprint, bearer, body, services
from bol_service.http.events import JOSE
from bol_service.http.problems import PROBLEM, problem
from bol_service.wire.abroad_answers import (
    AbroadApplicationRequest,
    AbroadEvidencePage,
    AbroadHeadQuery,
    ApplicantPage,
    AppliedAnswer,
    FreshQuery,
)
from bol_service.wire.answers import HeadAnswer, ReceiptAnswer

blueprint = StrictBlueprint("abroad", __name__, description="Deliveries of bills issued elsewhere")


def register(app: Flask) -> None:
    app.register_error_handler(RefusedAbroad, _refused)


@blueprint.post("/v1/abroad/registrations")
@blueprint.doc(
    requestBody={
        "required": True,
        "content": {"application/json": {"schema": AbroadApplicationRequest}},
    }
)
@blueprint.alt_response(200, schema=AppliedAnswer, description="The operator there has registered")
@blueprint.response(202, AppliedAnswer)
@bearer
def apply() -> Response:
    """Ask another platform's operator to register your party, through this platform.

    `details` are those of the REGISTER to come, with the proof of a key that is yours here too.
    """
    wanted = _wanted(body("application/json"))
    application = {"party": wanted["party"], "details": wanted["details"]}
    return _passed_on(_abroad().apply(g.party, wanted["platform"], application))


@blueprint.get("/v1/abroad/applications")
@blueprint.response(200, ApplicantPage)
@bearer
def list_applications() -> dict[str, Any]:
    """Parties of other platforms that wait for the operator of this one to register them."""
    applicants = services().applicants
    if applicants is None:
        raise errors.NotFound("no deliveries are exchanged here")
    return {"items": applicants.waiting(g.party)}


@blueprint.post("/v1/abroad/events")
@blueprint.doc(
    requestBody={
        "required": True,
        "description": "A compact JWS of typ `ebl-event+jws` whose audience is the other ledger",
        "content": {JOSE: {"schema": {"type": "string"}}},
    }
)
@blueprint.alt_response(200, schema=ReceiptAnswer, description="A resend: the first receipt again")
@blueprint.response(201, ReceiptAnswer)
@bearer
def relay() -> Response:
    """Hand an event that you have signed to the platform whose ledger it is for.

    503 `peer_unreachable` leaves open whether it was recorded: send the same again.
    """
    return _passed_on(_abroad().relay(g.party, body(JOSE).decode("ascii", "replace")))


@blueprint.get("/v1/abroad/streams/<string:stream>/head")
@blueprint.arguments(AbroadHeadQuery, location="query")
@blueprint.response(200, HeadAnswer)
@bearer
def head(query: dict[str, str], stream: str) -> Response:
    """The head of a stream of another platform's ledger, `origin`, as your party may know it."""
    if services().abroad is None:
        raise errors.NotFound("no deliveries are exchanged here")
    return _passed_on(_abroad().head(g.party, query["origin"], stream))


@blueprint.get("/v1/abroad/evidence")
@blueprint.response(200, AbroadEvidencePage)
@bearer
def list_evidence() -> dict[str, Any]:
    """The verified evidence that this platform keeps for you, the newest 200."""
    abroad = services().abroad
    return {"items": [] if abroad is None else abroad.kept(g.party)}


@blueprint.get("/v1/abroad/evidence/<string:platform>/<string:bill>")
@blueprint.arguments(FreshQuery, location="query")
@blueprint.response(200, description="An evidence bundle, `*.ebl.json`, partial")
@bearer
def get_evidence(query: dict[str, bool], platform: str, bill: str) -> Response:
    """Evidence of a bill issued on another platform; with `fresh=true` asked for anew."""
    if services().abroad is None:
        raise errors.NotFound("no deliveries are exchanged here")
    kept = _abroad().evidence(g.party, platform, bill, fresh=query["fresh"])
    return download(kept.bundle, "application/json", f"{kept.bill[:16]}.ebl.json")


def _abroad() -> PartiesAbroad:
    abroad = services().abroad
    if abroad is None:
        raise errors.UnknownPeer("this platform exchanges no deliveries with another one")
    return abroad


def _passed_on(reply: PeerReply) -> Response:
    media_type = PROBLEM if reply.status >= 400 else "application/json"
    return Response(reply.content, reply.status, content_type=media_type)


def _wanted(content: bytes) -> dict[str, Any]:
    try:
        value: Any = strictjson.loads_event(content)
        wanted: dict[str, Any] = AbroadApplicationRequest().load(value)
    except strictjson.BadJson as error:
        raise errors.BadEvent(str(error), pointer=error.pointer) from None
    except ValidationError as error:
        raise errors.BadEvent(f"the application: {error}", pointer="") from None
    return wanted


def _refused(error: RefusedAbroad) -> Response:
    answer = problem(error.code, str(error))
    if isinstance(error, PeerSilent):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer
