"""Goods, containers and charges of a transport document (DCSA TransportDocument).

- `HSCodes` and `chargeName` are deprecated and yet required; the extended member wins when given.
- Every cargo item names a container that the document also lists as equipment.
"""

from __future__ import annotations

from bol_service.domain.identifiers import HS_CODE_FORM
from bol_service.wire.transport_document_dangerous_goods import DangerousGoods, Volume, Weight
from bol_service.wire.transport_document_fields import (
    Amount,
    Code,
    Count,
    Day,
    Flag,
    Member,
    One,
    Several,
    Text,
)
from bol_service.wire.transport_document_forms import (
    COUNTRY,
    CURRENCY,
    TRIMMED,
    Form,
)

HS_CODE = Form(r"[0-9]{6,10}", "an HS code of 6 to 10 digits such as 871410")
EXTENDED_HS_CODE = Form(HS_CODE_FORM, "an HS code of 6 to 12 digits such as 871410")
PACKAGE_CODE = Form(r"[A-Z0-9]{2}", "a package code of UN/ECE Recommendation 21 such as CT")
IMO_PACKAGE_CODE = Form(r"[A-Z0-9]{1,5}", "an IMO packaging code such as 1A2")
MONEY_DECIMALS = 2


class Reference(Member):
    type = Text(3, required=True)
    value = Text(35, TRIMMED, required=True)


class ReferenceConsignmentItem(Member):
    type = Text(3, required=True)
    values = Several(Text(35, TRIMMED), at_least=1, required=True)


class CustomsReference(Member):
    type = Text(50, TRIMMED, required=True)
    countryCode = Text(form=COUNTRY, required=True)
    values = Several(Text(35, TRIMMED), at_least=1, required=True)


class License(Member):
    isRequired = Flag()
    reference = Text(35, TRIMMED)
    issueDate = Day()
    expiryDate = Day()


class NationalCommodityCode(Member):
    type = Text(10, TRIMMED, required=True)
    countryCode = Text(form=COUNTRY)
    values = Several(Text(10, TRIMMED), at_least=1, required=True)


class ExtendedNationalCommodityCode(Member):
    type = Text(10, TRIMMED, required=True)
    countryCode = Text(form=COUNTRY)
    values = Several(Text(16, TRIMMED), at_least=1, required=True)


class OuterPackaging(Member):
    packageCode = Text(form=PACKAGE_CODE)
    imoPackagingCode = Text(form=IMO_PACKAGE_CODE)
    numberOfPackages = Count(1, 99999999, required=True)
    description = Text(100, required=True)
    woodDeclaration = Text(30)
    dangerousGoods = Several(One(DangerousGoods))


class CargoItem(Member):
    equipmentReference = Text(11, TRIMMED, required=True)
    cargoGrossWeight = One(Weight, required=True)
    cargoGrossVolume = One(Volume)
    cargoNetWeight = One(Weight)
    cargoNetVolume = One(Volume)
    exportLicense = One(License)
    importLicense = One(License)
    outerPackaging = One(OuterPackaging, required=True)
    nationalCommodityCodes = Several(One(NationalCommodityCode))
    extendedNationalCommodityCodes = Several(One(ExtendedNationalCommodityCode))
    customsReferences = Several(One(CustomsReference))


class ConsignmentItem(Member):
    carrierBookingReference = Text(35, TRIMMED, required=True)
    descriptionOfGoods = Several(Text(35, TRIMMED), at_most=150, required=True)
    HSCodes = Several(Text(form=HS_CODE), at_least=1, required=True)
    extendedHSCodes = Several(Text(form=EXTENDED_HS_CODE))
    nationalCommodityCodes = Several(One(NationalCommodityCode))
    extendedNationalCommodityCodes = Several(One(ExtendedNationalCommodityCode))
    shippingMarks = Several(Text(35), at_most=50)
    cargoItems = Several(One(CargoItem), at_least=1, required=True)
    exportLicense = One(License)
    importLicense = One(License)
    references = Several(One(ReferenceConsignmentItem))
    customsReferences = Several(One(CustomsReference))


class Equipment(Member):
    equipmentReference = Text(11, TRIMMED, required=True)
    ISOEquipmentCode = Text(4, TRIMMED)
    tareWeight = One(Weight)


class Seal(Member):
    number = Text(15, required=True)
    source = Code("CAR", "SHI", "VET", "CUS")


class ActiveReeferSettings(Member):
    temperatureSetpoint = Amount()
    temperatureUnit = Code("CEL", "FAH")
    o2Setpoint = Amount(0, 100)
    co2Setpoint = Amount(0, 100)
    humiditySetpoint = Amount(0, 100)
    airExchangeSetpoint = Amount(0)
    airExchangeUnit = Code("MQH", "FQH")
    isVentilationOpen = Flag()
    isDrainholesOpen = Flag()
    isBulbMode = Flag()
    isColdTreatmentRequired = Flag()
    isControlledAtmosphereRequired = Flag()


class UtilizedTransportEquipment(Member):
    equipment = One(Equipment, required=True)
    isShipperOwned = Flag(required=True)
    isNonOperatingReefer = Flag()
    activeReeferSettings = One(ActiveReeferSettings)
    shippingMarks = Several(Text(35), at_most=50)
    seals = Several(One(Seal), at_least=1, required=True)
    references = Several(One(Reference))
    customsReferences = Several(One(CustomsReference))


class Charge(Member):
    chargeName = Text(50, TRIMMED, required=True)
    extendedChargeName = Text(100, TRIMMED)
    currencyAmount = Amount(0, decimals=MONEY_DECIMALS, required=True)
    currencyCode = Text(form=CURRENCY, required=True)
    paymentTermCode = Code("PRE", "COL", required=True)
    calculationBasis = Text(50, TRIMMED, required=True)
    unitPrice = Amount(0, decimals=MONEY_DECIMALS, required=True)
    quantity = Amount(0, required=True)
