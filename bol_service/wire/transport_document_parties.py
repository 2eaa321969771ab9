"""The parties of a transport document and what identifies them (DCSA TransportDocument).

- A party is found by `identifyingCodes`, printed by `displayedAddress` or `address`.
- Consignee and endorsee must be identified by code; exchange between platforms depends on it.
- The role decides which members exist, hence one class for each role.
"""

from __future__ import annotations

from bol_service.wire.transport_document_fields import (
    Alternative,
    Flag,
    Member,
    One,
    Several,
    Text,
)
from bol_service.wire.transport_document_forms import (
    COUNTRY,
    EMAIL,
    LOCODE,
    TRIMMED,
    UNBROKEN,
)


class Address(Member):
    street = Text(70, required=True)
    streetNumber = Text(50)
    floor = Text(50, TRIMMED)
    postCode = Text(10)
    POBox = Text(20)
    city = Text(35, TRIMMED, required=True)
    stateRegion = Text(65)
    countryCode = Text(form=COUNTRY, required=True)


class PartyAddress(Address):
    UNLocationCode = Text(form=LOCODE)


class IdentifyingCode(Member):
    codeListProvider = Text(100, required=True)
    partyCode = Text(150, required=True)
    codeListName = Text(100)


class TaxLegalReference(Member):
    type = Text(50, TRIMMED, required=True)
    countryCode = Text(form=COUNTRY, required=True)
    value = Text(35, TRIMMED, required=True)


class PartyContactDetail(Alternative):
    any_of = ("phone", "email")

    name = Text(35, TRIMMED, required=True)
    phone = Text(30, TRIMMED)
    email = Text(100, EMAIL)


class NamedParty(Member):
    """What every role has; not a member of the standard by itself."""

    partyName = Text(70, TRIMMED, required=True)
    address = One(PartyAddress)
    addressLines = Several(Text(250), at_most=5)
    identifyingCodes = Several(One(IdentifyingCode))


class ReachableParty(NamedParty):
    """A party with registrations and people to call."""

    taxLegalReferences = Several(One(TaxLegalReference))
    partyContactDetails = Several(One(PartyContactDetail))


class Party(ReachableParty):
    reference = Text(35, TRIMMED)


class Shipper(Party):
    eblPlatform = Text(4, UNBROKEN)
    typeOfPerson = Text(50, TRIMMED)
    displayedAddress = Several(Text(35), at_most=6)
    purchaseOrderReferences = Several(Text(35, TRIMMED))


class Consignee(Shipper):
    identifyingCodes = Several(One(IdentifyingCode), at_least=1, required=True)
    isNotifyParty = Flag()


class OnBehalfOfShipper(NamedParty):
    pass


class OnBehalfOfConsignee(NamedParty):
    identifyingCodes = Several(One(IdentifyingCode), at_least=1)


class Endorsee(ReachableParty):
    eblPlatform = Text(4, UNBROKEN)
    displayedAddress = Several(Text(35), at_most=6)
    identifyingCodes = Several(One(IdentifyingCode), at_least=1, required=True)
    isNotifyParty = Flag()


class NotifyParty(Party):
    typeOfPerson = Text(50, TRIMMED)
    displayedAddress = Several(Text(35), at_most=6)


class IssuingParty(ReachableParty):
    address = One(PartyAddress, required=True)


class CarriersAgentAtDestination(Member):
    partyName = Text(70, TRIMMED, required=True)
    address = One(Address, required=True)
    addressLines = Several(Text(250), at_most=5)
    partyContactDetails = Several(One(PartyContactDetail), required=True)


class OtherDocumentParty(Member):
    party = One(Party, required=True)
    partyFunction = Text(3, required=True)


class DocumentParties(Member):
    shipper = One(Shipper, required=True)
    onBehalfOfShipper = One(OnBehalfOfShipper)
    consignee = One(Consignee)
    onBehalfOfConsignee = One(OnBehalfOfConsignee)
    endorsee = One(Endorsee)
    issuingParty = One(IssuingParty, required=True)
    carriersAgentAtDestination = One(CarriersAgentAtDestination)
    notifyParties = Several(One(NotifyParty), at_most=3)
    other = Several(One(OtherDocumentParty))
