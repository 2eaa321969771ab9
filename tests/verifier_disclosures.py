"""Disclosed fields for two engines: genuine ones, what a forger makes of them, and what is no such
file at all.

The tables of forgeries are those of the Python engine's own tests; here each becomes a question,
with the evidence that it is shown beside. Nothing here says what the answer is.
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bol_service.crypto import base64url, strictjson
from bol_service.verification.disclosure import verify
from bol_service.verification.trust import read_trust
from bol_service.wire.disclosure import Disclosed
from bol_service.wire.disclosure_selection import select
from tests import verifier_cases
from tests.bundle_case import placeholder
from tests.disclosed_bill import (
    DisclosingWorld,
    commit,
    joined,
    payload_of,
    signed_anew,
    texts,
)
from tests.disclosure_forgeries import (
    COMMITTED,
    FORGERIES,
    Scene,
    after_the_issue,
    before_the_issue,
    committed,
)
from tests.minimal_bill import CARRIER, SHIPPER
from tests.node_verifier import ask, instant, milliseconds, trust_file
from tests.spec.test_disclosure import DISCLOSURES, PAYLOADS, TEXTS

Json = dict[str, Any]
SEED = 20270308


@dataclass(frozen=True, kw_only=True)
class Question:
    """Disclosed fields, the evidence beside them, what is trusted, and the reader's clock."""

    name: str
    fields: bytes
    evidence: bytes | None
    trust: bytes | None
    now: datetime

    def line(self) -> Json:
        evidence = self.evidence
        return {
            "fields": base64.b64encode(self.fields).decode(),
            "bundle": None if evidence is None else base64.b64encode(evidence).decode(),
            "trust": None if self.trust is None else self.trust.decode(),
            "now": milliseconds(self.now),
        }


def ours(question: Question) -> Json:
    """What the Python engine says, in the words of the runner."""
    trust = None if question.trust is None else read_trust(question.trust)
    report = verify(question.fields, question.evidence, trust, question.now)
    until, told = report.current_until, report.presentation
    return {
        "verdict": str(report.verdict),
        "demo": trust is not None and trust.demo,
        "findings": [
            [str(found.step), str(found.outcome), found.code] for found in report.findings
        ],
        "fields": [
            [found.pointer, strictjson.canonical(found.value).decode(), str(found.outcome)]
            for found in report.fields
        ],
        "undisclosed": None if told is None else told.hidden,
        "currentUntil": None if until is None else instant(until),
        "evidence": None if report.evidence is None else str(report.evidence.verdict),
    }


def compared(questions: list[Question], *options: str) -> tuple[list[Json], list[str]]:
    """Python's answers, and a line for each question to which the other engine says otherwise."""
    here = [ours(question) for question in questions]
    there = ask([question.line() for question in questions], "--cases", *options)
    pairs = zip(questions, here, there, strict=True)
    return here, [f"{asked.name}: {one} but {other}" for asked, one, other in pairs if one != other]


class Asking:
    """Makes questions of a scene at one moment, each with the same evidence unless told."""

    def __init__(self, scene: Scene, now: datetime) -> None:
        self.scene = scene
        self.now = now
        self.whole = scene.evidence()
        self.issue = scene.issue_only()
        self.trust = trust_file(scene.trust)

    def question(self, name: str, text: str | bytes, **changes: Any) -> Question:
        content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        usual = {"evidence": self.issue, "trust": self.trust, "now": self.now}
        return Question(name=name, fields=content, **{**usual, **changes})

    def signed(self, payload: Json, *pieces: str) -> str:
        return joined(signed_anew(payload, self.scene.world.signers[CARRIER]), *pieces)

    # -- genuine files, and everything beside them -------------------------------------------------

    def genuine(self) -> Iterator[Question]:
        full = self.scene.full
        for words in (["customs"], ["terminal"], ["hs", "seals"], ["price", "/documentParties"]):
            text = select(full, words).to_text()
            yield self.question(f"{words} beside ISSUE", text)
            yield self.question(f"{words} beside all", text, evidence=self.whole)
        yield self.question("everything", full.to_text(), evidence=self.whole)
        yield self.question("a line feed after it", full.to_text() + "\n")
        yield self.question("two line feeds after it", full.to_text() + "\n\n")
        yield self.question("nothing", full.only(lambda _: False).to_text())

    def besides(self) -> Iterator[Question]:
        text, scene = select(self.scene.full, ["customs"]).to_text(), self.scene
        forged = self.whole.replace(b'"recordedAt":"2', b'"recordedAt":"3', 1)
        value = json.loads(self.issue)
        stranger = trust_file(scene.trust, origin="demo.x/y")
        for name, changes in {
            "no evidence": {"evidence": None},
            "forged evidence": {"evidence": forged},
            "evidence of another bill": {"evidence": scene.evidence(scene.other)},
            "evidence of a bill without a commitment": {"evidence": scene.evidence(scene.bare)},
            "no file for evidence": {"evidence": b"{}"},
            "evidence of a later version": {
                "evidence": strictjson.canonical({**value, "v": 2}),
            },
            "no trust file": {"trust": None},
            "another platform's trust file": {"trust": stranger},
            "old evidence": {"now": self.now + timedelta(minutes=11)},
            "evidence of tomorrow": {"now": self.now - timedelta(days=1)},
        }.items():
            yield self.question(name, text, **changes)
            yield self.question(f"{name}, for a broken file", text[:-2], **changes)
        yield self.question("ISSUE is hidden", text, evidence=self._without_issue())
        document = scene.world.running.services.queries.bill_document(scene.bare, SHIPPER)
        made = commit(document.content, scene.world.signers[CARRIER])
        bare = scene.evidence(scene.bare)
        yield self.question("no commitment", made.to_text(), evidence=bare)

    def _without_issue(self) -> bytes:
        value = json.loads(self.issue)
        *before, issue = value["entries"]
        return strictjson.canonical({**value, "entries": [*before, placeholder(issue)]})

    # -- forgeries ---------------------------------------------------------------------------------

    def forgeries(self) -> Iterator[Question]:
        for row in FORGERIES:
            forge: Callable[[Scene], str] = row.values[0]
            text = forge(self.scene)
            yield self.question(f"{row.id}, beside ISSUE", text)
            yield self.question(f"{row.id}, beside all", text, evidence=self.whole)

    def texts(self) -> Iterator[Question]:
        text = self.scene.full.to_text()
        for row in TEXTS:
            yield self.question(str(row.id), row.values[0](text))

    def payloads(self, count: int) -> Iterator[Question]:
        payload, pieces = payload_of(self.scene.full), texts(self.scene.full)
        for row in PAYLOADS:
            changed = {name: one for name, one in (payload | row.values[0]).items() if one}
            yield self.question(str(row.id), self.signed(changed, *pieces))
        for name, where in {
            "longer": f"{payload['statusAt']}x",
            "a line": f"{payload['statusAt']}\n",
        }.items():
            changed = payload | {"statusAt": where}
            yield self.question(f"statusAt with {name}", self.signed(changed, *pieces))
        for name, digests in {
            "turned round": payload["_sd"][::-1],
            "doubled": sorted(payload["_sd"] * 2),
        }.items():
            yield self.question(f"_sd {name}", self.signed(payload | {"_sd": digests}))
        spaced = signed_anew(
            self.scene.full.signed.payload + b" ", self.scene.world.signers[CARRIER]
        )
        yield self.question("a blank after the payload", joined(spaced))
        for version in (2, "1", [1], {}, True, None, 0, -1):
            changed = payload | {"v": version}
            yield self.question(f"version {version!r}", self.signed(changed, *pieces))
        made = list(verifier_cases.mutants({**payload, "_sd": payload["_sd"][:2]}))
        for name, changed in random.Random(SEED).sample(made, min(count, len(made))):
            raw = verifier_cases.written(changed)
            signed = signed_anew(raw, self.scene.world.signers[CARRIER])  # type: ignore[arg-type]
            yield self.question(f"payload{name}", joined(signed))

    def pieces(self, count: int) -> Iterator[Question]:
        for row in DISCLOSURES:
            yield self.committing(str(row.id), *row.values[0])
        chance = random.Random(SEED)
        for number in range(count):
            piece = chance.choice(self.scene.full.disclosed)
            value = strictjson.loads_document(base64url.decode(piece.text))
            made = list(verifier_cases.mutants({"piece": value}))
            name, changed = chance.choice(made)
            raw = verifier_cases.written(changed.get("piece"))
            yield self.committing(f"{number}: {piece.pointer}{name}", base64url.encode(raw))

    def committing(self, name: str, *made: str) -> Question:
        """A file of the carrier that commits to exactly these disclosures."""
        found = [Disclosed(pointer="", value=None, text=text) for text in made]
        found.sort(key=lambda piece: piece.digest)
        digests = sorted({piece.digest for piece in found})
        payload = payload_of(self.scene.full) | {"_sd": digests}
        return self.question(name, self.signed(payload, *(piece.text for piece in found)))

    def flips(self, count: int) -> Iterator[Question]:
        content = select(self.scene.full, ["hs"]).to_text().encode()
        chance = random.Random(SEED)
        for _ in range(count):
            place, bit = chance.randrange(len(content)), chance.randrange(8)
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            yield self.question(f"bit {bit} of byte {place} turned", bytes(changed))


def committed_to(world: DisclosingWorld, now: Callable[[], datetime]) -> Iterator[Question]:
    """What a carrier might commit to where its platform does not look; see `careless`."""
    for row in COMMITTED:
        yield _last(world, str(row.id), committed(world, row.values[0]), now)
    yield _last(world, "signed before the issue", committed(world, before_the_issue(world)), now)
    yield _last(world, "signed after the issue", after_the_issue(world), now)


def _last(world: DisclosingWorld, name: str, text: str, now: Callable[[], datetime]) -> Question:
    """With the evidence of the bill that was issued last."""
    return Question(
        name=name,
        fields=text.encode(),
        evidence=world.bundle(list(world.disclosures)[-1]),
        trust=trust_file(world.trust()),
        now=now(),
    )
