"""`bol` for a terminal of Singapore that signs for Chongqing's ledger, and for both operators."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bol_service.cli import context
from bol_service.client import Client
from tests.command_line import Office, in_environment, write_json
from tests.delivery_scene import _CAST, NAMES, TERMINAL, Delivery, identity
from tests.two_platforms import CQ, Side, two_platforms

NAME = NAMES[TERMINAL]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Delivery]:
    with two_platforms(tmp_path, delivers=True) as two:
        # The story's clock is not this machine's.
        monkeypatch.setattr(context, "Client", partial(Client, now=lambda: two.clock["now"]))
        yield Delivery(two=two)


def office(side: Side, *parties: str) -> Office:
    """At which these parties sit."""
    made = Office(url=side.settings.base_url)
    for slug in parties:
        made.keys[slug] = {
            **in_environment(side.signers[slug]),  # type: ignore[arg-type]
            "BOL_ORIGIN": side.origin,
        }
    return made


def test_a_terminal_applies_is_registered_and_signs_through_its_own_platform(
    scene: Delivery, tmp_path: Path
) -> None:
    scene.enrol(TERMINAL)
    singapore, chongqing = office(scene.sg, TERMINAL), office(scene.cq, "operator")
    there = ("--ledger", scene.cq.origin, "--name-there", NAME)
    wanted: list[Any] = ["--identity", write_json(tmp_path / "who.json", identity(TERMINAL))]
    wanted += ["--facilities", write_json(tmp_path / "where.json", _CAST[TERMINAL]["facilities"])]
    wanted += ["--platform", CQ, "--roles", "TERMINAL", *there]

    missing = singapore(TERMINAL, "party", "apply-abroad", *wanted[:-4])
    assert missing.code != 0
    assert "--ledger" in missing.err
    assert singapore.done(TERMINAL, "party", "apply-abroad", *wanted) == {"status": "waiting"}

    (waiting,) = chongqing.done("operator", "party", "applications")["applications"]
    assert (waiting["party"], waiting["name"], waiting["platform"]) == (NAME, TERMINAL, "SGPX")
    unknown = chongqing("operator", "party", "register-applicant", "99", "--yes", "--json")
    assert json.loads(unknown.err)["code"] == "not_found"
    number = str(waiting["number"])
    chongqing.done("operator", "party", "register-applicant", number, "--yes")
    assert chongqing.done("operator", "party", "applications") == {"applications": []}

    done = singapore.done(TERMINAL, "party", "accept-rulebook", "--yes", *there)
    assert done["receipts"][0]["stream"] == f"party:{NAME}"
    asked = singapore(TERMINAL, "bill", "release-check", scene.box, "--json")
    assert (asked.code, asked.json()["code"]) == (1, "not_found")
