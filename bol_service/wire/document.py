"""From a transport document as received to the facts that the law judges.

1. The document is kept as received; nothing here writes it again.
2. `checksum` names the bill: SHA-256 over the RFC 8785 form of the parsed value, unknown members
   included. Two documents that differ in white space or member order are one bill.
3. `received_bytes` is the SHA-256 of the bytes themselves.
4. `content_digest` joins an issued document to the draft that the shipper approved; the six members
   in `CHANGING` are left out of it.
5. A party's codes: SLUG for codes agreed between the parties (list ZZZ), LEI from GLEIF or from the
   tax references, USCC and UEN from the tax references.

Documents of this platform are read strictly: every rule holds. Foreign or older documents are read
for their facts only. What cannot be read raises `DocumentError` in both cases.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container
from datetime import date
from typing import Final

from bol_service.crypto import strictjson
from bol_service.crypto.plaindocument import plain_document
from bol_service.domain.document import BillKind, DocumentFacts, PartyReference, Sailing
from bol_service.domain.values import made
from bol_service.wire.transport_document import Problem, problems
from bol_service.wire.transport_document_fields import day
from bol_service.wire.transport_document_problem import below, shown
from bol_service.wire.transport_document_reading import Spot
from bol_service.wire.transport_document_text import DEEPEST, depth_problem

CHANGING: Final = frozenset(
    {
        "transportDocumentStatus",
        "issueDate",
        "receivedForShipmentDate",
        "shippedOnBoardDate",
        "isShippedOnBoardType",
        "displayedShippedOnBoardReceivedForShipment",
    }
)
REGISTRATIONS: Final = frozenset({"USCC", "UEN", "LEI"})
PLACE_NAMES: Final = ("UNLocationCode", "locationName", "facilityName")


class DocumentError(Exception):
    """The document cannot be accepted; `problems` tells every reason."""

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{first.pointer or 'the document'} {first.message}{more}")
        self.problems = problems


def read_document(raw: bytes, value: dict[str, object], *, strict: bool = True) -> DocumentFacts:
    """The facts of the document whose bytes are `raw` and whose strictly parsed JSON is `value`.

    Raises `DocumentError` if a rule is broken; with `strict=False`, meant for foreign and older
    documents, only if a fact cannot be read.
    """
    found = problems(value) if strict else list(filter(None, [depth_problem(value)]))
    if found:
        raise DocumentError(found)
    members = _canonical_members(value)
    return _facts(
        Spot(value),
        checksum=_digest(members),
        content_digest=_digest(members, without=CHANGING),
        received_bytes=hashlib.sha256(raw).hexdigest(),
    )


def plain_facts(raw: bytes, received_bytes: str) -> DocumentFacts | None:
    """What `read_document` says of the bytes `raw`, whose SHA-256 is `received_bytes`, if it is not
    strict; None where it has to be asked, for a document that is not plain or cannot be read."""
    plain = plain_document(raw, DEEPEST)
    if plain is None:
        return None
    try:
        return _facts(
            Spot(plain.value),
            checksum=hashlib.sha256(plain.canonical).hexdigest(),
            content_digest=hashlib.sha256(plain.canonical_without(CHANGING)).hexdigest(),
            received_bytes=received_bytes,
        )
    except DocumentError:
        return None


def _facts(
    document: Spot, *, checksum: str, content_digest: str, received_bytes: str
) -> DocumentFacts:
    transports = _object(document, "transports")
    parties = _object(document, "documentParties")
    equipment = _equipment(document)
    return made(
        DocumentFacts,
        checksum=checksum,
        content_digest=content_digest,
        received_bytes=received_bytes,
        reference=_text(document, "transportDocumentReference"),
        sub_reference=_optional_text(document, "transportDocumentSubReference"),
        carrier_code=_text(document, "carrierCode"),
        carrier_code_list_provider=_text(document, "carrierCodeListProvider"),
        kind=_kind(document, parties),
        type_code=_text(document, "transportDocumentTypeCode"),
        status=_text(document, "transportDocumentStatus"),
        is_electronic=_flag(document, "isElectronic"),
        is_shipped_on_board=_flag(document, "isShippedOnBoardType"),
        issue_date=_optional_day(document, "issueDate"),
        shipped_on_board_date=_optional_day(document, "shippedOnBoardDate"),
        received_for_shipment_date=_optional_day(document, "receivedForShipmentDate"),
        shipper=_party(_object(parties, "shipper")),
        consignee=_optional_party(parties, "consignee"),
        endorsee=_optional_party(parties, "endorsee"),
        notify=tuple(map(_party, _objects(parties, "notifyParties"))),
        place_of_receipt=_place(transports, "placeOfReceipt"),
        port_of_loading=_place(transports, "portOfLoading"),
        port_of_discharge=_place(transports, "portOfDischarge"),
        place_of_delivery=_place(transports, "placeOfDelivery"),
        sailings=tuple(map(_sailing, _objects(transports, "vesselVoyages"))),
        equipment=tuple(number for number, _ in equipment),
        seals=equipment,
        booking_references=_bookings(document),
    )


def content_digest(value: dict[str, object]) -> str:
    """SHA-256, lower-case hex, of the document without the members that issue changes."""
    return _digest(_canonical_members(value), without=CHANGING)


def _canonical_members(value: dict[str, object]) -> dict[str, bytes]:
    """The RFC 8785 form of each member with its name, in the order of the whole."""
    try:
        return {
            name: strictjson.canonical(name) + b":" + strictjson.canonical(value[name])
            for name in sorted(value, key=lambda name: name.encode("utf-16-be"))
        }
    except (ValueError, TypeError, RecursionError) as error:
        message = f"has no canonical form (RFC 8785): {error}"
        raise DocumentError([Problem(pointer="", rule="canonical", message=message)]) from error


def _digest(members: dict[str, bytes], without: Container[str] = ()) -> str:
    kept = [text for name, text in members.items() if name not in without]
    return hashlib.sha256(b"{" + b",".join(kept) + b"}").hexdigest()


def _kind(document: Spot, parties: Spot) -> BillKind:
    if not _flag(document, "isToOrder"):
        return BillKind.STRAIGHT
    return BillKind.ORDER if parties.has("endorsee") else BillKind.BLANK


def _party(party: Spot) -> PartyReference:
    codes = [_identity(code) for code in _objects(party, "identifyingCodes")]
    codes += [
        (_text(tax, "type"), _text(tax, "value"))
        for tax in _objects(party, "taxLegalReferences")
        if tax.text("type") in REGISTRATIONS
    ]
    return made(
        PartyReference, name=_text(party, "partyName"), codes=frozenset(filter(None, codes))
    )


def _identity(code: Spot) -> tuple[str, str] | None:
    provider = code.value.get("codeListProvider")
    if provider == "ZZZ":
        return ("SLUG", _text(code, "partyCode"))
    if provider == "GLEIF" and code.value.get("codeListName") in (None, "LEI"):
        return ("LEI", _text(code, "partyCode"))
    return None


def _optional_party(parties: Spot, role: str) -> PartyReference | None:
    return _party(_object(parties, role)) if parties.has(role) else None


def _place(transports: Spot, name: str) -> str | None:
    if name not in transports.value:
        return None
    place = _object(transports, name)
    for member in PLACE_NAMES:
        named = _optional_text(place, member)
        if named:
            return named
    return _town(place)


def _town(place: Spot) -> str | None:
    town = place.inner("city") or place.inner("address")
    return None if town is None else _optional_text(town, "city")


def _sailing(voyage: Spot) -> Sailing:
    return Sailing(
        vessel=_text(voyage, "vesselName"), voyage=_text(voyage, "carrierExportVoyageNumber")
    )


def _equipment(document: Spot) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        (
            _text(_object(unit, "equipment"), "equipmentReference"),
            tuple(_text(seal, "number") for seal in _objects(unit, "seals")),
        )
        for unit in _objects(document, "utilizedTransportEquipments")
    )


def _bookings(document: Spot) -> tuple[str, ...]:
    items = _objects(document, "consignmentItems")
    return tuple(dict.fromkeys(_text(item, "carrierBookingReference") for item in items))


def _object(spot: Spot, name: str) -> Spot:
    found = spot.inner(name)
    if found is None:
        raise _unreadable(spot, name, "an object")
    return found


def _objects(spot: Spot, name: str) -> list[Spot]:
    if name not in spot.value:
        return []
    found, listed = list(spot.each(name)), spot.value[name]
    if not isinstance(listed, list) or len(found) != len(listed):
        raise _unreadable(spot, name, "a list of objects")
    return found


def _text(spot: Spot, name: str) -> str:
    found = spot.value.get(name)
    if isinstance(found, str):
        return found
    raise _unreadable(spot, name, "a text")


def _optional_text(spot: Spot, name: str) -> str | None:
    return _text(spot, name) if name in spot.value else None


def _flag(spot: Spot, name: str) -> bool:
    found = spot.value.get(name)
    if not isinstance(found, bool):
        raise _unreadable(spot, name, "true or false")
    return found


def _optional_day(spot: Spot, name: str) -> date | None:
    if not spot.has(name):
        return None
    found = day(spot.get(name))
    if found is None:
        raise _unreadable(spot, name, "a date such as 2027-03-01")
    return found


def _unreadable(spot: Spot, name: str, wanted: str) -> DocumentError:
    pointer = below(spot.pointer, name)
    message = f"is {shown(spot.get(name))}, not {wanted}; the document cannot be read without it"
    return DocumentError([Problem(pointer=pointer, rule="unreadable", message=message)])
