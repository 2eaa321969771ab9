"""The endorsement chain of a document, for the carrier's system (DCSA EBL_END 3.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bol_service.gateway.desk import Desk, NotProven
from bol_service.gateway.directory import Directory
from bol_service.wire.dcsa_chain import EndorsementChain, links

Json = dict[str, Any]
_NEVER_HELD: Final = ("VOIDED", "ISSUE_REFUSED")


@dataclass(frozen=True, kw_only=True)
class Chains:
    desk: Desk
    directory: Directory

    def of(self, document: str, sub_document: str | None, scac: str | None) -> list[Json]:
        """One item per version of the document; empty for one that is not the carrier's.

        Raises NotProven, Refused or Unreachable.
        """
        try:
            return self._found(document, sub_document, scac)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise NotProven(f"the platform's answer cannot be read: {error!r}") from error

    def _found(self, document: str, sub_document: str | None, scac: str | None) -> list[Json]:
        own = self._scac()
        if scac is not None and scac != own:
            return []
        found = []
        for summary in self.desk.client.pages("/v1/bills", reference=document):
            if summary.get("carrier") != self.desk.me or summary["status"] in _NEVER_HELD:
                continue
            view = self.desk.client.get(f"/v1/bills/{summary['bill']}")
            version = view.get("document", {}).get("transportDocumentSubReference")
            if sub_document in (None, version):
                history = self.desk.history(summary["bill"])
                chain = EndorsementChain(
                    reference=document,
                    sub_reference=version,
                    scac=own,
                    links=links(history.events, self.directory.chain_party),
                )
                found.append(chain.to_json())
        return found

    def _scac(self) -> str | None:
        code = self.desk.client.get(f"/v1/parties/{self.desk.me}").get("carrierCode", {})
        return code.get("code") if code.get("codeListProvider") == "NMFTA" else None
