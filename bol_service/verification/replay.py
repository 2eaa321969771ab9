"""Steps 8 and 9 of the verifier: signatures and law, event by event in the order of the log."""

from __future__ import annotations

from bol_service.crypto.keys import PublicKey
from bol_service.domain import errors, title
from bol_service.domain.events import PartyEvent, Recorded
from bol_service.domain.world import World
from bol_service.verification import signatures
from bol_service.verification.bundle import (
    Statement,
)
from bol_service.verification.report import (
    FORGED,
    Check,
    Report,
    Signed,
    Stop,
    Title,
)
from bol_service.verification.streams import ReadEvent
from bol_service.verification.trust import Trust


def judge(
    report: Report,
    trust: Trust,
    statement: Statement,
    replayed: list[ReadEvent],
    world: World,
) -> None:
    partial = statement.is_partial
    for item in replayed:
        _signature(report, trust, item, world)
        if not partial or isinstance(item.recorded.event, PartyEvent):
            _apply(report, item.recorded, world)
        else:
            _key_counts(report, item.recorded, world)
        report.signed.append(_signed(item.recorded, world))
    report.valid(
        Check.SIGNATURES, "signed", f"{len(replayed)} events, each by a key of its own actor"
    )
    if partial:
        _stated_title(report, statement)
    else:
        _replayed_title(report, statement, world)


def _signature(report: Report, trust: Trust, item: ReadEvent, world: World) -> None:
    event, index = item.recorded.event, item.recorded.index
    if index == 0 and item.recorded.kid not in trust.registrar_kids:
        report.invalid(
            Check.SIGNATURES,
            "unknown_registrar",
            f"the log begins with key {item.recorded.kid}, which the trust file does not name",
            FORGED,
        )
        raise Stop

    def key_of(kid: str) -> PublicKey | None:
        party = world.party(event.actor)
        key = party.key(kid) if party else None
        return signatures.public_key(key.jwk) if key else None

    try:
        signatures.verify(item.signed, key_of)
    except errors.Refusal as error:
        report.invalid(
            Check.SIGNATURES, error.code, f"entry {index}, {event.action}: {error}", FORGED
        )
        raise Stop from None


def _apply(report: Report, recorded: Recorded, world: World) -> None:
    try:
        world.apply(recorded)
    except errors.Refusal as error:
        report.invalid(
            Check.LAW,
            error.code,
            f"entry {recorded.index}, {recorded.event.action} by {recorded.event.actor}: {error}",
            FORGED,
        )
        raise Stop from None


def _key_counts(report: Report, recorded: Recorded, world: World) -> None:
    party = world.party(recorded.event.actor)
    key = party.key(recorded.kid) if party else None
    if key is None or not key.counts_at(recorded.recorded_at):
        report.invalid(
            Check.SIGNATURES,
            errors.KeyRevoked.code,
            f"entry {recorded.index}: {recorded.kid} was no valid key of {recorded.event.actor}",
            FORGED,
        )
        raise Stop


def _signed(recorded: Recorded, world: World) -> Signed:
    event = recorded.event
    party = world.party(event.actor)
    return Signed(
        index=recorded.index,
        stream=event.stream,
        action=event.action,
        actor=event.actor,
        name=party.identity.legal_name if party else event.actor,
        at=event.at,
        recorded_at=recorded.recorded_at,
        kid=recorded.kid,
    )


def _replayed_title(report: Report, statement: Statement, world: World) -> None:
    bill = world.bill(statement.bill)
    if bill is None:
        report.invalid(Check.LAW, "no_issue", "the file holds no ISSUE of this bill", FORGED)
        raise Stop
    control = bill.control
    found = (
        str(title.status(world, bill)),
        (control.possessor, control.title_holder, control.final),
    )
    if found != (statement.status, statement.control):
        report.invalid(
            Check.LAW,
            "title_differs",
            f"the events make {found}, the statement says {(statement.status, statement.control)}",
            FORGED,
        )
        raise Stop
    report.valid(Check.LAW, "lawful", "every act was lawful when recorded; the title follows")
    report.title = Title(
        origin=statement.origin,
        bill=statement.bill,
        reference=bill.reference,
        status=found[0],
        possessor=control.possessor,
        title_holder=control.title_holder,
        is_blank=control.title_holder is None,
        as_of=statement.at,
        replayed=True,
    )


def _stated_title(report: Report, statement: Statement) -> None:
    report.valid(Check.LAW, "as_stated", "a partial file: the status is as stated by the platform")
    report.title = Title(
        origin=statement.origin,
        bill=statement.bill,
        reference=None,
        status=statement.status,
        possessor=None,
        title_holder=None,
        is_blank=False,
        as_of=statement.at,
        replayed=False,
    )
