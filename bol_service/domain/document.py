"""What the law needs to know of a transport document, read once and never changed.

- The document stays as it was received; these facts are taken from it for judging.
- `checksum` names the bill: SHA-256 of the RFC 8785 form of the document.
- `content_digest` leaves out the six members that change between an approved draft and the issued
  document (status, issue date, and what tells shipped on board from received for shipment).
- The kind of a bill is fixed for life: straight, to order, or blank (to order of nobody).

Digests are SHA-256 in lower-case hexadecimal. Dates are local dates of the place, without a zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class BillKind(StrEnum):
    STRAIGHT = "STRAIGHT"
    ORDER = "ORDER"
    BLANK = "BLANK"


@dataclass(frozen=True, kw_only=True)
class PartyReference:
    """A party as the document names it.

    `codes` holds (scheme, code): SLUG for mutually agreed party codes, LEI, USCC and UEN.
    """

    name: str
    codes: frozenset[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Sailing:
    vessel: str
    voyage: str


@dataclass(frozen=True, kw_only=True)
class DocumentFacts:
    """Places are UN/LOCODEs, or the name of the location where the document gives no code."""

    checksum: str
    content_digest: str
    received_bytes: str
    reference: str
    sub_reference: str | None
    carrier_code: str
    carrier_code_list_provider: str
    kind: BillKind
    type_code: str
    status: str
    is_electronic: bool
    is_shipped_on_board: bool
    issue_date: date | None
    shipped_on_board_date: date | None
    received_for_shipment_date: date | None
    shipper: PartyReference
    consignee: PartyReference | None
    endorsee: PartyReference | None
    notify: tuple[PartyReference, ...]
    place_of_receipt: str | None
    port_of_loading: str | None
    port_of_discharge: str | None
    place_of_delivery: str | None
    sailings: tuple[Sailing, ...]
    equipment: tuple[str, ...]
    seals: tuple[tuple[str, tuple[str, ...]], ...]
    booking_references: tuple[str, ...]
