"""Bundles to be tampered with, and how to tell what has caught it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bol_service.crypto import strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.ledger.entry import Entry, stream_tag
from bol_service.verification.report import Check, Outcome, Report
from bol_service.verification.trust import Trust
from bol_service.verification.verifier import verify
from bol_service.wire.events import decode
from tests import minimal_bill

Json = dict[str, Any]
MINIMAL_ENTRIES = 10


@dataclass(frozen=True, kw_only=True)
class Case:
    """A world with two bills; `content` is the first one's bundle, `other` the second one's."""

    world: minimal_bill.MinimalWorld
    trust: Trust
    content: bytes
    earlier: bytes
    other: bytes
    now: datetime

    @property
    def value(self) -> Json:
        parsed: Json = json.loads(self.content)
        return parsed

    def judge(self, content: bytes | Json) -> Report:
        raw = content if isinstance(content, bytes) else strictjson.canonical(content)
        return verify(raw, self.trust, self.now)


def one_bill(folder: Path) -> Iterator[Case]:
    """One bill and nothing else in the log."""
    with minimal_bill.build(folder) as world:
        content = world.bundle(world.issue())
        yield Case(
            world=world,
            trust=world.trust(),
            content=content,
            earlier=content,
            other=content,
            now=datetime.now(UTC),
        )


def two_bills(folder: Path) -> Iterator[Case]:
    """Two bills of an ES256 carrier; the first one's bundle before and after the second."""
    with minimal_bill.build(folder, Algorithm.ES256) as world:
        first = world.issue(0)
        earlier = world.bundle(first)
        second = world.issue(1)
        yield Case(
            world=world,
            trust=world.trust(),
            content=world.bundle(first),
            earlier=earlier,
            other=world.bundle(second),
            now=datetime.now(UTC),
        )


def caught_by(report: Report) -> tuple[Check, str]:
    """Check and code of the first finding that is not VALID; an INVALID one must be the last."""
    finding = next(found for found in report.findings if found.outcome is not Outcome.VALID)
    assert finding.outcome is Outcome.UNKNOWN or finding is report.findings[-1], report.findings
    return finding.check, finding.code


def placeholder(shown: Json) -> Json:
    event = decode(shown["event"]).event
    entry = Entry(event=shown["event"], recorded_at=shown["recordedAt"])
    return {
        "digest": entry.digest.hex(),
        "index": shown["index"],
        "proof": shown["proof"],
        "sequence": event.sequence,
        "tag": stream_tag(event.stream).hex(),
    }
