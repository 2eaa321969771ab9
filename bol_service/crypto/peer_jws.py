"""Compact JWS of other platforms and of carriers (RFC 7515), checked against pinned keys.

Other software writes them, so less is fixed than in `crypto.jws`, and nothing more is believed:

1. `parse` looks at the text alone: ASCII, bounded, three non-empty parts in canonical unpadded
   base64url, a header that is one strict JSON object with a text `alg`. What else stands in the
   header (kid, typ, x5c, jku ...) is tolerated and never used.
2. `verify` refuses what would change the meaning of the text: `crit`, an unencoded payload (`b64`),
   `none`, HMAC and every other algorithm outside the list. Then one of the pinned keys must take
   the algorithm, be valid at the moment and fit the signature. The key picks the algorithm, never
   the header the key.
3. `payload_object` reads the payload as strict JSON; it need not be canonical.

ECDSA and PSS are randomised: the same payload signed again is another text. `digest` names the text
and is what the standard's checksums mean; `content_digest` names what it says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from bol_service.crypto import base64url, strictjson
from bol_service.crypto.jws import BadJws, BadSignature, decoded_part
from bol_service.crypto.peer_keys import PeerAlgorithm, PinnedKey
from bol_service.crypto.peer_signers import PeerSigner

MAX_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class PeerJws:
    """Well formed, not verified. Made by `parse`; `alg` is as written, perhaps unknown."""

    text: str
    header: dict[str, object] = field(repr=False)
    alg: str
    payload: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def signing_input(self) -> bytes:
        return self.text.rpartition(".")[0].encode("ascii")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the whole text in ASCII, lower-case hex."""
        return text_digest(self.text)

    @cached_property
    def value(self) -> dict[str, Any]:
        """The payload as JSON object; raises BadJws."""
        return payload_object(self)

    @cached_property
    def content_digest(self) -> str:
        """SHA-256 of the payload's RFC 8785 form: equal however it was signed and written."""
        return hashlib.sha256(strictjson.canonical(self.value)).hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 of a compact JWS as text, lower-case hex (DCSA ...SignedContentChecksum)."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def parse(text: str, *, max_bytes: int = MAX_BYTES) -> PeerJws:
    """Raises BadJws."""
    if len(text) > max_bytes:
        raise BadJws(f"the message has {len(text)} characters; at most {max_bytes} are taken")
    parts = text.split(".")
    if len(parts) != 3 or not all(parts):
        raise BadJws("a compact JWS has three non-empty parts: header, payload, signature")
    raw_header, payload, signature = (
        decoded_part(name, part)
        for name, part in zip(("header", "payload", "signature"), parts, strict=True)
    )
    header = _object("header", raw_header)
    alg = header.get("alg")
    if not isinstance(alg, str):
        raise BadJws(f"the header's alg is {alg!r}; name the algorithm, such as ES256")
    return PeerJws(text=text, header=header, alg=alg, payload=payload, signature=signature)


def payload_object(parsed: PeerJws) -> dict[str, Any]:
    """Raises BadJws."""
    return _object("payload", parsed.payload)


def verify(parsed: PeerJws, pins: Iterable[PinnedKey], moment: datetime) -> PinnedKey:
    """The pinned key that signed, if it was valid at `moment`; raises BadSignature."""
    alg = _understood(parsed)
    able = [pin for pin in pins if alg in pin.algorithms]
    if not able:
        raise BadSignature(f"no pinned key of the signer takes alg {alg}; pin one, or sign anew")
    signed = [pin for pin in able if pin.verify(alg, parsed.signature, parsed.signing_input)]
    if not signed:
        raise BadSignature(
            f"the {alg} signature verifies under none of the signer's {len(able)} pinned keys;"
            " sign the exact text again, or exchange keys"
        )
    valid = [pin for pin in signed if pin.covers(moment)]
    if not valid:
        raise BadSignature(_out_of_time(signed[0], moment))
    return valid[0]


def sign(payload: bytes, signer: PeerSigner) -> str:
    header = strictjson.canonical({"alg": str(signer.alg), "kid": signer.kid})
    signing_input = f"{base64url.encode(header)}.{base64url.encode(payload)}"
    return f"{signing_input}.{base64url.encode(signer.sign(signing_input.encode('ascii')))}"


def _understood(parsed: PeerJws) -> PeerAlgorithm:
    if "crit" in parsed.header:
        raise BadSignature(f"crit {parsed.header['crit']!r} asks for what is not understood here")
    if parsed.header.get("b64", True) is not True:
        raise BadSignature("b64 asks for an unencoded payload; encode it")
    if parsed.alg not in list(PeerAlgorithm):
        raise BadSignature(f"alg {parsed.alg!r} is never taken; sign with ES256 or PS256")
    return PeerAlgorithm(parsed.alg)


def _out_of_time(pin: PinnedKey, moment: datetime) -> str:
    bounds = [
        "the beginning" if pin.not_before is None else pin.not_before.isoformat(),
        "further notice" if pin.not_after is None else pin.not_after.isoformat(),
    ]
    return (
        f"the key {pin.kid} is valid from {bounds[0]} to {bounds[1]}, not at {moment.isoformat()};"
        " renew the certificate"
    )


def _object(name: str, raw: bytes) -> dict[str, Any]:
    try:
        value = strictjson.loads_document(raw)
    except strictjson.BadJson as error:
        raise BadJws(f"the {name} is refused: {error}") from error
    if not isinstance(value, dict):
        raise BadJws(f"the {name} is a JSON object, not {type(value).__name__}")
    return value
