"""`bol serve`: running a platform."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from errno import EADDRINUSE
from time import monotonic, sleep
from typing import Final

import click
from gevent import monkey

from bol_service.cli.journal import log_as_json
from bol_service.cli.output import NotSetUp, json_option, say, show, told
from bol_service.settings import SettingsError, from_environment

REMEDY = "Set what the message names; docs/operations.md lists all settings."

ENDING_SECONDS: Final = 2.0
"""The one that listened there before may take so long: supervisors start the next at once."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port to listen on; 0 takes one that is free.",
)
@json_option
def serve(host: str, port: int) -> None:
    """Serve the platform that the BOL_ settings describe, until it is told to stop."""
    try:
        settings = from_environment(os.environ)
    except SettingsError as fault:
        raise NotSetUp(str(fault), REMEDY) from None
    _require_free(host, port)
    monkey.patch_all()
    # Only now: what it imports shall meet patched threads and sockets.
    from bol_service.cli import server

    log_as_json()
    server.run(
        host,
        port,
        settings,
        ready=lambda address: _tell(address, settings.origin),
        told=told(),
    )


def _tell(address: str, origin: str) -> None:
    """Said by each worker that begins to answer: one that has ended is replaced."""
    with suppress(OSError):  # a full disk or a reader that is gone stops no service
        show(
            {"serving": address, "origin": origin},
            lambda: say(f"serving {origin} on {address}"),
        )


def _require_free(host: str, port: int) -> None:
    """gunicorn would try for five seconds, in words of its own."""
    until = monotonic() + ENDING_SECONDS
    while (error := _why_not_free(host, port)) is not None:
        if error.errno != EADDRINUSE or monotonic() > until:
            raise NotSetUp(
                f"nothing can listen on {host}, port {port}: {error.strerror or error}",
                "Stop what listens there, or give another --port or --host.",
            )
        sleep(0.1)


def _why_not_free(host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error
    return None
