"""Events signed before the clock starts, and bills that go back and forth between two holders.

An event's digest is that of its own text, so a whole chain of events can be signed in advance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from bench import load
from bol_service.domain.states import Head
from tests.desk import Desk
from tests.many_bills import HOLDER

PAIR = (HOLDER, "bankcq")
Queues = list[list[bytes]]


def sign_next(
    desk: Desk,
    actor: str,
    action: str,
    stream: str,
    details: Mapping[str, Any] | None = None,
    *,
    recipient: str | None = None,
) -> str:
    """The signed event that continues `stream`; the desk takes it for recorded."""
    compact = desk.event(actor, action, stream, details, recipient=recipient)
    before = desk.heads.get(stream)
    desk.heads[stream] = Head(
        sequence=before.sequence + 1 if before else 0,
        digest=sha256(compact.encode("ascii")).hexdigest(),
    )
    return compact


@dataclass(kw_only=True)
class Shuttle:
    """Signs for both holders; remembers how often each bill has moved."""

    desk: Desk
    _moves: dict[str, int] = field(default_factory=dict)

    def next(self, bill: str) -> str:
        """The signed event that moves the bill to the other of the two."""
        moves = self._moves.get(bill, 0)
        self._moves[bill] = moves + 1
        giver, taker = PAIR[moves % 2], PAIR[(moves + 1) % 2]
        return sign_next(self.desk, giver, "TRANSFER", f"bill:{bill}", recipient=taker)

    def queues(self, bills: Iterable[str], moves: int) -> Queues:
        """A queue of requests per bill, each of `moves` transfers."""
        return [[load.event(self.next(bill)) for _ in range(moves)] for bill in bills]


def unheard_of(count: int) -> list[str]:
    """Bills that nobody issued: good enough for a recorder that stores nothing."""
    return [sha256(f"unheard of {number}".encode()).hexdigest() for number in range(count)]
