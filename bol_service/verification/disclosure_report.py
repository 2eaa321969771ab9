"""What a verification of disclosed fields found: steps, fields, and the evidence's own verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NoReturn

from bol_service.verification.report import FORGED, VERDICT_ZH, Outcome, Report, Stop, Verdict
from bol_service.wire.disclosure import Presentation
from bol_service.wire.event_fields import instant_text


class Step(StrEnum):
    FILE = "file"
    EVIDENCE = "evidence"
    BILL = "bill"
    COMMITMENT = "commitment"
    SIGNATURE = "signature"
    DOCUMENT = "document"


@dataclass(frozen=True, kw_only=True)
class StepFinding:
    step: Step
    outcome: Outcome
    code: str
    message: str
    next_step: str = ""


@dataclass(frozen=True, kw_only=True)
class FieldFinding:
    """One disclosed piece: what it says, and whether the carrier said so."""

    pointer: str
    value: object
    outcome: Outcome


@dataclass(kw_only=True)
class DisclosureReport:
    """`current_until`: when the evidence will be too old to call the bill's status current."""

    findings: list[StepFinding] = field(default_factory=list)
    fields: list[FieldFinding] = field(default_factory=list)
    presentation: Presentation | None = None
    evidence: Report | None = None
    current_until: datetime | None = None
    verdict: Verdict = Verdict.CANNOT_SAY

    def valid(self, step: Step, code: str, message: str) -> None:
        self.findings.append(
            StepFinding(step=step, outcome=Outcome.VALID, code=code, message=message)
        )

    def invalid(self, step: Step, code: str, message: str) -> NoReturn:
        """Ends the steps: raises Stop."""
        self._end(step, Outcome.INVALID, code, message, FORGED)

    def unknown(self, step: Step, code: str, message: str, next_step: str) -> NoReturn:
        """Ends the steps: raises Stop."""
        self._end(step, Outcome.UNKNOWN, code, message, next_step)

    def _end(
        self, step: Step, outcome: Outcome, code: str, message: str, next_step: str
    ) -> NoReturn:
        self.findings.append(
            StepFinding(step=step, outcome=outcome, code=code, message=message, next_step=next_step)
        )
        raise Stop

    def to_value(self) -> dict[str, Any]:
        """The report as JSON value; times are RFC 3339 UTC."""
        value: dict[str, Any] = {
            "verdict": self.verdict,
            "verdictZh": VERDICT_ZH[self.verdict],
            "findings": [
                {
                    "check": found.step,
                    "outcome": found.outcome,
                    "code": found.code,
                    "message": found.message,
                    "nextStep": found.next_step,
                }
                for found in self.findings
            ],
            "fields": [
                {"pointer": found.pointer, "value": found.value, "outcome": found.outcome}
                for found in self.fields
            ],
        }
        if self.presentation is not None:
            value |= _visible(self.presentation)
        if self.current_until is not None:
            value["currentUntil"] = instant_text(self.current_until)
        if self.evidence is not None:
            value["evidence"] = self.evidence.to_value()
        return value


def _visible(presentation: Presentation) -> dict[str, Any]:
    claims = presentation.claims
    return {
        "bill": claims.bill,
        "transportDocumentReference": claims.reference,
        "carrier": claims.carrier,
        "carrierCode": claims.carrier_code,
        "origin": claims.origin,
        "issuedAt": instant_text(claims.issued_at),
        "statusAt": claims.status_at,
        "undisclosed": presentation.hidden,
    }
