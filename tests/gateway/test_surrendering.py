"""A surrender is put to the carrier's system; only a signed and proven answer is acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bol_service.client import Answered
from bol_service.wire.dcsa_surrender import SurrenderRequestSchema
from tests.desk import STORY
from tests.gateway_stage import (
    ANSWERS,
    CARRIER,
    SHIPPER,
    SURRENDERS,
    Pair,
    Stage,
    pair,
)

Json = dict[str, Any]


def issued(on: Stage, both: Pair) -> tuple[Json, str]:
    """A bill in the shipper's hands: its document and id."""
    document = on.approved()
    both.issue(document)
    both.gateway.round()
    (bill,) = on.bills(document)
    return document, bill["bill"]


def surrender(on: Stage, bill: str, **amendment: Any) -> str:
    """The shipper surrenders; the digest of its signed event."""
    action = "SURRENDER_FOR_AMENDMENT" if amendment else "SURRENDER_FOR_DELIVERY"
    receipt = on.client(SHIPPER).act(action, f"bill:{bill}", amendment)
    return str(receipt["head"])


def status(on: Stage, bill: str) -> str:
    return str(on.client(CARRIER).get(f"/v1/bills/{bill}")["status"])


def asked(both: Pair, document: Json) -> list[Json]:
    return both.system.got(SURRENDERS, document["transportDocumentReference"])


@pytest.fixture(scope="module")
def waiting(on: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pair, str]]:
    """A gateway with a surrender that waits for its answer, and its reference."""
    with pair(on, tmp_path_factory.mktemp("waiting") / "state") as both:
        _, bill = issued(on, both)
        reference = surrender(on, bill)
        both.gateway.round()
        yield both, reference


@contextmanager
def answering(on: Stage, code: str, body: bytes, path: str = "/v1/events") -> Iterator[None]:
    """In place of the platform somebody else answers at `path`."""
    server, whole = on.platform.server, on.platform.server.app
    assert whole is not None

    def other(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] != path:
            return whole(environ, start_response)
        start_response(code, [("Content-Type", "application/json")])
        return [body]

    server.app = other
    try:
        yield
    finally:
        server.app = whole


# -- the request ---------------------------------------------------------------------------------


def test_a_surrender_reaches_the_carriers_system_once_with_its_chain(on: Stage, both: Pair) -> None:
    document, bill = issued(on, both)
    on.client(SHIPPER).act("SIGN", f"bill:{bill}")
    reference = surrender(on, bill)
    both.gateway.round()
    both.gateway.watching.sweep()
    both.gateway.round()

    (request,) = asked(both, document)
    assert SurrenderRequestSchema().validate(request) == {}
    assert (request["surrenderRequestReference"], request["surrenderRequestCode"]) == (
        reference,
        "SREQ",
    )
    chain = request["endorsementChain"]
    assert [link["actionCode"] for link in chain] == ["ISSUE", "SIGN", "SURRENDER_FOR_DELIVERY"]
    assert chain[0]["actor"]["partyName"] == "Jialing Land-Sea Line Co., Ltd."
    assert chain[0]["recipient"]["identifyingCodes"][0]["partyCode"] == SHIPPER
    assert chain[1]["recipient"]["partyName"] == "NONE"


def test_an_amendment_is_asked_with_its_reason(on: Stage, both: Pair) -> None:
    document, bill = issued(on, both)
    surrender(on, bill, reasonCode="COD", comments="discharge at Jakarta")
    both.gateway.round()

    (request,) = asked(both, document)
    assert (request["surrenderRequestCode"], request["reasonCode"], request["comments"]) == (
        "AREQ",
        "COD",
        "discharge at Jakarta",
    )


def test_a_gateway_that_lost_its_state_finds_what_waits(on: Stage, tmp_path: Path) -> None:
    with pair(on, tmp_path / "first") as first:
        document, bill = issued(on, first)
        reference = surrender(on, bill)
    with pair(on, tmp_path / "second", knows=False) as second:
        second.gateway.round()
        (request,) = asked(second, document)
        assert second.answer(reference, "SURR").status == 204
    assert request["surrenderRequestReference"] == reference


def test_a_request_is_not_made_of_what_the_evidence_does_not_prove(on: Stage, both: Pair) -> None:
    document, bill = issued(on, both)
    surrender(on, bill)
    honest = both.line.fetch

    def deceitful(path: str, **query: str) -> Answered:
        answered = honest(path, **query)
        if not path.endswith("/evidence"):
            return answered
        forged = answered.content.replace(b'"recordedAt":"2027', b'"recordedAt":"2028', 1)
        return Answered(status=200, headers=answered.headers, content=forged)

    both.line.fetch = deceitful  # type: ignore[method-assign]
    both.gateway.round()
    assert asked(both, document) == []

    both.line.fetch = honest  # type: ignore[method-assign]
    both.gateway.round()
    assert len(asked(both, document)) == 1


def test_nothing_is_asked_while_the_witnesses_that_are_demanded_have_not_cosigned(
    on: Stage, both: Pair
) -> None:
    document, bill = issued(on, both)
    surrender(on, bill)
    desk = both.gateway.surrendering.desk
    trust = desk.trust
    desk.trust = replace(trust, quorum=1)
    both.gateway.round()
    assert asked(both, document) == []

    desk.trust = trust
    both.gateway.round()
    assert len(asked(both, document)) == 1


# -- the answer ----------------------------------------------------------------------------------


def test_accepted_is_signed_and_only_then_acknowledged(on: Stage, both: Pair) -> None:
    _, bill = issued(on, both)
    reference = surrender(on, bill)
    both.gateway.round()

    assert both.answer(reference, "SURR").status == 204

    assert status(on, bill) == "SURRENDERED_FOR_DELIVERY"
    assert on.events(bill)[-1] == "SACC"


def test_a_request_that_was_answered_is_not_posted_again(on: Stage, both: Pair) -> None:
    document, bill = issued(on, both)
    reference = surrender(on, bill)
    both.system.answers[:] = [500]  # it took it, and stumbled afterwards
    both.gateway.round()
    both.answer(reference, "SURR")

    both.line.now = lambda: STORY + timedelta(minutes=1)
    both.gateway.deliveries.send_due()
    assert len(asked(both, document)) == 1


def test_rejected_is_signed_with_its_reason_and_the_bill_goes_back(on: Stage, both: Pair) -> None:
    _, bill = issued(on, both)
    reference = surrender(on, bill)
    both.gateway.round()

    assert both.answer(reference, "SREJ", comments="local charges unpaid").status == 204

    view = on.client(SHIPPER).get(f"/v1/bills/{bill}")
    assert (view["status"], view["control"]["possessor"]) == ("ISSUED", SHIPPER)


def test_a_rejection_takes_its_reason_from_an_error_that_was_told(on: Stage, both: Pair) -> None:
    _, bill = issued(on, both)
    reference = surrender(on, bill)
    both.gateway.round()
    feedback = [
        {"severity": "INFO", "message": "hello"},
        {"severity": "ERROR", "message": "unpaid"},
    ]

    assert both.answer(reference, "SREJ", feedbackElements=feedback).status == 204
    assert status(on, bill) == "ISSUED"


def test_an_amendment_can_be_rejected_after_its_acceptance_was_refused(
    on: Stage, both: Pair
) -> None:
    _, bill = issued(on, both)
    reference = surrender(on, bill, reasonCode="SWTP")
    both.gateway.round()

    accepted = both.answer(reference, "SURR")
    (fault,) = accepted.value["errors"]
    # 409 would say that it was answered before, and no rejection would ever follow.
    assert (accepted.status, fault["errorCodeText"]) == (400, "not_supported")
    assert (fault["jsonPath"], "reject the request" in fault["errorCodeMessage"]) == (
        "$.action",
        True,
    )
    assert status(on, bill) == "PENDING_SURRENDER_FOR_AMENDMENT"
    both.gateway.round()
    assert both.answer(reference, "SREJ", comments="on paper only").status == 204
    assert status(on, bill) == "ISSUED"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param({"action": "SREJ"}, 400, id="a rejection without reason"),
        pytest.param({"action": "SACC"}, 400, id="an action that the standard does not know"),
        pytest.param({}, 400, id="no action"),
        pytest.param({"action": "SURR", "comments": " "}, 400, id="blank comments"),
        pytest.param(
            {"action": "SURR", "surrenderRequestReference": "x"}, 404, id="a surrender of nobody"
        ),
    ],
)
def test_an_answer_that_says_nothing_changes_nothing(
    on: Stage, both: Pair, value: Json, code: int
) -> None:
    _, bill = issued(on, both)
    reference = surrender(on, bill)
    both.gateway.round()
    size = on.size()

    answer = both.call("POST", ANSWERS, {"surrenderRequestReference": reference, **value})

    assert answer.status == code
    assert on.size() == size


def test_one_surrender_gets_one_answer(on: Stage, both: Pair) -> None:
    _, bill = issued(on, both)
    reference = surrender(on, bill)
    both.gateway.round()
    both.answer(reference, "SREJ", comments="unpaid")

    for action in ("SREJ", "SURR"):
        answer = both.answer(reference, action, comments="unpaid")
        assert (answer.status, answer.value["errors"][0]["errorCode"]) == (409, 7002)
    assert on.events(bill).count("SREJ") == 1
    assert status(on, bill) == "ISSUED"


def test_an_old_answer_never_meets_a_later_surrender(on: Stage, both: Pair) -> None:
    document, bill = issued(on, both)
    first = surrender(on, bill)
    both.gateway.round()
    both.answer(first, "SREJ", comments="unpaid")
    second = surrender(on, bill)
    both.gateway.round()

    assert both.answer(first, "SURR").status == 409
    assert status(on, bill) == "PENDING_SURRENDER_FOR_DELIVERY"
    assert both.answer(second, "SURR").status == 204
    requests = asked(both, document)
    assert [request["surrenderRequestReference"] for request in requests] == [first, second]
    chain = [link["actionCode"] for link in requests[1]["endorsementChain"]]
    assert chain == ["ISSUE", "SURRENDER_FOR_DELIVERY"]


def test_what_the_carriers_people_answered_is_not_asked_again(on: Stage, both: Pair) -> None:
    _, bill = issued(on, both)
    reference = surrender(on, bill)
    both.gateway.round()
    on.client(CARRIER).act("SREJ", f"bill:{bill}", {"reason": "by hand"})

    stale = both.answer(reference, "SURR")
    assert (stale.status, stale.value["errors"][0]["errorCodeText"]) == (409, "stale_head")
    both.gateway.watching.sweep()

    closed = both.answer(reference, "SURR")
    assert (closed.status, closed.value["errors"][0]["errorCodeText"]) == (409, "conflict")
    assert status(on, bill) == "ISSUED"


# -- doubt ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["answer", "request", "busy", "proxy", "forged", "other"])
def test_nothing_is_acknowledged_before_the_receipt_and_the_same_bytes_settle_it(
    on: Stage, tmp_path: Path, fault: str
) -> None:
    with pair(on, tmp_path) as first:
        _, bill = issued(on, first)
        reference = surrender(on, bill)
        first.gateway.round()
        first.line.fault = fault
        first.line.sent.clear()
        answer = first.answer(reference, "SURR")
        assert (answer.status, answer.value["errors"][0]["errorCode"]) == (503, 7005)
        assert "Retry-After" in answer.headers
        sent = first.line.sent
    with pair(on, tmp_path) as second:
        assert second.answer(reference, "SURR").status == 204
        assert second.line.sent == sent
        assert second.answer(reference, "SURR").status == 409
    assert on.events(bill).count("SACC") == 1


STRANGE = {
    "an empty list": b"[]",
    "nothing": b"",
    "null": b"null",
    "a number": b"1e999",
    "no UTF-8": b"\xff",
    "a page": b"<html>",
    "depth without end": b"[" * 100_000,
    "a code that is a list": b'{"code":[],"status":"x"}',
    "a receipt of nothing": b'{"entry":{},"index":-1,"proof":[[]],"checkpoint":null}',
}


@pytest.mark.parametrize("code", ["201 CREATED", "403 FORBIDDEN", "502 BAD GATEWAY"])
@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE)
def test_whatever_comes_in_place_of_a_receipt_the_answer_stays_in_doubt(
    on: Stage, waiting: tuple[Pair, str], code: str, body: bytes
) -> None:
    both, reference = waiting
    with answering(on, code, body):
        answer = both.answer(reference, "SURR")
    assert (answer.status, answer.value["errors"][0]["errorCode"]) == (503, 7005)


@pytest.mark.parametrize("path", [f"/v1/parties/{CARRIER}", "/v1/bills"])
@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE)
def test_no_chain_is_told_of_what_cannot_be_read(
    on: Stage, waiting: tuple[Pair, str], path: str, body: bytes
) -> None:
    both, _ = waiting
    with answering(on, "200 OK", body, path):
        told = both.call("GET", "/endorsement-chains/ANY")
    # Who tells nothing of itself is one without a code, and has no such bill.
    assert told.status == 503 or (path != "/v1/bills" and told.status == 404)


def test_an_answer_in_doubt_cannot_be_turned_round(on: Stage, both: Pair) -> None:
    _, bill = issued(on, both)
    reference = surrender(on, bill)
    both.gateway.round()
    both.line.fault = "request"
    both.answer(reference, "SREJ", comments="unpaid")
    both.line.fault = None

    turned = both.answer(reference, "SURR")
    assert turned.status == 409
    assert status(on, bill) == "PENDING_SURRENDER_FOR_DELIVERY"


def test_an_answer_in_doubt_is_settled_without_being_asked(on: Stage, both: Pair) -> None:
    _, bill = issued(on, both)
    reference = surrender(on, bill)
    both.gateway.round()
    both.line.fault = "request"
    both.answer(reference, "SURR")
    both.line.fault = None
    both.gateway.round()

    assert status(on, bill) == "SURRENDERED_FOR_DELIVERY"
    assert both.answer(reference, "SURR").status == 204  # it was never told so far
