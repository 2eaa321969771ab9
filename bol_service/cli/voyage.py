"""Plays a voyage from a script of signed acts: `seeds/demo/voyage.json`.

The script tells, in scenario time, who signs what on which stream and what must come of it:
recorded, or refused with a code. Playing it means sending real signed events over HTTP, each by its
party's own key. All times are shifted so that the voyage ends at a chosen moment.

Script values: `${name.member}` is something saved before; `{"$date": T}` the local date and
`{"$time": T}` the UTC instant of the shifted scenario time T; `$draft`, `$issued`, `$instructions`
and `$issue` build documents and the details of ISSUE.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from bol_service.cli.client import Client, Refused
from bol_service.crypto import base64url
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, Signer, generate
from bol_service.domain.states import Head
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import issue_to_checksum

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


@dataclass(kw_only=True)
class Script:
    """The script and its cast, with times shifted to end in the 24 hours before `ends` (aware)."""

    folder: Path
    ends: datetime
    voyage: Json = field(init=False)
    parties: list[Json] = field(init=False)
    document: Json = field(init=False)
    shift: timedelta = field(init=False)

    def __post_init__(self) -> None:
        self.voyage = _read(self.folder / "voyage.json")
        self.parties = _read(self.folder / "parties.json")
        self.document = _read(self.folder / "document.json")
        # By whole days: the dates on documents are local dates, and acts that the story has on one
        # day must not come to lie on both sides of midnight.
        whole = (self.ends - self._scenario(self.voyage["ends"])) // timedelta(days=1)
        self.shift = timedelta(days=whole)

    def when(self, text: str) -> datetime:
        """The shifted moment of a scenario time such as `2027-03-05T07:00`."""
        return (self._scenario(text) + self.shift).astimezone(self.zone)

    @property
    def zone(self) -> tzinfo:
        """The zone of the story's places, in which all its local dates are."""
        zone = datetime.fromisoformat(f"2000-01-01T00:00{self.voyage['zone']}").tzinfo
        assert zone is not None
        return zone

    def _scenario(self, text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=self.zone)


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
        stream = self._text(step["stream"])
        try:
            details = self._details(step, stream)
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
        stream = self._text(step["race"][0]["stream"])
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

    # -- values ----------------------------------------------------------------------------------

    def _details(self, step: Json, stream: str) -> Json:
        details: Json = self._value(step.get("details", {}))
        if "$issue" in details:
            details = self._issue(details, step.get("signer") or step["actor"])
        if stream.startswith("custody:"):
            local = self.now().astimezone(self._script.zone)
            details.setdefault("occurredAt", instant_text(local))
            details.setdefault("localDate", local.date().isoformat())
        return details

    def _issue(self, details: Json, signer: str) -> Json:
        uploaded = self.saved[details.pop("$issue")]
        slug = details["issueTo"]
        party = next(entry for entry in self._script.parties if entry["party"] == slug)
        issue_to_party = {
            "identifyingCodes": [
                {
                    "codeListName": f"{self._code}-PARTY",
                    "codeListProvider": "ZZZ",
                    "partyCode": slug,
                }
            ],
            "partyName": party["identity"]["legalName"],
            "sendToPlatform": self._code,
        }
        manifest = drafting.issuance_manifest(
            self.home.signer(signer),
            document_checksum=uploaded["checksum"],
            issue_to_checksum=issue_to_checksum(issue_to_party),
        )
        return {
            **details,
            "contentDigest": uploaded["contentDigest"],
            "receivedBytes": uploaded["digest"],
            "issuanceManifestSignedContent": manifest,
            "issueToParty": issue_to_party,
            "parties": {"shipper": "yunling", "titleHolder": "yunling", "notify": ["straits"]},
            "rulebook": self.saved["rulebook"],
        }

    def _upload(self, step: Json) -> None:
        content = json.dumps(self._document(step["upload"]), ensure_ascii=False).encode("utf-8")
        uploaded = self.clients[step["actor"]].upload(content, step["kind"])
        self.saved[step["save"]] = uploaded

    def _document(self, wanted: Json) -> Json:
        if "$instructions" in wanted:
            return {"shippingInstructionsReference": wanted["$instructions"]}
        changes: Json = wanted["$draft"] if "$draft" in wanted else wanted["$issued"]
        document: Json = self._value(deepcopy(self._script.document))
        _change(document, changes)
        if "$draft" in wanted:
            document["transportDocumentStatus"] = "DRAFT"
            for member in ("issueDate", "receivedForShipmentDate"):
                del document[member]
        return document

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            if "$date" in value:
                return self._script.when(value["$date"]).date().isoformat()
            if "$time" in value:
                return instant_text(self._script.when(value["$time"]))
            return {name: self._value(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self._value(member) for member in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        return re.sub(r"\$\{([^}]+)\}", lambda found: self._saved(found[1]), text)

    def _saved(self, path: str) -> str:
        value: Any = self.saved
        for name in path.split("."):
            value = value[name]
        return str(value)

    def _move_to(self, moment: datetime) -> None:
        self._moment = moment
        self._set_clock(moment)


def make_signers(script: Script) -> dict[str, LocalSigner]:
    """A fresh key for every party of the cast, in the algorithm that the script names."""
    return {
        party["party"]: LocalSigner(generate(Algorithm(party["alg"]))) for party in script.parties
    }


def _change(document: Json, changes: Json) -> None:
    """Make of the voyage's document another bill: number, booking, containers, one weight."""
    item = document["consignmentItems"][0]
    if "number" in changes:
        document["transportDocumentReference"] = changes["number"]
    if "booking" in changes:
        item["carrierBookingReference"] = changes["booking"]
    if "containers" in changes:
        item["cargoItems"] = item["cargoItems"][: len(changes["containers"])]
        equipment = document["utilizedTransportEquipments"][: len(changes["containers"])]
        document["utilizedTransportEquipments"] = equipment
        for number, container in enumerate(changes["containers"]):
            item["cargoItems"][number]["equipmentReference"] = container
            equipment[number]["equipment"]["equipmentReference"] = container
    if "grossWeight" in changes:
        container, kilograms = changes["grossWeight"]
        for cargo_item in item["cargoItems"]:
            if cargo_item["equipmentReference"] == container:
                cargo_item["cargoGrossWeight"]["value"] = kilograms


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
