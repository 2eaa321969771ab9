"""What two platforms tell each other about a delivery (docs/adr/0030, docs/formats.md).

1. A peer request: JWS by the sender's exchange key over {v, kind, from, to, at, body}. It proves
   which platform asks, whatever the connection proves; it counts for five minutes.
2. A cover: JWS of typ `ebl-crossing+jws` by a statement key of the platform of issue over {v,
   origin, bill, reader, as?, reference, shipment, containers, customsRelease, bundle, at}. It says
   for whom on the other platform a partial bundle was made, and what its guard needs to know.
3. An application: the details of the REGISTER that a party of one platform asks the other's
   operator for, with the proof of its own key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from marshmallow import ValidationError, fields

from bol_service.crypto import jws, peer_jws, strictjson
from bol_service.crypto.keys import PublicKey
from bol_service.crypto.peer_keys import PinnedKey
from bol_service.crypto.peer_signers import PeerSigner
from bol_service.crypto.signers import Signer
from bol_service.domain import errors
from bol_service.domain.events import Role
from bol_service.wire.event_details_party import RegisterDetails
from bol_service.wire.event_fields import (
    ClosedSchema,
    Instant,
    StrictInteger,
    Text,
    Truth,
    Tuple,
    container,
    digest,
    instant_text,
    slug,
)
from bol_service.wire.events import PROOF_TYP, key_proof_payload

VERSION: Final = 1
COVER_TYP: Final = "ebl-crossing+jws"
REQUEST_WINDOW: Final = timedelta(minutes=5)
MAX_REQUEST_BYTES: Final = 24_000_000
MAX_COVER_BYTES: Final = 200_000
APPLIED_ROLES: Final = frozenset({Role.TERMINAL, Role.CUSTOMS, Role.RAIL_OPERATOR})
"""What a party that is reached through its own platform can be here: who keeps or clears cargo."""


class AbroadError(ValueError):
    """Not what this format is; the message says where and why."""


class Kind(StrEnum):
    """What a peer asks for. The route names it too; both must agree."""

    APPLICATION = "application"
    EVENT = "event"
    HEAD = "head"
    EVIDENCE = "evidence"
    OFFER = "offer"


@dataclass(frozen=True, kw_only=True)
class PeerRequest:
    kind: Kind
    sender: str
    receiver: str
    at: datetime
    body: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cover:
    """`reader` is a slug of the platform that receives it; `party` its slug in the ledger that the
    bundle is of, None where it has none. `bundle` is the SHA-256 of the bundle's bytes."""

    origin: str
    bill: str
    reader: str
    party: str | None
    reference: str
    shipment: str
    containers: tuple[str, ...]
    customs_release: bool
    bundle: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """A partial bundle and the cover that it travels with."""

    cover: str
    bundle: bytes


@dataclass(frozen=True, kw_only=True)
class Application:
    """`details` are those of the REGISTER, as sent; `kid` is the key's thumbprint."""

    party: str
    kid: str
    details: dict[str, Any]


# -- peer requests -------------------------------------------------------------------------------


class _RequestSchema(ClosedSchema):
    v = StrictInteger(required=True)
    kind = fields.Enum(Kind, by_value=True, required=True)
    sender = fields.String(required=True, data_key="from")
    receiver = fields.String(required=True, data_key="to")
    at = Instant(required=True)
    body = fields.Dict(required=True)


def write_request(request: PeerRequest, signer: PeerSigner) -> bytes:
    """The JSON string that is sent."""
    value = {
        "v": VERSION,
        "kind": str(request.kind),
        "from": request.sender,
        "to": request.receiver,
        "at": instant_text(request.at),
        "body": request.body,
    }
    return json.dumps(peer_jws.sign(strictjson.canonical(value), signer)).encode("ascii")


def read_request(
    content: bytes, pins: Mapping[str, tuple[PinnedKey, ...]], *, receiver: str, moment: datetime
) -> PeerRequest:
    """The request that a pinned platform has signed for `receiver`.

    Raises:
        AbroadError: Not well formed, not signed by the platform that it names, for another
            receiver, or too old.
    """
    try:
        text = strictjson.loads_document(content)
        if not isinstance(text, str):
            raise AbroadError("the body is a JSON string that holds one compact JWS")
        parsed = peer_jws.parse(text, max_bytes=MAX_REQUEST_BYTES)
        loaded = _of_this_version(_RequestSchema().load(parsed.value))
        request = PeerRequest(**loaded)
        peer_jws.verify(parsed, pins.get(request.sender, ()), moment)
    except (strictjson.BadJson, jws.BadJws, jws.BadSignature, ValidationError) as error:
        raise AbroadError(f"no request of a peer: {error}") from None
    if request.receiver != receiver:
        raise AbroadError(f"the request is for {request.receiver}, this is {receiver}")
    if abs(moment - request.at) > REQUEST_WINDOW:
        raise AbroadError(
            f"the request was signed at {instant_text(request.at)}, it is {instant_text(moment)}; "
            "set the clocks and sign it again"
        )
    return request


# -- covers --------------------------------------------------------------------------------------


class _CoverSchema(ClosedSchema):
    v = StrictInteger(required=True)
    origin = Text(255, required=True)
    bill = digest(required=True)
    reader = slug(required=True)
    party = slug(data_key="as")
    reference = Text(20, required=True)
    shipment = Text(36, required=True)
    containers = Tuple(container(), required=True, least=1)
    customs_release = Truth(required=True, data_key="customsRelease")
    bundle = digest(required=True)
    at = Instant(required=True)


def write_cover(cover: Cover, signer: Signer) -> str:
    value: dict[str, Any] = {
        "v": VERSION,
        "origin": cover.origin,
        "bill": cover.bill,
        "reader": cover.reader,
        "reference": cover.reference,
        "shipment": cover.shipment,
        "containers": list(cover.containers),
        "customsRelease": cover.customs_release,
        "bundle": cover.bundle,
        "at": instant_text(cover.at),
    }
    if cover.party is not None:
        value["as"] = cover.party
    return jws.sign(strictjson.canonical(value), COVER_TYP, signer)


def read_cover(text: str) -> tuple[Cover, jws.ParsedJws]:
    """The cover and its JWS, not yet verified; raises AbroadError."""
    try:
        parsed = jws.parse(text, COVER_TYP, max_bytes=MAX_COVER_BYTES)
        value = strictjson.loads_event(parsed.payload)
        if strictjson.canonical(value) != parsed.payload:
            raise AbroadError("the cover differs from its own RFC 8785 form")
        # It judges the type itself.
        loaded = _of_this_version(_CoverSchema().load(value))  # type: ignore[arg-type]
    except (jws.BadJws, strictjson.BadJson, ValidationError) as error:
        raise AbroadError(f"no cover: {error}") from None
    return Cover(**{"party": None, **loaded}), parsed


def _of_this_version(loaded: dict[str, Any]) -> dict[str, Any]:
    version = loaded.pop("v")
    if version != VERSION:
        raise AbroadError(f"version {version} is not known, {VERSION} is")
    return loaded


# -- crossings and applications as bodies --------------------------------------------------------


class _CrossingSchema(ClosedSchema):
    cover = fields.String(required=True)
    bundle = fields.String(required=True)


class _ApplicationSchema(ClosedSchema):
    party = slug(required=True)
    details = fields.Dict(required=True)


def crossing_body(crossing: Crossing) -> dict[str, Any]:
    return {"cover": crossing.cover, "bundle": crossing.bundle.decode("utf-8")}


def read_crossing(body: object) -> Crossing:
    """Raises AbroadError."""
    try:
        loaded = _CrossingSchema().load(body)  # type: ignore[arg-type]
    except ValidationError as error:
        raise AbroadError(f"no evidence with its cover: {error}") from None
    return Crossing(cover=loaded["cover"], bundle=loaded["bundle"].encode("utf-8"))


def read_application(body: object, origin: str) -> Application:
    """An application for the ledger `origin`, its proof verified.

    Raises:
        errors.BadEvent: Not well formed, or a role that is not applied for in this way.
        errors.BadSignature: The proof is not that of the key for this party and identity.
    """
    try:
        loaded = _ApplicationSchema().load(body)  # type: ignore[arg-type]
        raw = loaded["details"]
        details = RegisterDetails().load(raw)
    except ValidationError as error:
        raise errors.BadEvent(f"the application: {error}", pointer="") from None
    beyond = sorted({*details["roles"]} - APPLIED_ROLES)
    if beyond:
        raise errors.BadEvent(
            f"{', '.join(beyond)} cannot be applied for from another platform; "
            f"{', '.join(sorted(APPLIED_ROLES))} can",
            pointer="/details/roles",
        )
    key: PublicKey = details["key"]
    payload = key_proof_payload(
        origin=origin, party=loaded["party"], key=key, identity=raw["identity"]
    )
    try:
        jws.verify(jws.parse_detached(details["key_proof"], payload, PROOF_TYP), key)
    except (jws.BadJws, jws.BadSignature) as error:
        raise errors.BadSignature(str(error), pointer="/details/keyProof") from None
    return Application(party=loaded["party"], kid=key.kid, details=raw)
