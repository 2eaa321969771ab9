"""A party's own entries in the register, for people: its keys, each with the act that brought it,
and the mandates that others gave it. Parties and their keys are public."""

from __future__ import annotations

from dataclasses import dataclass

from bol_service.application.ports import Reading, Store
from bol_service.domain.states import KeyRecord, Mandate, PartyState


@dataclass(frozen=True, kw_only=True)
class KeyLine:
    """A key and the entry that added it: when it was recorded, whose act, under which key."""

    key: KeyRecord
    at: str
    by: str
    action: str
    signed_with: str


@dataclass(frozen=True, kw_only=True)
class Mandated:
    """A mandate that `party` gave to the reader."""

    party: PartyState
    mandate: Mandate


class PortalRegister:
    def __init__(self, store: Store) -> None:
        self._store = store

    def keys(self, slug: str) -> list[KeyLine]:
        """All keys that were ever registered in the party's name, the newest first."""
        with self._store.reading() as reading:
            party = _party(reading, slug)
            found = [_line(reading, key) for key in party.keys] if party else []
        return sorted(found, key=lambda line: line.key.added, reverse=True)

    def mandates_to(self, forwarder: str) -> list[Mandated]:
        """By the slug of those who gave them, also those that have run out."""
        with self._store.reading() as reading:
            givers = [_party(reading, slug) for slug in sorted(reading.mandators(forwarder))]
        return [
            Mandated(party=giver, mandate=mandate)
            for giver in givers
            if giver is not None and (mandate := giver.mandate(forwarder)) is not None
        ]


def _party(reading: Reading, slug: str) -> PartyState | None:
    stream = f"party:{slug}"
    state, _ = reading.states([stream]).get(stream, (None, None))
    return state if isinstance(state, PartyState) else None


def _line(reading: Reading, key: KeyRecord) -> KeyLine:
    entry = reading.entry(key.added)
    assert entry is not None  # the state was made of it
    return KeyLine(
        key=key,
        at=entry.entry.recorded_at,
        by=entry.actor,
        action=entry.action,
        signed_with=entry.kid,
    )
