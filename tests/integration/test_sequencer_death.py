"""When the sequencer itself ends, nobody waits in vain and no half-dead process stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from time import monotonic

import pytest

from bol_service.application.sequencer import Uncertain
from tests import many_bills
from tests.doomed_sequencer import MARKER
from tests.many_bills import HOLDER
from tests.processes import children
from tests.recording import WritePath, write_path
from tests.service_process import Service, new_service, post
from tests.warm_service import launcher

PATIENCE = 60.0


@pytest.fixture
def path(tmp_path: Path) -> Iterator[WritePath]:
    with write_path(f"sqlite:///{tmp_path / 'ledger.db'}") as opened:
        yield opened


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_waits_is_told_and_so_is_the_process(path: WritePath) -> None:
    bill = path.maker.issue(1)[0]
    told: list[BaseException] = []

    def fail(_observed: object) -> None:
        raise RuntimeError("the thread ends here")

    path.sequencer.stop()
    path.renew()
    path.sequencer._observe = fail
    path.sequencer._ended = told.append
    path.sequencer.start()
    first = path.recorder.submit(path.desk.transfer(bill, HOLDER, "bankcq"))
    assert not first.resend, "what is recorded is answered, whatever fails afterwards"
    path.sequencer._thread.join(PATIENCE)
    assert not path.sequencer.alive
    assert str(path.sequencer.failure) == str(told[0]) == "the thread ends here"
    with pytest.raises(Uncertain, match="not running"):
        path.recorder.submit(path.desk.transfer(bill, HOLDER, "bankcq"))


def test_a_worker_without_its_sequencer_is_replaced(tmp_path: Path) -> None:
    with launcher() as warm:
        service = new_service(tmp_path, launcher=warm.after("tests.doomed_sequencer:doom"))
        desk, bills = service.desk, list[str]()
        service.fill(lambda running: bills.extend(many_bills.made(running, desk, 2)))
        service.start()
        try:
            before = workers(service)
            (service.settings.state_dir / MARKER).touch()
            settle(service, desk.transfer(bills[0], HOLDER, "bankcq"))
            settle(service, desk.transfer(bills[1], HOLDER, "bankcq"))
            assert set(workers(service)).isdisjoint(before)
        finally:
            service.stop()
        assert service.audit().problems == []


def workers(service: Service) -> list[int]:
    assert service.process is not None
    return children(service.process.pid)


def settle(service: Service, compact: str) -> None:
    """Send it as a client does: until there is an answer."""
    deadline = monotonic() + PATIENCE
    while True:
        assert monotonic() < deadline, service.written
        connection = service.connect()
        try:
            status, body = post(connection, compact)
        except (OSError, HTTPException):
            continue
        finally:
            connection.close()
        if status != 503:
            assert status in (200, 201), json.loads(body)
            return
