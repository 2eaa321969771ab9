"""Who gets in at a gateway's doors, and how what is refused is told: DCSA's ErrorResponse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from marshmallow import fields

from bol_service.gateway.state import State, StateError
from bol_service.wire.dcsa_chain import EndorsementChainSchema
from bol_service.wire.transport_document_fields import (
    Code,
    Count,
    Member,
    Moment,
    One,
    Several,
    Text,
)
from tests.gateway_stage import ANSWERS, CARRIER, ISSUANCES, TOKEN, Pair, Stage, issuance_request

Json = dict[str, Any]


class DetailedErrorSchema(Member):
    errorCode = Count(7000, 9999)
    property = Text(100)
    value = Text(500)
    jsonPath = Text(500)
    errorCodeText = Text(100, required=True)
    errorCodeMessage = Text(5000, required=True)


class ErrorResponseSchema(Member):
    httpMethod = Code("GET", "HEAD", "POST", "PUT", "DELETE", "OPTION", "PATCH", required=True)
    requestUri = Text(required=True)
    statusCode = fields.Integer(required=True, strict=True)
    statusCodeText = Text(50, required=True)
    statusCodeMessage = Text(200)
    providerCorrelationReference = Text(100)
    errorDateTime = Moment(required=True)
    errors = Several(One(DetailedErrorSchema), at_least=1, required=True)


def addresses(both: Pair) -> list[tuple[str, str]]:
    """Every door, as the application itself knows them."""
    return [
        (method, rule.rule.replace("<path:reference>", "X"))
        for rule in both.gateway.app.url_map.iter_rules()
        for method in sorted(rule.methods or ())
        if method not in ("HEAD", "OPTIONS")
    ]


WRONG = [
    pytest.param({"Authorization": ""}, id="nothing"),
    pytest.param({"Authorization": f"Bearer {TOKEN[:-1]}"}, id="a token cut short"),
    pytest.param({"Authorization": f"Bearer {TOKEN}t"}, id="a token too long"),
    pytest.param({"Authorization": "Bearer "}, id="an empty token"),
    pytest.param({"Authorization": f"Basic {TOKEN}"}, id="another scheme"),
    pytest.param({"Authorization": "Bearer \u00e9" + TOKEN}, id="a token that is not ASCII"),
]


@pytest.mark.parametrize("headers", WRONG)
def test_no_door_opens_to_whom_the_carrier_did_not_give_its_token(
    both: Pair, headers: Json
) -> None:
    doors = addresses(both)
    assert len(doors) == 3
    for method, path in doors:
        answer = both.call(method, path, {}, headers=headers)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), path
        assert ErrorResponseSchema().validate(answer.value) == {}


def test_what_an_unknown_caller_sends_is_not_even_kept(on: Stage, both: Pair) -> None:
    request = issuance_request(on.approved())

    assert both.call("PUT", ISSUANCES, request, headers={"Authorization": ""}).status == 401

    assert both.gateway.state.waiting_issuances() == []
    assert both.line.sent == []


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        pytest.param("PUT", ISSUANCES, b"{", {}, 400, id="no JSON"),
        pytest.param("PUT", ISSUANCES, b"[]", {}, 400, id="no object"),
        pytest.param("PUT", ISSUANCES, b'{"a":1,"a":2}', {}, 400, id="a member twice"),
        pytest.param(
            "GET", "/endorsement-chains/NOBODY", b"", {"API-Version": "2"}, 400, id="version 2"
        ),
        pytest.param("PUT", ISSUANCES, b"{}", {"Content-Type": "text/plain"}, 400, id="plain text"),
        pytest.param("POST", ANSWERS, b"{}", {}, 400, id="an empty answer"),
        pytest.param("POST", ISSUANCES, b"{}", {}, 405, id="the wrong method"),
        pytest.param("PUT", "/v2/ebl-issuance-requests", b"{}", {}, 404, id="another address"),
        pytest.param("GET", "/endorsement-chains/NOBODY", b"", {}, 404, id="no such document"),
        pytest.param("GET", "/endorsement-chains/X?a=b", b"", {}, 400, id="an unknown parameter"),
    ],
)
def test_every_refusal_is_an_error_response(
    both: Pair, method: str, path: str, body: bytes, headers: Json, status: int
) -> None:
    answer = both.call(method, path, body=body, headers=headers)

    assert (answer.status, answer.headers["API-Version"]) == (status, "3.0.3")
    assert answer.headers["Content-Type"] == "application/json"
    assert ErrorResponseSchema().validate(answer.value) == {}
    assert answer.value["statusCode"] == status


def test_a_body_beyond_all_measure_is_refused(both: Pair) -> None:
    answer = both.call("POST", ANSWERS, body=b" " * 20_000_001)

    assert (answer.status, answer.value["errors"][0]["errorCode"]) == (413, 7004)


def test_an_unsigned_answer_moves_nothing_on_the_platform_itself(on: Stage, both: Pair) -> None:
    document = on.approved()
    both.issue(document)
    both.gateway.round()
    (bill,) = on.bills(document)
    size = on.size()

    for path in (ANSWERS, ISSUANCES):
        carrier = on.client(CARRIER)
        with pytest.raises(Exception, match="not_found"):
            carrier.request("POST", path, b"{}", "application/json", carrier.token())

    assert on.size() == size
    assert on.events(bill["bill"]) == ["ISSUE"]


# -- the endorsement chain -----------------------------------------------------------------------


def test_the_chain_of_a_document_is_told_from_its_evidence(on: Stage, both: Pair) -> None:
    document = on.approved()
    both.issue(document)
    both.gateway.round()
    (bill,) = on.bills(document)
    stream = f"bill:{bill['bill']}"
    on.client("yunling").act(
        "ENDORSE_TO_ORDER", stream, {"transferTo": "bankcq"}, recipient="banksg"
    )
    on.client("bankcq").act("REFUSE", stream, {"reason": "discrepant"})
    on.client("yunling").act("BLANK_ENDORSE", stream)
    on.client("yunling").act("TRANSFER", stream, recipient="straits")
    number = document["transportDocumentReference"]

    answer = both.call("GET", f"/endorsement-chains/{number}?carrierSCACCode=XLSC")

    assert answer.status == 200
    (told,) = answer.value
    assert EndorsementChainSchema().validate(told) == {}
    assert (told["transportDocumentReference"], told["carrierSCACCode"]) == (number, "XLSC")
    assert [
        (link["actionCode"], link.get("recipient", {}).get("partyName"))
        for link in told["endorsementChain"]
    ] == [
        ("ISSUE", "Chongqing Yunling Motor Parts Co., Ltd."),
        ("BLANK_ENDORSE", None),
        ("TRANSFER", "Straits Cycle Trading Pte. Ltd."),
    ]


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("carrierSCACCode=OTHR", id="another carrier"),
        pytest.param("transportDocumentSubReference=7", id="another version"),
    ],
)
def test_a_chain_that_was_not_asked_for_is_not_told(on: Stage, both: Pair, query: str) -> None:
    document = on.approved()
    both.issue(document)
    both.gateway.round()

    path = f"/endorsement-chains/{document['transportDocumentReference']}?{query}"
    assert both.call("GET", path).status == 404


@pytest.mark.parametrize("number", ["%00", "%0D%0A", "A" * 21, "%ED%A0%80" * 7])
def test_a_number_that_no_document_can_have_is_not_found(both: Pair, number: str) -> None:
    assert both.call("GET", f"/endorsement-chains/{number}").status == 404


def test_two_gateways_never_share_a_state(on: Stage, both: Pair, tmp_path: Path) -> None:
    with pytest.raises(StateError, match="another gateway uses"):
        State(tmp_path / "state")


def test_a_state_belongs_to_one_carrier_on_one_platform(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.belong_to("xlsc of demo.cq.example/ebl")
    state.belong_to("xlsc of demo.cq.example/ebl")

    with pytest.raises(StateError, match="use another folder"):
        state.belong_to("xlsc of demo.sg.example/ebl")
