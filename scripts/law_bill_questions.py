"""The law of the bill asked about every combination of facts, its answers folded into rows.

For each act and each combination of the facts that guards look at: the refusal or none
(`title.require`); and where an accepted act leads the bill's status.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, Final

from law_rows import Facts, rows
from law_suppositions import (
    BILL,
    NOON,
    RULEBOOK,
    Scene,
    allows,
    answer,
    custody_of_box,
    delivery_order,
    example,
    live_bill,
    on_its_way,
    party_of,
    recorded,
)

from bol_service.domain import issue, title
from bol_service.domain.document import BillKind
from bol_service.domain.events import Action, Role
from bol_service.domain.states import (
    BillState,
    Control,
    Giving,
    Place,
    Status,
)

Json = dict[str, Any]

LIVE: Final = tuple(status.value for status in Status)
FACTS: Final[Facts] = (
    ("status", LIVE),
    ("isPossessor", (True, False)),
    ("isCarrier", (True, False)),
    ("kind", tuple(kind.value for kind in BillKind)),
    ("isShipper", (True, False)),
    ("isConsignee", (True, False)),
    ("title", ("blank", "own", "other")),
    ("isFinal", (True, False)),
    ("canRefuse", (True, False)),
    ("isOnBoard", (True, False)),
    ("isLoaded", (True, False)),
    ("hasOrder", (True, False)),
    ("isConfirmed", (True, False)),
)


def bill_table() -> Json:
    scenes = [_supposed(values) for values in product(*(values for _, values in FACTS))]
    return {
        "facts": {name: list(values) for name, values in FACTS},
        "guards": {action.value: _guard_rows(action, scenes) for action in title.GUARDS},
        "after": {action.value: _bill_after(action) for action in _CHANGES_STATUS},
        "holder": _holder(),
    }


def _holder() -> Json:
    """Whether a party of this platform can come to hold a bill."""
    party = party_of("other")
    standings = {
        "unknown": None,
        "suspended": replace(party, suspended=True),
        "operator": replace(party, roles=frozenset({Role.OPERATOR})),
        "desk": replace(party, roles=frozenset({Role.EXCHANGE})),
        "without consent": replace(party, rulebooks=()),
        "consenting": party,
    }
    return {
        name: answer(partial(issue.require_consent, one, "other", RULEBOOK))
        for name, one in standings.items()
    }


def _supposed(values: Sequence[Any]) -> tuple[Scene, BillState]:
    facts = dict(zip((name for name, _ in FACTS), values, strict=True))
    gone = facts["status"] == Status.ACCOMPLISHED
    status = Status.SURRENDERED_FOR_DELIVERY if gone else Status(facts["status"])
    title_holder = {"blank": None, "own": "actor", "other": "other"}[facts["title"]]
    control = Control(
        possessor="actor" if facts["isPossessor"] else "other",
        title_holder=title_holder,
        final=facts["isFinal"],
    )
    state = replace(
        live_bill(),
        status=status,
        control=control,
        carrier="actor" if facts["isCarrier"] else "other",
        kind=BillKind(facts["kind"]),
        shipper="actor" if facts["isShipper"] else "other",
        consignee="actor" if facts["isConsignee"] else "other",
        giving=Giving(before=control) if facts["canRefuse"] else None,
        on_board_on=NOON.date() if facts["isOnBoard"] else None,
        orders=(delivery_order(cancelled=True), delivery_order(cancelled=not facts["hasOrder"])),
        delivery_confirmed=facts["isConfirmed"],
        transit=on_its_way() if status is Status.IN_TRANSIT else None,
    )
    box = custody_of_box(Place.GATE_OUT if gone else Place.DISCHARGED, loaded=facts["isLoaded"])
    return Scene(box=box), state


def _guard_rows(action: Action, scenes: list[tuple[Scene, BillState]]) -> list[Json]:
    answers = [
        answer(partial(title.require, scene, state, action, "actor")) for scene, state in scenes
    ]
    return rows(answers, FACTS)


_CHANGES_STATUS: Final = (
    Action.REFUSE,
    Action.SURRENDER_FOR_DELIVERY,
    Action.SURRENDER_FOR_AMENDMENT,
    Action.SACC,
    Action.SREJ,
    Action.VOID,
)


def _bill_after(action: Action) -> Json:
    """The status after the act, from every status in which somebody may do it."""
    found: Json = {}
    for status, is_issue, actor in product(Status, (False, True), ("holder", "carrier")):
        control = Control(possessor="holder", title_holder=None)
        state = replace(
            live_bill(),
            status=status,
            giving=Giving(before=control, is_issue=is_issue),
            surrendered_by="holder",
            transit=on_its_way() if status is Status.IN_TRANSIT else None,
        )
        event = example(action, actor, BILL)
        scene = Scene(billed=state)
        if allows(title.apply, scene, event):
            after = title.apply(scene, recorded(event), event).status.value
            found.setdefault(status.value, {})["issue" if is_issue else "other"] = after
    return {
        status: after["other"] if after["issue"] == after["other"] else after
        for status, after in found.items()
    }
