"""A carrier's DCSA system asks for a bill: it is issued once, by the carrier's key, or not."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bol_service.crypto.keys import Algorithm
from bol_service.crypto.peer_signers import EcSigner
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain.events import Issue
from bol_service.wire.dcsa_issuance import IssuanceResponseSchema
from bol_service.wire.events import decode
from tests.desk import STORY
from tests.gateway_stage import (
    CARRIER,
    ISSUANCES,
    RESPONSES,
    SHIPPER,
    Pair,
    Stage,
    issuance_request,
    issue_to,
    pair,
)

Json = dict[str, Any]


def event_of(on: Stage, bill: str) -> Issue:
    page = on.client(CARRIER).get(f"/v1/bills/{bill}/events")
    event = decode(page["items"][0]["event"]).event
    assert isinstance(event, Issue)
    return event


def test_a_request_becomes_a_bill_signed_with_the_carriers_key(on: Stage, both: Pair) -> None:
    document = on.approved()

    assert both.issue(document).status == 204
    assert on.bills(document) == []
    both.gateway.round()

    (bill,) = on.bills(document)
    event = event_of(on, bill["bill"])
    assert (event.actor, event.issue_to, event.parties.shipper) == (CARRIER, SHIPPER, SHIPPER)
    assert event.manifest.kid == on.platform.signers[CARRIER].public.kid
    assert both.outcome(document) == {
        "transportDocumentReference": document["transportDocumentReference"],
        "issuanceResponseCode": "ISSU",
    }


def test_the_response_is_what_the_standard_describes_and_bears_our_token(
    on: Stage, both: Pair
) -> None:
    document = on.approved()
    both.issue(document)
    both.gateway.round()

    assert IssuanceResponseSchema().validate(both.outcome(document)) == {}
    headers = both.system.messages[-1].headers
    assert headers["Authorization"] == f"Bearer {'c' * 40}"
    assert headers["API-Version"] == "3"


def test_the_document_of_the_request_is_kept_as_it_came(on: Stage, both: Pair) -> None:
    document = {**on.approved(), "memberOfNextYear": {"kept": [1.5, "是"]}}
    both.issue(document)
    both.gateway.round()

    assert both.outcome(document)["issuanceResponseCode"] == "BREQ"  # another content than approved

    kept = on.approved(changes={"memberOfNextYear": {"kept": [1.5, "是"]}})
    both.issue(kept)
    both.gateway.round()
    (bill,) = on.bills(kept)
    shown = on.client(CARRIER).get(f"/v1/bills/{bill['bill']}/document")
    assert shown == kept


def test_a_visualisation_goes_with_the_bill_and_its_checksum_into_the_manifest(
    on: Stage, both: Pair
) -> None:
    document = on.approved()
    assert both.issue(document, picture=b"%PDF-1.7 the bill").status == 204
    both.gateway.round()

    (bill,) = on.bills(document)
    checksum = hashlib.sha256(b"%PDF-1.7 the bill").hexdigest()
    assert event_of(on, bill["bill"]).manifest.visualisation_checksum == checksum
    path = f"/v1/bills/{bill['bill']}/files/{checksum}"
    assert on.client(CARRIER).fetch(path).content == b"%PDF-1.7 the bill"


def test_a_visualisation_that_is_no_pdf_is_answered_with_the_reason(on: Stage, both: Pair) -> None:
    document = on.approved()
    assert both.issue(document, picture=b"a drawing").status == 204
    both.gateway.round()
    outcome = both.outcome(document)
    assert outcome["issuanceResponseCode"] == "BREQ"
    assert "eBLVisualisationByCarrier" in json.dumps(outcome)


def test_a_manifest_by_a_registered_key_goes_into_the_ledger_as_it_came(
    on: Stage, both: Pair
) -> None:
    document = on.approved()
    request = issuance_request(document, signer=EcSigner(on.platform.signers[CARRIER]))
    both.call("PUT", ISSUANCES, request)
    both.gateway.round()

    (bill,) = on.bills(document)
    page = on.client(CARRIER).get(f"/v1/bills/{bill['bill']}/events")
    payload = decode(page["items"][0]["event"]).parsed.payload
    manifest = json.loads(payload)["details"]["issuanceManifestSignedContent"]
    assert manifest == request["issuanceManifestSignedContent"]


def test_the_first_possessor_is_found_by_its_legal_identifier_too(on: Stage, both: Pair) -> None:
    document = on.approved()
    code = {
        "codeListProvider": "GLEIF",
        "codeListName": "LEI",
        "partyCode": "ZZZZ00SHIPPERYUNL031",
    }
    both.issue(document, to=issue_to(identifyingCodes=[code]))
    both.gateway.round()

    assert both.outcome(document)["issuanceResponseCode"] == "ISSU"


# -- once ----------------------------------------------------------------------------------------


def test_the_same_request_twice_is_one_bill_and_one_response(on: Stage, both: Pair) -> None:
    document = on.approved()
    assert both.issue(document).status == 204

    again = both.issue(document)
    assert (again.status, again.value["errors"][0]["errorCode"]) == (409, 7002)
    both.gateway.round()
    assert both.issue(document).status == 409
    size = on.size()
    both.gateway.round()

    assert len(on.bills(document)) == 1
    assert on.size() == size
    both.outcome(document)


def test_after_a_refusal_the_number_may_be_asked_for_again(on: Stage, both: Pair) -> None:
    document = on.approved(approve=False)
    both.issue(document)
    both.gateway.round()
    assert both.outcome(document)["issuanceResponseCode"] == "BREQ"

    assert both.issue(document).status == 204


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("answer", id="the platform's answer was lost"),
        pytest.param("request", id="the request to the platform was lost"),
        pytest.param("busy", id="the platform was not certain"),
        pytest.param("proxy", id="a proxy refused in the platform's place"),
        pytest.param("forged", id="the receipt proves nothing"),
        pytest.param("other", id="the receipt is that of another act"),
    ],
)
def test_a_gateway_that_died_in_doubt_sends_the_same_bytes_and_issues_once(
    on: Stage, tmp_path: Path, fault: str
) -> None:
    document = on.approved()
    with pair(on, tmp_path) as first:
        first.line.fault = fault
        first.issue(document)
        first.gateway.round()
        sent = first.line.sent
        assert first.system.got(RESPONSES) == []
    with pair(on, tmp_path) as second:
        second.gateway.round()
        assert len(sent) == 1
        assert second.line.sent == sent
        assert second.outcome(document)["issuanceResponseCode"] == "ISSU"

    (bill,) = on.bills(document)
    assert on.events(bill["bill"]) == ["ISSUE"]


def test_a_response_that_the_system_did_not_take_is_sent_again_unchanged(
    on: Stage, tmp_path: Path
) -> None:
    document = on.approved()
    with pair(on, tmp_path) as first:
        first.system.answers[:] = [500]
        first.issue(document)
        first.gateway.round()
        (failed,) = first.system.got(RESPONSES)
        later = first.line.now() + timedelta(minutes=1)
    with pair(on, tmp_path) as second:
        second.line.now = lambda: later
        second.gateway.deliveries.send_due()
        second.gateway.deliveries.send_due()
        assert second.system.got(RESPONSES) == [failed]


def test_a_gateway_that_lost_its_state_tells_of_the_bill_that_stands(
    on: Stage, tmp_path: Path
) -> None:
    document = on.approved()
    with pair(on, tmp_path / "lost") as first:
        first.issue(document)
        first.gateway.round()
    with pair(on, tmp_path / "new") as second:
        second.issue(document)
        second.gateway.round()
        assert second.outcome(document)["issuanceResponseCode"] == "ISSU"

    (bill,) = on.bills(document)
    assert on.events(bill["bill"]) == ["ISSUE"]


@pytest.mark.parametrize("undone", [False, True], ids=["to somebody else", "and refused since"])
def test_a_bill_that_stands_otherwise_is_not_told_as_issued(
    on: Stage, tmp_path: Path, undone: bool
) -> None:
    document = on.approved()
    with pair(on, tmp_path / "lost") as first:
        first.issue(document)
        first.gateway.round()
        (bill,) = on.bills(document)
    if undone:
        on.client(SHIPPER).act("REFUSE", f"bill:{bill['bill']}", {"reason": "wrong weight"})
    with pair(on, tmp_path / "new") as second:
        second.issue(document, to=issue_to() if undone else issue_to("bankcq", partyName="Bank"))
        second.gateway.round()
        assert second.outcome(document)["issuanceResponseCode"] == "BREQ"


# -- what cannot be issued -----------------------------------------------------------------------


def test_a_document_without_a_shipment_is_sent_back(on: Stage, both: Pair) -> None:
    document = on.approved()
    document["transportDocumentReference"] = "XLSCNOWHERE1"
    document["consignmentItems"][0]["carrierBookingReference"] = "XLBNOWHERE1"
    both.issue(document)
    both.gateway.round()

    outcome = both.outcome(document)
    assert outcome["issuanceResponseCode"] == "BREQ"
    assert outcome["errors"][0]["errorCode"] == "unknown_draft"
    assert "XLBNOWHERE1" in outcome["reason"]


def test_another_content_than_the_shipper_approved_is_sent_back(on: Stage, both: Pair) -> None:
    document = on.approved()
    document["carrierClauses"] = ["SAID TO CONTAIN."]
    both.issue(document)
    both.gateway.round()

    outcome = both.outcome(document)
    assert (outcome["issuanceResponseCode"], outcome["errors"][0]["errorCode"]) == (
        "BREQ",
        "stale_draft",
    )
    assert on.bills(document) == []


def test_what_the_law_refuses_is_sent_back_with_its_code(on: Stage, both: Pair) -> None:
    document = on.approved()
    document["receivedForShipmentDate"] = "2027-02-27"
    both.issue(document)
    both.gateway.round()

    outcome = both.outcome(document)
    assert (outcome["issuanceResponseCode"], outcome["errors"][0]["errorCode"]) == (
        "BREQ",
        "antedating",
    )


@pytest.mark.parametrize(
    ("to", "code", "error"),
    [
        pytest.param(
            issue_to(sendToPlatform="SGPX"), "REFU", "not_supported", id="on another platform"
        ),
        pytest.param(issue_to("nobody"), "REFU", "recipient_unavailable", id="not registered"),
        pytest.param(
            issue_to(
                taxLegalReferences=[
                    {"type": "USCC", "countryCode": "CN", "value": "91500112MA60EBL24T"}
                ]
            ),
            "BREQ",
            "bad_recipient",
            id="one name, two parties",
        ),
    ],
)
def test_a_first_possessor_that_cannot_be_is_refused(
    on: Stage, both: Pair, to: Json, code: str, error: str
) -> None:
    document = on.approved()
    both.issue(document, to=to)
    both.gateway.round()

    outcome = both.outcome(document)
    assert outcome["issuanceResponseCode"] == code
    assert outcome["errors"][0]["errorCode"] == error
    assert on.bills(document) == []


def test_what_cannot_be_an_event_is_sent_back_and_never_kept_in_doubt(
    on: Stage, both: Pair
) -> None:
    document = on.approved()
    both.issue(document, to=issue_to(remark="x" * 70_000))
    both.gateway.round()

    outcome = both.outcome(document)
    assert (outcome["issuanceResponseCode"], outcome["errors"][0]["errorCode"]) == (
        "BREQ",
        "bad_event",
    )
    assert both.line.sent == []


# -- what is no request --------------------------------------------------------------------------


def _without(request: Json, *path: str) -> None:
    inside = request
    for name in path[:-1]:
        inside = inside[name]
    del inside[path[-1]]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        pytest.param(lambda r: _without(r, "issueTo"), "$.issueTo", id="nobody to issue to"),
        pytest.param(lambda r: _without(r, "document"), "$.document", id="no document"),
        pytest.param(
            lambda r: _without(r, "document", "transports"),
            "$.document.transports",
            id="a document without voyage",
        ),
        pytest.param(
            lambda r: r["issueTo"].update(sendToPlatform="CQ GY"),
            "$.issueTo.sendToPlatform",
            id="no platform code",
        ),
        pytest.param(
            lambda r: r["issueTo"].update(partyName="Somebody Else"),
            "$.issueTo",
            id="another receiver than the manifest's",
        ),
        pytest.param(
            lambda r: r["document"].update(carrierClauses=["ON DECK."]),
            "$.document",
            id="another document than the manifest's",
        ),
        pytest.param(
            lambda r: r.update(issuanceManifestSignedContent="a.b.c"),
            "$.issuanceManifestSignedContent",
            id="a manifest that is no JWS",
        ),
        pytest.param(
            lambda r: r.update(eBLVisualisationByCarrier={"name": "x", "content": "eA=="}),
            "$.eBLVisualisationByCarrier",
            id="a visualisation that the manifest does not name",
        ),
    ],
)
def test_a_request_that_contradicts_itself_is_refused_at_once(
    on: Stage, both: Pair, change: Any, place: str
) -> None:
    document = on.approved()
    request = deepcopy(issuance_request(document))
    change(request)

    answer = both.call("PUT", ISSUANCES, request)

    assert answer.status == 400
    assert place in [error.get("jsonPath") for error in answer.value["errors"]]
    assert both.gateway.state.waiting_issuances() == []


def test_a_draft_is_not_issued(on: Stage, both: Pair) -> None:
    document = {**on.approved(), "transportDocumentStatus": "APPROVED"}

    answer = both.issue(document)

    assert answer.status == 400
    assert answer.value["errors"][0]["property"] == "transportDocumentStatus"


def test_a_manifest_by_a_key_that_nobody_pinned_is_refused(on: Stage, both: Pair) -> None:
    document = on.approved()

    answer = both.issue(document, signer=EcSigner(LocalSigner(generate(Algorithm.ES256))))

    assert (answer.status, answer.value["errors"][0]["errorCode"]) == (400, 7003)
    both.gateway.round()
    assert on.bills(document) == []


def test_a_manifest_whose_picture_did_not_come_is_refused(on: Stage, both: Pair) -> None:
    answer = both.issue(on.approved(), manifest={"eBLVisualisationByCarrierChecksum": "0" * 64})

    assert answer.status == 400
    assert answer.value["errors"][0]["property"] == "eBLVisualisationByCarrier"


def test_a_request_after_a_day_without_platform_is_signed_anew(on: Stage, tmp_path: Path) -> None:
    document = on.approved()
    with pair(on, tmp_path) as made:
        made.line.fault = "request"
        made.line.now = lambda: STORY - timedelta(hours=25)
        made.issue(document)
        made.gateway.issuing.settle_all()
        made.line.fault = None
        made.line.now = lambda: STORY
        made.gateway.round()
        made.gateway.round()
        assert made.outcome(document)["issuanceResponseCode"] == "ISSU"
