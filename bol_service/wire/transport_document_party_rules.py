"""What the parties and the code lists of a transport document must be.

Rules of the DCSA text and of what its conformance toolkit checks:
C2.3 every party has an address or identifying codes
C2.7 codes come from their lists; each function of another party at most once
C2.11 a paper bill prints at most two address lines (six on an electronic one: the schemas)
C2.12 one tax or customs reference for each country and type
C2.13 a bill to order names a notify party, unless its endorsee is one
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from bol_service.wire.transport_document_problem import Problem, shown
from bol_service.wire.transport_document_reading import (
    Spot,
    cargo_items,
    dangerous_goods,
    parties,
)

CODE_LIST_PROVIDERS = frozenset(
    {
        # platforms
        *("WAVE", "CARX", "ESSD", "IDT", "BOLE", "EDOX", "IQAX", "SECR", "TRGO", "ETEU"),
        *("TRAC", "BRIT", "COVA", "ETIT", "KTNE", "CRED", "BLOC", "DOCU", "AEOT", "SGTD"),
        # registries, and ZZZ for codes that the parties agreed on
        *("GSBN", "WISE", "GLEIF", "W3C", "DNB", "FMC", "DCSA", "ZZZ"),
    }
)
PERSON_TYPES = frozenset({"NATURAL_PERSON", "LEGAL_PERSON", "ASSOCIATION_OF_PERSONS"})
PARTY_FUNCTIONS = frozenset({"SCO", "DDR", "DDS", "COW", "COX"})
DOCUMENT_REFERENCES = frozenset({"CR", "AKG"})
CONSIGNMENT_REFERENCES = frozenset({"CR", "AKG", "SPO", "CPO"})
MOVEMENT_TYPES = frozenset({"FCL", "LCL"})
COMMODITY_TYPES = frozenset({"NCM", "HTS", "SCHEDULE_B", "TARIC", "CN", "CUS"})
WOOD_DECLARATIONS = frozenset(
    {
        "NOT_APPLICABLE",
        "NOT_TREATED_AND_NOT_CERTIFIED",
        "PROCESSED",
        "TREATED_AND_CERTIFIED",
    }
)
INHALATION_ZONES = frozenset("ABCD")
SEGREGATION_GROUPS = frozenset(str(group) for group in range(1, 19))
PAPER_ADDRESS_LINES = 2


def findable_parties(document: Spot) -> Iterator[Problem]:
    """C2.3"""
    for party in parties(document):
        if not party.has("address") and not party.items("identifyingCodes"):
            yield party.problem("C2.3", "has no address and no identifyingCodes; add one of them")


def notify_parties(document: Spot) -> Iterator[Problem]:
    """C2.13"""
    roles = document.inner("documentParties")
    if roles is None or document.get("isToOrder") is not True or roles.items("notifyParties"):
        return
    endorsee = roles.inner("endorsee")
    if endorsee is None or endorsee.get("isNotifyParty") is not True:
        text = "are missing on a bill to order; add one, or make the endorsee a notify party"
        yield roles.problem("C2.13", text, "notifyParties")


def printed_addresses(document: Spot) -> Iterator[Problem]:
    """C2.11"""
    if document.get("isElectronic") is not False:
        return
    for party in parties(document):
        lines = len(party.items("displayedAddress"))
        if lines > PAPER_ADDRESS_LINES:
            text = f"has {lines} lines, a paper document prints {PAPER_ADDRESS_LINES}"
            yield party.problem("C2.11", text, "displayedAddress")


def party_codes(document: Spot) -> Iterator[Problem]:
    """C2.7 for parties"""
    for party in parties(document):
        yield from _listed(party, "typeOfPerson", PERSON_TYPES)
        for code in party.each("identifyingCodes"):
            yield from _listed(code, "codeListProvider", CODE_LIST_PROVIDERS)
    roles = document.inner("documentParties")
    if roles is None:
        return
    seen: set[str] = set()
    for other in roles.each("other"):
        yield from _listed(other, "partyFunction", PARTY_FUNCTIONS)
        function = other.text("partyFunction")
        if function in seen:
            text = f"{shown(function)} stands twice; each function has one party"
            yield other.problem("C2.7", text, "partyFunction")
        seen.update([function] if function is not None else [])


def cargo_codes(document: Spot) -> Iterator[Problem]:
    """C2.7 for cargo"""
    yield from _listed(document, "cargoMovementTypeAtOrigin", MOVEMENT_TYPES)
    yield from _listed(document, "cargoMovementTypeAtDestination", MOVEMENT_TYPES)
    for holder in chain((document,), document.each("utilizedTransportEquipments")):
        for reference in holder.each("references"):
            yield from _listed(reference, "type", DOCUMENT_REFERENCES)
    for consignment in document.each("consignmentItems"):
        for reference in consignment.each("references"):
            yield from _listed(reference, "type", CONSIGNMENT_REFERENCES)
    for item in chain(document.each("consignmentItems"), cargo_items(document)):
        for name in ("nationalCommodityCodes", "extendedNationalCommodityCodes"):
            for commodity in item.each(name):
                yield from _listed(commodity, "type", COMMODITY_TYPES)
    for packaging in (item.inner("outerPackaging") for item in cargo_items(document)):
        if packaging is not None:
            yield from _listed(packaging, "woodDeclaration", WOOD_DECLARATIONS)


def dangerous_goods_codes(document: Spot) -> Iterator[Problem]:
    """C2.9, its code lists"""
    for goods in dangerous_goods(document):
        yield from _listed(goods, "inhalationZone", INHALATION_ZONES, rule="C2.9")
        for position, group in enumerate(goods.items("segregationGroups")):
            if isinstance(group, str) and group not in SEGREGATION_GROUPS:
                text = f"{shown(group)} is no segregation group; write 1 to 18"
                yield goods.problem("C2.9", text, "segregationGroups", position)


def single_references(document: Spot) -> Iterator[Problem]:
    """C2.12"""
    cargo = chain(document.each("consignmentItems"), cargo_items(document))
    for spot in chain((document,), document.each("utilizedTransportEquipments"), cargo):
        yield from _single(spot, "customsReferences")
    for party in parties(document):
        yield from _single(party, "taxLegalReferences")


def _single(spot: Spot, name: str) -> Iterator[Problem]:
    counted: Counter[tuple[str | None, str | None]] = Counter()
    for reference in spot.each(name):
        key = (reference.text("countryCode"), reference.text("type"))
        counted[key] += 1
        if None not in key and counted[key] > 1:
            yield reference.problem(
                "C2.12", f"{shown(key[1])} of {shown(key[0])} stands twice; merge the two"
            )


def _listed(spot: Spot, name: str, codes: frozenset[str], rule: str = "C2.7") -> Iterator[Problem]:
    found = spot.text(name)
    if found is not None and found not in codes:
        yield spot.problem(rule, f"{shown(found)} is none of {', '.join(sorted(codes))}", name)


RULES = (
    findable_parties,
    notify_parties,
    printed_addresses,
    party_codes,
    cargo_codes,
    dangerous_goods_codes,
    single_references,
)
