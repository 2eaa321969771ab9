"""All streams of one ledger, and the one door through which an event changes them.

`World.judge` is the whole order of judgement of a recorded event, after its bytes and signature
have been checked elsewhere:

1. it is meant for this ledger (`audience`) and signed at a believable time;
2. its key belongs to the actor, with this algorithm, and counts at this place of the log;
3. the actor may know the stream; otherwise it gets what a stream that is not there would give;
4. it continues the stream's head: nobody acted in between;
5. the law of its stream: `party`, `drafts`, `custody`, `title` or, at the border, `exchange`.

The same method judges new requests, stored history, uploaded evidence and chains from abroad.
`needs` tells which streams an event reads, so that a sequencer can load them before it judges.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import assert_never

from bol_service.domain import access, custody, drafts, errors, exchange, issue, party, title
from bol_service.domain.document import DocumentFacts
from bol_service.domain.events import (
    Appoint,
    BillAct,
    BillEvent,
    BlankEndorse,
    Booking,
    CustodyAct,
    CustodyEvent,
    DraftAct,
    DraftEvent,
    Endorse,
    EndorseToOrder,
    Event,
    ExchangeAct,
    ExchangeEvent,
    GateOut,
    GrantMandate,
    Imported,
    Issue,
    PartyAct,
    Recorded,
    Register,
    Returned,
    RevokeKey,
    Transfer,
)
from bol_service.domain.identifiers import (
    custody_stream,
    draft_stream,
    is_foreign,
    party_stream,
)
from bol_service.domain.states import (
    OPERATOR,
    BillState,
    CustodyState,
    DraftState,
    Head,
    Needs,
    PartyState,
    State,
)
from bol_service.domain.values import made

AHEAD = timedelta(minutes=5)
BEHIND = timedelta(hours=24)
_EARLIEST = -BEHIND


class World:
    """The states of the streams loaded so far; it changes only by `apply`."""

    def __init__(self, origin: str, documents: Iterable[DocumentFacts] = ()) -> None:
        self._origin = origin
        self._states: dict[str, State] = {}
        self._heads: dict[str, Head] = {}
        self._documents = {facts.received_bytes: facts for facts in documents}

    @property
    def origin(self) -> str:
        return self._origin

    def state(self, stream: str) -> State | None:
        return self._states.get(stream)

    @property
    def states(self) -> dict[str, State]:
        """A copy of all states by stream."""
        return dict(self._states)

    @property
    def heads(self) -> dict[str, Head]:
        """A copy of all heads by stream."""
        return dict(self._heads)

    def put(self, stream: str, state: State, head: Head) -> None:
        """Set a stream as stored; the caller vouches that it came out of `apply` before."""
        self._states[stream] = state
        self._heads[stream] = head

    def add_document(self, facts: DocumentFacts) -> None:
        self._documents[facts.received_bytes] = facts

    def party(self, slug: str) -> PartyState | None:
        state = self._states.get(f"party:{slug}")
        return state if isinstance(state, PartyState) else None

    def draft(self, shipment: str) -> DraftState | None:
        state = self._states.get(f"draft:{shipment}")
        return state if isinstance(state, DraftState) else None

    def custody(self, shipment: str, container: str) -> CustodyState | None:
        state = self._states.get(f"custody:{shipment}:{container}")
        return state if isinstance(state, CustodyState) else None

    def bill(self, bill: str) -> BillState | None:
        state = self._states.get(f"bill:{bill}")
        return state if isinstance(state, BillState) else None

    def head(self, stream: str) -> Head | None:
        return self._heads.get(stream)

    def document(self, received_bytes: str) -> DocumentFacts | None:
        return self._documents.get(received_bytes)

    def apply(self, act: Recorded) -> State:
        """Judge `act` and, if the law allows it, make it part of this world.

        Raises:
            errors.Refusal: The law does not allow it; nothing has changed.
        """
        state = self.judge(act)
        head = made(Head, sequence=act.event.sequence, digest=act.digest)
        self.put(act.event.stream, state, head)
        return state

    def judge(self, act: Recorded) -> State:
        """The state of the event's stream after it; changes nothing.

        Raises:
            errors.Refusal: The law does not allow it.
        """
        event = act.event
        _require_audience(self, event)
        _require_time(act)
        _require_key(self, act)
        _require_knowledge(self, event)
        _require_head(self, event)
        if isinstance(event, PartyAct):
            return party.apply(self, act, event)
        if isinstance(event, DraftAct):
            return drafts.apply(self, act, event)
        if isinstance(event, CustodyAct):
            return custody.apply(self, act, event)
        if isinstance(event, BillAct):
            return title.apply(self, act, event)
        if isinstance(event, ExchangeAct):
            return exchange.apply(self, event)
        assert_never(event)


def _require_audience(world: World, event: Event) -> None:
    origin = world.origin
    if event.audience != origin:
        raise errors.BadEvent(
            f"the event is meant for {event.audience}, this is {origin}", pointer="/audience"
        )


def _require_time(act: Recorded) -> None:
    signed, recorded = act.event.at, act.recorded_at
    if not _EARLIEST <= signed - recorded <= AHEAD:  # a sum could leave the calendar
        raise errors.BadTime(
            f"signed at {signed.isoformat()}, recorded at {recorded.isoformat()}: at most 24 hours "
            "behind and 5 minutes ahead are allowed",
            pointer="/at",
        )


def _require_key(world: World, act: Recorded) -> None:
    event = act.event
    actor = world.party(event.actor)
    if actor is None:
        if isinstance(event, Register) and event.actor == OPERATOR:
            if act.index == 0 and event.stream == party_stream(OPERATOR):
                return  # the first entry carries its own key; `party` compares the two
            raise errors.NotFound("the operator is not registered", pointer="/actor")
        raise errors.WrongKey(f"{event.actor} is not registered", pointer="/actor")
    key = actor.key(act.kid)
    if key is None:
        raise errors.WrongKey(f"{act.kid} is not a key of {event.actor}", pointer="/actor")
    if key.alg != act.alg:
        raise errors.BadSignature(f"key {act.kid} is pinned to {key.alg}, {act.alg} was used")
    if not key.counts_at(act.recorded_at):
        raise errors.KeyRevoked(_why_not(key_ended=key.ended, kid=act.kid))
    if actor.suspended and not isinstance(event, RevokeKey):
        raise errors.Suspended(f"{event.actor} is suspended", pointer="/actor")


def _why_not(*, key_ended: int | None, kid: str) -> str:
    if key_ended is not None:
        return f"key {kid} ended with entry {key_ended} of the log"
    return f"key {kid} is outside its validity"


def _require_knowledge(world: World, event: Event) -> None:
    if isinstance(event, PartyAct):
        return  # parties and keys are public
    if isinstance(event, Booking):
        drafts.require_booking_carrier(world, event.actor)
        draft = world.draft(event.stream.removeprefix("draft:"))
        known = draft is None or access.knows_draft(world, draft, event.actor)
    elif isinstance(event, DraftAct):
        draft = world.draft(event.stream.removeprefix("draft:"))
        known = draft is not None and access.knows_draft(world, draft, event.actor)
    elif isinstance(event, CustodyAct):
        custody.require_party_to_custody(world, event.actor, event.stream.split(":")[1])
        known = True
    elif isinstance(event, Issue):
        issue.require_issuer(world, event)
        known = True
    elif isinstance(event, ExchangeAct):
        exchange.require_desk(world, event.actor)
        known = True
    else:
        bill = world.bill(event.stream.removeprefix("bill:"))
        known = bill is not None and access.knows(world, bill, event.actor)
    if not known:
        raise errors.NotFound(f"{event.stream} is unknown", pointer="/stream")


def _require_head(world: World, event: Event) -> None:
    head = world.head(event.stream)
    sequence, digest = (head.sequence + 1, head.digest) if head else (0, None)
    if event.sequence != sequence:
        raise errors.StaleHead(
            f"sequence {event.sequence} was signed, the next of {event.stream} is {sequence}",
            pointer="/sequence",
        )
    if event.previous != digest:
        raise errors.StaleHead(
            f"previous {event.previous} was signed, the head of {event.stream} is {digest}",
            pointer="/previous",
        )


# -- what judging an event reads -----------------------------------------------------------------


def needs(world: World, event: Event) -> Needs:
    """The streams and documents that judging `event` reads, as far as they can be told now.

    What is loaded can reveal more (the bill names its shipment, the booking its shipper): ask again
    after loading until nothing new is named.
    """
    reads = Needs(streams={event.stream, party_stream(event.actor)})
    if isinstance(event, PartyAct):
        if isinstance(event, GrantMandate):
            _name_parties(reads, event.recipient)
    elif isinstance(event, DraftAct):
        _draft_needs(world, event, reads)
    elif isinstance(event, CustodyAct):
        _custody_needs(event, reads)
    elif isinstance(event, Issue):
        _issue_needs(world, event, reads)
    elif isinstance(event, ExchangeAct):
        _exchange_needs(world, event, reads)
    else:
        _bill_needs(world, event, reads)
    return reads


def _name_parties(reads: Needs, *slugs: str | None) -> None:
    reads.streams |= {
        party_stream(slug) for slug in slugs if slug is not None and not is_foreign(slug)
    }


def _draft_needs(world: World, event: DraftEvent, reads: Needs) -> None:
    draft = world.draft(event.stream.removeprefix("draft:"))
    if draft is not None:
        _name_parties(reads, draft.shipper, draft.carrier)
    if isinstance(event, Booking):
        legs = event.custodians
        _name_parties(reads, event.shipper, event.forwarder, *event.customs)
        _name_parties(reads, legs.receipt, legs.rail, legs.loading, legs.discharge)
    if isinstance(event, Appoint):
        _name_parties(reads, event.custodian)


def _custody_needs(event: CustodyEvent, reads: Needs) -> None:
    _, shipment, _container = event.stream.split(":")
    reads.streams.add(draft_stream(shipment))
    if isinstance(event, GateOut):
        reads.streams.add(f"bill:{event.bill}")


def _issue_needs(world: World, event: Issue, reads: Needs) -> None:
    reads.documents.add(event.received_bytes)
    reads.streams.add(draft_stream(event.shipment))
    parties = event.parties
    _name_parties(reads, event.issue_to, parties.shipper, parties.title_holder, parties.consignee)
    _name_parties(reads, *parties.notify)
    facts = world.document(event.received_bytes)
    for container in facts.equipment if facts else ():
        reads.streams.add(custody_stream(event.shipment, container))


_TO_A_RECIPIENT = Transfer | Endorse | EndorseToOrder
_ENDORSING = Endorse | EndorseToOrder | BlankEndorse


def _bill_needs(world: World, event: BillEvent, reads: Needs) -> None:
    _read_bill(world, world.bill(event.stream.removeprefix("bill:")), reads)
    if isinstance(event, _TO_A_RECIPIENT):
        _name_parties(reads, event.recipient)
    if isinstance(event, _ENDORSING):
        _name_parties(reads, event.transfer_to)


def _exchange_needs(world: World, event: ExchangeEvent, reads: Needs) -> None:
    _read_bill(world, world.bill(event.stream.removeprefix("bill:")), reads)
    if isinstance(event, Imported):
        reads.documents.add(event.received_bytes)
        _name_parties(reads, event.issue_to, event.shipper, event.title_holder, event.consignee)
    if isinstance(event, Imported | Returned):
        for step in event.steps:
            _name_parties(reads, step.actor, step.recipient)


def _read_bill(world: World, bill: BillState | None, reads: Needs) -> None:
    """A bill's relations and live status hang on its shipment, custody, shipper and carrier."""
    if bill is None:
        return
    reads.streams |= bill_streams(bill)
    for container in bill.containers:
        box = world.custody(bill.shipment, container)
        if box is not None and box.loading is not None:
            _name_parties(reads, box.loading.terminal)


def bill_streams(bill: BillState) -> set[str]:
    """The streams on which a bill's relations, live status and allowed actions depend."""
    if bill.home is not None:
        return set()  # shipment, shipper and carrier are on the platform of issue
    parties = {party_stream(bill.shipper), party_stream(bill.carrier)}
    return {draft_stream(bill.shipment), *parties, *custody_streams(bill)}


def custody_streams(bill: BillState) -> list[str]:
    """Of its containers; of a bill from abroad they are on the platform of issue."""
    if bill.home is not None:
        return []
    return [custody_stream(bill.shipment, container) for container in bill.containers]
