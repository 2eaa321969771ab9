"""Two platforms as processes, with a link between them that can be cut, in bad weather.

Originals go to and fro while either server is killed with SIGKILL or the link is cut, at a random
moment. Then the weather clears, everything settles, and the account is taken: `audited` looks at
both databases from outside.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from bol_service import bootstrap
from bol_service.application.audit import AuditReport, audit
from bol_service.client import Refused, Unreachable
from bol_service.domain.states import BillState, Status
from bol_service.settings import Settings
from bol_service.storage.audit_beside import opened_beside
from bol_service.storage.engine import open_engine
from bol_service.storage.exchange import SqlExchange
from bol_service.storage.store import SqlStore
from scripts.local_postgres import free_port
from tests.two_platforms import PASSPHRASE, Side, Two, two_platforms
from tests.warm_service import Forked, Launcher

TURN_SECONDS = 120.0
HOLDERS = {"CQGY": "yunling", "SGPX": "banksg"}


class Link:
    """A TCP proxy in front of one server, on a port of its own."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.target = 0
        self.is_up = True
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Every connection ends where it stands; new ones are refused until `mend`."""
        self.is_up = False
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.is_up = True

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self.is_up:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target), timeout=30)
            except OSError:
                near.close()
                continue
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        self._open.add(source)
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()


@dataclass(kw_only=True)
class Server:
    """One platform's `bol serve`, that can be killed and started again."""

    side: Side
    launcher: Launcher
    process: Forked | None = None
    name: str = "server"

    def beside(self, name: str) -> Server:
        """Another process of the same platform, not started: with its own port, and with a state
        folder that begins from our checkpoint."""
        settings = self.side.settings
        state = settings.state_dir.parent / name
        state.mkdir()
        (state / "checkpoint").write_bytes((settings.state_dir / "checkpoint").read_bytes())
        own = replace(settings, state_dir=state, base_url=f"http://127.0.0.1:{free_port()}")
        given = {each: getattr(self.side, each) for each in ("code", "signers", "pint", "now")}
        side = Side(**given, settings=own, server=self.side.server)
        return Server(side=side, launcher=self.launcher, name=name)

    def start(self) -> None:
        port = self.side.settings.base_url.rpartition(":")[2]
        output = self.side.settings.state_dir.parent / f"{self.name}.log"
        self.process = self.launcher.launch(
            ["serve", "--port", port], environment_of(self.side.settings), output
        )

    def kill(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, 9)
        self.process.wait()
        self.process = None

    def restart(self) -> None:
        self.kill()
        self.start()


@dataclass(kw_only=True)
class Storm:
    two: Two
    servers: tuple[Server, Server]
    links: tuple[Link, Link]
    bills: list[str]
    random: random.Random
    events: dict[str, int] = field(default_factory=dict)

    def play(self, turns: int) -> None:
        """`turns` transfers across the border, each with something going wrong."""
        for _ in range(turns):
            bill = self.random.choice(self.bills)
            side, state = self._where(bill)
            other = "SGPX" if side.code == "CQGY" else "CQGY"
            self._transfer(side, bill, state, f"{other}:{HOLDERS[other]}")
            self._go_on(self.random.uniform(0, 0.25))
            name, strike = self.random.choice(self._weather())
            strike()
            self.events[name] = self.events.get(name, 0) + 1
            self._go_on(self.random.uniform(0, 0.15))
            for link in self.links:
                link.mend()
        self.settle()

    def settle(self) -> None:
        self._until(lambda: all(self._is_settled(bill) for bill in self.bills))

    def _weather(self) -> list[tuple[str, Callable[[], None]]]:
        cq, sg = self.servers
        return [
            ("Chongqing killed", cq.restart),
            ("Singapore killed", sg.restart),
            ("link to Singapore cut", self.links[1].cut),
            ("link to Chongqing cut", self.links[0].cut),
        ]

    def _transfer(self, side: Side, bill: str, state: BillState, recipient: str) -> None:
        def sent() -> bool:
            # What got no answer is asked of the ledger: nobody else acts on this bill.
            with suppress(Refused, Unreachable):
                side.act(state.control.possessor, "TRANSFER", bill, recipient=recipient)
            return self._sequence(side, bill) > before

        before = self._sequence(side, bill)
        self._until(sent)

    def _where(self, bill: str) -> tuple[Side, BillState]:
        """The platform on which the bill can be acted on now, after it has settled."""
        self._until(lambda: self._is_settled(bill))
        for side in (self.two.cq, self.two.sg):
            state = look(side, bill)
            if state is not None and state.status is Status.ISSUED:
                return side, state
        raise AssertionError(f"bill {bill} is nowhere")

    def _is_settled(self, bill: str) -> bool:
        states = [look(side, bill) for side in (self.two.cq, self.two.sg)]
        live = [state for state in states if state is not None and state.status is Status.ISSUED]
        return len(live) == 1 and all(state is None or state.transit is None for state in states)

    def _sequence(self, side: Side, bill: str) -> int:
        with reading_of(side) as store, store.reading() as reading:
            return len(reading.entries(f"bill:{bill}", 0, 10_000))

    def _until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TURN_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise AssertionError(self._told())
            self._go_on(0.05)

    def _go_on(self, seconds: float) -> None:
        """Time goes on for both platforms, much faster than for us."""
        end = time.monotonic() + seconds
        while True:
            self.two.tick(5)
            time.sleep(0.02)
            if time.monotonic() > end:
                return

    def _told(self) -> str:
        lines = []
        for side in (self.two.cq, self.two.sg):
            with reading_of(side) as store:
                rows = SqlExchange(store).outbounds(None, 10)
            lines += [f"{side.code}: {row}" for row in rows]
            lines += [str(look(side, bill)) for bill in self.bills]
        return "\n".join(lines)


@contextmanager
def reading_of(side: Side) -> Iterator[SqlStore]:
    engine = open_engine(side.settings.database_url)
    try:
        yield SqlStore(engine)
    finally:
        engine.dispose()


def look(side: Side, bill: str) -> BillState | None:
    """The bill as the side's database has it now, from outside its process."""
    with reading_of(side) as store, store.reading() as reading:
        found = reading.states([f"bill:{bill}"]).get(f"bill:{bill}")
    return found[0] if found and isinstance(found[0], BillState) else None


def audited(side: Side) -> AuditReport:
    log_signer, _ = bootstrap.platform_keys(side.settings)
    with reading_of(side) as store:
        key = bootstrap.log_verifier_key(side.origin, log_signer)
        return audit(store, [key], beside=opened_beside(store))


def environment_of(settings: Settings) -> dict[str, str]:
    more = {
        "BOL_PEER_LISTEN": settings.peer_listen,
        "BOL_PINT_CERTIFICATE": settings.pint_certificate,
        "BOL_PINT_CERTIFICATE_KEY": settings.pint_certificate_key,
    }
    return {
        **os.environ,
        **{name: str(value) for name, value in more.items() if value is not None},
        "BOL_ORIGIN": settings.origin,
        "BOL_PLATFORM_CODE": settings.platform_code,
        "BOL_DATABASE_URL": settings.database_url,
        "BOL_STATE_DIR": str(settings.state_dir),
        "BOL_BASE_URL": settings.base_url,
        "BOL_LOG_KEY": settings.log_key,
        "BOL_STATEMENT_KEY": settings.statement_key,
        "BOL_KEY_PASSPHRASE": PASSPHRASE.decode(),
        "BOL_REGISTRAR_KIDS": ",".join(settings.registrar_kids),
        "BOL_CLOCK_FILE": str(settings.clock_file),
        "BOL_PEERS": str(settings.peers),
        "BOL_PINT_KEY": str(settings.pint_key),
    }


@contextmanager
def stormy_border(
    folder: Path,
    launcher: Launcher,
    *,
    bills: int,
    seed: int,
    databases: Mapping[str, str] | None = None,
) -> Iterator[Storm]:
    links = (Link(), Link())
    with two_platforms(
        folder,
        addresses=[f"http://127.0.0.1:{link.port}" for link in links],
        databases=databases,
    ) as two:
        issued = two.issue(bills)
        sides = (two.cq, two.sg)
        for side, link in zip(sides, links, strict=True):
            link.target = int(side.settings.base_url.rpartition(":")[2])
            side.hand_over()
        servers = (
            Server(side=two.cq, launcher=launcher),
            Server(side=two.sg, launcher=launcher),
        )
        try:
            for server in servers:
                server.start()
            yield Storm(
                two=two,
                servers=servers,
                links=links,
                bills=issued,
                random=random.Random(seed),
            )
        finally:
            for server in servers:
                if server.process is not None:
                    server.kill()
            for link in links:
                link.close()
