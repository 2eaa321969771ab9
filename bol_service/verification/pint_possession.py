"""Where an original is, by the transactions of its chain (DCSA PINT 3.0, A.9).

Possession follows the transactions, never who was sent an envelope: one that tells of an
endorsement or of an accepted surrender is only a notice. Each transaction is judged in its turn:

1. an action that is known, with a recipient exactly if it has one, a reason only for amendment;
2. ISSUE first and once;
3. nothing after an accepted surrender; while a surrender waits, only the carrier's answer to it;
4. a surrender goes to the carrier that issued, on the platform of issue;
5. endorsements only of a bill to order, and none by an endorsee that may not endorse on;
6. recorded by the platform on which the possessor is, as that of its own party.

Who exactly possesses inside one platform is not asked here: moves inside a platform need not be
recorded. The law of the ledger judges the acts again, one by one, when they are taken over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bol_service.wire.peers import PeerOptions
from bol_service.wire.pint_entry import ChainEntry, Transaction
from bol_service.wire.pint_parties import ChainParty

ENDORSEMENTS: Final = frozenset({"ENDORSE", "ENDORSE_TO_ORDER", "BLANK_ENDORSE"})
SURRENDERS: Final = frozenset({"SURRENDER_FOR_DELIVERY", "SURRENDER_FOR_AMENDMENT"})
SURRENDER_ANSWERS: Final = frozenset({"SACC", "SREJ"})
ALONE: Final = frozenset({"BLANK_ENDORSE", "SIGN"})
ACTIONS: Final = frozenset({"ISSUE", "TRANSFER", "SIGN"}) | (
    ENDORSEMENTS | SURRENDERS | SURRENDER_ANSWERS
)


class ChainError(ValueError):
    """The transactions contradict each other or the standard."""


@dataclass(frozen=True, kw_only=True)
class ForeignAct:
    """A transaction at its place in the chain, as `platform` recorded it."""

    action: str
    actor: ChainParty
    recipient: ChainParty | None
    at: datetime
    platform: str
    entry: int
    place: int
    reason_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Possession:
    """State after a chain. `issuer` is the carrier, `issued_on` its platform.

    `surrendered_by` is set from a surrender until its refusal. `final`: who was endorsed last may
    not endorse on.
    """

    issuer: ChainParty
    issued_on: str
    possessor: ChainParty
    surrendered_by: ChainParty | None = None
    ended: bool = False
    final: bool = False

    def is_at(self, platform: str) -> bool:
        return self.possessor.platform == platform


def transactions(chain: Iterable[ChainEntry]) -> tuple[ForeignAct, ...]:
    """Every transaction of the chain, oldest first."""
    return tuple(
        _act(entry.platform, each, index, place)
        for index, entry in enumerate(chain)
        for place, each in enumerate(entry.transactions)
    )


def check_issue(acts: Sequence[ForeignAct], options: PeerOptions) -> None:
    """ISSUE is the first transaction and no other; raises ChainError."""
    if acts[0].action != "ISSUE":
        raise ChainError(f"the chain begins with {acts[0].action}; the first act is ISSUE")
    if options.repeated_issue:
        return
    for act in acts[1:]:
        if act.action == "ISSUE":
            raise ChainError(f"{_place(act)} is ISSUE again; a bill is issued once")


def possession(
    acts: Sequence[ForeignAct], *, to_order: bool, options: PeerOptions | None = None
) -> Possession:
    """`to_order` is the document's `isToOrder`; raises ChainError."""
    options = options or PeerOptions()
    check_issue(acts, options)
    state = _issued(acts[0])
    if not options.without_continuity:
        _check_recorder(acts[0])
    for act in map(_as_transfer, acts[1:]):
        _check_form(act)
        _check_state(state, act, to_order=to_order)
        if not options.without_continuity:
            _check_platform(state, act)
        state = _after(state, act)
    return state


def _act(platform: str, each: Transaction, entry: int, place: int) -> ForeignAct:
    return ForeignAct(
        action=each.action,
        actor=each.actor,
        recipient=each.recipient,
        at=each.at,
        platform=platform,
        entry=entry,
        place=place,
        reason_code=each.reason_code,
    )


def _issued(first: ForeignAct) -> Possession:
    _check_form(first)
    return Possession(issuer=first.actor, issued_on=first.platform, possessor=_recipient(first))


def _as_transfer(act: ForeignAct) -> ForeignAct:
    """A repeated ISSUE, where it is allowed, is what older toolkits call every transfer."""
    return replace(act, action="TRANSFER") if act.action == "ISSUE" else act


def _check_form(act: ForeignAct) -> None:
    if act.action not in ACTIONS:
        raise ChainError(f"{_place(act)} has the actionCode {act.action}, which is not known here")
    if (act.action in ALONE) != (act.recipient is None):
        has = "no" if act.action in ALONE else "a"
        raise ChainError(f"{_place(act)}: {act.action} has {has} recipient")
    if act.reason_code is not None and act.action != "SURRENDER_FOR_AMENDMENT":
        raise ChainError(f"{_place(act)}: only SURRENDER_FOR_AMENDMENT has a reasonCode")


def _check_state(state: Possession, act: ForeignAct, *, to_order: bool) -> None:
    if state.ended:
        raise ChainError(f"{_place(act)} is {act.action} after SACC, which ends the chain")
    if (state.surrendered_by is not None) != (act.action in SURRENDER_ANSWERS):
        waits = "waits" if state.surrendered_by is not None else "does not wait"
        raise ChainError(f"{_place(act)} is {act.action}; a surrender {waits} for an answer")
    if act.action in SURRENDERS and not _recipient(act).is_same(state.issuer):
        raise ChainError(
            f"{_place(act)} surrenders to {_named(_recipient(act))}; the bill was issued by"
            f" {_named(state.issuer)}"
        )
    if act.action in ENDORSEMENTS and not to_order:
        raise ChainError(f"{_place(act)} is {act.action}; a straight bill is never endorsed")
    if act.action in ENDORSEMENTS and state.final:
        raise ChainError(f"{_place(act)} is {act.action}; the endorsee may not endorse on")


def _check_platform(state: Possession, act: ForeignAct) -> None:
    _check_recorder(act)
    if not state.is_at(act.platform):
        raise ChainError(
            f"{_place(act)} was recorded on {act.platform}; the original is on"
            f" {state.possessor.platform}"
        )
    if state.surrendered_by is not None:
        _check_answer(state.issuer, state.surrendered_by, act)


def _check_answer(carrier: ChainParty, holder: ChainParty, act: ForeignAct) -> None:
    if not (act.actor.is_same(carrier) and _recipient(act).is_same(holder)):
        raise ChainError(
            f"{_place(act)} answers from {_named(act.actor)} to {_named(_recipient(act))}; the"
            f" surrender was from {_named(holder)} to {_named(carrier)}"
        )


def _check_recorder(act: ForeignAct) -> None:
    if act.actor.platform != act.platform:
        raise ChainError(
            f"{_place(act)} was recorded on {act.platform}; its actor is on {act.actor.platform}"
        )


def _after(state: Possession, act: ForeignAct) -> Possession:
    match act.action:
        case "TRANSFER":
            return replace(state, possessor=_recipient(act))
        case "ENDORSE":
            return replace(state, final=True)
        case "SURRENDER_FOR_DELIVERY" | "SURRENDER_FOR_AMENDMENT":
            return replace(state, possessor=_recipient(act), surrendered_by=act.actor)
        case "SACC":
            return replace(state, ended=True)
        case "SREJ":
            return replace(state, possessor=_recipient(act), surrendered_by=None)
        case _:  # no other act moves possession or ends anything
            return state


def _recipient(act: ForeignAct) -> ChainParty:
    assert act.recipient is not None  # `_check_form` has seen it
    return act.recipient


def _place(act: ForeignAct) -> str:
    return f"transaction {act.place} of entry {act.entry}"


def _named(party: ChainParty) -> str:
    return f"{party.name} on {party.platform}"
