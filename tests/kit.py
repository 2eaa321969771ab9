"""A real platform for tests: the whole service in this process, behind a real HTTP socket.

`start(folder)` makes fresh keys, migrates a fresh SQLite file and serves on a loopback port;
`voyage()` gives the demonstration's cast and script. Time is a file, as under every `demo.` origin.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from werkzeug.serving import BaseWSGIServer, make_server

from bol_service import bootstrap
from bol_service.cli.voyage import Voyage
from bol_service.cli.voyage_script import Script
from bol_service.client import Client
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, Signer, generate, write_private_key
from bol_service.settings import Settings
from bol_service.verification.trust import LogKey, Trust
from bol_service.wire.event_fields import instant_text
from tests.fresh_database import fresh_log

ORIGIN = "demo.cq.example/ebl"
CODE = "CQGY"
PASSPHRASE = b"only for this test run"
SEEDS = Path(__file__).parent.parent / "seeds" / "demo"


@dataclass(kw_only=True)
class Platform:
    settings: Settings
    running: bootstrap.Running
    server: BaseWSGIServer
    signers: dict[str, LocalSigner]
    script: Script
    log_signer: Signer
    statement_signer: Signer
    _thread: threading.Thread = field(repr=False)

    @property
    def base_url(self) -> str:
        return self.settings.base_url

    def set_clock(self, moment: datetime | None) -> None:
        """Set the service's time; None lets it run with the system's."""
        assert self.settings.clock_file is not None
        if moment is None:
            self.settings.clock_file.unlink(missing_ok=True)
            return
        fresh = self.settings.clock_file.with_suffix(".new")
        fresh.write_text(instant_text(moment), encoding="ascii")
        fresh.replace(self.settings.clock_file)

    def client(self, party: str, now: datetime | None = None) -> Client:
        client = Client(
            base_url=self.base_url, origin=ORIGIN, party=party, signer=self.signers[party]
        )
        if now is not None:
            client.now = lambda: now
        return client

    def voyage(self) -> Voyage:
        return Voyage(
            self.script,
            base_url=self.base_url,
            origin=ORIGIN,
            platform_code=CODE,
            signers=self.signers,
            set_clock=self.set_clock,
        )

    def trust(self) -> Trust:
        return Trust(
            origin=ORIGIN,
            code=CODE,
            demo=True,
            log_keys=(
                LogKey(
                    key=bootstrap.log_verifier_key(ORIGIN, self.log_signer),
                    from_size=0,
                    to_size=None,
                ),
            ),
            registrar_kids=frozenset({self.signers["operator"].public.kid}),
            statement_keys=(self.statement_signer.public,),
            witnesses=(),
            quorum=0,
            max_age=600,
        )

    def stop(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.running.stop()


def start(
    folder: Path,
    *,
    ends: datetime | None = None,
    database_url: str | None = None,
    webhooks: bool = False,
) -> Platform:
    """A fresh platform with an empty log; its voyage will end at `ends` (default: now).

    With `webhooks` it sends notices, also to receivers on loopback.
    """
    script = Script(folder=SEEDS, ends=ends or datetime.now(UTC))
    signers = {
        party["party"]: LocalSigner(generate(Algorithm(party["alg"]))) for party in script.parties
    }
    for name in ("log", "statement", "webhook"):
        write_private_key(folder / f"{name}.pem", generate(Algorithm.ED25519), PASSPHRASE)
    url = database_url or f"sqlite:///{folder / 'ledger.db'}"
    fresh_log(url, ORIGIN)
    server_socket = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    port = server_socket.server_port
    settings = Settings(
        origin=ORIGIN,
        platform_code=CODE,
        database_url=url,
        state_dir=folder / "state",
        base_url=f"http://127.0.0.1:{port}",
        log_key=f"file:{folder / 'log.pem'}",
        statement_key=f"file:{folder / 'statement.pem'}",
        passphrase=PASSPHRASE,
        registrar_kids=frozenset({signers["operator"].public.kid}),
        clock_file=folder / "clock",
        webhook_key=f"file:{folder / 'webhook.pem'}" if webhooks else None,
        webhook_loopback=webhooks,
    )
    running = bootstrap.start(settings)
    server_socket.app = running.app
    thread = threading.Thread(target=server_socket.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    log_signer, statement_signer = bootstrap.platform_keys(settings)
    return Platform(
        settings=settings,
        running=running,
        server=server_socket,
        signers=signers,
        script=script,
        log_signer=log_signer,
        statement_signer=statement_signer,
        _thread=thread,
    )


@contextmanager
def platform(folder: Path, *, webhooks: bool = False) -> Iterator[Platform]:
    """A platform for the length of a block."""
    started = start(folder, webhooks=webhooks)
    try:
        yield started
    finally:
        started.stop()
