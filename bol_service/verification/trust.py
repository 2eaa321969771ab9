"""Which keys speak for a platform: the trust file, `trust.json`.

It is the only thing a verifier believes without proof, so it must come from somewhere else than the
file under test: the platform's publication, the rulebook, a contract.

    {"origin", "code", "demo", "logKeys": [{"vkey", "fromSize", "toSize"?}], "registrarKids": [...],
     "statementKeys": [JWK...], "witnesses": [vkey...], "quorum", "maxAge",
     "peers"?: [{"platform", "keys": [...]}], "carriers"?: [{"carrier", "keys": [...]}]}

`maxAge` is how many seconds a title statement counts as current. `peers` and `carriers` are for
bills that crossed between platforms: whose signed answers and chains count; see `trust_peers`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from bol_service.crypto import strictjson
from bol_service.crypto.keys import PublicKey
from bol_service.domain.identifiers import check_origin
from bol_service.ledger.note import VerifierKey, parse_vkey
from bol_service.verification.trust_peers import (
    TrustedCarrierSchema,
    TrustedPeers,
    TrustedPeerSchema,
    trusted_peers,
)
from bol_service.verification.trust_problem import (
    GET_AGAIN,
    TrustError,
    of_schema,
    read_at,
    read_each,
)

DEFAULT_MAX_AGE = 600


@dataclass(frozen=True, kw_only=True)
class LogKey:
    """A key of the log, trusted for checkpoints of size `from_size` up to `to_size`."""

    key: VerifierKey
    from_size: int
    to_size: int | None

    def covers(self, size: int) -> bool:
        return self.from_size <= size and (self.to_size is None or size <= self.to_size)


@dataclass(frozen=True, kw_only=True)
class Trust:
    origin: str
    code: str
    demo: bool
    log_keys: tuple[LogKey, ...]
    registrar_kids: frozenset[str]
    statement_keys: tuple[PublicKey, ...]
    witnesses: tuple[VerifierKey, ...]
    quorum: int
    max_age: int
    peers: TrustedPeers = field(default_factory=TrustedPeers)


class _LogKeySchema(Schema):
    vkey = fields.String(required=True)
    fromSize = fields.Integer(required=True, strict=True, validate=validate.Range(0))
    toSize = fields.Integer(strict=True, validate=validate.Range(0))


class TrustSchema(Schema):
    class Meta:
        unknown = RAISE

    origin = fields.String(required=True)
    code = fields.String(required=True)
    demo = fields.Boolean(required=True)
    logKeys = fields.List(
        fields.Nested(_LogKeySchema), required=True, validate=validate.Length(1, 100)
    )
    registrarKids = fields.List(fields.String(), required=True, validate=validate.Length(1, 100))
    statementKeys = fields.List(fields.Dict(), required=True, validate=validate.Length(1, 100))
    witnesses = fields.List(fields.String(), required=True)
    quorum = fields.Integer(required=True, strict=True, validate=validate.Range(0))
    maxAge = fields.Integer(required=True, strict=True, validate=validate.Range(1))
    peers = fields.List(fields.Nested(TrustedPeerSchema), validate=validate.Length(1, 100))
    carriers = fields.List(fields.Nested(TrustedCarrierSchema), validate=validate.Length(1, 1000))


def read_trust(content: bytes) -> Trust:
    """Raises TrustError."""
    value = _members(content)
    read_at("/origin", check_origin, value["origin"])
    trust = Trust(
        origin=value["origin"],
        code=value["code"],
        demo=value["demo"],
        log_keys=tuple(_log_key(at, entry) for at, entry in enumerate(value["logKeys"])),
        registrar_kids=frozenset(value["registrarKids"]),
        statement_keys=tuple(
            read_each("/statementKeys", PublicKey.from_jwk, value["statementKeys"])
        ),
        witnesses=tuple(read_each("/witnesses", parse_vkey, value["witnesses"])),
        quorum=value["quorum"],
        max_age=value["maxAge"],
        peers=trusted_peers(value.get("peers", ()), value.get("carriers", ())),
    )
    if trust.demo != trust.origin.startswith("demo."):
        raise TrustError(
            f"/origin {trust.origin} and /demo {str(trust.demo).lower()} contradict each other;"
            " an origin that begins with demo. is a demonstration's, and no other is"
        )
    if trust.quorum > len(trust.witnesses):
        raise TrustError(
            f"/quorum is {trust.quorum}, and /witnesses names {len(trust.witnesses)};"
            " wanted is a quorum of the witnesses that are named"
        )
    return trust


def _members(content: bytes) -> dict[str, Any]:
    try:
        value = strictjson.loads_event(content)
    except strictjson.BadJson as error:
        raise TrustError(str(error), GET_AGAIN) from None
    try:
        return cast(dict[str, Any], TrustSchema().load(value))  # type: ignore[arg-type]
    except ValidationError as error:
        raise of_schema(value, error) from None


def _log_key(at: int, entry: dict[str, Any]) -> LogKey:
    return LogKey(
        key=read_at(f"/logKeys/{at}/vkey", parse_vkey, entry["vkey"]),
        from_size=entry["fromSize"],
        to_size=entry.get("toSize"),
    )
