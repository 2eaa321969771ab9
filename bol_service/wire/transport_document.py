"""The DCSA transport document: bill of lading or sea waybill (PINT 3.0.0, EBL 3.0).

`problems` tells everything that is wrong with a document:
1. depth: a document nested absurdly deep is read no further;
2. structure: the members below, their types, lengths, forms and closed code lists;
3. conditions between members, by subject: `transport_document_rules`, `..._party_rules`,
   `..._cargo_rules`;
4. text: what characters may be signed.

Drafts (status DRAFT or APPROVED) may lack the dates and the original that come with issue. Any
other status is judged as an issued document.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import Final

from bol_service.wire import (
    transport_document_cargo_rules,
    transport_document_party_rules,
    transport_document_rules,
)
from bol_service.wire.transport_document_cargo import (
    MONEY_DECIMALS,
    Charge,
    ConsignmentItem,
    CustomsReference,
    License,
    Reference,
    UtilizedTransportEquipment,
)
from bol_service.wire.transport_document_fields import (
    MOST_BROKEN,
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
    CURRENCY,
    TRIMMED,
    UNBROKEN,
)
from bol_service.wire.transport_document_parties import DocumentParties, PartyContactDetail
from bol_service.wire.transport_document_problem import Problem, flatten
from bol_service.wire.transport_document_reading import Spot
from bol_service.wire.transport_document_text import depth_problem, text_problems
from bol_service.wire.transport_document_voyage import InvoicePayableAt, PlaceOfIssue, Transports

__all__ = ["Problem", "TransportDocument", "problems"]

MOST_TOLD: Final = 1000
PLACE_TYPES: Final = ("CY", "SD", "CFS")


class TransportDocument(Member):
    transportDocumentReference = Text(20, TRIMMED, required=True)
    transportDocumentSubReference = Text(100, TRIMMED)
    shippingInstructionsReference = Text(100, TRIMMED)
    transportDocumentStatus = Text(50, required=True)
    transportDocumentTypeCode = Code("BOL", "SWB", required=True)
    isShippedOnBoardType = Flag(required=True)
    freightPaymentTermCode = Code("PRE", "COL")
    isElectronic = Flag(required=True)
    isToOrder = Flag(required=True)
    numberOfCopiesWithCharges = Count(0)
    numberOfCopiesWithoutCharges = Count(0)
    numberOfOriginalsWithCharges = Count(0)
    numberOfOriginalsWithoutCharges = Count(0)
    displayedNameForPlaceOfReceipt = Several(Text(35), at_most=5)
    displayedNameForPortOfLoad = Several(Text(35), at_most=5)
    displayedNameForPortOfDischarge = Several(Text(35), at_most=5)
    displayedNameForPlaceOfDelivery = Several(Text(35), at_most=5)
    shippedOnBoardDate = Day()
    displayedShippedOnBoardReceivedForShipment = Text(250, TRIMMED)
    termsAndConditions = Text(50000, required=True)
    receiptTypeAtOrigin = Code(*PLACE_TYPES, required=True)
    deliveryTypeAtDestination = Code(*PLACE_TYPES, required=True)
    cargoMovementTypeAtOrigin = Text(3, required=True)
    cargoMovementTypeAtDestination = Text(3, required=True)
    issueDate = Day()
    receivedForShipmentDate = Day()
    serviceContractReference = Text(30)
    contractQuotationReference = Text(35, TRIMMED)
    extendedContractQuotationReference = Text(70, TRIMMED)
    declaredValue = Amount(0, decimals=MONEY_DECIMALS)
    declaredValueCurrency = Text(form=CURRENCY)
    carrierCode = Text(4, UNBROKEN, required=True)
    carrierCodeListProvider = Code("SMDG", "NMFTA", required=True)
    carrierClauses = Several(Text(20000, TRIMMED))
    numberOfRiderPages = Count(0)
    transports = One(Transports, required=True)
    charges = Several(One(Charge))
    placeOfIssue = One(PlaceOfIssue)
    invoicePayableAt = One(InvoicePayableAt, required=True)
    partyContactDetails = Several(One(PartyContactDetail), at_least=1, required=True)
    documentParties = One(DocumentParties, required=True)
    consignmentItems = Several(One(ConsignmentItem), at_least=1, required=True)
    utilizedTransportEquipments = Several(
        One(UtilizedTransportEquipment), at_least=1, required=True
    )
    exportLicense = One(License)
    importLicense = One(License)
    references = Several(One(Reference))
    customsReferences = Several(One(CustomsReference))


_STRUCTURE: Final = TransportDocument()
_RULES: Final = (
    *transport_document_rules.RULES,
    *transport_document_party_rules.RULES,
    *transport_document_cargo_rules.RULES,
)


def problems(value: object) -> list[Problem]:
    """Everything that is wrong with the document; an empty list means that it may be signed.

    Who has a hundred places of a wrong form to mend is told of these alone, and at most `MOST_TOLD`
    in all: a megabyte can break rules in a million places, and others wait meanwhile.
    """
    if not isinstance(value, dict):
        return [Problem(pointer="", rule="type", message="is not an object")]
    too_deep = depth_problem(value)
    if too_deep is not None:
        return [too_deep]
    wrong = list(islice(flatten(_STRUCTURE.validate(value)), MOST_TOLD))
    if len(wrong) >= MOST_BROKEN:
        return wrong
    document = Spot(value)
    rules = chain.from_iterable(rule(document) for rule in _RULES)
    return list(islice(chain(wrong, rules, text_problems(value)), MOST_TOLD))
