"""What peers ask about deliveries: five routes under `/peer/v1`, at the door for peers.

Every body is a JSON string with one JWS (`wire.abroad`); it is read before anything is looked up,
and the platform that signed it must be the one whose certificate the connection shows, where it
shows one. Refusals are the problems of our own API, so that the peer can pass them on unchanged.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, current_app, json, request

from bol_service.application.delivery_abroad_home import Home, read_wanted
from bol_service.application.delivery_abroad_kept import Keeper
from bol_service.application.delivery_abroad_ports import BadEvidence, DeliveryPeers
from bol_service.application.ports import Clock
from bol_service.domain import errors
from bol_service.domain.identifiers import check_slug
from bol_service.pint.caller import Callers
from bol_service.pint.relay_client import PREFIX
from bol_service.wire.abroad import (
    MAX_REQUEST_BYTES,
    AbroadError,
    Kind,
    PeerRequest,
    crossing_body,
    read_crossing,
    read_request,
)
from bol_service.wire.peers import Pins

_EXTENSION = "bol-delivery-abroad"
blueprint = Blueprint("relay", __name__, url_prefix=PREFIX)


class Relay:
    """What the routes work with; `me` is our platform code."""

    def __init__(
        self,
        *,
        home: Home,
        keeper: Keeper,
        peers: DeliveryPeers,
        callers: Callers,
        pins: Pins,
        clock: Clock,
        me: str,
    ) -> None:
        self.home = home
        self.keeper = keeper
        self.peers = peers
        self._callers = callers
        self._pins = pins
        self._clock = clock
        self._me = me

    def asked(self, kind: Kind) -> PeerRequest:
        """The request of a peer, proven; raises NotExchange."""
        caller = self._callers.of(request.environ)
        try:
            found = read_request(
                request.get_data(cache=False),
                self._pins.platforms,
                receiver=self._me,
                moment=self._clock.now(),
            )
        except AbroadError as error:
            raise errors.NotExchange(str(error)) from None
        if found.kind is not kind:
            raise errors.NotExchange(f"a request of kind {found.kind} was sent to {request.path}")
        if caller is not None and caller != found.sender:
            raise errors.NotExchange(
                f"{found.sender} has signed, the connection shows the certificate of {caller}"
            )
        if found.sender not in self.peers:
            raise errors.NotExchange(f"no deliveries are exchanged with {found.sender}")
        return found


def install(app: Flask, relay: Relay) -> None:
    app.extensions[_EXTENSION] = relay
    app.register_blueprint(blueprint)


def _relay() -> Relay:
    found: Relay = current_app.extensions[_EXTENSION]
    return found


@blueprint.before_request
def _allow_large_bodies() -> None:
    request.max_content_length = MAX_REQUEST_BYTES


@blueprint.post(f"/{Kind.APPLICATION}")
def apply() -> Response:
    """A party of the peer asks to be registered here: 202 waiting, 200 registered."""
    asked = _relay().asked(Kind.APPLICATION)
    status = _relay().home.apply(asked.sender, _name(asked), asked.body.get("application"))
    code = HTTPStatus.OK if status == "registered" else HTTPStatus.ACCEPTED
    return _answer({"status": status}, code)


@blueprint.post(f"/{Kind.EVENT}")
def record() -> Response:
    """An event that the peer relays: the receipt, as at `POST /v1/events`."""
    asked = _relay().asked(Kind.EVENT)
    accepted = _relay().home.record(asked.sender, _name(asked), _text(asked, "event"))
    code = HTTPStatus.OK if accepted.resend else HTTPStatus.CREATED
    return _answer(accepted.receipt.to_value(), code)


@blueprint.post(f"/{Kind.HEAD}")
def head() -> Response:
    """The head of a stream that the named party may know."""
    asked = _relay().asked(Kind.HEAD)
    found = _relay().home.head(asked.sender, _name(asked), _text(asked, "stream"))
    return _answer(found, HTTPStatus.OK)


@blueprint.post(f"/{Kind.EVIDENCE}")
def evidence() -> Response:
    """Partial bundles made for the named reader: of one bill, or of one container's bills."""
    asked = _relay().asked(Kind.EVIDENCE)
    made = _relay().home.evidence(asked.sender, _name(asked), read_wanted(asked.body))
    return _answer({"evidence": [crossing_body(one.crossing) for one in made]}, HTTPStatus.OK)


@blueprint.post(f"/{Kind.OFFER}")
def take() -> Response:
    """Evidence that the peer offers: 204 when it is verified and kept."""
    asked = _relay().asked(Kind.OFFER)
    try:
        crossing = read_crossing(asked.body)
    except AbroadError as error:
        raise BadEvidence(str(error)) from None
    peer = _relay().peers[asked.sender]
    _relay().keeper.take(asked.sender, peer.trust, crossing)
    return Response(status=HTTPStatus.NO_CONTENT)


def _name(asked: PeerRequest) -> str:
    """The party of the peer that it asks for."""
    name = _text(asked, "name")
    try:
        check_slug(name)
    except ValueError as error:
        raise errors.BadEvent(str(error), pointer="/name") from None
    return name


def _text(asked: PeerRequest, member: str) -> str:
    value = asked.body.get(member)
    if not isinstance(value, str):
        raise errors.BadEvent(f"{member} is {value!r}, not a text", pointer=f"/{member}")
    return value


def _answer(value: dict[str, Any], status: HTTPStatus) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")
