"""Answers of a receiver, signed and unsigned, as they stand in the body of a response."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Final

import pytest

from bol_service.wire.dcsa_error import (
    DcsaError,
    DetailedError,
    error_response,
    json_path,
    malformed,
)
from bol_service.wire.pint_answers import (
    FinishedResponse,
    ResponseCode,
    StartedResponse,
    read_receiver_validation,
    read_signed_body,
    receiver_validation,
    signed_body,
)
from bol_service.wire.pint_forms import PintFormatError
from bol_service.wire.pint_parties import IdentifyingCode, read_identifying_code
from bol_service.wire.transport_document_problem import Problem
from tests.pint_story import NOW

SUM: Final = "0123456789abcdef" * 4
JWS: Final = "e30.e30.AA"
LAST: Final = "lastEnvelopeTransferChainEntrySignedContentChecksum"


def test_a_signed_answer_is_a_json_string() -> None:
    assert signed_body(JWS) == b'"e30.e30.AA"'
    assert read_signed_body(b' "e30.e30.AA" ') == JWS


@pytest.mark.parametrize("body", [b"e30.e30.AA", b'"e30.e30"', b'["e30.e30.AA"]', b'"a.b.c\\n"'])
def test_another_body_is_no_signed_answer(body: bytes) -> None:
    with pytest.raises(PintFormatError):
        read_signed_body(body)


def test_members_without_value_are_left_out_and_empty_lists_are_not() -> None:
    answer = FinishedResponse(last_checksum=SUM, code=ResponseCode.RECE, received=())
    assert answer.to_json() == {
        LAST: SUM,
        "responseCode": "RECE",
        "receivedAdditionalDocumentChecksums": [],
    }


def test_a_started_transfer_tells_what_is_wanted() -> None:
    started = StartedResponse(
        reference="r-1", document_checksum=SUM, last_checksum=SUM, missing=(SUM,)
    )
    assert started.to_json() == {
        "envelopeReference": "r-1",
        "transportDocumentChecksum": SUM,
        LAST: SUM,
        "missingAdditionalDocumentChecksums": [SUM],
    }


def test_a_receiver_is_asked_by_code_and_answered_by_name() -> None:
    assert read_identifying_code(
        b'{"codeListProvider":"ZZZ","partyCode":"yunling","codeListName":"CQGY-PARTY"}'
    ) == IdentifyingCode(provider="ZZZ", code="yunling", list_name="CQGY-PARTY")
    assert (
        read_receiver_validation(json.dumps(receiver_validation("Straits")).encode()) == "Straits"
    )


def test_an_error_response_tells_every_problem_with_its_json_path() -> None:
    problems = [
        Problem(pointer="/transportDocument/a~1b/0", rule="max-length", message="is too long"),
        Problem(pointer="", rule="json", message="is no JSON"),
    ]
    told = error_response(
        HTTPStatus.BAD_REQUEST,
        malformed(problems),
        method="POST",
        uri="/v3/envelopes",
        at=NOW,
        correlation="7",
    )
    assert told == {
        "httpMethod": "POST",
        "requestUri": "/v3/envelopes",
        "statusCode": 400,
        "statusCodeText": "Bad Request",
        "statusCodeMessage": "is too long",
        "providerCorrelationReference": "7",
        "errorDateTime": "2027-03-08T06:00:00.000Z",
        "errors": [
            {
                "errorCode": 7000,
                "errorCodeText": "breaks max-length",
                "errorCodeMessage": "is too long",
                "property": "0",
                "jsonPath": "$.transportDocument['a/b'][0]",
            },
            {"errorCode": 7000, "errorCodeText": "breaks json", "errorCodeMessage": "is no JSON"},
        ],
    }


def test_texts_of_an_error_response_are_cut_to_the_standard() -> None:
    error = DetailedError(
        code=DcsaError.CONFLICT, text="t" * 200, message="m" * 6000, pointer="/" + "p" * 600
    )
    told = error_response(
        HTTPStatus.CONFLICT, [error], method="PUT", uri="/", at=NOW, correlation="c" * 200
    )
    detail = told["errors"][0]
    lengths = {name: len(text) for name, text in detail.items() if isinstance(text, str)}
    assert lengths == {
        "errorCodeText": 100,
        "errorCodeMessage": 5000,
        "property": 100,
        "jsonPath": 500,
    }
    assert len(told["statusCodeMessage"]) == 200
    assert len(told["providerCorrelationReference"]) == 100
    assert all(7000 <= code <= 9999 for code in DcsaError)


@pytest.mark.parametrize(
    ("pointer", "path"),
    [("", "$"), ("/a/0/b", "$.a[0].b"), ("/a b", "$['a b']"), ("/a~0'\\", "$['a~\\'\\\\']")],
)
def test_a_pointer_is_told_as_json_path(pointer: str, path: str) -> None:
    assert json_path(pointer) == path
