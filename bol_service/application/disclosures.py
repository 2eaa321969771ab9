"""The disclosures that a carrier commits to with ISSUE: who may upload them, and who may read them.

A platform keeps the full file, so that whoever holds the bill can disclose single fields although
the carrier made the salts. It takes a file only from the party that signed it, whole, for a bill of
this platform; ISSUE then names it (`platform_guard`). Readers are its carrier and whoever holds the
bill now.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bol_service.application.loading import Loader
from bol_service.application.ports import Reading
from bol_service.crypto import jws
from bol_service.domain import access, errors
from bol_service.domain.access import Relation
from bol_service.domain.events import Issue
from bol_service.verification.signatures import public_key
from bol_service.wire.disclosure import BadDisclosure, Presentation, parse_full
from bol_service.wire.events import decode

KIND: Final = "disclosure"


def read(
    reading: Reading, content: bytes, party: str, *, origin: str, now: datetime
) -> Presentation:
    """The full file in `content`, signed by `party` with a key that counts now.

    Raises:
        errors.BadEvent: No full disclosure file, or not of this platform or party.
        errors.BadSignature: Not signed with a registered key of `party`.
    """
    try:
        found = parse_full(content.decode("ascii"))
    except (UnicodeDecodeError, BadDisclosure) as error:
        raise errors.BadEvent(f"the disclosures are refused: {error}") from None
    claimed = (found.claims.origin, found.claims.carrier)
    if claimed != (origin, party):
        raise errors.BadEvent(
            f"the disclosures are of {claimed[1]} on {claimed[0]}; {party} uploads its own, for "
            f"bills on {origin}"
        )
    loader = Loader(reading, origin)
    loader.streams({f"party:{party}"})
    carrier = loader.world.party(party)
    key = carrier.key(found.signed.kid) if carrier else None
    if key is None or not key.counts_at(now):
        raise errors.BadSignature(f"{found.signed.kid} is no valid key of {party}", pointer="/kid")
    try:
        jws.verify(found.signed, public_key(key.jwk))
    except jws.BadSignature as error:
        raise errors.BadSignature(str(error)) from None
    return found


def may_read(reading: Reading, digest: str, reader: str, *, origin: str, now: datetime) -> bool:
    """Whether `reader` holds the bill whose ISSUE names this disclosure."""
    row = reading.document(digest)
    if row is None or row.kind != KIND or row.checksum is None:
        return False
    loader = Loader(reading, origin)
    loader.streams({f"party:{reader}"})
    bill = loader.bill(row.checksum)
    if bill is None:
        return False
    related = access.relations(loader.world, bill, reader, now)
    return bool(related & {Relation.CARRIER, Relation.HOLDER}) and _names(
        reading, bill.bill, digest
    )


def _names(reading: Reading, bill: str, digest: str) -> bool:
    issued = reading.entry_at(f"bill:{bill}", 0)
    event = decode(issued.entry.event).event if issued else None
    return isinstance(event, Issue) and event.disclosure == digest
