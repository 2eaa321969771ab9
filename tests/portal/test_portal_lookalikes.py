"""The operator, or a thief by it, has registered a party under a name that looks like another's."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from bol_service.application import portal_views
from bol_service.application.lookalikes import alike
from bol_service.portal import acts
from bol_service.storage.clock import SystemClock
from tests.bill_scene import newcomer
from tests.kit import ORIGIN
from tests.portal_applications import hand_in, prepared
from tests.portal_stage import Stage

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Straits Trading Pte. Ltd.", "STRAITS TRADING PTE LTD", id="signs and case"),
        pytest.param("Bank of Two Rivers", "B\u0430nk of Two Rivers", id="a Cyrillic letter"),
        pytest.param("Bank of Two Rivers", "\u0392ank of Two Rivers", id="a Greek capital"),
        pytest.param("Bank of Two Rivers", "Bank\u200b of Two\u2060 Rivers", id="unseen signs"),
        pytest.param("Two Rivers", "Two Rivers\u3164\u3164", id="letters drawn as nothing"),
        pytest.param("Bank", "\uff22ank", id="a letter of full width"),
        pytest.param("Rivers", "R\u00edvers", id="an accent"),
        pytest.param("yunling", "yun1ing", id="a digit for a letter"),
        pytest.param("modern", "modem", id="two letters for one"),
        pytest.param("Straits Commercial", "Straits Comercial", id="a letter less in a long name"),
        pytest.param("海峡商业银行", "海峡商业很行", id="one sign of a Chinese name"),
    ],
)
def test_names_look_alike_that_differ_by(one: str, other: str) -> None:
    assert alike(one, other)
    assert alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("bankcq", "banksg", id="two letters"),
        pytest.param("xlsc", "xlsg", id="a letter of a short name"),
        pytest.param("Straits Trading", "Straits Holding", id="a word"),
        pytest.param("Chongqing Line No. 1", "Chongqing Line No. 23", id="two digits"),
        pytest.param("云岭", "云峰", id="a sign of a short Chinese name"),
    ],
)
def test_names_are_told_apart_by(one: str, other: str) -> None:
    assert not alike(one, other)


def check_page(stage: Stage, recipient: str) -> str:
    answer = stage.request(
        "POST",
        f"/portal/bills/{stage.bill_a}/acts/TRANSFER",
        party="bankcq",
        body=urlencode({"recipient": recipient}).encode(),
        headers={**FORM, "Origin": stage.base_url},
    )
    assert answer.status == 200
    return answer.body.decode()


@pytest.fixture(scope="module")
def impostor(stage: Stage) -> str:
    """Registered by the operator with its own number, and a name with a Cyrillic letter."""
    platform, voyage = stage.platform, stage.voyage
    roles = {"roles": ["CONSIGNEE"]}
    name = "Straits Comm\u0435rcial Bank Ltd"
    client = newcomer(platform, voyage, "scbank", "SG", roles, name=name)
    stage.clients["scbank"] = client
    return name


def test_nobody_is_warned_while_no_name_looks_like_another(stage: Stage) -> None:
    assert 'id="alike"' not in check_page(stage, "banksg")


@pytest.mark.parametrize("recipient", ["banksg", "scbank"])
def test_a_holder_is_warned_before_it_gives_the_bill_to_one_of_two_that_look_alike(
    stage: Stage, impostor: str, recipient: str
) -> None:
    page = check_page(stage, recipient)
    assert 'id="alike"' in page
    for told in (impostor, "(scbank, SG, AUTHORITY scbank)", "(banksg, SG, LEI "):
        assert told in page


def test_a_name_is_compared_with_all_however_many_they_are(
    stage: Stage, impostor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = stage.platform.running
    views = portal_views.PortalViews(running.store, SystemClock(), ORIGIN)
    everybody = views.parties(10_000)
    offered = [party.slug for party in everybody].index("banksg") + 1
    monkeypatch.setattr(acts, "_MANY", offered)  # the impostor comes after them
    for at_once in (1, 3, len(everybody)):
        monkeypatch.setattr(portal_views, "PARTIES_AT_ONCE", at_once)
        assert views.all_parties() == everybody
        assert impostor in check_page(stage, "banksg")


def test_the_operator_is_warned_before_it_registers_a_name_that_looks_like_another(
    stage: Stage,
) -> None:
    asked = prepared("yun1ing")
    answer = hand_in(stage, asked)
    assert answer.status == 201
    page = str(answer.json()["page"]).rpartition("/")[2]
    shown = stage.request("GET", f"/portal/operator/registrations/{page}", party="operator")
    assert b'<a href="/portal/parties/yunling">' in shown.body
    plain = hand_in(stage, prepared("hillside-traders"))
    page = str(plain.json()["page"]).rpartition("/")[2]
    shown = stage.request("GET", f"/portal/operator/registrations/{page}", party="operator")
    assert b"could be taken for that of" not in shown.body
