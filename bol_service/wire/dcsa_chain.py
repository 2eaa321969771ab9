"""The endorsement chain of a bill as DCSA tells it (EBL_SUR and EBL_END 3.0), from its events.

1. The chain tells who gave what to whom: ISSUE, TRANSFER, the endorsements, SIGN, the surrender,
   and SURRENDERED for the carrier's acceptance. What has no code in the standard (on-board
   notation, delivery orders, VOID) stays out.
2. What was undone is as if it had not been: REFUSE takes away the act that gave the bill, SREJ the
   surrender that it answers, NOT_MOVED what was to leave for another platform.
3. An endorsement that also transfers is two links of one moment.
4. What happened on other platforms is told as their chain told it, at the moment of its arrival.
5. A link without recipient names the standard's "no party" where a recipient is demanded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, assert_never

from bol_service.domain.events import (
    AcceptSurrender,
    Action,
    BillEvent,
    BlankEndorse,
    CancelDeliveryOrder,
    ConfirmDelivery,
    Endorse,
    EndorseToOrder,
    ExchangeEvent,
    Imported,
    Issue,
    Moved,
    NotMoved,
    OnBoardNotation,
    OrderDelivery,
    Refuse,
    RejectSurrender,
    Returned,
    Sent,
    Sign,
    Step,
    SurrenderForAmendment,
    SurrenderForDelivery,
    Transfer,
    Void,
)
from bol_service.domain.identifiers import is_foreign
from bol_service.wire.event_fields import instant_text
from bol_service.wire.pint_parties import ChainParty, ChainPartySchema, IdentifyingCode
from bol_service.wire.transport_document_fields import Member, Moment, One, Several, Text
from bol_service.wire.transport_document_forms import TRIMMED, UNBROKEN

NO_PARTY: Final = ChainParty(
    name="NONE", platform="NONE", codes=(IdentifyingCode(provider="NONE", code="NONE"),)
)
SURRENDERED: Final = "SURRENDERED"
_GIVING: Final = frozenset({"ISSUE", "TRANSFER"})
_SURRENDERS: Final = frozenset({"SURRENDER_FOR_DELIVERY", "SURRENDER_FOR_AMENDMENT"})
_TO_SOMEBODY: Final = frozenset({Action.TRANSFER, Action.ENDORSE, Action.ENDORSE_TO_ORDER})


@dataclass(frozen=True, kw_only=True)
class Told:
    """An event of a bill's stream; `digest` is that of its signed text."""

    event: BillEvent | ExchangeEvent
    digest: str


@dataclass(frozen=True, kw_only=True)
class Link:
    """`audit_reference` is the digest of the signed event behind it."""

    at: datetime
    action: str
    actor: ChainParty
    recipient: ChainParty | None
    audit_reference: str

    def to_json(self, *, recipient_needed: bool) -> dict[str, Any]:
        recipient = self.recipient or (NO_PARTY if recipient_needed else None)
        named = {} if recipient is None else {"recipient": recipient.to_json()}
        return {
            "actionDateTime": instant_text(self.at),
            "actionCode": self.action,
            "actor": self.actor.to_json(),
            **named,
            "auditReference": self.audit_reference,
        }


@dataclass(frozen=True, kw_only=True)
class EndorsementChain:
    """`scac` is the carrier's code if it is on NMFTA's list."""

    reference: str
    sub_reference: str | None
    scac: str | None
    links: tuple[Link, ...]

    def to_json(self) -> dict[str, Any]:
        members = {
            "transportDocumentReference": self.reference,
            "transportDocumentSubReference": self.sub_reference,
            "carrierSCACCode": self.scac,
            "endorsementChain": [link.to_json(recipient_needed=False) for link in self.links],
        }
        return {name: value for name, value in members.items() if value is not None}


class LinkSchema(Member):
    actionDateTime = Moment(required=True)
    actionCode = Text(50, required=True)
    actor = One(ChainPartySchema, required=True)
    recipient = One(ChainPartySchema)
    auditReference = Text(100)


class EndorsementChainSchema(Member):
    transportDocumentReference = Text(20, TRIMMED, required=True)
    transportDocumentSubReference = Text(100, TRIMMED)
    carrierSCACCode = Text(4, UNBROKEN)
    endorsementChain = Several(One(LinkSchema))


@dataclass(frozen=True, kw_only=True)
class _Move:
    """One transaction of the standard; `recipient` is None where nobody receives."""

    action: str
    actor: str
    recipient: str | None
    told: Told


def links(events: Iterable[Told], party: Callable[[str], ChainParty]) -> tuple[Link, ...]:
    """Of the events of one bill, oldest first; `party` tells a slug as the standard does."""
    return tuple(
        Link(
            at=move.told.event.at,
            action=move.action,
            actor=party(move.actor),
            recipient=None if move.recipient is None else party(move.recipient),
            audit_reference=move.told.digest,
        )
        for move in _standing(events)
    )


def _standing(events: Iterable[Told]) -> list[_Move]:
    """Without the acts that a later one undid, and without what undid them."""
    kept: list[_Move] = []
    leaving: Told | None = None  # what waits for another platform's answer
    for told in events:
        event = told.event
        match event:
            case Refuse():
                _drop(kept, _last(kept, _GIVING))
            case RejectSurrender():
                _drop(kept, _last(kept, _SURRENDERS))
            case NotMoved():
                _drop(kept, leaving)
                leaving = None
            case Moved():
                leaving = None
            case Returned():
                _follow(kept, told, event.steps)
            case _:
                moves = [_Move(**move, actor=event.actor, told=told) for move in _acts(event)]
                kept += moves
                if any(move.recipient and is_foreign(move.recipient) for move in moves):
                    leaving = told
    return kept


def _follow(kept: list[_Move], told: Told, steps: Iterable[Step]) -> None:
    """What the other platform attests; a rejection there takes the surrender away here too."""
    for step in steps:
        if step.action is Action.SREJ:
            _drop(kept, _last(kept, _SURRENDERS))
            continue
        action = SURRENDERED if step.action is Action.SACC else str(step.action)
        recipient = step.recipient if step.action in _TO_SOMEBODY else None
        kept.append(_Move(action=action, actor=step.actor, recipient=recipient, told=told))


def _last(kept: list[_Move], actions: frozenset[str]) -> Told | None:
    return next((move.told for move in reversed(kept) if move.action in actions), None)


def _drop(kept: list[_Move], told: Told | None) -> None:
    """All that one event said."""
    kept[:] = [move for move in kept if move.told is not told]


def _acts(event: BillEvent | ExchangeEvent) -> list[dict[str, Any]]:
    """The codes of the standard that one event is, each with its recipient."""
    match event:
        case Issue():
            return [_to("ISSUE", event.issue_to)]
        case Transfer():
            return [_to("TRANSFER", event.recipient)]
        case Endorse() | EndorseToOrder():
            return [_to(str(event.action), event.recipient), *_moved(event.transfer_to)]
        case BlankEndorse():
            return [_to(str(event.action), None), *_moved(event.transfer_to)]
        case Sign() | SurrenderForDelivery() | SurrenderForAmendment():
            return [_to(str(event.action), None)]
        case AcceptSurrender():
            return [_to(SURRENDERED, None)]
        case OnBoardNotation() | OrderDelivery() | CancelDeliveryOrder() | ConfirmDelivery():
            return []  # the standard has no code for it
        case Void() | Sent() | Imported():
            return []
        case Refuse() | RejectSurrender() | Moved() | NotMoved() | Returned():
            return []  # `_standing` has taken it already
        case _:
            assert_never(event)


def _moved(recipient: str | None) -> list[dict[str, Any]]:
    return [] if recipient is None else [_to("TRANSFER", recipient)]


def _to(action: str, recipient: str | None) -> dict[str, Any]:
    return {"action": action, "recipient": recipient}
