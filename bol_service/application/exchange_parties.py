"""Parties across the border: our slugs as DCSA parties, and DCSA parties as names of the ledger.

1. A party of ours is told with its slug under the list ZZZ, its LEI if it has one, and its legal
   identifiers as tax references.
2. A party in a chain is ours if it is said to be on our platform and exactly one registered party
   answers to its codes; two codes that mean two parties mean nobody.
3. A party of another platform is named `CODE:slug`: by its own slug where it has one, otherwise by
   the first code, spelled as a slug.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bol_service.application.ports import Claim, Reading
from bol_service.domain.document import PartyReference
from bol_service.domain.identifiers import SLUG_FORM, platform_of
from bol_service.domain.states import PartyState
from bol_service.wire.pint_parties import (
    LEI_LIST,
    OWN_CODES,
    UNNAMED,
    ChainParty,
    IdentifyingCode,
    TaxReference,
    foreign_name,
    spelled,
)

NameOf = Callable[[ChainParty], str]


def as_chain_party(state: PartyState, platform: str) -> ChainParty:
    """A registered party as our chain entries tell of it."""
    identity = state.identity
    codes = [IdentifyingCode(provider=OWN_CODES, code=state.slug, list_name=f"{platform}-PARTY")]
    codes += [
        IdentifyingCode(provider=LEI_LIST, code=entry.value)
        for entry in identity.identifiers
        if entry.type == "LEI"
    ]
    taxes = tuple(
        TaxReference(type=entry.type, country=identity.country, value=entry.value)
        for entry in identity.identifiers
        if entry.type in ("USCC", "UEN") and len(entry.value) <= 35
    )
    return ChainParty(
        name=identity.legal_name, platform=platform, codes=tuple(codes), tax_references=taxes
    )


def stranger(name: str, legal_name: str | None = None) -> ChainParty:
    """A party of another platform, known by its name `CODE:slug` and perhaps by more."""
    platform, slug = platform_of(name), name.partition(":")[2]
    code = IdentifyingCode(provider=OWN_CODES, code=slug, list_name=f"{platform}-PARTY")
    return ChainParty(name=(legal_name or slug)[:70], platform=platform, codes=(code,))


def own_slug(reading: Reading, party: ChainParty) -> str | None:
    """The one registered party that answers to the codes of `party`, if there is one."""
    found = {slug for code in party.codes if (slug := _slug_of(reading, code)) is not None}
    return found.pop() if len(found) == 1 else None


def slug_for(reading: Reading, code: IdentifyingCode) -> str | None:
    """As `own_slug`, by a single code."""
    return _slug_of(reading, code)


def names(reading: Reading, me: str) -> NameOf:
    """How the ledger of platform `me` names a party of a chain."""

    def name_of(party: ChainParty) -> str:
        if party.platform != me:
            return foreign_name(party)
        return own_slug(reading, party) or UNNAMED

    return name_of


def named_in_document(
    reference: PartyReference | None, parties: list[ChainParty], home: str, name_of: NameOf
) -> str | None:
    """The party that a document of the platform `home` names: the one in its chain that shares a
    code, or else a party of `home`."""
    if reference is None:
        return None
    for party in parties:
        if not reference.codes.isdisjoint(_comparable(party, home)):
            return name_of(party)
    slugs = sorted(code for scheme, code in reference.codes if scheme == "SLUG")
    return f"{home}:{spelled(slugs[0]) if slugs else UNNAMED}"


def _comparable(party: ChainParty, home: str) -> set[tuple[str, str]]:
    """Slugs mean something on their own platform only."""
    codes = {("LEI", code.code) for code in party.codes if code.provider == LEI_LIST}
    if party.platform == home:
        codes |= {("SLUG", code.code) for code in party.codes if code.provider == OWN_CODES}
    return codes


def _slug_of(reading: Reading, code: IdentifyingCode) -> str | None:
    if code.provider == LEI_LIST:
        owner = reading.claim_owner(Claim(kind="identifier", value=f"LEI::{code.code}"))
        return owner.removeprefix("party:") if owner else None
    if code.provider != OWN_CODES or not re.fullmatch(SLUG_FORM, code.code):
        return None
    stream = f"party:{code.code}"
    return code.code if reading.states([stream]) else None
