"""The connection on which one group was written, kept for the next.

To give it back to the pool and to take it out again is to reset it and to look at it, which costs a
group more than any of its statements (docs/adr/0046). So it stays out, on PostgreSQL alone: a
SQLite file is let go of when nobody writes.
"""

from __future__ import annotations

from time import monotonic

from sqlalchemy import Connection, Engine, event

from bol_service.storage.engine import is_sqlite, require_alive


class KeptConnection:
    """May be asked by any number of threads; each gets a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = engine.execution_options(writing=True)
        self._keeps = not is_sqlite(engine)
        self._kept: list[tuple[Connection, float]] = []
        event.listen(engine, "engine_disposed", lambda _: self._drop())

    def take(self) -> Connection:
        try:
            connection, since = self._kept.pop()
        except IndexError:
            return self._writing.connect()
        driver = connection.connection.driver_connection
        try:
            require_alive(self._engine, driver, monotonic() - since)
        except self._engine.dialect.loaded_dbapi.Error:
            connection.invalidate()
            connection.close()
            return self._writing.connect()
        return connection

    def give_back(self, connection: Connection) -> None:
        """Nothing is under way on it."""
        if self._keeps and not self._kept and not connection.invalidated:
            self._kept.append((connection, monotonic()))
        else:
            connection.close()

    def _drop(self) -> None:
        while self._kept:
            connection, _ = self._kept.pop()
            connection.invalidate()  # its pool takes back nothing any more
            connection.close()
