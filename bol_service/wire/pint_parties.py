"""Parties in a PINT chain: who acts, who receives, on which platform, under which codes.

- `eblPlatform` is the code of the platform on which the party has its account.
- A party is found by its identifying codes; names and tax references are for people.
- On the ledger of another platform it is named `CODE:slug`: by its own slug where it has one (list
  ZZZ), otherwise by the first code, spelled as a slug. The same codes always make the same name.
- The first possessor is told in ISSUE as the carrier named it in `issueTo`, member for member, so
  that the checksum of that in the issuance manifest can be compared.
- Two mentions mean the same party if they are on one platform and share a code: peers state as
  many codes as they know.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from marshmallow import post_load

from bol_service.crypto import strictjson
from bol_service.domain.identifiers import SLUG_FORM, is_foreign
from bol_service.wire.pint_forms import COUNTRY_CODE, load, load_body, platform_code
from bol_service.wire.transport_document_fields import Member, One, Several, Text
from bol_service.wire.transport_document_forms import TRIMMED

OWN_CODES: Final = "ZZZ"
LEI_LIST: Final = "GLEIF"
UNNAMED: Final = "unnamed"
_OF_ISSUE_TO: Final = {"sendToPlatform": "eblPlatform"}
"""Members of `issueTo` that a chain calls otherwise."""


@dataclass(frozen=True, kw_only=True)
class IdentifyingCode:
    provider: str
    code: str
    list_name: str | None = None

    def to_json(self) -> dict[str, Any]:
        named = {} if self.list_name is None else {"codeListName": self.list_name}
        return {"codeListProvider": self.provider, "partyCode": self.code, **named}


@dataclass(frozen=True, kw_only=True)
class TaxReference:
    type: str
    country: str
    value: str

    def to_json(self) -> dict[str, Any]:
        return {"type": self.type, "countryCode": self.country, "value": self.value}


@dataclass(frozen=True, kw_only=True)
class RepresentedParty:
    """On whose behalf a party acts."""

    name: str
    codes: tuple[IdentifyingCode, ...] = ()

    def to_json(self) -> dict[str, Any]:
        codes = [code.to_json() for code in self.codes]
        return {"partyName": self.name, **({"identifyingCodes": codes} if codes else {})}


@dataclass(frozen=True, kw_only=True)
class ChainParty:
    """Actor or recipient of a transaction. `stated` are its members as somebody else wrote them."""

    name: str
    platform: str
    codes: tuple[IdentifyingCode, ...]
    tax_references: tuple[TaxReference, ...] = ()
    represented: RepresentedParty | None = None
    stated: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    def is_same(self, other: ChainParty) -> bool:
        return self.platform == other.platform and not set(self.codes).isdisjoint(other.codes)

    def to_json(self) -> dict[str, Any]:
        if self.stated is not None:
            return dict(self.stated)
        value: dict[str, Any] = {
            "partyName": self.name,
            "eblPlatform": self.platform,
            "identifyingCodes": [code.to_json() for code in self.codes],
        }
        if self.tax_references:
            value["taxLegalReferences"] = [tax.to_json() for tax in self.tax_references]
        if self.represented is not None:
            value["representedParty"] = self.represented.to_json()
        return value


class IdentifyingCodeSchema(Member):
    codeListProvider = Text(100, required=True)
    partyCode = Text(150, required=True)
    codeListName = Text(100)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> IdentifyingCode:
        return IdentifyingCode(
            provider=data["codeListProvider"],
            code=data["partyCode"],
            list_name=data.get("codeListName"),
        )


class TaxReferenceSchema(Member):
    type = Text(50, TRIMMED, required=True)
    countryCode = Text(form=COUNTRY_CODE, required=True)
    value = Text(35, TRIMMED, required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> TaxReference:
        return TaxReference(type=data["type"], country=data["countryCode"], value=data["value"])


class RepresentedPartySchema(Member):
    partyName = Text(70, TRIMMED, required=True)
    identifyingCodes = Several(One(IdentifyingCodeSchema))

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> RepresentedParty:
        return RepresentedParty(
            name=data["partyName"], codes=tuple(data.get("identifyingCodes", ()))
        )


class ChainPartySchema(Member):
    partyName = Text(70, TRIMMED, required=True)
    eblPlatform = platform_code(required=True)
    identifyingCodes = Several(One(IdentifyingCodeSchema), at_least=1, required=True)
    taxLegalReferences = Several(One(TaxReferenceSchema))
    representedParty = One(RepresentedPartySchema)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> ChainParty:
        return ChainParty(
            name=data["partyName"],
            platform=data["eblPlatform"],
            codes=tuple(data["identifyingCodes"]),
            tax_references=tuple(data.get("taxLegalReferences", ())),
            represented=data.get("representedParty"),
        )


def as_issued_to(issue_to: Mapping[str, Any]) -> ChainParty:
    """The first possessor as `issueTo` of an issuance names it; raises PintFormatError."""
    stated = {_OF_ISSUE_TO.get(name, name): member for name, member in issue_to.items()}
    party: ChainParty = load(ChainPartySchema, stated)
    return replace(party, stated=stated)


def issue_to_checksum(recipient: Mapping[str, Any]) -> str:
    """Of the `issueTo` that the recipient of ISSUE stands for (B.1): lower-case hex."""
    back = {chain: issue for issue, chain in _OF_ISSUE_TO.items()}
    value = {back.get(name, name): member for name, member in recipient.items()}
    return hashlib.sha256(strictjson.canonical(value)).hexdigest()


def foreign_name(party: ChainParty) -> str:
    """`CODE:slug`, always the same for the same codes."""
    own = [code.code for code in party.codes if code.provider == OWN_CODES]
    text = (own or [code.code for code in party.codes])[0]
    return f"{party.platform}:{spelled(text)}"


def spelled(code: str) -> str:
    """A code as a slug."""
    if re.fullmatch(SLUG_FORM, code) and not is_foreign(code):
        return code
    plain = re.sub(r"[^a-z0-9-]+", "-", code.lower()).strip("-")
    return f"x-{plain}"[:31].rstrip("-") if plain else UNNAMED


def read_identifying_code(body: bytes) -> IdentifyingCode:
    """Of a receiver validation request (A.10); raises PintFormatError."""
    code: IdentifyingCode = load_body(IdentifyingCodeSchema, body)
    return code
