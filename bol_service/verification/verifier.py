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
10. PEERS      of a bill that crossed: the answers and chains of other platforms are signed by keys
               that the trust file names for them; not checked where it names none
11. CURRENCY   how old the statement is, for a bill that still lives

A bundle is partial if its statement leaves out who controls the bill, and only then may a document
or an event be missing. It cannot be replayed: signatures and keys of what is shown are checked, and
the status is reported as stated by the platform. Steps after a failed one that they rest on are not
run.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise

from bol_service.crypto import jws, strictjson
from bol_service.domain import errors
from bol_service.domain.events import ExchangeEvent
from bol_service.domain.states import Status
from bol_service.domain.world import World
from bol_service.ledger.checkpoint import Checkpoint, open_checkpoint
from bol_service.ledger.entry import public_entry, stream_tag
from bol_service.ledger.merkle import ProofError, leaf_hash, verify_inclusion
from bol_service.ledger.note import KeyType, NoteError
from bol_service.verification import replay, streams
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
from bol_service.verification.report import (
    ASK_AGAIN,
    FORGED,
    Check,
    Outcome,
    Report,
    Stop,
    Verdict,
)
from bol_service.verification.trust import Trust
from bol_service.wire.document import DocumentError, read_document
from bol_service.wire.events import NotUnderstood, decode

ENDED = frozenset({Status.ACCOMPLISHED, Status.VOIDED})
_ASK_THERE = "Ask the platform that holds the original now; this one cannot speak for it."
CLOCK_TOLERANCE = timedelta(minutes=5)


def verify(content: bytes, trust: Trust | None, now: datetime) -> Report:
    """Run all steps on the bytes of a bundle; `now` is aware UTC. Never raises."""
    report = Report(demo=trust.demo if trust else False)
    with suppress(Stop):
        _run(report, content, trust, now)
    report.verdict = _verdict(report)
    return report


def _run(report: Report, content: bytes, trust: Trust | None, now: datetime) -> None:
    bundle, statement, statement_jws = _file(report, content)
    platform = _trust(report, trust, statement)
    _statement(report, platform, bundle, statement, statement_jws)
    checkpoint = _checkpoint(report, platform, bundle, statement)
    _inclusion(report, bundle, checkpoint)
    replayed = streams.read(report, bundle, statement)
    world = World(statement.origin)
    _document(report, bundle, statement, world)
    replay.judge(report, platform, statement, replayed, world)
    _peers(report, platform, bundle, statement, replayed, world)
    _currency(report, platform, statement, now)


# -- 1, 2, 3: file, trust, statement -------------------------------------------------------------


def _file(report: Report, content: bytes) -> tuple[Bundle, Statement, jws.ParsedJws]:
    try:
        bundle = read_bundle(content)
        statement, parsed = read_statement(bundle.statement)
    except UnknownVersionError as error:
        report.unknown(Check.FILE, "unknown_version", str(error), "Use a newer verifier.")
        raise Stop from None
    except BundleError as error:
        report.invalid(Check.FILE, "bad_file", str(error), FORGED)
        raise Stop from None
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
        raise Stop
    if trust.origin != statement.origin:
        report.unknown(
            Check.TRUST,
            "other_platform",
            f"the trust file is for {trust.origin}, the file is of {statement.origin}",
            f"Use the trust file of {statement.origin}.",
        )
        raise Stop
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
        report.invalid(Check.STATEMENT, "bad_statement_signature", str(error), FORGED)
        raise Stop from None
    if statement.checkpoint_digest != checkpoint_digest(bundle.checkpoint):
        report.invalid(
            Check.STATEMENT,
            "other_checkpoint",
            "the statement was made for another checkpoint than the one in the file",
            FORGED,
        )
        raise Stop
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
        report.invalid(Check.CHECKPOINT, "bad_checkpoint", str(error), FORGED)
        raise Stop from None
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
            FORGED,
        )
        raise Stop
    cosigned = {by.key.name for by in signed.by if by.key.type is KeyType.COSIGNATURE}
    if len(cosigned) < trust.quorum:
        report.unknown(
            Check.CHECKPOINT,
            "too_few_witnesses",
            f"{len(cosigned)} witnesses cosigned, the trust file asks for {trust.quorum}",
            ASK_AGAIN,
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
            Check.INCLUSION, "bad_order", "the entries are not in the order of the log", FORGED
        )
        raise Stop
    for entry in bundle.entries:
        try:
            verify_inclusion(
                _leaf(entry), entry.index, checkpoint.size, entry.proof, checkpoint.root
            )
        except ProofError as error:
            report.invalid(Check.INCLUSION, "not_included", f"entry {entry.index}: {error}", FORGED)
            raise Stop from None
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


# -- 7: document ---------------------------------------------------------------------------------


def _document(report: Report, bundle: Bundle, statement: Statement, world: World) -> None:
    if bundle.document is None:
        if statement.is_partial:
            return
        report.invalid(Check.DOCUMENT, "no_document", "the document is missing", FORGED)
        raise Stop
    try:
        value = strictjson.loads_document(bundle.document)
        if not isinstance(value, dict):
            raise strictjson.BadJson(f"the document is a JSON object, not {type(value).__name__}")
        facts = read_document(bundle.document, value, strict=False)
    except (strictjson.BadJson, DocumentError) as error:
        report.invalid(Check.DOCUMENT, "unreadable_document", str(error), FORGED)
        raise Stop from None
    if facts.checksum != statement.bill:
        report.invalid(
            Check.DOCUMENT,
            "other_document",
            f"the document's checksum is {facts.checksum}, the bill is {statement.bill}",
            FORGED,
        )
        raise Stop
    world.add_document(facts)
    report.valid(
        Check.DOCUMENT,
        "right_document",
        f"B/L {facts.reference}, SHA-256 as received {facts.received_bytes}",
    )


# -- 10: peers -----------------------------------------------------------------------------------


def _peers(
    report: Report,
    trust: Trust,
    bundle: Bundle,
    statement: Statement,
    replayed: list[streams.ReadEvent],
    world: World,
) -> None:
    crossed = any(isinstance(item.recorded.event, ExchangeEvent) for item in replayed)
    if not (crossed or bundle.chains):
        return
    # Few bills cross the border, and `bol verify` has to start fast.
    from bol_service.verification import crossings

    crossings.judge(report, trust, bundle, statement, replayed, world)


# -- 11: currency and verdict --------------------------------------------------------------------


def _currency(report: Report, trust: Trust, statement: Statement, now: datetime) -> None:
    age = now - statement.at
    if statement.status in ENDED:
        report.valid(Check.CURRENCY, "ended", f"the bill has ended: {statement.status}")
    elif statement.status == Status.MOVED:
        report.unknown(
            Check.CURRENCY,
            "moved",
            "the original has moved to another platform, where more may have happened",
            _ASK_THERE,
        )
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
            ASK_AGAIN,
        )
    else:
        report.valid(
            Check.CURRENCY, "current", f"stated {max(0, int(age.total_seconds()))} seconds ago"
        )


def _verdict(report: Report) -> Verdict:
    if report.has(Outcome.INVALID):
        return Verdict.NOT_GENUINE
    open_ = [
        finding
        for finding in report.findings
        if finding.outcome is Outcome.UNKNOWN and finding.check is not Check.PEERS
    ]
    if report.title is None or any(finding.check is not Check.CURRENCY for finding in open_):
        return Verdict.CANNOT_SAY
    if open_:
        return Verdict.NOT_KNOWN_CURRENT
    return Verdict.ENDED if report.title.status in ENDED else Verdict.CURRENT
