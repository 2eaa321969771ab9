"""Measures and dangerous goods of a transport document (DCSA TransportDocument).

- Weights have at most 3 decimals, volumes at most 4.
- Dangerous goods bear exactly one of a UN number and a NA number.
"""

from __future__ import annotations

from bol_service.wire.transport_document_fields import (
    Alternative,
    Amount,
    Code,
    Count,
    Day,
    Flag,
    Member,
    Moment,
    One,
    Several,
    Text,
)
from bol_service.wire.transport_document_forms import (
    FOUR_DIGITS,
    TRIMMED,
    Form,
)

VARIANT = Form(r"[0-3][0-9A-Z]{3}", "a coded variant such as 0001")
RISK = Form(r"[0-9](\.[0-9])?", "a subsidiary risk such as 1.2")
WEIGHT_DECIMALS = 3
VOLUME_DECIMALS = 4


class Weight(Member):
    value = Amount(above=0, decimals=WEIGHT_DECIMALS, required=True)
    unit = Code("KGM", "LBR", required=True)


class Volume(Member):
    value = Amount(above=0, decimals=VOLUME_DECIMALS, required=True)
    unit = Code("MTQ", "FTQ", required=True)


class NetExplosiveContent(Member):
    value = Amount(above=0, decimals=WEIGHT_DECIMALS, required=True)
    unit = Code("KGM", "LBR", "GRM", "ONZ", required=True)


class NetVolume(Member):
    value = Amount(above=0, decimals=VOLUME_DECIMALS, required=True)
    unit = Code("MTQ", "FTQ", "LTR", required=True)


class Limits(Member):
    temperatureUnit = Code("CEL", "FAH", required=True)
    flashPoint = Amount()
    transportControlTemperature = Amount()
    transportEmergencyTemperature = Amount()
    SADT = Amount()
    SAPT = Amount()


class InnerPackaging(Member):
    quantity = Count(required=True)
    material = Text(100, required=True)
    description = Text(100, required=True)
    innerPackagings = Several(One(lambda: InnerPackaging()))


class EmergencyContactDetails(Member):
    contact = Text(255, required=True)
    provider = Text(255)
    phone = Text(30, TRIMMED, required=True)
    referenceNumber = Text(255)


class DangerousGoods(Alternative):
    one_of = ("UNNumber", "NANumber")

    UNNumber = Text(form=FOUR_DIGITS)
    NANumber = Text(form=FOUR_DIGITS)
    codedVariantList = Text(form=VARIANT)
    properShippingName = Text(250, required=True)
    technicalName = Text(250)
    imoClass = Text(4, required=True)
    subsidiaryRisk1 = Text(form=RISK)
    subsidiaryRisk2 = Text(form=RISK)
    isMarinePollutant = Flag()
    packingGroup = Count(1, 3)
    isLimitedQuantity = Flag()
    isExceptedQuantity = Flag()
    isSalvagePackings = Flag()
    isEmptyUncleanedResidue = Flag()
    isWaste = Flag()
    isHot = Flag()
    isCompetentAuthorityApprovalRequired = Flag()
    competentAuthorityApproval = Text(70, TRIMMED)
    segregationGroups = Several(Text(2))
    innerPackagings = Several(One(InnerPackaging))
    emergencyContactDetails = One(EmergencyContactDetails)
    EMSNumber = Text(7)
    endOfHoldingTime = Day()
    fumigationDateTime = Moment()
    isReportableQuantity = Flag()
    inhalationZone = Text(form=Form(r".", "a single letter"))
    grossWeight = One(Weight)
    netWeight = One(Weight)
    netExplosiveContent = One(NetExplosiveContent)
    netVolume = One(NetVolume)
    limits = One(Limits)
