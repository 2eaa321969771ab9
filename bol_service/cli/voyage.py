"""Plays a voyage from a script of signed acts: `seeds/demo/voyage.json`.

The script tells, in scenario time, who signs what on which stream and what must come of it:
recorded, or refused with a code. Playing it means sending real signed events over HTTP, each by its
party's own key.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bol_service.cli.voyage_script import Script
from bol_service.cli.voyage_values import Values
from bol_service.client import Client, Refused
from bol_service.crypto import base64url
from bol_service.crypto.signers import Signer
from bol_service.domain.states import Head
from bol_service.wire import drafting

RECORDED = "recorded"
OPERATOR = "operator"
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Played:
    """One line of the time line. `result` is `recorded`, a refusal's code, or a release answer."""

    step: str
    at: datetime
    actor: str
    action: str
    en: str
    zh: str
    expected: str
    result: str
    background: bool

    @property
    def as_expected(self) -> bool:
        return self.result == self.expected


@dataclass(frozen=True, kw_only=True)
class Place:
    """One platform of the story: its parties' connections, and the heads of its streams."""

    origin: str
    clients: dict[str, Client]
    heads: dict[str, Head] = field(default_factory=dict)

    def signer(self, slug: str) -> Signer:
        signer = self.clients[slug].signer
        assert signer is not None
        return signer


class Voyage:
    """Plays a script against one platform.

    `set_clock` moves the demonstration's clock; None lets it run with the system's again.
    """

    def __init__(
        self,
        script: Script,
        *,
        base_url: str,
        origin: str,
        platform_code: str,
        signers: Mapping[str, Signer],
        set_clock: Callable[[datetime | None], None],
    ) -> None:
        self._script = script
        self._code = platform_code
        self._set_clock = set_clock
        self._moment: datetime | None = script.when(script.voyage["begins"])
        self.home = self._place(base_url, origin, signers)
        code = base64url.encode(secrets.token_bytes(16))
        self.saved: dict[str, Any] = {
            "code": code,
            "codeHash": hashlib.sha256(code.encode("ascii")).hexdigest(),
        }
        for name in script.voyage["shipments"]:
            self.saved[name] = drafting.uuid7(self.now())
        self.values = Values(
            script,
            self.saved,
            platform_code=platform_code,
            now=self.now,
            signer=self.home.signer,
        )

    @property
    def bill(self) -> str:
        """The id of the bill that the story is about, once it is issued."""
        return str(self.saved[self._script.voyage["bill"]]["checksum"])

    @property
    def clients(self) -> dict[str, Client]:
        return self.home.clients

    def now(self) -> datetime:
        """The moment of the story, or the system's time when it is over."""
        return self._moment or datetime.now(UTC)

    # -- the cast --------------------------------------------------------------------------------

    def open(self) -> None:
        """The operator opens the log; every party is registered and accepts the rulebook."""
        self._move_to(self._script.when(self._script.voyage["begins"]))
        rulebook = self.clients[OPERATOR].request("GET", "/rulebook", None, None, None).content
        digest = hashlib.sha256(rulebook).hexdigest()
        self._enrol(self.home, self._cast_at_home(), digest)
        self.saved["rulebook"] = digest

    def _cast_at_home(self) -> list[Json]:
        """Who is registered directly; see `cli.border_voyage`."""
        return self._script.parties

    def _enrol(self, place: Place, parties: list[Json], rulebook: str) -> None:
        """Register these parties; each accepts the rulebook."""
        for party in parties:
            self._register(place, party)
        for party in parties:
            slug = party["party"]
            stream = f"party:{slug}"
            self._deliver(place, slug, "ACCEPT_RULEBOOK", stream, {"rulebook": rulebook})

    def _register(self, place: Place, party: Json) -> None:
        slug, identity = party["party"], party["identity"]
        signer = place.signer(slug)
        proof = drafting.prove_key(signer, origin=place.origin, party=slug, identity=identity)
        details = {**proof, "identity": identity, "roles": party["roles"]}
        for optional in ("carrierCode", "facilities"):
            if optional in party:
                details[optional] = party[optional]
        self._deliver(place, OPERATOR, "REGISTER", f"party:{slug}", details)

    # -- the acts --------------------------------------------------------------------------------

    def play(self) -> Iterator[Played]:
        """Play every step; yields a line per act, also when the result is a surprise."""
        for step in self._script.voyage["steps"]:
            self._move_to(self._script.when(step["at"]))
            if "upload" in step:
                self._upload(step)
            elif "check" in step:
                yield self._line(step, "release-check", self._check(step))
            elif "race" in step:
                yield self._line(step, step["race"][0]["action"], self._race(step))
            else:
                yield self._line(step, step["action"], self._act(step))
        self._moment = None
        self._set_clock(None)

    def _line(self, step: Json, action: str, result: str) -> Played:
        return Played(
            step=step["step"],
            at=self.now(),
            actor=step["actor"],
            action=action,
            en=step.get("en", ""),
            zh=step.get("zh", ""),
            expected=step.get("expect", RECORDED),
            result=result,
            background=step.get("background", False),
        )

    def _act(self, step: Json) -> str:
        stream = self.values.text(step["stream"])
        try:
            details = self.values.details(step, stream)
            receipt = self._send(
                step["actor"],
                step["action"],
                stream,
                details,
                recipient=step.get("recipient"),
                signer=step.get("signer"),
            )
        except Refused as refused:
            return refused.code
        if "save" in step:
            self.saved[step["save"]] = receipt
        return RECORDED

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
        """Where an act goes when it is clear who acts on what; see `cli.border_voyage`."""
        return self._deliver(self.home, actor, action, stream, details, recipient, signer)

    def _deliver(
        self,
        place: Place,
        actor: str,
        action: str,
        stream: str,
        details: Json,
        recipient: str | None = None,
        signer: str | None = None,
    ) -> Json:
        event = drafting.payload(
            action=action,
            actor=actor,
            at=self.now(),
            audience=place.origin,
            stream=stream,
            after=place.heads.get(stream),
            details=details,
            recipient=recipient,
        )
        compact = drafting.sign(event, place.signer(signer or actor))
        receipt = place.clients[actor].send(compact)
        place.heads[stream] = Head(sequence=receipt["sequence"], digest=receipt["head"])
        return receipt

    def _place(self, base_url: str, origin: str, signers: Mapping[str, Signer]) -> Place:
        clients = {
            slug: Client(base_url=base_url, origin=origin, party=slug, signer=signer, now=self.now)
            for slug, signer in signers.items()
        }
        return Place(origin=origin, clients=clients)

    def _where(self, actor: str, stream: str) -> Place:
        """The platform on which the party acts on the stream."""
        return self.home

    def _race(self, step: Json) -> str:
        """Two acts on one head at the same moment; exactly one may be recorded."""
        stream = self.values.text(step["race"][0]["stream"])
        results: list[str] = ["", ""]
        barrier = threading.Barrier(2)
        place = self._where(step["actor"], stream)
        head = place.heads.get(stream)

        def run(number: int, act: Json) -> None:
            event = drafting.payload(
                action=act["action"],
                actor=step["actor"],
                at=self.now(),
                audience=place.origin,
                stream=stream,
                after=head,
                details=act["details"],
                recipient=act["recipient"],
            )
            compact = drafting.sign(event, place.signer(step["actor"]))
            barrier.wait()
            try:
                receipt = place.clients[step["actor"]].send(compact)
                place.heads[stream] = Head(sequence=receipt["sequence"], digest=receipt["head"])
                results[number] = RECORDED
            except Refused as refused:
                results[number] = refused.code

        threads = [
            threading.Thread(target=run, args=(number, act))
            for number, act in enumerate(step["race"])
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if sorted(results) != sorted([RECORDED, step["expect"]]):
            return " and ".join(results)
        if results[1] == RECORDED:
            # The other one won: it refuses, and the first act is done again, alone.
            self._act({**step["undo"], "step": step["step"], "at": step["at"]})
            self._act({**step["race"][0], "actor": step["actor"]})
        return str(step["expect"])

    def _check(self, step: Json) -> str:
        client = self._at_the_gate(step["actor"])
        answer = client.get(f"/v1/containers/{step['check']}/release-check")
        expected = "RELEASE" if step["expect"] == "release" else "DO NOT RELEASE"
        return str(answer["code"]) if answer["answer"] == expected else str(answer["answer"])

    def _at_the_gate(self, actor: str) -> Client:
        """The party's connection to the platform that it asks at its gate."""
        return self.clients[actor]

    def _upload(self, step: Json) -> None:
        content = json.dumps(self.values.document(step["upload"]), ensure_ascii=False).encode(
            "utf-8"
        )
        uploaded = self.clients[step["actor"]].upload(content, step["kind"])
        self.saved[step["save"]] = uploaded

    def _move_to(self, moment: datetime) -> None:
        self._moment = moment
        self._set_clock(moment)
