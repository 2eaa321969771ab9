"""What the form of a transport document asks, and where in the document each answer stands.

One table for the form, the sheet and both ways between answers and document. Words are
`draft.<name>`, for a party's question `draft.party.<name>`, for a line's `draft.<list>.<name>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """How an answer is written: `LINES` one text per line, `LIST` several codes in one line."""

    TEXT = "text"
    LONG = "long"
    LINES = "lines"
    LIST = "list"
    CHOICE = "choice"
    DATE = "date"
    NUMBER = "number"
    COUNT = "count"
    PARTY = "party"


class Section(StrEnum):
    BILL = "bill"
    ROUTE = "route"
    PARTIES = "parties"
    GOODS = "goods"
    BOXES = "boxes"
    TERMS = "terms"


@dataclass(frozen=True, kw_only=True)
class Question:
    """`pointer` is relative to the party or line for questions of those; `by_carrier` questions are
    not put to a shipper who gives instructions."""

    name: str
    pointer: str = ""
    kind: Kind = Kind.TEXT
    limit: int = 100
    choices: tuple[str, ...] = ()
    needed: bool = False
    by_carrier: bool = False


_PLACE_TYPES: Final = ("CY", "SD", "CFS")
_MOVEMENTS: Final = ("FCL", "LCL")
_MODES: Final = ("RAIL", "TRUCK", "BARGE", "VESSEL", "MULTIMODAL")


def _text(
    name: str, pointer: str, limit: int, *, needed: bool = False, by_carrier: bool = False
) -> Question:
    return Question(name=name, pointer=pointer, limit=limit, needed=needed, by_carrier=by_carrier)


def _choice(name: str, pointer: str, choices: tuple[str, ...], *, needed: bool = False) -> Question:
    return Question(name=name, pointer=pointer, kind=Kind.CHOICE, choices=choices, needed=needed)


def _lines(name: str, pointer: str, limit: int) -> Question:
    return Question(name=name, pointer=pointer, kind=Kind.LINES, limit=limit)


def _place(name: str, member: str, needed: bool = False) -> tuple[Question, Question]:
    return (
        _text(f"{name}Name", f"/transports/{member}/locationName", 100),
        _text(f"{name}Code", f"/transports/{member}/UNLocationCode", 5, needed=needed),
    )


KIND: Final = Question(
    name="kind", kind=Kind.CHOICE, choices=("ORDER", "STRAIGHT", "BLANK"), needed=True
)
OF_DOCUMENT: Final[Mapping[Section, tuple[Question, ...]]] = {
    Section.BILL: (
        KIND,
        _text("number", "/transportDocumentReference", 20, needed=True, by_carrier=True),
        _text("instructions", "/shippingInstructionsReference", 100),
        _choice("freight", "/freightPaymentTermCode", ("PRE", "COL")),
        _text("payableAt", "/invoicePayableAt/freeText", 35, needed=True),
    ),
    Section.ROUTE: (
        _choice("preCarriage", "/transports/preCarriageBy", _MODES),
        *_place("receipt", "placeOfReceipt"),
        *_place("loading", "portOfLoading", needed=True),
        *_place("discharge", "portOfDischarge", needed=True),
        *_place("delivery", "placeOfDelivery"),
        _text(
            "vessel",
            "/transports/vesselVoyages/0/vesselName",
            50,
            needed=True,
            by_carrier=True,
        ),
        _text(
            "voyage",
            "/transports/vesselVoyages/0/carrierExportVoyageNumber",
            50,
            needed=True,
            by_carrier=True,
        ),
        Question(
            name="departure",
            pointer="/transports/plannedDepartureDate",
            kind=Kind.DATE,
            needed=True,
            by_carrier=True,
        ),
        Question(
            name="arrival",
            pointer="/transports/plannedArrivalDate",
            kind=Kind.DATE,
            needed=True,
            by_carrier=True,
        ),
    ),
    Section.TERMS: (
        _choice("receiptType", "/receiptTypeAtOrigin", _PLACE_TYPES, needed=True),
        _choice("deliveryType", "/deliveryTypeAtDestination", _PLACE_TYPES, needed=True),
        _choice("movementOrigin", "/cargoMovementTypeAtOrigin", _MOVEMENTS, needed=True),
        _choice("movementDestination", "/cargoMovementTypeAtDestination", _MOVEMENTS, needed=True),
        _text("issueName", "/placeOfIssue/locationName", 100, by_carrier=True),
        _text("issueCode", "/placeOfIssue/UNLocationCode", 5, by_carrier=True),
        _text("contactName", "/partyContactDetails/0/name", 35, needed=True),
        _text("contactEmail", "/partyContactDetails/0/email", 100),
        _text("contactPhone", "/partyContactDetails/0/phone", 30),
        _lines("displayedReceipt", "/displayedNameForPlaceOfReceipt", 300),
        _lines("displayedLoading", "/displayedNameForPortOfLoad", 300),
        _lines("displayedDischarge", "/displayedNameForPortOfDischarge", 300),
        _lines("displayedDelivery", "/displayedNameForPlaceOfDelivery", 300),
        Question(
            name="clauses",
            pointer="/carrierClauses",
            kind=Kind.LINES,
            limit=20000,
            by_carrier=True,
        ),
        Question(
            name="terms",
            pointer="/termsAndConditions",
            kind=Kind.LONG,
            limit=50000,
            needed=True,
            by_carrier=True,
        ),
    ),
}
ROLES: Final = ("shipper", "to", "notify", "carrier")
OF_PARTY: Final = (
    Question(name="party", kind=Kind.PARTY),
    _text("name", "/partyName", 70),
    _text("street", "/address/street", 70),
    _text("streetNumber", "/address/streetNumber", 50),
    _text("postCode", "/address/postCode", 10),
    _text("city", "/address/city", 35),
    _text("country", "/address/countryCode", 2),
)
OF_GOODS: Final = (
    Question(
        name="description",
        pointer="/descriptionOfGoods",
        kind=Kind.LINES,
        limit=6000,
        needed=True,
    ),
    Question(name="hs", pointer="/HSCodes", kind=Kind.LIST, limit=500, needed=True),
    _lines("marks", "/shippingMarks", 2000),
)
OF_BOX: Final = (
    _text("container", "/equipment/equipmentReference", 11, needed=True),
    _text("isoType", "/equipment/ISOEquipmentCode", 4),
    Question(name="seals", pointer="/seals", kind=Kind.LIST, limit=200, needed=True),
    Question(name="goods", kind=Kind.COUNT, limit=3),
    Question(
        name="packages",
        pointer="/outerPackaging/numberOfPackages",
        kind=Kind.COUNT,
        limit=8,
        needed=True,
    ),
    _text("packageCode", "/outerPackaging/packageCode", 2),
    _text("packageKind", "/outerPackaging/description", 100, needed=True),
    Question(
        name="weight",
        pointer="/cargoGrossWeight/value",
        kind=Kind.NUMBER,
        limit=20,
        needed=True,
    ),
    Question(name="volume", pointer="/cargoGrossVolume/value", kind=Kind.NUMBER, limit=20),
)
IN_EQUIPMENT: Final = ("container", "isoType", "seals")
# One line of goods is thirty-five characters (EBL 3.0); a longer one is broken between words.
LINE_WIDTH: Final = 35


def pointer_of(role: str, kind: str) -> str | None:
    """Where a party of the form stands; None for the party that a bill in blank does not name."""
    if role != "to":
        places = {"shipper": "shipper", "notify": "notifyParties/0", "carrier": "issuingParty"}
        return f"/documentParties/{places[role]}"
    member = {"STRAIGHT": "consignee", "ORDER": "endorsee"}.get(kind)
    return f"/documentParties/{member}" if member else None


def scalars() -> Iterator[Question]:
    """All questions that are asked once and stand at one pointer."""
    for questions in OF_DOCUMENT.values():
        yield from (one for one in questions if one.pointer)
