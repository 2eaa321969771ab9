"""Disclosed fields are believed only if the carrier committed to them when it issued this bill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain import errors
from bol_service.verification.disclosure import verify
from bol_service.verification.disclosure_report import DisclosureReport, Step
from bol_service.verification.report import Outcome, Verdict
from bol_service.wire import drafting
from bol_service.wire.disclosure import Presentation
from bol_service.wire.disclosure_selection import select
from bol_service.wire.event_fields import instant_text
from tests.disclosed_bill import (
    DisclosingWorld,
    commit,
    disclosing,
    joined,
    payload_of,
    signed_anew,
    texts,
)
from tests.disclosure_forgeries import (
    COMMITTED,
    FORGERIES,
    Scene,
    after_the_issue,
    before_the_issue,
    by,
    by_stranger,
    carrier,
    committed,
    named,
    of_other_goods,
    same_with_fresh_salts,
    scene_of,
)
from tests.minimal_bill import CARRIER, SHIPPER


@pytest.fixture(scope="module", params=list(Algorithm), ids=str)
def scene(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Scene]:
    with disclosing(tmp_path_factory.mktemp("world"), request.param) as world:
        yield scene_of(world)


def caught_by(report: DisclosureReport) -> tuple[Step, str]:
    last = report.findings[-1]
    assert all(found.outcome is Outcome.VALID for found in report.findings[:-1])
    assert last.outcome is not Outcome.VALID
    return last.step, last.code


def outcomes(report: DisclosureReport) -> set[Outcome]:
    return {found.outcome for found in report.fields}


# -- what is genuine -----------------------------------------------------------------------------


def test_disclosed_fields_are_valid_by_issue_alone(scene: Scene) -> None:
    chosen = select(scene.full, ["customs"])
    report = scene.judge(chosen.to_text(), scene.issue_only())
    assert report.verdict is Verdict.CURRENT
    assert outcomes(report) == {Outcome.VALID}
    assert [found.step for found in report.findings] == [
        Step.FILE,
        Step.EVIDENCE,
        Step.BILL,
        Step.COMMITMENT,
        Step.SIGNATURE,
    ]
    assert len(report.fields) == len(chosen.disclosed)


def test_with_the_document_at_hand_each_value_is_compared_too(scene: Scene) -> None:
    report = scene.judge(scene.full.to_text())
    assert (report.verdict, outcomes(report)) == (Verdict.CURRENT, {Outcome.VALID})
    assert report.findings[-1].code == "as_in_document"


def test_the_evidence_for_disclosures_shows_neither_document_nor_anything_after_issue(
    scene: Scene,
) -> None:
    content = scene.issue_only()
    assert b"descriptionOfGoods" not in content
    report = scene.judge(scene.full.to_text(), content)
    assert report.evidence is not None
    assert report.evidence.title is not None
    assert report.evidence.title.possessor is None
    bill_acts = [act.action for act in report.evidence.signed if act.stream.startswith("bill:")]
    assert bill_acts == ["ISSUE"]


def test_a_file_that_discloses_nothing_still_tells_the_status(scene: Scene) -> None:
    report = scene.judge(scene.full.only(lambda _: False).to_text())
    assert (report.verdict, report.fields) == (Verdict.CURRENT, [])


def test_one_line_feed_may_end_a_file_and_nothing_else_may(scene: Scene) -> None:
    text = select(scene.full, ["hs"]).to_text()
    evidence, now = scene.issue_only(), datetime.now(UTC)

    def judged(content: bytes) -> DisclosureReport:
        return verify(content, evidence, scene.trust, now)

    assert judged(f"{text}\n".encode()).verdict is Verdict.CURRENT
    for ending in (b"\n\n", b"\r\n", b" ", "提单".encode()):
        assert caught_by(judged(text.encode() + ending)) == (Step.FILE, "bad_file")


def test_a_machine_reads_the_whole_report(scene: Scene) -> None:
    chosen, evidence = select(scene.full, ["hs"]), scene.issue_only()
    report = scene.judge(chosen.to_text(), evidence)
    value, claims = report.to_value(), scene.full.claims
    assert report.evidence is not None
    assert value.pop("evidence") == report.evidence.to_value()
    assert value.pop("currentUntil").endswith("Z")
    [*found, last] = value.pop("findings")
    assert [finding["check"] for finding in found] == ["file", "evidence", "bill", "commitment"]
    assert last == {
        "check": "signature",
        "outcome": "VALID",
        "code": "signed",
        "message": f"by {CARRIER}, key {scene.full.signed.kid}",
        "nextStep": "",
    }
    [piece] = chosen.disclosed
    assert value == {
        "verdict": "GENUINE AND CURRENT",
        "verdictZh": "真实且现行有效",
        "fields": [{"pointer": piece.pointer, "value": piece.value, "outcome": "VALID"}],
        "bill": scene.bill,
        "transportDocumentReference": claims.reference,
        "carrier": CARRIER,
        "carrierCode": "XLSC",
        "origin": "demo.a/b",
        "issuedAt": instant_text(claims.issued_at),
        "statusAt": f"https://demo.a/v1/bills/{scene.bill}",
        "undisclosed": len(scene.full.disclosed) - 1,
    }


# -- status and expiry cannot be left out --------------------------------------------------------


def test_without_evidence_nobody_can_say(scene: Scene) -> None:
    report = verify(scene.full.to_text().encode(), None, scene.trust, datetime.now(UTC))
    assert caught_by(report) == (Step.EVIDENCE, "no_evidence")
    assert (report.verdict, outcomes(report)) == (Verdict.CANNOT_SAY, {Outcome.UNKNOWN})
    assert scene.full.claims.status_at in report.findings[-1].next_step


def test_without_a_trust_file_nobody_can_say(scene: Scene) -> None:
    text, now = scene.full.to_text().encode(), datetime.now(UTC)
    report = verify(text, scene.evidence(), None, now)
    assert caught_by(report) == (Step.EVIDENCE, "unverified_evidence")
    assert "trust file from its publication" in report.findings[-1].next_step
    assert (report.verdict, outcomes(report)) == (Verdict.CANNOT_SAY, {Outcome.UNKNOWN})


def test_evidence_that_does_not_show_the_issue_proves_no_commitment(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with disclosing(tmp_path_factory.mktemp("forwarded")) as world:
        bill = world.issue()
        world.register("fw", {"roles": ["FORWARDER"]})
        world.act(SHIPPER, "GRANT_MANDATE", f"party:{SHIPPER}", {}, recipient="fw")
        text = world.disclosures[bill].to_text().encode()
        report = verify(text, world.bundle(bill, "fw"), world.trust(), datetime.now(UTC))
    assert caught_by(report) == (Step.COMMITMENT, "issue_hidden")
    assert "bol bill evidence --issue-only" in report.findings[-1].next_step
    assert (report.verdict, outcomes(report)) == (Verdict.CANNOT_SAY, {Outcome.UNKNOWN})


def test_old_evidence_makes_genuine_fields_not_known_to_be_current(scene: Scene) -> None:
    now = datetime.now(UTC) + timedelta(minutes=11)
    report = scene.judge(scene.full.to_text(), now=now)
    assert report.verdict is Verdict.NOT_KNOWN_CURRENT
    assert (outcomes(report), report.current_until) == ({Outcome.VALID}, None)


def test_current_evidence_tells_until_when_it_is_current(scene: Scene) -> None:
    now = datetime.now(UTC)
    report = scene.judge(scene.full.to_text(), now=now)
    assert report.current_until is not None
    assert timedelta(minutes=9) < report.current_until - now <= timedelta(minutes=10, seconds=1)


def test_forged_evidence_makes_it_not_genuine_but_says_nothing_of_the_fields(scene: Scene) -> None:
    content = scene.evidence().replace(b'"recordedAt":"2', b'"recordedAt":"3', 1)
    report = scene.judge(scene.full.to_text(), content)
    assert caught_by(report) == (Step.EVIDENCE, "bad_evidence")
    assert (report.verdict, outcomes(report)) == (Verdict.NOT_GENUINE, {Outcome.UNKNOWN})


# -- forgeries -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("forge", "step", "code"), FORGERIES)
def test_it_is_found_out_that(
    scene: Scene, forge: Callable[[Scene], str], step: Step, code: str
) -> None:
    for evidence in (scene.evidence(), scene.issue_only()):
        report = scene.judge(forge(scene), evidence)
        assert caught_by(report) == (step, code)
        assert (report.verdict, outcomes(report)) == (Verdict.NOT_GENUINE, {Outcome.INVALID})


def test_a_disclosure_of_another_bill_spliced_in_is_refused(scene: Scene) -> None:
    spliced = [*texts(scene.full), texts(scene.world.disclosures[scene.other])[0]]
    report = scene.judge(joined(scene.full.signed.text, *spliced))
    assert caught_by(report) == (Step.FILE, "bad_file")
    assert (report.verdict, report.fields) == (Verdict.NOT_GENUINE, [])


def test_every_flipped_byte_of_a_presentation_is_found_out(scene: Scene) -> None:
    content = select(scene.full, ["hs"]).to_text().encode()
    evidence, now = scene.issue_only(), datetime.now(UTC)
    for place in range(0, len(content), 17):
        changed = bytearray(content)
        changed[place] ^= 1
        report = verify(bytes(changed), evidence, scene.trust, now)
        assert report.verdict is Verdict.NOT_GENUINE, place


def test_a_bill_issued_without_a_commitment_discloses_nothing(scene: Scene) -> None:
    value = scene.world.running.services.queries.bill_document(scene.bare, SHIPPER).content
    text = commit(value, carrier(scene)).to_text()
    report = scene.judge(text, scene.evidence(scene.bare))
    assert caught_by(report) == (Step.COMMITMENT, "no_commitment")


def test_a_later_version_makes_no_forgery_of_it(scene: Scene) -> None:
    payload = payload_of(scene.full) | {"v": 2}
    report = scene.judge(joined(signed_anew(payload, carrier(scene)), *texts(scene.full)))
    assert caught_by(report) == (Step.FILE, "unknown_version")
    assert report.verdict is Verdict.CANNOT_SAY


# -- what only a platform that does not look could let in ----------------------------------------


@pytest.fixture
def careless(tmp_path: Any) -> Iterator[DisclosingWorld]:
    with disclosing(tmp_path) as world:
        yield world


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DisclosingWorld]:
    """A world whose keys stay as they are, for one forged bill after the other."""
    with disclosing(tmp_path_factory.mktemp("settled")) as world:
        yield world


def issued_with(
    world: DisclosingWorld, forge: Callable[[Presentation, DisclosingWorld], str]
) -> DisclosureReport:
    """Judge a file that was committed to, with the evidence of its bill."""
    return judged_last(world, committed(world, forge))


def judged_last(world: DisclosingWorld, text: str) -> DisclosureReport:
    """Judge a file with the evidence of the bill that was issued last."""
    bill = list(world.disclosures)[-1]
    return verify(text.encode(), world.bundle(bill), world.trust(), datetime.now(UTC))


@pytest.mark.parametrize(("forge", "step", "code"), COMMITTED)
def test_though_the_bill_commits_to_the_file_it_is_found_out_that(
    settled: DisclosingWorld,
    forge: Callable[[Presentation, DisclosingWorld], str],
    step: Step,
    code: str,
) -> None:
    report = issued_with(settled, forge)
    assert caught_by(report) == (step, code)
    assert report.verdict is Verdict.NOT_GENUINE


def test_beside_a_value_that_is_not_the_documents_the_others_stay_valid(
    settled: DisclosingWorld,
) -> None:
    report = issued_with(settled, of_other_goods)
    wrong = [found.pointer for found in report.fields if found.outcome is Outcome.INVALID]
    assert wrong == ["/consignmentItems/0/HSCodes"]
    assert outcomes(report) == {Outcome.INVALID, Outcome.VALID}


# -- keys ----------------------------------------------------------------------------------------


def test_a_key_that_was_revoked_after_the_issue_still_counts(careless: DisclosingWorld) -> None:
    bill = careless.issue()
    fresh = LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(fresh, origin="demo.a/b", party=CARRIER)
    careless.act(CARRIER, "ROTATE_KEY", f"party:{CARRIER}", proof)
    careless.signers[CARRIER] = fresh
    text = careless.disclosures[bill].to_text()
    report = verify(text.encode(), careless.bundle(bill), careless.trust(), datetime.now(UTC))
    assert report.verdict is Verdict.CURRENT


def test_a_key_that_was_replaced_before_the_issue_does_not_count(careless: DisclosingWorld) -> None:
    report = issued_with(careless, before_the_issue(careless))
    assert caught_by(report) == (Step.SIGNATURE, "wrong_key")


def test_a_key_that_the_carrier_adds_only_later_does_not_count(careless: DisclosingWorld) -> None:
    report = judged_last(careless, after_the_issue(careless))
    assert caught_by(report) == (Step.SIGNATURE, "wrong_key")


# -- what the platform takes ---------------------------------------------------------------------


def test_an_issue_is_refused_whose_disclosures_were_not_uploaded(tmp_path: Any) -> None:
    with disclosing(tmp_path) as world:
        world.offered = "0" * 64
        with pytest.raises(errors.BadEvent, match="was not uploaded"):
            world.issue()


def test_an_issue_cannot_name_the_disclosures_of_another_bill(scene: Scene) -> None:
    scene.world.offered = scene.full.digest
    try:
        with pytest.raises(errors.BadEvent, match="was not uploaded"):
            scene.world.issue(3)
    finally:
        scene.world.offered = None


def signature(presentation: Presentation) -> str:
    return presentation.signed.text.rpartition(".")[2]


UPLOADS: list[Any] = [
    pytest.param(by(SHIPPER), errors.BadSignature, id="signed by another party"),
    pytest.param(by_stranger, errors.BadSignature, id="signed by a stranger"),
    pytest.param(
        lambda scene: scene.full.to_text().replace(
            signature(scene.full), signature(scene.world.disclosures[scene.other])
        ),
        errors.BadSignature,
        id="under a signature of the carrier for something else",
    ),
    pytest.param(named(origin="demo.c/d"), errors.BadEvent, id="of another platform"),
    pytest.param(named(carrier=SHIPPER), errors.BadEvent, id="of another carrier"),
    pytest.param(
        lambda scene: select(scene.full, ["customs"]).to_text(), errors.BadEvent, id="not the whole"
    ),
    pytest.param(lambda scene: scene.full.to_text() + "\n", errors.BadEvent, id="a line feed more"),
    pytest.param(lambda _: "{}", errors.BadEvent, id="JSON"),
    pytest.param(lambda _: "提单", errors.BadEvent, id="Chinese"),
]


@pytest.mark.parametrize(("make", "refusal"), UPLOADS)
def test_the_platform_keeps_no_disclosures_that_are(
    scene: Scene, make: Callable[[Scene], str], refusal: type[errors.Refusal]
) -> None:
    with pytest.raises(refusal):
        scene.world.upload(make(scene))


def test_a_holder_reads_the_disclosures_that_the_issue_names_and_no_others(scene: Scene) -> None:
    documents = scene.world.running.services.documents
    assert documents.own(scene.full.digest, SHIPPER).content == scene.full.to_text().encode()
    unnamed = scene.world.upload(same_with_fresh_salts(scene))
    assert documents.own(unnamed, CARRIER).digest == unnamed
    with pytest.raises(errors.NotFound):
        documents.own(unnamed, SHIPPER)


def test_nobody_uploads_the_disclosures_of_a_carrier_for_it(scene: Scene) -> None:
    with pytest.raises(errors.BadEvent):
        scene.world.upload(scene.full.to_text(), SHIPPER)


def test_a_key_that_has_ended_signs_no_disclosures_for_the_platform(tmp_path: Any) -> None:
    with disclosing(tmp_path) as world:
        world.issue()
        world.signed_by = world.signers[CARRIER]
        fresh = LocalSigner(generate(Algorithm.ED25519))
        proof = drafting.prove_key(fresh, origin="demo.a/b", party=CARRIER)
        world.act(CARRIER, "ROTATE_KEY", f"party:{CARRIER}", proof)
        world.signers[CARRIER] = fresh
        with pytest.raises(errors.BadSignature, match="no valid key"):
            world.issue(1)
