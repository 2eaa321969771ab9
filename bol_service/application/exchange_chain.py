"""From the entries of a bill's stream to the transactions that another platform has to learn.

1. Acts of control are transactions; notations, delivery orders and what the platform recorded of
   the exchange are not.
2. An endorsement that also hands the bill over is two transactions, told as one moment.
3. A refused giving is left out together with its refusal, and so is an act that was to leave and
   that the other platform refused: it is as if they had never been.
4. ISSUE is directed to the party as the carrier named it, so that its manifest fits.
5. Each transaction carries the party's own signed event, so that a peer that knows the format can
   check the party and not only this platform.
6. Only what followed the last exchange is told; the rest of the chain exists already.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bol_service.crypto import base64url
from bol_service.domain.events import (
    AcceptSurrender,
    BlankEndorse,
    Endorse,
    EndorseToOrder,
    Event,
    Imported,
    Issue,
    Moved,
    NotMoved,
    Refuse,
    RejectSurrender,
    Returned,
    Sign,
    SurrenderForAmendment,
    SurrenderForDelivery,
    Transfer,
)
from bol_service.wire.pint_entry import Transaction
from bol_service.wire.pint_forms import PintFormatError
from bol_service.wire.pint_parties import ChainParty, as_issued_to

Told = (
    Issue
    | Transfer
    | Endorse
    | EndorseToOrder
    | BlankEndorse
    | Sign
    | SurrenderForDelivery
    | SurrenderForAmendment
    | AcceptSurrender
    | RejectSurrender
)
PartyOf = Callable[[str], ChainParty]


@dataclass(frozen=True, kw_only=True)
class Signed:
    """An event of the stream with the compact JWS that the log holds."""

    event: Event
    text: str


def since_last_exchange(stream: Iterable[Signed]) -> list[Signed]:
    """The acts after the chain that both sides know; `stream` is the whole stream of the bill."""
    acts: list[Signed] = []
    for signed in stream:
        if isinstance(signed.event, Imported | Returned | Moved):
            acts = []
        elif isinstance(signed.event, NotMoved):
            acts.pop()  # the last act was to leave; nobody acts while it waits
        elif isinstance(signed.event, Told | Refuse):
            acts.append(signed)
    return acts


def transactions(
    acts: Sequence[Signed], *, party_of: PartyOf, carrier: str, surrendered_by: str | None
) -> tuple[Transaction, ...]:
    """`surrendered_by` is who asked for delivery before `acts` begin, if anybody waits."""
    asked = surrendered_by
    told: list[Transaction] = []
    for signed in _without_refused(acts):
        event = signed.event
        assert isinstance(event, Told)
        told += _told(event, signed.text, party_of, carrier, asked)
        if isinstance(event, SurrenderForDelivery | SurrenderForAmendment):
            asked = event.actor
    return tuple(told)


def _without_refused(acts: Sequence[Signed]) -> list[Signed]:
    kept: list[Signed] = []
    for signed in acts:
        if isinstance(signed.event, Refuse):
            giving = max(number for number, one in enumerate(kept) if _gives(one.event))
            kept = [one for number, one in enumerate(kept) if number != giving]
        else:
            kept.append(signed)
    return kept


def _gives(event: Event) -> bool:
    if isinstance(event, Endorse | EndorseToOrder | BlankEndorse):
        return event.transfer_to is not None
    return isinstance(event, Transfer)


def _as_issued_to(text: str) -> ChainParty | None:
    """As the carrier named it in the ISSUE; None for what is no DCSA party, which a strict peer
    then refuses."""
    value = json.loads(base64url.decode(text.split(".")[1]))
    try:
        return as_issued_to(value["details"]["issueToParty"])
    except PintFormatError:
        return None


def _told(
    event: Told, text: str, party_of: PartyOf, carrier: str, asked: str | None
) -> Iterator[Transaction]:
    def told(recipient: str | None, action: str = event.action, **members: str) -> Transaction:
        return Transaction(
            action=action,
            actor=party_of(event.actor),
            recipient=None if recipient is None else party_of(recipient),
            at=event.at,
            signed_event=text,
            **members,
        )

    match event:
        case Issue():
            first = told(event.issue_to)
            yield replace(first, recipient=_as_issued_to(text) or first.recipient)
        case Transfer():
            yield told(event.recipient)
        case Endorse() | EndorseToOrder():
            yield told(event.recipient)
        case BlankEndorse() | Sign():
            yield told(None)
        case SurrenderForDelivery():
            yield told(carrier)
        case SurrenderForAmendment():
            commented = {} if event.comments is None else {"comments": event.comments}
            yield told(carrier, reason_code=event.reason, **commented)
        case AcceptSurrender() | RejectSurrender():
            assert asked is not None
            yield told(asked)
    if isinstance(event, Endorse | EndorseToOrder | BlankEndorse) and event.transfer_to is not None:
        yield told(event.transfer_to, "TRANSFER")
