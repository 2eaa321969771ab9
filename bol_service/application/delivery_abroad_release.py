"""The gate's answer where the bill was issued on another platform.

1. Fresh evidence is asked for at every check, of each platform where the asking party is known; all
   of them have one deadline together.
2. The guard of `domain.release` is asked with what the verified evidence shows. `asOf` is the
   moment that the platform of issue states, not ours.
3. No answer in time, evidence that does not verify, or evidence older than the limit: DO NOT
   RELEASE, whatever older evidence says, and the moment of the last evidence is told.

RELEASE here promises nothing: GATE_OUT is judged by the platform of issue, on the ledger itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from time import monotonic, sleep
from typing import Any, Final

from bol_service.application import gate
from bol_service.application.delivery_abroad_kept import Keeper, read_kept
from bol_service.application.delivery_abroad_ports import (
    BadEvidence,
    DeliveryBook,
    DeliveryPeer,
    DeliveryPeers,
    Kept,
    NotCosigned,
    OldEvidence,
)
from bol_service.application.exchange_ports import PeerAway, PeerReply
from bol_service.application.gate import Answer
from bol_service.application.ports import Clock
from bol_service.crypto import strictjson
from bol_service.domain import errors
from bol_service.wire.abroad import AbroadError, Kind, read_crossing
from bol_service.wire.event_fields import instant_text

CHECK_SECONDS: Final = 5.0
COSIGNING_SECONDS: Final = 0.3
"""Witnesses are asked about a second after a commit; until then the answer is asked for again."""
MAX_AGE_SECONDS: Final = 60
UNREACHABLE: Final = "peer_unreachable"
STALE: Final = "stale_evidence"
BAD: Final = BadEvidence.code
_NEXT: Final = {
    UNREACHABLE: "Check again in a minute; if it stays so, call the carrier. Keep the gate shut.",
    STALE: "Check again; if it stays so, tell the operator to compare the platforms' clocks.",
    BAD: "Keep the gate shut and tell the operator: the other platform proves nothing.",
}


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """What came of asking one platform: evidence that is kept now, or why there is none."""

    platform: str
    kept: tuple[Kept, ...] = ()
    fault: str | None = None
    why: str = ""


class Pulling:
    """Asks platforms for evidence and keeps what verifies."""

    def __init__(self, book: DeliveryBook, keeper: Keeper, peers: DeliveryPeers) -> None:
        self._book = book
        self._keeper = keeper
        self._peers = peers

    def pull(
        self,
        platform: str,
        reader: str,
        wanted: Mapping[str, str | bool],
        seconds: float = CHECK_SECONDS,
    ) -> Pulled:
        """`wanted` names one `bill` or one `container`; see `delivery_abroad_home.Wanted`."""
        peer = self._peers.get(platform)
        if peer is None:
            return Pulled(platform=platform, fault=UNREACHABLE, why=f"{platform} is no peer now")
        deadline = monotonic() + seconds
        try:
            while True:
                body = {"name": reader, **wanted}
                reply = peer.ask(Kind.EVIDENCE, body, deadline - monotonic())
                try:
                    return Pulled(platform=platform, kept=self._kept(platform, peer, reply, reader))
                except NotCosigned:
                    if monotonic() + COSIGNING_SECONDS > deadline:
                        raise
                    sleep(COSIGNING_SECONDS)
        except PeerAway as error:
            return Pulled(platform=platform, fault=UNREACHABLE, why=str(error))
        except (BadEvidence, OldEvidence) as error:
            return Pulled(platform=platform, fault=BAD, why=str(error))

    def _kept(
        self, platform: str, peer: DeliveryPeer, reply: PeerReply, reader: str
    ) -> tuple[Kept, ...]:
        return tuple(
            self._keeper.take(platform, peer.trust, crossing, reader=reader)
            for crossing in _crossings(platform, reply.status, reply.content)
        )


class GateAbroad:
    """Implements `application.queries.Elsewhere`."""

    def __init__(
        self,
        *,
        clock: Clock,
        book: DeliveryBook,
        pulling: Pulling,
        max_age: int = MAX_AGE_SECONDS,
        seconds: float = CHECK_SECONDS,
    ) -> None:
        """`max_age` and `seconds` are in seconds: of evidence, and of one whole check."""
        self._clock = clock
        self._book = book
        self._pulling = pulling
        self._max_age = timedelta(seconds=max_age)
        self._seconds = seconds

    def answers(self, container: str, reader: str) -> list[Answer]:
        """One for every bill of another platform, known to `reader`, with this container.

        A platform that does not answer, and of which nothing is known, counts only where no other
        one has the container.
        """
        kept = self._book.kept_for(container, reader)
        own = {party.platform for party in self._book.parties_abroad(reader)}
        platforms = sorted(own | {one.platform for one in kept})
        answers: list[Answer] = []
        for pulled in self._pulled(platforms, reader, container):
            known = [one for one in kept if one.platform == pulled.platform]
            answers += self._of(pulled, known, container)
        about_bills = [answer for answer in answers if "bill" in answer]
        return about_bills or answers

    def _pulled(self, platforms: list[str], reader: str, container: str) -> list[Pulled]:
        """Of all platforms at once: one that hangs must not use up the time of another."""

        def pull(platform: str) -> Pulled:
            return self._pulling.pull(platform, reader, {"container": container}, self._seconds)

        if len(platforms) < 2:
            return [pull(platform) for platform in platforms]
        with ThreadPoolExecutor(len(platforms)) as pool:
            return list(pool.map(pull, platforms))

    def _of(self, pulled: Pulled, known: list[Kept], container: str) -> Iterator[Answer]:
        if pulled.fault is None:
            return (self._judged(one, container) for one in pulled.kept)
        return self._forbidden(pulled, known, container)

    def _judged(self, kept: Kept, container: str) -> Answer:
        now = self._clock.now()
        _, shown, statement = read_kept(kept)
        about = _about(kept, container, shown.reference)
        age = now - statement.at
        if age > self._max_age:
            reason = (
                f"The evidence of {kept.platform} is of {kept.at}, {int(age.total_seconds())} "
                f"seconds old; at most {int(self._max_age.total_seconds())} count."
            )
            return {**about, **gate.no(STALE, reason, _NEXT[STALE])}
        box = shown.boxes.get(container)
        if box is None and container in shown.containers:
            hidden = errors.BadTransition
            reason = f"{hidden.title}: no custody of {container} is shown to you"
            return {**about, **gate.no(hidden.code, reason, hidden.next_step)}
        return {**about, **gate.judged(shown, shown, box, container, now)}

    def _forbidden(self, pulled: Pulled, known: list[Kept], container: str) -> Iterator[Answer]:
        fault = pulled.fault or UNREACHABLE
        for kept in known:
            _, shown, _ = read_kept(kept)
            reason = (
                f"{pulled.platform} does not confirm this now ({pulled.why}); its last evidence "
                f"is of {kept.at} and does not count any more."
            )
            about = _about(kept, container, shown.reference)
            yield {**about, **gate.no(fault, reason, _NEXT[fault])}
        if not known:
            now = instant_text(self._clock.now())
            reason = f"{pulled.platform} does not say whether it has a bill ({pulled.why})."
            yield {
                "container": container,
                "asOf": now,
                "platform": pulled.platform,
                **gate.no(fault, reason, _NEXT[fault]),
            }


def _about(kept: Kept, container: str, reference: str) -> dict[str, Any]:
    return {
        "container": container,
        "asOf": kept.at,
        "bill": kept.bill,
        "transportDocumentReference": reference,
        "platform": kept.platform,
    }


def _crossings(platform: str, status: int, content: bytes) -> Iterator[Any]:
    """The crossings in an answer; nothing known is an empty one."""
    if status == HTTPStatus.NOT_FOUND:
        return
    if status != HTTPStatus.OK:
        beginning = content[:150].decode("utf-8", "replace")
        raise PeerAway(f"{platform} answered {status}: {beginning}")
    try:
        value = strictjson.loads_document(content)
        items = value.get("evidence") if isinstance(value, dict) else None
        if not isinstance(items, list):
            raise AbroadError("the answer has no list of evidence")
        for item in items:
            yield read_crossing(item)
    except (strictjson.BadJson, AbroadError) as error:
        raise BadEvidence(f"{platform}: {error}") from None
