"""The whole voyage over HTTP: acts recorded, frauds refused, each state as the story says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bol_service.application.audit import audit
from bol_service.bootstrap import log_verifier_key
from bol_service.cli.voyage import Played, Voyage
from bol_service.client import Refused
from bol_service.ledger.receipt import Receipt
from bol_service.ledger.receipt import verify as verify_receipt
from bol_service.verification.report import Check, Outcome, Verdict
from bol_service.verification.verifier import verify
from tests import kit

Json = dict[str, Any]
BOXES = ("XLCU7001127", "XLCU7001132")


@dataclass
class Story:
    platform: kit.Platform
    voyage: Voyage
    lines: list[Played] = field(default_factory=list)
    after: dict[str, Json] = field(default_factory=dict)

    def client(self, party: str) -> Any:
        return self.voyage.clients[party]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with kit.platform(tmp_path_factory.mktemp("voyage")) as platform:
        told = Story(platform, platform.voyage())
        told.voyage.open()
        for line in told.voyage.play():
            told.lines.append(line)
            told.after[line.step] = _bill(told)
        yield told


def _bill(story: Story) -> Json:
    try:
        bill: Json = story.client("xlsc").get(f"/v1/bills/{story.voyage.bill}")
    except (KeyError, Refused):
        return {}
    return bill


def test_every_act_and_every_fraud_comes_out_as_the_scenario_says(story: Story) -> None:
    surprises = [line for line in story.lines if not line.as_expected]

    assert surprises == []
    assert len([line for line in story.lines if line.expected != "recorded"]) >= 25


@pytest.mark.parametrize(
    ("step", "status", "possessor", "title", "on_board"),
    [
        pytest.param("5", "ISSUED", "yunling", "yunling", False, id="5 issued to the shipper"),
        pytest.param("8", "ISSUED", "yunling", "yunling", False, id="8 no notation before loading"),
        pytest.param("10", "ISSUED", "yunling", "yunling", True, id="10 shipped on board"),
        pytest.param("11", "ISSUED", "bankcq", "banksg", True, id="11 endorsed and presented"),
        pytest.param("11n", "ISSUED", "bankcq", "banksg", True, id="11n no double endorsement"),
        pytest.param("12", "ISSUED", "banksg", "banksg", True, id="12 with the issuing bank"),
        pytest.param("14", "ISSUED", "straits", "straits", True, id="14 with the buyer"),
        pytest.param("15", "ISSUED", "straits", None, True, id="15 refused, in blank"),
        pytest.param(
            "16", "PENDING_SURRENDER_FOR_DELIVERY", "xlsc", "straits", True, id="16 surrendered"
        ),
        pytest.param(
            "17", "SURRENDERED_FOR_DELIVERY", "xlsc", "straits", True, id="17 surrender accepted"
        ),
        pytest.param(
            "19", "SURRENDERED_FOR_DELIVERY", "xlsc", "straits", True, id="19 first box left"
        ),
        pytest.param("20", "ACCOMPLISHED", "xlsc", "straits", True, id="20 accomplished"),
    ],
)
def test_the_bill_is_where_the_scenario_puts_it_after_each_step(
    story: Story, step: str, status: str, possessor: str, title: str | None, on_board: bool
) -> None:
    bill = story.after[step]

    assert (status, possessor, title, on_board) == (
        bill["status"],
        bill["control"]["possessor"],
        bill["control"]["titleHolder"],
        "onBoardDate" in bill,
    )


def test_the_document_never_changes_from_issue_to_gate_out(story: Story) -> None:
    bills = {after["bill"] for after in story.after.values() if after}

    assert bills == {story.voyage.bill}


def test_every_containers_custody_is_signed_from_gate_in_to_gate_out(story: Story) -> None:
    path = f"/v1/bills/{story.voyage.bill}/custody"
    actions = {
        box: [event["action"] for event in story.client("xlsc").get(f"{path}/{box}")["items"]]
        for box in BOXES
    }

    assert actions == dict.fromkeys(  # noqa: RUF024 - compared, never changed
        BOXES,
        [
            "GATE_IN",
            "LOADED_RAIL",
            "RAIL_DEPARTED",
            "RAIL_ARRIVED",
            "RECEIVED_TRANSHIPMENT",
            "LOADED_VESSEL",
            "VESSEL_DEPARTED",
            "DISCHARGED",
            "CUSTOMS_RELEASE",
            "GATE_OUT",
        ],
    )


def test_attempts_to_take_the_cargo_raise_an_alarm_with_carrier_and_holder(story: Story) -> None:
    alarms = {
        party: [
            notice["facts"]["collectedBy"]
            for notice in story.client(party).get("/v1/notices", limit="100")["items"]
            if notice["kind"] == "RELEASE_ALARM" and notice["facts"]["code"] == "no_surrender"
        ]
        for party in ("xlsc", "banksg")
    }

    expected = ["Shadow Forwarding Ltd.", "Straits Cycle Trading Pte. Ltd."]
    assert alarms == {"xlsc": expected, "banksg": expected}


@pytest.mark.parametrize(
    ("party", "kind"),
    [
        pytest.param("yunling", "DRAFT_READY", id="the shipper learns of a draft"),
        pytest.param("yunling", "ISSUED", id="the first holder learns of the issue"),
        pytest.param("straits", "ARRIVED", id="the notify party learns of the arrival"),
        pytest.param("xlsc", "SURRENDER_FOR_DELIVERY", id="the carrier learns of the surrender"),
        pytest.param("straits", "SURRENDER_REJECTED", id="the holder learns of the rejection"),
        pytest.param("sgterm", "DELIVERY_ORDER", id="the terminal learns of the order"),
    ],
)
def test_who_has_to_know_is_told(story: Story, party: str, kind: str) -> None:
    notices = story.client(party).get("/v1/notices", limit="100")["items"]

    assert kind in {notice["kind"] for notice in notices}


def test_the_holders_evidence_verifies_offline_and_names_every_signature(story: Story) -> None:
    content = story.client("straits").fetch(f"/v1/bills/{story.voyage.bill}/evidence").content

    report = verify(content, story.platform.trust(), story.voyage.now())

    assert report.verdict is Verdict.ENDED
    assert {finding.outcome for finding in report.findings} == {Outcome.VALID}
    # No other platform signed anything in it.
    assert {finding.check for finding in report.findings} == set(Check) - {Check.PEERS}
    on_bill = [signed for signed in report.signed if signed.stream.startswith("bill:")]
    in_custody = [signed for signed in report.signed if signed.stream.startswith("custody:")]
    assert len(on_bill) >= 12
    assert len(in_custody) >= 14


@pytest.mark.parametrize(
    ("party", "verdict"),
    [
        pytest.param("xlsc", Verdict.ENDED, id="carrier"),
        pytest.param("auditor", Verdict.ENDED, id="auditor of the carrier's country"),
        pytest.param("sgterm", Verdict.ENDED, id="terminal, partial"),
        pytest.param("sgcus", Verdict.ENDED, id="customs, partial"),
        pytest.param("qiaolian", Verdict.ENDED, id="forwarder, partial"),
        pytest.param("yunling", Verdict.NOT_KNOWN_CURRENT, id="former holder, up to its disposal"),
        pytest.param("bankcq", Verdict.NOT_KNOWN_CURRENT, id="collecting bank, up to its disposal"),
    ],
)
def test_each_readers_evidence_verifies(story: Story, party: str, verdict: Verdict) -> None:
    content = story.client(party).fetch(f"/v1/bills/{story.voyage.bill}/evidence").content

    assert verify(content, story.platform.trust(), story.voyage.now()).verdict is verdict


def test_a_former_holders_evidence_ends_with_its_own_disposal(story: Story) -> None:
    content = story.client("yunling").fetch(f"/v1/bills/{story.voyage.bill}/evidence").content

    report = verify(content, story.platform.trust(), story.voyage.now())

    on_bill = [(s.actor, s.action) for s in report.signed if s.stream.startswith("bill:")]
    assert on_bill[-1] == ("yunling", "TRANSFER")
    assert report.title is not None
    assert report.title.possessor == "bankcq"
    assert b"nusantara" not in content


def test_a_terminals_partial_evidence_does_not_name_the_buyer(story: Story) -> None:
    content = story.client("sgterm").fetch(f"/v1/bills/{story.voyage.bill}/evidence").content

    assert b'"possessor"' not in content
    report = verify(content, story.platform.trust(), story.voyage.now())
    assert not {s.actor for s in report.signed} & {"straits", "nusantara", "banksg", "bankcq"}


def test_the_ledger_passes_its_audit(story: Story) -> None:
    key = log_verifier_key(kit.ORIGIN, story.platform.log_signer)

    report = audit(story.platform.running.store, [key])

    assert report.problems == []
    assert report.entries == story.platform.running.services.ledger.size()


def test_an_actor_gets_its_receipt_again_and_it_proves_the_entry(story: Story) -> None:
    stream = f"bill:{story.voyage.bill}"
    value = story.client("yunling").get(f"/v1/streams/{stream}/receipts/2")
    key = log_verifier_key(kit.ORIGIN, story.platform.log_signer)

    receipt = Receipt.from_value(value)

    assert receipt.sequence == 2
    assert verify_receipt(receipt, [key]).checkpoint.size > receipt.index


def test_every_bill_in_a_list_says_what_its_reader_may_sign(story: Story) -> None:
    found = story.client("yunling").get("/v1/bills", reference="XLSC2703CQSG00417")["items"]

    assert [bill["allowedActions"] for bill in found] == [
        story.client("yunling").get(f"/v1/bills/{found[0]['bill']}")["allowedActions"]
    ]
    assert "TRANSFER" in found[0]["allowedActions"]
