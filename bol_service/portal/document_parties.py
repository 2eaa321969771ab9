"""How a registered party is named in a transport document: by codes that ISSUE recognises it by.

A name and the codes beside it must not mean two parties: people read the name, the law the codes.
"""

from __future__ import annotations

from collections.abc import Mapping

from bol_service.domain.states import PartyState
from bol_service.portal import document_members as members
from bol_service.portal.document_members import Json


def identify(document: Json, base: str, party: PartyState, platform_code: str) -> None:
    """Name a registered party by its codes, unless the document does so already."""
    codes = members.objects(document, f"{base}/identifyingCodes")
    own = {"codeListProvider": "ZZZ", "codeListName": f"{platform_code}-PARTY"}
    if any(code.get("partyCode") == party.slug for code in codes):
        return
    held = {one.type: one.value for one in party.identity.identifiers}
    listed = [{**own, "partyCode": party.slug}]
    if "LEI" in held:
        lei = {"codeListProvider": "GLEIF", "codeListName": "LEI", "partyCode": held["LEI"]}
        listed.append(lei)
    members.put(document, f"{base}/identifyingCodes", listed)
    country = party.identity.country
    taxes = [
        {"type": kind, "countryCode": country, "value": held[kind]}
        for kind in ("USCC", "UEN")
        if kind in held
    ]
    members.remove(document, f"{base}/taxLegalReferences")
    if taxes:
        members.put(document, f"{base}/taxLegalReferences", taxes)


def forget(document: Json, base: str, slug: str, parties: Mapping[str, PartyState]) -> None:
    """Take away the codes of a registered party that is no longer the one that is chosen."""
    codes = members.objects(document, f"{base}/identifyingCodes")
    before = {code.get("partyCode") for code in codes if code.get("codeListProvider") == "ZZZ"}
    if before & parties.keys() and slug not in before:
        members.remove(document, f"{base}/identifyingCodes")
        members.remove(document, f"{base}/taxLegalReferences")


def named_otherwise(name: str, slug: str, parties: Mapping[str, PartyState]) -> str:
    """The registered party whose name stands where `slug` is chosen; empty if all is well."""
    if slug not in parties or name.casefold() == parties[slug].identity.legal_name.casefold():
        return ""
    return next(
        (
            other
            for other, party in parties.items()
            if party.identity.legal_name.casefold() == name.casefold()
        ),
        "",
    )
