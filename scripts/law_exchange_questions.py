"""The law of the border asked about every combination of facts, its answers folded into rows.

1. Answers: which codes of another platform each of the desk's entries takes.
2. Steps: for each transaction told from abroad and each combination of the facts that its kind
   looks at: the refusal or none. It is asked as the last step of a RETURNED.
3. After: the status and the surrender waiting that an accepted step leaves behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any, Final

from law_rows import Facts, rows
from law_suppositions import (
    ABROAD,
    BILL,
    DIGEST,
    Scene,
    answer,
    example,
    live_bill,
    on_its_way,
    party_of,
)
from marshmallow import ValidationError

from bol_service.domain import exchange
from bol_service.domain.document import BillKind
from bol_service.domain.events import Action, PeerAnswer, Role, Step
from bol_service.domain.states import Abroad, BillState, Carriage, Control, Status
from bol_service.wire.event_details_exchange import StepSchema
from bol_service.wire.pint_answers import ResponseCode

Json = dict[str, Any]

RECIPIENT, OTHER = f"{ABROAD}:recipient", f"{ABROAD}:other"
ELSEWHERE: Final = "MYPX:other"
WAITING: Final = (
    None,
    Status.PENDING_SURRENDER_FOR_DELIVERY.value,
    Status.PENDING_SURRENDER_FOR_AMENDMENT.value,
)
_WHETHER: Final = (True, False)
_VALUES: Final[dict[str, tuple[Any, ...]]] = {
    "hasEnded": _WHETHER,
    "waits": WAITING,
    "isForeign": _WHETHER,
    "isThere": _WHETHER,
    "kind": tuple(kind.value for kind in BillKind),
    "title": ("blank", "own", "other"),
    "isFinal": _WHETHER,
    "isCarrier": _WHETHER,
    "isShipper": _WHETHER,
    "isConsignee": _WHETHER,
    "namesSomebody": _WHETHER,
    "namesCarrier": _WHETHER,
    "namesConsignee": _WHETHER,
    "namesSurrenderer": _WHETHER,
}
_ALWAYS: Final = ("hasEnded", "waits", "isForeign", "isThere", "kind")
_ENDORSING: Final = ("title", "isFinal", "namesSomebody")
_SURRENDERING: Final = ("title", "isShipper", "isConsignee", "namesSomebody", "namesCarrier")
_ANSWERING: Final = ("isCarrier", "namesSomebody", "namesSurrenderer")
# A part of the facts for each act, so that no two of them can contradict each other.
_ASKED: Final[dict[Action, tuple[str, ...]]] = {
    Action.SIGN: (),
    Action.TRANSFER: ("namesSomebody", "namesCarrier", "namesConsignee"),
    Action.ENDORSE: _ENDORSING,
    Action.ENDORSE_TO_ORDER: _ENDORSING,
    Action.BLANK_ENDORSE: _ENDORSING,
    Action.SURRENDER_FOR_DELIVERY: _SURRENDERING,
    Action.SURRENDER_FOR_AMENDMENT: _SURRENDERING,
    Action.SACC: _ANSWERING,
    Action.SREJ: _ANSWERING,
}
_USUAL: Final[Json] = {
    "hasEnded": False,
    "waits": None,
    "isForeign": True,
    "isThere": True,
    "kind": BillKind.BLANK.value,
    "title": "blank",
    "isFinal": False,
    "isCarrier": False,
    "isShipper": False,
    "isConsignee": False,
    "namesSomebody": True,
    "namesCarrier": False,
    "namesConsignee": False,
    "namesSurrenderer": False,
}
_CARRIER_IS_ASKED: Final[Json] = {"namesCarrier": True}
_CARRIER_ANSWERS: Final[Json] = {"waits": WAITING[1], "isCarrier": True, "namesSurrenderer": True}
_LAWFUL: Final[dict[Action, Json]] = {
    Action.SURRENDER_FOR_DELIVERY: _CARRIER_IS_ASKED,
    Action.SURRENDER_FOR_AMENDMENT: _CARRIER_IS_ASKED,
    Action.SACC: _CARRIER_ANSWERS,
    Action.SREJ: _CARRIER_ANSWERS,
}


def exchange_table() -> Json:
    told = [action for action in Action if _is_told(action)]
    return {
        "answers": {
            action.value: list(_answers(action)) for action in (Action.MOVED, Action.NOT_MOVED)
        },
        "facts": {name: list(values) for name, values in _VALUES.items()},
        "steps": {action.value: _step_rows(action) for action in told},
        "after": {action.value: _after(action) for action in told},
    }


def _answers(action: Action) -> Iterator[str]:
    """The codes on which this entry may rest."""
    sent = Carriage(envelope=DIGEST, last_entry=DIGEST)
    state = replace(live_bill(), status=Status.IN_TRANSIT, transit=on_its_way(sent=sent))
    for code in ResponseCode:
        told = PeerAnswer(code=code.value, last_entry=DIGEST)
        if _judged(state, example(action, "desk", BILL, answer=told)) is None:
            yield code.value


def _is_told(action: Action) -> bool:
    try:
        StepSchema().load({"action": action.value, "actor": "actor"})
    except ValidationError:
        return False
    return True


def _step_rows(action: Action) -> list[Json]:
    asked: Facts = tuple((name, _VALUES[name]) for name in (*_ALWAYS, *_ASKED[action]))
    answers = []
    for values in product(*(values for _, values in asked)):
        chosen = zip((name for name, _ in asked), values, strict=True)
        facts = {**_USUAL, **dict(chosen)}
        answers.append(_judged(_supposed(facts), _returned(action, facts)))
    return rows(answers, asked)


def _judged(state: BillState, event: Any) -> str | None:
    return answer(lambda: exchange.apply(_scene(state), event))


def _scene(state: BillState) -> Scene:
    own = {slug: party_of(slug) for slug in ("actor", "other")}
    return Scene(parties={**own, "desk": party_of("desk", Role.EXCHANGE)}, billed=state)


def _supposed(facts: Json) -> BillState:
    """A bill that is abroad, as the facts have it."""
    actor = _actor(facts)
    title_holder = {"blank": None, "own": actor, "other": OTHER}[facts["title"]]
    there = OTHER if facts["isForeign"] else "other"
    waits = WAITING[1] if facts["hasEnded"] else facts["waits"]
    return replace(
        live_bill(),
        status=Status.MOVED,
        kind=BillKind(facts["kind"]),
        control=Control(
            possessor=there if facts["isThere"] else ELSEWHERE,
            title_holder=title_holder,
            final=facts["isFinal"],
        ),
        giving=None,
        carrier=_one_of({actor: facts["isCarrier"], RECIPIENT: facts["namesCarrier"]}),
        shipper=_one_of({actor: facts["isShipper"]}),
        consignee=_one_of({actor: facts["isConsignee"], RECIPIENT: facts["namesConsignee"]}),
        surrendered_by=_one_of({RECIPIENT: facts["namesSurrenderer"]}),
        abroad=Abroad(surrender=None if waits is None else Status(waits)),
    )


def _actor(facts: Json) -> str:
    return f"{ABROAD}:actor" if facts["isForeign"] else "actor"


def _one_of(candidates: dict[str, bool]) -> str:
    return next((name for name, holds in candidates.items() if holds), OTHER)


def _returned(action: Action, facts: Json) -> Any:
    state = _supposed(facts)
    recipient = RECIPIENT if facts["namesSomebody"] else None
    step = Step(action=action, actor=_actor(facts), recipient=recipient)
    accepted = Step(action=Action.SACC, actor=state.carrier, recipient=state.surrendered_by)
    steps = (accepted, step) if facts["hasEnded"] else (step,)
    return example(Action.RETURNED, "desk", BILL, steps=steps)


def _after(action: Action) -> Json:
    facts = {**_USUAL, **_LAWFUL.get(action, {})}
    after = exchange.apply(_scene(_supposed(facts)), _returned(action, facts))
    waits = after.abroad.surrender
    return {"status": after.status.value, "waits": None if waits is None else waits.value}
