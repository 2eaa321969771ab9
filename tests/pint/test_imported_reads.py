"""What parties read of a bill that was issued elsewhere: nothing fails, and no gate opens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bol_service.client import Refused
from bol_service.domain.states import Status
from tests.two_platforms import DESK, SG_CAST, Two, two_platforms


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_platforms(tmp_path) as both:
        yield both


def _never_released(two: Two, bill: str) -> None:
    (container,) = two.sg.here(bill).containers
    for party in SG_CAST:
        path = f"/v1/containers/{container}/release-check"
        answer = json.loads(two.sg.client(party).fetch(path).content)
        assert answer["answer"] == "DO NOT RELEASE"


def test_no_gate_releases_on_an_imported_bill_in_any_of_its_states(two: Two) -> None:
    (bill,) = two.issue()
    two.cq.act("yunling", "ENDORSE_TO_ORDER", bill, recipient="SGPX:banksg")
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.settled(bill)
    _never_released(two, bill)
    two.sg.act("banksg", "SURRENDER_FOR_DELIVERY", bill)
    _never_released(two, bill)
    two.settled(bill)
    _never_released(two, bill)
    two.cq.act("xlsc", "SACC", bill)
    two.settled(bill)
    assert two.sg.here(bill).status is Status.SURRENDERED_FOR_DELIVERY
    _never_released(two, bill)
    (container,) = two.sg.here(bill).containers
    content = two.sg.client("banksg").fetch(f"/v1/containers/{container}/release-check").content
    told = json.loads(content)
    assert told["code"] == "no_delivery_order"
    assert "CQGY" in told["reason"]


def test_an_envelope_that_is_kept_is_no_document_for_any_party(two: Two) -> None:
    (bill,) = two.issue()
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.settled(bill)
    for side in (two.cq, two.sg):
        with side.running.store.engine.begin() as connection:
            rows = connection.execute(text("SELECT digest FROM documents WHERE kind = 'envelope'"))
            kept = [row.digest for row in rows]
        assert kept
        for party in set(side.signers) - {DESK}:
            for digest in kept:
                with pytest.raises(Refused, match="not_found"):
                    side.client(party).fetch(f"/v1/documents/{digest}")


@pytest.mark.parametrize("suffix", ["", "/events", "/document", "/evidence", "/copy"])
def test_who_does_not_hold_an_imported_bill_learns_nothing_of_it(suffix: str, two: Two) -> None:
    (bill,) = two.issue()
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")
    two.settled(bill)
    assert two.sg.client("banksg").fetch(f"/v1/bills/{bill}{suffix}").content
    for party in set(SG_CAST) - {"banksg"}:
        with pytest.raises(Refused, match="not_found"):
            two.sg.client(party).fetch(f"/v1/bills/{bill}{suffix}")
