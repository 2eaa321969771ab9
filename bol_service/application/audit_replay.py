"""The part of an audit that needs the order of the log: the law, and the caches as they should be.

Every act goes through the steps of `commit`, on the book in place of the database:

1. its signatures are by registered keys of its actor (verified by `audit_pages`, or here);
2. `World.judge`;
3. what it claims on the whole platform is free;
4. state, claims, keys and rows of finding follow from it, gathered commit by commit: a group of
   events leaves only the last row of each bill, so the audit follows the same groups.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from bol_service.application import index, platform_guard
from bol_service.application.audit_pages import Act
from bol_service.application.audit_ports import Book
from bol_service.application.audit_world import BookLoader
from bol_service.application.ports import Batch, Claim
from bol_service.crypto.keys import PublicKey
from bol_service.domain import errors
from bol_service.domain.events import Event, Recorded, Register
from bol_service.domain.states import OPERATOR, Head
from bol_service.domain.values import made
from bol_service.verification import signatures
from bol_service.wire.event_fields import instant

FLUSH = 4000  # entries after which the memory is written to the book, at the end of a commit


class Replay:
    """Replays on a book; what it has not `flush`ed is in memory."""

    def __init__(self, book: Book, origin: str) -> None:
        self._book = book
        self._origin = origin
        self._loader = BookLoader(book.reading, origin)
        self._groups: list[Batch] = []
        self._group = Batch()
        self._claims: dict[Claim, str | None] = {}
        self._held = 0

    def apply(self, act: Act, position: int, recorded_at: str) -> None:
        """Raises errors.Refusal for an act that cannot stand at this position of the log."""
        if act.facts is not None:
            self._loader.world.add_document(act.facts)
        self._require_signed(act)
        self._judge(
            made(
                Recorded,
                event=act.event,
                digest=act.digest,
                kid=act.kid,
                alg=act.alg,
                recorded_at=_instant(recorded_at),
                index=position,
            )
        )
        self._held += 1

    def end_group(self) -> None:
        """A commit ended after the last act."""
        if self._group.states:
            self._groups.append(self._group)
            self._group = Batch()

    @property
    def is_full(self) -> bool:
        return self._held >= FLUSH

    def flush(self) -> None:
        """Write everything to the book and forget it; the commit under way ends with that."""
        self.end_group()
        self._book.put(*self._groups)
        self._groups = []
        self._claims = {}
        self._loader = BookLoader(self._book.reading, self._origin)
        self._held = 0

    def _require_signed(self, act: Act) -> None:
        actor = act.event.actor
        if act.unverified is not None:
            signatures.verify(act.unverified, lambda kid: self._key(actor, kid))
            return
        party = self._loader.world.party(actor)
        for kid in act.signers:
            known = party is not None and party.key(kid) is not None
            if not known and not _is_opening(act.event, kid):
                raise errors.BadSignature(f"no key {kid} is registered", pointer="/kid")

    def _key(self, actor: str, kid: str) -> PublicKey | None:
        party = self._loader.world.party(actor)
        key = party.key(kid) if party else None
        return signatures.public_key(key.jwk) if key else None

    def _judge(self, act: Recorded) -> None:
        event, world = act.event, self._loader.world
        before = world.state(event.stream)
        state = world.judge(act)
        taken = platform_guard.taken_by(world, event)
        platform_guard.require_free(taken, self._owner)
        freed = platform_guard.freed_by(world, event)
        head = made(Head, sequence=event.sequence, digest=act.digest)
        world.put(event.stream, state, head)
        self._group.states[event.stream] = (state, head, act.index)
        if taken or freed:
            self._claim(event.stream, taken, freed)
        index.gather(self._loader, event, before, self._group)

    def _claim(self, stream: str, taken: list[Claim], freed: list[Claim]) -> None:
        self._group.taken.update(dict.fromkeys(taken, stream))
        self._group.freed.update(freed)
        for claim in freed:
            self._group.taken.pop(claim, None)
        self._claims |= dict.fromkeys(taken, stream) | dict.fromkeys(freed)

    def _owner(self, claim: Claim) -> str | None:
        if claim in self._claims:
            return self._claims[claim]
        return self._book.owner(claim)


@lru_cache(maxsize=16)
def _instant(recorded_at: str) -> datetime:
    """A commit gives all its entries one time."""
    return instant(recorded_at)


def _is_opening(event: Event, kid: str) -> bool:
    """The operator's registration of itself is signed with the key that it registers."""
    return isinstance(event, Register) and event.actor == OPERATOR and event.key.kid == kid
