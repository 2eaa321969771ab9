"""What is cut out of, put into or exchanged in a bundle, and the check that has to catch it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bol_service import bootstrap
from bol_service.crypto import base64url, jws, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.verification.report import Check, Verdict
from bol_service.verification.trust import LogKey
from bol_service.verification.verifier import verify
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from bol_service.wire.events import EVENT_TYP, decode
from tests import forged_bundle, minimal_bill
from tests.bundle_case import MINIMAL_ENTRIES, Case, caught_by, placeholder

Json = dict[str, Any]
ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def test_the_bundle_to_be_spliced_is_genuine(case: Case) -> None:
    for content in (case.content, case.earlier, case.other):
        assert case.judge(content).verdict is Verdict.CURRENT


@pytest.mark.parametrize("number", range(MINIMAL_ENTRIES))
def test_an_entry_taken_out_breaks_its_stream(case: Case, number: int) -> None:
    value = case.value
    del value["entries"][number]
    assert caught_by(case.judge(value)) == (Check.STREAMS, "broken_stream")


STREAM_KINDS = ("party:operator", "party:ca", "party:sh", "draft:", "custody:", "bill:")


@pytest.mark.parametrize("kind", STREAM_KINDS)
def test_the_cut_tail_of_a_stream_is_missed(case: Case, kind: str) -> None:
    value = case.value
    streams = [decode(entry["event"]).event.stream for entry in value["entries"]]
    last = max(n for n, stream in enumerate(streams) if stream.startswith(kind))
    del value["entries"][last]
    report = case.judge(value)
    assert caught_by(report) == (Check.STREAMS, "broken_stream")
    assert "the statement says" in report.findings[-1].message


@pytest.mark.parametrize("number", range(MINIMAL_ENTRIES))
def test_an_entry_replaced_by_a_placeholder_is_missed(case: Case, number: int) -> None:
    """Only a bundle that the platform stated as partial may have placeholders."""
    value = case.value
    value["entries"][number] = placeholder(value["entries"][number])
    assert caught_by(case.judge(value)) == (Check.STREAMS, "hidden_entry")


def test_a_document_taken_out_is_missed(case: Case) -> None:
    value = case.value
    del value["document"]
    assert caught_by(case.judge(value)) == (Check.DOCUMENT, "no_document")


def entry_twice(value: Json, other: Json) -> None:
    value["entries"].insert(3, value["entries"][3])


def entries_swapped(value: Json, other: Json) -> None:
    entries = value["entries"]
    entries[3], entries[4] = entries[4], entries[3]


def events_swapped_in_place(value: Json, other: Json) -> None:
    first, second = value["entries"][3], value["entries"][4]
    first["event"], second["event"] = second["event"], first["event"]


def index_moved(value: Json, other: Json) -> None:
    value["entries"][-1]["index"] += 1


def recorded_a_second_later(value: Json, other: Json) -> None:
    entry = value["entries"][-1]
    moment = datetime.fromisoformat(entry["recordedAt"]) + timedelta(seconds=1)
    entry["recordedAt"] = instant_text(moment)


def entry_of_another_bill_added(value: Json, other: Json) -> None:
    value["entries"].append(other["entries"][-1])


def booking_of_another_bill_added(value: Json, other: Json) -> None:
    value["entries"].append(other["entries"][-5])


def entry_of_another_bill_in_its_place(value: Json, other: Json) -> None:
    value["entries"][-1] = other["entries"][-1]


def statement_of_another_bill(value: Json, other: Json) -> None:
    value["statement"] = other["statement"]


def document_of_another_bill(value: Json, other: Json) -> None:
    value["document"] = other["document"]


def document_in_other_words(value: Json, other: Json) -> None:
    value["document"] = json.dumps(json.loads(value["document"]), indent=1)


def document_with_a_changed_weight(value: Json, other: Json) -> None:
    value["document"] = value["document"].replace('"value":1}', '"value":9}')


def document_that_is_no_json(value: Json, other: Json) -> None:
    value["document"] = value["document"][:-1]


def proof_of_another_entry(value: Json, other: Json) -> None:
    value["entries"][3]["proof"] = value["entries"][4]["proof"]


def proof_too_short(value: Json, other: Json) -> None:
    value["entries"][3]["proof"].pop()


def proof_too_long(value: Json, other: Json) -> None:
    value["entries"][3]["proof"].append(value["entries"][3]["proof"][0])


def proof_turned_round(value: Json, other: Json) -> None:
    value["entries"][3]["proof"].reverse()


def proof_with_a_short_hash(value: Json, other: Json) -> None:
    value["entries"][3]["proof"][0] = base64.b64encode(bytes(31)).decode()


def statement_without_signature(value: Json, other: Json) -> None:
    header, payload, _ = value["statement"].split(".")
    value["statement"] = f"{header}.{payload}."


def statement_of_alg_none(value: Json, other: Json) -> None:
    _, payload, signature = value["statement"].split(".")
    header = base64url.encode(b'{"alg":"none","typ":"ebl-title+jws"}')
    value["statement"] = f"{header}.{payload}.{signature}"


def event_as_statement(value: Json, other: Json) -> None:
    value["statement"] = value["entries"][-1]["event"]


def checkpoint_without_signature(value: Json, other: Json) -> None:
    value["checkpoint"] = value["checkpoint"].partition("\n\n")[0] + "\n\n"


def checkpoint_with_another_size(value: Json, other: Json) -> None:
    lines = value["checkpoint"].split("\n")
    lines[1] = str(int(lines[1]) + 1)
    value["checkpoint"] = "\n".join(lines)


def unknown_member(value: Json, other: Json) -> None:
    value["note"] = "harmless"


def unknown_member_of_an_entry(value: Json, other: Json) -> None:
    value["entries"][0]["note"] = "harmless"


def no_entries(value: Json, other: Json) -> None:
    value["entries"] = []


SPLICES: list[tuple[Callable[[Json, Json], None], Check, str]] = [
    (entry_twice, Check.INCLUSION, "bad_order"),
    (entries_swapped, Check.INCLUSION, "bad_order"),
    (events_swapped_in_place, Check.INCLUSION, "not_included"),
    (index_moved, Check.INCLUSION, "not_included"),
    (recorded_a_second_later, Check.INCLUSION, "not_included"),
    (entry_of_another_bill_added, Check.STREAMS, "broken_stream"),
    (booking_of_another_bill_added, Check.STREAMS, "broken_stream"),
    (entry_of_another_bill_in_its_place, Check.STREAMS, "broken_stream"),
    (statement_of_another_bill, Check.STREAMS, "broken_stream"),
    (document_of_another_bill, Check.DOCUMENT, "other_document"),
    (document_in_other_words, Check.LAW, "bad_event"),
    (document_with_a_changed_weight, Check.DOCUMENT, "other_document"),
    (document_that_is_no_json, Check.DOCUMENT, "unreadable_document"),
    (proof_of_another_entry, Check.INCLUSION, "not_included"),
    (proof_too_short, Check.INCLUSION, "not_included"),
    (proof_too_long, Check.INCLUSION, "not_included"),
    (proof_turned_round, Check.INCLUSION, "not_included"),
    (proof_with_a_short_hash, Check.INCLUSION, "not_included"),
    (statement_without_signature, Check.FILE, "bad_file"),
    (statement_of_alg_none, Check.FILE, "bad_file"),
    (event_as_statement, Check.FILE, "bad_file"),
    (checkpoint_without_signature, Check.STATEMENT, "other_checkpoint"),
    (checkpoint_with_another_size, Check.STATEMENT, "other_checkpoint"),
    (unknown_member, Check.FILE, "bad_file"),
    (unknown_member_of_an_entry, Check.FILE, "bad_file"),
    (no_entries, Check.FILE, "bad_file"),
]


@pytest.mark.parametrize(
    ("splice", "check", "code"), SPLICES, ids=[splice.__name__ for splice, _, _ in SPLICES]
)
def test_a_splice_is_caught(
    case: Case, splice: Callable[[Json, Json], None], check: Check, code: str
) -> None:
    value = case.value
    splice(value, json.loads(case.other))
    report = case.judge(value)
    assert caught_by(report) == (check, code)
    assert report.verdict is Verdict.NOT_GENUINE


def test_the_checkpoint_of_an_earlier_time_is_not_the_one_that_was_stated(case: Case) -> None:
    value = case.value
    value["checkpoint"] = json.loads(case.earlier)["checkpoint"]
    assert caught_by(case.judge(value)) == (Check.STATEMENT, "other_checkpoint")


def test_entries_of_now_are_not_in_the_tree_of_an_earlier_checkpoint(case: Case) -> None:
    value, earlier = case.value, json.loads(case.earlier)
    value["checkpoint"], value["statement"] = earlier["checkpoint"], earlier["statement"]
    assert caught_by(case.judge(value)) == (Check.INCLUSION, "not_included")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[:-1],
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw + b"\n",
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw.replace(b'"entries":', b'"entries": ', 1),
        lambda raw: raw[:-1] + b',"v":1}',
        lambda raw: json.dumps(json.loads(raw), sort_keys=True, indent=1).encode(),
        lambda raw: raw.decode().encode("utf-16"),
        lambda raw: b"",
        lambda raw: b"[]",
        lambda raw: b"[" * 100_000,
        lambda raw: raw + b" " * 20_000_000,
    ],
    ids=[
        "the last byte cut",
        "half of it cut",
        "a line feed added",
        "a byte order mark added",
        "a blank inside",
        "a member named twice",
        "printed prettily",
        "in UTF-16",
        "nothing",
        "a list",
        "nested without end",
        "padded beyond the limit",
    ],
)
def test_a_file_in_another_form_is_no_bundle(case: Case, spoil: Callable[[bytes], bytes]) -> None:
    report = case.judge(spoil(case.content))
    assert caught_by(report) == (Check.FILE, "bad_file")
    assert report.verdict is Verdict.NOT_GENUINE


def test_an_ecdsa_signature_turned_over_is_another_entry(case: Case) -> None:
    """(r, n-s) verifies as well as (r, s): the digest of the whole text tells them apart."""
    value = case.value
    entry = value["entries"][-1]
    entry["event"] = malleated(entry["event"])
    public = case.world.signers[minimal_bill.CARRIER].public
    jws.verify(jws.parse(entry["event"], EVENT_TYP), public)  # valid, and yet
    assert caught_by(case.judge(value)) == (Check.INCLUSION, "not_included")


def malleated(compact: str) -> str:
    signing_input, _, signature = compact.rpartition(".")
    raw = base64url.decode(signature)
    turned = ORDER_OF_P256 - int.from_bytes(raw[32:])
    return f"{signing_input}.{base64url.encode(raw[:32] + turned.to_bytes(32))}"


def test_a_swapped_public_key_is_not_the_registered_one(case: Case) -> None:
    """The attacker registers its own key in the carrier's name, with a proof of its own."""
    value = case.value
    attacker = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
    entry = value["entries"][1]
    entry["event"] = resigned_registration(case, entry["event"], attacker)
    assert caught_by(case.judge(value)) == (Check.INCLUSION, "not_included")


def resigned_registration(case: Case, compact: str, attacker: LocalSigner) -> str:
    payload = json.loads(jws.parse(compact, EVENT_TYP).payload)
    proof = drafting.prove_key(
        attacker,
        origin=minimal_bill.ORIGIN,
        party=minimal_bill.CARRIER,
        identity=payload["details"]["identity"],
    )
    payload["details"] |= proof
    return drafting.sign(strictjson.canonical(payload), attacker)


# -- trust ---------------------------------------------------------------------------------------


def test_without_a_trust_file_nothing_is_said(case: Case) -> None:
    report = verify(case.content, None, case.now)
    assert (report.verdict, caught_by(report)[1]) == (Verdict.CANNOT_SAY, "no_trust_file")


def test_the_trust_file_of_another_platform_says_nothing(case: Case) -> None:
    other = replace(case.trust, origin="demo.sg.example/ebl")
    report = verify(case.content, other, case.now)
    assert (report.verdict, caught_by(report)[1]) == (Verdict.CANNOT_SAY, "other_platform")


def test_a_trust_file_with_other_keys_for_this_origin_refuses(case: Case) -> None:
    stranger = LocalSigner(generate(Algorithm.ED25519))
    log_key = bootstrap.log_verifier_key(minimal_bill.ORIGIN, stranger)
    rows = (
        (
            replace(case.trust, statement_keys=(stranger.public,)),
            (Check.STATEMENT, "bad_statement_signature"),
        ),
        (
            replace(case.trust, log_keys=(LogKey(key=log_key, from_size=0, to_size=None),)),
            (Check.CHECKPOINT, "bad_checkpoint"),
        ),
        (
            replace(case.trust, log_keys=(replace(case.trust.log_keys[0], to_size=3),)),
            (Check.CHECKPOINT, "bad_checkpoint"),
        ),
        (
            replace(case.trust, registrar_kids=frozenset({stranger.public.kid})),
            (Check.SIGNATURES, "unknown_registrar"),
        ),
    )
    for trust, expected in rows:
        report = verify(case.content, trust, case.now)
        assert (report.verdict, caught_by(report)) == (Verdict.NOT_GENUINE, expected)


def test_the_log_s_key_states_no_title(case: Case) -> None:
    """Every key of the platform has one use: here the log's key signs the statement."""
    told = forged_bundle.genuine(case.content)
    value = case.value
    value["statement"] = told.statement.sign(case.world.log_signer)
    assert caught_by(case.judge(value)) == (Check.STATEMENT, "bad_statement_signature")


# -- partial bundles -----------------------------------------------------------------------------


def test_a_full_bundle_cannot_be_passed_off_as_a_partial_one(case: Case) -> None:
    """Placeholders for all but the parties' entries, and no document: the statement gives it
    away."""
    value = case.value
    value["entries"] = [
        entry if n < 5 else placeholder(entry) for n, entry in enumerate(value["entries"])
    ]
    del value["document"]
    assert case.judge(value).verdict is Verdict.NOT_GENUINE


def test_a_statement_of_another_version_is_not_understood(case: Case) -> None:
    value = case.value
    payload = json.loads(base64url.decode(value["statement"].split(".")[1]))
    later = strictjson.canonical(payload | {"v": 2})
    value["statement"] = jws.sign(later, "ebl-title+jws", case.world.statement_signer)
    report = case.judge(value)
    assert (report.verdict, caught_by(report)[1]) == (Verdict.CANNOT_SAY, "unknown_version")


def test_a_bundle_of_another_version_is_not_understood(case: Case) -> None:
    report = case.judge(case.value | {"v": 2})
    assert (report.verdict, caught_by(report)[1]) == (Verdict.CANNOT_SAY, "unknown_version")
