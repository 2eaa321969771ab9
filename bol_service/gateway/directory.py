"""Parties as a carrier's system names them, and as the platform knows them.

- A party is found by its codes: its slug on this platform's list (ZZZ), LEI, USCC, UEN.
- One code must agree and none contradict: the law asks the same of the document's parties, and
  nobody but this gateway asks it of the first possessor.
- A party of another platform (`SGPX:straits`) is told with that platform's code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from bol_service.client import Client, Refused
from bol_service.domain.document import PartyReference
from bol_service.gateway.desk import Rejected
from bol_service.wire.dcsa_issuance import IssueTo, one_line
from bol_service.wire.document import REGISTRATIONS
from bol_service.wire.pint_parties import ChainParty, IdentifyingCode, TaxReference

Json = dict[str, Any]
Codes = frozenset[tuple[str, str]]
NAME_LENGTH: Final = 70
_TAXES: Final = ("USCC", "UEN")


@dataclass(kw_only=True)
class Directory:
    """`code` is the DCSA code of this platform."""

    client: Client
    code: str
    _named: dict[str, ChainParty] = field(default_factory=dict, repr=False)

    @property
    def code_list(self) -> str:
        return f"{self.code}-PARTY"

    # -- from codes to slugs ---------------------------------------------------------------------

    def slug_of(self, reference: PartyReference, place: str) -> str:
        """Raises Rejected."""
        return self._found(reference.codes, reference.name, place)

    def possible_slug(self, reference: PartyReference) -> str | None:
        """Of a party that need not be registered."""
        try:
            return self.slug_of(reference, "")
        except Rejected:
            return None

    def first_possessor(self, issue_to: IssueTo) -> str:
        """Raises Rejected."""
        codes = {self._scheme(code) for code in issue_to.codes}
        for tax in issue_to.value.get("taxLegalReferences", []):
            if tax["type"] in REGISTRATIONS:
                codes.add((tax["type"], tax["value"]))
        return self._found(frozenset(filter(None, codes)), issue_to.name, "issueTo")

    def _scheme(self, code: IdentifyingCode) -> tuple[str, str] | None:
        if code.provider == "ZZZ" and code.list_name in (None, self.code_list):
            return ("SLUG", code.code)
        if code.provider == "GLEIF" and code.list_name in (None, "LEI"):
            return ("LEI", code.code)
        return None

    def _found(self, codes: Codes, name: str, place: str) -> str:
        view = self._by_slug(codes) or self._by_registration(codes)
        if view is None:
            told = ", ".join(f"{kind} {value}" for kind, value in sorted(codes)) or "no code"
            raise Rejected(
                "recipient_unavailable", f"{place}: {name} ({told}) is not registered here"
            )
        own = _codes(view)
        for kind, value in sorted(codes):
            if own.get(kind, value) != value:
                raise Rejected(
                    "bad_recipient",
                    f"{place}: {kind} {value} was named, {view['party']} has {own[kind]}",
                )
        return str(view["party"])

    def _by_slug(self, codes: Codes) -> Json | None:
        for kind, value in sorted(codes):
            if kind == "SLUG":
                return self._view(value)
        return None

    def _by_registration(self, codes: Codes) -> Json | None:
        if not any(kind in REGISTRATIONS for kind, _ in codes):
            return None
        for view in self.client.pages("/v1/parties"):
            if codes & frozenset(_codes(view).items()):
                return view
        return None

    def _view(self, slug: str) -> Json | None:
        try:
            view: Json = self.client.get(f"/v1/parties/{quote(slug, safe='')}")
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return view

    # -- from slugs to parties of the chain ------------------------------------------------------

    def chain_party(self, name: str) -> ChainParty:
        """`name` is a slug, or `CODE:slug` for a party of another platform."""
        if name not in self._named:
            self._named[name] = self._chain_party(name)
        return self._named[name]

    def _chain_party(self, name: str) -> ChainParty:
        platform, _, slug = name.rpartition(":")
        view = None if platform else self._view(slug)
        code = platform or self.code
        own = IdentifyingCode(provider="ZZZ", code=slug, list_name=f"{code}-PARTY")
        if view is None:
            return ChainParty(name=slug, platform=code, codes=(own,))
        known = _codes(view)
        lei = known.get("LEI")
        listed = (
            () if lei is None else (IdentifyingCode(provider="GLEIF", code=lei, list_name="LEI"),)
        )
        taxes = [
            TaxReference(type=kind, country=view["country"], value=known[kind])
            for kind in _TAXES
            if kind in known
        ]
        return ChainParty(
            name=one_line(view["legalName"], NAME_LENGTH),
            platform=code,
            codes=(own, *listed),
            tax_references=tuple(taxes),
        )


def _codes(view: Json) -> dict[str, str]:
    return {"SLUG": view["party"], **{item["type"]: item["value"] for item in view["identifiers"]}}
