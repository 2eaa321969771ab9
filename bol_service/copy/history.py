"""What a bundle tells of a bill: its document, its acts one by one, and where each container is.

The law is asked for who has control after each act; signatures and proofs are the verifier's
business (`verification.verifier`). Of a partial bundle, whose reader may not know who controls the
bill, the acts that it shows are told and the others counted.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from bol_service.copy.faults import NoCopy
from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.domain.document import DocumentFacts
from bol_service.domain.events import CustodyAct, Event, Identity, PartyEvent, Recorded
from bol_service.domain.states import Control
from bol_service.domain.world import World
from bol_service.ledger.entry import stream_tag
from bol_service.verification.bundle import (
    Bundle,
    BundleError,
    HiddenEntry,
    ShownEntry,
    Statement,
    read_bundle,
    read_statement,
)
from bol_service.wire.document import DocumentError, read_document
from bol_service.wire.event_fields import instant
from bol_service.wire.events import NotUnderstood, decode

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One act on the bill; `control` is what it leaves, None where the reader may not know it."""

    event: Event
    recorded_at: datetime
    kid: str
    control: Control | None
    moved_possession: bool
    moved_title: bool


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The last custody event of a container; `day` is the date at its place."""

    action: str
    day: date
    custodian: str


@dataclass(kw_only=True)
class History:
    """`turns` holds None for an act that the bundle hides; `sha256` is of the bundle's bytes."""

    statement: Statement
    sha256: str
    document: Json | None
    facts: DocumentFacts | None
    turns: list[Turn | None] = field(default_factory=list)
    parties: dict[str, Identity] = field(default_factory=dict)
    custody: dict[str, Seen] = field(default_factory=dict)

    def name(self, slug: str | None) -> str:
        """The legal name of a party, its slug where no registration is in the bundle."""
        if slug is None:
            return ""
        identity = self.parties.get(slug)
        return identity.legal_name if identity else slug


def read_history(content: bytes) -> History:
    """Read a bundle's bytes; nothing is verified but that the law allows what it tells.

    Raises:
        NoCopy: It is no bundle, of a later version, or tells what the law does not allow.
    """
    try:
        bundle = read_bundle(content)
        statement, _ = read_statement(bundle.statement)
        history = _opened(bundle, statement, content)
        _replay(history, bundle)
    except (BundleError, DocumentError, strictjson.BadJson, NotUnderstood, errors.Refusal) as fault:
        raise NoCopy(f"no copy can be made of this file: {fault}") from None
    return history


def _opened(bundle: Bundle, statement: Statement, content: bytes) -> History:
    document = facts = None
    if bundle.document is not None:
        value = strictjson.loads_document(bundle.document)
        if not isinstance(value, dict):
            raise NoCopy("no copy can be made of this file: its document is not a JSON object")
        document, facts = value, read_document(bundle.document, value, strict=False)
    elif not statement.is_partial:
        raise NoCopy("no copy can be made of this file: its document is missing")
    return History(
        statement=statement,
        sha256=hashlib.sha256(content).hexdigest(),
        document=document,
        facts=facts,
    )


def _replay(history: History, bundle: Bundle) -> None:
    world = World(history.statement.origin)
    if history.facts is not None:
        world.add_document(history.facts)
    own = f"bill:{history.statement.bill}"
    for entry in bundle.entries:
        if isinstance(entry, HiddenEntry):
            if entry.tag == stream_tag(own):
                history.turns.append(None)
            continue
        act = _recorded(entry)
        before = _control(world, history.statement)
        if not history.statement.is_partial or isinstance(act.event, PartyEvent):
            world.apply(act)
        if act.event.stream == own:
            history.turns.append(_turn(act, before, _control(world, history.statement)))
        elif isinstance(act.event, CustodyAct):
            history.custody[act.event.stream.split(":")[2]] = Seen(
                action=act.event.action, day=act.event.local_date, custodian=act.event.actor
            )
        _remember_name(history, world, act.event)


def _recorded(entry: ShownEntry) -> Recorded:
    signed = decode(entry.entry.event)
    return Recorded(
        event=signed.event,
        digest=signed.parsed.digest,
        kid=signed.parsed.kid,
        alg=str(signed.parsed.alg),
        recorded_at=instant(entry.entry.recorded_at),
        index=entry.index,
    )


def _control(world: World, statement: Statement) -> Control | None:
    bill = world.bill(statement.bill)
    return bill.control if bill else None


def _turn(act: Recorded, before: Control | None, after: Control | None) -> Turn:
    return Turn(
        event=act.event,
        recorded_at=act.recorded_at,
        kid=act.kid,
        control=after,
        moved_possession=_differ(before, after, "possessor"),
        moved_title=_differ(before, after, "title_holder"),
    )


def _differ(before: Control | None, after: Control | None, member: str) -> bool:
    if after is None:
        return False
    return before is None or getattr(before, member) != getattr(after, member)


def _remember_name(history: History, world: World, event: Event) -> None:
    if isinstance(event, PartyEvent):
        slug = event.stream.removeprefix("party:")
        party = world.party(slug)
        if party is not None:
            history.parties[slug] = party.identity
