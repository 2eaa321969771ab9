"""What the containers and packages of a transport document must be.

Rules of the DCSA text and of what its conformance toolkit checks:
C2.8 reefers: settings, non-operating flag and ISO code agree; values come with their units
C2.9 dangerous goods have a package code on their packaging
C2.10 each container stands once; each cargo item names one of them
Our own:
- iso-6346: the container number has its check digit
"""

from __future__ import annotations

from collections.abc import Iterator

from bol_service.domain.identifiers import check_container
from bol_service.wire.transport_document_problem import Problem, shown
from bol_service.wire.transport_document_reading import Spot, cargo_items
from bol_service.wire.transport_document_rules import both_or_none

REEFER_SIGNS = frozenset("RH")
ISO_CODE_LENGTH = 4


def containers(document: Spot) -> Iterator[Problem]:
    """C2.10, iso-6346"""
    seen: set[str] = set()
    for unit in document.each("utilizedTransportEquipments"):
        equipment = unit.inner("equipment")
        number = None if equipment is None else equipment.text("equipmentReference")
        if equipment is None or number is None:
            continue
        if number in seen:
            text = f"{shown(number)} stands twice; list each container once"
            yield equipment.problem("C2.10", text, "equipmentReference")
        seen.add(number)
        try:
            check_container(number)
        except ValueError as error:
            yield equipment.problem("iso-6346", str(error), "equipmentReference")
    yield from _stowed(document, seen)


def _stowed(document: Spot, known: set[str]) -> Iterator[Problem]:
    for cargo in cargo_items(document):
        number = cargo.text("equipmentReference")
        if number is not None and number not in known:
            text = f"{shown(number)} is not among the document's containers; add or correct it"
            yield cargo.problem("C2.10", text, "equipmentReference")


def packed_dangerous_goods(document: Spot) -> Iterator[Problem]:
    """C2.9"""
    for cargo in cargo_items(document):
        packaging = cargo.inner("outerPackaging")
        if packaging is None or not packaging.items("dangerousGoods"):
            continue
        if not packaging.has("packageCode") and not packaging.has("imoPackagingCode"):
            yield packaging.problem(
                "C2.9", "holds dangerous goods; add packageCode or imoPackagingCode"
            )


def reefers(document: Spot) -> Iterator[Problem]:
    """C2.8"""
    for unit in document.each("utilizedTransportEquipments"):
        yield from _reefer(unit)
        settings = unit.inner("activeReeferSettings")
        if settings is not None:
            yield from both_or_none(settings, "C2.8", "temperatureSetpoint", "temperatureUnit")
            yield from both_or_none(settings, "C2.8", "airExchangeSetpoint", "airExchangeUnit")


def _reefer(unit: Spot) -> Iterator[Problem]:
    equipment = unit.inner("equipment")
    code = None if equipment is None else equipment.text("ISOEquipmentCode")
    if code is not None and not _is_reefer(code):
        for name in filter(unit.has, ("isNonOperatingReefer", "activeReeferSettings")):
            yield unit.problem("C2.8", f"stands on {shown(code)}, no reefer; remove it", name)
        return
    flag, settings = unit.get("isNonOperatingReefer"), unit.has("activeReeferSettings")
    if not unit.has("isNonOperatingReefer") and (code is not None or settings):
        text = "is missing on a reefer; add it"
        yield unit.problem("C2.8", text, "isNonOperatingReefer")
    if flag is True and settings:
        text = "stand on a reefer that does not operate; remove them"
        yield unit.problem("C2.8", text, "activeReeferSettings")
    if flag is False and not settings:
        text = "are missing on an operating reefer; add them"
        yield unit.problem("C2.8", text, "activeReeferSettings")


def _is_reefer(code: str) -> bool:
    return len(code) == ISO_CODE_LENGTH and code[2] in REEFER_SIGNS


RULES = (containers, packed_dangerous_goods, reefers)
