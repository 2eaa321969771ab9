"""The corridor's map of a bill's page and of a verified file, in the reader's language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bol_service.application.portal_views import BillPage
from bol_service.domain.events import Action
from bol_service.domain.states import PartyState
from bol_service.portal.corridor import CorridorMap, Seen, corridor_map, route_of
from bol_service.portal.language import CORRIDOR, party_name, t
from bol_service.verification.report import Report
from bol_service.wire.event_fields import instant

Json = dict[str, Any]


def map_of_bill(page: BillPage) -> CorridorMap | None:
    """What custodians signed for the containers, as far as this reader's page shows it."""
    boxes = {}
    facilities: dict[str, list[str]] = defaultdict(list)
    for container, lines in page.custody.items():
        boxes[container] = [
            _seen(
                container,
                Action(line.entry.action),
                instant(line.payload["details"]["occurredAt"]),
                party_name(page.names.get(line.entry.actor), line.entry.actor),
            )
            for line in lines
        ]
        for line in lines:
            facilities[line.entry.action] += _codes(page.names.get(line.entry.actor))
    return corridor_map(route_of(page.view.get("document"), facilities), boxes)


def map_of_report(report: Report, document: Json | None) -> CorridorMap | None:
    """What the file proves of custody; its acts bear the times at which they were recorded."""
    boxes: dict[str, list[Seen]] = defaultdict(list)
    for signed in report.signed:
        kind, _, container = signed.stream.rpartition(":")
        if kind.startswith("custody:"):
            act = _seen(container, Action(signed.action), signed.recorded_at, signed.name)
            boxes[container].append(act)
    return corridor_map(route_of(document, {}), boxes)


def _seen(container: str, action: Action, at: datetime, by: str) -> Seen:
    when = f"{at.astimezone(CORRIDOR):%Y-%m-%d %H:%M} (UTC+8)"
    told = t("map.told", container=container, act=t(f"done.{action}"), when=when, by=by)
    return Seen(action=action, told=told)


def _codes(party: PartyState | None) -> Iterable[str]:
    return [facility.un_location_code for facility in party.facilities] if party else []
