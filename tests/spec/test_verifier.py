"""The verifier on files that are not whole, not cosigned, not fresh, or of a bill that has ended.

What is spliced, forged or spoilt stands in tests/security; here are the steps' other outcomes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bol_service.crypto import base64url, jws, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain.states import Head
from bol_service.ledger.entry import Entry, stream_tag
from bol_service.ledger.note import KeyType, VerifierKey, cosignature_line
from bol_service.verification.bundle import (
    HiddenEntry,
    ShownEntry,
    checkpoint_digest,
    read_bundle,
    read_statement,
)
from bol_service.verification.report import Check, Outcome, Report, Signed, Title, Verdict
from bol_service.verification.trust import Trust
from bol_service.verification.verifier import verify
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant, instant_text
from bol_service.wire.events import EVENT_TYP, decode
from tests import bundle_case, forged_bundle, minimal_bill
from tests.bundle_case import Case, caught_by
from tests.forged_bundle import Told, forge

Json = dict[str, Any]

BOOKING, PUBLISH, APPROVE, GATE_IN, ISSUE = range(5, 10)
STEPS = [
    ("file", "well_formed"),
    ("trust", "trusted_origin"),
    ("statement", "signed_statement"),
    ("checkpoint", "signed_checkpoint"),
    ("inclusion", "included"),
    ("streams", "complete"),
    ("document", "right_document"),
    ("signatures", "signed"),
    ("law", "lawful"),
    ("currency", "current"),
]
WHOLE = [code for _, code in STEPS]
PARTIAL = [{"lawful": "as_stated"}.get(code, code) for code in WHOLE if code != "right_document"]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    yield from bundle_case.one_bill(tmp_path_factory.mktemp("one-bill"))


def told(case: Case) -> Told:
    return forged_bundle.genuine(case.content)


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


def bill_of(case: Case) -> str:
    return told(case).statement.bill


def event_of(case: Case, number: int) -> Json:
    payload: Json = json.loads(jws.parse(told(case).entries[number].event, EVENT_TYP).payload)
    return payload


def replaced(original: Told, number: int, compact: str) -> Told:
    entries = list(original.entries)
    entries[number] = replace(entries[number], event=compact)
    return replace(original, entries=tuple(entries))


def followed(original: Told, *compacts: str) -> Told:
    """More acts, recorded when the last one was."""
    more = [replace(original.entries[-1], event=compact) for compact in compacts]
    return replace(original, entries=(*original.entries, *more))


# -- a whole file --------------------------------------------------------------------------------


def test_a_whole_file_passes_every_step_in_order(case: Case) -> None:
    report = case.judge(case.content)
    assert [(finding.check, finding.code) for finding in report.findings] == STEPS
    assert report.demo
    assert report.findings[
        1
    ].message == f"trust file of {minimal_bill.ORIGIN} (a demonstration, " + (
        "without legal effect)"
    )


def test_a_whole_file_names_who_signed_what(case: Case) -> None:
    report = case.judge(case.content)
    entry = told(case).entries[ISSUE]
    event = decode(entry.event).event
    assert [signed.index for signed in report.signed] == list(range(10))
    assert report.signed[ISSUE] == Signed(
        index=ISSUE,
        stream=f"bill:{bill_of(case)}",
        action="ISSUE",
        actor="ca",
        name="ca",
        at=event.at,
        recorded_at=instant(entry.recorded_at),
        kid=case.world.signers["ca"].public.kid,
    )


def test_a_whole_file_proves_the_title(case: Case) -> None:
    assert case.judge(case.content).title == Title(
        origin=minimal_bill.ORIGIN,
        bill=bill_of(case),
        reference="N0",
        status="ISSUED",
        possessor="sh",
        title_holder=None,
        is_blank=True,
        as_of=told(case).statement.at,
        replayed=True,
    )


def test_a_bill_that_is_endorsed_is_not_in_blank(case: Case) -> None:
    endorse = follow_up(case, "ENDORSE_TO_ORDER", recipient="sh")
    stated = {"control": ("sh", "sh", False)}
    report = case.judge(forge(case.world, followed(told(case), endorse), **stated))
    assert report.title is not None, report.findings
    assert (report.title.title_holder, report.title.is_blank) == ("sh", False)


def follow_up(case: Case, action: str, **changes: Any) -> str:
    """The shipper's next act on the bill."""
    issue = told(case).entries[ISSUE]
    event: Json = {
        **event_of(case, ISSUE),
        "action": action,
        "actor": "sh",
        "details": {},
        "id": drafting.uuid7(case.now),
        "previous": issue.event_digest,
        "sequence": 1,
        **changes,
    }
    return drafting.sign(strictjson.canonical(event), case.world.signers[str(event["actor"])])


def test_a_trust_file_of_the_trade_makes_no_demonstration(case: Case) -> None:
    report = verify(case.content, replace(case.trust, demo=False), case.now)
    assert not report.demo
    assert report.findings[1].message == f"trust file of {minimal_bill.ORIGIN}"


def test_without_a_trust_file_nothing_is_said_of_demonstrations(case: Case) -> None:
    report = verify(case.content, None, case.now)
    assert (report.demo, report.title, report.signed) == (False, None, [])


def test_a_version_of_the_file_that_is_not_known_is_a_matter_of_the_file(case: Case) -> None:
    assert caught_by(case.judge(case.value | {"v": 2})) == (Check.FILE, "unknown_version")


def test_a_missing_or_foreign_trust_file_is_a_matter_of_trust(case: Case) -> None:
    foreign = replace(case.trust, origin="demo.sg.example/ebl")
    for trust, code in ((None, "no_trust_file"), (foreign, "other_platform")):
        report = verify(case.content, trust, case.now)
        assert caught_by(report) == (Check.TRUST, code)
        assert codes(report) == ["well_formed", code]


def test_a_statement_in_other_words_under_its_old_signature_is_forged(case: Case) -> None:
    header, _, signature = case.value["statement"].split(".")
    other = replace(told(case).statement, status="VOIDED").sign(case.world.statement_signer)
    spliced = case.value | {"statement": f"{header}.{other.split('.')[1]}.{signature}"}
    assert caught_by(case.judge(spliced)) == (Check.STATEMENT, "bad_statement_signature")


def test_the_registrar_is_the_one_of_the_first_entry(case: Case) -> None:
    trust = replace(case.trust, registrar_kids=frozenset())
    report = verify(partial(case, hide=[1]), trust, case.now)
    assert caught_by(report) == (Check.SIGNATURES, "unknown_registrar")


def test_acts_are_listed_under_the_legal_name_of_the_actor(case: Case) -> None:
    original, signers = told(case), case.world.signers
    registered = event_of(case, 1)
    identity = registered["details"]["identity"] | {"legalName": "Carrier Ltd"}
    proof = drafting.prove_key(
        signers["ca"], origin=minimal_bill.ORIGIN, party="ca", identity=identity
    )
    registered["details"] |= {**proof, "identity": identity}
    compact = drafting.sign(strictjson.canonical(registered), signers["operator"])
    accepted = event_of(case, 3) | {"previous": jws.parse(compact, EVENT_TYP).digest}
    again = drafting.sign(strictjson.canonical(accepted), signers["ca"])
    story = replaced(replaced(original, 1, compact), 3, again)
    report = case.judge(partial(case, hide=[ISSUE], story=replace(story, document=None)))
    assert {signed.actor: signed.name for signed in report.signed} == {
        "operator": "operator",
        "ca": "Carrier Ltd",
        "sh": "sh",
    }


def test_a_file_without_the_issue_proves_no_title(case: Case) -> None:
    original = told(case)
    without = replace(original, entries=original.entries[:ISSUE])
    assert caught_by(case.judge(forge(case.world, without))) == (Check.LAW, "no_issue")


def test_acts_of_one_moment_are_in_order(case: Case) -> None:
    original = told(case)
    moment = original.entries[-1].recorded_at
    entries = tuple(replace(entry, recorded_at=moment) for entry in original.entries)
    report = case.judge(forge(case.world, replace(original, entries=entries)))
    assert report.verdict is Verdict.CURRENT, report.findings


def test_a_stream_does_not_begin_after_something(case: Case) -> None:
    event = event_of(case, ISSUE) | {"previous": "0" * 64}
    compact = drafting.sign(strictjson.canonical(event), case.world.signers["ca"])
    report = case.judge(forge(case.world, replaced(told(case), ISSUE, compact)))
    assert report.verdict is Verdict.NOT_GENUINE
    assert caught_by(report)[0] is Check.STREAMS


def test_a_signature_over_other_words_is_nobody_s(case: Case) -> None:
    """The key is the carrier's own, the bytes signed are not these."""
    header, _, signature = told(case).entries[ISSUE].event.split(".")
    changed = event_of(case, ISSUE) | {"id": drafting.uuid7(case.now)}
    compact = f"{header}.{base64url.encode(strictjson.canonical(changed))}.{signature}"
    report = case.judge(forge(case.world, replaced(told(case), ISSUE, compact)))
    assert caught_by(report) == (Check.SIGNATURES, "bad_signature")


def test_what_cannot_be_read_is_forged_even_in_the_tree(case: Case) -> None:
    """A dishonest platform can put any bytes under its tree."""
    compact = drafting.sign(b'{"v":1}', case.world.signers["ca"])
    original = told(case)
    report = case.judge(forge(case.world, followed(original, compact), heads=stated(original)))
    assert caught_by(report) == (Check.STREAMS, "not_understood")


def test_an_event_with_a_member_too_many_is_forged_even_in_the_tree(case: Case) -> None:
    event = event_of(case, ISSUE) | {"note": ""}
    compact = drafting.sign(strictjson.canonical(event), case.world.signers["ca"])
    original = told(case)
    report = case.judge(
        forge(case.world, replaced(original, ISSUE, compact), heads=stated(original))
    )
    assert caught_by(report) == (Check.STREAMS, "bad_event")


def stated(original: Told) -> dict[str, Head]:
    return forged_bundle.heads(original.entries)


@pytest.mark.parametrize("document", [b"[]", b'"N0"', b"{}", b"{"])
def test_a_file_with_another_kind_of_document_is_no_evidence(case: Case, document: bytes) -> None:
    report = case.judge(forge(case.world, replace(told(case), document=document)))
    assert caught_by(report) == (Check.DOCUMENT, "unreadable_document")


# -- currency ------------------------------------------------------------------------------------

AGES = {
    "just now": (timedelta(), Verdict.CURRENT, "current"),
    "as long ago as the trust file allows": (timedelta(minutes=10), Verdict.CURRENT, "current"),
    "a moment longer ago than that": (
        timedelta(minutes=10, milliseconds=1),
        Verdict.NOT_KNOWN_CURRENT,
        "stale",
    ),
    "in five minutes": (timedelta(minutes=-5), Verdict.CURRENT, "current"),
    "a moment later than in five minutes": (
        timedelta(minutes=-5, milliseconds=-1),
        Verdict.NOT_KNOWN_CURRENT,
        "from_the_future",
    ),
}


@pytest.mark.parametrize(("age", "verdict", "code"), AGES.values(), ids=AGES)
def test_a_living_bill_is_judged_by_when_it_was_stated(
    case: Case, age: timedelta, verdict: Verdict, code: str
) -> None:
    report = verify(case.content, case.trust, told(case).statement.at + age)
    assert (report.verdict, codes(report)[-1]) == (verdict, code)
    assert report.findings[-1].check is Check.CURRENCY
    assert report.title is not None


def test_a_statement_of_the_near_future_is_no_seconds_old(case: Case) -> None:
    at = told(case).statement.at
    ages = [timedelta(minutes=-5), timedelta(), timedelta(seconds=1, milliseconds=900)]
    messages = [verify(case.content, case.trust, at + age).findings[-1].message for age in ages]
    assert messages == ["stated 0 seconds ago"] * 2 + ["stated 1 seconds ago"]


@pytest.fixture(scope="module")
def voided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[bytes, Trust, datetime]]:
    """The bundle of a bill that its shipper refused and its carrier voided."""
    with minimal_bill.build(tmp_path_factory.mktemp("voided")) as world:
        bill = world.issue()
        world.act("sh", "REFUSE", f"bill:{bill}", {"reason": "R"})
        world.act("ca", "VOID", f"bill:{bill}", {"reason": "R"})
        content = world.bundle(bill, "ca")
        yield content, world.trust(), forged_bundle.genuine(content).statement.at


def test_a_bill_that_has_ended_does_not_become_stale(
    voided: tuple[bytes, Trust, datetime],
) -> None:
    content, trust, at = voided
    report = verify(content, trust, at + timedelta(days=3650))
    assert codes(report) == [*WHOLE[:-1], "ended"]
    assert report.findings[-1].check is Check.CURRENCY
    assert report.verdict is Verdict.ENDED
    assert report.title is not None
    assert report.title.status == "VOIDED"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("ACCOMPLISHED", Verdict.ENDED),
        ("VOIDED", Verdict.ENDED),
        ("SURRENDERED_FOR_DELIVERY", Verdict.NOT_KNOWN_CURRENT),
        ("ISSUED", Verdict.NOT_KNOWN_CURRENT),
    ],
)
def test_after_a_year_only_a_bill_that_ended_is_known(
    case: Case, status: str, verdict: Verdict
) -> None:
    content = partial(case, hide=[GATE_IN], status=status)
    later = told(case).statement.at + timedelta(days=365)
    assert verify(content, case.trust, later).verdict is verdict


# -- witnesses -----------------------------------------------------------------------------------

SIGNERS = [LocalSigner(generate(Algorithm.ED25519)) for _ in range(2)]
WITNESSES = tuple(
    VerifierKey(
        name=f"witness-{number}.example",
        type=KeyType.COSIGNATURE,
        public=signer.public.public_bytes_raw,
    )
    for number, signer in enumerate(SIGNERS)
)


def cosigned(case: Case, *witnesses: int) -> bytes:
    """The genuine bundle, its checkpoint cosigned and stated anew."""
    bundle = read_bundle(case.content)
    body = bundle.checkpoint.partition("\n\n")[0] + "\n"
    note = bundle.checkpoint
    for number in witnesses:
        signer, witness = SIGNERS[number], WITNESSES[number]
        note += cosignature_line(body, witness.name, 1, signer.sign, witness.public)
    statement = replace(told(case).statement, checkpoint_digest=checkpoint_digest(note))
    signed = statement.sign(case.world.statement_signer)
    return replace(bundle, checkpoint=note, statement=signed).to_bytes()


@pytest.mark.parametrize(
    ("witnesses", "quorum", "verdict"),
    [
        ((), 0, Verdict.CURRENT),
        ((), 1, Verdict.CANNOT_SAY),
        ((0,), 1, Verdict.CURRENT),
        ((0,), 2, Verdict.CANNOT_SAY),
        ((0, 0), 2, Verdict.CANNOT_SAY),
        ((0, 1), 2, Verdict.CURRENT),
        ((0, 1), 1, Verdict.CURRENT),
    ],
    ids=[
        "none asked for",
        "none of one",
        "one of one",
        "one of two",
        "the same one twice",
        "two of two",
        "one more than asked for",
    ],
)
def test_the_trust_file_s_quorum_of_witnesses_decides(
    case: Case, witnesses: tuple[int, ...], quorum: int, verdict: Verdict
) -> None:
    trust = replace(case.trust, witnesses=WITNESSES, quorum=quorum)
    report = verify(cosigned(case, *witnesses), trust, case.now)
    assert report.verdict is verdict
    few = verdict is Verdict.CANNOT_SAY
    expected = [{"signed_checkpoint": "too_few_witnesses"}.get(c, c) if few else c for c in WHOLE]
    assert codes(report) == expected
    assert report.findings[3].outcome is (Outcome.UNKNOWN if few else Outcome.VALID)
    assert f"{len(set(witnesses))} " in report.findings[3].message


def test_the_log_s_own_signature_is_no_witness(case: Case) -> None:
    report = verify(case.content, replace(case.trust, quorum=1), case.now)
    assert caught_by(report) == (Check.CHECKPOINT, "too_few_witnesses")


# -- partial files -------------------------------------------------------------------------------


def partial(
    case: Case,
    *,
    hide: Collection[int] = (),
    drop: Collection[int] = (),
    story: Told | None = None,
    **statement: Any,
) -> bytes:
    """A file for a reader who may not know who controls the bill, and not see some acts."""
    story = story or replace(told(case), document=None)
    bundle = read_bundle(forge(case.world, story, **{"control": None, **statement}))
    entries = tuple(
        hidden(entry) if number in hide else entry
        for number, entry in enumerate(bundle.entries)
        if number not in drop
    )
    return replace(bundle, entries=entries).to_bytes()


def hidden(entry: object) -> HiddenEntry:
    assert isinstance(entry, ShownEntry)
    stream, sequence = forged_bundle.place(entry.entry)
    return HiddenEntry(
        index=entry.index,
        tag=stream_tag(stream),
        sequence=sequence,
        digest=entry.entry.digest,
        proof=entry.proof,
    )


@pytest.mark.parametrize(
    "hide",
    [
        (),
        tuple(range(10)),
        (BOOKING,),
        (BOOKING, PUBLISH, APPROVE, GATE_IN),
        (APPROVE,),
        (ISSUE,),
    ],
    ids=[
        "no act",
        "every act",
        "the beginning of a stream",
        "whole streams",
        "the end of a stream",
        "the issue",
    ],
)
def test_a_partial_file_may_hide(case: Case, hide: tuple[int, ...]) -> None:
    report = case.judge(partial(case, hide=hide))
    assert codes(report) == PARTIAL
    assert [finding.check for finding in report.findings] == [
        check for check, code in STEPS if code != "right_document"
    ]
    assert report.verdict is Verdict.CURRENT
    assert [signed.index for signed in report.signed] == [n for n in range(10) if n not in hide]
    assert "6 streams" in report.findings[5].message


def test_the_title_of_a_partial_file_is_as_the_platform_states_it(case: Case) -> None:
    at = told(case).statement.at
    assert case.judge(partial(case, hide=[ISSUE], at=at)).title == Title(
        origin=minimal_bill.ORIGIN,
        bill=bill_of(case),
        reference=None,
        status="ISSUED",
        possessor=None,
        title_holder=None,
        is_blank=False,
        as_of=at,
        replayed=False,
    )


def test_a_document_in_a_partial_file_is_still_the_bill_s(case: Case) -> None:
    report = case.judge(partial(case, hide=[ISSUE], story=told(case)))
    assert codes(report) == [*PARTIAL[:6], "right_document", *PARTIAL[6:]]
    other = partial(case, hide=[ISSUE], story=told(case), bill="0" * 64)
    assert caught_by(case.judge(other)) == (Check.DOCUMENT, "other_document")


GAPS = {
    "an act between two hidden ones": ((BOOKING, APPROVE), (PUBLISH,), "2, 1 is missing"),
    "the beginning before a hidden one": ((PUBLISH, APPROVE), (BOOKING,), "1, 0 is missing"),
    "an act after a hidden one": ((BOOKING,), (PUBLISH,), "1 is missing or occurs twice"),
    "a whole stream": ((ISSUE,), (GATE_IN,), "ends at nothing, the statement says 0"),
    "the end behind a hidden one": ((PUBLISH,), (APPROVE,), "ends at 1, the statement says 2"),
}


@pytest.mark.parametrize(("hide", "drop", "reason"), GAPS.values(), ids=GAPS)
def test_even_a_partial_file_may_not_leave_out(
    case: Case, hide: tuple[int, ...], drop: tuple[int, ...], reason: str
) -> None:
    report = case.judge(partial(case, hide=hide, drop=drop))
    assert caught_by(report) == (Check.STREAMS, "broken_stream")
    assert reason in report.findings[-1].message


def test_a_hidden_act_of_a_stream_that_is_not_stated_is_missed(case: Case) -> None:
    heads = {name: head for name, head in stated(told(case)).items() if "draft" not in name}
    report = case.judge(partial(case, hide=[BOOKING, PUBLISH, APPROVE], heads=heads))
    assert caught_by(report) == (Check.STREAMS, "broken_stream")
    assert "belongs to a stream that is not stated" in report.findings[-1].message


def test_a_hidden_act_moved_to_another_place_is_in_no_tree(case: Case) -> None:
    bundle = read_bundle(partial(case, hide=[BOOKING, PUBLISH, APPROVE]))
    for change in ({"sequence": 1}, {"tag": bytes(32)}, {"digest": bytes(32)}):
        entries = list(bundle.entries)
        entries[BOOKING] = replace(entries[BOOKING], **change)  # type: ignore[arg-type]
        report = case.judge(replace(bundle, entries=tuple(entries)).to_bytes())
        assert caught_by(report) == (Check.INCLUSION, "not_included")


@pytest.mark.parametrize("sequence", [-1, 2**53 - 1], ids=["below the first", "far beyond"])
def test_a_hidden_act_at_an_impossible_place_is_in_no_tree(case: Case, sequence: int) -> None:
    value = case.value
    value["entries"][ISSUE] = bundle_case.placeholder(value["entries"][ISSUE])
    value["entries"][ISSUE]["sequence"] = sequence
    assert case.judge(value).verdict is Verdict.NOT_GENUINE


def test_a_shown_act_in_a_partial_file_is_its_actor_s_own(case: Case) -> None:
    event = strictjson.canonical(event_of(case, ISSUE))
    story = replaced(told(case), ISSUE, drafting.sign(event, case.world.signers["sh"]))
    report = case.judge(partial(case, hide=[GATE_IN], story=story))
    assert caught_by(report) == (Check.SIGNATURES, "bad_signature")


def test_a_shown_act_of_a_party_that_is_not_registered_is_nobody_s(case: Case) -> None:
    event = event_of(case, ISSUE) | {"actor": "nobody"}
    nobody = drafting.sign(strictjson.canonical(event), case.world.signers["ca"])
    story = replaced(told(case), ISSUE, nobody)
    report = case.judge(partial(case, hide=[GATE_IN], story=story))
    assert caught_by(report) == (Check.SIGNATURES, "bad_signature")


def test_the_law_of_parties_is_replayed_even_in_a_partial_file(case: Case) -> None:
    event = event_of(case, 3) | {"at": "2020-01-01T00:00:00.000Z"}
    accepted = drafting.sign(strictjson.canonical(event), case.world.signers["ca"])
    report = case.judge(partial(case, hide=[ISSUE], story=replaced(told(case), 3, accepted)))
    assert caught_by(report) == (Check.LAW, "bad_time")


def test_a_revoked_key_signs_nothing_more_even_in_a_partial_file(case: Case) -> None:
    signer = case.world.signers["sh"]
    accept = event_of(case, 4)
    revoke = accept | {
        "action": "REVOKE_KEY",
        "details": {"kid": signer.public.kid, "reason": "LOST"},
        "id": drafting.uuid7(case.now),
        "previous": told(case).entries[4].event_digest,
        "sequence": 2,
    }
    revoked = drafting.sign(strictjson.canonical(revoke), signer)
    transfer = follow_up(case, "TRANSFER", recipient="ca")
    lawful = partial(case, hide=[GATE_IN], story=followed(told(case), transfer, revoked))
    assert codes(case.judge(lawful)) == [*PARTIAL[:6], "right_document", *PARTIAL[6:]]
    story = followed(told(case), revoked, transfer)
    report = case.judge(partial(case, hide=[GATE_IN], story=story))
    assert caught_by(report) == (Check.SIGNATURES, "key_revoked")


def test_the_operator_registers_itself_with_the_first_entry_only(case: Case) -> None:
    """Elsewhere in the log its key would be pinned by nobody."""
    original = told(case)
    first, *others = original.entries
    moved = Entry(event=first.event, recorded_at=others[0].recorded_at)
    story = replace(original, document=None, entries=(others[0], moved, *others[1:]))
    report = case.judge(partial(case, hide=[0], story=story))
    assert caught_by(report) == (Check.LAW, "not_found")


def test_a_statement_names_all_of_control_or_nothing(case: Case) -> None:
    statement, parsed = read_statement(read_bundle(case.content).statement)
    value = json.loads(parsed.payload)
    for name in ("possessor", "titleHolder", "final"):
        rest = {member: given for member, given in value.items() if member != name}
        compact = jws.sign(strictjson.canonical(rest), "ebl-title+jws", case.world.statement_signer)
        content = case.value | {"statement": compact}
        report = case.judge(content)
        assert caught_by(report) == (Check.FILE, "bad_file")
        assert "or none of them" in report.findings[-1].message
    assert statement.control == ("sh", None, False)
    assert value["at"] == instant_text(statement.at)
