"""Bringing a database to the schema of this version, and checking that it has its guards.

Append-only is enforced inside the database by triggers, so that a slip of an administrator or an
injected statement fails loudly. They are hygiene, not proof: what an administrator can drop is
caught by checkpoints, receipts and witnesses (docs/verification.md).
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from bol_service.storage.tables import APPEND_ONLY


class SchemaError(RuntimeError):
    """The database has not the schema, or not the triggers, of this version."""


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
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    with engine.begin() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
        if found != wanted:
            raise SchemaError(
                f"the database has schema {found}, this version needs {wanted}; run: bol db upgrade"
            )
        if engine.dialect.name == "sqlite":
            query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        else:
            query = "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')"
        present = {row[0] for row in connection.execute(text(query))}
    missing = _guards(engine.dialect.name) - present
    if missing:
        raise SchemaError(
            f"append-only triggers are missing: {', '.join(sorted(missing))}; restore the database "
            "or find out who dropped them before you write to it"
        )


def _guards(dialect: str) -> set[str]:
    """The names of the triggers that the migrations make."""
    verbs = ("update", "delete") if dialect == "sqlite" else ("update", "delete", "truncate")
    stay = "stays" if dialect == "sqlite" else "no_truncate"
    own = {f"{table}_{rule}" for table in ("log", "witnessed") for rule in ("only_grows", stay)}
    kept = {f"{table}_no_{verb}" for table in APPEND_ONLY for verb in verbs}
    return kept | own | {"entries_contiguous"}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
