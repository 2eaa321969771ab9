"""The only composition root: settings in, a running service out.

Order at start: open keys, refuse one key in two uses, check role, schema and triggers, take the
writer's lock (SQLite), compare the database with the last checkpoint outside it, and only then
start the sequencer, which signs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from bol_service import (
    bootstrap_delivery,
    bootstrap_exchange,
    bootstrap_portal,
    bootstrap_webhooks,
    bootstrap_witness,
)
from bol_service.application.commit import SignCheckpoint
from bol_service.application.ports import Clock
from bol_service.application.startup import require_continuity, require_key_times
from bol_service.bootstrap_delivery import OfferingWorker
from bol_service.bootstrap_exchange import Border, Worker
from bol_service.bootstrap_log_keys import log_keys
from bol_service.bootstrap_services import Base, OwnKeys, services_of
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import Signer, open_signer
from bol_service.http import error_pages
from bol_service.http.app import create_app
from bol_service.http.edge import Services
from bol_service.ledger.checkpoint import Checkpoint
from bol_service.ledger.merkle import EMPTY_ROOT
from bol_service.ledger.note import KeyType, VerifierKey, sign_note
from bol_service.portal import app as portal
from bol_service.portal.words import CHINESE
from bol_service.settings import Settings, SettingsError
from bol_service.storage.checkpoint_file import FileCheckpoint, FolderLock
from bol_service.storage.clock import FileClock, SystemClock
from bol_service.storage.engine import WriterLock, is_sqlite, open_engine
from bol_service.storage.roles import require_service
from bol_service.storage.schema import require_current
from bol_service.storage.store import SqlStore
from bol_service.verification.trust import LogKey


@dataclass(frozen=True, kw_only=True)
class Running:
    """A started service; `stop` ends its threads and frees the writer's lock."""

    app: Flask
    services: Services
    store: SqlStore
    lock: WriterLock | FolderLock
    exchange: Worker | None = None
    offering: OfferingWorker | None = None
    border: Border | None = None

    def stop(self) -> None:
        if self.exchange is not None:
            self.exchange.stop()
        if self.offering is not None:
            self.offering.stop()
        if self.services.cosigning is not None:
            self.services.cosigning.stop()
        if self.services.delivering is not None:
            self.services.delivering.stop()
        self.services.sequencer.stop()
        self.store.engine.dispose()
        self.lock.release()


def rulebook() -> bytes:
    """The rulebook that this version serves at /rulebook."""
    return (resources.files("bol_service") / "rulebook.md").read_bytes()


def clock_of(settings: Settings) -> Clock:
    """The system's time, or the settable clock of a demonstration."""
    return FileClock(settings.clock_file) if settings.clock_file else SystemClock()


def start(
    settings: Settings, *, ended: Callable[[BaseException], None] = lambda _: None
) -> Running:
    """Start the service in this process; `ended` is told if its sequencer ends by itself.

    Raises:
        SettingsError, KeyFileError, SchemaError, WrongDatabase, DatabaseBusy, RollbackSuspected:
            Each names the fault and the way out; nothing has been signed.
    """
    own = _own_keys(settings)
    store, lock = _store(settings)
    try:
        base = _base(settings, own, store)
    except Exception:
        lock.release()
        raise
    clock, border = base.clock, own.border
    delivery = bootstrap_delivery.delivery_of(settings, border, store, clock)
    services = services_of(settings, base, delivery, ended)
    for part in (services.sequencer, services.cosigning, services.delivering):
        if part is not None:
            part.start()
    app = _app(settings, services)
    desk = bootstrap_portal.desk_of(
        settings, store, services, base.log_keys, own.statement, border, delivery, clock
    )
    portal.install(app, desk)
    exchange = bootstrap_exchange.opened(settings, store, services, border, app, clock)
    offering = bootstrap_delivery.opened(
        settings, store, services, border, delivery, own.statement, app, clock
    )
    return Running(
        app=app,
        services=services,
        store=store,
        lock=lock,
        exchange=exchange,
        offering=offering,
        border=border,
    )


def _own_keys(settings: Settings) -> OwnKeys:
    log, statement = platform_keys(settings)
    witnesses = bootstrap_witness.witnesses_of(settings, log, statement)
    reserved = witnesses.reserved()
    webhook = bootstrap_webhooks.webhook_signer(settings, log, statement, *reserved)
    more = (webhook,) if webhook is not None else ()
    border = bootstrap_exchange.border_of(settings, log, statement, *reserved, *more)
    return OwnKeys(
        log=log, statement=statement, webhook=webhook, witnesses=witnesses, border=border
    )


def _store(settings: Settings) -> tuple[SqlStore, WriterLock | FolderLock]:
    """The database as this version needs it; a SQLite file, or on PostgreSQL the folder of the
    checkpoint, is ours alone from now on."""
    engine = open_engine(settings.database_url)
    require_service(engine, strict=not settings.is_demo)
    store = SqlStore(engine)
    store.require_origin(settings.origin)
    require_current(engine)
    lock = (
        WriterLock(settings.database_url) if is_sqlite(engine) else FolderLock(settings.state_dir)
    )
    lock.acquire()
    return store, lock


def _base(settings: Settings, own: OwnKeys, store: SqlStore) -> Base:
    """Once the log has been found to be ours, and to continue what was signed last."""
    _refuse_party_keys(store, *own.published, *own.witnesses.reserved())
    keys = log_keys(log_verifier_key(settings.origin, own.log), settings.retired_log_keys)
    bootstrap_witness.compare(own.witnesses, store, [known.key for known in keys])
    sign = _checkpoint_signer(settings.origin, own.log)
    return Base(
        clock=clock_of(settings),
        store=store,
        own=own,
        log_keys=keys,
        sign=sign,
        checkpoint_file=_continued(settings, store, keys, sign),
        rulebook=rulebook(),
    )


def _app(settings: Settings, services: Services) -> Flask:
    app = create_app(services)
    if settings.proxies:
        behind = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=0, x_host=0)
        app.wsgi_app = behind  # type: ignore[method-assign]
    error_pages.speak_chinese(app, CHINESE)
    return app


def _continued(
    settings: Settings, store: SqlStore, keys: tuple[LogKey, ...], sign: SignCheckpoint
) -> FileCheckpoint:
    """The checkpoint file, once database and file have been found to agree."""
    checkpoint_file = FileCheckpoint(settings.state_dir)
    require_continuity(store, checkpoint_file, [known.key for known in keys])
    require_key_times(store, checkpoint_file, keys)
    if checkpoint_file.read() is None:
        # The log is empty. From its first entry on the file is there, so that a missing file is
        # always a fault, also after a crash in the first group.
        empty = Checkpoint(origin=settings.origin, size=0, root=EMPTY_ROOT)
        checkpoint_file.replace(sign(empty))
    return checkpoint_file


def _checkpoint_signer(origin: str, signer: Signer) -> SignCheckpoint:
    public = signer.public.public_bytes_raw
    return lambda checkpoint: sign_note(checkpoint.body(), origin, signer.sign, public)


def _refuse_party_keys(store: SqlStore, *signers: Signer) -> None:
    """A key that speaks for a party never speaks for the platform too."""
    with store.reading() as reading:
        for signer in signers:
            row = reading.key(signer.public.kid)
            if row is not None:
                raise SettingsError(
                    f"key {row.kid} is registered for {row.party}; make another key for the service"
                )


def log_verifier_key(origin: str, signer: Signer) -> VerifierKey:
    """The published verifier key of the log's signer."""
    return VerifierKey(name=origin, type=KeyType.ED25519, public=signer.public.public_bytes_raw)


def platform_keys(settings: Settings) -> tuple[Signer, Signer]:
    """The signers of checkpoints and of title statements; raises SettingsError, KeyFileError."""
    log_signer = open_signer(settings.log_key, lambda: settings.passphrase)
    statement_signer = open_signer(settings.statement_key, lambda: settings.passphrase)
    if log_signer.public.alg is not Algorithm.ED25519:
        raise SettingsError(f"BOL_LOG_KEY is {log_signer.public.alg}; the log signs with Ed25519")
    uses = [log_signer.public.kid, statement_signer.public.kid, *settings.registrar_kids]
    if len(set(uses)) != len(uses):
        raise SettingsError(
            "one key is used twice among BOL_LOG_KEY, BOL_STATEMENT_KEY and BOL_REGISTRAR_KIDS; "
            "make a key of its own for each use"
        )
    return log_signer, statement_signer
