"""Traces for two engines: a world, and acts that parties try in it, lawful or not.

A base is a `Voyage` played up to a stage. A trace forks it and lets a seeded chance try acts: most
as usual, some by the wrong party, with a wrong member, at a wrong time or with a wrong key.
For each act both engines say the refusal's code, or a digest of the whole state after it.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from itertools import product
from typing import Any

from bol_service.domain import errors
from bol_service.domain import events as e
from bol_service.domain.document import BillKind, DocumentFacts
from bol_service.domain.states import State
from bol_service.domain.world import World
from tests.law import Voyage
from tests.law_journal import Journal
from tests.law_scene import (
    CUSTODIANS,
    ORIGIN,
    PORT_ONLY,
    bill_of_lading,
    shipped,
)
from tests.node_verifier import milliseconds
from tests.verifier_attempts import ATTEMPTS, bend, without_custody
from tests.verifier_border import AT_THE_BORDER, arrived, gone, open_desk

Json = dict[str, Any]

STAGES = (
    "booked",
    "approved",
    "received",
    "issued",
    "carried",
    "loaded",
    "noted",
    "discharged",
    "surrendered",
    "accepted",
    "ordered",
    "cleared",
    "gone",
)
LEFT_AT = ("issued", "carried", "loaded", "noted", "discharged")
STEPS = 12


def plain(value: Any) -> Any:
    """A domain value as the other engine holds it: times in milliseconds, names in camel case."""
    if is_dataclass(value):
        members = {camel: plain(getattr(value, name)) for name, camel in _members(type(value))}
        return {"action": value.action.value, **members} if isinstance(value, e.Act) else members
    if isinstance(value, datetime):
        return milliseconds(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


@cache
def _members(kind: Any) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, _camel(field.name)) for field in fields(kind))


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def state_digest(state: State) -> str:
    text = json.dumps(plain(state), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Traced(Voyage):
    """A voyage that writes down every attempt and what the law said to it."""

    def __init__(self, base: Voyage) -> None:
        Journal.__init__(self)
        self.custodians, self.customs_release = base.custodians, base.customs_release
        self.document = base.document
        self.continue_from(base)
        self.thrifty = False
        self.known = len(self.documents)
        self.steps: list[e.Recorded] = []
        self.answers: list[str] = []

    def record(self, act: e.Recorded) -> State:
        self.steps.append(act)
        try:
            state = self.world.apply(act)
        except errors.Refusal as refusal:
            self.answers.append(refusal.code)
            raise
        self.entries.append(act)
        self.answers.append(state_digest(state))
        return state

    @property
    def documents_taken(self) -> list[DocumentFacts]:
        return self.documents[self.known :]


class Unlisted(Voyage):
    """A booking made before its containers are known."""

    def book(self, carrier: str = "xlsc", **how: Any) -> State:
        return super().book(carrier, **{"containers": (), **how})


def bases() -> Iterator[tuple[str, Voyage]]:
    """Voyages up to every stage, of every kind of bill, with and without rail and customs; bills
    that went to another platform and bills that came from one."""
    for number, (kind, stage, direct) in enumerate(product(BillKind, STAGES, (False, True))):
        sort = Unlisted if number % 4 == 0 else Voyage
        customs = number % 3 == 0
        route = PORT_ONLY if direct else CUSTODIANS
        document = shipped(kind) if stage == "loaded" and direct else bill_of_lading(kind)
        voyage = sort(kind, document=document, custodians=route, customs_release=customs)
        open_desk(voyage)
        _play(voyage, stage)
        yield f"{kind} {stage} {'direct' if direct else 'by rail'}", voyage
    yield from _abroad()
    for number in range(4):
        yield f"nobody registered {number}", _empty()


def _abroad() -> Iterator[tuple[str, Voyage]]:
    for kind, stage in product(BillKind, LEFT_AT):
        voyage = open_desk(Voyage(kind))
        _play(voyage, stage)
        yield f"{kind} abroad since {stage}", gone(voyage)
    for kind, stage in product(BillKind, ("received", "issued")):
        voyage = open_desk(Voyage(kind))
        _play(voyage, stage)
        yield f"{kind} from abroad, {stage}", arrived(voyage, kind)


def _empty() -> Voyage:
    voyage = Voyage()
    voyage.world, voyage.entries = World(ORIGIN, voyage.documents), []
    return voyage


def _play(voyage: Voyage, stage: str) -> None:
    voyage.thrifty = False
    try:
        voyage.until(stage)
    except errors.Refusal:
        return  # a shipped bill is issued later; the trace begins where the usual course stuck


def base_line(name: str, voyage: Voyage) -> tuple[Json, list[str]]:
    """The base as a trace of its own: every act from the empty ledger on."""
    fresh = Traced(_empty())
    fresh.documents = list(voyage.documents)
    for facts in voyage.documents:
        fresh.world.add_document(facts)
    for act in voyage.entries:
        fresh.record(act)
    line = {
        "origin": ORIGIN,
        "documents": [plain(facts) for facts in voyage.documents],
        "steps": [plain(act) for act in fresh.steps],
        "keep": name,
    }
    return line, fresh.answers


def trace_line(name: str, base: Voyage, seed: int) -> tuple[Json, list[str], list[str]]:
    """(the question, the answers of Python, the actions that were tried)."""
    chance, voyage = random.Random(seed), Traced(base)
    at_border = 0.5 if "abroad" in name else 0.15
    for _ in range(STEPS):
        voyage.wait(minutes=chance.choice((0, 1, 7, 60, 60 * 13)))
        is_exchange = chance.random() < at_border
        attempt = chance.choice(AT_THE_BORDER if is_exchange else ATTEMPTS)
        bent = bend(voyage, chance)
        try:
            attempt(voyage, chance, without_custody(bent) if is_exchange else bent)
        except (errors.Refusal, AssertionError, KeyError):
            continue  # refused, or nothing there yet to try it on
    line = {
        "from": name,
        "documents": [plain(facts) for facts in voyage.documents_taken],
        "steps": [plain(act) for act in voyage.steps],
    }
    return line, voyage.answers, [str(act.event.action) for act in voyage.steps]
