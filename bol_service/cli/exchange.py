"""`bol exchange`: what is on its way to and from other platforms, and what has crossed the border.

Reads the database, as the operator does; parties see their own bills. Nothing here sends, and only
`close` signs: a refusal, with the platform's exchange key.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from bol_service.cli.output import NotSetUp, Stopped, json_option, say, show
from bol_service.domain.identifiers import check_bill
from bol_service.settings import SettingsError, clock_file_only, database_only, from_environment
from bol_service.wire.event_fields import instant_text

if TYPE_CHECKING:
    from bol_service.application.exchange_closing import Begun, Closing
    from bol_service.application.exchange_ports import Inbound
    from bol_service.storage.exchange import SqlExchange

Json = dict[str, Any]
REMEDY_CLOSE = (
    "bol exchange arrivals lists all transfers; docs/operations.md tells when to close one."
)
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
    """List transfers to other platforms, and why one waits."""
    now = _now()
    with _book() as book:
        rows = [
            {
                "number": row.number,
                "bill": row.bill,
                "platform": row.platform,
                "stage": str(row.stage),
                "attempts": row.attempts,
                "due": row.due or None,
                "trying": row.is_being_tried(now),
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
    """List what crossed the border, to whom, on which ground."""
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


@exchange.command()
@click.option("--open", "only_open", is_flag=True, help="Only those that were begun and not ended.")
@click.option(
    "--bill", help="Only transfers of this bill.", callback=lambda *given: _bill(given[2])
)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many."
)
@json_option
def arrivals(only_open: bool, bill: str | None, limit: int) -> None:
    """List transfers from other platforms, the newest first.

    Each with what was answered.
    """
    with _book() as book:
        rows = [_arrival(row) for row in book.inbounds(bill, limit, only_open=only_open)]
    show({"arrivals": rows}, lambda: _tell_arrivals(rows))


@exchange.command()
@click.argument("reference")
@click.option("--agreed", is_flag=True, help="Its sender agrees that it ends before its time.")
@click.option("--yes", "-y", is_flag=True, help="Close it; without this, only tell what would be.")
@json_option
def close(reference: str, agreed: bool, yes: bool) -> None:
    """End a transfer that was begun here and never finished.

    Its sender, another platform, is told so by a signed refusal and keeps the original. That cannot
    be taken back.
    """
    from bol_service.application.exchange_closing import NotClosable

    with _closing() as closing:
        try:
            begun = closing.look(reference, agreed=agreed)
            answer = closing.close(begun) if yes else None
        except NotClosable as fault:
            raise Stopped("It cannot be closed", str(fault), REMEDY_CLOSE, "not_closable") from None
    told = {
        "reference": reference,
        "bill": begun.transfer.bill,
        "platform": begun.transfer.sender,
        "opened": begun.transfer.opened,
        "missing": list(begun.missing),
        "closed": answer is not None,
        "reason": begun.reason,
        "answer": answer,
    }
    show(told, lambda: _tell_closed(begun, closed=yes))


def _arrival(row: Inbound) -> Json:
    from bol_service.crypto import peer_jws

    value = None if row.answer is None else peer_jws.parse(row.answer).value
    return {
        "reference": row.reference,
        "bill": row.bill,
        "platform": row.sender,
        "opened": row.opened,
        "answer": None if value is None else value["responseCode"],
        "reason": None if value is None else value.get("reason"),
    }


def _tell_arrivals(rows: list[Json]) -> None:
    if not rows:
        say("nothing has arrived")
    for row in rows:
        why = f": {row['reason']}" if row["reason"] else ""
        answer = row["answer"] or "open"
        place = f"{row['reference']} of bill {row['bill']} from {row['platform']}"
        say(f"{answer:<5} {place}, begun {row['opened']}{why}")


def _tell_closed(begun: Begun, *, closed: bool) -> None:
    transfer = begun.transfer
    say(f"transfer {transfer.reference} of bill {transfer.bill} from {transfer.sender}")
    if closed:
        say(f"closed: {transfer.sender} is told BENV, {begun.reason}")
        return
    say(f"{transfer.sender} would be told BENV, {begun.reason}")
    say("nothing has changed; to close it for good, add --yes")


def _tell_transfers(rows: list[Json]) -> None:
    if not rows:
        say("nothing has left, and nothing waits to")
    for row in rows:
        again = f", again at {row['due']}" if row["due"] else ""
        if row["trying"]:
            again = ", and being tried at this moment"
        why = f": {row['fault']}" if row["fault"] else ""
        tried = f"tried {row['attempts']}x{again}{why}"
        say(f"{row['stage']:<10} {row['bill']} to {row['platform']}, {tried}")


def _tell_flows(rows: list[Json]) -> None:
    if not rows:
        say("nothing has crossed the border")
    for row in rows:
        say(
            f"{row['at']} {row['direction']:<3} {row['platform']} {row['what']} of bill "
            f"{row['bill']}, {row['bytes']} bytes, for {row['recipient']} ({row['basis']})"
        )


def _now() -> str:
    """The time by which the service leases its transfers."""
    from bol_service.storage.clock import FileClock, SystemClock

    file = clock_file_only(os.environ)
    try:
        return instant_text((FileClock(file) if file else SystemClock()).now())
    except (OSError, ValueError) as fault:
        raise NotSetUp(f"BOL_CLOCK_FILE {file}: {fault}", REMEDY) from None


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


@contextmanager
def _closing() -> Iterator[Closing]:
    from bol_service import bootstrap, bootstrap_exchange
    from bol_service.crypto.signers import KeyFileError
    from bol_service.storage.engine import open_engine
    from bol_service.storage.store import SqlStore, WrongDatabase

    try:
        settings = from_environment(os.environ)
        border = bootstrap_exchange.border_of(settings)
        if border is None:
            raise SettingsError("BOL_PEERS and BOL_PINT_KEY are not set: there is no exchange")
        engine = open_engine(settings.database_url)
        try:
            store = SqlStore(engine)
            store.require_origin(settings.origin)
            clock = bootstrap.clock_of(settings)
            yield bootstrap_exchange.closing_of(settings, border, store, clock)
        finally:
            engine.dispose()
    except (SettingsError, KeyFileError, WrongDatabase) as fault:
        raise NotSetUp(str(fault), REMEDY) from None


def _bill(given: str | None) -> str | None:
    if given is not None:
        try:
            check_bill(given)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return given
