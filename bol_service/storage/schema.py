"""Bringing a database to the schema of this version, and checking that it has its guards.

The owner of the tables runs the migrations; the service looks at every start whether schema and
triggers (`storage.guards`) are those of this version, and may do what `storage.roles` grants it.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from bol_service.storage import guards


class SchemaError(RuntimeError):
    """The database has not the schema, the triggers or the rights that this version needs."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations up to `revision`."""
    with engine.execution_options(writing=True).begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Run the migrations down to `revision`; `base` removes everything."""
    with engine.execution_options(writing=True).begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def require_current(engine: Engine) -> None:
    """Raises SchemaError unless schema version and append-only triggers are in place."""
    with engine.begin() as connection:
        _require_version(connection)
        faults = guards.faults(connection)
    if faults:
        raise SchemaError(
            f"append-only triggers are not in place: {', '.join(faults)}. Whoever did that could "
            "change the log: find out who it was, run `bol ledger check` against a checkpoint kept "
            "elsewhere. Only then, as owner of the tables, drop what is not ours and put the rest "
            "back: bol db restore-triggers"
        )


def restore_triggers(engine: Engine) -> list[str]:
    """Put back what is not as this version makes it; returns what was wrong. As the owner only.

    Triggers and rules that are not ours stay: whoever made them has to say what they are for.
    """
    with engine.execution_options(writing=True).begin() as connection:
        _require_version(connection)
        found = guards.faults(connection)
        if found:
            guards.put(
                connection, {guard.table for guard in guards.guards(connection.dialect.name)}
            )
    return found


def _require_version(connection: Connection) -> None:
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    found = MigrationContext.configure(connection).get_current_revision()
    if found != wanted:
        raise SchemaError(
            f"the database has schema {found}, this version needs {wanted}; run: bol db upgrade"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
