"""The tables of this version in an empty database, without the time that the migrations take.

1. The first empty database of each kind in a process is migrated by `schema.upgrade`, and so is
   every one that is not empty.
2. A further SQLite file is a copy of what came of that.
3. A further PostgreSQL database is told the same in one piece. What the migrations only ask is left
   out: the answers are those of an empty database.

The migrations themselves are tried by tests/storage/test_migrations.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, inspect

from bol_service.storage import schema
from bol_service.storage.engine import is_sqlite, open_engine
from bol_service.storage.store import SqlStore

_FILE: list[bytes] = []
_SAID: list[str] = []


def fresh_log(url: str, origin: str) -> None:
    """The tables, and the empty log of `origin`, in the empty database at `url`."""
    engine = open_engine(url)
    migrate(engine)
    SqlStore(engine).create_log(origin)
    engine.dispose()


def migrate(engine: Engine) -> None:
    """The tables, in a database that nothing is connected to yet."""
    if is_sqlite(engine):
        assert engine.url.database, "a database in memory cannot be a copy"
        _copy(engine, Path(engine.url.database))
    elif inspect(engine).has_table("alembic_version"):
        schema.upgrade(engine)
    else:
        _say_again(engine)


def _copy(engine: Engine, path: Path) -> None:
    if path.exists():
        schema.upgrade(engine)
    elif _FILE:
        path.write_bytes(_FILE[0])
    else:
        schema.upgrade(engine)
        engine.dispose()  # the last connection leaves all in the one file
        _FILE.append(path.read_bytes())


def _say_again(engine: Engine) -> None:
    if not _SAID:
        _SAID.extend(_written_down(engine))
        return
    with engine.begin() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute(";\n".join(_SAID))


def _written_down(engine: Engine) -> list[str]:
    """Migrate, and tell by which statements the database was changed."""
    said: list[str] = []

    def note(_on: Connection, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if not statement.lstrip().startswith("SELECT"):
            assert not parameters, f"it cannot be said again without its values: {statement}"
            said.append(statement.replace("%%", "%"))  # as the driver would have written it

    event.listen(engine, "before_cursor_execute", note)
    try:
        schema.upgrade(engine)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return said
