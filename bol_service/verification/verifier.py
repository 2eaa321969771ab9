"""Verifies an evidence bundle from the file and a trust file alone: no network, no database.

The steps, each a named check of the report:

1. FILE        strict JSON, byte-equal to its RFC 8785 form, a known version
2. TRUST       the trust file speaks for the origin that the statement names
3. STATEMENT   signed by a statement key of that platform; it names this very checkpoint
4. CHECKPOINT  signed by the log's key that counts at its size, cosigned by the quorum of witnesses
5. INCLUSION   every entry is in the tree of the checkpoint
6. STREAMS     per stream without gap or fork, each event naming the one before, time never running
               backwards, ending exactly at the head that the statement names
7. DOCUMENT    the transport document is the one whose checksum is the bill's id
8. SIGNATURES  every signature verifies under a key that was registered for its actor
9. LAW         every event, in log order, was lawful when it was recorded: the same `World.judge`
               that the platform itself uses; status and control come out as the statement says
10. CURRENCY   how old the statement is, for a bill that still lives

A bundle is partial if its statement leaves out who controls the bill, and only then may a document
or an event be missing. It cannot be replayed: signatures and keys of what is shown are checked, and
the status is reported as stated by the platform. Steps after a failed one that they rest on are not
run.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NoReturn

from bol_service.crypto import jws, strictjson
from bol_service.crypto.keys import PublicKey
from bol_service.domain import errors, title
from bol_service.domain.events import PartyEvent, Recorded
from bol_service.domain.states import Head, Status
from bol_service.domain.world import World
from bol_service.ledger.checkpoint import Checkpoint, open_checkpoint
from bol_service.ledger.entry import public_entry, stream_tag
from bol_service.ledger.merkle import ProofError, leaf_hash, verify_inclusion
from bol_service.ledger.note import KeyType, NoteError
from bol_service.verification import signatures
from bol_service.verification.bundle import (
    Bundle,
    BundleEntry,
    BundleError,
    HiddenEntry,
    ShownEntry,
    Statement,
    UnknownVersionError,
    checkpoint_digest,
    read_bundle,
    read_statement,
)
from bol_service.verification.report import Check, Outcome, Report, Signed, Title, Verdict
from bol_service.verification.trust import Trust
from bol_service.wire.document import DocumentError, read_document
from bol_service.wire.event_fields import instant
from bol_service.wire.events import NotUnderstood, SignedEvent, decode

ENDED = frozenset({Status.ACCOMPLISHED, Status.VOIDED})
CLOCK_TOLERANCE = timedelta(minutes=5)

_FORGED = "Do not rely on this file. Ask its sender for a fresh one and tell the platform."
_ASK_AGAIN = "Ask the platform, or the holder, for a fresh file."


class _Stop(Exception):  # noqa: N818 - ends the steps, is no error of ours
    """A step failed on which all later ones rest; the report already says which."""


@dataclass(frozen=True, kw_only=True)
class _Replayed:
    """An event of the file at its place in the log."""

    signed: SignedEvent
    recorded: Recorded


def verify(content: bytes, trust: Trust | None, now: datetime) -> Report:
    """Run all steps on the bytes of a bundle; `now` is aware UTC. Never raises."""
    report = Report(demo=trust.demo if trust else False)
    with suppress(_Stop):
        _run(report, content, trust, now)
    report.verdict = _verdict(report)
    return report


def _run(report: Report, content: bytes, trust: Trust | None, now: datetime) -> None:
    bundle, statement, statement_jws = _file(report, content)
    platform = _trust(report, trust, statement)
    _statement(report, platform, bundle, statement, statement_jws)
    checkpoint = _checkpoint(report, platform, bundle, statement)
    _inclusion(report, bundle, checkpoint)
    replayed = _streams(report, bundle, statement)
    world = World(statement.origin)
    _document(report, bundle, statement, world)
    _replay(report, platform, statement, replayed, world)
    _currency(report, platform, statement, now)


# -- 1, 2, 3: file, trust, statement -------------------------------------------------------------


def _file(report: Report, content: bytes) -> tuple[Bundle, Statement, jws.ParsedJws]:
    try:
        bundle = read_bundle(content)
        statement, parsed = read_statement(bundle.statement)
    except UnknownVersionError as error:
        report.unknown(Check.FILE, "unknown_version", str(error), "Use a newer verifier.")
        raise _Stop from None
    except BundleError as error:
        report.invalid(Check.FILE, "bad_file", str(error), _FORGED)
        raise _Stop from None
    report.valid(Check.FILE, "well_formed", f"{len(bundle.entries)} entries, canonical")
    return bundle, statement, parsed


def _trust(report: Report, trust: Trust | None, statement: Statement) -> Trust:
    if trust is None:
        report.unknown(
            Check.TRUST,
            "no_trust_file",
            f"nothing says which keys speak for {statement.origin}",
            "Get the platform's trust file from its publication and pass it with --trust.",
        )
        raise _Stop
    if trust.origin != statement.origin:
        report.unknown(
            Check.TRUST,
            "other_platform",
            f"the trust file is for {trust.origin}, the file is of {statement.origin}",
            f"Use the trust file of {statement.origin}.",
        )
        raise _Stop
    demo = " (a demonstration, without legal effect)" if trust.demo else ""
    report.valid(Check.TRUST, "trusted_origin", f"trust file of {trust.origin}{demo}")
    return trust


def _statement(
    report: Report, trust: Trust, bundle: Bundle, statement: Statement, parsed: jws.ParsedJws
) -> None:
    keys = {key.kid: key for key in trust.statement_keys}
    key = keys.get(parsed.kid)
    try:
        if key is None:
            raise jws.BadSignature(f"{parsed.kid} is no statement key of {trust.origin}")
        jws.verify(parsed, key)
    except jws.BadSignature as error:
        report.invalid(Check.STATEMENT, "bad_statement_signature", str(error), _FORGED)
        raise _Stop from None
    if statement.checkpoint_digest != checkpoint_digest(bundle.checkpoint):
        report.invalid(
            Check.STATEMENT,
            "other_checkpoint",
            "the statement was made for another checkpoint than the one in the file",
            _FORGED,
        )
        raise _Stop
    report.valid(
        Check.STATEMENT,
        "signed_statement",
        f"stated by {trust.origin} at {statement.at.isoformat()}",
    )


# -- 4, 5: checkpoint, inclusion -----------------------------------------------------------------


def _checkpoint(report: Report, trust: Trust, bundle: Bundle, statement: Statement) -> Checkpoint:
    keys = [entry.key for entry in trust.log_keys if entry.covers(statement.size)]
    try:
        signed = open_checkpoint(bundle.checkpoint, [*keys, *trust.witnesses])
    except NoteError as error:
        report.invalid(Check.CHECKPOINT, "bad_checkpoint", str(error), _FORGED)
        raise _Stop from None
    checkpoint = signed.checkpoint
    same = (checkpoint.origin, checkpoint.size, checkpoint.root) == (
        statement.origin,
        statement.size,
        statement.root,
    )
    if not same:
        report.invalid(
            Check.CHECKPOINT,
            "checkpoint_differs",
            f"the checkpoint is of {checkpoint.origin} at size {checkpoint.size}, the statement of "
            f"{statement.origin} at size {statement.size}",
            _FORGED,
        )
        raise _Stop
    cosigned = {by.key.name for by in signed.by if by.key.type is KeyType.COSIGNATURE}
    if len(cosigned) < trust.quorum:
        report.unknown(
            Check.CHECKPOINT,
            "too_few_witnesses",
            f"{len(cosigned)} witnesses cosigned, the trust file asks for {trust.quorum}",
            _ASK_AGAIN,
        )
        return checkpoint
    report.valid(
        Check.CHECKPOINT,
        "signed_checkpoint",
        f"size {checkpoint.size}, {len(cosigned)} of {trust.quorum} required witnesses",
    )
    return checkpoint


def _inclusion(report: Report, bundle: Bundle, checkpoint: Checkpoint) -> None:
    indexes = [entry.index for entry in bundle.entries]
    if any(after <= before for before, after in pairwise(indexes)):
        report.invalid(
            Check.INCLUSION, "bad_order", "the entries are not in the order of the log", _FORGED
        )
        raise _Stop
    for entry in bundle.entries:
        try:
            verify_inclusion(
                _leaf(entry), entry.index, checkpoint.size, entry.proof, checkpoint.root
            )
        except ProofError as error:
            report.invalid(
                Check.INCLUSION, "not_included", f"entry {entry.index}: {error}", _FORGED
            )
            raise _Stop from None
    report.valid(
        Check.INCLUSION, "included", f"all {len(bundle.entries)} entries are in the log's tree"
    )


def _leaf(entry: BundleEntry) -> bytes:
    if isinstance(entry, HiddenEntry):
        return leaf_hash(public_entry(entry.tag, entry.sequence, entry.digest))
    stream, sequence = _place(entry)
    return leaf_hash(public_entry(stream_tag(stream), sequence, entry.entry.digest))


def _place(entry: ShownEntry) -> tuple[str, int]:
    """Where the event says that it belongs. What cannot be read belongs nowhere, so that its leaf
    is in no tree; a later version's event is, and step 6 then says that it is not understood."""
    nowhere = ("", 0)
    try:
        event = decode(entry.entry.event).event
    except NotUnderstood as error:
        return error.place or nowhere
    except errors.Refusal:
        return nowhere
    return event.stream, event.sequence


# -- 6: streams ----------------------------------------------------------------------------------


def _streams(report: Report, bundle: Bundle, statement: Statement) -> list[_Replayed]:
    tags = {stream_tag(stream): stream for stream in statement.heads}
    heads: dict[str, Head] = {}
    replayed = []
    clock: datetime | None = None
    for entry in bundle.entries:
        if isinstance(entry, HiddenEntry):
            _require_partial(report, statement, entry)
            _hidden_link(report, entry, tags, heads)
            continue
        item = _link(report, entry, statement, heads)
        if clock is not None and item.recorded.recorded_at < clock:
            _broken(report, f"entry {entry.index} was recorded before its predecessor")
        clock = item.recorded.recorded_at
        replayed.append(item)
    _ends(report, statement, heads)
    if clock is not None and statement.at < clock:
        _broken(report, "the statement is older than an entry it rests on")
    report.valid(
        Check.STREAMS, "complete", f"{len(heads)} streams, each from its beginning to its head"
    )
    return replayed


def _link(
    report: Report, entry: ShownEntry, statement: Statement, heads: dict[str, Head]
) -> _Replayed:
    signed = _readable(report, entry)
    event = signed.event
    if event.stream not in statement.heads:
        _broken(report, f"entry {entry.index} belongs to {event.stream}, which is not stated")
    head = heads.get(event.stream)
    expected = head.sequence + 1 if head else 0
    if event.sequence != expected:
        _broken(
            report,
            f"{event.stream} has sequence {event.sequence} at entry {entry.index}, {expected} is "
            "missing or occurs twice",
        )
    # After a placeholder the digest before is not known; the tree still proves the order.
    if head is not None and head.digest and event.previous != head.digest:
        _broken(report, f"entry {entry.index} does not continue {event.stream}")
    if head is None and event.previous is not None:
        _broken(report, f"entry {entry.index} begins {event.stream} but names a predecessor")
    heads[event.stream] = Head(sequence=event.sequence, digest=signed.parsed.digest)
    recorded = Recorded(
        event=event,
        digest=signed.parsed.digest,
        kid=signed.parsed.kid,
        alg=str(signed.parsed.alg),
        recorded_at=instant(entry.entry.recorded_at),
        index=entry.index,
    )
    return _Replayed(signed=signed, recorded=recorded)


def _require_partial(report: Report, statement: Statement, entry: HiddenEntry) -> None:
    if not _is_partial(statement):
        report.invalid(
            Check.STREAMS,
            "hidden_entry",
            f"entry {entry.index} was taken out; the statement was made for the whole file",
            _FORGED,
        )
        raise _Stop


def _hidden_link(
    report: Report, entry: HiddenEntry, tags: dict[bytes, str], heads: dict[str, Head]
) -> None:
    stream = tags.get(entry.tag)
    if stream is None:
        _broken(report, f"entry {entry.index} belongs to a stream that is not stated")
    head = heads.get(stream)
    expected = head.sequence + 1 if head else 0
    if entry.sequence != expected:
        _broken(report, f"{stream} has sequence {entry.sequence}, {expected} is missing")
    heads[stream] = Head(sequence=entry.sequence, digest="")


def _ends(report: Report, statement: Statement, heads: dict[str, Head]) -> None:
    for stream, stated in statement.heads.items():
        head = heads.get(stream)
        if head is None or head.sequence != stated.sequence:
            _broken(
                report,
                f"{stream} ends at {head.sequence if head else 'nothing'}, the statement says "
                f"{stated.sequence}",
            )
        if head.digest and head.digest != stated.digest:
            _broken(report, f"{stream} ends with {head.digest}, the statement says {stated.digest}")


def _readable(report: Report, entry: ShownEntry) -> SignedEvent:
    try:
        return decode(entry.entry.event)
    except NotUnderstood as error:
        report.unknown(
            Check.STREAMS,
            "not_understood",
            f"entry {entry.index}: {error}",
            "Use a newer verifier.",
        )
    except errors.Refusal as error:
        report.invalid(Check.STREAMS, error.code, f"entry {entry.index}: {error}", _FORGED)
    raise _Stop


def _broken(report: Report, message: str) -> NoReturn:
    report.invalid(Check.STREAMS, "broken_stream", message, _FORGED)
    raise _Stop


# -- 7: document ---------------------------------------------------------------------------------


def _document(report: Report, bundle: Bundle, statement: Statement, world: World) -> None:
    if bundle.document is None:
        if _is_partial(statement):
            return
        report.invalid(Check.DOCUMENT, "no_document", "the document is missing", _FORGED)
        raise _Stop
    try:
        value = strictjson.loads_document(bundle.document)
        if not isinstance(value, dict):
            raise DocumentError([])
        facts = read_document(bundle.document, value, strict=False)
    except (strictjson.BadJson, DocumentError) as error:
        report.invalid(Check.DOCUMENT, "unreadable_document", str(error), _FORGED)
        raise _Stop from None
    if facts.checksum != statement.bill:
        report.invalid(
            Check.DOCUMENT,
            "other_document",
            f"the document's checksum is {facts.checksum}, the bill is {statement.bill}",
            _FORGED,
        )
        raise _Stop
    world.add_document(facts)
    report.valid(
        Check.DOCUMENT,
        "right_document",
        f"B/L {facts.reference}, SHA-256 as received {facts.received_bytes}",
    )


def _is_partial(statement: Statement) -> bool:
    # What the platform signed decides, not what is missing from the file: else anybody could take
    # the document or an act out of a full bundle and pass the rest off as a partial one.
    return statement.control is None


# -- 8, 9: signatures and law --------------------------------------------------------------------


def _replay(
    report: Report,
    trust: Trust,
    statement: Statement,
    replayed: list[_Replayed],
    world: World,
) -> None:
    partial = _is_partial(statement)
    for item in replayed:
        _signature(report, trust, item, world)
        if not partial or isinstance(item.recorded.event, PartyEvent):
            _judge(report, item.recorded, world)
        else:
            _key_counts(report, item.recorded, world)
        report.signed.append(_signed(item.recorded, world))
    report.valid(
        Check.SIGNATURES, "signed", f"{len(replayed)} events, each by a key of its own actor"
    )
    if partial:
        _stated_title(report, statement)
    else:
        _replayed_title(report, statement, world)


def _signature(report: Report, trust: Trust, item: _Replayed, world: World) -> None:
    event, index = item.recorded.event, item.recorded.index
    if index == 0 and item.recorded.kid not in trust.registrar_kids:
        report.invalid(
            Check.SIGNATURES,
            "unknown_registrar",
            f"the log begins with key {item.recorded.kid}, which the trust file does not name",
            _FORGED,
        )
        raise _Stop

    def key_of(kid: str) -> PublicKey | None:
        party = world.party(event.actor)
        key = party.key(kid) if party else None
        return signatures.public_key(key.jwk) if key else None

    try:
        signatures.verify(item.signed, key_of)
    except errors.Refusal as error:
        report.invalid(
            Check.SIGNATURES, error.code, f"entry {index}, {event.action}: {error}", _FORGED
        )
        raise _Stop from None


def _judge(report: Report, recorded: Recorded, world: World) -> None:
    try:
        world.apply(recorded)
    except errors.Refusal as error:
        report.invalid(
            Check.LAW,
            error.code,
            f"entry {recorded.index}, {recorded.event.action} by {recorded.event.actor}: {error}",
            _FORGED,
        )
        raise _Stop from None


def _key_counts(report: Report, recorded: Recorded, world: World) -> None:
    party = world.party(recorded.event.actor)
    key = party.key(recorded.kid) if party else None
    if key is None or not key.counts_at(recorded.recorded_at):
        report.invalid(
            Check.SIGNATURES,
            errors.KeyRevoked.code,
            f"entry {recorded.index}: {recorded.kid} was no valid key of {recorded.event.actor}",
            _FORGED,
        )
        raise _Stop


def _signed(recorded: Recorded, world: World) -> Signed:
    event = recorded.event
    party = world.party(event.actor)
    return Signed(
        index=recorded.index,
        stream=event.stream,
        action=event.action,
        actor=event.actor,
        name=party.identity.legal_name if party else event.actor,
        at=event.at,
        recorded_at=recorded.recorded_at,
        kid=recorded.kid,
    )


def _replayed_title(report: Report, statement: Statement, world: World) -> None:
    bill = world.bill(statement.bill)
    if bill is None:
        report.invalid(Check.LAW, "no_issue", "the file holds no ISSUE of this bill", _FORGED)
        raise _Stop
    control = bill.control
    found = (
        str(title.status(world, bill)),
        (control.possessor, control.title_holder, control.final),
    )
    if found != (statement.status, statement.control):
        report.invalid(
            Check.LAW,
            "title_differs",
            f"the events make {found}, the statement says {(statement.status, statement.control)}",
            _FORGED,
        )
        raise _Stop
    report.valid(Check.LAW, "lawful", "every act was lawful when recorded; the title follows")
    report.title = Title(
        origin=statement.origin,
        bill=statement.bill,
        reference=bill.reference,
        status=found[0],
        possessor=control.possessor,
        title_holder=control.title_holder,
        is_blank=control.title_holder is None,
        as_of=statement.at,
        replayed=True,
    )


def _stated_title(report: Report, statement: Statement) -> None:
    report.valid(Check.LAW, "as_stated", "a partial file: the status is as stated by the platform")
    report.title = Title(
        origin=statement.origin,
        bill=statement.bill,
        reference=None,
        status=statement.status,
        possessor=None,
        title_holder=None,
        is_blank=False,
        as_of=statement.at,
        replayed=False,
    )


# -- 10: currency and verdict --------------------------------------------------------------------


def _currency(report: Report, trust: Trust, statement: Statement, now: datetime) -> None:
    age = now - statement.at
    if statement.status in ENDED:
        report.valid(Check.CURRENCY, "ended", f"the bill has ended: {statement.status}")
    elif age < -CLOCK_TOLERANCE:
        report.unknown(
            Check.CURRENCY,
            "from_the_future",
            f"stated at {statement.at.isoformat()}, this clock says {now.isoformat()}",
            "Set the clock of this machine and verify again.",
        )
    elif age.total_seconds() > trust.max_age:
        report.unknown(
            Check.CURRENCY,
            "stale",
            f"stated {int(age.total_seconds())} seconds ago, at most {trust.max_age} count as "
            "current; the bill may have moved since",
            _ASK_AGAIN,
        )
    else:
        report.valid(
            Check.CURRENCY, "current", f"stated {max(0, int(age.total_seconds()))} seconds ago"
        )


def _verdict(report: Report) -> Verdict:
    if report.has(Outcome.INVALID):
        return Verdict.NOT_GENUINE
    open_ = [finding for finding in report.findings if finding.outcome is Outcome.UNKNOWN]
    if report.title is None or any(finding.check is not Check.CURRENCY for finding in open_):
        return Verdict.CANNOT_SAY
    if open_:
        return Verdict.NOT_KNOWN_CURRENT
    return Verdict.ENDED if report.title.status in ENDED else Verdict.CURRENT
