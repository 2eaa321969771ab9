"""`bol serve`: running a platform."""

from __future__ import annotations

import os

import click
from gevent import monkey

from bol_service.cli.journal import log_as_json
from bol_service.cli.output import NotSetUp, json_option, say, show
from bol_service.settings import SettingsError, from_environment

REMEDY = "Set what the message names; docs/operations.md lists all settings."


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(1, 65_535),
    help="Port to listen on.",
)
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

    log_as_json()
    address = f"http://{host}:{port}"
    show(
        {"serving": address, "origin": settings.origin},
        lambda: say(f"serving {settings.origin} on {address}"),
    )
    server.run(host, port, settings)
