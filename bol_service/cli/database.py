"""`bol db`: the schema, the service role's rights and the triggers of a database.

These commands are for the owner of the tables; on PostgreSQL the service has a role of its own that
can do none of this (docs/adr/0021).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from bol_service.cli.output import NotSetUp, json_option, say, show
from bol_service.settings import SettingsError, database_only
from bol_service.storage import roles, schema
from bol_service.storage.engine import open_engine
from bol_service.storage.schema import SchemaError
from bol_service.storage.store import SqlStore, WrongDatabase

REMEDY = "Set what the message names; docs/operations.md lists all settings."
AS_OWNER = "Check BOL_DATABASE_URL; it has to name the role that owns the tables."


@click.group()
def db() -> None:
    """Set up and migrate the database."""


@db.command()
@click.option(
    "--service-role",
    envvar="BOL_SERVICE_ROLE",
    help="PostgreSQL role that serves; it gets its rights, and no other.",
)
@json_option
def upgrade(service_role: str | None) -> None:
    """Bring the database to this version's schema.

    A fresh one gets its log, under the name in BOL_ORIGIN, for ever. Reads BOL_DATABASE_URL too.
    """
    with _database() as (origin, engine):
        schema.upgrade(engine)
        SqlStore(engine).create_log(origin)
        schema.require_current(engine)
        if service_role:
            roles.grant(engine, service_role)
    granted = f"; {service_role} has the service's rights" if service_role else ""
    show(
        {"origin": origin, "schema": "current", "serviceRole": service_role},
        lambda: say(f"{origin}: schema is current{granted}"),
    )


@db.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Remove what only the newer version keeps.")
@json_option
def downgrade(revision: str, yes: bool) -> None:
    """Go back to the schema REVISION of an older version.

    Tables that came after it go with all their rows; the log stays. Stop the service and make a
    backup first, and run this with the newer version: the older one does not know the way back.
    """
    schema.require_way_back(revision)
    if not yes:
        raise NotSetUp(
            f"going back to {revision} removes what only the newer version keeps",
            "Stop the service, make a backup, then repeat the command with --yes.",
        )
    with _database() as (origin, engine):
        SqlStore(engine).require_origin(origin)
        removed = schema.go_back(engine, revision)
    words = ", ".join(removed) or "no table"
    show(
        {"origin": origin, "schema": revision, "removed": removed},
        lambda: say(f"{origin}: schema is {revision}; removed: {words}"),
    )


@db.command("restore-triggers")
@json_option
def restore_triggers() -> None:
    """Put back append-only triggers that are gone.

    Only once you know who took them away: docs/operations.md, Database roles.
    """
    with _database() as (origin, engine):
        SqlStore(engine).require_origin(origin)
        restored = schema.restore_triggers(engine)
    words = ", ".join(restored) or "nothing was missing"
    show({"origin": origin, "restored": restored}, lambda: say(f"{origin}: restored: {words}"))


@contextmanager
def _database() -> Iterator[tuple[str, Engine]]:
    """(origin, engine) of the settings; what goes wrong with them is told, not traced."""
    try:
        origin, url = database_only(os.environ)
        _keep_from_others(url)
        engine = open_engine(url)
        try:
            yield origin, engine
        finally:
            engine.dispose()
    except (SettingsError, SchemaError, WrongDatabase) as fault:
        raise NotSetUp(str(fault), REMEDY) from None
    except DBAPIError as fault:
        raise NotSetUp(f"the database answers: {fault.orig}", AS_OWNER) from None


def _keep_from_others(url: str) -> None:
    """A SQLite file is made so that its owner alone reads it: it holds every document. What SQLite
    keeps beside it gets the same mode."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite" and parts.database:
        with suppress(OSError):  # it is there, or cannot be made: opening it tells that better
            os.close(os.open(parts.database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
