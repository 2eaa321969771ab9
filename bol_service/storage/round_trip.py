"""Statements that go to PostgreSQL together and are answered in one round trip.

The driver's cursors can do so too, with a query, a transformer and several waits for each
statement; for the ten statements of a group that was more than half of what a group costs beside
its events (docs/adr/0044). Here libpq gets the statements as they are:

1. a statement is prepared when a connection sends it first; the driver itself must prepare none on
   that connection (`engine`), or its roll back would take ours away;
2. the first one of a transaction takes `BEGIN` with it, at the connection's level of isolation;
3. columns and bytes travel in binary, other values as text; answers come in binary;
4. what is large goes out at once, so that the server works while the next statement is packed;
5. after an error the server skips the rest, and the error is raised when all is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any, Final
from weakref import WeakKeyDictionary

from psycopg import Connection, OperationalError, errors
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

from bol_service.storage.arrays import Bytes, Integers, Texts

LARGE: Final = 8_000
"""Bytes that are worth a system call of their own."""

_TEXT, _BINARY = int(Format.TEXT), int(Format.BINARY)
_UNTOLD: Final = 0  # the statement says of which type a value is
_FAILED: Final = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED)
_whole = partial(int.from_bytes, byteorder="big", signed=True)
_READ: Final[dict[int, Callable[[bytes], Any]]] = {
    17: bytes,  # bytea
    20: _whole,  # bigint
    23: _whole,  # integer
    25: bytes.decode,  # text
    1043: bytes.decode,  # varchar
}
"""How a column is read, by the number of its type in the server's catalogue."""

_PREPARED: Final[WeakKeyDictionary[Connection[Any], dict[str, bytes]]] = WeakKeyDictionary()
_NUMBERS: Final = count()


class Answer:
    """What one statement gave; nothing before the trip has ended."""

    def __init__(self) -> None:
        self.result: PGresult | None = None

    @property
    def rowcount(self) -> int:
        return self._given.command_tuples or 0

    def fetchall(self) -> list[tuple[Any, ...]]:
        result = self._given
        value = result.get_value
        columns = [(at, _READ[result.ftype(at)]) for at in range(result.nfields)]
        return [
            tuple(
                [
                    read(found) if (found := value(row, at)) is not None else None
                    for at, read in columns
                ]
            )
            for row in range(result.ntuples)
        ]

    @property
    def _given(self) -> PGresult:
        assert self.result is not None, "the trip has not ended"
        return self.result


class RoundTrip:
    """Used once: `send` some, `depart`, `arrive`. Until it has arrived or was given up, the
    connection can do nothing else."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._prepared = _PREPARED.setdefault(connection, {})
        self._preparing: dict[str, bytes] = {}
        self._asked: list[tuple[Answer, str]] = []
        self._unsent = 0
        self._departed = False
        begun = self._libpq.transaction_status != TransactionStatus.IDLE
        self._libpq.enter_pipeline_mode()
        if not begun and not connection.autocommit:
            self._libpq.send_query_params(_begin(connection), None)
            self._ask()

    def send(self, sql: str, values: Sequence[Any]) -> Answer:
        """`sql` names its values `$1`, `$2`; the same text each time, or each is kept prepared."""
        packed = [_packed(value) for value in values]
        contents = [content for content, _, _ in packed]
        name = self._prepared.get(sql) or self._preparing.get(sql)
        if name is None:
            name = self._preparing[sql] = b"bol_%d" % next(_NUMBERS)
            self._libpq.send_prepare(name, sql.encode(), [kind for _, _, kind in packed])
            self._ask(prepares=sql)
        formats = [form for _, form, _ in packed]
        self._libpq.send_query_prepared(name, contents, formats, _BINARY)
        answer = self._ask()
        self._unsent += sum([len(content) for content in contents if content])
        if self._unsent > LARGE:
            self._libpq.flush()
            self._unsent = 0
        return answer

    def _ask(self, prepares: str = "") -> Answer:
        answer = Answer()
        self._asked.append((answer, prepares))
        return answer

    def depart(self) -> None:
        """All is with the server; it works while we go on."""
        self._departed = True
        self._libpq.pipeline_sync()
        self._connection.wait(_sent(self._libpq))

    def arrive(self) -> None:
        """Wait for the answers; raises the driver's error for the first statement that failed."""
        results = self._connection.wait(_answered(self._libpq))
        self._libpq.exit_pipeline_mode()
        for result, (answer, prepares) in zip(results, self._asked, strict=True):
            if result.status in _FAILED:
                raise errors.error_from_result(result)
            answer.result = result
            if prepares:
                self._prepared[prepares] = self._preparing[prepares]

    def give_up(self) -> None:
        """End the trip whatever it gave, so that the connection can roll back."""
        with suppress(OperationalError):  # it is gone, and with it what it was to roll back
            if not self._departed:
                self.depart()
            self._connection.wait(_answered(self._libpq))
            self._libpq.exit_pipeline_mode()


def _begin(connection: Connection[Any]) -> bytes:
    """As the driver would say it: a snapshot is one only at the level that was asked for."""
    level = connection.isolation_level
    if level is None:
        return b"BEGIN"
    return b"BEGIN ISOLATION LEVEL " + level.name.replace("_", " ").encode()


def _packed(value: Any) -> tuple[bytes | None, int, int]:
    """The value as it travels, in which format, of which type."""
    if isinstance(value, Texts | Bytes | Integers):
        return value.packed(), _BINARY, value.oid
    if value is None or isinstance(value, bytes):
        return value, _BINARY, _UNTOLD
    return str(value).encode(), _TEXT, _UNTOLD


def _sent(libpq: PGconn) -> Generator[Wait, Ready | int, None]:
    """What the server answers meanwhile is taken in, or both would wait for each other."""
    while libpq.flush():
        ready = yield Wait.RW
        if ready & Ready.R:
            libpq.consume_input()


def _answered(libpq: PGconn) -> Generator[Wait, Ready | int, list[PGresult]]:
    """One result for each statement, up to the end of the trip."""
    results: list[PGresult] = []
    between = False  # after each result comes a nothing; two of them are a connection that ended
    while True:
        while libpq.is_busy():
            yield Wait.R
            libpq.consume_input()
        result = libpq.get_result()
        if result is None:
            if between:
                raise OperationalError(f"the connection ended: {libpq.get_error_message()}")
            between = True
            continue
        between = False
        if result.status == ExecStatus.PIPELINE_SYNC:
            return results
        results.append(result)
