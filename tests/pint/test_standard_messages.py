"""The flow of DCSA PINT between two live platforms, every message held to the published schemas."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from bol_service.application.exchange_ports import Stage
from bol_service.domain.states import Status
from tests.pint_messages import DOCUMENT, Heard, listening
from tests.two_platforms import CQ, SG, Two, two_platforms

SCHEMAS = Path(__file__).parents[2] / "schemas" / "pint"
PICTURE, PACKING = b"%PDF-1.7 the carrier's picture", b"%PDF-1.7 packing list"


def cross_border_flow(two: Two) -> str:
    """Issue and transfer to Singapore with two files; a refused transfer before; endorsement and
    surrender there; a rejection, a second surrender, its acceptance."""
    two.cq.client("xlsc").upload(PICTURE, "visualisation", "application/pdf")
    (bill,) = two.issue(visualisation=hashlib.sha256(PICTURE).hexdigest())
    two.cq.client("yunling").attach(bill, PACKING)
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:nobody")
    two.settled(bill)
    two.cq.act("yunling", "ENDORSE_TO_ORDER", bill, recipient="SGPX:banksg")
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.settled(bill)
    two.sg.act("banksg", "ENDORSE", bill, recipient="straits", transferTo="straits")
    two.sg.act("straits", "SURRENDER_FOR_DELIVERY", bill)
    two.settled(bill)
    two.cq.act("xlsc", "SREJ", bill, reason="freight is owed")
    two.settled(bill)
    two.sg.act("straits", "SURRENDER_FOR_DELIVERY", bill)
    two.settled(bill)
    two.cq.act("xlsc", "SACC", bill)
    two.settled(bill)
    assert two.sg.here(bill).status is Status.SURRENDERED_FOR_DELIVERY
    return bill


@dataclass(frozen=True, kw_only=True)
class Flow:
    heard: Heard
    stages: list[Stage]


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    with two_platforms(tmp_path_factory.mktemp("border")) as two, listening(two) as heard:
        bill = cross_border_flow(two)
        return Flow(heard=heard, stages=[row.stage for row in two.cq.outbox(bill)])


def faults(heard: Heard, schemas: dict[str, Any]) -> list[str]:
    """What the schemas, by the names of their messages, find wrong with what was heard."""
    validators = {
        name: Draft202012Validator(schema, format_checker=FormatChecker())
        for name, schema in schemas.items()
    }
    return [
        f"{message.name} by {message.of}: {error.json_path} {error.message}"
        for message in heard.messages
        if message.name != DOCUMENT
        for error in validators[message.name].iter_errors(message.value)
    ]


def published() -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in SCHEMAS.glob("*.json")}


def test_every_message_of_a_bill_that_goes_to_singapore_and_is_surrendered_fits_its_schema(
    flow: Flow,
) -> None:
    schemas, heard = published(), flow.heard
    assert faults(heard, schemas) == []
    both = heard.names(CQ) | heard.names(SG)
    assert both == {*schemas, DOCUMENT}, "a message was not heard, or has no schema"
    for code in (CQ, SG):
        assert heard.names(code) >= {
            "EblEnvelope",
            "EnvelopeManifest",
            "EnvelopeTransferChainEntry",
            "IssuanceManifest",
            "EnvelopeTransferFinishedResponse",
        }
    assert heard.codes(SG) == ["BENV", "RECE", "RECE", "RECE"]
    assert heard.codes(CQ) == ["RECE", "RECE"]
    assert flow.stages == [Stage.MOVED, Stage.MOVED, Stage.MOVED, Stage.REFUSED]


def test_transactions_are_those_of_the_standard_in_its_order(flow: Flow) -> None:
    heard = flow.heard
    last = [message.value for message in heard.messages if message.name == "EblEnvelope"][-1]
    entries = [
        message.value for message in heard.messages if message.name == "EnvelopeTransferChainEntry"
    ][-len(last["envelopeTransferChain"]) :]
    assert [
        (entry["eblPlatform"], [act["actionCode"] for act in entry["transactions"]])
        for entry in entries
    ] == [
        (CQ, ["ISSUE", "ENDORSE_TO_ORDER", "TRANSFER"]),
        (SG, ["ENDORSE", "TRANSFER", "SURRENDER_FOR_DELIVERY"]),
        (CQ, ["SREJ"]),
        (SG, ["SURRENDER_FOR_DELIVERY"]),
        (CQ, ["SACC"]),
    ]


@pytest.mark.parametrize("name", sorted(published()))
def test_a_schema_refuses_a_message_that_lacks_what_it_must_have(name: str) -> None:
    schema = published()[name]
    assert schema["required"]
    assert list(Draft202012Validator(schema).iter_errors({}))
