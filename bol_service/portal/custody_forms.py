"""What has to be asked for each act of custody, and the signed details that the answers make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bol_service.application.portal_custody import BoxAtDesk
from bol_service.domain.events import Action
from bol_service.portal.forms import Answers, Field, Given, Json, local_input, read
from bol_service.portal.language import CORRIDOR
from bol_service.wire.event_fields import instant

_WHEN: Final = Field(name="occurredAt", kind="moment")
_SEALS: Final = Field(name="seals", required=False, limit=170)
_REMARKS: Final = Field(name="remarks", kind="long", required=False)
_TRAIN: Final = Field(name="train", limit=35)
_SAILING: Final = (
    Field(name="vesselName", limit=50),
    Field(name="carrierExportVoyageNumber", limit=50),
)
_OF_ACT: Final[Mapping[Action, tuple[Field, ...]]] = {
    Action.LOADED_RAIL: (
        _TRAIN,
        Field(name="waybill", limit=35),
        Field(name="wagon", required=False, limit=35),
    ),
    Action.RAIL_DEPARTED: (_TRAIN,),
    Action.RAIL_ARRIVED: (_TRAIN,),
    Action.LOADED_VESSEL: _SAILING,
    Action.VESSEL_DEPARTED: _SAILING,
    Action.CUSTOMS_RELEASE: (Field(name="customsReference", limit=35),),
    Action.GATE_OUT: (
        Field(name="code", limit=100),
        Field(name="collectorName", limit=70),
        Field(name="collectorReference", limit=70),
    ),
}


def fields_of(action: Action) -> tuple[Field, ...]:
    """The questions of an act of custody."""
    return (*_OF_ACT.get(action, ()), _WHEN, _SEALS, _REMARKS)


def proposals(action: Action, box: BoxAtDesk, now: datetime) -> Given:
    """What a form is filled with at first; never the release code, which the collector shows."""
    proposed = Given({"occurredAt": local_input(now)})
    if box.loading is not None and action is Action.VESSEL_DEPARTED:
        proposed["vesselName"] = box.loading.vessel
        proposed["carrierExportVoyageNumber"] = box.loading.voyage
    if box.order is not None and action is Action.GATE_OUT:
        proposed["collectorName"] = box.order.pick_up.name
        proposed["collectorReference"] = box.order.pick_up.reference
    return proposed


def answers_of(action: Action, fields: Sequence[Field], form: Given, box: BoxAtDesk) -> Answers:
    """The answers of a form, checked as the platform checks the signed event."""
    given, faults = read(fields, form)
    if faults:
        return Answers(faults=faults)
    answers = Answers(details=_details(action, given, box))
    answers.check(action)
    return answers


def _details(action: Action, given: dict[str, Any], box: BoxAtDesk) -> Json:
    at = instant(given["occurredAt"])
    details: Json = {**given, "localDate": at.astimezone(CORRIDOR).date().isoformat()}
    if "seals" in details:
        details["seals"] = details["seals"].replace(",", " ").split()
    if action is Action.GATE_OUT and box.order is not None:
        details["collectedBy"] = {
            "name": details.pop("collectorName"),
            "reference": details.pop("collectorReference"),
        }
        details |= {"bill": box.bill, "order": box.order.digest}
    return details
