"""`GET /v1/bills/{bill}/copy`: the readers of the evidence get it; nobody waits for a printer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bol_service.client import Client
from bol_service.copy.apart import Copies
from bol_service.copy.checking import verify_copy
from bol_service.settings import SettingsError, from_environment
from bol_service.verification.bundle import MAX_BUNDLE_BYTES
from bol_service.verification.report import Verdict
from tests import kit, many_bills
from tests.bill_scene import Scene, scene
from tests.desk import STORY
from tests.many_bills import HOLDER
from tests.service_process import Service, new_service


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("copies")) as ready:
        yield ready


def now(platform: kit.Platform) -> datetime:
    return platform.running.services.evidence._clock.now()


@pytest.mark.parametrize("party", ["xlsc", "bankcq", "nusantara", "guoyuan", "auditor"])
def test_each_reader_of_the_evidence_gets_a_copy_with_that_evidence_inside(
    stage: Scene, party: str
) -> None:
    answer = stage.request("GET", f"/v1/bills/{stage.bill_a}/copy", party=party)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    named = f'attachment; filename="{stage.bill_a[:16]}-copy.pdf"'
    assert answer.headers["Content-Disposition"] == named
    assert answer.headers["Cache-Control"] == "no-store"
    checked = verify_copy(
        answer.body,
        stage.platform.trust(),
        now(stage.platform),
        copies=Copies(),
        limit=MAX_BUNDLE_BYTES,
    )
    assert checked.report.verdict is Verdict.CURRENT
    assert checked.report.title is not None
    assert checked.report.title.bill == stage.bill_a


def test_the_copy_names_the_portal_as_the_place_to_verify_unless_another_is_set() -> None:
    environment = {
        "BOL_ORIGIN": "cq.example/ebl",
        "BOL_PLATFORM_CODE": "CQGY",
        "BOL_DATABASE_URL": "sqlite:///x",
        "BOL_STATE_DIR": "x",
        "BOL_BASE_URL": "https://cq.example",
        "BOL_LOG_KEY": "env:X",
        "BOL_STATEMENT_KEY": "env:Y",
        "BOL_KEY_PASSPHRASE": "x",
        "BOL_REGISTRAR_KIDS": "k",
    }
    assert from_environment(environment).verify_address is None
    elsewhere = environment | {"BOL_VERIFY_ADDRESS": "https://verify.example/ebl"}
    assert from_environment(elsewhere).verify_address == "https://verify.example/ebl"
    for wrong in ("verify.example", "ftp://verify.example", "https://a b", "https://" + "x" * 201):
        with pytest.raises(SettingsError, match="BOL_VERIFY_ADDRESS is"):
            from_environment(environment | {"BOL_VERIFY_ADDRESS": wrong})


def test_when_too_many_copies_are_made_the_next_is_told_to_come_back(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = stage.platform.running.services.copies
    monkeypatch.setattr("bol_service.copy.apart.PATIENCE", 0.05)
    taken = 0
    while copies._free.acquire(blocking=False):
        taken += 1
    try:
        answer = stage.request("GET", f"/v1/bills/{stage.bill_a}/copy", party="xlsc")
    finally:
        copies._free.release(taken)
    assert answer.status == 429
    assert answer.json()["code"] == "busy"
    assert answer.headers["Retry-After"] == "5"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = new_service(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def test_a_real_server_answers_others_while_it_prints(service: Service) -> None:
    """Of the order of answers only: while one copy is made, many small answers are given."""
    bills: list[str] = []
    service.fill(lambda running: bills.extend(many_bills.made(running, service.desk, 1)))
    service.start()
    client = Client(
        base_url=service.environment["BOL_BASE_URL"],
        origin=kit.ORIGIN,
        party=HOLDER,
        signer=service.signers[HOLDER],
    )
    client.now = lambda: STORY
    token = client.token()
    printed: list[bytes] = []

    def fetch() -> None:
        path = f"/v1/bills/{bills[0]}/copy"
        printed.append(client.request("GET", path, None, None, token).content)

    printer = threading.Thread(target=fetch)
    printer.start()
    answered = 0
    while printer.is_alive():
        assert service.get("/healthz").status == 200
        answered += 1
    printer.join()
    assert printed[0].startswith(b"%PDF-1.7")
    assert answered > 10
    assert service.stop() == 0
