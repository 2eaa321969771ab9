"""Logs of a bill that crossed, told on by dishonest platforms, for two engines.

All their own signatures are right: those of the log, of the statement, of their exchange desk and
of their parties. Each `Attempt` names the check and code that must catch it, or that it is lawful.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

from bol_service.crypto import base64url, jws
from bol_service.domain import errors, title
from bol_service.domain.events import Recorded
from bol_service.domain.states import Head
from bol_service.domain.world import World
from bol_service.ledger.entry import Entry
from bol_service.wire import drafting
from bol_service.wire.document import read_document
from bol_service.wire.event_fields import instant
from bol_service.wire.events import EVENT_TYP, PLATFORM_TYP, decode
from tests.forged_bundle import forge
from tests.minimal_bill import MinimalWorld
from tests.node_verifier import Question, trust_file
from tests.two_platforms import DESK
from tests.verifier_cases import written
from tests.verifier_crossings import Base

Json = dict[str, Any]
Caught = tuple[str, str]

LAWFUL: Caught = ("law", "lawful")
BAD_EVENT: Caught = ("streams", "bad_event")
OF_THE_DESK = frozenset({"SENT", "MOVED", "NOT_MOVED", "IMPORTED", "RETURNED"})
ANOTHER = "0" * 64


def law(code: str) -> Caught:
    return ("law", code)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """`caught` is the finding that must be among those of the file."""

    question: Question
    caught: Caught | None


def payload(base: Base, action: str, actor: str, details: Json, **envelope: Any) -> Json:
    """The next event of the bill's stream; keywords replace members."""
    made = drafting.payload(
        action=action,
        actor=actor,
        at=instant(base.told.entries[-1].recorded_at),
        audience=base.ledger.settings.origin,
        stream=base.stream,
        after=_head(base),
        details=details,
    )
    return {**json.loads(made), **envelope}


def _head(base: Base) -> Head | None:
    """Of the bill's stream."""
    for entry in reversed(base.told.entries):
        event = said(entry)
        if event["stream"] == base.stream:
            return Head(sequence=event["sequence"], digest=entry.event_digest)
    return None


def signed(base: Base, event: Json, *, by: str | None = None, typ: str | None = None) -> str:
    """As its actor would sign it; `by` names another signer, `typ` another kind of message."""
    if typ is None:
        typ = PLATFORM_TYP if event["action"] in OF_THE_DESK else EVENT_TYP
    actor = event.get("actor") if by is None else by
    signers = base.ledger.signers
    signer = signers.get(actor) if isinstance(actor, str) else None
    return jws.sign(written(event), typ, signer or signers[DESK])


def plus(base: Base, compact: str) -> Base:
    entry = replace(base.told.entries[-1], event=compact)
    return replace(base, told=replace(base.told, entries=(*base.told.entries, entry)))


def then(base: Base, action: str, actor: str, details: Json, **envelope: Any) -> Base:
    return plus(base, signed(base, payload(base, action, actor, details, **envelope)))


def attempt(base: Base, name: str, caught: Caught | None) -> Attempt:
    """The platform's file about this log; what it states follows from the log, where it can."""
    content = forge(cast(MinimalWorld, base.ledger), base.told, **_stated(base))
    trust = trust_file(base.ledger.trust)
    question = Question(name=name, content=content, trust=trust, now=base.now)
    return Attempt(question=question, caught=caught)


def _stated(base: Base) -> Json:
    world = replayed(base)
    bill = None if world is None else world.bill(base.told.statement.bill)
    if world is None or bill is None:
        return {}
    control = bill.control
    return {
        "status": str(title.status(world, bill)),
        "control": (control.possessor, control.title_holder, control.final),
    }


def replayed(base: Base) -> World | None:
    """None where the law, or the form of an event, says no."""
    world = World(base.ledger.settings.origin)
    document = base.told.document
    assert document is not None
    world.add_document(read_document(document, json.loads(document), strict=False))
    try:
        for index, entry in enumerate(base.told.entries):
            world.apply(_recorded(index, entry))
    except errors.Refusal:
        return None
    return world


@lru_cache(maxsize=1000)
def _recorded(index: int, entry: Entry) -> Recorded:
    read = decode(entry.event)
    return Recorded(
        event=read.event,
        digest=read.parsed.digest,
        kid=read.parsed.kid,
        alg=str(read.parsed.alg),
        recorded_at=instant(entry.recorded_at),
        index=index,
    )


def said(entry: Entry) -> Json:
    """The payload of an entry, whichever kind of message it is."""
    value: Json = json.loads(base64url.decode(entry.event.split(".")[1]))
    return value


def last_payload(base: Base) -> Json:
    return said(base.told.entries[-1])
