"""Who had the bill and to whose order it was, after each of its events: the endorsement chain.

Folds the recorded payloads, which the law has judged before; nothing is judged here. Tests hold
the result of every event of the voyage, and of a bill that goes abroad and comes back, against what
the law itself makes of it.

1. A bill that is given to somebody abroad stays with its sender until that platform has answered:
   SENT changes nothing, MOVED makes it so, NOT_MOVED leaves it as it was.
2. IMPORTED and RETURNED tell what happened elsewhere, one transaction after the other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bol_service.application.ports import Reading, StoredEntry
from bol_service.crypto import base64url
from bol_service.domain.events import Action
from bol_service.domain.identifiers import is_foreign
from bol_service.domain.states import Control

Json = dict[str, Any]
_GIVING = (
    Action.ISSUE,
    Action.TRANSFER,
    Action.ENDORSE,
    Action.ENDORSE_TO_ORDER,
    Action.BLANK_ENDORSE,
)
_BY_POSSESSOR = frozenset(
    {
        *(Action.SIGN, Action.ENDORSE, Action.ENDORSE_TO_ORDER, Action.BLANK_ENDORSE),
        *(Action.SURRENDER_FOR_DELIVERY, Action.SURRENDER_FOR_AMENDMENT),
    }
)


@dataclass(frozen=True, kw_only=True)
class Link:
    """One event; `control` is what it leaves, None where events before it are not the reader's."""

    entry: StoredEntry
    payload: Json
    control: Control | None
    moved_possession: bool
    moved_title: bool


def payload_of(compact: str) -> Json:
    """The payload of a recorded event, whose form and signature were checked at its recording."""
    value: Json = json.loads(base64url.decode(compact.split(".")[1]))
    return value


def all_entries(reading: Reading, stream: str, part: int = 1000) -> list[StoredEntry]:
    """A stream from its beginning, however long it is."""
    entries: list[StoredEntry] = []
    while True:
        found = reading.entries(stream, len(entries), part)
        entries += found
        if len(found) < part:
            return entries


def links(entries: Sequence[StoredEntry], carrier: str) -> list[Link]:
    """The chain of the events that a reader may see, oldest first."""
    whole = [entry.sequence for entry in entries] == list(range(len(entries)))
    fold = _Fold(carrier)
    found = []
    for entry in entries:
        payload = payload_of(entry.entry.event)
        before, after = fold.take(payload) if whole else (None, None)
        found.append(
            Link(
                entry=entry,
                payload=payload,
                control=after,
                moved_possession=_differ(before, after, "possessor"),
                moved_title=_differ(before, after, "title_holder"),
            )
        )
    return found


def _differ(before: Control | None, after: Control | None, member: str) -> bool:
    if after is None:
        return False
    return before is None or getattr(before, member) != getattr(after, member)


def _opened(details: Json) -> Control:
    """As the bill was issued, here (ISSUE) or elsewhere (IMPORTED)."""
    parties = details.get("parties", details)
    return Control(possessor=details["issueTo"], title_holder=parties.get("titleHolder"))


class _Fold:
    def __init__(self, carrier: str) -> None:
        self._carrier = carrier
        self._control: Control | None = None
        self._before_giving: Control | None = None
        self._leaving: Control | None = None
        self._surrendered_by = carrier

    def take(self, payload: Json) -> tuple[Control | None, Control | None]:
        """What was before and what is after an event."""
        before = self._control
        after = self._after(before, payload)
        if payload["action"] in _GIVING and (before is None or before.possessor != after.possessor):
            self._before_giving = before
        self._control = after
        return before, after

    def _after(self, control: Control | None, payload: Json) -> Control:
        details, action = payload["details"], Action(payload["action"])
        if control is None:
            return self._told(_opened(details), details)
        match action:
            case Action.MOVED | Action.NOT_MOVED:
                gone, self._leaving = self._leaving, None
                return gone if gone is not None and action is Action.MOVED else control
            case Action.RETURNED:
                return self._told(control, details)
            case _:
                return self._kept_until_answered(control, self._acted(control, payload))

    def _kept_until_answered(self, control: Control, after: Control) -> Control:
        if after.possessor == control.possessor or not is_foreign(after.possessor):
            return after
        self._leaving = after
        return control

    def _told(self, control: Control, details: Json) -> Control:
        """After the transactions of a chain from abroad."""
        self._leaving = None
        for step in details.get("steps", []):
            # Who acts there has it, whether the moves inside that platform were told or not.
            if step["action"] in _BY_POSSESSOR:
                control = replace(control, possessor=step["actor"])
            control = self._acted(control, {**step, "details": {}})
        return control

    def _acted(self, control: Control, payload: Json) -> Control:
        details, action = payload["details"], Action(payload["action"])
        match action:
            case Action.TRANSFER:
                return replace(control, possessor=payload["recipient"])
            case Action.ENDORSE | Action.ENDORSE_TO_ORDER | Action.BLANK_ENDORSE:
                return Control(
                    possessor=details.get("transferTo", control.possessor),
                    title_holder=payload.get("recipient"),
                    final=action is Action.ENDORSE,
                )
            case Action.REFUSE:
                # Refusing the issue itself leaves the bill with the carrier, who can only void it.
                own = Control(possessor=self._carrier, title_holder=self._carrier)
                return self._before_giving or own
            case Action.SURRENDER_FOR_DELIVERY | Action.SURRENDER_FOR_AMENDMENT:
                self._surrendered_by = control.possessor
                return replace(control, possessor=self._carrier)
            case Action.SREJ:
                return replace(control, possessor=self._surrendered_by)
            case _:
                return control
