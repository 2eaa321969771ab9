"""`bol exchange`: what is on its way to other platforms, and what has crossed the border.

Reads the database, as the operator does; parties see their own bills. Nothing here sends or signs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from bol_service.cli.output import NotSetUp, json_option, say, show
from bol_service.domain.identifiers import check_bill
from bol_service.settings import SettingsError, database_only

if TYPE_CHECKING:
    from bol_service.storage.exchange import SqlExchange

Json = dict[str, Any]
REMEDY = "Set what the message names; docs/operations.md lists all settings."


@click.group()
def exchange() -> None:
    """Originals that leave for and arrive from other platforms."""


@exchange.command()
@click.option(
    "--bill", help="Only transfers of this bill.", callback=lambda *given: _bill(given[2])
)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many."
)
@json_option
def transfers(bill: str | None, limit: int) -> None:
    """Transfers to other platforms, the newest first, and why one waits."""
    with _book() as book:
        rows = [
            {
                "number": row.number,
                "bill": row.bill,
                "platform": row.platform,
                "stage": str(row.stage),
                "attempts": row.attempts,
                "due": row.due or None,
                "fault": row.fault,
            }
            for row in book.outbounds(bill, limit)
        ]
    show({"transfers": rows}, lambda: _tell_transfers(rows))


@exchange.command()
@click.option("--after", type=click.IntRange(0), default=0, help="Only lines after this number.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True, help="How many."
)
@json_option
def flows(after: int, limit: int) -> None:
    """The log of what crossed the border: when, what, to whom, on which ground."""
    with _book() as book:
        rows = [
            {
                "number": number,
                "at": flow.at,
                "direction": flow.direction,
                "platform": flow.platform,
                "bill": flow.bill,
                "what": flow.what,
                "sha256": flow.digest,
                "bytes": flow.size,
                "recipient": flow.recipient,
                "basis": flow.basis,
            }
            for number, flow in book.flows(after, limit)
        ]
    show({"flows": rows}, lambda: _tell_flows(rows))


def _tell_transfers(rows: list[Json]) -> None:
    if not rows:
        say("nothing has left, and nothing waits to")
    for row in rows:
        why = f": {row['fault']}" if row["fault"] else ""
        say(f"{row['stage']:<10} {row['bill']} to {row['platform']}, tried {row['attempts']}x{why}")


def _tell_flows(rows: list[Json]) -> None:
    if not rows:
        say("nothing has crossed the border")
    for row in rows:
        say(
            f"{row['at']} {row['direction']:<3} {row['platform']} {row['what']} of bill "
            f"{row['bill']}, {row['bytes']} bytes, for {row['recipient']} ({row['basis']})"
        )


@contextmanager
def _book() -> Iterator[SqlExchange]:
    from bol_service.storage.engine import open_engine
    from bol_service.storage.exchange import SqlExchange
    from bol_service.storage.store import SqlStore, WrongDatabase

    try:
        origin, url = database_only(os.environ)
        engine = open_engine(url)
        try:
            store = SqlStore(engine)
            store.require_origin(origin)
            yield SqlExchange(store)
        finally:
            engine.dispose()
    except (SettingsError, WrongDatabase) as fault:
        raise NotSetUp(str(fault), REMEDY) from None


def _bill(given: str | None) -> str | None:
    if given is not None:
        try:
            check_bill(given)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return given
