"""What the members of a transport document must be to each other: kind, numbers, dates, transport.

Rules of the DCSA text, numbered C2.n as in the reference of this project's standards page:
1. to order only as BOL; consignee on straight bills only, endorsee on order bills only
2. electronic bill: at most one original, no copies; sea waybill: no originals
4. shipped on board or received for shipment: its date, and not the other's
5. declared value and its currency come together
6. pre-carriage needs a place of receipt, on-carriage a place of delivery
14. a facility needs its UN/LOCODE; address lines are not the only locator of a place
Rules of our own:
- one-original: an issued electronic bill has exactly one original
- issue-date: an issued document bears its date of issue (the standard's text, C2.4)
- date-order: goods are on board, or received, by the day of issue
- departure-before-arrival; country-of-place: UN/LOCODE and address lie in one country
- imo: a ship's number, where a document gives it, has its check digit
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from bol_service.domain.identifiers import check_imo
from bol_service.wire.transport_document_fields import day
from bol_service.wire.transport_document_problem import Problem, shown
from bol_service.wire.transport_document_reading import (
    Spot,
    is_electronic_bill,
    is_issued,
    parties,
)

ORIGINALS = ("numberOfOriginalsWithCharges", "numberOfOriginalsWithoutCharges")
COPIES = ("numberOfCopiesWithCharges", "numberOfCopiesWithoutCharges")
CARRIAGE_MODES = ("VESSEL", "RAIL", "TRUCK", "BARGE", "MULTIMODAL")
PLACES = ("placeOfReceipt", "placeOfDelivery", "onwardInlandRouting")
PORTS = ("portOfLoading", "portOfDischarge")
LOCATORS = ("UNLocationCode", "facility", "address", "geoCoordinate")


def kind_of_bill(document: Spot) -> Iterator[Problem]:
    """C2.1"""
    to_order = document.get("isToOrder")
    if to_order is True and document.get("transportDocumentTypeCode") == "SWB":
        yield document.problem("C2.1", "is true on a sea waybill; only a BOL can be", "isToOrder")
    roles = document.inner("documentParties")
    if roles is None:
        return
    if to_order is True and roles.has("consignee"):
        yield roles.problem("C2.1", "stands on a bill to order; name an endorsee", "consignee")
    if to_order is False and not roles.has("consignee"):
        yield roles.problem("C2.1", "is missing on a straight document; add it", "consignee")
    if to_order is False and roles.has("endorsee"):
        yield roles.problem("C2.1", "stands on a straight document; remove it", "endorsee")


def originals_and_copies(document: Spot) -> Iterator[Problem]:
    """C2.2, one-original"""
    if document.get("transportDocumentTypeCode") == "SWB":
        for name in filter(document.has, ORIGINALS):
            yield document.problem("C2.2", "stands on a sea waybill; remove it", name)
    if not is_electronic_bill(document):
        return
    for name in COPIES:
        if _count(document, name) > 0:
            text = f"is {_count(document, name)} on an electronic bill; make it 0 or leave it out"
            yield document.problem("C2.2", text, name)
    total = sum(_count(document, name) for name in ORIGINALS)
    if total > 1:
        text = f"the counters of originals add up to {total}; an electronic bill has 1"
        yield document.problem("C2.2", text, ORIGINALS[1])
    if total == 0 and is_issued(document):
        text = "the counters of originals add up to 0; an issued electronic bill has 1"
        yield document.problem("one-original", text, ORIGINALS[1])


def dates_of_shipment(document: Spot) -> Iterator[Problem]:
    """C2.4, date-order"""
    on_board = document.get("isShippedOnBoardType")
    wanted, other = "shippedOnBoardDate", "receivedForShipmentDate"
    if on_board is False:
        wanted, other = other, wanted
    if isinstance(on_board, bool):
        if document.has(other):
            text = f"stands on a document that needs {wanted}; remove it"
            yield document.problem("C2.4", text, other)
        if is_issued(document) and not document.has(wanted):
            text = f"is missing while isShippedOnBoardType is {str(on_board).lower()}; add it"
            yield document.problem("C2.4", text, wanted)
    if is_issued(document) and not document.has("issueDate"):
        yield document.problem("C2.4", "is missing on an issued document; add it", "issueDate")
    yield from _not_after_issue(document, wanted)


def _not_after_issue(document: Spot, name: str) -> Iterator[Problem]:
    happened, issued = day(document.get(name)), day(document.get("issueDate"))
    if happened is not None and issued is not None and happened > issued:
        text = f"{happened} is after the issue date {issued}; correct one of them"
        yield document.problem("date-order", text, name)


def declared_value(document: Spot) -> Iterator[Problem]:
    """C2.5"""
    yield from both_or_none(document, "C2.5", "declaredValue", "declaredValueCurrency")


def both_or_none(spot: Spot, rule: str, first: str, second: str) -> Iterator[Problem]:
    if spot.has(first) != spot.has(second):
        present, missing = (first, second) if spot.has(first) else (second, first)
        yield spot.problem(rule, f"is missing beside {present}; give both or none", missing)


def inland_carriage(document: Spot) -> Iterator[Problem]:
    """C2.6"""
    transports = document.inner("transports")
    if transports is None:
        return
    pairs = (("preCarriageBy", "placeOfReceipt"), ("onCarriageBy", "placeOfDelivery"))
    for mode, place in pairs:
        if transports.has(mode) and not transports.has(place):
            yield transports.problem("C2.6", f"is missing beside {mode}; add it", place)
        code = transports.text(mode)
        if code is not None and code not in CARRIAGE_MODES:
            text = f"{shown(code)} is none of {', '.join(CARRIAGE_MODES)}"
            yield transports.problem("C2.6", text, mode)


def places(document: Spot) -> Iterator[Problem]:
    """C2.14"""
    transports = document.inner("transports")
    if transports is None:
        return
    for place in filter(None, map(transports.inner, PLACES)):
        if place.has("facility") and not place.has("UNLocationCode"):
            text = "is missing beside facility; add it, or use facilityName without a code"
            yield place.problem("C2.14", text, "UNLocationCode")
        if place.has("addressLines") and not any(map(place.has, LOCATORS)):
            text = f"are the only locator; add one of {', '.join(LOCATORS)}"
            yield place.problem("C2.14", text, "addressLines")


def departure(document: Spot) -> Iterator[Problem]:
    """departure-before-arrival"""
    transports = document.inner("transports")
    if transports is None:
        return
    leaves = day(transports.get("plannedDepartureDate"))
    arrives = day(transports.get("plannedArrivalDate"))
    if leaves is not None and arrives is not None and arrives < leaves:
        text = f"{arrives} is before the departure {leaves}; correct one of them"
        yield transports.problem("departure-before-arrival", text, "plannedArrivalDate")


def countries(document: Spot) -> Iterator[Problem]:
    """country-of-place"""
    transports = document.inner("transports")
    spots = [] if transports is None else list(map(transports.inner, (*PLACES, *PORTS)))
    for place in filter(None, spots):
        for located in filter(None, (place.inner("address"), place.inner("city"))):
            yield from _same_country(place, located)
    for address in filter(None, (party.inner("address") for party in parties(document))):
        yield from _same_country(address, address)


def _same_country(place: Spot, located: Spot) -> Iterator[Problem]:
    code, country = place.text("UNLocationCode"), located.text("countryCode")
    if code is not None and country is not None and code[:2] != country:
        text = f"{shown(code)} does not lie in {shown(country)}, the country of the address"
        yield place.problem("country-of-place", text, "UNLocationCode")


def ships(document: Spot) -> Iterator[Problem]:
    """imo; DCSA has no such member, but a document may carry it as an extra one"""
    transports = document.inner("transports")
    if transports is None:
        return
    for spot in chain((document, transports), transports.each("vesselVoyages")):
        if not spot.has("vesselIMONumber"):
            continue
        try:
            check_imo(str(spot.get("vesselIMONumber")))
        except ValueError as error:
            yield spot.problem("imo", str(error), "vesselIMONumber")


def _count(document: Spot, name: str) -> int:
    found = document.get(name)
    return found if type(found) is int else 0


RULES = (
    kind_of_bill,
    originals_and_copies,
    dates_of_shipment,
    declared_value,
    inland_carriage,
    places,
    departure,
    countries,
    ships,
)
