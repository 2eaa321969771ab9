"""Verifies what was disclosed of a bill, from the presentation, evidence and a trust file alone.

The steps, each a named finding:

1. FILE        the presentation is well formed; every piece hashes to a digest committed to
2. EVIDENCE    the evidence bundle verifies by itself (`verifier.verify`); without one nothing can
               be said, since only it tells the bill's status
3. BILL        presentation and evidence are of the same bill of the same platform
4. COMMITMENT  the bill's ISSUE names this very issuer-signed JWT
5. SIGNATURE   it is signed with a key of the carrier that counted when ISSUE was recorded
6. DOCUMENT    where the evidence holds the document: every disclosed value stands there

Steps after a failed one are not run. Each disclosed field then is VALID, INVALID (it is not what
the document says) or UNKNOWN (a step that it rests on is not VALID). The verdict is the evidence's
own, unless a step fails: a presentation is never GENUINE AND CURRENT without current evidence.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from bol_service.crypto import jws, strictjson
from bol_service.domain.events import Issue, PartyEvent, Recorded
from bol_service.domain.states import PartyState
from bol_service.domain.world import World
from bol_service.verification.bundle import (
    Bundle,
    ShownEntry,
    Statement,
    read_bundle,
    read_statement,
)
from bol_service.verification.disclosure_report import DisclosureReport, FieldFinding, Step
from bol_service.verification.report import Outcome, Report, Stop, Verdict
from bol_service.verification.signatures import public_key
from bol_service.verification.trust import Trust
from bol_service.verification.verifier import verify as verify_bundle
from bol_service.wire.disclosure import (
    BadDisclosure,
    Disclosed,
    Presentation,
    UnknownVersion,
    parse,
)
from bol_service.wire.document import read_document
from bol_service.wire.event_fields import instant
from bol_service.wire.events import decode
from bol_service.wire.json_pointer import value_at


def verify(
    content: bytes, evidence: bytes | None, trust: Trust | None, now: datetime
) -> DisclosureReport:
    """Run all steps on the bytes of a presentation; `now` is aware UTC. Never raises."""
    report = DisclosureReport()
    with suppress(Stop):
        presentation = _file(report, content)
        bundle, statement = _evidence(report, presentation, evidence, trust, now)
        _bill(report, presentation, statement)
        issue = _commitment(report, presentation, bundle, statement)
        _signature(report, presentation, bundle, issue)
        _document(report, presentation, bundle)
    report.verdict = _verdict(report)
    _judge_fields(report)
    return report


# -- 1, 2, 3: file, evidence, bill ---------------------------------------------------------------


def _file(report: DisclosureReport, content: bytes) -> Presentation:
    try:
        presentation = parse(content.decode("ascii").removesuffix("\n"))
    except UnicodeDecodeError:
        report.invalid(Step.FILE, "bad_file", "the file is not ASCII")
    except UnknownVersion as error:
        report.unknown(Step.FILE, "unknown_version", str(error), "Use a newer verifier.")
    except BadDisclosure as error:
        report.invalid(Step.FILE, "bad_file", str(error))
    report.presentation = presentation
    shown, hidden = len(presentation.disclosed), presentation.hidden
    report.valid(Step.FILE, "well_formed", f"{shown} fields disclosed, {hidden} not disclosed")
    return presentation


def _evidence(
    report: DisclosureReport,
    presentation: Presentation,
    evidence: bytes | None,
    trust: Trust | None,
    now: datetime,
) -> tuple[Bundle, Statement]:
    if evidence is None:
        message = "without evidence nobody can say who signed, and what has become of the bill"
        report.unknown(Step.EVIDENCE, "no_evidence", message, _ask(presentation))
    report.evidence = verify_bundle(evidence, trust, now)
    verdict = report.evidence.verdict
    if verdict is Verdict.NOT_GENUINE:
        report.invalid(Step.EVIDENCE, "bad_evidence", f"the evidence is {verdict}")
    if verdict is Verdict.CANNOT_SAY or trust is None:
        message = "the evidence could not be verified"
        report.unknown(Step.EVIDENCE, "unverified_evidence", message, _first_step(report.evidence))
    bundle = read_bundle(evidence)
    statement, _ = read_statement(bundle.statement)
    if verdict is Verdict.CURRENT:
        report.current_until = statement.at + timedelta(seconds=trust.max_age)
    message = f"the evidence is {verdict}; the bill is {statement.status}"
    report.valid(Step.EVIDENCE, "verified_evidence", message)
    return bundle, statement


def _first_step(evidence: Report) -> str:
    """What evidence that says nothing asks for; each of its open findings asks for something."""
    return next(found.next_step for found in evidence.findings if found.next_step)


def _ask(presentation: Presentation) -> str:
    return f"Get evidence of the bill at {presentation.claims.status_at} and verify both together."


def _bill(report: DisclosureReport, presentation: Presentation, statement: Statement) -> None:
    claims = presentation.claims
    found, stated = (claims.origin, claims.bill), (statement.origin, statement.bill)
    if found != stated:
        message = f"disclosed of bill {found}, the evidence is of bill {stated}"
        report.invalid(Step.BILL, "other_bill", message)
    report.valid(Step.BILL, "same_bill", f"B/L {claims.reference} of {claims.origin}")


# -- 4, 5: what the carrier committed to, and that it was the carrier ----------------------------


def _commitment(
    report: DisclosureReport, presentation: Presentation, bundle: Bundle, statement: Statement
) -> Recorded:
    issue = next((act for act in _shown(bundle) if act.event.stream == _stream(statement)), None)
    if issue is None or not isinstance(issue.event, Issue):
        report.unknown(
            Step.COMMITMENT,
            "issue_hidden",
            "this evidence does not show the act with which the bill was issued",
            "Ask the holder for the evidence made for disclosures: bol bill evidence --issue-only.",
        )
    claimed, actor = presentation.claims.carrier, issue.event.actor
    if claimed != actor:
        message = f"disclosed by {claimed}, the bill was issued by {actor}"
        report.invalid(Step.COMMITMENT, "other_carrier", message)
    committed = issue.event.disclosure
    if committed is None:
        message = "the bill was issued without a commitment to its fields"
        report.invalid(Step.COMMITMENT, "no_commitment", message)
    if committed != presentation.digest:
        message = f"ISSUE commits to {committed}, this file has {presentation.digest}"
        report.invalid(Step.COMMITMENT, "other_commitment", message)
    report.valid(Step.COMMITMENT, "committed", f"ISSUE of {actor} names {committed}")
    return issue


def _stream(statement: Statement) -> str:
    return f"bill:{statement.bill}"


def _shown(bundle: Bundle) -> list[Recorded]:
    """The shown acts of verified evidence, in the order of the log."""
    acts = []
    for entry in bundle.entries:
        if not isinstance(entry, ShownEntry):
            continue
        signed = decode(entry.entry.event)
        acts.append(
            Recorded(
                event=signed.event,
                digest=signed.parsed.digest,
                kid=signed.parsed.kid,
                alg=str(signed.parsed.alg),
                recorded_at=instant(entry.entry.recorded_at),
                index=entry.index,
            )
        )
    return acts


def _signature(
    report: DisclosureReport, presentation: Presentation, bundle: Bundle, issue: Recorded
) -> None:
    carrier = _carrier_at(bundle, issue)
    signed = presentation.signed
    key = carrier.key(signed.kid)
    if key is None or key.alg != signed.alg or not key.counts_at(issue.recorded_at):
        message = f"{signed.kid} ({signed.alg}) was no valid key of {carrier.slug} at the issue"
        report.invalid(Step.SIGNATURE, "wrong_key", message)
    try:
        jws.verify(signed, public_key(key.jwk))
    except jws.BadSignature as error:
        report.invalid(Step.SIGNATURE, "bad_signature", str(error))
    code = carrier.carrier_code
    claims = presentation.claims
    claimed = (claims.carrier_code, claims.carrier_code_list_provider)
    if code is None or (code.code, code.provider) != claimed:
        message = f"carrier code {claimed} is not the one that {carrier.slug} is registered with"
        report.invalid(Step.SIGNATURE, "other_carrier_code", message)
    name = carrier.identity.legal_name
    report.valid(Step.SIGNATURE, "signed", f"by {name}, key {signed.kid}")


def _carrier_at(bundle: Bundle, issue: Recorded) -> PartyState:
    """The carrier as registered when the bill was issued: later keys do not count, nor do later
    revocations."""
    world = World(issue.event.audience)
    for act in _shown(bundle):
        if act.index < issue.index and isinstance(act.event, PartyEvent):
            world.apply(act)
    carrier = world.party(issue.event.actor)
    assert carrier is not None  # verified evidence has ISSUE by a registered party
    return carrier


# -- 6: document ---------------------------------------------------------------------------------


def _document(report: DisclosureReport, presentation: Presentation, bundle: Bundle) -> None:
    if bundle.document is None:
        return
    value = strictjson.loads_document(bundle.document)
    assert isinstance(value, dict)  # the evidence has been verified
    facts = read_document(bundle.document, value, strict=False)
    claims = presentation.claims
    claimed = (claims.reference, claims.carrier_code, claims.carrier_code_list_provider)
    stated = (facts.reference, facts.carrier_code, facts.carrier_code_list_provider)
    if claimed != stated:
        message = f"disclosed as {claimed}, the document says {stated}"
        report.invalid(Step.DOCUMENT, "other_document", message)
    wrong = _differing(presentation, value)
    for piece in presentation.disclosed:
        outcome = Outcome.INVALID if piece.pointer in wrong else Outcome.VALID
        report.fields.append(
            FieldFinding(pointer=piece.pointer, value=piece.value, outcome=outcome)
        )
    if wrong:
        message = f"the document says something else at {', '.join(sorted(wrong))}"
        report.invalid(Step.DOCUMENT, "value_differs", message)
    report.valid(Step.DOCUMENT, "as_in_document", "every disclosed value stands in the document")


def _differing(presentation: Presentation, document: dict[str, object]) -> set[str]:
    return {piece.pointer for piece in presentation.disclosed if not _stands(piece, document)}


def _stands(piece: Disclosed, document: dict[str, object]) -> bool:
    try:
        found = value_at(document, piece.pointer)
    except LookupError:
        return False
    return strictjson.canonical(found) == strictjson.canonical(piece.value)


# -- verdict -------------------------------------------------------------------------------------


def _verdict(report: DisclosureReport) -> Verdict:
    outcomes = {found.outcome for found in report.findings}
    if Outcome.INVALID in outcomes:
        return Verdict.NOT_GENUINE
    if Outcome.UNKNOWN in outcomes:
        return Verdict.CANNOT_SAY
    assert report.evidence is not None  # its step would not have been VALID
    return report.evidence.verdict


def _judge_fields(report: DisclosureReport) -> None:
    """Fields that the document has not judged stand or fall with the steps."""
    if report.presentation is None or report.fields:
        return
    outcome = Outcome.UNKNOWN
    if report.verdict not in (Verdict.CANNOT_SAY, Verdict.NOT_GENUINE):
        outcome = Outcome.VALID
    elif (last := report.findings[-1]).outcome is Outcome.INVALID:
        # Forged evidence says nothing about the fields; any later failure does.
        outcome = Outcome.UNKNOWN if last.step is Step.EVIDENCE else Outcome.INVALID
    report.fields = [
        FieldFinding(pointer=piece.pointer, value=piece.value, outcome=outcome)
        for piece in report.presentation.disclosed
    ]
