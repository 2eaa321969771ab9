"""Places and ships of a transport document (DCSA TransportDocument).

- Place of receipt and of delivery exist only where the carrier also carries inland.
- A facility is a BIC or SMDG code beside a UN/LOCODE. A terminal without one, as Guoyuan Port has
  none, is named in `facilityName`.
"""

from __future__ import annotations

from bol_service.wire.transport_document_fields import (
    Alternative,
    Code,
    Day,
    Member,
    One,
    Several,
    Text,
)
from bol_service.wire.transport_document_forms import (
    COUNTRY,
    LOCODE,
    TRIMMED,
    Form,
)
from bol_service.wire.transport_document_parties import Address

UNIVERSAL_VOYAGE = Form(r"[0-9]{2}[0-9A-Z]{2}[NEWSR]", "a universal voyage such as 2709S")


class Facility(Member):
    facilityCode = Text(6, TRIMMED, required=True)
    facilityCodeListProvider = Code("BIC", "SMDG", required=True)


class GeoCoordinate(Member):
    latitude = Text(10, required=True)
    longitude = Text(11, required=True)


class City(Member):
    city = Text(35, TRIMMED, required=True)
    stateRegion = Text(65)
    countryCode = Text(form=COUNTRY, required=True)


class OnwardInlandRouting(Member):
    locationName = Text(100, TRIMMED)
    facilityName = Text(100)
    address = One(Address)
    addressLines = Several(Text(250), at_most=5)
    facility = One(Facility)
    UNLocationCode = Text(form=LOCODE)


class PlaceOfReceipt(OnwardInlandRouting):
    geoCoordinate = One(GeoCoordinate)


class PlaceOfDelivery(OnwardInlandRouting):
    geoCoordinate = One(GeoCoordinate)


class Port(Member):
    locationName = Text(100, TRIMMED)
    city = One(City)
    UNLocationCode = Text(form=LOCODE)


class VesselVoyage(Member):
    vesselName = Text(50, TRIMMED, required=True)
    carrierExportVoyageNumber = Text(50, TRIMMED, required=True)
    universalExportVoyageReference = Text(form=UNIVERSAL_VOYAGE)
    role = Text(30)


class Transports(Member):
    plannedArrivalDate = Day(required=True)
    plannedDepartureDate = Day(required=True)
    preCarriageBy = Text(50)
    onCarriageBy = Text(50)
    placeOfReceipt = One(PlaceOfReceipt)
    portOfLoading = One(Port, required=True)
    portOfDischarge = One(Port, required=True)
    placeOfDelivery = One(PlaceOfDelivery)
    onwardInlandRouting = One(OnwardInlandRouting)
    vesselVoyages = Several(One(VesselVoyage), at_least=1, required=True)


class PlaceOfIssue(Alternative):
    one_of = ("UNLocationCode", "countryCode")

    locationName = Text(100, TRIMMED)
    UNLocationCode = Text(form=LOCODE)
    countryCode = Text(form=COUNTRY)


class InvoicePayableAt(Alternative):
    one_of = ("UNLocationCode", "freeText")

    UNLocationCode = Text(form=LOCODE)
    freeText = Text(35)
