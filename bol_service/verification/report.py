"""What a verification found: named checks with an outcome each, and one verdict.

A check is VALID, INVALID or UNKNOWN. UNKNOWN (no trust file, an unknown version, a missing witness)
never counts as valid and never as forged. Codes of findings are stable.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

FORGED = "Do not rely on this file. Ask its sender for a fresh one and tell the platform."
ASK_AGAIN = "Ask the platform, or the holder, for a fresh file."


class Stop(Exception):  # noqa: N818 - ends the steps, is no error of ours
    """A step failed on which all later ones rest; the report already says which."""


class Outcome(StrEnum):
    VALID = "VALID"
    INVALID = "INVALID"
    UNKNOWN = "UNKNOWN"


class Check(StrEnum):
    """The numbered steps of the verifier, in their order."""

    FILE = "file"
    TRUST = "trust"
    CHECKPOINT = "checkpoint"
    INCLUSION = "inclusion"
    STREAMS = "streams"
    SIGNATURES = "signatures"
    LAW = "law"
    DOCUMENT = "document"
    STATEMENT = "statement"
    PEERS = "peers"
    CURRENCY = "currency"


class Verdict(StrEnum):
    CURRENT = "GENUINE AND CURRENT"
    ENDED = "GENUINE, ENDED"
    NOT_KNOWN_CURRENT = "GENUINE, NOT KNOWN TO BE CURRENT"
    NOT_GENUINE = "NOT GENUINE"
    CANNOT_SAY = "CANNOT SAY"


VERDICT_ZH = {
    Verdict.CURRENT: "真实且现行有效",
    Verdict.ENDED: "真实,已终结",
    Verdict.NOT_KNOWN_CURRENT: "真实,是否现行有效未知",
    Verdict.NOT_GENUINE: "不真实",
    Verdict.CANNOT_SAY: "无法判断",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    check: Check
    outcome: Outcome
    code: str
    message: str
    next_step: str = ""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """One act in the file: who signed what, when, with which key."""

    index: int
    stream: str
    action: str
    actor: str
    name: str
    at: datetime
    recorded_at: datetime
    kid: str


@dataclass(frozen=True, kw_only=True)
class Title:
    """What the file proves, or for a partial file what the platform states."""

    origin: str
    bill: str
    reference: str | None
    status: str
    possessor: str | None
    title_holder: str | None
    is_blank: bool
    as_of: datetime
    replayed: bool


@dataclass(kw_only=True)
class Report:
    findings: list[Finding] = field(default_factory=list)
    signed: list[Signed] = field(default_factory=list)
    title: Title | None = None
    verdict: Verdict = Verdict.CANNOT_SAY
    demo: bool = False

    def valid(self, check: Check, code: str, message: str) -> None:
        self.findings.append(
            Finding(check=check, outcome=Outcome.VALID, code=code, message=message)
        )

    def invalid(self, check: Check, code: str, message: str, next_step: str) -> None:
        self.findings.append(
            Finding(
                check=check,
                outcome=Outcome.INVALID,
                code=code,
                message=message,
                next_step=next_step,
            )
        )

    def unknown(self, check: Check, code: str, message: str, next_step: str) -> None:
        self.findings.append(
            Finding(
                check=check,
                outcome=Outcome.UNKNOWN,
                code=code,
                message=message,
                next_step=next_step,
            )
        )

    def has(self, outcome: Outcome) -> bool:
        return any(finding.outcome is outcome for finding in self.findings)

    def to_value(self) -> dict[str, Any]:
        """The report as JSON value; times are RFC 3339 UTC."""
        value: dict[str, Any] = {
            "verdict": self.verdict,
            "verdictZh": VERDICT_ZH[self.verdict],
            "demo": self.demo,
            "findings": [
                {
                    "check": finding.check,
                    "outcome": finding.outcome,
                    "code": finding.code,
                    "message": finding.message,
                    "nextStep": finding.next_step,
                }
                for finding in self.findings
            ],
            "signed": [
                {
                    "index": signed.index,
                    "stream": signed.stream,
                    "action": signed.action,
                    "actor": signed.actor,
                    "name": signed.name,
                    "at": signed.at.isoformat(),
                    "recordedAt": signed.recorded_at.isoformat(),
                    "kid": signed.kid,
                }
                for signed in self.signed
            ],
        }
        if self.title is not None:
            value["title"] = {
                "origin": self.title.origin,
                "bill": self.title.bill,
                "transportDocumentReference": self.title.reference,
                "status": self.title.status,
                "possessor": self.title.possessor,
                "titleHolder": self.title.title_holder,
                "inBlank": self.title.is_blank,
                "asOf": self.title.as_of.isoformat(),
                "replayed": self.title.replayed,
            }
        return value
