"""`bol serve` as an operator meets it: ready, ended in order, refusing to start with a reason."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import generate, write_private_key
from bol_service.ledger.receipt import Receipt
from bol_service.settings import SettingsError, from_environment
from tests import many_bills
from tests.command_line import run
from tests.many_bills import HOLDER
from tests.service_process import (
    START_SECONDS,
    TICK,
    Service,
    beside,
    new_service,
    post,
)

NOT_SET_UP = 4
SERVING = re.compile(r"serving demo\.cq\.example/ebl on (http://127\.0\.0\.1:[1-9][0-9]+)\n")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = new_service(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def refused(service: Service, **changes: str) -> str:
    """What the server says when it will not start; it must end by itself with exit code 4."""
    process = service.launch(**changes)
    try:
        assert process.wait(60) == NOT_SET_UP
    except subprocess.TimeoutExpired:
        service.kill()
        raise
    assert "Traceback" not in service.written
    assert "serving" not in service.written
    assert "(code not_set_up)" in service.written
    assert "  → " in service.written
    return service.written


def test_a_server_says_where_it_listens_once_it_is_ready(service: Service) -> None:
    service.port = 0  # any that is free
    process = service.launch()
    deadline = time.monotonic() + START_SECONDS
    while not (found := SERVING.findall(service.written)):
        assert process.poll() is None, service.written
        assert time.monotonic() < deadline
        time.sleep(TICK)
    assert len(found) == 1
    service.environment["BOL_BASE_URL"] = found[0]
    answer = service.get("/readyz").json()
    assert answer["ready"]
    assert {"sequencer", "lastCommit", "database"} <= set(answer["parts"])
    assert set(answer["parts"].values()) == {"ok"}
    assert service.get("/healthz").json() == {"status": "ok"}
    assert service.stop() == 0


def test_sigterm_ends_the_server_with_0_and_frees_the_database_for_the_next(
    service: Service,
) -> None:
    desk = service.desk
    bills: list[str] = []
    service.fill(lambda running: bills.extend(many_bills.made(running, desk, 1)))
    for giver, taker in ((HOLDER, "bankcq"), ("bankcq", HOLDER)):
        service.start()
        status, body = post(service.connect(), desk.transfer(bills[0], giver, taker))
        assert status == 201
        desk.note(Receipt.from_value(json.loads(body)))
        assert service.stop() == 0
    assert service.audit().problems == []


def test_a_second_server_on_the_same_sqlite_file_is_refused_and_the_first_goes_on(
    service: Service,
) -> None:
    service.start()
    said = refused(beside(service))
    assert "another process writes to this database" in said
    assert "ledger.db.lock" in said
    assert service.get("/readyz").status == 200


def test_an_address_that_is_being_given_up_is_waited_for(service: Service) -> None:
    with socket.create_server(("127.0.0.1", service.port)) as taken:
        giving_up = threading.Timer(1.5, taken.close)
        giving_up.start()
        service.start()
    giving_up.join()
    assert service.stop() == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_address_that_stays_taken_is_named(service: Service, host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as taken:
        port = taken.getsockname()[1]
        ran = run("serve", "--host", host, "--port", port, "--json", **service.environment)
    assert (ran.code, ran.out) == (NOT_SET_UP, "")
    assert ran.problem()["detail"] == (
        f"nothing can listen on {host}, port {port}: Address already in use"
    )


def test_an_address_of_another_machine_is_named(service: Service) -> None:
    ran = run("serve", "--host", "192.0.2.1", **service.environment)
    assert ran.code == NOT_SET_UP
    assert "nothing can listen on 192.0.2.1, port 8080: Cannot assign" in ran.err


SETTINGS = (
    "BOL_ORIGIN",
    "BOL_PLATFORM_CODE",
    "BOL_DATABASE_URL",
    "BOL_STATE_DIR",
    "BOL_BASE_URL",
    "BOL_LOG_KEY",
    "BOL_STATEMENT_KEY",
    "BOL_REGISTRAR_KIDS",
)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_server_without_this_setting_names_it(service: Service, name: str) -> None:
    """In this process for speed; that a SettingsError ends with 4 is shown below."""
    environment = service.environment | {name: ""}
    with pytest.raises(SettingsError, match=rf"{name} is not set; see docs/operations.md"):
        from_environment(environment)


WRONG = [
    pytest.param({"BOL_ORIGIN": ""}, "BOL_ORIGIN is not set", id="a setting is missing"),
    pytest.param(
        {"BOL_ORIGIN": "demo.sg.example/ebl"},
        "the database is the log of demo.cq.example/ebl, the settings say demo.sg.example/ebl",
        id="the database belongs to another log",
    ),
    pytest.param(
        {"BOL_KEY_PASSPHRASE_FILE": "", "BOL_KEY_PASSPHRASE": "wrong"},
        "passphrase",
        id="the passphrase is wrong",
    ),
    pytest.param(
        {"BOL_KEY_PASSPHRASE_FILE": "/nowhere/passphrase"},
        "BOL_KEY_PASSPHRASE_FILE /nowhere/passphrase: No such file",
        id="the passphrase file is missing",
    ),
    pytest.param(
        {"BOL_LOG_KEY": "file:/nowhere/log.pem"}, "/nowhere/log.pem", id="a key file is missing"
    ),
    pytest.param(
        {"BOL_ORIGIN": "cq.example/ebl"},
        "BOL_CLOCK_FILE is for origins that begin with 'demo.'",
        id="a real log has a settable clock",
    ),
]


@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_a_server_refuses_to_start_when(
    service: Service, changes: dict[str, str], words: str
) -> None:
    assert words in refused(service, **changes)


def test_one_key_in_two_uses_is_refused(service: Service) -> None:
    said = refused(service, BOL_STATEMENT_KEY=service.environment["BOL_LOG_KEY"])
    assert "one key is used twice among BOL_LOG_KEY, BOL_STATEMENT_KEY" in said


def test_a_log_key_that_is_not_ed25519_is_refused(service: Service) -> None:
    path = service.folder / "p256.pem"
    write_private_key(path, generate(Algorithm.ES256), service.settings.passphrase)
    assert "the log signs with Ed25519" in refused(service, BOL_LOG_KEY=f"file:{path}")


def test_an_empty_database_is_refused_and_told_to_upgrade(service: Service) -> None:
    empty = f"sqlite:///{service.folder / 'empty.db'}"
    assert "run: bol db upgrade" in refused(service, BOL_DATABASE_URL=empty)
