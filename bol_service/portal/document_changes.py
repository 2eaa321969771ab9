"""What changed between two versions of a draft, member by member, in the words of the trade.

1. Containers are told by their numbers and goods by their order, so that a container that was
   taken out does not make all after it look changed.
2. A quantity is one thing with its unit, a seal one with its source.
3. What the form has no words for keeps its name in the standard: nothing that changed is hidden.
4. `transportDocumentStatus` is left out: every draft is a draft.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bol_service.copy.face import amount

Json = dict[str, Any]
_LEFT_OUT = frozenset({"/transportDocumentStatus"})
# Members that only hold others: they say nothing to a person.
_SILENT = frozenset(
    {
        *("transports", "documentParties", "consignmentItems", "cargoItems", "equipment"),
        *("utilizedTransportEquipments", "outerPackaging", "address", "vesselVoyages"),
    }
)
PARTS = frozenset(
    {
        *("shipper", "consignee", "endorsee", "notifyParties", "issuingParty", "placeOfReceipt"),
        *("portOfLoading", "portOfDischarge", "placeOfDelivery", "placeOfIssue"),
        *("partyContactDetails", "invoicePayableAt"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in a document: `part` a key of the words `part.` or empty, `which` a container or the
    number of goods or party, `member` a name of the standard."""

    part: str
    which: str
    member: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """`before` None: it was added; `after` None: it was taken out."""

    place: Place
    before: str | None
    after: str | None


def changes(before: Json, after: Json) -> list[Change]:
    """Every member that differs, in the order of the newer document."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    keys = [*new, *(key for key in old if key not in new)]
    return [
        Change(place=_place(key), before=old.get(key), after=new.get(key))
        for key in keys
        if old.get(key) != new.get(key) and key not in _LEFT_OUT
    ]


def members(document: Json) -> list[tuple[Place, str]]:
    """Every member of a document, for people."""
    return [(_place(key), text) for key, text in _leaves(document)]


def _leaves(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if _is_amount(value):
            yield at, amount(value)
            return
        for name, inner in value.items():
            yield from _leaves(inner, f"{at}/{name}")
    elif isinstance(value, list):
        yield from _of_list(value, at)
    else:
        yield at, value if isinstance(value, str) else _plain(value)


def _is_amount(value: Json) -> bool:
    """A document may bear members of its own that only look like a quantity."""
    known = value.keys() == {"value", "unit"} and isinstance(value["unit"], str)
    return known and type(value["value"]) in (int, float)


def _of_list(listed: list[Any], at: str) -> Iterator[tuple[str, str]]:
    if all(not isinstance(one, dict | list) for one in listed):
        yield at, "\n".join(str(one) for one in listed)
        return
    if at.endswith("/seals"):
        yield at, ", ".join(_seal(one) for one in listed)
        return
    for number, one in enumerate(listed, 1):
        yield from _leaves(one, f"{at}/{_name(one, number)}")


def _seal(seal: Any) -> str:
    if not isinstance(seal, dict):
        return _plain(seal)
    source = f" ({seal['source']})" if "source" in seal else ""
    return f"{seal.get('number', '')}{source}"


def _name(one: Any, number: int) -> str:
    """What an entry of a list is told by; a step with a digit is never a member's name."""
    if isinstance(one, dict):
        box = one.get("equipmentReference") or one.get("equipment", {})
        box = box.get("equipmentReference") if isinstance(box, dict) else box
        if isinstance(box, str) and box and "/" not in box:
            return f"#{box}"
    return f"#{number}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _place(key: str) -> Place:
    steps = key.split("/")[1:]
    numbers = [step[1:] for step in steps if step.startswith("#")]
    named = [step for step in steps if not step.startswith("#") and step not in _SILENT]
    parts = [step for step in steps if step in PARTS]
    inside = "cargoItems" in steps or "utilizedTransportEquipments" in steps
    part = parts[0] if parts else "container" if inside else ""
    if not part and "consignmentItems" in steps:
        part = "goods"
    which = numbers[-1] if numbers and _is_counted(part, steps) else ""
    tail = [step for step in named if step not in PARTS] or named[-1:]
    return Place(part=part, which=which, member=".".join(tail))


def _is_counted(part: str, steps: list[str]) -> bool:
    return part in ("container", "goods", "notifyParties") or not steps[-1].startswith("#")
