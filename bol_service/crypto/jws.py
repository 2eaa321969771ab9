"""Compact JWS with nothing to choose (RFC 7515, hardened as RFC 8725 asks).

`parse` looks only at the text, before any key:
1. ASCII, at most `max_bytes`, three non-empty parts in canonical unpadded base64url;
2. the header is strict JSON with exactly alg, kid and typ (alg and kid where no typ is expected:
   DCSA issuance manifests carry none); so no jku, jwk, x5u, x5c, crit, b64, and nothing twice;
3. alg is literally Ed25519 or ES256, kid a thumbprint, typ the one this door accepts;
4. the signature has 64 bytes.
`verify` then asks: the algorithm the key is pinned to, the key's own name, the signature.

ECDSA lets anyone turn a signature (r, s) into the equally valid (r, n-s). What a message *is*
is therefore `digest`, over the whole text, never its signature bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bol_service.crypto import base64url, strictjson
from bol_service.crypto.keys import SIGNATURE_SIZE, Algorithm, PublicKey
from bol_service.crypto.signers import Signer
from bol_service.domain.values import made

MAX_BYTES: Final = 64 * 1024
_THUMBPRINT_SIZE: Final = 32
_REMEMBERED_HEADERS: Final = 4096


class BadJws(ValueError):  # noqa: N818 - named by what is bad
    """The text is not a message this door accepts; `reason` is a sentence saying why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadSignature(ValueError):  # noqa: N818 - named by what is bad
    """The message is well formed, but not signed by the key it was checked against."""


@dataclass(frozen=True, kw_only=True)
class ParsedJws:
    """Well formed, not verified. Made by `parse`; `text` is always the full compact form.

    `digest` is SHA-256 of the text in ASCII, lower-case hex: the identity of the message.
    """

    alg: Algorithm
    kid: str
    typ: str | None
    payload: bytes
    signature: bytes
    text: str
    digest: str

    @property
    def signing_input(self) -> bytes:
        return self.text.rpartition(".")[0].encode("ascii")


def parse(text: str, typ: str | None, *, max_bytes: int = MAX_BYTES) -> ParsedJws:
    """Raises BadJws. `typ` is the only one accepted; None asks for a header without it."""
    if len(text) > max_bytes:
        raise BadJws(f"the message has {len(text)} characters; at most {max_bytes} are taken")
    parts = text.split(".")
    if len(parts) != 3 or not all(parts):
        raise BadJws("a compact JWS has three non-empty parts: header, payload, signature")
    alg, kid = _header(parts[0], typ)
    payload, signature = decoded_part("payload", parts[1]), decoded_part("signature", parts[2])
    if len(signature) != SIGNATURE_SIZE:
        raise BadJws(f"the signature has {len(signature)} bytes; {alg} has {SIGNATURE_SIZE}")
    digest = hashlib.sha256(text.encode("ascii")).hexdigest()
    return made(
        ParsedJws,
        alg=alg,
        kid=kid,
        typ=typ,
        payload=payload,
        signature=signature,
        text=text,
        digest=digest,
    )


def parse_detached(
    text: str, payload: bytes, typ: str | None, *, max_bytes: int = MAX_BYTES
) -> ParsedJws:
    """Reads `header..signature` as if `payload` stood between the dots (RFC 7515 appendix F);
    raises BadJws."""
    parts = text.split(".")
    if len(parts) != 3 or parts[1]:
        raise BadJws("a detached JWS is header..signature, with nothing between the dots")
    whole = f"{parts[0]}.{base64url.encode(payload)}.{parts[2]}"
    return parse(whole, typ, max_bytes=max_bytes)


def verify(parsed: ParsedJws, key: PublicKey) -> None:
    """Raises BadSignature."""
    if parsed.alg is not key.alg:
        raise BadSignature(f"the header says alg {parsed.alg}; the key {key.kid} is {key.alg}")
    if parsed.kid != key.kid:
        raise BadSignature(f"the header names the key {parsed.kid}; checked against {key.kid}")
    if not key.verify(parsed.signature, parsed.signing_input):
        raise BadSignature(
            f"the {parsed.alg} signature does not verify under the key {key.kid}; sign the exact"
            " text again"
        )


def sign(payload: bytes, typ: str | None, signer: Signer) -> str:
    header = {"alg": str(signer.public.alg), "kid": signer.public.kid}
    if typ is not None:
        header["typ"] = typ
    signing_input = f"{base64url.encode(strictjson.canonical(header))}.{base64url.encode(payload)}"
    return f"{signing_input}.{base64url.encode(signer.sign(signing_input.encode('ascii')))}"


def sign_detached(payload: bytes, typ: str | None, signer: Signer) -> str:
    header, _, signature = sign(payload, typ, signer).split(".")
    return f"{header}..{signature}"


def decoded_part(name: str, part: str) -> bytes:
    """The bytes of the part that is called `name`; raises BadJws."""
    try:
        return base64url.decode(part)
    except ValueError as error:
        raise BadJws(f"the {name} {error}") from error


@lru_cache(_REMEMBERED_HEADERS)
def _header(part: str, typ: str | None) -> tuple[Algorithm, str]:
    """A key signs all it signs under one header."""
    return _checked_header(decoded_part("header", part), typ)


def _checked_header(raw: bytes, typ: str | None) -> tuple[Algorithm, str]:
    header = _header_object(raw)
    expected = {"alg", "kid"} if typ is None else {"alg", "kid", "typ"}
    if header.keys() != expected:
        raise BadJws(f"the header has exactly {sorted(expected)}, not {sorted(header)}")
    if header.get("typ") != typ:
        raise BadJws(f"the header says typ {header.get('typ')!r}; this door takes {typ!r}")
    if header["alg"] not in list(Algorithm):
        raise BadJws(f"alg {header['alg']!r} is not taken; use Ed25519 or ES256")
    return Algorithm(str(header["alg"])), _thumbprint(header["kid"])


def _header_object(raw: bytes) -> dict[str, object]:
    try:
        header = strictjson.loads_event(raw)
    except strictjson.BadJson as error:
        raise BadJws(f"the header is refused: {error}") from error
    if not isinstance(header, dict):
        raise BadJws(f"the header is a JSON object, not {type(header).__name__}")
    return header


def _thumbprint(kid: object) -> str:
    try:
        if isinstance(kid, str) and len(base64url.decode(kid)) == _THUMBPRINT_SIZE:
            return kid
    except ValueError as error:
        raise BadJws(f"kid {kid!r} {error}") from error
    raise BadJws(f"kid {kid!r} is not the thumbprint of a key (RFC 7638, 43 characters)")
