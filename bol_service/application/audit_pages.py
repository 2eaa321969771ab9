"""The part of an audit that needs no order: pages of entries, examined each by itself.

Any number of processes does this at once (`audit_workers`). For each row of a page:

1. the row is an entry, its event well formed, and each column equal to what the signed bytes say;
2. the document that an ISSUE names is there, unchanged, and read again from its bytes;
3. signatures: a key is known by its own hash, so it does not matter who says which key `kid` is.
   What does not verify here is judged again, with the reason, in the order of the log;
4. the leaf hash;
5. the log's signature under the page's checkpoints.

`retrace` is what remains to do for entries that an earlier audit examined: their leaves show that
the signed bytes are the same, so reading them is enough to compare the columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bol_service.application.audit_columns import read_again, said, wrong_columns
from bol_service.application.audit_documents import Documents
from bol_service.application.audit_findings import Finding, Kind
from bol_service.application.ports import Reading, StoredEntry
from bol_service.crypto.keys import PublicKey
from bol_service.domain import errors
from bol_service.domain.document import DocumentFacts
from bol_service.domain.events import Event, Opening
from bol_service.ledger.checkpoint import open_checkpoint
from bol_service.ledger.entry import leaf
from bol_service.ledger.note import NoteError, VerifierKey
from bol_service.verification import signatures
from bol_service.wire.events import SignedEvent, decode

PAGE = 500
_MOST_KEYS = 10_000
_NO_FACTS = None, None
_KEYS: dict[str, PublicKey] = {}


class Act(NamedTuple):
    """What the law judges. `unverified` is the whole event if not all its signatures verified.

    As `Examined`, one is made for every entry, which a tuple makes cheap.
    """

    event: Event
    kid: str
    alg: str
    digest: str
    signers: tuple[str, ...]
    facts: DocumentFacts | None
    unverified: SignedEvent | None


class Examined(NamedTuple):
    """One row. Without an `act` the entry cannot stand, and `findings` says why."""

    position: int
    recorded_at: str
    leaf: bytes
    act: Act | None
    findings: tuple[Finding, ...] = ()
    wrong_facts: DocumentFacts | None = None


@dataclass(frozen=True, kw_only=True)
class Note:
    """A stored checkpoint; `stated` is origin, size and root, or why it is not the log's."""

    size: int
    stated: tuple[str, int, bytes] | str


@dataclass(frozen=True, kw_only=True)
class Page:
    """The rows first <= index < end; `unreadable` tells of the row that ended the page early."""

    first: int
    end: int
    rows: list[Examined]
    notes: list[Note] = field(default_factory=list)
    unreadable: Finding | None = None


PageTask = Callable[[Reading, int, int, Sequence[VerifierKey]], Page]


def examine(reading: Reading, first: int, end: int, log_keys: Sequence[VerifierKey]) -> Page:
    """Implements `PageTask`."""
    rows, unreadable = _rows(reading, first, end)
    decoded = [_decoded(row) for row in rows]
    documents = Documents(reading, _events(decoded))
    key_of = _KeyTable(reading)
    verified = [_is_verified(signed, key_of) for signed in decoded]
    return Page(
        first=first,
        end=end,
        rows=[
            _examined(row, signed, documents, proven)
            for row, signed, proven in zip(rows, decoded, verified, strict=True)
        ],
        notes=[_note(size, note, log_keys) for size, note in reading.checkpoints(first, end)],
        unreadable=unreadable,
    )


def retrace(reading: Reading, first: int, end: int, _log_keys: Sequence[VerifierKey]) -> Page:
    """Implements `PageTask`; no act of its rows can be judged."""
    rows, unreadable = _rows(reading, first, end)
    return Page(first=first, end=end, rows=[_retraced(row) for row in rows], unreadable=unreadable)


def _rows(reading: Reading, first: int, end: int) -> tuple[list[StoredEntry], Finding | None]:
    try:
        return [row for row in reading.scan(first, end - first) if row.index < end], None
    except (ValueError, TypeError):  # SQLite keeps values of any type
        return _one_by_one(reading, first, end)


def _one_by_one(reading: Reading, first: int, end: int) -> tuple[list[StoredEntry], Finding]:
    """Up to the row that is no entry."""
    rows: list[StoredEntry] = []
    index = first
    while True:
        try:
            rows += [row for row in reading.scan(index, 1) if row.index < end]
        except (ValueError, TypeError) as error:
            text = f"entry {index} cannot be read: {error}"
            return rows, Finding(kind=Kind.ROW, text=text, index=index)
        index += 1


# -- one entry -----------------------------------------------------------------------------------


def _decoded(row: StoredEntry) -> SignedEvent | errors.Refusal:
    try:
        return decode(row.entry.event)
    except errors.Refusal as error:
        return error


def _events(decoded: Sequence[SignedEvent | errors.Refusal]) -> list[Event]:
    return [signed.event for signed in decoded if isinstance(signed, SignedEvent)]


def _examined(
    row: StoredEntry,
    signed: SignedEvent | errors.Refusal,
    documents: Documents,
    is_verified: bool,
) -> Examined:
    findings: list[Finding] = []
    wrong: DocumentFacts | None
    try:
        if isinstance(signed, errors.Refusal):
            raise signed
        findings += wrong_columns(row, said(signed))
        event, entry = signed.event, row.entry
        facts, wrong = documents.of(event) if isinstance(event, Opening) else _NO_FACTS
        act = _act(signed, facts, is_verified)
    except errors.Refusal as error:
        findings.append(refused(row.index, row.action, row.actor, row.stream, error))
        return _without_act(row, findings)
    if wrong is not None:
        text = f"the cached facts of document {wrong.received_bytes} differ from its bytes"
        findings.append(Finding(kind=Kind.CACHE, text=text, index=row.index))
    hashed = leaf(event.stream, event.sequence, entry)
    return Examined(row.index, entry.recorded_at, hashed, act, tuple(findings), wrong)


def _without_act(row: StoredEntry, findings: list[Finding]) -> Examined:
    return Examined(
        position=row.index,
        recorded_at=row.entry.recorded_at,
        leaf=b"",
        act=None,
        findings=tuple(findings),
    )


def refused(index: int, action: str, actor: str, stream: str, error: errors.Refusal) -> Finding:
    text = (
        f"entry {index} ({action} by {actor} on {stream}) does not stand: {error.code}: "
        f"{error.message}"
    )
    return Finding(kind=Kind.LAW, text=text, index=index)


def _is_verified(signed: SignedEvent | errors.Refusal, key_of: _KeyTable) -> bool:
    """Asked for one entry after the other: with other work in between, the code of each drives that
    of the other out of the processor's caches."""
    if isinstance(signed, errors.Refusal):
        return False
    try:
        signatures.verify(signed, key_of)
    except errors.BadSignature:
        return False
    return True


def _act(signed: SignedEvent, facts: DocumentFacts | None, is_verified: bool) -> Act:
    kid, alg, digest = signed.parsed.kid, signed.parsed.alg, signed.parsed.digest
    signers = tuple([parsed.kid for parsed in signed.signatures])
    unverified = None if is_verified else signed
    return Act(signed.event, kid, alg, digest, signers, facts, unverified)


class _KeyTable:
    """Keys as the cache names them; `jws.verify` believes one only if it hashes to the kid.

    Later pages of the same process find the keys of earlier ones in `_KEYS`.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def __call__(self, kid: str) -> PublicKey | None:
        if kid not in _KEYS:
            row = self._reading.key(kid)
            key = _readable(str(row.jwk)) if row is not None else None
            if key is None:
                return None
            if len(_KEYS) >= _MOST_KEYS:
                _KEYS.clear()
            _KEYS[kid] = key
        return _KEYS[kid]


def _readable(jwk: str) -> PublicKey | None:
    try:
        return signatures.public_key(jwk)
    except ValueError:
        return None  # the cache is damaged


# -- what an earlier audit examined ----------------------------------------------------------------


def _retraced(row: StoredEntry) -> Examined:
    try:
        stream, sequence, *rest = read_again(row.entry.event)
        hashed = leaf(str(stream), int(str(sequence)), row.entry)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        text = f"entry {row.index} cannot be read: {error}"
        return _without_act(row, [Finding(kind=Kind.ROW, text=text, index=row.index)])
    return Examined(
        position=row.index,
        recorded_at=row.entry.recorded_at,
        leaf=hashed,
        act=None,
        findings=tuple(wrong_columns(row, (stream, sequence, *rest))),
    )


# -- checkpoints -----------------------------------------------------------------------------------


def _note(size: int, note: str, log_keys: Sequence[VerifierKey]) -> Note:
    try:
        found = open_checkpoint(str(note), log_keys).checkpoint
    except NoteError as error:
        return Note(size=size, stated=str(error))
    return Note(size=size, stated=(found.origin, found.size, found.root))
