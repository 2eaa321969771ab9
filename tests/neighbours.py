"""Platforms as neighbours: each with its own origin and keys, behind a real loopback socket.

A neighbour's log is made of registrations, one entry each: enough for whatever is about the log
itself. It can be stopped and started again with other settings, as an operator would.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, make_server

from bol_service import bootstrap
from bol_service.bootstrap_witness import witness_verifier_key
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate, open_signer, write_private_key
from bol_service.ledger.note import VerifierKey
from bol_service.settings import Settings
from bol_service.wire import drafting
from scripts.local_postgres import free_port
from tests.fresh_database import fresh_log

PASSPHRASE = b"only for this test run"
KEYS = ("log", "statement", "witness")


@dataclass(kw_only=True)
class Neighbour:
    settings: Settings
    running: bootstrap.Running
    server: BaseWSGIServer
    operator: LocalSigner
    parties: dict[str, LocalSigner] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return self.settings.origin

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def log_key(self) -> VerifierKey:
        log_signer, _ = bootstrap.platform_keys(self.settings)
        return bootstrap.log_verifier_key(self.origin, log_signer)

    @property
    def log_signer(self) -> LocalSigner:
        signer, _ = bootstrap.platform_keys(self.settings)
        assert isinstance(signer, LocalSigner)
        return signer

    @property
    def witness_key(self) -> VerifierKey:
        return witness_verifier_key(self.settings, own_witness_signer(self.settings))

    @property
    def size(self) -> int:
        return self.running.services.ledger.size()

    def grow(self, count: int = 1) -> None:
        """Register as many parties more."""
        for _ in range(count):
            number = len(self.parties)
            self.register(f"p{number}" if number else "operator")

    def register(self, slug: str) -> None:
        signer = LocalSigner(generate(Algorithm.ED25519)) if self.parties else self.operator
        roles = ["SHIPPER"] if self.parties else ["OPERATOR"]
        identity = {
            "country": "CN",
            "identifiers": [{"type": "AUTHORITY", "value": slug}],
            "legalName": slug,
        }
        proof = drafting.prove_key(signer, origin=self.origin, party=slug, identity=identity)
        payload = drafting.payload(
            action="REGISTER",
            actor="operator",
            at=datetime.now(UTC),
            audience=self.origin,
            stream=f"party:{slug}",
            after=None,
            details={**proof, "identity": identity, "roles": roles},
            recipient=None,
        )
        self.running.services.recorder.submit(drafting.sign(payload, self.operator))
        self.parties[slug] = signer

    def stop(self) -> None:
        self.running.stop()

    def start(self, **changes: Any) -> None:
        """Start again with changed settings."""
        self.settings = replace(self.settings, **changes)
        self.running = bootstrap.start(self.settings)
        self.server.app = self.running.app

    def restart(self, **changes: Any) -> None:
        self.stop()
        self.start(**changes)


def own_witness_signer(settings: Settings) -> LocalSigner:
    signer = open_signer(f"file:{settings.state_dir.parent / 'witness.pem'}", lambda: PASSPHRASE)
    assert isinstance(signer, LocalSigner)
    return signer


def policy_file(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def logs_file(path: Path, *keys: VerifierKey) -> Path:
    """A policy that names logs and asks for no cosignature."""
    return policy_file(path, *(f"log {key.vkey}" for key in keys), "quorum none")


@contextmanager
def neighbour(
    folder: Path, origin: str, *, entries: int = 1, database_url: str | None = None
) -> Iterator[Neighbour]:
    """A platform of one operator and `entries` - 1 parties."""
    folder.mkdir(parents=True, exist_ok=True)
    operator = LocalSigner(generate(Algorithm.ED25519))
    settings = _settings(folder, origin, operator, database_url)
    fresh_log(settings.database_url, origin)
    running = bootstrap.start(settings)
    with served(running.app) as server:
        found = Neighbour(settings=settings, running=running, server=server, operator=operator)
        try:
            found.grow(entries)
            yield found
        finally:
            found.stop()


@contextmanager
def served(app: Any) -> Iterator[BaseWSGIServer]:
    """A WSGI application behind a loopback port."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def away(_environ: Any, start_response: Any) -> list[bytes]:
    """The application of a platform that is being repaired."""
    start_response("503 Service Unavailable", [])
    return []


def closed_port() -> int:
    """A port on which nobody answers, not even who is given some port later on."""
    return free_port()


def _settings(
    folder: Path, origin: str, operator: LocalSigner, database_url: str | None
) -> Settings:
    for name in KEYS:
        if not (folder / f"{name}.pem").exists():
            key = generate(Algorithm.ED25519)
            write_private_key(folder / f"{name}.pem", key, PASSPHRASE)
    return Settings(
        origin=origin,
        platform_code="DEMO",
        database_url=database_url or f"sqlite:///{folder / 'ledger.db'}",
        state_dir=folder / "state",
        base_url="http://demo.a",
        log_key=f"file:{folder / 'log.pem'}",
        statement_key=f"file:{folder / 'statement.pem'}",
        passphrase=PASSPHRASE,
        registrar_kids=frozenset({operator.public.kid}),
    )
