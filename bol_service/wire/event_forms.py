"""What the events of each action look like, found by the action as it is written.

The parts come from where they stand: streams and signers from the unions of `domain.events`, what
is said from `event_schemas`. Here they are put side by side once, since asking for them one by one
took as long as reading an event.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any

from bol_service.domain import events
from bol_service.domain.events import Action, Event
from bol_service.domain.identifiers import StreamKind
from bol_service.wire.event_fields import ClosedSchema
from bol_service.wire.event_schemas import RECIPIENT_ACTIONS, details_schema

EVENT_TYP = "ebl-event+jws"
PLATFORM_TYP = "ebl-platform+jws"


@dataclass(frozen=True, kw_only=True)
class Form:
    """`typ` is that of the JWS: who signs; `made` gives the event of these members."""

    action: Action
    stream: StreamKind
    typ: str
    has_recipient: bool
    details: type[ClosedSchema]
    made: Callable[[dict[str, Any]], Event]


@cache
def forms() -> dict[str, Form]:
    kinds: tuple[tuple[Any, StreamKind, str], ...] = (
        (events.PartyEvent, StreamKind.PARTY, EVENT_TYP),
        (events.DraftEvent, StreamKind.DRAFT, EVENT_TYP),
        (events.CustodyEvent, StreamKind.CUSTODY, EVENT_TYP),
        (events.BillEvent, StreamKind.BILL, EVENT_TYP),
        (events.ExchangeEvent, StreamKind.BILL, PLATFORM_TYP),
    )
    return {
        str(cls.action): Form(
            action=cls.action,
            stream=stream,
            typ=typ,
            has_recipient=cls.action in RECIPIENT_ACTIONS,
            details=details_schema(cls.action),
            made=maker(cls),
        )
        for kind, stream, typ in kinds
        for cls in kind.__args__
    }


def maker(cls: Any) -> Callable[[dict[str, Any]], Any]:
    """What `cls(**members)` does, for a frozen value that does nothing when it is made.

    Its `__init__` sets member by member, each past its own guard. It is asked where the members are
    not those of the class, and has the words for that.
    """
    if hasattr(cls, "__post_init__") or hasattr(cls, "__slots__"):
        return lambda members: cls(**members)
    known = {field.name for field in fields(cls)}
    defaults = {field.name: field.default for field in fields(cls) if field.default is not MISSING}
    fitting: set[tuple[str, ...]] = set()  # as many as schemas have optional members, in one order

    def made(members: dict[str, Any]) -> Any:
        found = {**defaults, **members}
        names = tuple(found)
        if names not in fitting:
            if found.keys() != known:
                return cls(**members)
            fitting.add(names)
        value = object.__new__(cls)
        object.__setattr__(value, "__dict__", found)
        return value

    return made
