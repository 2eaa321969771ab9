"""The platform of issue towards platforms abroad: what they relay to it, and ask it for.

1. A party abroad applies for its registration here; the operator registers it from the application,
   by an ordinary REGISTER. From then on the party is reached through that platform, and no other.
2. An event that a platform relays is taken only if its actor is reached through that platform; then
   it is judged like every event. The platform can add nothing: it has not the party's key.
3. A head and evidence are told to a platform for the one reader that it names. Of a bill whose
   original is there, it also says who holds it.

Every platform that asks is known by its own signature (`wire.abroad`) before anything is told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bol_service.application.commit import Accepted
from bol_service.application.delivery_abroad_ports import (
    Applied,
    DeliveryBook,
    NotReached,
)
from bol_service.application.delivery_abroad_sight import CrossingDesk, ForeignReader, Made, Reached
from bol_service.application.exchange_ports import Flow
from bol_service.application.ports import Clock, Store
from bol_service.application.queries import Queries
from bol_service.application.record import Recorder
from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.domain.events import CustodyEvent, GateOut, PartyEvent
from bol_service.domain.identifiers import check_bill, check_container
from bol_service.domain.states import OPERATOR
from bol_service.wire.abroad import Application, read_application
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import decode

_PAGE: Final = 500


class Applicants:
    """Who waits for the operator to be registered."""

    def __init__(self, book: DeliveryBook, reached: Reached) -> None:
        self._book = book
        self._reached = reached

    def waiting(self, reader: str) -> list[dict[str, Any]]:
        """The newest first; `details` are those of the REGISTER. Raises NotOperator for others."""
        if reader != OPERATOR:
            raise errors.NotOperator(f"{reader} is not the operator")
        return [
            _applicant(number, applied)
            for number, applied in self._book.applications(_PAGE)
            if self._reached.party_of(_reader(applied)) is None
        ]


def _reader(applied: Applied) -> ForeignReader:
    return ForeignReader(platform=applied.platform, name=applied.name)


def _applicant(number: int, applied: Applied) -> dict[str, Any]:
    return {
        "number": number,
        "platform": applied.platform,
        "name": applied.name,
        "party": applied.party,
        "kid": applied.kid,
        "at": applied.at,
        "details": json.loads(applied.application),
    }


class Home:
    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        book: DeliveryBook,
        recorder: Recorder,
        queries: Queries,
        reached: Reached,
        crossings: CrossingDesk,
        origin: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._book = book
        self._recorder = recorder
        self._queries = queries
        self._reached = reached
        self._crossings = crossings
        self._origin = origin

    # -- 1. registration -------------------------------------------------------------------------

    def apply(self, platform: str, name: str, body: object) -> str:
        """Keep an application for the operator; the same one again is fine.

        Returns `registered` or `waiting`. Raises `errors.Refusal`.
        """
        application = read_application(body, self._origin)
        reader = ForeignReader(platform=platform, name=name)
        applied = Applied(
            platform=platform,
            name=name,
            party=application.party,
            kid=application.kid,
            application=strictjson.canonical(application.details).decode("utf-8"),
            at=instant_text(self._clock.now()),
        )
        if not self._is_known(applied):
            self._require_free(reader, application)
            if not self._book.add_application(applied):
                raise errors.AlreadyRegistered(
                    f"key {applied.kid} was applied with before", pointer="/details/key"
                )
            self._crossed(applied.platform, "", "application", applied.application, name)
        return "registered" if self._reached.party_of(reader) == application.party else "waiting"

    def _is_known(self, applied: Applied) -> bool:
        known = self._book.application(applied.kid)
        return known is not None and known == replace(applied, at=known.at)

    def _require_free(self, reader: ForeignReader, application: Application) -> None:
        """Who is registered here already, in whatever way, is not taken over by an application."""
        own = self._reached.party_of(reader)
        stream = f"party:{application.party}"
        with self._store.reading() as reading:
            taken = stream in reading.states([stream])
            key = reading.key(application.kid)
        if taken or key is not None or own is not None:
            told = own or application.party
            raise errors.AlreadyRegistered(
                f"{told} is registered here; keys are changed by the party's own acts",
                pointer="/party",
            )

    # -- 2. acts ---------------------------------------------------------------------------------

    def record(self, platform: str, name: str, compact: str) -> Accepted:
        """Record an event of a party that is reached through `platform`.

        Raises:
            NotReached: The actor is not; or it is nothing that is done in this way.
            errors.Refusal, Busy, Uncertain: See `Recorder.submit`.
        """
        event = decode(compact).event
        self._require_reached(ForeignReader(platform=platform, name=name), event.actor)
        own_stream = isinstance(event, PartyEvent) and event.stream == f"party:{event.actor}"
        if not own_stream and not isinstance(event, CustodyEvent):
            raise NotReached(
                f"{event.action} on {event.stream} is not relayed; custody and a party's own keys "
                "are"
            )
        accepted = self._recorder.submit(compact)
        bill = event.bill if isinstance(event, GateOut) else ""
        if not accepted.resend:
            self._crossed(platform, bill, "event", compact, event.actor, event.stream)
        return accepted

    def _require_reached(self, reader: ForeignReader, actor: str) -> None:
        party = self._reached.party_of(reader)
        if party is None or party != actor:
            raise NotReached(
                f"{actor} is not reached through {reader.platform} as {reader.name}"
                + (f", {party} is" if party is not None else "; it has no registration here")
            )

    # -- 3. heads and evidence ---------------------------------------------------------------------

    def head(self, platform: str, name: str, stream: str) -> dict[str, Any]:
        """Raises NotReached, NotFound."""
        party = self._reached.party_of(ForeignReader(platform=platform, name=name))
        if party is None:
            raise NotReached(f"{name} of {platform} has no registration here")
        head = self._queries.head(stream, party)
        return {"stream": stream, "sequence": head.sequence, "digest": head.digest}

    def evidence(self, platform: str, name: str, wanted: Wanted) -> list[Made]:
        """What the reader may see of the bill, or of the bills of the container, that it names.

        Bills that have ended are left out where others live. Raises `errors.Refusal`.
        """
        reader = ForeignReader(platform=platform, name=name)
        if wanted.bill is not None:
            bills = [wanted.bill]
        else:
            bills = self._crossings.bills_with(wanted.container or "")
        found = []
        for bill in bills:
            try:
                made = self._crossings.make(bill, reader, is_said_to_hold=wanted.holds)
            except errors.NotFound:
                continue
            found.append((bill, made))
        if not found and wanted.bill is not None:
            raise errors.NotFound(f"bill:{wanted.bill} is unknown")
        for bill, made in found:
            self._tell(platform, bill, made, name)
        return [made for _, made in found]

    def _tell(self, platform: str, bill: str, made: Made, name: str) -> None:
        content = made.crossing.bundle.decode("utf-8")
        self._crossed(platform, bill, "evidence", content, name, made.basis, direction="OUT")

    def _crossed(
        self,
        platform: str,
        bill: str,
        what: str,
        content: str,
        recipient: str,
        basis: str = "",
        direction: str = "IN",
    ) -> None:
        self._book.crossed(
            flow_of(
                at=instant_text(self._clock.now()),
                direction=direction,
                platform=platform,
                bill=bill,
                what=what,
                content=content,
                recipient=recipient,
                basis=basis or "the party's own signed request",
            )
        )


def flow_of(
    *,
    at: str,
    direction: str,
    platform: str,
    bill: str,
    what: str,
    content: str,
    recipient: str,
    basis: str,
) -> Flow:
    """A line of the flow log about `content`."""
    raw = content.encode("utf-8")
    return Flow(
        at=at,
        direction=direction,
        platform=platform,
        bill=bill,
        what=what,
        digest=hashlib.sha256(raw).hexdigest(),
        size=len(raw),
        recipient=recipient[:100],
        basis=basis[:100],
    )


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What evidence is asked of: a bill or a container, the other is None.

    `holds`: the asking platform says that its reader holds the bill.
    """

    bill: str | None = None
    container: str | None = None
    holds: bool = False


def read_wanted(body: Mapping[str, Any]) -> Wanted:
    """Raises BadEvent."""
    wanted = {name: body[name] for name in ("bill", "container") if name in body}
    checks = {"bill": check_bill, "container": check_container}
    if len(wanted) != 1 or not all(isinstance(value, str) for value in wanted.values()):
        raise errors.BadEvent("name one bill or one container", pointer="")
    for member, value in wanted.items():
        try:
            checks[member](value)
        except ValueError as error:
            raise errors.BadEvent(str(error), pointer=f"/{member}") from None
    holds = body.get("holds", False)
    if not isinstance(holds, bool) or (holds and "bill" not in wanted):
        raise errors.BadEvent("holds is true or false, and said of one bill", pointer="/holds")
    return Wanted(**wanted, holds=holds)
