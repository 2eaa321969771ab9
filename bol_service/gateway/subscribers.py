"""Who is told of changes: the subscribers of a carrier, read from a file.

    [{"url", "subscriptionReference", "party", "tokenFile"?}, ...]

`party` is the slug of whom the subscriber speaks for; `*` sees everything and is for the carrier's
own systems.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import ValidationError

from bol_service.crypto import strictjson
from bol_service.domain.identifiers import check_slug
from bol_service.gateway.delivery import AddressError, Receiver
from bol_service.wire.event_fields import ClosedSchema, Text

EVERYBODY: Final = "*"


class SubscribersError(ValueError):
    """The file cannot be used; the message names the member."""


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    party: str
    reference: str
    receiver: Receiver

    @property
    def target(self) -> str:
        """One name per subscription: a system may hold several."""
        return f"{self.reference} at {self.receiver.url}"


class SubscriberSchema(ClosedSchema):
    url = Text(2000, required=True)
    subscriptionReference = Text(100, required=True)
    party = Text(32, required=True)
    tokenFile = Text(4000)


def read_subscribers(content: bytes, token: Callable[[str], str]) -> tuple[Subscriber, ...]:
    """`token` reads a token file. Raises SubscribersError."""
    try:
        value = strictjson.loads_event(content)
        if not isinstance(value, list):
            raise SubscribersError("the file holds no list of subscribers")
        found = tuple(_subscriber(SubscriberSchema().load(entry), token) for entry in value)
    except (strictjson.BadJson, ValidationError, AddressError, ValueError) as error:
        raise SubscribersError(f"the subscribers cannot be read: {error}") from None
    if len({each.target for each in found}) != len(found):
        raise SubscribersError("a subscriptionReference stands twice for one address")
    return found


def _subscriber(loaded: dict[str, Any], token: Callable[[str], str]) -> Subscriber:
    if loaded["party"] != EVERYBODY:
        check_slug(loaded["party"])
    file = loaded.get("tokenFile")
    return Subscriber(
        party=loaded["party"],
        reference=loaded["subscriptionReference"],
        receiver=Receiver(url=loaded["url"], token=None if file is None else token(file)),
    )
