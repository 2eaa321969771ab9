"""What even the platform, with all its own keys, cannot forge: the acts of the parties.

The files here pass every check of the platform's own signatures and of the tree; streams, party
signatures, law, document and title are what has to catch them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bol_service.crypto import jws, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain.states import Head
from bol_service.verification.report import Check, Verdict
from bol_service.verification.verifier import verify
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import EVENT_TYP, decode
from tests import forged_bundle, minimal_bill
from tests.bundle_case import Case, caught_by
from tests.forged_bundle import Told, forge

Json = dict[str, Any]


def told(case: Case) -> Told:
    return forged_bundle.genuine(case.earlier)


def test_a_file_that_the_platform_makes_anew_is_genuine(case: Case) -> None:
    """The forger's tool itself makes valid files, so that what follows fails for one reason."""
    report = case.judge(forge(case.world, told(case)))
    assert report.verdict is Verdict.CURRENT, report.findings


def last_event(case: Case) -> Json:
    payload: Json = json.loads(jws.parse(told(case).entries[-1].event, EVENT_TYP).payload)
    return payload


def with_event(original: Told, compact: str, number: int = -1) -> Told:
    entries = list(original.entries)
    entries[number] = replace(entries[number], event=compact)
    return replace(original, entries=tuple(entries))


def plus_event(original: Told, compact: str) -> Told:
    entry = replace(original.entries[-1], event=compact)
    return replace(original, entries=(*original.entries, entry))


def transfer(case: Case, signer: LocalSigner | None = None, **changes: Any) -> str:
    """The shipper's transfer to the operator's friend, as the next event of the bill."""
    issue = jws.parse(told(case).entries[-1].event, EVENT_TYP)
    event = {
        **json.loads(issue.payload),
        "action": "TRANSFER",
        "actor": minimal_bill.SHIPPER,
        "details": {},
        "id": drafting.uuid7(case.now),
        "previous": issue.digest,
        "recipient": "operator",
        "sequence": 1,
        **changes,
    }
    own = signer or case.world.signers[str(event["actor"])]
    return drafting.sign(strictjson.canonical(event), own)


def test_two_events_for_one_sequence_are_a_fork_even_inside_one_tree(case: Case) -> None:
    payload = last_event(case) | {"id": drafting.uuid7(case.now)}
    carrier = case.world.signers[minimal_bill.CARRIER]
    again = drafting.sign(strictjson.canonical(payload), carrier)
    report = case.judge(forge(case.world, plus_event(told(case), again)))
    assert caught_by(report) == (Check.STREAMS, "broken_stream")
    assert "occurs twice" in report.findings[-1].message


FORGED_EVENTS: list[tuple[str, Callable[[Case], str], Check, str]] = [
    (
        "the platform signs a transfer with a key of its own",
        lambda case: transfer(case, LocalSigner(generate(Algorithm.ED25519))),
        Check.SIGNATURES,
        "bad_signature",
    ),
    (
        "the operator signs in the holder's name",
        lambda case: transfer(case, case.world.signers["operator"]),
        Check.SIGNATURES,
        "bad_signature",
    ),
    (
        "the operator transfers in its own name",
        lambda case: transfer(case, actor="operator", recipient="sh"),
        Check.LAW,
        "not_found",
    ),
    (
        "the carrier takes the bill that it has issued",
        lambda case: transfer(case, actor="ca", recipient="sh"),
        Check.LAW,
        "not_holder",
    ),
    (
        "a predecessor left out",
        lambda case: transfer(case, previous="0" * 64),
        Check.STREAMS,
        "broken_stream",
    ),
    (
        "a sequence left out",
        lambda case: transfer(case, sequence=2),
        Check.STREAMS,
        "broken_stream",
    ),
    (
        "meant for another platform",
        lambda case: transfer(case, audience="demo.sg.example/ebl"),
        Check.LAW,
        "bad_event",
    ),
    (
        "signed a year ago",
        lambda case: transfer(case, at="2020-01-01T00:00:00.000Z"),
        Check.LAW,
        "bad_time",
    ),
    (
        "to somebody who is not registered",
        lambda case: transfer(case, recipient="nobody"),
        Check.LAW,
        "recipient_unavailable",
    ),
]


@pytest.mark.parametrize(
    ("make", "check", "code"),
    [row[1:] for row in FORGED_EVENTS],
    ids=[row[0] for row in FORGED_EVENTS],
)
def test_a_platform_cannot_add_an_act(
    case: Case, make: Callable[[Case], str], check: Check, code: str
) -> None:
    report = case.judge(forge(case.world, plus_event(told(case), make(case))))
    assert caught_by(report) == (check, code)
    assert report.verdict is Verdict.NOT_GENUINE


@pytest.mark.parametrize(
    "change", [{"v": 2}, {"action": "PLEDGE"}], ids=["a later version", "a later action"]
)
def test_what_only_a_later_version_understands_is_neither_valid_nor_forged(
    case: Case, change: Json
) -> None:
    compact = transfer(case, **change)
    report = case.judge(forge(case.world, plus_event(told(case), compact)))
    assert caught_by(report) == (Check.STREAMS, "not_understood")
    assert report.verdict is Verdict.CANNOT_SAY


def test_what_is_in_no_tree_is_forged_whatever_version_it_claims(case: Case) -> None:
    value = case.value
    value["entries"][-1]["event"] = transfer(case, v=2)
    assert caught_by(case.judge(value)) == (Check.INCLUSION, "not_included")


@pytest.mark.parametrize(
    ("change", "check", "code"),
    [
        ({"control": ("ca", None, False)}, Check.LAW, "title_differs"),
        ({"control": ("sh", "sh", False)}, Check.LAW, "title_differs"),
        ({"control": ("sh", None, True)}, Check.LAW, "title_differs"),
        ({"status": "ACCOMPLISHED"}, Check.LAW, "title_differs"),
        ({"bill": "0" * 64}, Check.DOCUMENT, "other_document"),
        ({"size": 9}, Check.CHECKPOINT, "checkpoint_differs"),
        ({"root": bytes(32)}, Check.CHECKPOINT, "checkpoint_differs"),
        ({"checkpoint_digest": "0" * 64}, Check.STATEMENT, "other_checkpoint"),
        ({"heads": {}}, Check.STREAMS, "broken_stream"),
        ({"at": datetime(2020, 1, 1, tzinfo=UTC)}, Check.STREAMS, "broken_stream"),
    ],
    ids=[
        "another possessor",
        "another title holder",
        "a final endorsement that was none",
        "an end that did not come",
        "another bill",
        "another size",
        "another root",
        "another checkpoint",
        "no heads",
        "a time before the acts",
    ],
)
def test_a_platform_cannot_misstate_the_title(
    case: Case, change: dict[str, Any], check: Check, code: str
) -> None:
    report = case.judge(forge(case.world, told(case), **change))
    assert caught_by(report) == (check, code)


def test_a_head_that_is_not_the_last_event_s_is_caught(case: Case) -> None:
    original = told(case)
    heads = forged_bundle.heads(original.entries)
    bill = next(stream for stream in heads if stream.startswith("bill:"))
    wrong = {**heads, bill: Head(sequence=0, digest="0" * 64)}
    report = case.judge(forge(case.world, original, heads=wrong))
    assert caught_by(report) == (Check.STREAMS, "broken_stream")


def test_time_that_runs_backwards_is_caught(case: Case) -> None:
    original = told(case)
    moment = datetime.fromisoformat(original.entries[0].recorded_at) - timedelta(seconds=1)
    entries = list(original.entries)
    entries[-1] = replace(entries[-1], recorded_at=instant_text(moment))
    backwards = replace(original, entries=tuple(entries))
    report = case.judge(forge(case.world, backwards, at=case.now))
    assert caught_by(report) == (Check.STREAMS, "broken_stream")


def test_a_registration_whose_operator_key_is_not_pinned_is_caught(case: Case) -> None:
    """A whole second history, begun by another operator key, is not this platform's."""
    stranger = replace(case.trust, registrar_kids=frozenset())
    report = verify(forge(case.world, told(case)), stranger, case.now)
    assert caught_by(report) == (Check.SIGNATURES, "unknown_registrar")


def test_an_issue_without_the_shipper_s_approval_is_unlawful(case: Case) -> None:
    original = told(case)
    actions = [decode(entry.event).event.action for entry in original.entries]
    entries = [e for e, a in zip(original.entries, actions, strict=True) if a != "APPROVE_DRAFT"]
    report = case.judge(forge(case.world, replace(original, entries=tuple(entries))))
    assert caught_by(report) == (Check.LAW, "stale_draft")


def test_a_log_that_does_not_begin_with_the_operator_is_caught(case: Case) -> None:
    original = told(case)
    report = case.judge(forge(case.world, replace(original, entries=original.entries[1:])))
    assert caught_by(report) == (Check.SIGNATURES, "bad_signature")
