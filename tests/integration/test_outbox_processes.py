"""Two server processes at one PostgreSQL: whatever becomes of one, an original moves once."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bol_service.application.exchange_outbound import LEASE
from bol_service.application.exchange_ports import Outbound, Stage
from bol_service.client import Unreachable
from bol_service.domain.states import BillState, Status
from bol_service.storage.exchange import SqlExchange
from tests.stormy_border import Server, audited, look, reading_of
from tests.two_platforms import Two, two_platforms
from tests.warm_service import launcher

HELD_SECONDS = 8  # less than a request may wait for its answer


@dataclass(kw_only=True)
class Gate:
    """Stands before Singapore and, while `closed`, holds every envelope that comes."""

    app: Callable[[Any, Any], Iterable[bytes]]
    came: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)
    envelopes: list[int] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/v3/envelopes":
            self.envelopes.append(int(environ["CONTENT_LENGTH"]))
            self.came.set()
            self.opened.wait(HELD_SECONDS)
        return self.app(environ, start_response)


@dataclass(kw_only=True)
class Pair:
    """Chongqing's two processes; the second one is not running yet."""

    two: Two
    gate: Gate
    first: Server
    second: Server

    def transfer(self, *bills: str) -> None:
        for bill in bills:
            self.first.side.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")

    def state(self, bill: str) -> BillState:
        found = look(self.two.cq, bill)
        assert found is not None
        return found

    def rows(self) -> list[Outbound]:
        with reading_of(self.two.cq) as store:
            return SqlExchange(store).outbounds(None, 100)

    def arrived(self, bills: list[str]) -> None:
        """Until all of them are in Singapore and no row waits."""
        self.two.until_seen(
            lambda: (
                all(self.state(bill).status is Status.MOVED for bill in bills)
                and all(row.stage is Stage.MOVED for row in self.rows())
            ),
            lambda: str(self.rows()),
        )

    def moved_once(self, bill: str) -> None:
        with reading_of(self.two.cq) as store, store.reading() as reading:
            actions = Counter(entry.action for entry in reading.entries(f"bill:{bill}", 0, 100))
        assert (actions["SENT"], actions["MOVED"]) == (1, 1)
        assert self.two.sg.actions(bill) == ["IMPORTED"]
        assert self.two.sg.here(bill).control.possessor == "banksg"


@contextmanager
def pair(folder: Path, database_url: str, bills: int) -> Iterator[tuple[Pair, list[str]]]:
    with launcher() as warm, two_platforms(folder, databases={"CQGY": database_url}) as two:
        issued = two.issue(bills)
        gate = Gate(app=two.sg.served)
        two.sg.served = gate
        two.cq.hand_over()
        first = Server(side=two.cq, launcher=warm)
        second = first.beside("second")
        first.start()
        _until_served(two, first)
        try:
            yield Pair(two=two, gate=gate, first=first, second=second), issued
        finally:
            gate.opened.set()
            for server in (first, second):
                if server.process is not None:
                    server.kill()


def _until_served(two: Two, server: Server) -> None:
    def served() -> bool:
        try:
            return bool(server.side.client("xlsc").fetch("/readyz"))
        except Unreachable:
            return False

    two.until_seen(served, lambda: "it does not serve")


def _killed(on: Pair) -> None:
    on.first.kill()


def _stopped(on: Pair) -> None:
    assert on.first.process is not None
    os.killpg(on.first.process.pid, signal.SIGSTOP)


@pytest.mark.parametrize(
    "strike",
    [
        pytest.param(_killed, id="is killed"),
        pytest.param(
            _stopped, id="stands still beyond its lease, and goes on", marks=pytest.mark.torture
        ),
    ],
)
def test_an_original_moves_once_although_the_process_that_sends_it(
    strike: Callable[[Pair], None], tmp_path: Path, postgres_url: str
) -> None:
    with pair(tmp_path, postgres_url, 4) as (on, [bill, *others]):
        on.transfer(bill)
        on.two.until_seen(on.gate.came.is_set, lambda: "nothing was sent")
        strike(on)
        [row] = on.rows()
        assert row.stage is Stage.STARTED
        on.second.start()
        on.two.tick(LEASE.total_seconds() - 10)  # its lease still counts
        _until_served(on.two, on.second)
        assert len(on.gate.envelopes) == 1
        on.gate.opened.set()
        on.two.tick(20)
        on.arrived([bill])
        if on.first.process is None:
            on.first.start()
        else:
            os.killpg(on.first.process.pid, signal.SIGCONT)
        _until_served(on.two, on.first)
        on.transfer(*others)  # now both work on what waits
        on.arrived([bill, *others])
        for each in (bill, *others):
            on.moved_once(each)
        assert len(on.gate.envelopes) == 2 + len(others)
        assert audited(on.two.cq).problems == []
        assert audited(on.two.sg).problems == []
