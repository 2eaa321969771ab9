"""The face of the bill: the boxes of a transport document, as the template sets them.

Every value is the document's own; nothing is converted, added up or translated. A box is
`{"en", "zh", "lines"}`; boxes that would be empty are left out, except where a form shows them
empty. Texts are made printable later, all at once (`sheet`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from bol_service.copy import wording
from bol_service.copy.wording import Pair

Json = dict[str, Any]

_UNITS: Final = {"KGM": "kg", "LBR": "lb", "MTQ": "m³", "FTQ": "ft³", "CEL": "°C", "FAH": "°F"}


def face(document: Json) -> Json:
    """All boxes of a document, by their place on the form."""
    parties = document.get("documentParties", {})
    return {
        "shipper": box("shipper", party(parties.get("shipper"))),
        "consignee": _consignee(document, parties),
        "notify": [box("notify", party(one)) for one in parties.get("notifyParties", [])],
        "further": list(_further(parties)),
        "references": list(_references(document)),
        "routing": _routing(document),
        "commercial": list(_commercial(document)),
        "goods": [_goods(item) for item in document.get("consignmentItems", [])],
        "containers": list(_containers(document)),
        "charges": [_charge(charge) for charge in document.get("charges", [])],
        "clauses": texts(*document.get("carrierClauses", [])),
        "terms": texts(*str(document.get("termsAndConditions") or "").splitlines()),
    }


def box(name: str, lines: Iterable[str], title: Pair | None = None) -> Json:
    english, chinese = title or wording.BOXES[name]
    return {"en": english, "zh": chinese, "lines": list(lines)}


def texts(*values: object) -> list[str]:
    """What there is of `values`, as text."""
    return [str(value) for value in values if value not in (None, "", [], {})]


# -- parties -------------------------------------------------------------------------------------


def party(value: Json | None) -> list[str]:
    """Name, address as printed or as held, registrations and contacts of a party."""
    if not value:
        return []
    return [
        *texts(value.get("partyName")),
        *(texts(*value.get("displayedAddress", [])) or _address(value)),
        *_identities(value),
        *(
            " · ".join(texts(contact.get("name"), contact.get("phone"), contact.get("email")))
            for contact in value.get("partyContactDetails", [])
        ),
        *(f"Ref. {reference}" for reference in texts(value.get("reference"))),
    ]


def _address(value: Json) -> list[str]:
    address = value.get("address") or {}
    street = " ".join(texts(address.get("street"), address.get("streetNumber")))
    city = " ".join(texts(address.get("postCode"), address.get("city")))
    detail = [
        " ".join(texts(street, f"floor {address['floor']}" if address.get("floor") else None)),
        f"P.O. Box {address['POBox']}" if address.get("POBox") else "",
    ]
    country = ", ".join(texts(city, address.get("stateRegion"), address.get("countryCode")))
    return texts(*value.get("addressLines", []), ", ".join(texts(*detail)), country)


def _identities(value: Json) -> list[str]:
    registered = [f"{tax.get('type')} {tax.get('value')}" for tax in _each(value, "taxLegal")]
    codes = [
        f"{code.get('codeListName') or code.get('codeListProvider')} {code.get('partyCode')}"
        for code in value.get("identifyingCodes", [])
    ]
    return texts(" · ".join([*registered, *codes]))


def _each(value: Json, kind: str) -> Iterable[Json]:
    found: Iterable[Json] = value.get(f"{kind}References", [])
    return found


def _consignee(document: Json, parties: Json) -> Json:
    if parties.get("consignee"):
        return box("consignee", party(parties["consignee"]))
    if parties.get("endorsee"):
        return box("order", party(parties["endorsee"]))
    if document.get("isToOrder"):
        return box("consignee", wording.ORDER_OF)
    return box("consignee", [])


def _further(parties: Json) -> Iterator[Json]:
    for name in ("onBehalfOfShipper", "onBehalfOfConsignee", "carriersAgentAtDestination"):
        if parties.get(name):
            yield box(name, party(parties[name]))
    if parties.get("consignee") and parties.get("endorsee"):
        yield box("order", party(parties["endorsee"]))
    for other in parties.get("other", []):
        english, chinese = wording.BOXES["other"]
        title = (f"{english} ({other.get('partyFunction')})", chinese)
        yield box("other", party(other.get("party")), title)


# -- references, routing, terms ------------------------------------------------------------------


def _references(document: Json) -> Iterator[Json]:
    items = document.get("consignmentItems", [])
    bookings = dict.fromkeys(texts(*(item.get("carrierBookingReference") for item in items)))
    named = (
        ("booking", ", ".join(bookings)),
        ("instructions", document.get("shippingInstructionsReference")),
        ("contract", document.get("serviceContractReference")),
        ("quotation", document.get("contractQuotationReference")),
    )
    for name, value in named:
        if value:
            yield box(name, [str(value)], wording.REFERENCES[name])
    for reference in document.get("references", []):
        title = (str(reference.get("type")), "")
        yield box("", texts(reference.get("value"), *reference.get("values", [])), title)


_DISPLAYED: Final = {
    "placeOfReceipt": "displayedNameForPlaceOfReceipt",
    "portOfLoading": "displayedNameForPortOfLoad",
    "portOfDischarge": "displayedNameForPortOfDischarge",
    "placeOfDelivery": "displayedNameForPlaceOfDelivery",
}


def _routing(document: Json) -> list[Json]:
    """Two rows of four, as on paper; what the document leaves out stays an empty box."""
    transports = document.get("transports", {})
    further = (
        box("onward", _place(transports.get("onwardInlandRouting")))
        if transports.get("onwardInlandRouting")
        else box("onCarriage", texts(transports.get("onCarriageBy")))
    )
    return [
        box("preCarriage", texts(transports.get("preCarriageBy"))),
        box("receipt", _shown_place(document, "placeOfReceipt")),
        box("vessel", _vessels(transports)),
        box("loading", _shown_place(document, "portOfLoading")),
        box("discharge", _shown_place(document, "portOfDischarge")),
        box("delivery", _shown_place(document, "placeOfDelivery")),
        further,
        box("movement", texts(_movement(document))),
    ]


def _shown_place(document: Json, name: str) -> list[str]:
    place = document.get("transports", {}).get(name) or {}
    shown = document.get(_DISPLAYED[name])
    return texts(*shown, place.get("UNLocationCode")) if shown else _place(place)


def _place(place: Json | None) -> list[str]:
    known = place or {}
    name = known.get("locationName") or (known.get("city") or {}).get("city")
    return texts(name or known.get("facilityName"), known.get("UNLocationCode"))


def _vessels(transports: Json) -> list[str]:
    return [
        " / ".join(texts(sailing.get("vesselName"), sailing.get("carrierExportVoyageNumber")))
        for sailing in transports.get("vesselVoyages", [])
    ]


def _movement(document: Json) -> str:
    """`FCL/FCL CY/CY`, as far as it is given."""
    pairs = (
        ("cargoMovementTypeAtOrigin", "cargoMovementTypeAtDestination"),
        ("receiptTypeAtOrigin", "deliveryTypeAtDestination"),
    )
    return " · ".join(
        texts(*("/".join(texts(document.get(one), document.get(other))) for one, other in pairs))
    )


def _commercial(document: Json) -> Iterator[Json]:
    freight = document.get("freightPaymentTermCode")
    payable = document.get("invoicePayableAt") or {}
    issued = document.get("placeOfIssue") or {}
    where = issued.get("locationName") or issued.get("UNLocationCode")
    value = " ".join(texts(document.get("declaredValueCurrency"), document.get("declaredValue")))
    yield box("freight", texts(wording.both(wording.FREIGHT, str(freight)) if freight else ""))
    yield box("payable", texts(payable.get("freeText"), payable.get("UNLocationCode")))
    yield box("received", texts(document.get("receivedForShipmentDate")))
    yield box("issued", texts(" · ".join(texts(where, document.get("issueDate")))))
    if document.get("shippedOnBoardDate"):
        yield box("onboard", texts(document["shippedOnBoardDate"]))
    if value:
        yield box("value", [value])


def _charge(charge: Json) -> Json:
    amount = f"{charge.get('currencyCode', '')} {charge.get('currencyAmount', '')}".strip()
    term = wording.both(wording.FREIGHT, str(charge.get("paymentTermCode", "")))
    return {"name": str(charge.get("chargeName", "")), "amount": amount, "term": term}


# -- goods and containers ------------------------------------------------------------------------


def _goods(item: Json) -> Json:
    cargo = item.get("cargoItems", [])
    packaging = [one.get("outerPackaging") or {} for one in cargo]
    return {
        "marks": texts(*item.get("shippingMarks", [])),
        "lines": texts(*item.get("descriptionOfGoods", [])),
        "codes": texts(", ".join(f"HS {code}" for code in item.get("HSCodes", []))),
        "dangerous": [
            _dangerous(goods) for packed in packaging for goods in packed.get("dangerousGoods", [])
        ],
    }


def _dangerous(goods: Json) -> str:
    number = goods.get("UNNumber") or goods.get("NANumber")
    group = goods.get("packingGroup")
    return ", ".join(
        texts(
            f"UN {number}" if number else None,
            goods.get("properShippingName"),
            goods.get("technicalName"),
            f"class {goods['imoClass']}" if goods.get("imoClass") else None,
            f"PG {group}" if group else None,
            "marine pollutant" if goods.get("isMarinePollutant") else None,
        )
    )


def _containers(document: Json) -> Iterator[Json]:
    """One line for each piece of cargo, and for each container that no cargo names."""
    used = {
        (one.get("equipment") or {}).get("equipmentReference", ""): one
        for one in document.get("utilizedTransportEquipments", [])
    }
    named = set()
    for item in document.get("consignmentItems", []):
        for cargo in item.get("cargoItems", []):
            number = cargo.get("equipmentReference", "")
            yield _container(number, used.get(number, {}), cargo, is_first=number not in named)
            named.add(number)
    for number, equipment in used.items():
        if number not in named:
            yield _container(number, equipment, {}, is_first=True)


def _container(number: str, used: Json, cargo: Json, *, is_first: bool) -> Json:
    equipment = used.get("equipment") or {}
    packaging = cargo.get("outerPackaging") or {}
    packages = packaging.get("numberOfPackages")
    return {
        "number": number,
        "type": " · ".join(texts(equipment.get("ISOEquipmentCode"), _reefer(used))),
        "tare": amount(equipment.get("tareWeight")) if is_first else "",
        "seals": [
            " ".join(texts(seal.get("number"), seal.get("source")))
            for seal in (used.get("seals", []) if is_first else [])
        ],
        "packages": " ".join(
            texts(packages, packaging.get("description") or packaging.get("packageCode"))
        ),
        "weight": amount(cargo.get("cargoGrossWeight")),
        "volume": amount(cargo.get("cargoGrossVolume")),
    }


def _reefer(used: Json) -> str:
    settings = used.get("activeReeferSettings") or {}
    degrees = settings.get("temperatureSetpoint")
    if degrees is None:
        return ""
    return f"{degrees} {_UNITS.get(str(settings.get('temperatureUnit')), '')}".strip()


def amount(value: Json | None) -> str:
    """The exact number with its unit, at least three decimals."""
    if not value:
        return ""
    whole, _, decimals = f"{Decimal(str(value['value'])):,f}".partition(".")
    unit = value.get("unit", "")
    return f"{whole}.{decimals:0<3} {_UNITS.get(unit, unit)}"
