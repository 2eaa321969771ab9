"""What a verification says as JSON, for programs that judge bundles without reading prose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bol_service.verification.report import Check, Outcome, Report, Signed, Title, Verdict

AT = datetime(2027, 3, 5, 8, tzinfo=UTC)
TITLE = Title(
    origin="demo.a/b",
    bill="0" * 64,
    reference="N0",
    status="ISSUED",
    possessor="sh",
    title_holder=None,
    is_blank=True,
    as_of=AT,
    replayed=True,
)
SIGNED = Signed(
    index=9,
    stream="bill:x",
    action="ISSUE",
    actor="ca",
    name="Carrier",
    at=AT,
    recorded_at=AT.replace(second=1),
    kid="K",
)


def test_a_fresh_report_says_nothing() -> None:
    assert Report().to_value() == {
        "verdict": "CANNOT SAY",
        "verdictZh": "无法判断",
        "demo": False,
        "findings": [],
        "signed": [],
    }


def test_a_report_keeps_findings_in_their_order_with_what_to_do_next() -> None:
    report = Report(demo=True)
    report.valid(Check.FILE, "well_formed", "good")
    report.unknown(Check.CURRENCY, "stale", "old", "Ask again.")
    report.invalid(Check.LAW, "not_holder", "bad", "Do not rely on it.")
    value = report.to_value()
    assert value["demo"] is True
    assert value["findings"] == [
        {
            "check": "file",
            "outcome": "VALID",
            "code": "well_formed",
            "message": "good",
            "nextStep": "",
        },
        {
            "check": "currency",
            "outcome": "UNKNOWN",
            "code": "stale",
            "message": "old",
            "nextStep": "Ask again.",
        },
        {
            "check": "law",
            "outcome": "INVALID",
            "code": "not_holder",
            "message": "bad",
            "nextStep": "Do not rely on it.",
        },
    ]


@pytest.mark.parametrize("outcome", Outcome)
def test_a_report_knows_which_outcomes_it_has(outcome: Outcome) -> None:
    report = Report()
    report.valid(Check.FILE, "a", "")
    assert report.has(outcome) is (outcome is Outcome.VALID)
    report.invalid(Check.FILE, "b", "", "")
    report.unknown(Check.FILE, "c", "", "")
    assert report.has(outcome)


def test_a_report_lists_who_signed_what() -> None:
    report = Report(signed=[SIGNED])
    assert report.to_value()["signed"] == [
        {
            "index": 9,
            "stream": "bill:x",
            "action": "ISSUE",
            "actor": "ca",
            "name": "Carrier",
            "at": "2027-03-05T08:00:00+00:00",
            "recordedAt": "2027-03-05T08:00:01+00:00",
            "kid": "K",
        }
    ]


def test_a_report_states_the_title() -> None:
    assert Report(title=TITLE).to_value()["title"] == {
        "origin": "demo.a/b",
        "bill": "0" * 64,
        "transportDocumentReference": "N0",
        "status": "ISSUED",
        "possessor": "sh",
        "titleHolder": None,
        "inBlank": True,
        "asOf": "2027-03-05T08:00:00+00:00",
        "replayed": True,
    }


def test_the_title_of_a_partial_file_was_not_replayed() -> None:
    report = Report(title=replace(TITLE, replayed=False, is_blank=False, title_holder="ba"))
    title = report.to_value()["title"]
    assert (title["replayed"], title["inBlank"], title["titleHolder"]) == (False, False, "ba")


@pytest.mark.parametrize(
    ("verdict", "english", "chinese"),
    [
        (Verdict.CURRENT, "GENUINE AND CURRENT", "真实且现行有效"),
        (Verdict.ENDED, "GENUINE, ENDED", "真实,已终结"),
        (
            Verdict.NOT_KNOWN_CURRENT,
            "GENUINE, NOT KNOWN TO BE CURRENT",
            "真实,是否现行有效未知",
        ),
        (Verdict.NOT_GENUINE, "NOT GENUINE", "不真实"),
        (Verdict.CANNOT_SAY, "CANNOT SAY", "无法判断"),
    ],
    ids=list(Verdict),
)
def test_a_verdict_is_told_in_both_languages(verdict: Verdict, english: str, chinese: str) -> None:
    value = Report(verdict=verdict).to_value()
    assert (value["verdict"], value["verdictZh"]) == (english, chinese)


def test_the_checks_bear_the_names_that_programs_know() -> None:
    assert list(Check) == [
        "file",
        "trust",
        "checkpoint",
        "inclusion",
        "streams",
        "signatures",
        "law",
        "document",
        "statement",
        "peers",
        "currency",
    ]
