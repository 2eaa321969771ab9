"""What a receiving platform answers in PINT (DCSA PINT 3.0, A.3 and A.4).

- `FinishedResponse` is signed by the receiver; the sender concludes on nothing else. The body of
  the HTTP answer is a JSON string that holds the compact JWS.
- `StartedResponse` and the receiver validation are unsigned.
- The functions beside `FinishedResponse` make each answer with exactly the members its code has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from marshmallow import post_load

from bol_service.crypto import peer_jws, strictjson
from bol_service.crypto.peer_signers import PeerSigner
from bol_service.wire.pint_forms import (
    CHECKSUM,
    COMPACT_JWS_FORM,
    PintFormatError,
    checksum,
    compact_jws,
    json_value,
    load,
    load_body,
)
from bol_service.wire.transport_document_fields import Code, Member, Several, Text
from bol_service.wire.transport_document_forms import TRIMMED
from bol_service.wire.transport_document_problem import Problem

MAX_REASON: Final = 255


class ResponseCode(StrEnum):
    RECE = "RECE"
    """Received: possession, or the notice, is with the receiver."""
    DUPE = "DUPE"
    """This very transfer was received before."""
    BSIG = "BSIG"
    """A signature cannot be trusted."""
    BENV = "BENV"
    """The content is not acceptable."""
    INCD = "INCD"
    """A document is not the declared one."""
    MDOC = "MDOC"
    """Documents are still missing."""
    DISE = "DISE"
    """The chain contradicts what this platform knows."""


HTTP_STATUS: Final[Mapping[ResponseCode, int]] = {
    ResponseCode.RECE: 200,
    ResponseCode.DUPE: 200,
    ResponseCode.BSIG: 422,
    ResponseCode.BENV: 422,
    ResponseCode.INCD: 409,
    ResponseCode.MDOC: 409,
    ResponseCode.DISE: 409,
}


@dataclass(frozen=True, kw_only=True)
class FinishedResponse:
    """`duplicate_of` is the text of the chain entry that was accepted before (DUPE). `received`
    lists all documents of the manifest (RECE, DUPE), `missing` those not yet there (MDOC)."""

    last_checksum: str
    code: ResponseCode
    duplicate_of: str | None = None
    reason: str | None = None
    missing: tuple[str, ...] | None = None
    received: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        members = {
            "lastEnvelopeTransferChainEntrySignedContentChecksum": self.last_checksum,
            "responseCode": str(self.code),
            "duplicateOfAcceptedEnvelopeTransferChainEntrySignedContent": self.duplicate_of,
            "reason": self.reason,
            "missingAdditionalDocumentChecksums": _listed(self.missing),
            "receivedAdditionalDocumentChecksums": _listed(self.received),
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class StartedResponse:
    """The receiver wants the `missing` documents under `reference`."""

    reference: str
    document_checksum: str
    last_checksum: str
    missing: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "envelopeReference": self.reference,
            "transportDocumentChecksum": self.document_checksum,
            "lastEnvelopeTransferChainEntrySignedContentChecksum": self.last_checksum,
            "missingAdditionalDocumentChecksums": list(self.missing),
        }


def received(last_checksum: str, documents: Iterable[str]) -> FinishedResponse:
    return FinishedResponse(
        last_checksum=last_checksum, code=ResponseCode.RECE, received=tuple(documents)
    )


def duplicate(last_checksum: str, of: str, documents: Iterable[str]) -> FinishedResponse:
    return FinishedResponse(
        last_checksum=last_checksum,
        code=ResponseCode.DUPE,
        duplicate_of=of,
        received=tuple(documents),
    )


def refused(last_checksum: str, code: ResponseCode, reason: str) -> FinishedResponse:
    """BSIG, BENV, INCD or DISE; the reason is cut to what the standard has room for."""
    return FinishedResponse(last_checksum=last_checksum, code=code, reason=reason[:MAX_REASON])


def documents_missing(last_checksum: str, documents: Iterable[str]) -> FinishedResponse:
    """MDOC."""
    return FinishedResponse(
        last_checksum=last_checksum, code=ResponseCode.MDOC, missing=tuple(documents)
    )


def finished_response(answer: FinishedResponse, signer: PeerSigner) -> str:
    """The compact JWS of an answer. Store it: the same answer signed again is another text."""
    return peer_jws.sign(strictjson.canonical(answer.to_json()), signer)


def signed_body(compact: str) -> bytes:
    """The HTTP body around a compact JWS."""
    return json.dumps(compact).encode("ascii")


class FinishedResponseSchema(Member):
    lastEnvelopeTransferChainEntrySignedContentChecksum = checksum(required=True)
    responseCode = Code(*ResponseCode, required=True)
    duplicateOfAcceptedEnvelopeTransferChainEntrySignedContent = compact_jws()
    reason = Text(MAX_REASON)
    missingAdditionalDocumentChecksums = Several(Text(form=CHECKSUM))
    receivedAdditionalDocumentChecksums = Several(Text(form=CHECKSUM))

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> FinishedResponse:
        return FinishedResponse(
            last_checksum=data["lastEnvelopeTransferChainEntrySignedContentChecksum"],
            code=ResponseCode(data["responseCode"]),
            duplicate_of=data.get("duplicateOfAcceptedEnvelopeTransferChainEntrySignedContent"),
            reason=data.get("reason"),
            missing=_tuple(data.get("missingAdditionalDocumentChecksums")),
            received=_tuple(data.get("receivedAdditionalDocumentChecksums")),
        )


class StartedResponseSchema(Member):
    envelopeReference = Text(100, required=True)
    transportDocumentChecksum = checksum(required=True)
    lastEnvelopeTransferChainEntrySignedContentChecksum = checksum(required=True)
    missingAdditionalDocumentChecksums = Several(Text(form=CHECKSUM), at_least=1, required=True)

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> StartedResponse:
        return StartedResponse(
            reference=data["envelopeReference"],
            document_checksum=data["transportDocumentChecksum"],
            last_checksum=data["lastEnvelopeTransferChainEntrySignedContentChecksum"],
            missing=tuple(data["missingAdditionalDocumentChecksums"]),
        )


class ReceiverValidationSchema(Member):
    partyName = Text(70, TRIMMED, required=True)


def read_finished_response(payload: object) -> FinishedResponse:
    """Raises PintFormatError."""
    answer: FinishedResponse = load(FinishedResponseSchema, payload)
    return answer


def read_started_response(body: bytes) -> StartedResponse:
    """Raises PintFormatError."""
    answer: StartedResponse = load_body(StartedResponseSchema, body)
    return answer


def read_signed_body(body: bytes) -> str:
    """The compact JWS in the body of a signed answer; raises PintFormatError."""
    value = json_value(body)
    if not isinstance(value, str) or re.fullmatch(COMPACT_JWS_FORM, value) is None:
        message = "is not a JSON string that holds a compact JWS"
        raise PintFormatError([Problem(pointer="", rule="pattern", message=message)])
    return value


def receiver_validation(name: str) -> dict[str, Any]:
    return {"partyName": name}


def read_receiver_validation(body: bytes) -> str:
    """The party's name; raises PintFormatError."""
    name: str = load_body(ReceiverValidationSchema, body)["partyName"]
    return name


def _listed(checksums: tuple[str, ...] | None) -> list[str] | None:
    return None if checksums is None else list(checksums)


def _tuple(checksums: list[str] | None) -> tuple[str, ...] | None:
    return None if checksums is None else tuple(checksums)
