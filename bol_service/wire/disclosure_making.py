"""A carrier commits to every piece of a document: the making of a disclosure file."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from bol_service.crypto import base64url, jws, strictjson
from bol_service.crypto.signers import Signer
from bol_service.domain.document import DocumentFacts
from bol_service.wire.disclosure import (
    HASH,
    SALT_BYTES,
    TYP,
    VERSION,
    Disclosed,
    Presentation,
    parse,
    refuse_reserved,
    to_text,
)
from bol_service.wire.event_fields import instant_text
from bol_service.wire.field_classes import units


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


def status_address(platform: str, bill: str) -> str:
    """Where a reader of a presentation asks for evidence of the bill's present status."""
    return f"{platform.rstrip('/')}/v1/bills/{bill}"


def _piece(pointer: str, value: object) -> Disclosed:
    salt = base64url.encode(secrets.token_bytes(SALT_BYTES))
    text = base64url.encode(strictjson.canonical([salt, pointer, value]))
    return Disclosed(pointer=pointer, value=value, text=text)


def _by_digest(piece: Disclosed) -> str:
    return piece.digest
