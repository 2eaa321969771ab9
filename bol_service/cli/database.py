"""`bol db`: the schema, the service role's rights and the triggers of a database.

These commands are for the owner of the tables; on PostgreSQL the service has a role of its own that
can do none of this (docs/adr/0021).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import Engine
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
    """Bring the database to this schema; name a fresh log."""
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


@db.command("restore-triggers")
@json_option
def restore_triggers() -> None:
    """Put back append-only triggers, once you know who took them away."""
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
        engine = open_engine(url)
        try:
            yield origin, engine
        finally:
            engine.dispose()
    except (SettingsError, SchemaError, WrongDatabase) as fault:
        raise NotSetUp(str(fault), REMEDY) from None
    except DBAPIError as fault:
        raise NotSetUp(f"the database answers: {fault.orig}", AS_OWNER) from None
