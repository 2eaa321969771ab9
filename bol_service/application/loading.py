"""Building the world that an event or a reader needs out of the stored states."""

from __future__ import annotations

from bol_service.application.ports import Reading
from bol_service.domain.events import Event
from bol_service.domain.states import BillState, Needs
from bol_service.domain.world import World, bill_streams, needs


class Loader:
    """Loads streams into a world once, each as it was when this transaction began."""

    def __init__(self, reading: Reading, origin: str) -> None:
        self.world = World(origin)
        self._reading = reading
        self._streams: set[str] = set()
        self._documents: set[str] = set()

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
        if not fresh:
            return
        for stream, (state, head) in self._reading.states(fresh).items():
            self.world.put(stream, state, head)
        self._streams |= fresh

    def bill(self, bill: str) -> BillState | None:
        """The bill with all on which its relations, live status and allowed actions depend."""
        self.streams({f"bill:{bill}"})
        state = self.world.bill(bill)
        if state is None:
            return None
        self.streams(bill_streams(state))
        return state

    def bills_of_shipment(self, containers: list[str]) -> None:
        """Load the bills that these containers are on, for notices about their custody."""
        bills = {
            f"bill:{bill}"
            for container in containers
            for bill in self._reading.bills_with_container(container)
        }
        self.streams(bills)

    def _load_documents(self, digests: set[str]) -> None:
        for facts in self._reading.facts(digests):
            self.world.add_document(facts)
        self._documents |= digests
