"""Parties in a PINT chain: who acts, who receives, on which platform, under which codes.

- `eblPlatform` is the code of the platform on which the party has its account.
- A party is found by its identifying codes; names and tax references are for people.
- Two mentions mean the same party if they are on one platform and share a code: peers state as
  many codes as they know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import post_load

from bol_service.wire.pint_forms import COUNTRY_CODE, load_body, platform_code
from bol_service.wire.transport_document_fields import Member, One, Several, Text
from bol_service.wire.transport_document_forms import TRIMMED


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
    """Actor or recipient of a transaction."""

    name: str
    platform: str
    codes: tuple[IdentifyingCode, ...]
    tax_references: tuple[TaxReference, ...] = ()
    represented: RepresentedParty | None = None

    def is_same(self, other: ChainParty) -> bool:
        return self.platform == other.platform and not set(self.codes).isdisjoint(other.codes)

    def to_json(self) -> dict[str, Any]:
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


def read_identifying_code(body: bytes) -> IdentifyingCode:
    """Of a receiver validation request (A.10); raises PintFormatError."""
    code: IdentifyingCode = load_body(IdentifyingCodeSchema, body)
    return code
