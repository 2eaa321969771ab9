"""A transport document as the boxes of a bill of lading: labels and lines, nothing interpreted.

Every value comes from the signed document. What a box does not find is left out; nothing is made
up, converted or translated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bol_service.copy.face import amount

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Box:
    """`label` is a key of the words, `lines` what the document says."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Goods:
    container: str
    seals: str
    packages: str
    weight: str
    volume: str


@dataclass(frozen=True, kw_only=True)
class DocumentView:
    reference: str
    arrival: str | None
    boxes: tuple[Box, ...]
    description: tuple[str, ...]
    goods: tuple[Goods, ...]
    clauses: tuple[str, ...] = field(default_factory=tuple)


def document_view(document: Json) -> DocumentView:
    """The boxes of a transport document."""
    parties = document.get("documentParties", {})
    transports = document.get("transports", {})
    found = [
        Box(label="box.shipper", lines=_party(parties.get("shipper"))),
        Box(label="box.consignee", lines=_party(parties.get("consignee"))),
        Box(label="box.order", lines=_party(parties.get("endorsee"))),
        *(
            Box(label="box.notify", lines=_party(party))
            for party in parties.get("notifyParties", [])
        ),
        Box(label="box.carrier", lines=_party(parties.get("issuingParty"))),
        Box(label="box.receipt", lines=_place(document, transports, "PlaceOfReceipt")),
        Box(label="box.loading", lines=_place(document, transports, "PortOfLoading")),
        Box(label="box.discharge", lines=_place(document, transports, "PortOfDischarge")),
        Box(label="box.delivery", lines=_place(document, transports, "PlaceOfDelivery")),
        Box(label="box.vessel", lines=tuple(_vessels(transports))),
        Box(label="box.precarriage", lines=_texts(transports.get("preCarriageBy"))),
        Box(label="box.freight", lines=_texts(document.get("freightPaymentTermCode"))),
        Box(label="box.issued", lines=_issued(document)),
        Box(label="box.onboard", lines=_texts(document.get("shippedOnBoardDate"))),
    ]
    return DocumentView(
        reference=str(document.get("transportDocumentReference", "")),
        arrival=transports.get("plannedArrivalDate"),
        boxes=tuple(box for box in found if box.lines),
        description=tuple(_description(document)),
        goods=tuple(_goods(document)),
        clauses=_texts(*document.get("carrierClauses", [])),
    )


def _texts(*values: object) -> tuple[str, ...]:
    return tuple(str(value) for value in values if value not in (None, ""))


def _party(party: Json | None) -> tuple[str, ...]:
    if not party:
        return ()
    address = party.get("address", {})
    street = " ".join(_texts(address.get("street"), address.get("streetNumber")))
    city = " ".join(_texts(address.get("postCode"), address.get("city")))
    references = [
        f"{reference.get('type')} {reference.get('value')}"
        for reference in party.get("taxLegalReferences", [])
    ]
    return _texts(party.get("partyName"), street, city, address.get("countryCode"), *references)


_DISPLAYED = {
    "PlaceOfReceipt": "displayedNameForPlaceOfReceipt",
    "PortOfLoading": "displayedNameForPortOfLoad",
    "PortOfDischarge": "displayedNameForPortOfDischarge",
    "PlaceOfDelivery": "displayedNameForPlaceOfDelivery",
}


def _place(document: Json, transports: Json, name: str) -> tuple[str, ...]:
    shown = document.get(_DISPLAYED[name])
    place = transports.get(name[0].lower() + name[1:], {})
    code = place.get("UNLocationCode")
    if shown:
        return _texts(*shown, code)
    return _texts(place.get("locationName"), code)


def _vessels(transports: Json) -> Iterable[str]:
    for sailing in transports.get("vesselVoyages", []):
        yield " / ".join(
            _texts(sailing.get("vesselName"), sailing.get("carrierExportVoyageNumber"))
        )


def _issued(document: Json) -> tuple[str, ...]:
    place = document.get("placeOfIssue", {})
    where = place.get("locationName") or place.get("UNLocationCode")
    return _texts(where, document.get("issueDate"))


def _description(document: Json) -> Iterable[str]:
    for item in document.get("consignmentItems", []):
        yield from _texts(*item.get("descriptionOfGoods", []))
        if item.get("HSCodes"):
            yield "HS " + ", ".join(item["HSCodes"])
        if item.get("shippingMarks"):
            yield " / ".join(item["shippingMarks"])


def _goods(document: Json) -> Iterable[Goods]:
    seals = {
        used.get("equipment", {}).get("equipmentReference"): " ".join(
            str(seal.get("number")) for seal in used.get("seals", [])
        )
        for used in document.get("utilizedTransportEquipments", [])
    }
    for item in document.get("consignmentItems", []):
        for cargo in item.get("cargoItems", []):
            container = cargo.get("equipmentReference", "")
            packaging = cargo.get("outerPackaging", {})
            yield Goods(
                container=container,
                seals=seals.get(container, ""),
                packages=" ".join(
                    _texts(packaging.get("numberOfPackages"), packaging.get("description"))
                ),
                weight=amount(cargo.get("cargoGrossWeight")),
                volume=amount(cargo.get("cargoGrossVolume")),
            )
