"""An original goes from Chongqing to Singapore, and back for delivery (DCSA PINT 3.0, A.11)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from bol_service.application.exchange_ports import Stage
from bol_service.client import Refused
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain.states import Status
from bol_service.storage.exchange import SqlExchange
from bol_service.verification.disclosure import verify as verify_fields
from bol_service.verification.disclosure_report import Step
from bol_service.verification.report import Check, Verdict
from bol_service.verification.verifier import verify
from bol_service.wire import drafting
from tests.disclosed_bill import commit
from tests.stormy_border import audited
from tests.two_platforms import DESK, Two, trust_of, two_platforms


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_platforms(tmp_path) as both:
        yield both


def test_an_original_crosses_is_surrendered_and_accepted(two: Two) -> None:
    (bill,) = two.issue()
    two.cq.act("yunling", "ENDORSE_TO_ORDER", bill, recipient="SGPX:banksg")
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    assert two.cq.here(bill).status is Status.IN_TRANSIT
    two.settled(bill)
    assert two.cq.here(bill).status is Status.MOVED
    assert two.cq.here(bill).control.possessor == "SGPX:banksg"
    assert two.sg.here(bill).status is Status.ISSUED
    assert two.sg.here(bill).control.possessor == "banksg"
    assert two.sg.here(bill).control.title_holder == "banksg"
    with pytest.raises(Refused, match="moved"):
        two.cq.act("xlsc", "SREJ", bill, reason="too late")

    two.sg.act("banksg", "ENDORSE_TO_ORDER", bill, recipient="straits", transferTo="straits")
    two.sg.act("straits", "SURRENDER_FOR_DELIVERY", bill)
    two.settled(bill)
    assert two.sg.here(bill).status is Status.MOVED
    assert two.cq.here(bill).status is Status.PENDING_SURRENDER_FOR_DELIVERY
    assert two.cq.here(bill).surrendered_by == "SGPX:straits"

    two.cq.act("xlsc", "SACC", bill)
    two.settled(bill)
    assert two.cq.here(bill).status is Status.SURRENDERED_FOR_DELIVERY
    assert two.sg.here(bill).status is Status.SURRENDERED_FOR_DELIVERY


def test_a_transfer_that_the_other_platform_refuses_comes_back_and_goes_elsewhere(two: Two) -> None:
    (bill,) = two.issue()
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:nobody")
    two.settled(bill)
    assert two.cq.actions(bill)[-2:] == ["SENT", "NOT_MOVED"]
    assert [row.stage for row in two.cq.outbox(bill)] == [Stage.REFUSED]
    assert two.sg.state(bill) is None
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.settled(bill)
    assert two.sg.here(bill).control.possessor == "banksg"
    # The refused transfer is no part of what Singapore was told.
    assert two.sg.actions(bill) == ["IMPORTED"]


@pytest.mark.parametrize(
    ("recipient", "stage"), [("SGPX:banksg", Stage.MOVED), ("SGPX:nobody", Stage.REFUSED)]
)
def test_a_row_that_is_behind_the_ledger_after_a_crash_is_caught_up_with_it(
    two: Two, recipient: str, stage: Stage
) -> None:
    (bill,) = two.issue()
    two.cq.act("yunling", "TRANSFER", bill, recipient=recipient)
    two.settled(bill)
    [concluded] = two.cq.outbox(bill)
    assert concluded.answer is not None
    behind = "UPDATE outbound_transfers SET stage='STARTED', answer=NULL, fault='x', due=:due"
    with two.cq.running.store.engine.begin() as connection:
        connection.execute(text(behind), {"due": "2027-01-01T00:00:00.000Z"})
    two.until(lambda: two.cq.outbox(bill)[0].stage is stage)
    [again] = two.cq.outbox(bill)
    assert (again.answer, again.fault) == (concluded.answer, None)
    assert two.cq.actions(bill).count("SENT") == 1


def test_a_platform_that_is_no_peer_is_refused_at_once(two: Two) -> None:
    (bill,) = two.issue()
    with pytest.raises(Refused, match="unknown_peer"):
        two.cq.act("yunling", "TRANSFER", bill, recipient="THXX:siam")
    assert two.cq.here(bill).status is Status.ISSUED


def test_n23_while_the_answer_is_lost_one_side_has_the_bill_and_the_other_is_told_so(
    two: Two,
) -> None:
    (bill,) = two.issue()
    app = two.sg.served

    def deaf(environ: Any, start_response: Any) -> Any:
        """Takes in all that comes, and lets no answer out."""
        list(app(environ, lambda *_: lambda _: None))
        start_response("502 Bad Gateway", [("Content-Length", "0")])
        return [b""]

    two.sg.served = deaf
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.until(lambda: two.sg.state(bill) is not None)
    assert two.cq.here(bill).status is Status.IN_TRANSIT
    with pytest.raises(Refused, match="in_transit"):
        two.cq.act("yunling", "TRANSFER", bill, recipient="bankcq")
    two.sg.served = app
    two.sg.act("banksg", "TRANSFER", bill, recipient="straits")
    two.settled(bill)
    assert two.cq.here(bill).status is Status.MOVED
    assert two.sg.here(bill).control.possessor == "straits"
    assert two.sg.actions(bill) == ["IMPORTED", "TRANSFER"]  # told twice, recorded once


def test_a_bill_goes_and_returns_and_each_ledger_can_be_audited_and_verified(two: Two) -> None:
    (bill,) = two.issue()
    for round_ in range(2):
        two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
        two.settled(bill)
        two.sg.act("banksg", "TRANSFER", bill, recipient="CQGY:yunling")
        two.settled(bill)
        assert two.cq.here(bill).status is Status.ISSUED
        assert len(two.sg.here(bill).abroad.arrivals) == round_ + 1
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.settled(bill)
    for side, reader, verdict, unchecked in (
        (two.cq, "xlsc", Verdict.NOT_KNOWN_CURRENT, {"SGPX"}),
        (two.sg, "banksg", Verdict.CURRENT, {"CQGY", "NMFTA:XLSC"}),
    ):
        assert audited(side).problems == []
        content = side.client(reader).fetch(f"/v1/bills/{bill}/evidence").content
        report = verify(content, trust_of(side), side.now())
        assert report.verdict is verdict, report.to_json()
        told = [one for one in report.findings if one.check is Check.PEERS]
        assert {one.code for one in told} == {"peer_unchecked"}
        assert sorted(one.message for one in told) == [
            f"not checked: no key of {signer} is in the trust file" for signer in sorted(unchecked)
        ]
    assert two.sg.here(bill).control.possessor == "banksg"


def test_evidence_of_where_a_bill_is_now_proves_no_disclosed_fields(two: Two) -> None:
    """It begins with the arrival; what the carrier committed to is on the platform of issue."""
    (bill,) = two.issue()
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.settled(bill)
    holder = two.sg.client("banksg")
    document, evidence = (
        holder.fetch(f"/v1/bills/{bill}/{what}").content for what in ("document", "evidence")
    )
    signer = LocalSigner(generate(Algorithm.ED25519))
    fields = commit(document, signer, origin=two.sg.origin).to_text().encode()
    report = verify_fields(fields, evidence, trust_of(two.sg), two.sg.now())
    assert report.verdict is Verdict.CANNOT_SAY
    assert (report.findings[-1].step, report.findings[-1].code) == (
        Step.COMMITMENT,
        "issue_hidden",
    )


def test_what_crossed_is_in_the_flow_log_of_both_and_cannot_be_taken_out(two: Two) -> None:
    (bill,) = two.issue()
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.settled(bill)
    for side, direction in ((two.cq, "OUT"), (two.sg, "IN")):
        [(_, flow)] = SqlExchange(side.running.store).flows(0, 10)
        assert (flow.direction, flow.bill, flow.what) == (direction, bill, "envelope")
        with (
            pytest.raises(DatabaseError),
            side.running.store.engine.begin() as connection,
        ):
            connection.execute(text("DELETE FROM flows"))


def test_nothing_of_a_bill_is_in_singapore_before_somebody_there_is_entitled(two: Two) -> None:
    """DR-01: a dump of its database has no value of the document."""
    (bill,) = two.issue()
    file = Path(str(two.sg.running.store.engine.url.database))
    number = two.cq.here(bill).reference.encode()

    def dump() -> bytes:
        return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))

    assert number not in dump()
    assert bill.encode() not in dump()
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.settled(bill)
    assert number in dump()


def test_parties_cannot_sign_what_the_desk_records(two: Two) -> None:
    (bill,) = two.issue()
    details = {"platform": "SGPX", "envelope": "0" * 64, "lastEntry": "0" * 64}
    for typ in (drafting.sign, drafting.sign_as_platform):
        payload = drafting.payload(
            action="SENT",
            actor="yunling",
            at=two.cq.now(),
            audience=two.cq.origin,
            stream=f"bill:{bill}",
            after=two.cq.client("xlsc").head(f"bill:{bill}"),
            details=details,
        )
        with pytest.raises(Refused, match=r"bad_event|not_exchange"):
            two.cq.client("yunling").send(typ(payload, two.cq.signers["yunling"]))
    # Nor does the desk's own key open the public door.
    payload = drafting.payload(
        action="SENT",
        actor=DESK,
        at=two.cq.now(),
        audience=two.cq.origin,
        stream=f"bill:{bill}",
        after=two.cq.client("xlsc").head(f"bill:{bill}"),
        details=details,
    )
    with pytest.raises(Refused, match="not_exchange"):
        two.cq.client("yunling").send(drafting.sign_as_platform(payload, two.cq.pint))
