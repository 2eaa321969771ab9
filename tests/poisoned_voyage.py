"""The demonstration's voyage with an attack in every free text: documents, names, events.

A member is free text if the payload is taken where it stands; what the law compares (codes,
numbers, identifiers, vessels) has to stay as it is, or there would be no voyage to look at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from itertools import cycle
from typing import Any

from bol_service.cli.voyage_script import Script
from bol_service.wire.document import DocumentError, read_document
from tests.hostile_payloads import PAYLOADS

Json = dict[str, Any]
Path = tuple[str | int, ...]

COMPARED = {
    *("transportDocumentStatus", "transportDocumentReference", "carrierBookingReference"),
    *("partyCode", "codeListName", "type", "value", "vesselName", "carrierExportVoyageNumber"),
}
OF_EVENTS = {"comment", "remarks", "train", "waybill", "wagon", "lc"}
LONGEST_OF_EVENTS = 35


def poison(script: Script) -> int:
    """Put payloads into `script`; how many members of the document took one."""
    payloads = cycle(PAYLOADS)
    taken = _document(script.document, payloads)
    item = script.document["consignmentItems"][0]
    item["descriptionOfGoods"] = list(PAYLOADS)
    item["shippingMarks"] = list(PAYLOADS[-50:])
    for party in script.parties:
        party["identity"]["legalName"] = f"{next(payloads)} {party['party']}"
        party["identity"]["legalNameLocal"] = f"{next(payloads)} 公司"
        for facility in party.get("facilities", []):
            if "facilityName" in facility:
                facility["facilityName"] = next(payloads)
    for step in script.voyage["steps"]:
        _event(step.get("details", {}), payloads)
    return taken


def _document(document: Json, payloads: Iterator[str]) -> int:
    taken = 0
    for path in list(_texts(document)):
        if path[-1] in COMPARED or str(path[-1]).startswith("$"):
            continue
        for _ in range(4):  # a short member takes a short one
            tried = deepcopy(document)
            _put(tried, path, next(payloads))
            if _is_sound(tried):
                _put(document, path, _at(tried, path))
                taken += 1
                break
    return taken


def _event(details: Json, payloads: Iterator[str]) -> None:
    for name, value in details.items():
        if isinstance(value, dict):
            _event(value, payloads)
        elif name in OF_EVENTS:
            details[name] = next(payloads)[:LONGEST_OF_EVENTS]


def _texts(value: Any, path: Path = ()) -> Iterator[Path]:
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in steps:
        if isinstance(inner, dict | list):
            yield from _texts(inner, (*path, step))
        elif isinstance(inner, str):
            yield (*path, step)


def _is_sound(document: Json) -> bool:
    dated = _dated(document)
    try:
        read_document(json.dumps(dated).encode(), dated, strict=True)
    except DocumentError:
        return False
    return True


def _dated(value: Any) -> Any:
    """With a date wherever the script will put one."""
    if isinstance(value, list):
        return [_dated(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and next(iter(value)).startswith("$"):
        return "2027-03-01"
    return {name: _dated(inner) for name, inner in value.items()}


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _put(value: Any, path: Path, text: str) -> None:
    _at(value, path[:-1])[path[-1]] = text
