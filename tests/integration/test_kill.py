"""What was acknowledged is there after any death of the process, once; what was in doubt, resent.

The server's whole process group is killed with SIGKILL while eight clients transfer bills. Then it
starts again and every client sends its unanswered event again. Process death keeps the operating
system's memory: this says nothing about a power cut, which is what fsync and SQLite's synchronous
mode are for.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import pairwise
from pathlib import Path

import pytest

from bol_service.application.ledger_queries import LedgerQueries
from bol_service.application.sequencer import Uncertain
from bol_service.domain import errors
from bol_service.ledger import receipt as receipts
from bol_service.ledger.checkpoint import Checkpoint
from bol_service.ledger.merkle import verify_consistency
from bol_service.ledger.receipt import Receipt
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from tests import many_bills
from tests.desk import Desk
from tests.many_bills import HOLDER
from tests.recording import WritePath, write_path
from tests.service_process import Service, new_service, post

CLIENTS = 8
PAIR = (HOLDER, "bankcq")
SHORTEST, LONGEST = 0.1, 0.35  # seconds of load before the kill


@dataclass(kw_only=True)
class Carter:
    """One client: transfers one bill back and forth, and keeps every receipt."""

    bill: str
    desk: Desk
    moves: int = 0
    doubtful: str | None = None
    acknowledged: list[Receipt] = field(default_factory=list)
    resent: int = 0

    def work(self, service: Service) -> None:
        """Transfer until the server dies; the event without an answer is in doubt."""
        connection = service.connect()
        while self.doubtful is None:
            giver, taker = PAIR[self.moves % 2], PAIR[(self.moves + 1) % 2]
            self._send(connection, self.desk.transfer(self.bill, giver, taker))
        connection.close()

    def resend(self, service: Service) -> None:
        """Settle the doubt with the very same bytes."""
        assert self.doubtful is not None
        connection = service.connect()
        compact, self.doubtful = self.doubtful, None
        self.resent += self._send(connection, compact) == 200
        assert self.doubtful is None
        connection.close()

    def _send(self, connection: HTTPConnection, compact: str) -> int:
        try:
            status, body = post(connection, compact)
        except (OSError, HTTPException):
            self.doubtful = compact
            return 0
        assert status in (200, 201), body
        receipt = Receipt.from_value(json.loads(body))
        assert receipt.entry.event == compact
        self.desk.note(receipt)
        self.acknowledged.append(receipt)
        self.moves += 1
        return status


@dataclass(kw_only=True)
class Yard:
    service: Service
    store: SqlStore
    carters: list[Carter]
    dice: random.Random

    def round(self) -> None:
        """Load, kill, look, start, resend, look."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(carter.work, self.service) for carter in self.carters]
            threading.Event().wait(self.dice.uniform(SHORTEST, LONGEST))
            self.service.kill()
            for each in running:
                each.result()
        for carter in self.carters:
            self._require_kept(carter)
        self.service.start()
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda carter: carter.resend(self.service), self.carters))
        for carter in self.carters:
            assert self._recorded(carter) == events_of(carter)

    def _require_kept(self, carter: Carter) -> None:
        """All that was acknowledged is there, in order, and at most the doubtful event beside."""
        recorded, known = self._recorded(carter), events_of(carter)
        assert recorded in (known, [*known, carter.doubtful])

    def _recorded(self, carter: Carter) -> list[str]:
        with self.store.reading() as reading:
            rows = reading.entries(f"bill:{carter.bill}", 1, 1_000_000)
        return [row.entry.event for row in rows]

    def require_sound(self) -> None:
        """The audit is clean; every receipt verifies, and all their trees are one that grew."""
        assert self.service.audit().problems == []
        kept = [receipt for carter in self.carters for receipt in carter.acknowledged]
        vkeys = [self.service.log_key]
        seen = {receipts.verify(receipt, vkeys).checkpoint for receipt in kept}
        require_one_history(LedgerQueries(self.store), seen)


def events_of(carter: Carter) -> list[str]:
    return [receipt.entry.event for receipt in carter.acknowledged]


def require_one_history(ledger: LedgerQueries, seen: set[Checkpoint]) -> None:
    ordered = sorted(seen, key=lambda checkpoint: checkpoint.size)
    for older, newer in pairwise(ordered):
        _, proof = ledger.consistency(older.size, newer.size)
        verify_consistency(older.size, newer.size, proof, older.root, newer.root)


def opened_yard(folder: Path, seed: int, database_url: str | None = None) -> Yard:
    service = new_service(folder, database_url=database_url)
    desk = service.desk
    bills: list[str] = []
    service.fill(lambda running: bills.extend(many_bills.made(running, desk, CLIENTS)))
    service.start()
    return Yard(
        service=service,
        store=SqlStore(open_engine(service.environment["BOL_DATABASE_URL"])),
        carters=[
            Carter(bill=bill, desk=Desk(signers=desk.signers, heads=dict(desk.heads)))
            for bill in bills
        ],
        dice=random.Random(seed),
    )


def play(yard: Yard, kills: int) -> None:
    try:
        for _ in range(kills):
            yard.round()
        yard.require_sound()
        moves = sum(carter.moves for carter in yard.carters)
        resent = sum(carter.resent for carter in yard.carters)
        print(
            f"{kills} kills: {moves} acknowledged, {resent} recorded before their answer got lost"
        )
        assert moves > kills * CLIENTS, "the kills came before any work was done"
    finally:
        yard.service.stop()
        yard.store.engine.dispose()


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(10, id="10 times"),
        pytest.param(100, id="100 times", marks=pytest.mark.torture),
    ],
)
def test_a_server_on_sqlite_killed_under_load_loses_and_doubles_nothing(
    tmp_path: Path, kills: int
) -> None:
    play(opened_yard(tmp_path, seed=kills), kills)


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(3, id="3 times"),
        pytest.param(50, id="50 times", marks=pytest.mark.torture),
    ],
)
def test_a_server_on_postgresql_killed_under_load_loses_and_doubles_nothing(
    tmp_path: Path, postgres_url: str, kills: int
) -> None:
    play(opened_yard(tmp_path, seed=kills, database_url=postgres_url), kills)


# -- N28: between commit and answer --------------------------------------------------------------


@pytest.fixture
def path(database_url: str) -> Iterator[WritePath]:
    with write_path(database_url) as opened:
        yield opened


def size(path: WritePath) -> int:
    return LedgerQueries(path.store).size()


def lost_answer(path: WritePath) -> tuple[str, str]:
    """An event that was committed, but whose sender heard nothing; and the bill."""
    bill = path.maker.issue(1)[0]
    compact = path.desk.transfer(bill, HOLDER, "bankcq")
    before = size(path)
    path.checkpoint_file.faults = 1
    with pytest.raises(Uncertain):
        path.recorder.submit(compact)
    assert size(path) == before + 1
    return compact, bill


def test_n28_a_crash_between_commit_and_answer_gives_the_same_event_after_a_restart(
    path: WritePath,
) -> None:
    compact, _ = lost_answer(path)
    path.restart()
    before = size(path)
    answer = path.recorder.submit(compact)
    assert answer.resend
    assert answer.receipt.entry.event == compact
    assert size(path) == before
    receipts.verify(answer.receipt, [path.log_key])


def test_n28_a_restart_after_it_brings_the_checkpoint_file_up_before_any_receipt_is_given(
    path: WritePath,
) -> None:
    compact, _ = lost_answer(path)
    behind = path.checkpoint_file.note
    path.restart()
    assert path.checkpoint_file.note != behind
    assert path.checkpoint_file.note == path.recorder.submit(compact).receipt.checkpoint


def test_n28_the_same_process_gives_no_receipt_until_its_checkpoint_is_in_the_file(
    path: WritePath,
) -> None:
    compact, _ = lost_answer(path)
    path.checkpoint_file.faults = 2
    for _ in range(2):
        with pytest.raises(Uncertain):
            path.recorder.submit(compact)
    answer = path.recorder.submit(compact)
    assert answer.resend
    assert path.checkpoint_file.note == answer.receipt.checkpoint
    assert path.audit().problems == []


def test_n28_another_event_on_the_same_head_loses_against_the_one_in_doubt(
    path: WritePath,
) -> None:
    _, bill = lost_answer(path)
    with pytest.raises(errors.StaleHead):
        path.recorder.submit(path.desk.transfer(bill, HOLDER, "straits"))
