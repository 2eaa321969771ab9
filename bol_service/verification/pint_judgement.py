"""What becomes of an envelope that was offered, and the signed answer that says so."""

from __future__ import annotations

from dataclasses import dataclass

from bol_service.crypto.peer_jws import PeerJws
from bol_service.verification.pint_possession import ForeignAct, Possession
from bol_service.wire import pint_answers
from bol_service.wire.pint_answers import FinishedResponse, ResponseCode
from bol_service.wire.pint_entry import IssuanceManifest
from bol_service.wire.pint_envelope import DocumentMetadata, EblEnvelope, EnvelopeManifest


@dataclass(frozen=True, kw_only=True)
class ChainFacts:
    """`carrier` is `provider:code`. `possession` is the state after the last transaction."""

    document_checksum: str
    entries: tuple[PeerJws, ...]
    acts: tuple[ForeignAct, ...]
    possession: Possession
    carrier: str
    issuance: IssuanceManifest


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """Nothing speaks against the envelope; the transfer is complete once `missing` is empty.

    `known` entries of the chain were stored before, `new` are the transactions after them. `moves`:
    possession comes to this platform; otherwise the envelope is a notice.
    """

    sender: str
    facts: ChainFacts
    manifest: EnvelopeManifest
    known: int
    new: tuple[ForeignAct, ...]
    missing: tuple[DocumentMetadata, ...]
    moves: bool
    is_retry: bool


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """This transfer was accepted before, with the entry `of` (its text) as its last; `held` are the
    manifest's documents that are here."""

    sender: str
    of: str
    held: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Refused:
    """`missing` with MDOC only."""

    code: ResponseCode
    reason: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unsigned:
    """Nothing may be signed. `may_retry`: answer 503, the same envelope can be judged later;
    otherwise 403, whoever sent it is not the sender."""

    reason: str
    may_retry: bool


Judgement = Accepted | Duplicate | Refused | Unsigned


def answer_to(judgement: Accepted | Duplicate | Refused, envelope: EblEnvelope) -> FinishedResponse:
    """What the receiver signs; ValueError while documents of an accepted envelope are missing."""
    last = envelope.last_checksum
    if isinstance(judgement, Duplicate):
        return pint_answers.duplicate(last, judgement.of, judgement.held)
    if isinstance(judgement, Refused):
        if judgement.code is ResponseCode.MDOC:
            return pint_answers.documents_missing(last, judgement.missing)
        return pint_answers.refused(last, judgement.code, judgement.reason)
    if judgement.missing:
        raise ValueError(f"{len(judgement.missing)} documents are missing; ask for them first")
    documents = [each.checksum for each in judgement.manifest.documents]
    return pint_answers.received(last, documents)
