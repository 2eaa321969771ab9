"""The carrier's answer to a surrender from abroad: owed until the platform that asked has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from bol_service.application.exchange_outbound import pause_seconds
from bol_service.application.exchange_ports import Outbound, Stage
from bol_service.client import Refused
from bol_service.domain.states import Status
from bol_service.verification.report import Verdict
from bol_service.verification.verifier import verify
from bol_service.wire.event_fields import instant_text
from tests.command_line import run
from tests.stormy_border import audited
from tests.two_platforms import Two, trust_of, two_platforms

PENDING, SURRENDERED = Status.PENDING_SURRENDER_FOR_DELIVERY, Status.SURRENDERED_FOR_DELIVERY


@pytest.fixture(scope="module")
def border(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with two_platforms(tmp_path_factory.mktemp("border")) as both:
        yield both


@pytest.fixture
def two(border: Two) -> Iterator[Two]:
    """Both platforms, for bills of each test's own; nobody is suspended afterwards."""
    yield border
    with suppress(Refused):
        reinstate(border, "banksg")


def asked_from_singapore(two: Two) -> str:
    """A bill that `banksg` has surrendered to the carrier in Chongqing."""
    (bill,) = two.issue()
    two.cq.act(
        "yunling", "ENDORSE_TO_ORDER", bill, recipient="SGPX:banksg", transferTo="SGPX:banksg"
    )
    two.settled(bill)
    two.sg.act("banksg", "SURRENDER_FOR_DELIVERY", bill)
    two.settled(bill)
    assert two.cq.here(bill).status is PENDING
    return bill


def suspend(two: Two, slug: str) -> None:
    two.sg.client("operator").act("SUSPEND", f"party:{slug}", {"reason": "under review"})


def reinstate(two: Two, slug: str) -> None:
    two.sg.client("operator").act("REINSTATE", f"party:{slug}", {"reason": "reviewed"})


def last_row(two: Two, bill: str) -> Outbound:
    return two.cq.outbox(bill)[0]


def between_tries(two: Two, bill: str, least: int = 1) -> bool:
    """Tried `least` times in vain, and not being tried now: nothing more happens while time
    stands still."""
    row = last_row(two, bill)
    waits = row.stage is Stage.LOCKED and row.due > instant_text(two.cq.now())
    return waits and row.attempts >= least


def test_a_refused_acceptance_is_offered_again_until_it_is_received(two: Two) -> None:
    bill = asked_from_singapore(two)
    suspend(two, "banksg")
    two.cq.act("xlsc", "SACC", bill)
    two.until(lambda: between_tries(two, bill, least=3))
    row = last_row(two, bill)
    assert row.stage is Stage.LOCKED
    assert row.answer is not None
    assert (row.fault or "").startswith("SGPX refused the notice, BENV: the recipient")
    assert two.cq.here(bill).status is SURRENDERED
    assert two.sg.here(bill).status is Status.MOVED

    two.cq.stop()  # what is owed is on the disk
    two.cq.start()
    reinstate(two, "banksg")
    two.settled(bill)
    assert last_row(two, bill).stage is Stage.MOVED
    assert two.sg.here(bill).status is SURRENDERED
    assert two.cq.actions(bill)[-3:] == ["SACC", "SENT", "MOVED"]
    assert two.sg.actions(bill)[-1] == "RETURNED"
    for side in (two.cq, two.sg):
        assert audited(side).problems == []
    content = two.cq.client("xlsc").fetch(f"/v1/bills/{bill}/evidence").content
    report = verify(content, trust_of(two.cq), two.cq.now())
    assert report.verdict is Verdict.CURRENT, report.to_json()


def test_the_operator_sees_what_is_owed_why_and_when_it_is_offered_again(two: Two) -> None:
    bill = asked_from_singapore(two)
    suspend(two, "banksg")
    two.cq.act("xlsc", "SACC", bill)
    two.until(lambda: between_tries(two, bill))
    settings = two.cq.settings
    ran = run(
        "exchange", "transfers", BOL_ORIGIN=settings.origin, BOL_DATABASE_URL=settings.database_url
    )
    shown = ran.out.splitlines()[0]
    assert shown.startswith(f"LOCKED     {bill} to SGPX, tried ")
    assert "SGPX refused the notice, BENV" in shown
    assert "again at 20" in shown


@pytest.mark.parametrize(
    ("attempts", "longest", "seconds"),
    [(0, 300, 1), (1, 300, 2), (8, 300, 256), (9, 300, 300), (5000, 300, 300), (11, 3600, 2048)],
)
def test_the_pause_before_the_next_try_doubles_up_to_the_longest(
    attempts: int, longest: int, seconds: int
) -> None:
    assert pause_seconds(attempts, longest) == seconds


def test_an_acceptance_whose_answer_was_lost_after_a_refusal_is_recorded_once(two: Two) -> None:
    bill = asked_from_singapore(two)
    suspend(two, "banksg")
    two.cq.act("xlsc", "SACC", bill)
    two.until(lambda: between_tries(two, bill))
    app = two.sg.served

    def mute(environ: dict[str, object], start_response: object) -> list[bytes]:
        """Takes in what comes, and lets no answer out."""
        list(app(environ, lambda *_: lambda _: None))
        assert callable(start_response)
        start_response("502 Bad Gateway", [("Content-Length", "0")])
        return [b""]

    reinstate(two, "banksg")
    two.sg.served = mute
    two.until(lambda: two.sg.here(bill).status is SURRENDERED)
    assert two.cq.here(bill).transit is not None
    two.sg.served = app
    two.settled(bill)
    assert two.sg.actions(bill).count("RETURNED") == 1
    assert two.cq.here(bill).transit is None


def test_a_refused_rejection_is_with_the_carrier_again_which_answers_once_more(two: Two) -> None:
    """SREJ gives possession back. A signed refusal leaves that with the sender, as the standard
    says, and the carrier learns of it."""
    bill = asked_from_singapore(two)
    suspend(two, "banksg")
    two.cq.act("xlsc", "SREJ", bill, reason="freight is owed")
    two.settled(bill)
    assert two.cq.actions(bill)[-3:] == ["SREJ", "SENT", "NOT_MOVED"]
    assert two.cq.here(bill).status is PENDING
    notices = two.cq.client("xlsc").fetch("/v1/notices").json()["items"]
    assert "NOT_MOVED" in [each["kind"] for each in notices]
    reinstate(two, "banksg")
    two.cq.act("xlsc", "SREJ", bill, reason="freight is owed")
    two.settled(bill)
    assert two.sg.here(bill).status is Status.ISSUED
    assert two.sg.here(bill).control.possessor == "banksg"
