"""Papers that name themselves: documents, applications for registration, cosigned checkpoints.

1. A document's digest is the SHA-256 of its bytes; of disclosures it is that of the part which the
   carrier signed, and by it they have to be whole. Facts of a transport document that is issued are
   looked at where its entry is; here those of the others, by which an ISSUE may yet be judged.
2. An application's id is the SHA-256 of its RFC 8785 form; its refusal is signed by the operator.
3. What we cosigned for another log is the checkpoint that the note says; so is one that was refused
   as not continuing it, and a fork is two of one size.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from bol_service.application.audit_beside_ports import BesideReading, RawRow
from bol_service.application.audit_documents import facts_of
from bol_service.application.audit_findings import AuditReport, Finding, Kind
from bol_service.application.audit_rows import differing, each_judged, judged
from bol_service.application.documents import DocumentKind
from bol_service.application.registrations import REFUSAL_TYP
from bol_service.crypto import jws, strictjson
from bol_service.crypto.keys import PublicKey
from bol_service.domain.document import DocumentFacts
from bol_service.domain.states import OPERATOR
from bol_service.ledger.checkpoint import parse_checkpoint
from bol_service.ledger.note import parse_note
from bol_service.verification.signatures import public_key
from bol_service.wire.disclosure import BadDisclosure, parse_full


def check(beside: BesideReading, report: AuditReport) -> Iterator[None]:
    """Add a finding for every paper that is not what it is named by; stops after each document."""
    rows = beside.rows("documents", "digest", "content", "kind")
    for text in each_judged(rows, "document {0}", _of_its_digest):
        _add(report, text)
        yield
    for text in _wrong_facts(beside, report):
        _add(report, text)
        yield
    rows = beside.rows("registrations", "id", "party", "kid", "asked", "refusal")
    found = judged(rows, "the application {0}", lambda row: _application(beside, row))
    rows = beside.rows("witnessed", "origin", "size", "root", "note")
    cosigned = judged(rows, "what was cosigned of {0}", _cosigned)
    rows = beside.rows("disputes", "origin", "size", "root", "kind", "kept", "offered")
    disputed = judged(rows, "the dispute of {0} at size {1}", _disputed)
    for text in (*found, *cosigned, *disputed):
        _add(report, text)


def _add(report: AuditReport, text: str | None) -> None:
    if text is not None:
        report.add(Finding(kind=Kind.BESIDE, text=text))


def _of_its_digest(row: RawRow) -> str | None:
    digest, content, kind = row
    raw = _bytes(content)
    if kind == DocumentKind.DISCLOSURE:
        return _of_its_signed_part(str(digest), raw)
    found = hashlib.sha256(raw).hexdigest()
    return None if found == digest else f"was changed: its bytes are those of {found}"


def _of_its_signed_part(digest: str, raw: bytes) -> str | None:
    try:
        found = parse_full(raw.decode("ascii")).digest
    except (UnicodeDecodeError, BadDisclosure) as error:
        return f"was changed: it is no whole file of disclosures any more, {error}"
    return None if found == digest else f"was changed: its signed part is that of {found}"


def _wrong_facts(beside: BesideReading, report: AuditReport) -> Iterator[str | None]:
    """A wrong fact is a wrong cache: it is right again after a rebuild."""

    def judge(row: RawRow) -> str | None:
        digest, kind, content, checksum, cached = row
        if kind != DocumentKind.TRANSPORT_DOCUMENT:
            return f"has facts, but is kept as {kind}, which has none"
        raw = _bytes(content)
        if hashlib.sha256(raw).hexdigest() != digest:
            return None  # told already
        facts = facts_of(raw, str(digest))
        if beside.facts(cached) != facts:
            _mend(report, facts)
        return differing(checksum=(checksum, facts.checksum))

    return each_judged(beside.unissued(), "document {0}", judge)


def _mend(report: AuditReport, facts: DocumentFacts) -> None:
    report.wrong_facts.append(facts)
    text = f"the cached facts of document {facts.received_bytes} differ from its bytes"
    report.add(Finding(kind=Kind.CACHE, text=text))


def _application(beside: BesideReading, row: RawRow) -> str | None:
    named, party, kid, asked_text, refusal = row
    asked: Any = json.loads(str(asked_text))
    fault = differing(
        id=(named, hashlib.sha256(strictjson.canonical(asked)).hexdigest()),
        party=(party, asked["party"]),
        kid=(kid, PublicKey.from_jwk(asked["key"]).kid),
    )
    return fault or (None if refusal is None else _refusal(beside, str(named), str(refusal)))


def _refusal(beside: BesideReading, named: str, refusal: str) -> str | None:
    parsed = jws.parse(refusal, REFUSAL_TYP)
    holder = beside.key(parsed.kid)
    if holder is None or holder[0] != OPERATOR:
        return f"has a refusal by the key {parsed.kid}, which is not the operator's"
    jws.verify(parsed, public_key(holder[1]))
    told: Any = strictjson.loads_event(parsed.payload)
    return None if told["application"] == named else "has the refusal of another application"


def _cosigned(row: RawRow) -> str | None:
    origin, size, root, note = row
    said = parse_checkpoint(parse_note(str(note)).text)
    return differing(
        origin=(origin, said.origin), size=(size, said.size), root=(_bytes(root), said.root)
    )


def _disputed(row: RawRow) -> str | None:
    origin, size, root, kind, kept, offered = row
    said = parse_checkpoint(parse_note(str(offered)).text)
    before = parse_checkpoint(parse_note(str(kept)).text) if kept is not None else None
    is_fork = before is not None and before.size == said.size and before.root != said.root
    return differing(
        origin=(origin, said.origin),
        size=(size, said.size),
        root=(root, said.root.hex()),
        kind=(kind, "fork" if is_fork else "unproven"),
    )


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes | memoryview | bytearray):
        raise TypeError(f"{type(value).__name__} is where bytes should be")
    return bytes(value)
