"""Keys of other platforms and of carriers in a trust file, for bills that crossed the border.

    {"jwk", "algorithms": [...], "notBefore"?, "notAfter"?}

1. A JWK has exactly the members of its kind: EC P-256, OKP Ed25519, or RSA of 2048 to 8192 bits.
2. `algorithms` says what the key may sign: ES256; PS256, RS256 and their kin; EdDSA, or Ed25519,
   its new name. Keys on P-384 and P-521 have no place here.
3. A certificate is written down as its key and its validity (`bol keys trust` does that), so that
   the verifier in the browser needs no X.509.
4. Keys that are in use no more stay: what they signed is in the ledger for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from marshmallow import fields, validate

from bol_service.crypto import base64url
from bol_service.crypto.keys import PublicKey
from bol_service.verification.trust_problem import read_each
from bol_service.wire.event_fields import ClosedSchema, Instant, instant_text

if TYPE_CHECKING:
    from bol_service.crypto.peer_keys import PinnedKey

ALGORITHMS: Final = (
    *("ES256", "PS256", "PS384", "PS512"),
    *("RS256", "RS384", "RS512", "EdDSA", "Ed25519"),
)
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192
MAX_EXPONENT: Final = 2**32
_Keys = Mapping[str, tuple["PinnedKey", ...]]


@dataclass(frozen=True, kw_only=True)
class TrustedPeers:
    """Keys by platform code, and by `provider:code` of a carrier.

    `all_keys` is False where only the keys of today are known: what none of them signed may be by
    one of yesterday, and then is not checked instead of forged.
    """

    platforms: _Keys = field(default_factory=dict)
    carriers: _Keys = field(default_factory=dict)
    all_keys: bool = True


class TrustedKeySchema(ClosedSchema):
    jwk = fields.Dict(required=True)
    algorithms = fields.List(
        fields.String(validate=validate.OneOf(ALGORITHMS)),
        required=True,
        validate=validate.Length(1, len(ALGORITHMS)),
    )
    notBefore = Instant()
    notAfter = Instant()


def _keys() -> fields.List[Any]:
    return fields.List(
        fields.Nested(TrustedKeySchema), required=True, validate=validate.Length(1, 100)
    )


class TrustedPeerSchema(ClosedSchema):
    platform = fields.String(required=True, validate=validate.Regexp(r"[A-Z0-9]{2,4}\Z"))
    keys = _keys()


class TrustedCarrierSchema(ClosedSchema):
    carrier = fields.String(
        required=True, validate=validate.Regexp(r"(?:SMDG|NMFTA):[A-Z0-9]{2,4}\Z")
    )
    keys = _keys()


def trusted_peers(
    platforms: Iterable[dict[str, Any]], carriers: Iterable[dict[str, Any]]
) -> TrustedPeers:
    """From loaded members of a trust file; raises TrustError."""
    return TrustedPeers(
        platforms=_by_name("peers", "platform", platforms),
        carriers=_by_name("carriers", "carrier", carriers),
    )


def key_to_json(key: PinnedKey) -> dict[str, Any]:
    """A pinned key as a trust file names it; raises ValueError for one that it has no room for."""
    beyond = sorted(set(key.algorithms) - set(ALGORITHMS))
    if beyond:
        raise ValueError(f"the key {key.kid} signs {', '.join(beyond)}, which no verifier checks")
    bounds = {"notBefore": key.not_before, "notAfter": key.not_after}
    told = {name: instant_text(at) for name, at in bounds.items() if at is not None}
    value = {"jwk": key.to_jwk(), "algorithms": sorted(map(str, key.algorithms)), **told}
    _pinned(TrustedKeySchema().load(value))
    return value


def _by_name(member: str, named_by: str, entries: Iterable[dict[str, Any]]) -> _Keys:
    found: dict[str, tuple[PinnedKey, ...]] = {}
    for at, entry in enumerate(entries):
        name = entry[named_by]
        keys = read_each(f"/{member}/{at}/keys", _pinned, entry["keys"])
        found[name] = (*found.get(name, ()), *keys)
    return found


def _pinned(entry: dict[str, Any]) -> PinnedKey:
    # Only bills that crossed the border need it, and `bol verify` has to start fast.
    from bol_service.crypto.peer_keys import PeerAlgorithm, PinnedKey

    _check_jwk(entry["jwk"])
    key = PinnedKey.from_jwk(entry["jwk"], [PeerAlgorithm(alg) for alg in entry["algorithms"]])
    since: datetime | None = entry.get("notBefore")
    until: datetime | None = entry.get("notAfter")
    return replace(key, not_before=since, not_after=until)


def _check_jwk(jwk: dict[str, Any]) -> None:
    """One spelling per key, so that no two engines read two keys; raises ValueError."""
    if jwk.get("kty") != "RSA":
        PublicKey.from_jwk(jwk)
        return
    if jwk.keys() != {"kty", "n", "e"}:
        raise ValueError(f"a JWK for RSA has exactly the members e, kty, n, not {sorted(jwk)}")
    modulus, exponent = _number("n", jwk["n"]), _number("e", jwk["e"])
    if not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS or modulus % 2 == 0:
        raise ValueError(
            f"n has {modulus.bit_length()} bits; an odd number of {MIN_RSA_BITS} to"
            f" {MAX_RSA_BITS} is taken"
        )
    if not 3 <= exponent < MAX_EXPONENT or exponent % 2 == 0:
        raise ValueError(f"e is {exponent}; an odd number from 3 to below 2^32 is taken")


def _number(name: str, text: object) -> int:
    if not isinstance(text, str):
        raise ValueError(f"{name} is {type(text).__name__}, not base64url text")
    try:
        raw = base64url.decode(text)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error
    if not raw or raw[0] == 0:
        raise ValueError(f"{name} begins with a zero byte, or is empty")
    return int.from_bytes(raw)
