"""The part of an audit that is about the tables beside the log; `TABLES` says how far it goes.

1. What the entries make is a cache and compared with them (`audit_caches`).
2. What is named by its own bytes, signed, or repeats other rows is held to these: documents,
   applications, answers of the border, evidence from abroad (`audit_papers`, `audit_border`,
   `audit_abroad`), and rows that have to fit each other (`Strange`).
3. What the log says has crossed the border must stand in the flow log.
4. Rows that are only ever added are remembered by the book of an audit, if one is kept: in the next
   audit each of them must be there still, and the same.
5. The rest keeps the service going and proves nothing; each of these tables says why.

Nothing of it is under a signature of the log, so this finds a hand in a table, not every lie that
a superuser could tell from the beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bol_service.application import audit_abroad, audit_border, audit_papers
from bol_service.application.audit_beside_ports import BesideReading, Memory, Strange
from bol_service.application.audit_findings import AuditReport, Finding, Kind


class Care(StrEnum):
    LOG = "log"
    CACHE = "cache"
    CHECKED = "checked"
    OPERATIONAL = "operational"


@dataclass(frozen=True, kw_only=True)
class Covered:
    """`why` is what is checked, or why nothing is. `remembered`: rows are added and stay."""

    care: Care
    why: str
    remembered: bool = False


def _checked(why: str, *, remembered: bool = False) -> Covered:
    return Covered(care=Care.CHECKED, why=why, remembered=remembered)


def _operational(why: str) -> Covered:
    return Covered(care=Care.OPERATIONAL, why=why)


_LOG: Final = Covered(care=Care.LOG, why="the log itself")
_CACHE: Final = Covered(care=Care.CACHE, why="made again from the entries")
TABLES: Final[Mapping[str, Covered]] = {
    **dict.fromkeys(("log", "entries", "nodes", "checkpoints", "cosignatures"), _LOG),
    **dict.fromkeys(("states", "claims", "keys", "bills", "bill_parties"), _CACHE),
    **dict.fromkeys(("bill_containers", "draft_parties", "mandates"), _CACHE),
    "documents": _checked(
        "bytes against their digest, cached facts against the bytes, a known party"
    ),
    "document_uploaders": _checked("party and document are known", remembered=True),
    "notices": _checked(
        "entry, stream and time; each key that came or went is told to its party", remembered=True
    ),
    "inbound_transfers": _checked(
        "the answer's signature, what it and the envelope say, and the entry that it promises"
    ),
    "inbound_documents": _checked("the document is kept", remembered=True),
    "outbound_transfers": _checked("the notice that asked for it, the entry that concluded it"),
    "flows": _checked(
        "each envelope that the log says has crossed, the act it names, the size of what is kept",
        remembered=True,
    ),
    "peer_applications": _checked("the proof of the key for this very party", remembered=True),
    "parties_abroad": _checked("the party is known", remembered=True),
    "kept_evidence": _checked("the bundle against its cover, the columns against both"),
    "kept_boxes": _checked("the containers that the cover names", remembered=True),
    "kept_checkpoints": _checked("the roots that kept evidence states", remembered=True),
    "evidence_followed": _checked("not beyond the log"),
    "registrations": _checked("what was asked against its digest, the operator's signed refusal"),
    "witnessed": _checked("the columns against the cosigned checkpoint"),
    "disputes": _checked("the columns against both checkpoints", remembered=True),
    "access_tokens": _checked("the key is one of the party's"),
    "webhooks": _operational(
        "a party's wish, without its signature; the party sees it and can set it again"
    ),
    "deliveries": _operational("a queue; the notices are asked for again by their numbers"),
    "evidence_offers": _operational("a queue; evidence is asked for again"),
    "alembic_version": _operational("compared with the software at every start"),
}
_SENTENCES: Final = {
    Strange.ENTRY_OF_NOTICE: "notice {0} to {1} does not fit entry {2}, of which it tells",
    Strange.NOTICE_OF_KEY: "entry {0} ({1} by {2}) was never told to {2}: its notice is gone",
    Strange.PARTY_OF_UPLOADER: "document {0} has the uploader {1}, who is no party",
    Strange.DOCUMENT_OF_UPLOADER: "document {0}, which {1} has uploaded, is gone",
    Strange.PARTY_OF_DOCUMENT: "document {0} was uploaded by {1}, who is no party",
    Strange.DOCUMENT_RECEIVED: "document {1}, received for bill {0}, is not kept",
    Strange.NOTICE_OF_TRANSFER: "no notice {0} asked for the transfer of bill {1}",
    Strange.TRANSFER_OF_NOTICE: "the transfer that notice {0} on {1} asked for is gone",
    Strange.SIZE_OF_FLOW: "line {0} of the flow log says {1} bytes; what is kept has {2}",
    Strange.KEY_OF_ACCESS: "an access token of {0} was given for the key {1}, which is none of its",
    Strange.PARTY_ABROAD: "{0}, who is said to have applied on {1}, is no party",
    Strange.EVIDENCE_OF_BOX: "no evidence of bill {2} of {1} for {3} is kept for container {0}",
    Strange.FOLLOWED: "evidence was owed up to entry {0}; the log has {1}",
}


def check(beside: BesideReading, origin: str, report: AuditReport) -> Iterator[None]:
    """Add a finding for every row that is found to be wrong, in many small steps."""
    for what, sentence in _SENTENCES.items():
        for row in beside.strange(what):
            _add(report, sentence.format(*row))
        yield
    yield from audit_papers.check(beside, report)
    for text in (*audit_border.faults(beside), *audit_abroad.faults(beside, origin)):
        _add(report, text)


def compare(beside: BesideReading, memory: Memory, report: AuditReport) -> None:
    """Add a finding for every remembered row that is gone or another; remember what is new."""
    for table, covered in TABLES.items():
        if covered.remembered:
            for key in memory.compared(table, beside.keyed(table)):
                _add(report, f"row {key} of {table} is not the one that an earlier audit saw")


def _add(report: AuditReport, text: str) -> None:
    report.add(Finding(kind=Kind.BESIDE, text=text))
