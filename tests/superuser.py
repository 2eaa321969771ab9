"""What the superuser of a database can do to its rows: anything, past triggers and foreign keys.

On SQLite the triggers are dropped, on PostgreSQL turned off, those of foreign keys too. `Keeper`
puts everything back, so that many tests can ruin one log in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, delete, insert, select, text

from bol_service.storage import guards
from bol_service.storage.tables import metadata

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]
Act = Callable[["Superuser"], None]


class Superuser:
    """Inside `acting` only; tables are given by name, rows are in the order of their key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, name: str) -> list[Row]:
        table = metadata.tables[name]
        found = self._connection.execute(select(table).order_by(*table.primary_key))
        return [dict(row) for row in found.mappings()]

    def put(self, name: str, rows: Sequence[Row]) -> None:
        """These are the rows of the table from now on."""
        table = metadata.tables[name]
        self._connection.execute(delete(table))
        self._insert(table, rows)

    def put_all(self, rows: Rows) -> None:
        for name, content in rows.items():
            self.put(name, content)

    def restore_triggers(self) -> None:
        if self._connection.dialect.name != "sqlite":
            for table in metadata.tables:
                self._connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER ALL"))
        guards.put(self._connection, guards.GUARDED)

    def _insert(self, table: Table, rows: Sequence[Row]) -> None:
        if rows:
            self._connection.execute(insert(table), [dict(row) for row in rows])


@contextmanager
def acting(url: str) -> Iterator[Superuser]:
    """What is done inside is committed at the end."""
    engine = create_engine(url)
    with engine.begin() as connection:
        _silence(connection)
        yield Superuser(connection)
    engine.dispose()


def every_row(engine: Engine) -> Rows:
    with engine.begin() as connection:
        user = Superuser(connection)
        return {table.name: user.rows(table.name) for table in metadata.sorted_tables}


class Keeper:
    """Knows a database as it was, and makes it so again; triggers too."""

    def __init__(self, engine: Engine) -> None:
        self._url = engine.url.render_as_string(hide_password=False)
        self.rows = every_row(engine)

    def put_back(self) -> None:
        with acting(self._url) as user:
            user.put_all(self.rows)
            user.restore_triggers()


def drop_triggers(engine: Engine) -> None:
    """What a superuser does who is not content with turning them off."""
    names = [(guard.name, guard.table) for guard in guards.guards(engine.dialect.name)]
    place = "" if engine.dialect.name == "sqlite" else " ON {}"
    with engine.begin() as connection:
        for name, table in names:
            connection.execute(text(f"DROP TRIGGER {name}{place.format(table)}"))


def _silence(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (name,) in connection.execute(text(query)).all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        return
    for table in metadata.tables:
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))


# -- acts ----------------------------------------------------------------------------------------


def flipped(value: Any) -> Any:
    """The smallest change that keeps the kind of the value."""
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    if isinstance(value, int):
        return value + 1
    middle = len(value) // 2
    other = "1" if value[middle] != "1" else "2"
    return value[:middle] + other + value[middle + 1 :]


def changed(table: str, column: str, at: int = -1, to: Callable[[Any], Any] = flipped) -> Act:
    """One value of one row."""

    def act(user: Superuser) -> None:
        rows = user.rows(table)
        before = rows[at][column]
        rows[at][column] = to(before)
        assert rows[at][column] != before
        user.put(table, rows)

    return act


def deleted(table: str, at: int = -1) -> Act:
    def act(user: Superuser) -> None:
        rows = user.rows(table)
        del rows[at]
        user.put(table, rows)

    return act


def inserted(table: str, at: int = -1, **different: Any) -> Act:
    """A row like another one, in which some values are different."""

    def act(user: Superuser) -> None:
        rows = user.rows(table)
        user.put(table, [*rows, rows[at] | different])

    return act


def swapped(table: str, key: str, one: int, other: int) -> Act:
    """Two rows change places: each gets the other's key."""

    def act(user: Superuser) -> None:
        rows = user.rows(table)
        rows[one][key], rows[other][key] = rows[other][key], rows[one][key]
        user.put(table, rows)

    return act


def together(*acts: Act) -> Act:
    def act(user: Superuser) -> None:
        for each in acts:
            each(user)

    return act
