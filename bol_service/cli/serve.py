"""`bol serve` and `bol db`: running a platform."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import click
import structlog
from gunicorn.app.base import BaseApplication

from bol_service import bootstrap
from bol_service.application.startup import RollbackSuspected
from bol_service.cli.output import NotSetUp, json_option, say, show
from bol_service.crypto.signers import KeyFileError
from bol_service.settings import Settings, SettingsError, database_only, from_environment
from bol_service.storage import schema
from bol_service.storage.engine import DatabaseBusy, open_engine
from bol_service.storage.schema import SchemaError
from bol_service.storage.store import SqlStore, WrongDatabase

NOT_SET_UP = 4
REMEDY = "Set what the message names; docs/operations.md lists all settings."
FAULTS = (
    SettingsError,
    KeyFileError,
    SchemaError,
    WrongDatabase,
    DatabaseBusy,
    RollbackSuspected,
)


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with one worker of many threads: SQLite has one writer, and threads fill a group."""

    def __init__(self, options: dict[str, Any], start: Callable[[], bootstrap.Running]) -> None:
        self._options = options
        self._start = start
        self._running: bootstrap.Running | None = None
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)
        self.cfg.set("worker_exit", self._stop)

    def _stop(self, _server: Any, _worker: Any) -> None:
        if self._running is not None:
            self._running.stop()

    def load(self) -> Any:
        # In the worker, after the fork: the sequencer's thread and the lock belong to it.
        try:
            self._running = self._start()
        except FAULTS as fault:
            print(f"bol serve: {fault}", file=sys.stderr)
            # 4 is gunicorn's own code for "the app does not load": the arbiter stops, no retry.
            sys.exit(NOT_SET_UP)
        return self._running.app


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="Port to listen on.")
@click.option("--threads", default=64, show_default=True, help="Requests served at once.")
@json_option
def serve(host: str, port: int, threads: int) -> None:
    """Serve the platform that the BOL_ settings describe, until it is told to stop."""
    try:
        settings = from_environment(os.environ)
    except SettingsError as fault:
        raise NotSetUp(str(fault), REMEDY) from None
    _log_as_json()
    options = {
        "bind": f"{host}:{port}",
        "workers": 1,
        "worker_class": "gthread",
        "threads": threads,
        "timeout": 120,
        "graceful_timeout": 10,
        "keepalive": 5,
        "limit_request_line": 4094,
        "limit_request_field_size": 8190,
        "loglevel": "warning",
        "pidfile": os.environ.get("BOL_PID_FILE"),
    }
    address = f"http://{host}:{port}"
    show(
        {"serving": address, "origin": settings.origin},
        lambda: say(f"serving {settings.origin} on {address}"),
    )
    _Server(options, lambda: _started(settings)).run()


def _started(settings: Settings) -> bootstrap.Running:
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return bootstrap.start(settings)


def _log_as_json() -> None:
    level = os.environ.get("BOL_LOG_LEVEL", "info").upper()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping().get(level, logging.INFO)
        ),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


@click.group()
def db() -> None:
    """Set up and migrate the database."""


@db.command()
@json_option
def upgrade() -> None:
    """Bring the database to this schema; name a fresh log."""
    try:
        origin, url = database_only(os.environ)
        engine = open_engine(url)
        schema.upgrade(engine)
        SqlStore(engine).create_log(origin)
        schema.require_current(engine)
        engine.dispose()
    except FAULTS as fault:
        raise NotSetUp(str(fault), REMEDY) from None
    show({"origin": origin, "schema": "current"}, lambda: say(f"{origin}: schema is current"))
