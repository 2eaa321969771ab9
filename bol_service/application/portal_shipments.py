"""What pages show of shipments and drafts, as values; `portal_drafts` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bol_service.application.ports import DocumentRow, StoredEntry
from bol_service.domain import errors
from bol_service.domain.document import DocumentFacts
from bol_service.domain.events import Action
from bol_service.domain.states import Head, Loading, PartyState

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A draft as the carrier published it; `change_wanted` is what the shipper asked of it."""

    number: int
    document: str
    content_digest: str
    entry: StoredEntry
    change_wanted: str | None = None
    approved: StoredEntry | None = None


@dataclass(frozen=True, kw_only=True)
class Proven:
    """What custody proves of the containers: None where it does not (yet).

    `missing` are the containers that this shipment's custody has not received.
    """

    received_on: date | None
    loading: Loading | None
    missing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ShipmentLine:
    """One shipment in a list. `waits` tells what it waits for from this reader: a task's kind."""

    shipment: str
    reference: str
    status: str
    carrier: str
    shipper: str
    version: int | None
    number: str | None
    bill: str | None
    changed_at: str
    waits: str | None


@dataclass(frozen=True, kw_only=True)
class Shipments:
    """`cut` tells that there are older shipments than those that were looked at."""

    lines: list[ShipmentLine]
    cut: bool


@dataclass(frozen=True, kw_only=True)
class ShipmentPage:
    """`view` is what GET /v1/drafts/{shipment} answers; the rest is for its page only."""

    view: Json
    head: Head
    versions: tuple[Version, ...]
    entries: tuple[StoredEntry, ...]
    facts: DocumentFacts | None
    instructions: DocumentRow | None
    instructions_reference: str | None
    acts: tuple[Action, ...]
    proven: Proven
    bill: str | None
    names: Mapping[str, PartyState]

    def version(self, number: int) -> Version:
        """Raises NotFound."""
        found = next((one for one in self.versions if one.number == number), None)
        if found is None:
            raise errors.NotFound(f"no version {number} of this draft")
        return found
