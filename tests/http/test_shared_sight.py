"""What is shown to those who see a part: customs of the chain, a replaced custodian of custody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.bill_scene import Scene, newcomer, scene

BOX, OTHER_BOX = "XLCU7001127", "XLCU7001153"
RAIL_ACTS = ["LOADED_RAIL", "RAIL_DEPARTED", "RAIL_ARRIVED"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("sight")) as ready:
        yield ready


@pytest.fixture(scope="module")
def replaced(stage: Scene) -> Scene:
    """The railway of the booking has carried the boxes; then another one is appointed."""
    role = {"roles": ["RAIL_OPERATOR"]}
    newcomer(stage.platform, stage.voyage, "newrail", "CN", role)
    details = {"leg": "rail", "custodian": "newrail", "reason": "the contract has ended"}
    stage.clients["xlsc"].act("APPOINT", f"draft:{stage.draft}", details)
    return stage


def custody(stage: Scene, party: str, box: str = BOX, bill: str = "") -> Any:
    return stage.request("GET", f"/v1/bills/{bill or stage.bill_a}/custody/{box}", party=party)


def test_customs_reads_the_acts_by_which_the_bill_passed_on(stage: Scene) -> None:
    path = f"/v1/bills/{stage.bill_a}/events"
    every = stage.request("GET", path, party="xlsc").json()["items"]
    shown = stage.request("GET", path, party="sgcus").json()["items"]
    hidden = [event["action"] for event in every if event not in shown]
    assert hidden == ["ON_BOARD_NOTATION"]
    assert [event for event in every if event["action"] not in hidden] == shown


def test_customs_reads_neither_the_document_nor_who_holds_the_bill_now(stage: Scene) -> None:
    view = stage.request("GET", f"/v1/bills/{stage.bill_a}", party="sgcus").json()
    assert not {"control", "document"} & set(view)
    answer = stage.request("GET", f"/v1/streams/bill:{stage.bill_a}/head", party="sgcus")
    assert answer.status == 404


def test_a_custodian_sees_the_whole_custody_while_it_is_booked(stage: Scene) -> None:
    seen = custody(stage, "guoyuan").json()["items"]
    assert {event["actor"] for event in seen} > {"guoyuan"}


def test_a_replaced_custodian_sees_its_own_events_and_nothing_else(replaced: Scene) -> None:
    seen = custody(replaced, "wrail").json()["items"]
    assert [(event["action"], event["actor"]) for event in seen] == [
        (action, "wrail") for action in RAIL_ACTS
    ]
    for path in ("", "/events", "/document", "/evidence"):
        answer = replaced.request("GET", f"/v1/bills/{replaced.bill_a}{path}", party="wrail")
        assert (answer.status, answer.json()["code"]) == (404, "not_found")
    found = replaced.request("GET", "/v1/bills", party="wrail").json()["items"]
    assert replaced.bill_a not in [bill["bill"] for bill in found]


def test_a_replaced_custodian_learns_nothing_of_boxes_that_it_never_had(replaced: Scene) -> None:
    answers = [
        custody(replaced, "wrail", OTHER_BOX),
        custody(replaced, "wrail", BOX, replaced.bill_b),
        custody(replaced, "wrail", BOX, "0" * 64),
    ]
    assert {answer.status for answer in answers} == {404}
    assert all(answer.json()["code"] == "not_found" for answer in answers)
