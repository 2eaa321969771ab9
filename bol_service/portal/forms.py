"""Questions on a page and their answers: read, tidied, and checked as the signed event will be."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from bol_service.crypto import text as texts
from bol_service.domain.events import Action
from bol_service.portal.language import CORRIDOR
from bol_service.wire.event_fields import instant_text
from bol_service.wire.event_schemas import details_schema

Json = dict[str, Any]
Choice = tuple[str, str]
Given = MultiDict[str, str]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One question; its words are `field.<name>`.

    `kind`: text, long, choice, tick, moment, ticks (all proposed), several (none is).
    """

    name: str
    kind: str = "text"
    required: bool = True
    limit: int = 500
    choices: Sequence[Choice] = ()


@dataclass(kw_only=True)
class Answers:
    """What a form makes: the act's recipient and details, or what is wrong with which field."""

    recipient: str | None = None
    details: Json = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def check(self, action: Action, made_later: Mapping[str, str] | None = None) -> None:
        """Note a fault if these details break the event's form; `made_later` the browser adds."""
        try:
            texts.check_strings(self.details)
            details_schema(action)().load({**self.details, **(made_later or {})})
        except (ValidationError, ValueError) as fault:
            self.faults[""] = str(fault)


def read(fields: Sequence[Field], form: Given) -> tuple[Json, dict[str, str]]:
    """The answers that were given by field, and what is wrong by field (keys of the words)."""
    given: Json = {}
    faults: dict[str, str] = {}
    for one in fields:
        try:
            value = _value(one, form)
        except ValueError as fault:
            faults[one.name] = str(fault)
            continue
        if value not in ("", False, []):
            given[one.name] = value
        elif one.required:
            faults[one.name] = "fault.missing"
    return given, faults


def local_input(moment: datetime) -> str:
    """A moment as a field of kind `moment` holds it: local time of the corridor."""
    return f"{moment.astimezone(CORRIDOR):%Y-%m-%dT%H:%M}"


def _value(one: Field, form: Given) -> str | bool | list[str]:
    if one.kind == "tick":
        return form.get(one.name) == "yes"
    if one.kind in ("ticks", "several"):
        offered = {value for value, _ in one.choices}
        return [value for value in form.getlist(one.name) if value in offered]
    text = unicodedata.normalize("NFC", " ".join(form.get(one.name, "").split()))
    if one.kind == "choice" and text and text not in {value for value, _ in one.choices}:
        raise ValueError("fault.choice")
    if one.kind == "moment" and text:
        return _instant(text)
    if len(text) > one.limit:
        raise ValueError("fault.long")
    return text


def _instant(text: str) -> str:
    try:
        local = datetime.fromisoformat(text)
        return instant_text(local.replace(tzinfo=CORRIDOR))
    except (ValueError, OverflowError):
        raise ValueError("fault.moment") from None
