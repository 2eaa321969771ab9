"""Bringing a database to the schema of this version, and checking that it has its guards.

The owner of the tables runs the migrations; the service looks at every start whether schema and
triggers (`storage.guards`) are those of this version, and may do what `storage.roles` grants it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect

from bol_service.storage import guards

OLDEST_WITH_GUARDS: Final = "0003"


class SchemaError(RuntimeError):
    """The database has not the schema, the triggers or the rights that this version needs."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run the migrations up to `revision`; raises SchemaError for a database of a newer version."""
    with engine.execution_options(writing=True).begin() as connection:
        _refuse_newer(MigrationContext.configure(connection).get_current_revision())
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str) -> list[str]:
    """Run the migrations down to `revision`; `base` removes everything. Returns the tables that
    went with all their rows.

    Raises:
        SchemaError: The schema is newer than this version, or not above `revision`.
    """
    with engine.execution_options(writing=True).begin() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
        _refuse_newer(present)
        _require_below(revision, present)
        before = inspect(connection).get_table_names()
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
        return sorted({*before} - {*inspect(connection).get_table_names()})


def go_back(engine: Engine, revision: str) -> list[str]:
    """`downgrade` as an operator may do it; see `require_way_back`."""
    require_way_back(revision)
    return downgrade(engine, revision)


def require_way_back(revision: str) -> None:
    """Raises SchemaError for a schema that nobody knows or without the log and its guards."""
    if revision not in _revisions() or revision < OLDEST_WITH_GUARDS:
        raise SchemaError(
            f"{revision} is no schema to go back to; this version knows {OLDEST_WITH_GUARDS} to "
            f"{_revisions()[-1]}, and what is older does not guard the log"
        )


def require_current(engine: Engine) -> None:
    """Raises SchemaError unless schema version and append-only triggers are in place."""
    faults = unguarded(engine)
    if faults:
        raise SchemaError(
            f"append-only triggers are not in place: {', '.join(faults)}. Whoever did that could "
            "change the log: find out who it was, run `bol ledger check` against a checkpoint kept "
            "elsewhere. Only then, as owner of the tables, drop what is not ours and put the rest "
            "back: bol db restore-triggers"
        )


def unguarded(engine: Engine) -> list[str]:
    """The append-only triggers that are missing, changed, disabled or not ours; raises SchemaError
    for another schema version. An audit goes on without them: that is when it is needed."""
    with engine.begin() as connection:
        _require_version(connection)
        return guards.faults(connection)


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
    _refuse_newer(found)
    if found != wanted:
        raise SchemaError(
            f"the database has schema {found}, this version needs {wanted}; run: bol db upgrade"
        )


def _refuse_newer(found: str | None) -> None:
    known = _revisions()
    if found is not None and found not in known:
        raise SchemaError(
            f"the database has schema {found}, this version knows {known[0]} to {known[-1]}: a "
            f"newer one has set it up. Run that one, or with it first: bol db downgrade {known[-1]}"
        )


def _require_below(revision: str, present: str | None) -> None:
    known = _revisions()
    if present is None or (revision != "base" and known.index(revision) >= known.index(present)):
        raise SchemaError(f"the database has schema {present}, {revision} is not below it")


def _revisions() -> list[str]:
    """All that this version knows, the oldest first."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in scripts][::-1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
