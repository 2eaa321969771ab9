"""What a party is shown of parties, drafts, bills and containers: plain JSON values.

Every view goes through `access.groups`: a group of fields that the matrix does not grant is absent,
not empty, so that a reader can tell "nothing there" from "not yours".
"""

from __future__ import annotations

from typing import Any

from bol_service.domain import access, title
from bol_service.domain.access import Group, Relation
from bol_service.domain.events import Facility
from bol_service.domain.identifiers import platform_of
from bol_service.domain.states import (
    BillState,
    Control,
    CustodyState,
    DeliveryOrder,
    DraftState,
    KeyRecord,
    PartyState,
    Status,
)
from bol_service.domain.world import World
from bol_service.wire.event_fields import instant_text

Json = dict[str, Any]


def party(state: PartyState, head_sequence: int) -> Json:
    """Public: who the party is and which keys speak for it."""
    identity = state.identity
    return _present(
        {
            "party": state.slug,
            "legalName": identity.legal_name,
            "legalNameLocal": identity.legal_name_local,
            "country": identity.country,
            "identifiers": [{"type": i.type, "value": i.value} for i in identity.identifiers],
            "roles": sorted(state.roles),
            "carrierCode": (
                {"code": state.carrier_code.code, "codeListProvider": state.carrier_code.provider}
                if state.carrier_code
                else None
            ),
            "facilities": [_facility(facility) for facility in state.facilities] or None,
            "keys": [_key(key) for key in state.keys],
            "acceptedRulebooks": list(state.rulebooks),
            "suspended": state.suspended,
            "sequence": head_sequence,
        }
    )


def _facility(facility: Facility) -> Json:
    return _present(
        {
            "UNLocationCode": facility.un_location_code,
            "facilityName": facility.name,
            "facilityCode": facility.code,
            "facilityCodeListProvider": facility.provider,
        }
    )


def _key(key: KeyRecord) -> Json:
    return _present(
        {
            "kid": key.kid,
            "alg": key.alg,
            "jwk": key.jwk,
            "validFrom": _instant(key.valid_from),
            "validUntil": _instant(key.valid_until),
            "endedAt": _instant(key.ended_at),
            "endedBy": key.ended_by,
            "compromisedSince": _instant(key.compromised_since),
        }
    )


def draft(state: DraftState) -> Json:
    """For carrier, shipper, forwarder and auditor."""
    version = state.version
    return _present(
        {
            "shipment": state.shipment,
            "carrierBookingReference": state.reference,
            "status": state.status,
            "carrier": state.carrier,
            "shipper": state.shipper,
            "forwarder": state.forwarder,
            "custodians": _present(
                {
                    "receipt": state.custodians.receipt,
                    "rail": state.custodians.rail,
                    "loading": state.custodians.loading,
                    "discharge": state.custodians.discharge,
                }
            ),
            "containers": list(state.containers),
            "customs": list(state.customs),
            "customsRelease": state.customs_release,
            "instructions": state.instructions,
            "version": version.version if version else None,
            "document": version.document if version else None,
            "contentDigest": version.content_digest if version else None,
            "changeComment": state.change_comment,
        }
    )


def bill_summary(world: World, state: BillState, reader: str) -> Json:
    """What every relation may see: that the bill lives, in which state, and what one may do."""
    return _present(
        {
            "bill": state.bill,
            "transportDocumentReference": state.reference,
            "carrier": state.carrier,
            "type": state.kind,
            "status": title.status(world, state),
            "onBoardDate": _day(state.on_board_on),
            "receivedForShipmentDate": _day(state.received_on),
            "home": state.home,
            "originalOn": _place_of_original(state),
            "allowedActions": list(title.allowed_actions(world, state, reader)),
        }
    )


def _place_of_original(state: BillState) -> str | None:
    """The other platform that holds the original, or to which it is on its way."""
    if state.status is Status.IN_TRANSIT and state.transit is not None:
        return state.transit.platform
    possessor = state.control.possessor
    return platform_of(possessor) if state.status is Status.MOVED else None


def bill(
    world: World,
    state: BillState,
    reader: str,
    related: frozenset[Relation],
    document: Json | None,
) -> Json:
    """The bill as `reader` may see it; `document` is the parsed transport document."""
    granted = access.groups(related)
    view = bill_summary(world, state, reader)
    view["relations"] = sorted(related)
    if Group.CONTROL in granted:
        view["control"] = _control(state.control)
        view["warnings"] = warnings(state, related)
    if Group.PARTIES in granted:
        view["parties"] = _present(
            {
                "shipper": state.shipper,
                "consignee": state.consignee,
                "notify": list(state.notify),
            }
        )
    if Group.DOCUMENT in granted and document is not None:
        view["document"] = document
    if Group.CARGO in granted and document is not None:
        view["cargo"] = cargo(document, declared_value=Group.DECLARED_VALUE in granted)
    if Group.CUSTODY in granted:
        boxes = [world.custody(state.shipment, container) for container in state.containers]
        view["shipment"] = state.shipment or None
        view["custody"] = [custody(box) for box in boxes if box is not None]
    if Group.DELIVERY in granted:
        view["deliveryOrders"] = [_order(order) for order in state.orders]
        view["deliveryConfirmed"] = state.delivery_confirmed
    return view


def warnings(state: BillState, related: frozenset[Relation]) -> list[str]:
    """What a holder should think of before it acts; nothing here forbids anything."""
    if state.status is not Status.ISSUED:
        return []
    found = []
    control = state.control
    if Relation.HOLDER in related and control.title_holder not in (None, control.possessor):
        found.append(
            f"possession and title are apart: {control.possessor} possesses, the bill is to the "
            f"order of {control.title_holder}; only together can the bill be surrendered"
        )
    if state.on_board_on is None:
        found.append("received for shipment; not yet on board")
    return found


def cargo(document: Json, *, declared_value: bool) -> Json:
    """Goods, containers, weights and seals; no parties, no prices."""
    items = [
        _present(
            {
                "descriptionOfGoods": item.get("descriptionOfGoods"),
                "HSCodes": item.get("HSCodes"),
                "cargoItems": [
                    _present(
                        {
                            "equipmentReference": cargo_item.get("equipmentReference"),
                            "cargoGrossWeight": cargo_item.get("cargoGrossWeight"),
                            "cargoGrossVolume": cargo_item.get("cargoGrossVolume"),
                            "outerPackaging": cargo_item.get("outerPackaging"),
                        }
                    )
                    for cargo_item in item.get("cargoItems", [])
                ],
            }
        )
        for item in document.get("consignmentItems", [])
    ]
    view: Json = {
        "consignmentItems": items,
        "utilizedTransportEquipments": document.get("utilizedTransportEquipments", []),
    }
    if declared_value and "declaredValue" in document:
        view["declaredValue"] = document["declaredValue"]
        view["declaredValueCurrency"] = document.get("declaredValueCurrency")
    return view


def custody(state: CustodyState) -> Json:
    """Where one container is and what its seals tell."""
    return _present(
        {
            "container": state.container,
            "place": state.place,
            "custodian": state.custodian,
            "since": _instant(state.since),
            "receivedOn": _day(state.received_on),
            "seals": list(state.seals) if state.seals is not None else None,
            "loadedOn": (
                {
                    "vesselName": state.loading.vessel,
                    "carrierExportVoyageNumber": state.loading.voyage,
                    "localDate": _day(state.loading.local_date),
                }
                if state.loading
                else None
            ),
            "customsReleased": state.customs_released,
            "sealExceptions": [
                {
                    "sequence": exception.sequence,
                    "custodian": exception.custodian,
                    "expected": list(exception.expected),
                    "found": list(exception.found),
                }
                for exception in state.exceptions
            ],
        }
    )


def _control(control: Control) -> Json:
    return {
        "possessor": control.possessor,
        "titleHolder": control.title_holder,
        "final": control.final,
    }


def _order(order: DeliveryOrder) -> Json:
    return {
        "order": order.digest,
        "terminal": order.terminal,
        "containers": list(order.containers),
        "pickUp": {"name": order.pick_up.name, "reference": order.pick_up.reference},
        "expires": _instant(order.expires),
        "cancelled": order.cancelled,
    }


def _instant(moment: Any) -> str | None:
    return instant_text(moment) if moment is not None else None


def _day(day: Any) -> str | None:
    return day.isoformat() if day is not None else None


def _present(value: Json) -> Json:
    return {name: member for name, member in value.items() if member is not None}
