"""A carrier commits to every piece of a document: the making of a disclosure file.

`make` does all of it where the carrier's key is at hand. In the portal the key is in the browser,
which makes salts and claims itself (`portal/static/commitment.js`); it is told only where to cut.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, Final

from bol_service.crypto import base64url, jws, strictjson
from bol_service.crypto.signers import Signer
from bol_service.domain.document import DocumentFacts
from bol_service.wire.disclosure import (
    HASH,
    MAX_BYTES,
    MAX_JWT_BYTES,
    SALT_BYTES,
    TYP,
    VERSION,
    BadDisclosure,
    Disclosed,
    Presentation,
    parse,
    refuse_reserved,
    to_text,
)
from bol_service.wire.event_fields import instant_text
from bol_service.wire.field_classes import units

# Of the issuer-signed JWT: a digest in `_sd` with its quotes and comma, in base64url; all the rest.
_DIGEST_BYTES: Final = 62
_OTHER_CLAIMS: Final = 4_000


def make(
    document: dict[str, Any],
    facts: DocumentFacts,
    *,
    carrier: str,
    origin: str,
    platform: str,
    at: datetime,
    signer: Signer,
) -> Presentation:
    """Commit to every piece of the document with fresh salts; `platform` is the address that tells
    the bill's status. Raises BadDisclosure if the document has members that the format reserves."""
    refuse_reserved(document, "the document")
    pieces = sorted((_piece(unit.pointer, unit.value) for unit in units(document)), key=_by_digest)
    claims = {
        "_sd": [piece.digest for piece in pieces],
        "_sd_alg": HASH,
        "bill": facts.checksum,
        "carrier": carrier,
        "carrierCode": facts.carrier_code,
        "carrierCodeListProvider": facts.carrier_code_list_provider,
        "issuedAt": instant_text(at),
        "origin": origin,
        "statusAt": status_address(platform, facts.checksum),
        "transportDocumentReference": facts.reference,
        "v": VERSION,
    }
    return parse(to_text(jws.sign(strictjson.canonical(claims), TYP, signer), pieces))


def cuts(document: dict[str, Any]) -> tuple[str, ...]:
    """Where the document is cut: pointers to its pieces, which together are all of it.

    Raises BadDisclosure if it has members that the format reserves, or too many for one file.
    """
    refuse_reserved(document, "the document")
    pieces = [_piece(unit.pointer, unit.value) for unit in units(document)]
    signed = _OTHER_CLAIMS + _DIGEST_BYTES * len(pieces)
    whole = signed + sum(len(piece.text) + 1 for piece in pieces)
    if signed > MAX_JWT_BYTES or whole > MAX_BYTES:
        raise BadDisclosure(
            f"{len(pieces)} pieces make a file of some {whole} bytes, of them {signed} signed; at "
            f"most {MAX_BYTES} and {MAX_JWT_BYTES} are taken"
        )
    return tuple(piece.pointer for piece in pieces)


def status_address(platform: str, bill: str) -> str:
    """Where a reader of a presentation asks for evidence of the bill's present status."""
    return f"{platform.rstrip('/')}/v1/bills/{bill}"


def _piece(pointer: str, value: object) -> Disclosed:
    salt = base64url.encode(secrets.token_bytes(SALT_BYTES))
    text = base64url.encode(strictjson.canonical([salt, pointer, value]))
    return Disclosed(pointer=pointer, value=value, text=text)


def _by_digest(piece: Disclosed) -> str:
    return piece.digest
