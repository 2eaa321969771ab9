"""Who may act: nobody but the holder transfers, and nobody learns anything by trying.

Columns are those of the authorisation matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.domain.states import Head
from bol_service.wire import drafting
from tests import kit
from tests.bill_scene import ANONYMOUS, COLUMNS, Answer, Scene, scene

NO_BILL = "0" * 64

# What comes of a TRANSFER of A, signed by the role with its own key at the true head. The holder's
# own is lawful but for its recipient, who is not registered.
TRANSFERS = {
    "ca": "not_holder",
    "rc": "not_found",
    "sh": "not_holder",
    "fw": "not_holder",
    "ho": "recipient_unavailable",
    "ti": "not_holder",
    "fo": "not_holder",
    "te": "not_holder",
    "ra": "not_holder",
    "cu": "not_holder",
    "au": "not_holder",
    "af": "not_found",
    "no": "not_found",
    "st": "not_found",
    "op": "not_found",
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("writing")) as ready:
        yield ready


def transfer(stage: Scene, party: str, bill: str, head: Head | None) -> Answer:
    client = stage.clients.get(party)
    signer = client.signer if client else LocalSigner(generate(Algorithm.ED25519))
    assert signer is not None
    event = drafting.payload(
        action="TRANSFER",
        actor=party if client else "shadow",
        at=stage.voyage.now(),
        audience=kit.ORIGIN,
        stream=f"bill:{bill}",
        after=head,
        recipient="nobody",
    )
    return stage.post_event(drafting.sign(event, signer))


@pytest.mark.parametrize(("column", "code"), TRANSFERS.items())
def test_nobody_but_the_holder_transfers(stage: Scene, column: str, code: str) -> None:
    before = stage.log_size
    head = stage.head(f"bill:{stage.bill_a}")
    answer = transfer(stage, COLUMNS[column], stage.bill_a, head)
    assert answer.json()["code"] == code
    assert stage.log_size == before


def test_a_signature_by_nobody_s_key_transfers_nothing(stage: Scene) -> None:
    head = stage.head(f"bill:{stage.bill_a}")
    answer = transfer(stage, ANONYMOUS, stage.bill_a, head)
    assert (answer.status, answer.json()["code"]) == (422, "bad_signature")


@pytest.mark.parametrize("column", [c for c, code in TRANSFERS.items() if code == "not_found"])
def test_an_act_on_a_bill_of_others_fails_like_one_on_no_bill(stage: Scene, column: str) -> None:
    """Right or wrong head, existing or not: the answer is one and the same."""
    party, true_head = COLUMNS[column], stage.head(f"bill:{stage.bill_a}")
    answers = [
        transfer(stage, party, bill, head).without_request_id()
        for bill in (stage.bill_a, NO_BILL)
        for head in (true_head, None, Head(sequence=3, digest="0" * 64))
    ]
    assert all(answer == answers[0] for answer in answers)


def test_another_carrier_learns_nothing_of_a_bill_by_issuing_it(stage: Scene) -> None:
    rival = stage.clients["rival"]
    answers = []
    for bill in (stage.bill_a, NO_BILL):
        details = issue_details(stage)
        event = rival.draft_event("ISSUE", f"bill:{bill}", details, after=None)
        assert rival.signer is not None
        answer = stage.post_event(drafting.sign(event, rival.signer))
        answers.append(answer.without_request_id())
    assert answers[0] == answers[1]


def issue_details(stage: Scene) -> dict[str, Any]:
    """Names a document that nobody has uploaded."""
    signer = stage.clients["rival"].signer
    assert signer is not None
    manifest = drafting.issuance_manifest(
        signer, document_checksum="1" * 64, issue_to_checksum="2" * 64
    )
    return {
        "contentDigest": "3" * 64,
        "issuanceManifestSignedContent": manifest,
        "issueTo": "shadow",
        "issueToParty": {"partyName": "x"},
        "parties": {"shipper": "shadow"},
        "receivedBytes": "4" * 64,
        "rulebook": stage.voyage.saved["rulebook"],
        "shipment": stage.draft,
    }


def test_another_carrier_learns_no_head_of_a_shipment_by_booking_it(stage: Scene) -> None:
    rival = stage.clients["rival"]
    details = {
        "carrierBookingReference": "R1",
        "customsRelease": False,
        "custodians": {"discharge": "sgterm", "loading": "qinzhou", "receipt": "qinzhou"},
        "shipper": "shadow",
    }
    event = rival.draft_event("BOOKING", f"draft:{stage.draft}", details, after=None)
    assert rival.signer is not None
    answer = stage.post_event(drafting.sign(event, rival.signer))
    head = stage.head(f"draft:{stage.draft}")
    assert head is not None
    assert answer.json()["code"] == "not_found"
    assert head.digest.encode() not in answer.body


@pytest.mark.parametrize("column", COLUMNS)
def test_a_document_is_uploaded_by_a_proven_party_and_read_by_nobody_else(
    stage: Scene, column: str
) -> None:
    content = f'{{"shippingInstructionsReference":"{column}"}}'.encode()
    path, party = "/v1/documents?kind=shipping-instructions", COLUMNS[column]
    answer = stage.request("POST", path, party=party, body=content, media_type="application/json")
    if column == "an":
        assert (answer.status, answer.json()["code"]) == (401, "not_authenticated")
        return
    assert answer.status == 201
    own = f"/v1/documents/{answer.json()['digest']}"
    for other, expected in (*((name, 404) for name in COLUMNS.values()), (party, 200)):
        if other == ANONYMOUS or (other == party and expected == 404):
            continue
        assert stage.request("GET", own, party=other).status == expected


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_a_method_that_no_route_has_is_refused(stage: Scene, method: str) -> None:
    for path in (f"/v1/bills/{stage.bill_a}", "/v1/events", "/rulebook"):
        answer = stage.request(method, path, party="xlsc", body=b"", media_type="text/plain")
        assert (answer.status, answer.json()["code"]) == (405, "method_not_allowed")
        assert answer.headers["Allow"]


@pytest.mark.parametrize("column", ["an", "st"])
def test_head_requests_are_judged_like_get(stage: Scene, column: str) -> None:
    path = f"/v1/bills/{stage.bill_a}"
    expected = stage.request("GET", path, party=COLUMNS[column]).status
    assert stage.request("HEAD", path, party=COLUMNS[column]).status == expected
