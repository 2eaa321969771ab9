"""Clients that transfer bills while the service or its database dies, and the account kept of it.

Each carter moves one bill back and forth and keeps every receipt. An event without an answer, or
with "it is uncertain", is in doubt: it is sent again, the very same bytes, when all is up again.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import pairwise
from pathlib import Path
from time import monotonic

from bol_service.application.ledger_queries import LedgerQueries
from bol_service.ledger import receipt as receipts
from bol_service.ledger.checkpoint import Checkpoint
from bol_service.ledger.merkle import verify_consistency
from bol_service.ledger.receipt import Receipt
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from tests import many_bills
from tests.desk import Desk
from tests.many_bills import HOLDER
from tests.service_process import Service, new_service
from tests.warm_service import launcher

CLIENTS = 8
PAIR = (HOLDER, "bankcq")
LONGEST = 0.3  # seconds from the first answers of a round until something dies
PATIENCE = 120.0  # seconds for everything to be up again


@dataclass(kw_only=True)
class Carter:
    """One client: transfers one bill back and forth, and keeps every receipt."""

    bill: str
    desk: Desk
    moves: int = 0
    doubtful: str | None = None
    acknowledged: list[Receipt] = field(default_factory=list)
    resent: int = 0
    uncertain: int = 0

    def work(self, service: Service) -> None:
        """Transfer until an event is in doubt."""
        connection = service.connect()
        while self.doubtful is None:
            giver, taker = PAIR[self.moves % 2], PAIR[(self.moves + 1) % 2]
            self._send(connection, self.desk.transfer(self.bill, giver, taker))
        connection.close()

    def settle(self, service: Service) -> None:
        """Send what is in doubt until it is answered, as often as the service asks for it."""
        deadline, connection = monotonic() + PATIENCE, service.connect()
        while self.doubtful is not None:
            assert monotonic() < deadline, f"{self.bill} is still uncertain: {service.written}"
            compact, self.doubtful = self.doubtful, None
            self.resent += self._send(connection, compact) == 200
        connection.close()

    def _send(self, connection: HTTPConnection, compact: str) -> int:
        """The status; 0 and 503 leave the event in doubt."""
        try:
            connection.request("POST", "/v1/events", compact, {"Content-Type": "application/jose"})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException):
            self.doubtful = compact
            return 0
        if answer.status == 503:
            self.doubtful = compact
            self.uncertain += 1
            assert int(answer.headers["Retry-After"]) > 0
            return 503
        assert answer.status in (200, 201), body
        receipt = Receipt.from_value(json.loads(body))
        assert receipt.entry.event == compact
        self.desk.note(receipt)
        self.acknowledged.append(receipt)
        self.moves += 1
        return answer.status


@dataclass(frozen=True, kw_only=True)
class Death:
    """What dies (`kill`), and what brings the database back before anybody can look into it."""

    name: str
    kill: Callable[[], None]
    restore: Callable[[], None] = lambda: None


@dataclass(kw_only=True)
class Yard:
    service: Service
    store: SqlStore
    carters: list[Carter]
    dice: random.Random

    @property
    def moves(self) -> int:
        """How many transfers were acknowledged."""
        return sum(carter.moves for carter in self.carters)

    def service_death(self) -> Death:
        return Death(name="service", kill=self.service.kill)

    def play(self, deaths: Sequence[Death], rounds: int) -> None:
        """The deaths in turn, under load; then look at everything that was acknowledged."""
        for number in range(rounds):
            self._round(deaths[number % len(deaths)])
        self._require_sound()
        resent = sum(carter.resent for carter in self.carters)
        print(
            f"{rounds} kills ({', '.join(sorted({death.name for death in deaths}))}): "
            f"{self.moves} acknowledged, "
            f"{resent} recorded before their answer got lost, "
            f"{sum(carter.uncertain for carter in self.carters)} times 503"
        )

    def _round(self, death: Death) -> None:
        """Load, kill, look, start, resend, look."""
        with ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(carter.work, self.service) for carter in self.carters]
            self._await_work()
            threading.Event().wait(self.dice.uniform(0, LONGEST))
            death.kill()
            for each in running:
                each.result()
        death.restore()
        for carter in self.carters:
            self._require_kept(carter)
        if self.service.process is None:
            self.service.start()
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda carter: carter.settle(self.service), self.carters))
        for carter in self.carters:
            assert self._recorded(carter) == events_of(carter)

    def _await_work(self) -> None:
        """Until the clients together were answered as often as there are clients."""
        deadline, wanted = monotonic() + PATIENCE, self.moves + CLIENTS
        while self.moves < wanted:
            assert monotonic() < deadline, self.service.written
            threading.Event().wait(0.005)

    def _require_kept(self, carter: Carter) -> None:
        """All that was acknowledged is there, in order, and at most the doubtful event beside."""
        recorded, known = self._recorded(carter), events_of(carter)
        assert recorded in (known, [*known, carter.doubtful])

    def _recorded(self, carter: Carter) -> list[str]:
        with self.store.reading() as reading:
            rows = reading.entries(f"bill:{carter.bill}", 1, 1_000_000)
        return [row.entry.event for row in rows]

    def _require_sound(self) -> None:
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


@contextmanager
def opened_yard(folder: Path, seed: int, database_url: str | None = None) -> Iterator[Yard]:
    """A running service with a bill for each carter."""
    with launcher() as warm:
        service = new_service(folder, database_url=database_url, launcher=warm)
        desk = service.desk
        bills: list[str] = []
        service.fill(lambda running: bills.extend(many_bills.made(running, desk, CLIENTS)))
        engine = open_engine(service.environment["BOL_DATABASE_URL"])
        service.start()
        try:
            yield Yard(
                service=service,
                store=SqlStore(engine),
                carters=[
                    Carter(bill=bill, desk=Desk(signers=desk.signers, heads=dict(desk.heads)))
                    for bill in bills
                ],
                dice=random.Random(seed),
            )
        finally:
            service.stop()
            engine.dispose()
