"""Building the world that an event or a reader needs out of the stored states."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bol_service.application.ports import Reading
from bol_service.domain import access, errors
from bol_service.domain.events import Event
from bol_service.domain.identifiers import party_stream
from bol_service.domain.states import BillState, DraftState, Head, Needs, State
from bol_service.domain.world import World, bill_streams, needs


class Loader:
    """Loads streams into a world once, each as it was when this transaction began."""

    def __init__(self, reading: Reading, origin: str) -> None:
        self.world = World(origin)
        self._reading = reading
        self._streams: set[str] = set()
        self._documents: set[str] = set()

    @property
    def streams_loaded(self) -> set[str]:
        return self._streams

    def for_events(self, events: list[Event]) -> list[Needs]:
        """Load all that judging `events` reads, and say what each reads.

        Once one of those streams has changed, it may read more: ask again.
        """
        while True:
            wanted = [needs(self.world, event) for event in events]
            streams = {stream for want in wanted for stream in want.streams} - self._streams
            documents = {digest for want in wanted for digest in want.documents} - self._documents
            if not streams and not documents:
                return wanted
            self.streams(streams)
            self._load_documents(documents)

    def streams(self, streams: set[str]) -> None:
        fresh = streams - self._streams
        if fresh:
            self._put(self._reading.states(fresh))
            self._streams |= fresh

    def bill(self, bill: str, *readers: str) -> BillState | None:
        """The bill with all on which its relations, live status and allowed actions depend, and
        the parties that want to know."""
        self.streams({f"bill:{bill}"})
        state = self.world.bill(bill)
        if state is None:
            return None
        self.streams(bill_streams(state) | {party_stream(reader) for reader in readers})
        return state

    def known_draft(self, shipment: str, reader: str, now: datetime) -> tuple[DraftState, Head]:
        """Raises NotFound unless `reader` may know the draft now."""
        stream = f"draft:{shipment}"
        self.streams({stream, party_stream(reader)})
        state, head = self.world.draft(shipment), self.world.head(stream)
        if state is not None:
            self.streams({party_stream(state.shipper), party_stream(state.carrier)})
        if state is None or head is None or not access.knows_draft(self.world, state, reader, now):
            raise errors.NotFound(f"{stream} is unknown")
        return state, head

    def bills_with(self, container: str) -> list[str]:
        """The bills on which the container stands."""
        found = self._reading.bills_with(container)
        self._put({stream: found[stream] for stream in found.keys() - self._streams})
        self._streams |= found.keys()
        return sorted(stream.removeprefix("bill:") for stream in found)

    def _put(self, found: Mapping[str, tuple[State, Head]]) -> None:
        for stream, (state, head) in found.items():
            self.world.put(stream, state, head)

    def _load_documents(self, digests: set[str]) -> None:
        for facts in self._reading.facts(digests):
            self.world.add_document(facts)
        self._documents |= digests
