"""A document that shows every member of the standard at least once.

Its structure is right; as a document it is nonsense (a consignee beside an endorsee, a reefer that
is no reefer), so it serves to test single members, not the rules between them.
"""

from __future__ import annotations

import json

from tests.documents import Json, corridor_document, document_party

_WEIGHT = {"value": 12.5, "unit": "KGM"}
_VOLUME = {"value": 1.25, "unit": "MTQ"}
_CONTACT = {"name": "Duty desk", "phone": "+86 23 5550 0107", "email": "desk@party.example"}
_LICENSE = {
    "isRequired": True,
    "reference": "LIC-1",
    "issueDate": "2027-01-01",
    "expiryDate": "2027-12-31",
}
_CUSTOMS = {"type": "UCR", "countryCode": "CN", "values": ["6CN500000DEMO1182"]}
_COMMODITY = {"type": "HTS", "countryCode": "CN", "values": ["8714100010"]}
_ADDRESS = {
    "street": "Harbour Drive",
    "streetNumber": "10",
    "floor": "3",
    "postCode": "117400",
    "POBox": "17",
    "city": "Singapore",
    "stateRegion": "Singapore",
    "countryCode": "SG",
}
_PARTY_ADDRESS = _ADDRESS | {"UNLocationCode": "SGSIN"}
_PLACE = {
    "locationName": "Singapore yard",
    "facilityName": "Yard 7",
    "address": _ADDRESS,
    "addressLines": ["Harbour Drive 10"],
    "facility": {"facilityCode": "PSATUA", "facilityCodeListProvider": "SMDG"},
    "UNLocationCode": "SGSIN",
}
_GEOGRAPHY = {"geoCoordinate": {"latitude": "1.24", "longitude": "103.62"}}
_PORT = {
    "locationName": "Singapore",
    "city": {"city": "Singapore", "stateRegion": "Singapore", "countryCode": "SG"},
    "UNLocationCode": "SGSIN",
}
_REACHABLE = {
    "address": _PARTY_ADDRESS,
    "addressLines": ["Harbour Drive 10"],
    "partyContactDetails": [_CONTACT],
    "taxLegalReferences": [{"type": "UEN", "countryCode": "SG", "value": "209954321Z"}],
}
_PRINTED = {"displayedAddress": ["HARBOUR DRIVE 10", "SINGAPORE"]}
_PERSON = {"typeOfPerson": "LEGAL_PERSON"}
_ORDERS = {"eblPlatform": "CQGY", "reference": "R-1", "purchaseOrderReferences": ["PO-1"]}


def complete_document() -> Json:
    """Every call gives a value of its own, in which no two members are the same object."""
    document = corridor_document(
        transportDocumentSubReference="1",
        numberOfCopiesWithCharges=0,
        numberOfCopiesWithoutCharges=0,
        displayedNameForPlaceOfDelivery=["SINGAPORE"],
        shippedOnBoardDate="2027-03-01",
        displayedShippedOnBoardReceivedForShipment="Received at Guoyuan Port",
        serviceContractReference="SC-1",
        contractQuotationReference="Q-1",
        extendedContractQuotationReference="Q-1-EXTENDED",
        declaredValue=286400.5,
        declaredValueCurrency="USD",
        numberOfRiderPages=0,
        transports=_transports(),
        charges=[_charge()],
        partyContactDetails=[_CONTACT],
        documentParties=_parties(),
        consignmentItems=[_consignment()],
        utilizedTransportEquipments=[_equipment()],
        exportLicense=_LICENSE,
        importLicense=_LICENSE,
        references=[{"type": "CR", "value": "CR-1"}],
        customsReferences=[_CUSTOMS],
    )
    value: Json = json.loads(json.dumps(document))
    return value


def _transports() -> Json:
    return {
        "plannedDepartureDate": "2027-03-05",
        "plannedArrivalDate": "2027-03-08",
        "preCarriageBy": "RAIL",
        "onCarriageBy": "TRUCK",
        "placeOfReceipt": _PLACE | _GEOGRAPHY,
        "portOfLoading": _PORT,
        "portOfDischarge": _PORT,
        "placeOfDelivery": _PLACE | _GEOGRAPHY,
        "onwardInlandRouting": _PLACE,
        "vesselVoyages": [
            {
                "vesselName": "XIN HE GUOYUAN",
                "carrierExportVoyageNumber": "027S",
                "universalExportVoyageReference": "2709S",
                "role": "FIRST_SEA_GOING",
            }
        ],
    }


def _charge() -> Json:
    return {
        "chargeName": "Rail haulage",
        "extendedChargeName": "Rail haulage Guoyuan to Qinzhou",
        "currencyAmount": 1840,
        "currencyCode": "USD",
        "paymentTermCode": "PRE",
        "calculationBasis": "Per container",
        "unitPrice": 920.25,
        "quantity": 2,
    }


def _parties() -> Json:
    party = document_party("straits") | _REACHABLE
    named = {name: party[name] for name in ("partyName", "address", "addressLines")}
    identified = named | {"identifyingCodes": party["identifyingCodes"]}
    return {
        "shipper": party | _PRINTED | _PERSON | _ORDERS,
        "onBehalfOfShipper": identified,
        "consignee": party | _PRINTED | _PERSON | _ORDERS | {"isNotifyParty": False},
        "onBehalfOfConsignee": identified,
        "endorsee": party | _PRINTED | {"eblPlatform": "CQGY", "isNotifyParty": True},
        "issuingParty": party,
        "carriersAgentAtDestination": named
        | {"address": _ADDRESS, "partyContactDetails": [_CONTACT]},
        "notifyParties": [party | _PRINTED | _PERSON | {"reference": "N-1"}],
        "other": [{"partyFunction": "SCO", "party": party | {"reference": "S-1"}}],
    }


def _consignment() -> Json:
    return {
        "carrierBookingReference": "XLB2702240017",
        "descriptionOfGoods": ["MOTORCYCLE PARTS"],
        "HSCodes": ["871410"],
        "extendedHSCodes": ["871410001000"],
        "nationalCommodityCodes": [_COMMODITY],
        "extendedNationalCommodityCodes": [_COMMODITY],
        "shippingMarks": ["YL"],
        "cargoItems": [_cargo()],
        "exportLicense": _LICENSE,
        "importLicense": _LICENSE,
        "references": [{"type": "SPO", "values": ["PO-1"]}],
        "customsReferences": [_CUSTOMS],
    }


def _cargo() -> Json:
    return {
        "equipmentReference": "XLCU7001127",
        "cargoGrossWeight": _WEIGHT,
        "cargoGrossVolume": _VOLUME,
        "cargoNetWeight": _WEIGHT,
        "cargoNetVolume": _VOLUME,
        "exportLicense": _LICENSE,
        "importLicense": _LICENSE,
        "outerPackaging": {
            "packageCode": "CT",
            "imoPackagingCode": "4G",
            "numberOfPackages": 648,
            "description": "Carton",
            "woodDeclaration": "NOT_APPLICABLE",
            "dangerousGoods": [_dangerous_goods()],
        },
        "nationalCommodityCodes": [_COMMODITY],
        "extendedNationalCommodityCodes": [_COMMODITY],
        "customsReferences": [_CUSTOMS],
    }


def _dangerous_goods() -> Json:
    inner = {"quantity": 4, "material": "Plastic", "description": "Bottle"}
    return {
        "UNNumber": "3480",
        "codedVariantList": "0001",
        "properShippingName": "LITHIUM ION BATTERIES",
        "technicalName": "Lithium ion",
        "imoClass": "9",
        "subsidiaryRisk1": "1.2",
        "subsidiaryRisk2": "8",
        "isMarinePollutant": False,
        "packingGroup": 2,
        "isLimitedQuantity": False,
        "isExceptedQuantity": False,
        "isSalvagePackings": False,
        "isEmptyUncleanedResidue": False,
        "isWaste": False,
        "isHot": False,
        "isCompetentAuthorityApprovalRequired": True,
        "competentAuthorityApproval": "CA-1",
        "segregationGroups": ["1", "18"],
        "innerPackagings": [inner | {"innerPackagings": [inner]}],
        "emergencyContactDetails": {
            "contact": "Duty officer",
            "provider": "Response desk",
            "phone": "+86 23 5550 0119",
            "referenceNumber": "E-1",
        },
        "EMSNumber": "F-A S-I",
        "endOfHoldingTime": "2027-04-01",
        "fumigationDateTime": "2027-03-01T08:00:00+08:00",
        "isReportableQuantity": False,
        "inhalationZone": "A",
        "grossWeight": _WEIGHT,
        "netWeight": _WEIGHT,
        "netExplosiveContent": {"value": 3, "unit": "GRM"},
        "netVolume": {"value": 3, "unit": "LTR"},
        "limits": {
            "temperatureUnit": "CEL",
            "flashPoint": 61.5,
            "transportControlTemperature": 20,
            "transportEmergencyTemperature": 45,
            "SADT": 75,
            "SAPT": 75,
        },
    }


def _equipment() -> Json:
    return {
        "equipment": {
            "equipmentReference": "XLCU7001127",
            "ISOEquipmentCode": "45R1",
            "tareWeight": _WEIGHT,
        },
        "isShipperOwned": False,
        "isNonOperatingReefer": False,
        "activeReeferSettings": {
            "temperatureSetpoint": -18.5,
            "temperatureUnit": "CEL",
            "o2Setpoint": 5,
            "co2Setpoint": 5,
            "humiditySetpoint": 60,
            "airExchangeSetpoint": 15,
            "airExchangeUnit": "MQH",
            "isVentilationOpen": True,
            "isDrainholesOpen": False,
            "isBulbMode": False,
            "isColdTreatmentRequired": False,
            "isControlledAtmosphereRequired": False,
        },
        "shippingMarks": ["YL"],
        "seals": [{"number": "XL0098231", "source": "CAR"}],
        "references": [{"type": "AKG", "value": "A-1"}],
        "customsReferences": [_CUSTOMS],
    }
