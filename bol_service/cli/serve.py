"""`bol serve`: running a platform."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from typing import TextIO, cast

import click
import structlog
from gevent import monkey

from bol_service.cli.output import NotSetUp, json_option, say, show
from bol_service.settings import SettingsError, from_environment

REMEDY = "Set what the message names; docs/operations.md lists all settings."


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, help="Port to listen on.")
@json_option
def serve(host: str, port: int) -> None:
    """Serve the platform that the BOL_ settings describe, until it is told to stop."""
    try:
        settings = from_environment(os.environ)
    except SettingsError as fault:
        raise NotSetUp(str(fault), REMEDY) from None
    monkey.patch_all()
    # Only now: what it imports shall meet patched threads and sockets.
    from bol_service.cli import server

    _log_as_json()
    address = f"http://{host}:{port}"
    show(
        {"serving": address, "origin": settings.origin},
        lambda: say(f"serving {settings.origin} on {address}"),
    )
    server.run(host, port, settings)


class _Journal:
    """A line that cannot be written, as on a full disk, is lost; what it tells of goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


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
        logger_factory=structlog.PrintLoggerFactory(file=cast(TextIO, _Journal(sys.stderr))),
    )
