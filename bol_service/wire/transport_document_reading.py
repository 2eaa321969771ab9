"""Tolerant reading of a transport document that may be broken anywhere.

- The rules run even when the structure is wrong, so that a party learns of everything at once.
- What is missing or of another type reads as nothing; the schemas report it.
- `Spot` keeps an object together with its pointer, so that rules can tell where they look.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from bol_service.wire.transport_document_problem import Problem, below

PARTY_ROLES: Final = (
    "shipper",
    "onBehalfOfShipper",
    "consignee",
    "onBehalfOfConsignee",
    "endorsee",
    "issuingParty",
    "carriersAgentAtDestination",
)
ISSUE_PENDING: Final = frozenset({"DRAFT", "APPROVED"})
"""Statuses of a document that has no issue date yet."""


class Spot(NamedTuple):
    """An object of the document and where it stands: `steps` below the object `above`.

    One is made for every object that is read, and its pointer is seldom asked for.
    """

    value: dict[str, object]
    above: Spot | None = None
    steps: tuple[str | int, ...] = ()

    @property
    def pointer(self) -> str:
        return below(self.above.pointer if self.above is not None else "", *self.steps)

    def get(self, name: str) -> object:
        return self.value.get(name)

    def has(self, name: str) -> bool:
        return name in self.value

    def text(self, name: str) -> str | None:
        found = self.value.get(name)
        return found if isinstance(found, str) else None

    def items(self, name: str) -> list[object]:
        found = self.value.get(name)
        return found if isinstance(found, list) else []

    def inner(self, name: str) -> Spot | None:
        """The object under `name`, if it is one."""
        found = self.value.get(name)
        if not isinstance(found, dict):
            return None
        return Spot(found, self, (name,))

    def each(self, name: str) -> Iterator[Spot]:
        """The objects in the list under `name`."""
        listed = self.value.get(name)
        if isinstance(listed, list):
            for position, found in enumerate(listed):
                if isinstance(found, dict):
                    yield Spot(found, self, (name, position))

    def problem(self, rule: str, message: str, *steps: str | int) -> Problem:
        return Problem(pointer=below(self.pointer, *steps), rule=rule, message=message)


def is_issued(document: Spot) -> bool:
    """False while the status says that the document is a draft or an approved draft."""
    return document.text("transportDocumentStatus") not in ISSUE_PENDING


def is_electronic_bill(document: Spot) -> bool:
    return (
        document.get("isElectronic") is True and document.get("transportDocumentTypeCode") == "BOL"
    )


def parties(document: Spot) -> Iterator[Spot]:
    """Every party of the document, whatever its role."""
    found = document.inner("documentParties")
    if found is None:
        return
    for role in PARTY_ROLES:
        party = found.inner(role)
        if party is not None:
            yield party
    yield from found.each("notifyParties")
    for other in found.each("other"):
        party = other.inner("party")
        if party is not None:
            yield party


def cargo_items(document: Spot) -> Iterator[Spot]:
    for consignment in document.each("consignmentItems"):
        yield from consignment.each("cargoItems")


def dangerous_goods(document: Spot) -> Iterator[Spot]:
    for cargo in cargo_items(document):
        packaging = cargo.inner("outerPackaging")
        if packaging is not None:
            yield from packaging.each("dangerousGoods")
