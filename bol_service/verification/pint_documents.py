"""Documents that follow an envelope, and the end of a transfer (DCSA PINT 3.0, A.8)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from bol_service.verification.pint_judgement import Accepted, Judgement, Refused
from bol_service.wire.pint_answers import ResponseCode
from bol_service.wire.pint_envelope import DocumentMetadata, EnvelopeManifest


@dataclass(frozen=True, kw_only=True)
class Fits:
    """The upload is the declared document: store `content`, answer 204."""

    document: DocumentMetadata
    content: bytes


@dataclass(frozen=True, kw_only=True)
class AlreadyHeld:
    """Answer 204 and change nothing."""

    document: DocumentMetadata


def judge_document(
    manifest: EnvelopeManifest, checksum: str, encoded: str, *, held: frozenset[str]
) -> Fits | AlreadyHeld | Refused:
    """Of an upload under `checksum` to an open transfer; `encoded` is standard Base64 with padding.

    Declared, not held yet, of the declared size (seen before anything is decoded), and of the
    checksum; otherwise INCD, which leaves the transfer open.
    """
    declared = {each.checksum: each for each in manifest.documents}.get(checksum)
    if declared is None:
        return _incd(f"the manifest declares no document {checksum}")
    if checksum in held:
        return AlreadyHeld(document=declared)
    expected = 4 * ((declared.size + 2) // 3)
    if len(encoded) != expected:
        return _incd(
            f"{len(encoded)} characters of Base64 came; {declared.size} bytes have {expected}"
        )
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return _incd("the body is not Base64 in the standard alphabet with padding")
    if len(content) != declared.size:
        return _incd(f"{len(content)} bytes came; the manifest declares {declared.size}")
    found = hashlib.sha256(content).hexdigest()
    if found != checksum:
        return _incd(f"the content has the SHA-256 {found}, not {checksum}")
    return Fits(document=declared, content=content)


def at_the_end(judgement: Judgement) -> Judgement:
    """What the envelope's judgement means when its sender ends the transfer: MDOC while documents
    are missing. Judged once more, since another transfer may have been accepted, a pin taken away,
    a party suspended since it began."""
    if not isinstance(judgement, Accepted) or not judgement.missing:
        return judgement
    missing = tuple(each.checksum for each in judgement.missing)
    reason = f"{len(missing)} documents are missing; upload them, then finish again"
    return Refused(code=ResponseCode.MDOC, reason=reason, missing=missing)


def _incd(reason: str) -> Refused:
    return Refused(code=ResponseCode.INCD, reason=reason)
