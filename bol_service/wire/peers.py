"""`peers.json`: the platforms and carriers whose signatures count here, and how to reach them.

    {"platforms": {CODE: {"url", "keys": [pin...], "tlsCertificate"?, "trust"?, "options"?: {...}}},
     "carriers": {"SMDG:CODE" | "NMFTA:CODE": {"keys": [pin...]}}}

1. A pin is {"certificate": PEM} or {"jwk": {...}}, with "algorithms" where fewer are wanted than
   the key could sign, or where it is an Ed25519 key.
2. `url` is where the peer serves PINT: https, without query; plain http to this machine only.
3. `tlsCertificate` (PEM) is the one certificate that the peer shows on a connection.
4. `trust` is the peer's trust file, as an object: with it the two platforms also relay the acts and
   the evidence of a delivery to each other.
5. `options` allow what the standard forbids or leaves open, for this one peer.
6. A key speaks for one platform only. Carriers may share keys: one line can have several codes.

The schema is closed; a mistake anywhere makes the whole file unusable, and the error points at it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load, validate

from bol_service.crypto import strictjson
from bol_service.crypto.peer_keys import PeerAlgorithm, PinnedKey, read_certificate
from bol_service.wire.event_fields import ClosedSchema
from bol_service.wire.transport_document_fields import Flag
from bol_service.wire.transport_document_problem import below, flatten

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:.]{{2,45}}\])"
_REST: Final = r"(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*"
_URL: Final = re.compile(
    rf"https://{_HOST}{_REST}|http://(?:localhost|127\.0\.0\.1|\[::1\]){_REST}"
)
_PLATFORM: Final = re.compile(r"[A-Z0-9]{2,4}")
_CARRIER: Final = re.compile(r"(?:SMDG|NMFTA):[A-Z0-9]{2,4}")
_PEM: Final = validate.Length(1, 20_000)


class PeersError(ValueError):
    """The file cannot be used; the message begins with the JSON pointer."""


@dataclass(frozen=True, kw_only=True)
class PeerOptions:
    """Each member allows one deviation; by default none is."""

    issuance_manifest_at_root: bool = False
    """The issuance manifest may stand beside the chain instead of in its first entry."""
    repeated_issue: bool = False
    """Later transactions may be called ISSUE; they count as TRANSFER."""
    without_continuity: bool = False
    """Entries need not come from the platform on which the original is."""
    other_issue_to: bool = False
    """ISSUE may name the first possessor otherwise than the carrier did in `issueTo`."""
    ignore_registry: bool = False
    """A chain may name a control tracking registry, which is then not consulted."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """`url` has no slash at its end; `trust` is not looked into here."""

    code: str
    url: str
    keys: tuple[PinnedKey, ...]
    tls_certificate: str | None
    options: PeerOptions
    trust: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Pins:
    """Keys by platform code, and by `provider:code` of a carrier."""

    platforms: Mapping[str, tuple[PinnedKey, ...]]
    carriers: Mapping[str, tuple[PinnedKey, ...]]


@dataclass(frozen=True, kw_only=True)
class Peers:
    platforms: Mapping[str, Peer]
    carriers: Mapping[str, tuple[PinnedKey, ...]]

    @property
    def pins(self) -> Pins:
        platforms = {code: peer.keys for code, peer in self.platforms.items()}
        return Pins(platforms=platforms, carriers=self.carriers)


class PinSchema(ClosedSchema):
    certificate = fields.String(validate=_PEM)
    jwk = fields.Dict()
    algorithms = fields.List(
        fields.String(validate=validate.OneOf(list(PeerAlgorithm))), validate=validate.Length(1)
    )

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> PinnedKey:
        if ("certificate" in data) == ("jwk" in data):
            raise ValidationError("a pin has a certificate or a jwk; give exactly one")
        stated = data.get("algorithms")
        algorithms = None if stated is None else [PeerAlgorithm(alg) for alg in stated]
        try:
            if "jwk" in data:
                return PinnedKey.from_jwk(data["jwk"], algorithms)
            return PinnedKey.from_certificate(data["certificate"], algorithms)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class PeerOptionsSchema(ClosedSchema):
    issuanceManifestAtRoot = Flag()
    repeatedIssue = Flag()
    withoutContinuity = Flag()
    otherIssueTo = Flag()
    ignoreRegistry = Flag()

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> PeerOptions:
        return PeerOptions(
            issuance_manifest_at_root=data.get("issuanceManifestAtRoot", False),
            repeated_issue=data.get("repeatedIssue", False),
            without_continuity=data.get("withoutContinuity", False),
            other_issue_to=data.get("otherIssueTo", False),
            ignore_registry=data.get("ignoreRegistry", False),
        )


def _pins() -> fields.List[Any]:
    return fields.List(fields.Nested(PinSchema), required=True, validate=validate.Length(1, 20))


class PeerSchema(ClosedSchema):
    url = fields.String(required=True)
    keys = _pins()
    tlsCertificate = fields.String(validate=_PEM)
    trust = fields.Dict()
    options = fields.Nested(PeerOptionsSchema)

    @post_load
    def _check(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if _URL.fullmatch(data["url"]) is None:
            raise ValidationError(
                f"{data['url']!r} is not the address of a peer; write https://HOST or"
                " https://HOST/PATH, without a slash at the end",
                "url",
            )
        if "tlsCertificate" in data:
            try:
                read_certificate(data["tlsCertificate"])
            except ValueError as error:
                raise ValidationError(str(error), "tlsCertificate") from None
        return data


class CarrierSchema(ClosedSchema):
    keys = _pins()


class PeersSchema(ClosedSchema):
    platforms = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(PeerSchema),
        required=True,
    )
    carriers = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(CarrierSchema),
        required=True,
    )


def read_peers(content: bytes) -> Peers:
    """Raises PeersError."""
    try:
        value = strictjson.loads_document(content)
    except strictjson.BadJson as error:
        raise PeersError(f"{error.pointer or 'peers.json'}: {error.reason}") from None
    try:
        loaded = PeersSchema().load(value)  # type: ignore[arg-type]  # it judges the type itself
    except ValidationError as error:
        raise PeersError(_first(error.messages)) from None
    _check_names(loaded["platforms"], "/platforms", _PLATFORM, "a platform code such as SGPX")
    _check_names(loaded["carriers"], "/carriers", _CARRIER, "a carrier such as SMDG:XLSC")
    _check_one_platform_per_key(loaded["platforms"])
    return Peers(
        platforms={code: _peer(code, peer) for code, peer in loaded["platforms"].items()},
        carriers={name: tuple(entry["keys"]) for name, entry in loaded["carriers"].items()},
    )


def _peer(code: str, loaded: dict[str, Any]) -> Peer:
    return Peer(
        code=code,
        url=loaded["url"],
        keys=tuple(loaded["keys"]),
        tls_certificate=loaded.get("tlsCertificate"),
        options=loaded.get("options", PeerOptions()),
        trust=loaded.get("trust"),
    )


def _check_names(entries: dict[str, Any], pointer: str, form: re.Pattern[str], wanted: str) -> None:
    for name in entries:
        if form.fullmatch(name) is None:
            raise PeersError(f"{below(pointer, name)}: {name!r} is not {wanted}")


def _check_one_platform_per_key(platforms: dict[str, Any]) -> None:
    owners: dict[str, str] = {}
    for code, pointer, key in _all_keys(platforms):
        owner = owners.setdefault(key.kid, code)
        if owner != code:
            raise PeersError(f"{pointer}: the key {key.kid} is pinned for {owner} already")


def _all_keys(platforms: dict[str, Any]) -> Iterator[tuple[str, str, PinnedKey]]:
    for code, peer in platforms.items():
        for index, key in enumerate(peer["keys"]):
            yield code, below("/platforms", code, "keys", index), key


def _first(messages: object) -> str:
    """Of marshmallow's nested messages; those of a dictionary stand under its `value`."""
    problem = next(flatten(messages))
    pointer = re.sub(
        r"^(/(?:platforms|carriers)/[^/]*)/(?:value|key)(?=/|$)", r"\1", problem.pointer
    )
    return f"{pointer or 'peers.json'}: {problem.message}"
