"""Constant SQL for the hot transaction, in the two dialects.

Statements that SQLAlchemy builds for each call, with one parameter per value, cost more time than
the database does (docs/adr/0005). These are made once per table. Many values travel as one
parameter: a JSON text on SQLite, an array on PostgreSQL, where several statements make one round
trip (`round_trip`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, Table, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError

from bol_service.storage import arrays

if TYPE_CHECKING:
    from bol_service.storage.round_trip import RoundTrip


_COMMIT: Final = text("COMMIT")


class Sent(Protocol):
    """What a statement gave. Inside `Statements.together` it has given nothing yet."""

    @property
    def rowcount(self) -> int: ...

    def fetchall(self) -> Sequence[Sequence[Any]]: ...


class Statements:
    """The statements of one connection's dialect."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._postgresql = connection.dialect.name == "postgresql"
        self._trip: RoundTrip | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is sent in the block goes to PostgreSQL without waiting for each answer.

        An error of any of them is raised at the end of the block; nothing in it may be read back,
        nor executed but by `send`.
        """
        with self.departing():
            yield
        self.arrive()

    @contextmanager
    def departing(self) -> Iterator[None]:
        """As `together`, but nobody waits for the answers: until `arrive`, which raises the errors,
        the connection can do nothing else, and we can."""
        if not self._postgresql:
            yield
            return
        self._trip = trip = self._begun()
        try:
            yield
        except BaseException:
            self.give_up()
            raise
        trip.depart()

    def commit(self) -> None:
        """In the trip that is being made: what was sent before it is committed when all of it was
        done. SQLite's transaction ends with its block."""
        if self._postgresql:
            self.send(_COMMIT, {})

    def arrive(self) -> None:
        if self._trip is not None:
            trip, self._trip = self._trip, None
            trip.arrive()

    def give_up(self) -> None:
        """Whatever is under way does not count any more; the transaction is to be rolled back."""
        if self._trip is not None:
            trip, self._trip = self._trip, None
            trip.give_up()

    def send(self, statement: TextClause, parameters: Any) -> Sent:
        """Execute a statement that is the same object each time; for many rows on SQLite,
        `parameters` is a list.

        Raises:
            The driver's own errors on PostgreSQL, SQLAlchemy's on SQLite.
        """
        if not self._postgresql:
            return self._connection.execute(statement, parameters)
        sql, names = _numbered(statement)
        values = [parameters[name] for name in names]
        if self._trip is not None:
            return self._trip.send(sql, values)
        trip = self._begun()
        answer = trip.send(sql, values)
        trip.depart()
        trip.arrive()
        return answer

    def ask(self, statement: TextClause, parameters: Any) -> Sequence[Sequence[Any]]:
        """The rows of a statement that is the same object each time.

        Raises:
            OperationalError: SQLAlchemy's, on both.
        """
        try:
            return self.send(statement, parameters).fetchall()
        except self._connection.dialect.loaded_dbapi.OperationalError as error:
            raise OperationalError(str(statement), None, error) from error

    def _begun(self) -> RoundTrip:
        from bol_service.storage.round_trip import RoundTrip  # SQLite needs no psycopg

        return RoundTrip(self._driver)

    @cached_property
    def _driver(self) -> Any:
        return self._connection.connection.driver_connection

    @property
    def lock(self) -> str:
        """SQL: nobody else reads these rows for writing until this transaction ends."""
        return " FOR UPDATE" if self._postgresql else ""  # SQLite has one writer anyway

    @property
    def lock_if_free(self) -> str:
        """SQL: as `lock`, of those rows that nobody else has locked."""
        return f"{self.lock} SKIP LOCKED" if self._postgresql else ""

    def among(self, column: str, name: str, kind: str = "text") -> str:
        """SQL: `column` is one of the values bound to `name` with `texts` or `integers`."""
        if self._postgresql:
            return f"{column} = ANY(CAST(:{name} AS {kind}[]))"
        return f"{column} IN (SELECT value FROM json_each(:{name}))"  # noqa: S608 - our own names

    def texts(self, items: Iterable[str]) -> Any:
        """Many values as one parameter."""
        return arrays.Texts(items) if self._postgresql else json.dumps(list(items))

    def integers(self, items: Iterable[int]) -> Any:
        return arrays.Integers(items) if self._postgresql else json.dumps(list(items))

    def insert(
        self,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        replace: bool = False,
        once: bool = False,
    ) -> None:
        """Insert rows that have all of the table's columns that any of them has.

        `replace` overwrites a row with the same primary key, `once` leaves it as it is.
        """
        if not rows:
            return
        columns = tuple(rows[0])
        statement = _insert(table, columns, self._postgresql, replace, once)
        if self._postgresql:
            kinds = table.c
            self.send(
                statement,
                {
                    name: arrays.column(kinds[name].type, [row[name] for row in rows])
                    for name in columns
                },
            )
        else:
            self.send(statement, [dict(row) for row in rows])


_DOLLARS: Final = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


@cache
def _numbered(statement: TextClause) -> tuple[str, tuple[str, ...]]:
    """A statement as PostgreSQL takes it, `$1` for the first of its values, and their names."""
    compiled = statement.compile(dialect=_DOLLARS)
    return str(compiled), tuple(compiled.positiontup or ())


@cache
def _insert(
    table: Table, columns: tuple[str, ...], postgresql: bool, replace: bool, once: bool
) -> TextClause:
    names = ", ".join(columns)
    if postgresql:
        arrays = ", ".join(f"CAST(:{name} AS {_type(table.c[name].type)}[])" for name in columns)
        source = f"SELECT * FROM unnest({arrays}) AS rows({names})"  # noqa: S608 - our own names
    else:
        source = f"VALUES ({', '.join(f':{name}' for name in columns)})"
    conflict = _conflict(table, columns, replace, once)
    sql = f"INSERT INTO {table.name} ({names}) {source}{conflict}"
    return text(sql)


def _conflict(table: Table, columns: tuple[str, ...], replace: bool, once: bool) -> str:
    key = [column.name for column in table.primary_key]
    if once:
        return f" ON CONFLICT ({', '.join(key)}) DO NOTHING"
    if not replace:
        return ""
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
    return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}"


def _type(column_type: Any) -> str:
    if isinstance(column_type, BigInteger):
        return "bigint"
    if isinstance(column_type, Integer):
        return "integer"
    return "bytea" if isinstance(column_type, LargeBinary) else "text"
