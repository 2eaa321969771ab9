"""`bol webhooks`: from adding one to sending a notice again, as its party does it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic, sleep

import pytest

from tests import kit
from tests.command_line import Office, office_of
from tests.desk import Desk
from tests.mandates import TOLD, Mandates
from tests.receiver import PATIENCE, receiver


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, Mandates]]:
    with kit.platform(tmp_path_factory.mktemp("office"), webhooks=True) as platform:
        services = platform.running.services
        desk = Desk(signers=platform.signers, at=datetime.now(UTC))
        mandates = Mandates(desk=desk, recorder=services.recorder, documents=services.documents)
        mandates.open_log()
        yield office_of(platform), mandates


def test_a_webhook_from_its_adding_to_its_end(office: tuple[Office, Mandates]) -> None:
    bol, mandates = office
    with receiver() as there:
        added = bol.done(TOLD, "webhooks", "add", there.url, "--kind", "GRANT_MANDATE")
        webhook = added["webhook"]
        assert added["publicKey"].startswith("whpk_")
        listed = bol(TOLD, "webhooks", "list")
        assert webhook in listed.out
        assert there.url in listed.out
        assert "GRANT_MANDATE" in listed.out

        mandates.tell(2)
        there.wait(1)
        deadline = monotonic() + PATIENCE
        while not (sent := bol.done(TOLD, "webhooks", "deliveries", webhook)["items"]) or (
            sent[0]["stage"] != "DELIVERED"
        ):
            assert monotonic() < deadline
            sleep(0.05)
        shown = bol(TOLD, "webhooks", "deliveries", webhook)
        assert "delivered 已送达" in shown.out
        assert "204" in shown.out

        number = sent[0]["number"]
        again = bol(TOLD, "webhooks", "replay", webhook, number)
        assert again.code == 0
        assert f"notice {number} is sent again" in again.out
        first, second = there.wait(2)
        assert first.id == second.id

        assert bol(TOLD, "webhooks", "remove", webhook).code == 0
    assert "You have no webhook." in bol(TOLD, "webhooks", "list").out


def test_what_is_told_before_can_be_sent_too(office: tuple[Office, Mandates]) -> None:
    bol, mandates = office
    mandates.tell()
    with receiver() as there:
        added = bol.done(TOLD, "webhooks", "add", there.url, "--since", "0")
        there.wait(mandates.made)
        bol.done(TOLD, "webhooks", "remove", added["webhook"])


def test_an_address_inside_is_refused_with_what_to_do(office: tuple[Office, Mandates]) -> None:
    bol, _ = office
    refused = bol(TOLD, "webhooks", "add", "https://169.254.169.254/latest", "--json")
    assert refused.code == 1
    problem = refused.problem()
    assert problem["code"] == "bad_receiver"
    assert "169.254.169.254 is no public name" in problem["detail"]


def test_a_kind_that_there_is_not_is_used_wrongly(office: tuple[Office, Mandates]) -> None:
    bol, _ = office
    assert bol(TOLD, "webhooks", "add", "https://erp.example/", "--kind", "WEATHER").code == 2


@pytest.mark.parametrize("words", [("remove", "x"), ("deliveries", "x"), ("replay", "x", "1")])
def test_a_webhook_that_is_not_mine_is_not_found(
    office: tuple[Office, Mandates], words: tuple[str, ...]
) -> None:
    bol, _ = office
    refused = bol(TOLD, "webhooks", *words, "--json")
    assert (refused.code, refused.problem()["code"]) == (1, "not_found")
