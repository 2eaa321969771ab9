# ruff: noqa: E501 - a table: one row, one broken document
"""Documents that are wrong in exactly one way.

Each row: what is wrong, the rule that finds it, the change to the corridor's bill, and where the
problem lies if that is not the place of the change.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tests.documents import Json, corridor_document, document_party


def steps_of(path: str) -> list[str | int]:
    return [int(step) if step.isdigit() else step for step in path.split("/")]


def holder_of(document: Json, steps: list[str | int]) -> Any:
    """The object or list in which the last step is found."""
    found: Any = document
    for step in steps[:-1]:
        found = found[step]
    return found


@dataclass(frozen=True)
class Put:
    path: str
    value: object

    def __call__(self, document: Json) -> None:
        steps = steps_of(self.path)
        holder_of(document, steps)[steps[-1]] = deepcopy(self.value)


@dataclass(frozen=True)
class Drop:
    path: str

    def __call__(self, document: Json) -> None:
        steps = steps_of(self.path)
        del holder_of(document, steps)[steps[-1]]


class Broken:
    def __init__(self, name: str, rule: str, *changes: Put | Drop, at: str = "") -> None:
        self.name = name
        self.rule = rule
        self.changes = changes
        self.pointer = "/" + (at or changes[-1].path)

    def document(self) -> Json:
        document = corridor_document()
        for change in self.changes:
            change(document)
        return document


SHIPPER = "documentParties/shipper"
CARGO = "consignmentItems/0/cargoItems/0"
UNIT = "utilizedTransportEquipments/0"
GOODS: Json = {"UNNumber": "3480", "properShippingName": "BATTERIES", "imoClass": "9"}

REEFER = (
    Put(f"{UNIT}/equipment/ISOEquipmentCode", "45R1"),
    Put(f"{UNIT}/isNonOperatingReefer", False),
    Put(f"{UNIT}/activeReeferSettings", {"temperatureSetpoint": -18, "temperatureUnit": "CEL"}),
)
DANGEROUS = Put(f"{CARGO}/outerPackaging/dangerousGoods", [GOODS])

BROKEN_MEMBERS = [
    Broken("a text with a blank at its end", "pattern", Put("carrierClauses", ["x "]), at="carrierClauses/0"),
    Broken("a text with a final line feed", "text", Put("serviceContractReference", "x\n")),
    Broken("an empty reference", "pattern", Put("shippingInstructionsReference", "")),
    Broken("a carrier code with a blank", "pattern", Put("carrierCode", "XL C")),
    Broken("a carrier code of no list", "enum", Put("carrierCodeListProvider", "ZZZ")),
    Broken("a document that is neither bill nor waybill", "enum", Put("transportDocumentTypeCode", "MBL")),
    Broken("a flag written as text", "type", Put("isElectronic", "true")),
    Broken("a flag written as number", "type", Put("isToOrder", 1)),
    Broken("a count with a fraction", "type", Put("numberOfRiderPages", 1.0)),
    Broken("a count below zero", "minimum", Put("numberOfRiderPages", -1)),
    Broken("a day that does not exist", "type", Put("issueDate", "2027-02-29")),
    Broken("a day without hyphens", "type", Put("transports/plannedArrivalDate", "20270308")),
    Broken("a weight of nothing", "minimum", Put(f"{CARGO}/cargoGrossWeight/value", 0)),
    Broken("a weight that is a flag", "type", Put(f"{CARGO}/cargoGrossWeight/value", True)),
    Broken("a weight as text", "type", Put(f"{CARGO}/cargoGrossWeight/value", "18450")),
    Broken("a unit of no list", "enum", Put(f"{CARGO}/cargoGrossWeight/unit", "KG")),
    Broken("no packages", "minimum", Put(f"{CARGO}/outerPackaging/numberOfPackages", 0)),
    Broken("too many packages", "maximum", Put(f"{CARGO}/outerPackaging/numberOfPackages", 10**8)),
    Broken("an oxygen share above all", "maximum", *REEFER, Put(f"{UNIT}/activeReeferSettings/o2Setpoint", 100.5)),
    Broken("an oxygen share below none", "minimum", *REEFER, Put(f"{UNIT}/activeReeferSettings/o2Setpoint", -1)),
    Broken("a moment without zone", "type", DANGEROUS, Put(f"{CARGO}/outerPackaging/dangerousGoods/0/fumigationDateTime", "2027-03-01T08:00:00")),
    Broken("a moment that is a number", "type", DANGEROUS, Put(f"{CARGO}/outerPackaging/dangerousGoods/0/fumigationDateTime", 7)),
    Broken("a moment that does not exist", "type", DANGEROUS, Put(f"{CARGO}/outerPackaging/dangerousGoods/0/fumigationDateTime", "2027-02-29T08:00:00Z")),
    Broken("an HS code of five digits", "pattern", Put("consignmentItems/0/HSCodes", ["87141"]), at="consignmentItems/0/HSCodes/0"),
    Broken("no HS code", "min-items", Put("consignmentItems/0/HSCodes", [])),
    Broken("no seal", "min-items", Put(f"{UNIT}/seals", [])),
    Broken("a location with digit zero", "pattern", Put("placeOfIssue/UNLocationCode", "CNCK0")),
    Broken("a country that does not exist", "country", Put(f"{SHIPPER}/address/countryCode", "XX")),
    Broken("a contact that cannot be reached", "any-of", Put("partyContactDetails", [{"name": "x"}]), at="partyContactDetails/0"),
    Broken("two places of issue", "one-of", Put("placeOfIssue/countryCode", "CN"), at="placeOfIssue"),
    Broken("an invoice payable nowhere", "one-of", Put("invoicePayableAt", {})),
    Broken("a terminal's own code", "max-length", Put("transports/placeOfReceipt/facility", {"facilityCode": "GUOYUAN", "facilityCodeListProvider": "SMDG"}), at="transports/placeOfReceipt/facility/facilityCode"),
    Broken("a facility of a private list", "enum", Put("transports/placeOfReceipt/facility", {"facilityCode": "GUOYU", "facilityCodeListProvider": "ZZZ"}), at="transports/placeOfReceipt/facility/facilityCodeListProvider"),
]  # fmt: skip

_FACILITY = {"facilityCode": "BICT", "facilityCodeListProvider": "SMDG"}
_TWO_CUSTOMS = [{"type": "UCR", "countryCode": "CN", "values": ["1"]}] * 2
_OTHER = {"partyFunction": "SCO", "party": document_party("yunling")}

BROKEN_RULES = [
    Broken("a sea waybill to order", "C2.1", Put("transportDocumentTypeCode", "SWB"), Drop("numberOfOriginalsWithCharges"), Drop("numberOfOriginalsWithoutCharges"), at="isToOrder"),
    Broken("a consignee on a bill to order", "C2.1", Put("documentParties/consignee", document_party("straits"))),
    Broken("a straight bill without consignee", "C2.1", Put("isToOrder", False), Drop("documentParties/endorsee"), at="documentParties/consignee"),
    Broken("an endorsee on a straight bill", "C2.1", Put("isToOrder", False), Put("documentParties/consignee", document_party("straits")), at="documentParties/endorsee"),
    Broken("two originals of an electronic bill", "C2.2", Put("numberOfOriginalsWithCharges", 1), at="numberOfOriginalsWithoutCharges"),
    Broken("a copy of an electronic bill", "C2.2", Put("numberOfCopiesWithoutCharges", 1)),
    Broken("a copy with charges of an electronic bill", "C2.2", Put("numberOfCopiesWithCharges", 1)),
    Broken("an electronic bill without original", "one-original", Put("numberOfOriginalsWithoutCharges", 0)),
    Broken("a party without address and codes", "C2.3", Drop(f"{SHIPPER}/address"), Drop(f"{SHIPPER}/identifyingCodes"), at=SHIPPER),
    Broken("a notify party with address lines only", "C2.3", Put("documentParties/notifyParties", [{"partyName": "x", "addressLines": ["y"]}]), at="documentParties/notifyParties/0"),
    Broken("another party without address and codes", "C2.3", Put("documentParties/other", [{"partyFunction": "SCO", "party": {"partyName": "x"}}]), at="documentParties/other/0/party"),
    Broken("a principal without address and codes", "C2.3", Put("documentParties/onBehalfOfShipper", {"partyName": "x"})),
    Broken("a received bill without its date", "C2.4", Drop("receivedForShipmentDate")),
    Broken("an on-board bill without its date", "C2.4", Put("isShippedOnBoardType", True), Drop("receivedForShipmentDate"), at="shippedOnBoardDate"),
    Broken("a received bill with both dates", "C2.4", Put("shippedOnBoardDate", "2027-03-01")),
    Broken("an issued bill without date of issue", "C2.4", Drop("issueDate")),
    Broken("goods received after issue", "date-order", Put("receivedForShipmentDate", "2027-03-02")),
    Broken("goods on board after issue", "date-order", Put("isShippedOnBoardType", True), Drop("receivedForShipmentDate"), Put("shippedOnBoardDate", "2027-03-05"), at="shippedOnBoardDate"),
    Broken("a declared value without currency", "C2.5", Put("declaredValue", 1), at="declaredValueCurrency"),
    Broken("a currency without declared value", "C2.5", Put("declaredValueCurrency", "USD"), at="declaredValue"),
    Broken("pre-carriage from nowhere", "C2.6", Drop("transports/placeOfReceipt")),
    Broken("on-carriage to nowhere", "C2.6", Put("transports/onCarriageBy", "TRUCK"), Drop("transports/placeOfDelivery"), at="transports/placeOfDelivery"),
    Broken("pre-carriage by an unknown mode", "C2.6", Put("transports/preCarriageBy", "TRAIN")),
    Broken("a party code of an unknown list", "C2.7", Put(f"{SHIPPER}/identifyingCodes/0/codeListProvider", "CQGY")),
    Broken("a person of an unknown type", "C2.7", Put(f"{SHIPPER}/typeOfPerson", "COMPANY")),
    Broken("a document reference of an unknown type", "C2.7", Put("references", [{"type": "SPO", "value": "1"}]), at="references/0/type"),
    Broken("a container reference of an unknown type", "C2.7", Put(f"{UNIT}/references", [{"type": "CPO", "value": "1"}]), at=f"{UNIT}/references/0/type"),
    Broken("a cargo reference of an unknown type", "C2.7", Put("consignmentItems/0/references", [{"type": "XX", "values": ["1"]}]), at="consignmentItems/0/references/0/type"),
    Broken("a cargo movement of an unknown type", "C2.7", Put("cargoMovementTypeAtOrigin", "BB")),
    Broken("a cargo movement of an unknown type at the end", "C2.7", Put("cargoMovementTypeAtDestination", "BB")),
    Broken("an unknown party function", "C2.7", Put("documentParties/other", [{**_OTHER, "partyFunction": "XXX"}]), at="documentParties/other/0/partyFunction"),
    Broken("two parties with one function", "C2.7", Put("documentParties/other", [_OTHER, _OTHER]), at="documentParties/other/1/partyFunction"),
    Broken("a commodity code of an unknown type", "C2.7", Put(f"{CARGO}/nationalCommodityCodes", [{"type": "Schedule B", "values": ["1"]}]), at=f"{CARGO}/nationalCommodityCodes/0/type"),
    Broken("a commodity code of an unknown type at the consignment", "C2.7", Put("consignmentItems/0/extendedNationalCommodityCodes", [{"type": "X", "values": ["1"]}]), at="consignmentItems/0/extendedNationalCommodityCodes/0/type"),
    Broken("wood declared in old words", "C2.7", Put(f"{CARGO}/outerPackaging/woodDeclaration", "Not Applicable")),
    Broken("reefer settings on a dry box", "C2.8", Put(f"{UNIT}/activeReeferSettings", {})),
    Broken("a reefer flag on a dry box", "C2.8", Put(f"{UNIT}/isNonOperatingReefer", True)),
    Broken("a reefer that does not say whether it runs", "C2.8", *REEFER, Drop(f"{UNIT}/isNonOperatingReefer"), at=f"{UNIT}/isNonOperatingReefer"),
    Broken("a running reefer without settings", "C2.8", *REEFER, Drop(f"{UNIT}/activeReeferSettings"), at=f"{UNIT}/activeReeferSettings"),
    Broken("a resting reefer with settings", "C2.8", *REEFER, Put(f"{UNIT}/isNonOperatingReefer", True), at=f"{UNIT}/activeReeferSettings"),
    Broken("settings without code and flag", "C2.8", *REEFER, Drop(f"{UNIT}/equipment/ISOEquipmentCode"), Drop(f"{UNIT}/isNonOperatingReefer"), at=f"{UNIT}/isNonOperatingReefer"),
    Broken("a temperature without unit", "C2.8", *REEFER, Drop(f"{UNIT}/activeReeferSettings/temperatureUnit"), at=f"{UNIT}/activeReeferSettings/temperatureUnit"),
    Broken("an air exchange without unit", "C2.8", *REEFER, Put(f"{UNIT}/activeReeferSettings/airExchangeSetpoint", 1), at=f"{UNIT}/activeReeferSettings/airExchangeUnit"),
    Broken("dangerous goods without package code", "C2.9", DANGEROUS, Drop(f"{CARGO}/outerPackaging/packageCode"), at=f"{CARGO}/outerPackaging"),
    Broken("dangerous goods of an unknown zone", "C2.9", DANGEROUS, Put(f"{CARGO}/outerPackaging/dangerousGoods/0/inhalationZone", "E"), at=f"{CARGO}/outerPackaging/dangerousGoods/0/inhalationZone"),
    Broken("dangerous goods of group 19", "C2.9", DANGEROUS, Put(f"{CARGO}/outerPackaging/dangerousGoods/0/segregationGroups", ["18", "19"]), at=f"{CARGO}/outerPackaging/dangerousGoods/0/segregationGroups/1"),
    Broken("dangerous goods with two numbers", "one-of", DANGEROUS, Put(f"{CARGO}/outerPackaging/dangerousGoods/0/NANumber", "1234"), at=f"{CARGO}/outerPackaging/dangerousGoods/0"),
    Broken("a container listed twice", "C2.10", Put("utilizedTransportEquipments", corridor_document()["utilizedTransportEquipments"] + corridor_document()["utilizedTransportEquipments"][:1]), at="utilizedTransportEquipments/2/equipment/equipmentReference"),
    Broken("cargo in an unlisted container", "C2.10", Put(f"{CARGO}/equipmentReference", "CSQU3054383")),
    Broken("seven printed address lines", "max-items", Put(f"{SHIPPER}/displayedAddress", ["x"] * 7)),
    Broken("three printed address lines on paper", "C2.11", Put("isElectronic", False), Put(f"{SHIPPER}/displayedAddress", ["x"] * 3), at=f"{SHIPPER}/displayedAddress"),
    Broken("one customs reference twice", "C2.12", Put("customsReferences", _TWO_CUSTOMS), at="customsReferences/1"),
    Broken("one customs reference of cargo twice", "C2.12", Put(f"{CARGO}/customsReferences", _TWO_CUSTOMS), at=f"{CARGO}/customsReferences/1"),
    Broken("one customs reference of a container twice", "C2.12", Put(f"{UNIT}/customsReferences", _TWO_CUSTOMS), at=f"{UNIT}/customsReferences/1"),
    Broken("one tax reference twice", "C2.12", Put(f"{SHIPPER}/taxLegalReferences", [{"type": "USCC", "countryCode": "CN", "value": value} for value in "12"]), at=f"{SHIPPER}/taxLegalReferences/1"),
    Broken("a bill to order that notifies nobody", "C2.13", Drop("documentParties/notifyParties")),
    Broken("a facility without location", "C2.14", Put("transports/placeOfReceipt/facility", _FACILITY), Drop("transports/placeOfReceipt/UNLocationCode"), at="transports/placeOfReceipt/UNLocationCode"),
    Broken("a place known by address lines only", "C2.14", Put("transports/placeOfReceipt", {"addressLines": ["Guoyuan"]}), at="transports/placeOfReceipt/addressLines"),
    Broken("no HS codes beside extended ones", "required", Put("consignmentItems/0/extendedHSCodes", ["871410"]), Drop("consignmentItems/0/HSCodes"), at="consignmentItems/0/HSCodes"),
    Broken("no name of a charge beside an extended one", "required", Put("charges", [{"extendedChargeName": "Rail", "currencyAmount": 1, "currencyCode": "USD", "paymentTermCode": "PRE", "calculationBasis": "x", "unitPrice": 1, "quantity": 1}]), at="charges/0/chargeName"),
    Broken("a weight of four decimals", "C2.16", Put(f"{CARGO}/cargoGrossWeight/value", 1.0001)),
    Broken("a volume of five decimals", "C2.16", Put(f"{CARGO}/cargoGrossVolume/value", 1.00001)),
    Broken("a volume in exponents", "C2.16", Put(f"{CARGO}/cargoGrossVolume/value", 1e-05)),
    Broken("money of three decimals", "C2.16", Put("declaredValue", 1.001), Put("declaredValueCurrency", "USD"), at="declaredValue"),
    Broken("a container with a wrong check digit", "iso-6346", Put(f"{UNIT}/equipment/equipmentReference", "XLCU7001128"), Put(f"{CARGO}/equipmentReference", "XLCU7001128"), at=f"{UNIT}/equipment/equipmentReference"),
    Broken("an arrival before departure", "departure-before-arrival", Put("transports/plannedArrivalDate", "2027-03-04")),
    Broken("a receipt in another country than its code", "country-of-place", Put("transports/placeOfReceipt/UNLocationCode", "SGSIN")),
    Broken("a port in another country than its city", "country-of-place", Put("transports/portOfLoading/city", {"city": "Singapore", "countryCode": "SG"}), at="transports/portOfLoading/UNLocationCode"),
    Broken("a party in another country than its code", "country-of-place", Put(f"{SHIPPER}/address/UNLocationCode", "SGSIN")),
    Broken("a ship with a wrong check digit", "imo", Put("transports/vesselVoyages/0/vesselIMONumber", "9999994")),
    Broken("a text with a control character", "text", Put("serviceContractReference", "a\x07b")),
    Broken("a text with a tab", "text", Put("serviceContractReference", "a\tb")),
    Broken("a text that turns the reading direction", "text", Put("serviceContractReference", "a\u202eb")),
    Broken("a text that isolates a direction", "text", Put("serviceContractReference", "a\u2066b")),
    Broken("terms that turn the reading direction", "text", Put("termsAndConditions", "a\u2069\nb")),
    Broken("terms with a carriage return", "text", Put("termsAndConditions", "a\r\nb")),
    Broken("a text that is not normalised", "text", Put("serviceContractReference", "e\u0301")),
    Broken("half of a surrogate pair", "text", Put("serviceContractReference", "\ud83d")),
    Broken("an unknown member with a control character", "text", Put("x-note", {"a/b": ["\x00"]}), at="x-note/a~1b/0"),
    Broken("an unknown member with such a name", "text", Put("x\u202e", 1)),
]  # fmt: skip
