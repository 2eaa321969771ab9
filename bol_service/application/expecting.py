"""What a group will ask of the database, told with the lock so that it is one question.

An event names some streams itself. Others are named by what is read: the bill says its shipment,
the shipment its boxes. That would be a question more under the lock for every group, so what the
last act of a stream read is expected of the next one too, with the parties that this one names. It
is a guess and nothing hangs on it: what was not expected is asked for, what was expected in vain
was read for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bol_service.application.ports import Expected
from bol_service.domain.events import Event
from bol_service.domain.identifiers import is_foreign, party_stream
from bol_service.domain.states import Needs
from bol_service.domain.world import World, needs
from bol_service.wire.events import SignedEvent

MOST_STREAMS: Final = 20_000
_UNKNOWN: Final = World("")


class Expecting:
    """Of one sequencer, from group to group."""

    def __init__(self) -> None:
        self._lately: dict[str, set[str]] = {}

    def by(self, group: Sequence[SignedEvent]) -> Expected:
        """All that judging `group` is expected to ask for."""
        streams = frozenset().union(*[self._streams(signed.event) for signed in group])
        return Expected(
            streams=streams,
            payloads=frozenset([signed.payload_digest for signed in group]),
            ids=frozenset([signed.event.id for signed in group]),
        )

    def _streams(self, event: Event) -> Iterable[str]:
        lately = self._lately.get(event.stream)
        if lately is None:
            return needs(_UNKNOWN, event).streams
        named = {event.actor, getattr(event, "recipient", None) or event.actor}
        return lately | {party_stream(slug) for slug in named if not is_foreign(slug)}

    def learn(self, group: Sequence[SignedEvent], reads: Sequence[Needs]) -> None:
        """What judging each event of `group` did read."""
        if len(self._lately) > MOST_STREAMS:
            self._lately.clear()
        for signed, read in zip(group, reads, strict=True):
            self._lately[signed.event.stream] = read.streams
