"""The same voyage across the border: the parties of Singapore hold the bill on their own platform.

The script stays as it is; `seeds/demo/border.json` says who acts abroad and which refusals come out
under another code there.

1. A party of Singapore acts on bills at Singapore. What Chongqing makes out to it names it
   `SGPX:slug`; booking, custody and delivery stay on the ledger of the platform of issue.
2. Terminal and customs of Singapore speak to Singapore only: it relays their applications and what
   they sign for Chongqing's ledger, and it answers at the gate from evidence of that ledger.
3. After an act that crosses the border the story waits until the other platform has signed, as a
   party would, and reads the heads again: the exchange desks have recorded in between.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bol_service.cli.voyage import OPERATOR, Place, Played, Voyage
from bol_service.cli.voyage_script import Script
from bol_service.client import Client, Refused
from bol_service.client_abroad import through
from bol_service.crypto.signers import Signer
from bol_service.wire import drafting

Json = dict[str, Any]
DESK = "desk"
PATIENCE_SECONDS = 30.0
IN_TRANSIT, MOVED = "IN_TRANSIT", "MOVED"


class NotSettled(RuntimeError):  # noqa: N818 - says what happened
    """The other platform did not sign in time."""


class BorderVoyage(Voyage):
    """`signers` has the key of Chongqing's exchange desk too, `signers_abroad` those of Singapore's
    operator and desk; its residents sign on both platforms with one key each. `silence` keeps
    Chongqing from answering."""

    def __init__(
        self,
        script: Script,
        border: Json,
        *,
        abroad_url: str,
        abroad_origin: str,
        signers_abroad: Mapping[str, Signer],
        silence: Callable[[], AbstractContextManager[None]],
        **home: Any,
    ) -> None:
        super().__init__(script, **home)
        self._silence = silence
        self._border = border
        self._residents = frozenset(border["residents"])
        self._custodians = frozenset(border["custodians"])
        there = self._residents | self._custodians
        signers = {slug: self.home.signer(slug) for slug in there}
        self.abroad = self._place(abroad_url, abroad_origin, {**signers, **signers_abroad})
        relayed: dict[str, Client] = {
            slug: through(self.abroad.clients[slug], origin=self.home.origin)
            for slug in self._custodians
        }
        self.relayed = Place(origin=self.home.origin, clients=relayed, heads=self.home.heads)

    # -- the cast --------------------------------------------------------------------------------

    def open(self) -> None:
        super().open()
        cast = {party["party"]: party for party in self._script.parties}
        there = self.abroad.clients[OPERATOR]
        rulebook = there.request("GET", "/rulebook", None, None, token=None).content
        digest = hashlib.sha256(rulebook).hexdigest()
        own = {"party": OPERATOR, **self._border["operator"]}
        there_too = [cast[slug] for slug in sorted(self._residents | self._custodians)]
        self._enrol(self.abroad, [own, *there_too], digest)
        for place, desk in ((self.home, "homeDesk"), (self.abroad, "abroadDesk")):
            self._register(place, {"party": DESK, "roles": ["EXCHANGE"], **self._border[desk]})
        for slug in sorted(self._custodians):
            self._apply(cast[slug], digest)

    def _cast_at_home(self) -> list[Json]:
        return [
            party for party in super()._cast_at_home() if party["party"] not in self._custodians
        ]

    def _apply(self, party: Json, rulebook: str) -> None:
        """Singapore relays the application; Chongqing's operator registers the party from it."""
        slug, identity = party["party"], party["identity"]
        signer = self.relayed.signer(slug)
        proof = drafting.prove_key(signer, origin=self.home.origin, party=slug, identity=identity)
        details = {**proof, "identity": identity, "roles": party["roles"]}
        if "facilities" in party:
            details["facilities"] = party["facilities"]
        application = {"platform": self._code, "party": slug, "details": details}
        self.abroad.clients[slug].post("/v1/abroad/registrations", application)
        waiting = self.home.clients[OPERATOR].get("/v1/abroad/applications")["items"]
        found = next(item for item in waiting if item["party"] == slug)
        self._deliver(self.home, OPERATOR, "REGISTER", f"party:{slug}", found["details"])
        stream, accepted = f"party:{slug}", {"rulebook": rulebook}
        self._deliver(self.relayed, slug, "ACCEPT_RULEBOOK", stream, accepted)

    # -- the acts --------------------------------------------------------------------------------

    def play(self) -> Iterator[Played]:
        expected: Json = self._border["expect"]
        for line in super().play():
            act = f"{line.step} {line.actor} {line.action}"
            yield line if act not in expected else replace(line, expected=expected[act])
            for step in self._border["checks"]:
                if step["after"] == act:
                    yield self._line(step, "release-check", self._asked(step))

    def _asked(self, step: Json) -> str:
        """The gate asks once more, perhaps while the platform of issue is silent."""
        with self._silence() if step.get("silent") else nullcontext():
            return self._check(step)

    def _at_the_gate(self, actor: str) -> Client:
        place = self.abroad if actor in self._custodians else self.home
        return place.clients[actor]

    def _where(self, actor: str, stream: str) -> Place:
        if actor in self._custodians and stream.startswith("custody:"):
            return self.relayed
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
