"""Transport documents for tests: the demonstration's bill from Chongqing to Singapore.

- `corridor_document` is the bill as issued in Chongqing: to the order of its shipper, received for
  shipment at Guoyuan Port on 1 March 2027, two containers.
- `draft_of` gives the draft that goes before it; `straight_document` and `blank_document` are the
  same shipment under the two other kinds of bill.
- Members are replaced by keyword; None takes a member away.

All parties, ships and containers are fictitious; their check digits are right.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Json = dict[str, Any]

ISSUE_DAY = "2027-03-01"
CONTAINERS = ("XLCU7001127", "XLCU7001132")
PARTY_LIST = "CQGY-PARTY"

_REGISTER: dict[str, Json] = {
    "yunling": {
        "partyName": "Chongqing Yunling Motor Parts Co., Ltd.",
        "lei": "ZZZZ00SHIPPERYUNL031",
        "uscc": "91500112MA60EBL160",
        "address": {
            "street": "Tongmao Avenue",
            "streetNumber": "16",
            "postCode": "401120",
            "city": "Chongqing",
            "countryCode": "CN",
        },
    },
    "xlsc": {
        "partyName": "Jialing Land-Sea Line Co., Ltd.",
        "lei": "ZZZZ00CARRIERXLSC065",
        "address": {
            "street": "Jiangbeizui Square",
            "streetNumber": "6",
            "postCode": "400024",
            "city": "Chongqing",
            "countryCode": "CN",
        },
    },
    "banksg": {
        "partyName": "Straits Commercial Bank Ltd",
        "lei": "ZZZZ00BANKSGSTRAIT37",
        "address": {
            "street": "Raffles Quay",
            "streetNumber": "37",
            "postCode": "048583",
            "city": "Singapore",
            "countryCode": "SG",
        },
    },
    "bankcq": {
        "partyName": "Bank of Two Rivers, Chongqing Branch",
        "lei": "ZZZZ00BANKCQINLAND36",
        "address": {
            "street": "Minzu Road",
            "streetNumber": "36",
            "postCode": "400010",
            "city": "Chongqing",
            "countryCode": "CN",
        },
    },
    "straits": {
        "partyName": "Straits Cycle Trading Pte. Ltd.",
        "lei": "ZZZZ00BUYERMERLION44",
        "uen": "209954321Z",
        "address": {
            "street": "Ubi Road",
            "streetNumber": "44",
            "postCode": "408699",
            "city": "Singapore",
            "countryCode": "SG",
        },
    },
    "nusantara": {
        "partyName": "Nusantara Wheels Distribution Pte. Ltd.",
        "uen": "209967890Z",
        "address": {
            "street": "Jurong Port Road",
            "streetNumber": "9",
            "postCode": "619092",
            "city": "Singapore",
            "countryCode": "SG",
        },
    },
}


def document_party(slug: str, **members: Any) -> Json:
    """The party as a document names it: name, address, codes, tax references where it has them."""
    known = _REGISTER[slug]
    codes = [{"codeListProvider": "ZZZ", "codeListName": PARTY_LIST, "partyCode": slug}]
    if "lei" in known:
        codes.append(
            {"codeListProvider": "GLEIF", "codeListName": "LEI", "partyCode": known["lei"]}
        )
    taxes = [
        {"type": kind.upper(), "countryCode": country, "value": known[kind]}
        for kind, country in (("uscc", "CN"), ("uen", "SG"))
        if kind in known
    ]
    party: Json = {
        "partyName": known["partyName"],
        "address": dict(known["address"]),
        "identifyingCodes": codes,
    }
    return party | ({"taxLegalReferences": taxes} if taxes else {}) | members


def corridor_document(**changes: Any) -> Json:
    """The bill as issued; every call gives a value of its own."""
    document: Json = {
        "transportDocumentReference": "XLSC2703CQSG00418",
        "shippingInstructionsReference": "SI-YL-20270225-01",
        "transportDocumentStatus": "ISSUED",
        "transportDocumentTypeCode": "BOL",
        "isShippedOnBoardType": False,
        "freightPaymentTermCode": "PRE",
        "isElectronic": True,
        "isToOrder": True,
        "numberOfOriginalsWithCharges": 0,
        "numberOfOriginalsWithoutCharges": 1,
        "displayedNameForPlaceOfReceipt": ["GUOYUAN PORT, CHONGQING, CHINA", "重庆果园港"],
        "displayedNameForPortOfLoad": ["QINZHOU, CHINA"],
        "displayedNameForPortOfDischarge": ["SINGAPORE"],
        "termsAndConditions": (
            "Carriage by rail and sea under the carrier's combined transport terms, demo edition.\n"
            "This bill is governed by the law of Singapore and by rulebook demo-rulebook-1.0."
        ),
        "receiptTypeAtOrigin": "CY",
        "deliveryTypeAtDestination": "CY",
        "cargoMovementTypeAtOrigin": "FCL",
        "cargoMovementTypeAtDestination": "FCL",
        "issueDate": ISSUE_DAY,
        "receivedForShipmentDate": ISSUE_DAY,
        "carrierCode": "XLSC",
        "carrierCodeListProvider": "NMFTA",
        "carrierClauses": ["SHIPPER'S LOAD, STOW, COUNT AND SEAL."],
        "transports": _transports(),
        "placeOfIssue": {"locationName": "Chongqing", "UNLocationCode": "CNCQI"},
        "invoicePayableAt": {"freeText": "CHONGQING"},
        "partyContactDetails": [
            {"name": "Export documentation", "email": "documents@xlsc.example"},
        ],
        "documentParties": {
            "shipper": document_party("yunling", typeOfPerson="LEGAL_PERSON"),
            "endorsee": document_party("yunling"),
            "issuingParty": document_party("xlsc"),
            "notifyParties": [document_party("straits")],
        },
        "consignmentItems": [_consignment()],
        "utilizedTransportEquipments": [
            _container(CONTAINERS[0], 3880, ("XL0098231", "CAR"), ("CQC77120", "CUS")),
            _container(CONTAINERS[1], 3900, ("XL0098232", "CAR")),
        ],
    }
    return with_members(document, **changes)


def straight_document(**changes: Any) -> Json:
    """The same shipment consigned to straits by name; never endorsed."""
    document = corridor_document(isToOrder=False)
    del document["documentParties"]["endorsee"]
    document["documentParties"]["consignee"] = document_party("straits")
    return with_members(document, **changes)


def blank_document(**changes: Any) -> Json:
    """The same shipment to the order of nobody named: whoever holds the bill may claim."""
    document = corridor_document()
    del document["documentParties"]["endorsee"]
    return with_members(document, **changes)


def draft_of(document: Json, **changes: Any) -> Json:
    """The draft that the shipper is asked to approve before `document` is issued."""
    draft = with_members(
        document,
        transportDocumentStatus="DRAFT",
        issueDate=None,
        receivedForShipmentDate=None,
        shippedOnBoardDate=None,
    )
    return with_members(draft, **changes)


def with_members(document: Json, **changes: Any) -> Json:
    """A copy with members replaced, or taken away where the change is None."""
    changed = deepcopy(document) | deepcopy(changes)
    return {name: member for name, member in changed.items() if member is not None}


def _transports() -> Json:
    return {
        "plannedDepartureDate": "2027-03-05",
        "plannedArrivalDate": "2027-03-08",
        "preCarriageBy": "RAIL",
        "placeOfReceipt": {
            "locationName": "Guoyuan Port, Chongqing",
            "facilityName": "Guoyuan Port",
            "address": {
                "street": "Guoyuan Port Area, Liangjiang New Area",
                "city": "Chongqing",
                "countryCode": "CN",
            },
            "UNLocationCode": "CNCQI",
        },
        "portOfLoading": {"locationName": "Qinzhou", "UNLocationCode": "CNQZH"},
        "portOfDischarge": {"locationName": "Singapore", "UNLocationCode": "SGSIN"},
        "placeOfDelivery": {"locationName": "Singapore", "UNLocationCode": "SGSIN"},
        "vesselVoyages": [
            {"vesselName": "XIN HE GUOYUAN", "carrierExportVoyageNumber": "027S"},
        ],
    }


def _consignment() -> Json:
    return {
        "carrierBookingReference": "XLB2702240017",
        "descriptionOfGoods": [
            "MOTORCYCLE PARTS AND ACCESSORIES",
            "摩托车零件及附件",
            "CIP SINGAPORE (INCOTERMS 2020)",
        ],
        "HSCodes": ["871410"],
        "shippingMarks": ["YL", "SINGAPORE", "C/NO. 1-1280", "MADE IN CHINA"],
        "cargoItems": [
            _cargo(CONTAINERS[0], 648, 18450.0, 64.2),
            _cargo(CONTAINERS[1], 632, 17980.5, 63.75),
        ],
    }


def _cargo(container: str, packages: int, kilograms: float, cubic_metres: float) -> Json:
    return {
        "equipmentReference": container,
        "cargoGrossWeight": {"value": kilograms, "unit": "KGM"},
        "cargoGrossVolume": {"value": cubic_metres, "unit": "MTQ"},
        "outerPackaging": {
            "packageCode": "CT",
            "numberOfPackages": packages,
            "description": "Carton",
        },
    }


def _container(number: str, tare: int, *seals: tuple[str, str]) -> Json:
    return {
        "equipment": {
            "equipmentReference": number,
            "ISOEquipmentCode": "45G1",
            "tareWeight": {"value": tare, "unit": "KGM"},
        },
        "isShipperOwned": False,
        "seals": [{"number": number, "source": source} for number, source in seals],
    }
