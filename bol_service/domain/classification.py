"""What kind of data each member of a transport document is, and who may get it across the border.

`MEMBERS` is the only table: for each type of object of the DCSA transport document, which of its
members is of which class (DR-01). A member that holds objects is of the class that their members
are. What is not in the table, as later editions of the standard may bring, is UNCLASSIFIED and
crosses to nobody but who gets the whole document.

- `OUTFLOWS` states per class on what ground data may leave the country where the bill was issued,
  and which relations to the bill may get it there (DR-02 to DR-07). Nothing asks it at run time:
  who reads what is decided by `access.MATRIX`, at home and abroad alike, and tests hold the two
  together. An auditor's eyes end at the border.
- `PURPOSES` are the selections for which a holder or carrier discloses single fields (DR-08).
- `FREE_TEXT` are the members where people write sentences, and so where names and telephone numbers
  get into bills (DR-03).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bol_service.domain.access import MATRIX, Group, Relation


class FieldClass(StrEnum):
    PUBLIC = "PUBLIC"
    ROUTING = "ROUTING"
    GOODS = "GOODS"
    HAZARD = "HAZARD"
    SECURITY = "SECURITY"
    REGULATORY = "REGULATORY"
    COMMERCIAL = "COMMERCIAL"
    PRICE = "PRICE"
    PERSONAL = "PERSONAL"
    UNCLASSIFIED = "UNCLASSIFIED"


class Ground(StrEnum):
    """On what legal ground data of a class may leave the country; whoever sends it has to have it.

    Nothing asks for it or records it: the flow log tells what left, and by which act or relation.
    """

    TRADE_EXEMPT = "TRADE_EXEMPT"
    """Data of international trade without personal or important data (CAC 2024, art. 3)."""

    IMPORTANCE_CHECKED = "IMPORTANCE_CHECKED"
    """Trade data that may be important data for some goods: to be checked (DSL art. 21, 31)."""

    PERSONAL_BASIS = "PERSONAL_BASIS"
    """Only with a ground of its own under PIPL art. 38, 39; the sender records it for itself."""


@dataclass(frozen=True, kw_only=True)
class Outflow:
    """`to`: the relations to the bill that may get the class on the other side of the border."""

    ground: Ground
    to: frozenset[Relation]


_C = FieldClass
_PARTY_NAMES: Final = "partyName addressLines"
_PARTY: Final = {_C.COMMERCIAL: f"{_PARTY_NAMES} reference"}
_PRINTED: Final = "displayedAddress"
_MEASURE: Final = {_C.GOODS: "value unit"}
_PLACE: Final = {_C.ROUTING: "locationName facilityName addressLines UNLocationCode"}
_COMMODITY: Final = {_C.GOODS: "type countryCode values"}
_ADDRESS: Final = "street streetNumber floor postCode POBox city stateRegion countryCode"

MEMBERS: Final[dict[str, dict[FieldClass, str]]] = {
    "TransportDocument": {
        _C.PUBLIC: (
            "transportDocumentReference transportDocumentStatus transportDocumentTypeCode "
            "isElectronic carrierCode carrierCodeListProvider issueDate"
        ),
        _C.ROUTING: (
            "isShippedOnBoardType shippedOnBoardDate receivedForShipmentDate "
            "displayedShippedOnBoardReceivedForShipment displayedNameForPlaceOfReceipt "
            "displayedNameForPortOfLoad displayedNameForPortOfDischarge "
            "displayedNameForPlaceOfDelivery receiptTypeAtOrigin deliveryTypeAtDestination "
            "cargoMovementTypeAtOrigin cargoMovementTypeAtDestination"
        ),
        _C.COMMERCIAL: (
            "transportDocumentSubReference shippingInstructionsReference isToOrder "
            "numberOfCopiesWithCharges numberOfCopiesWithoutCharges numberOfOriginalsWithCharges "
            "numberOfOriginalsWithoutCharges termsAndConditions carrierClauses numberOfRiderPages"
        ),
        _C.PRICE: (
            "freightPaymentTermCode serviceContractReference contractQuotationReference "
            "extendedContractQuotationReference declaredValue declaredValueCurrency"
        ),
    },
    "Transports": {
        _C.ROUTING: "plannedArrivalDate plannedDepartureDate preCarriageBy onCarriageBy"
    },
    "PlaceOfReceipt": _PLACE,
    "PlaceOfDelivery": _PLACE,
    "OnwardInlandRouting": _PLACE,
    "Address": {_C.ROUTING: _ADDRESS},
    "Facility": {_C.ROUTING: "facilityCode facilityCodeListProvider"},
    "GeoCoordinate": {_C.ROUTING: "latitude longitude"},
    "Port": {_C.ROUTING: "locationName UNLocationCode"},
    "City": {_C.ROUTING: "city stateRegion countryCode"},
    "VesselVoyage": {
        _C.ROUTING: "vesselName carrierExportVoyageNumber universalExportVoyageReference role"
    },
    "PlaceOfIssue": {_C.ROUTING: "locationName UNLocationCode countryCode"},
    "InvoicePayableAt": {_C.PRICE: "UNLocationCode freeText"},
    "Charge": {
        _C.PRICE: (
            "chargeName extendedChargeName currencyAmount currencyCode paymentTermCode "
            "calculationBasis unitPrice quantity"
        )
    },
    "PartyContactDetail": {_C.PERSONAL: "name phone email"},
    "PartyAddress": {_C.COMMERCIAL: f"{_ADDRESS} UNLocationCode"},
    "IdentifyingCode": {_C.COMMERCIAL: "codeListProvider partyCode codeListName"},
    "TaxLegalReference": {_C.COMMERCIAL: "type countryCode value"},
    "DocumentParties": {},
    "Shipper": {
        _C.COMMERCIAL: (
            f"{_PARTY_NAMES} reference eblPlatform typeOfPerson {_PRINTED} purchaseOrderReferences"
        )
    },
    "Consignee": {
        _C.COMMERCIAL: (
            f"{_PARTY_NAMES} reference eblPlatform typeOfPerson {_PRINTED} purchaseOrderReferences "
            "isNotifyParty"
        )
    },
    "Endorsee": {_C.COMMERCIAL: f"{_PARTY_NAMES} eblPlatform {_PRINTED} isNotifyParty"},
    "NotifyParty": {_C.COMMERCIAL: f"{_PARTY_NAMES} reference typeOfPerson {_PRINTED}"},
    "OnBehalfOfShipper": {_C.COMMERCIAL: _PARTY_NAMES},
    "OnBehalfOfConsignee": {_C.COMMERCIAL: _PARTY_NAMES},
    "IssuingParty": {_C.COMMERCIAL: _PARTY_NAMES},
    "CarriersAgentAtDestination": {_C.COMMERCIAL: _PARTY_NAMES},
    "OtherDocumentParty": {_C.COMMERCIAL: "partyFunction"},
    "Party": _PARTY,
    "ConsignmentItem": {
        _C.COMMERCIAL: "carrierBookingReference",
        _C.GOODS: "descriptionOfGoods HSCodes extendedHSCodes shippingMarks",
    },
    "NationalCommodityCode": _COMMODITY,
    "ExtendedNationalCommodityCode": _COMMODITY,
    "CargoItem": {_C.SECURITY: "equipmentReference"},
    "Weight": _MEASURE,
    "Volume": _MEASURE,
    "OuterPackaging": {
        _C.GOODS: "packageCode imoPackagingCode numberOfPackages description woodDeclaration"
    },
    "DangerousGoods": {
        _C.HAZARD: (
            "UNNumber NANumber codedVariantList properShippingName technicalName imoClass "
            "subsidiaryRisk1 subsidiaryRisk2 isMarinePollutant packingGroup isLimitedQuantity "
            "isExceptedQuantity isSalvagePackings isEmptyUncleanedResidue isWaste isHot "
            "isCompetentAuthorityApprovalRequired competentAuthorityApproval segregationGroups "
            "EMSNumber endOfHoldingTime fumigationDateTime isReportableQuantity inhalationZone"
        )
    },
    "InnerPackaging": {_C.HAZARD: "quantity material description"},
    "EmergencyContactDetails": {_C.PERSONAL: "contact provider phone referenceNumber"},
    "NetExplosiveContent": {_C.HAZARD: "value unit"},
    "NetVolume": _MEASURE,
    "Limits": {
        _C.HAZARD: (
            "temperatureUnit flashPoint transportControlTemperature transportEmergencyTemperature "
            "SADT SAPT"
        )
    },
    "License": {_C.REGULATORY: "isRequired reference issueDate expiryDate"},
    "CustomsReference": {_C.REGULATORY: "type countryCode values"},
    "Reference": {_C.COMMERCIAL: "type value"},
    "ReferenceConsignmentItem": {_C.COMMERCIAL: "type values"},
    "UtilizedTransportEquipment": {
        _C.SECURITY: "isShipperOwned isNonOperatingReefer",
        _C.GOODS: "shippingMarks",
    },
    "Equipment": {_C.SECURITY: "equipmentReference ISOEquipmentCode"},
    "Seal": {_C.SECURITY: "number source"},
    "ActiveReeferSettings": {
        _C.GOODS: (
            "temperatureSetpoint temperatureUnit o2Setpoint co2Setpoint humiditySetpoint "
            "airExchangeSetpoint airExchangeUnit isVentilationOpen isDrainholesOpen isBulbMode "
            "isColdTreatmentRequired isControlledAtmosphereRequired"
        )
    },
}

FREE_TEXT: Final[dict[str, str]] = {
    "TransportDocument": "displayedShippedOnBoardReceivedForShipment carrierClauses",
    "InvoicePayableAt": "freeText",
    "Charge": "chargeName extendedChargeName calculationBasis",
    "Shipper": f"partyName addressLines reference {_PRINTED} purchaseOrderReferences",
    "Consignee": f"partyName addressLines reference {_PRINTED} purchaseOrderReferences",
    "Endorsee": f"partyName addressLines {_PRINTED}",
    "NotifyParty": f"partyName addressLines reference {_PRINTED}",
    "OnBehalfOfShipper": _PARTY_NAMES,
    "OnBehalfOfConsignee": _PARTY_NAMES,
    "Party": f"{_PARTY_NAMES} reference",
    "TaxLegalReference": "value",
    "ConsignmentItem": "descriptionOfGoods shippingMarks",
    "OuterPackaging": "description woodDeclaration",
    "DangerousGoods": "properShippingName technicalName competentAuthorityApproval",
    "InnerPackaging": "material description",
    "License": "reference",
    "CustomsReference": "values",
    "Reference": "value",
    "ReferenceConsignmentItem": "values",
    "UtilizedTransportEquipment": "shippingMarks",
}

PURPOSES: Final[dict[str, frozenset[FieldClass]]] = {
    "customs": frozenset({_C.PUBLIC, _C.ROUTING, _C.GOODS, _C.HAZARD, _C.SECURITY, _C.REGULATORY}),
    "terminal": frozenset({_C.SECURITY}),
}

_GROUP: Final = {
    _C.PUBLIC: Group.STATE,
    _C.ROUTING: Group.CARGO,
    _C.GOODS: Group.CARGO,
    _C.HAZARD: Group.CARGO,
    _C.SECURITY: Group.CARGO,
    _C.REGULATORY: Group.CARGO,
    _C.COMMERCIAL: Group.DOCUMENT,
    _C.PRICE: Group.PRICE,
    _C.PERSONAL: Group.DOCUMENT,
    _C.UNCLASSIFIED: Group.DOCUMENT,
}
_GROUND: Final = {
    _C.HAZARD: Ground.IMPORTANCE_CHECKED,
    _C.UNCLASSIFIED: Ground.IMPORTANCE_CHECKED,
    _C.PERSONAL: Ground.PERSONAL_BASIS,
}


def _outflow(kind: FieldClass) -> Outflow:
    granted = (relation for relation, groups in MATRIX.items() if _GROUP[kind] in groups)
    return Outflow(
        ground=_GROUND.get(kind, Ground.TRADE_EXEMPT),
        to=frozenset(granted) - {Relation.AUDITOR},
    )


OUTFLOWS: Final[dict[FieldClass, Outflow]] = {kind: _outflow(kind) for kind in FieldClass}


def class_of_member(owner: str, member: str) -> FieldClass:
    """The class of a member of a type of object, UNCLASSIFIED where the table has none."""
    return _CLASSES.get((owner, member), FieldClass.UNCLASSIFIED)


def is_free_text(owner: str, member: str) -> bool:
    return member in FREE_TEXT.get(owner, "").split()


_CLASSES: Final = {
    (owner, member): kind
    for owner, classes in MEMBERS.items()
    for kind, members in classes.items()
    for member in members.split()
}
