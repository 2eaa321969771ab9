"""Acts without keys, bytes or storage: a `Journal` signs them and a `World` judges them.

- An act continues its stream, now, with its actor's first key, unless a keyword says otherwise:
  `at`, `sequence`, `previous`, `audience` ... replace members of the event, `signed_with`, `alg`,
  `recorded_at` and `index` those of its entry.
- Each act is judged twice: by the whole world, and by a world that holds only what `needs` names.
  Both must say the same.
- A refusal must leave everything as it was; `refuses` sees to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Self

import pytest

from bol_service.domain import errors, world
from bol_service.domain import events as e
from bol_service.domain.document import DocumentFacts
from bol_service.domain.states import State
from tests.law_scene import ORIGIN, digest, moment

_OF_THE_ENTRY = {
    "signed_with": "kid",
    "alg": "alg",
    "recorded_at": "recorded_at",
    "index": "index",
}


class Journal:
    """A world, the entries it has accepted, and a clock that only tests move."""

    def __init__(self) -> None:
        self.world = world.World(ORIGIN)
        self.now = moment("2027-02-20 09:00")
        self.entries: list[e.Recorded] = []
        self.documents: list[DocumentFacts] = []
        self.thrifty = True

    def clock(self, text: str) -> Self:
        """Set the corridor's local time, as `2027-03-05 09:00`."""
        self.now = moment(text)
        return self

    def wait(self, **span: float) -> Self:
        self.now += timedelta(**span)
        return self

    def take(self, document: DocumentFacts) -> Self:
        """Upload a document."""
        self.documents.append(document)
        self.world.add_document(document)
        return self

    def continue_from(self, other: Journal) -> None:
        """Start with all that the other journal has; the two go separate ways from here."""
        self.now, self.thrifty = other.now, other.thrifty
        self.entries, self.documents = list(other.entries), list(other.documents)
        self.world = world.World(ORIGIN, other.documents)
        states, heads = other.world.states, other.world.heads
        for stream in states:
            self.world.put(stream, states[stream], heads[stream])

    def sign(self, kind: type[e.Act], actor: str, stream: str, **members: Any) -> State:
        return self.record(self.signed(kind, actor, stream, **members))

    def signed(self, kind: type[e.Act], actor: str, stream: str, **members: Any) -> e.Recorded:
        """The entry that `sign` would record; it is not judged."""
        entry = {_OF_THE_ENTRY[name]: members.pop(name) for name in _OF_THE_ENTRY & members.keys()}
        head = self.world.head(stream)
        envelope = {
            "id": f"0195a3c0-0000-7000-8000-{len(self.entries):012x}",
            "actor": actor,
            "at": self.now,
            "audience": ORIGIN,
            "previous": head.digest if head else None,
            "sequence": head.sequence + 1 if head else 0,
            "stream": stream,
        }
        event: Any = kind(**{**envelope, **members})
        usual = {"kid": f"key-{actor}-1", "alg": "Ed25519", "recorded_at": self.now}
        place = {"digest": digest((event.action, event)), "index": len(self.entries)}
        return e.Recorded(**{"event": event, **usual, **place, **entry})

    def record(self, act: e.Recorded) -> State:
        if self.thrifty:
            needed, whole = self.needed_for(act), self.world
            assert verdict(needed, act) == verdict(whole, act), "needs() left out what was read"
        state = self.world.apply(act)
        self.entries.append(act)
        return state

    def needed_for(self, act: e.Recorded) -> world.World:
        """A world with nothing but what `needs` names, asked again until nothing new is named."""
        small, asked = world.World(ORIGIN), None
        states, heads = self.world.states, self.world.heads
        while (needs := world.needs(small, act.event)) != asked:
            asked = needs
            for stream in needs.streams & states.keys():
                small.put(stream, states[stream], heads[stream])
            for facts in map(self.world.document, needs.documents):
                if facts is not None:
                    small.add_document(facts)
        return small

    @contextmanager
    def refuses(
        self, refusal: type[errors.Refusal], *, pointer: str | None = None
    ) -> Iterator[None]:
        """The act inside is refused for this reason, and nothing whatever changes."""
        before = self.world.states, self.world.heads, len(self.entries)
        with pytest.raises(errors.Refusal) as caught:
            yield
        assert type(caught.value) is refusal, repr(caught.value)
        assert pointer is None or caught.value.pointer == pointer
        assert before == (self.world.states, self.world.heads, len(self.entries))


def verdict(judge: world.World, act: e.Recorded) -> State | tuple[type[errors.Refusal], str]:
    """What a world says to an act: the state after it, or the reason against it."""
    try:
        return judge.judge(act)
    except errors.Refusal as refusal:
        return type(refusal), refusal.message
