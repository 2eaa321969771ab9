"""`bol ledger archive`: the full tiles of a log as files, for object storage to serve."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bol_service.application.archiving import Archiving, NotGenuine
from bol_service.cli.ledger_follow import HttpLog
from bol_service.cli.ledger_head import log_key_options, log_keys
from bol_service.cli.output import (
    ExitCode,
    Failure,
    NotSetUp,
    is_interactive,
    json_option,
    say,
    show,
)
from bol_service.ledger.note import VerifierKey
from bol_service.storage.tile_folder import TileFolder


@click.command()
@click.argument("url")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@log_key_options
@json_option
def archive(
    url: str, folder: Path, trust_file: bytes | None, vkeys: tuple[VerifierKey, ...]
) -> None:
    """Copy the full tiles of a log into FOLDER.

    They lie there under their own paths, each held to the signed head of the log at URL before it
    is kept. Full tiles never change: FOLDER can be copied to object storage, be served from there,
    and be brought up to date by the same command.
    """
    keys = log_keys(trust_file, vkeys)
    if not keys:
        raise NotSetUp("nothing says which key is the log's", "Give --log-vkey or --trust.")
    try:
        done = Archiving(HttpLog(url), TileFolder(folder), keys, _progress).run()
    except NotGenuine as error:
        problem = {
            "title": "The log does not serve what it signed",
            "code": "not_genuine",
            "detail": str(error),
            "nextStep": "What was kept before is whole. Run bol ledger follow; tell the others.",
        }
        raise Failure(problem, ExitCode.REFUSED) from None
    except OSError as error:
        raise NotSetUp(f"{folder} cannot be written: {error}", "Give another folder.") from None
    head = done.checkpoint
    value = {"origin": head.origin, "size": head.size, "full": done.full, "new": done.new}
    show(
        value,
        lambda: say(
            f"✓ {head.origin}: {done.full} full tiles and bundles of {head.size} entries are in "
            f"{folder}, {done.new} of them new"
        ),
    )


def _progress(done: int, total: int) -> None:
    if is_interactive():
        click.echo(f"\r{done} of {total} tiles", nl=done >= total, file=sys.stderr)
