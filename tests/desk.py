"""One desk at which tests sign for a whole cast: keys, heads of streams, and events to sign.

The story stands still at `STORY`, so that every run is the same: put it on the service's clock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, Signer, generate
from bol_service.domain.states import Head
from bol_service.ledger.receipt import Receipt
from bol_service.wire import drafting

ORIGIN = "demo.cq.example/ebl"
STORY = datetime(2027, 3, 1, 4, 0, tzinfo=UTC)
LOCAL_DATE = "2027-03-01"
SEEDS = Path(__file__).parent.parent / "seeds" / "demo"
CAST = (
    *("operator", "yunling", "xlsc", "wrail", "guoyuan", "qinzhou", "sgterm"),
    *("qiaolian", "bankcq", "banksg", "straits"),
)
Json = dict[str, Any]


@cache
def roll() -> dict[str, Json]:
    """What each party of the cast is registered with."""
    parties = json.loads((SEEDS / "parties.json").read_text(encoding="utf-8"))
    return {party["party"]: party for party in parties}


def fresh_signers() -> dict[str, LocalSigner]:
    return {slug: LocalSigner(generate(Algorithm(roll()[slug]["alg"]))) for slug in CAST}


@dataclass(kw_only=True)
class Desk:
    """`heads` holds what `note` was told; streams that are not in it are opened."""

    signers: Mapping[str, Signer] = field(default_factory=fresh_signers)
    heads: dict[str, Head] = field(default_factory=dict)
    at: datetime = STORY

    def event(
        self,
        actor: str,
        action: str,
        stream: str,
        details: Mapping[str, Any] | None = None,
        *,
        recipient: str | None = None,
    ) -> str:
        """The signed event that would continue `stream`."""
        payload = drafting.payload(
            action=action,
            actor=actor,
            at=self.at,
            audience=ORIGIN,
            stream=stream,
            after=self.heads.get(stream),
            details=details,
            recipient=recipient,
        )
        return drafting.sign(payload, self.signers[actor])

    def transfer(self, bill: str, actor: str, recipient: str) -> str:
        return self.event(actor, "TRANSFER", f"bill:{bill}", recipient=recipient)

    def note(self, receipt: Receipt) -> None:
        """The event of `receipt` is its stream's last."""
        self.heads[receipt.stream] = Head(sequence=receipt.sequence, digest=receipt.head)
