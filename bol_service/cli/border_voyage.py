"""The same voyage across the border: the parties of Singapore hold the bill on their own platform.

The script stays as it is; `seeds/demo/border.json` says who acts abroad and which refusals come out
under another code there.

1. A party of Singapore acts on bills at Singapore. What Chongqing makes out to it names it
   `SGPX:slug`; all else (booking, custody, delivery) stays with the platform of issue.
2. After an act that crosses the border the story waits until the other platform has signed, as a
   party would, and reads the heads again: the exchange desks have recorded in between.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bol_service.cli.voyage import OPERATOR, Place, Played, Script, Voyage
from bol_service.client import Refused
from bol_service.crypto.signers import Signer

Json = dict[str, Any]
DESK = "desk"
PATIENCE_SECONDS = 30.0
IN_TRANSIT, MOVED = "IN_TRANSIT", "MOVED"


class NotSettled(RuntimeError):  # noqa: N818 - says what happened
    """The other platform did not sign in time."""


class BorderVoyage(Voyage):
    """`signers` has the key of Chongqing's exchange desk too, `signers_abroad` those of Singapore's
    operator and desk; its residents sign on both platforms with one key each."""

    def __init__(
        self,
        script: Script,
        border: Json,
        *,
        abroad_url: str,
        abroad_origin: str,
        signers_abroad: Mapping[str, Signer],
        **home: Any,
    ) -> None:
        super().__init__(script, **home)
        self._border = border
        self._residents = frozenset(border["residents"])
        signers = {slug: self.home.signer(slug) for slug in self._residents}
        self.abroad = self._place(abroad_url, abroad_origin, {**signers, **signers_abroad})

    # -- the cast --------------------------------------------------------------------------------

    def open(self) -> None:
        super().open()
        cast = {party["party"]: party for party in self._script.parties}
        there = self.abroad.clients[OPERATOR]
        rulebook = there.request("GET", "/rulebook", None, None, token=None).content
        digest = hashlib.sha256(rulebook).hexdigest()
        own = {"party": OPERATOR, **self._border["operator"]}
        residents = [cast[slug] for slug in sorted(self._residents)]
        self._enrol(self.abroad, [own, *residents], digest)
        for place, desk in ((self.home, "homeDesk"), (self.abroad, "abroadDesk")):
            self._register(place, {"party": DESK, "roles": ["EXCHANGE"], **self._border[desk]})

    # -- the acts --------------------------------------------------------------------------------

    def play(self) -> Iterator[Played]:
        expected: Json = self._border["expect"]
        for line in super().play():
            other = expected.get(f"{line.step} {line.actor} {line.action}")
            yield line if other is None else replace(line, expected=other)

    def _where(self, actor: str, stream: str) -> Place:
        is_resident = actor in self._residents and stream.startswith("bill:")
        return self.abroad if is_resident else self.home

    def _send(
        self,
        actor: str,
        action: str,
        stream: str,
        details: Json,
        *,
        recipient: str | None = None,
        signer: str | None = None,
    ) -> Json:
        place = self._where(actor, stream)
        if stream.startswith("bill:") and place is self.home:
            recipient = self._named(recipient)
            if "transferTo" in details:
                details = {**details, "transferTo": self._named(details["transferTo"])}
        receipt = self._deliver(place, actor, action, stream, details, recipient, signer)
        if stream.startswith("bill:"):
            self._settle(place, actor, action, stream, recipient)
        return receipt

    def _named(self, slug: str | None) -> str | None:
        return f"{self._border['code']}:{slug}" if slug in self._residents else slug

    # -- waiting for the other platform ------------------------------------------------------------

    def _settle(
        self, place: Place, actor: str, action: str, stream: str, recipient: str | None
    ) -> None:
        bill = stream.removeprefix("bill:")
        answers = action in ("SACC", "SREJ")
        if answers:
            holder = self._border["surrenderer"]
            self._until(lambda: self._status(self.abroad, holder, bill) != MOVED)
        elif action == "SURRENDER_FOR_DELIVERY" or _crosses(recipient):
            self._until(lambda: self._status(place, actor, bill) != IN_TRANSIT)
        else:
            return
        self._read_heads(stream)

    def _status(self, place: Place, party: str, bill: str) -> str:
        try:
            return str(place.clients[party].get(f"/v1/bills/{bill}")["status"])
        except Refused:
            return "unknown"

    def _until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise NotSettled("the other platform has not signed; see its server.log")
            time.sleep(0.05)
            self._nudge()

    def _nudge(self) -> None:
        """The story's clock stands still; what is tried again needs it to go on."""
        assert self._moment is not None
        self._move_to(self._moment + timedelta(milliseconds=50))

    def _read_heads(self, stream: str) -> None:
        for place, party in ((self.home, "xlsc"), *((self.abroad, who) for who in self._residents)):
            try:
                head = place.clients[party].head(stream)
            except Refused:
                continue
            if head is not None:
                place.heads[stream] = head

    def bill_abroad(self) -> Json | None:
        """The bill as whoever of Singapore may see its holder sees it."""
        for party in sorted(self._residents):
            try:
                bill: Json = self.abroad.clients[party].get(f"/v1/bills/{self.bill}")
            except Refused:
                continue
            if "control" in bill:
                return bill
        return None


def _crosses(recipient: str | None) -> bool:
    return recipient is not None and ":" in recipient
