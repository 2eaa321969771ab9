"""The file from which single fields of a bill are disclosed, on its way to another platform.

The carrier committed to the fields on the platform of issue; without the salts nobody can disclose
one of them, and what the platforms sign for each other has no place for these. So they travel as
one of the supporting documents, which every envelope may have (docs/adr/0042).

1. It goes with the first transfer, if ISSUE named it; from then on it is among the documents that
   came, and goes on with the bill like the others.
2. Of what came, only a whole file that makes this very bill is taken, with the very claims of its
   document (`parse_full`). Whether the carrier committed to it, its reader learns from the evidence
   of the platform of issue: there stands ISSUE.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bol_service.application.ports import Reading
from bol_service.domain.events import Imported, Issue
from bol_service.wire.disclosure import MEDIA_TYPE, BadDisclosure, Presentation, parse_full
from bol_service.wire.pint_building import describe
from bol_service.wire.pint_envelope import DocumentMetadata

NAME: Final = "fields.sdjwt"


def leaving(reading: Reading, opening: Issue | Imported) -> bytes | None:
    """The file that ISSUE names; None for a bill without one, or of another platform."""
    if not isinstance(opening, Issue) or opening.disclosure is None:
        return None
    row = reading.document(opening.disclosure)
    return None if row is None else row.content


def described(content: bytes) -> DocumentMetadata:
    return describe(content, name=NAME, media_type=MEDIA_TYPE)


def candidates(documents: Iterable[DocumentMetadata]) -> list[str]:
    """The SHA-256 of those that are said to be such a file. A platform like this one sends one with
    a bill, and reading one takes long: of many only the first deserves it."""
    return [each.checksum for each in documents if each.media_type == MEDIA_TYPE]


def read_arrived(content: bytes, bill: str) -> Presentation | None:
    """The whole file of this bill, None for anything else: what comes with a bill may be
    anything."""
    try:
        found = parse_full(content.decode("ascii").removesuffix("\n"))
    except (UnicodeDecodeError, BadDisclosure):
        return None
    return found if found.claims.bill == bill else None
