"""The world that an audit judges in: every stream as the book has it, read when it is asked for.

A sequencer has to name beforehand what an event reads, so that one question to the database brings
all of it. A book answers at once, in this process; so nothing is named, and nothing can be missed.
"""

from __future__ import annotations

from collections.abc import Mapping

from bol_service.application.loading import Loader
from bol_service.application.ports import Reading
from bol_service.domain.states import (
    BillState,
    CustodyState,
    DraftState,
    Head,
    PartyState,
    State,
)
from bol_service.domain.world import World

Stored = tuple[State, Head] | tuple[None, None]


class _Streams(dict[str, Stored]):
    """Streams by name, those too of which the book knows nothing."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self._reading = reading

    def __missing__(self, stream: str) -> Stored:
        found: Stored = self._reading.states([stream]).get(stream, (None, None))
        self[stream] = found
        return found


class BookWorld(World):
    """Holds what was asked for or put; a new one is made when that should be forgotten."""

    def __init__(self, reading: Reading, origin: str) -> None:
        super().__init__(origin)
        self._streams = _Streams(reading)

    def state(self, stream: str) -> State | None:
        return self._streams[stream][0]

    def head(self, stream: str) -> Head | None:
        return self._streams[stream][1]

    @property
    def states(self) -> dict[str, State]:
        return {name: state for name, (state, _) in self._streams.items() if state is not None}

    @property
    def heads(self) -> dict[str, Head]:
        return {name: head for name, (_, head) in self._streams.items() if head is not None}

    def put(self, stream: str, state: State, head: Head) -> None:
        self._streams[stream] = state, head

    def party(self, slug: str) -> PartyState | None:
        state = self._streams[f"party:{slug}"][0]
        return state if isinstance(state, PartyState) else None

    def draft(self, shipment: str) -> DraftState | None:
        state = self._streams[f"draft:{shipment}"][0]
        return state if isinstance(state, DraftState) else None

    def custody(self, shipment: str, container: str) -> CustodyState | None:
        state = self._streams[f"custody:{shipment}:{container}"][0]
        return state if isinstance(state, CustodyState) else None

    def bill(self, bill: str) -> BillState | None:
        state = self._streams[f"bill:{bill}"][0]
        return state if isinstance(state, BillState) else None


class BookLoader(Loader):
    """For those who are handed a loader: there is nothing to load."""

    def __init__(self, reading: Reading, origin: str) -> None:
        super().__init__(reading, origin)
        self.world = BookWorld(reading, origin)

    def streams(self, streams: set[str]) -> None:
        pass

    def _put(self, found: Mapping[str, tuple[State, Head]]) -> None:
        """What the world holds may be newer than what the book has been given so far."""
