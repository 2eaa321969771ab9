"""Surrender as it is put to a carrier's system, and its answer (DCSA EBL_SUR 3.0).

The answer carries no signature: it is an instruction to the gateway, which signs SACC or SREJ with
the carrier's key. A rejection needs `comments`, because the signed SREJ states a reason; an ERROR
of `feedbackElements` takes its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from marshmallow import post_load

from bol_service.wire.dcsa_chain import Link, LinkSchema
from bol_service.wire.dcsa_issuance import one_line
from bol_service.wire.pint_forms import PintFormatError, load_body
from bol_service.wire.transport_document_fields import Code, Member, One, Several, Text
from bol_service.wire.transport_document_forms import TRIMMED
from bol_service.wire.transport_document_problem import Problem


class SurrenderCode(StrEnum):
    """SREQ for delivery, AREQ for amendment."""

    SREQ = "SREQ"
    AREQ = "AREQ"


class SurrenderAction(StrEnum):
    """SURR: accepted; SREJ: rejected."""

    SURR = "SURR"
    SREJ = "SREJ"


@dataclass(frozen=True, kw_only=True)
class SurrenderRequest:
    """`reference` is the digest of the signed surrender that is to be answered."""

    reference: str
    document: str
    sub_reference: str | None
    code: SurrenderCode
    chain: Sequence[Link]
    reason_code: str | None = None
    comments: str | None = None

    def to_json(self) -> dict[str, Any]:
        comments = None if self.comments is None else one_line(self.comments, 255)
        members = {
            "surrenderRequestReference": self.reference,
            "transportDocumentReference": self.document,
            "transportDocumentSubReference": self.sub_reference,
            "surrenderRequestCode": str(self.code),
            "reasonCode": self.reason_code,
            "comments": comments,
            "endorsementChain": [link.to_json(recipient_needed=True) for link in self.chain],
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class SurrenderAnswer:
    """`reason` is there for SREJ."""

    reference: str
    action: SurrenderAction
    reason: str | None


class SurrenderRequestSchema(Member):
    surrenderRequestReference = Text(100, TRIMMED, required=True)
    transportDocumentReference = Text(20, TRIMMED, required=True)
    transportDocumentSubReference = Text(100, TRIMMED)
    surrenderRequestCode = Code(*SurrenderCode, required=True)
    reasonCode = Text(4)
    comments = Text(255, TRIMMED)
    endorsementChain = Several(One(LinkSchema))


class FeedbackSchema(Member):
    severity = Text(50)
    message = Text(5000)
    propertyPath = Text(1000)


class SurrenderAnswerSchema(Member):
    surrenderRequestReference = Text(100, TRIMMED, required=True)
    action = Code(*SurrenderAction, required=True)
    comments = Text(255, TRIMMED)
    feedbackElements = Several(One(FeedbackSchema))

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> SurrenderAnswer:
        action = SurrenderAction(data["action"])
        return SurrenderAnswer(
            reference=data["surrenderRequestReference"],
            action=action,
            reason=_reason(data) if action is SurrenderAction.SREJ else None,
        )


def read_surrender_answer(body: bytes) -> SurrenderAnswer:
    """The body of POST /v3/ebl-surrender-responses; raises PintFormatError."""
    answer: SurrenderAnswer = load_body(SurrenderAnswerSchema, body)
    if answer.action is SurrenderAction.SREJ and answer.reason is None:
        message = "is missing; the rejection is signed with its reason, so say why"
        raise PintFormatError([Problem(pointer="/comments", rule="required", message=message)])
    return answer


def _reason(data: dict[str, Any]) -> str | None:
    told = [
        each["message"]
        for each in data.get("feedbackElements", ())
        if each.get("severity") == "ERROR" and each.get("message", "").strip()
    ]
    reason = data.get("comments") or (told[0] if told else None)
    return None if reason is None else one_line(reason, 255)
