"""The store on one database: opens readings and writings, and keeps what is not in the log.

The schema is made by alembic alone (`bol db upgrade`); `create_log` then names the log once and for
ever. A store refuses a database whose schema or origin is not the one expected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, delete, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from bol_service.application.ports import (
    NOTHING_EXPECTED,
    Bearer,
    DocumentRow,
    Expected,
    Unavailable,
)
from bol_service.ledger.merkle import Frontier
from bol_service.storage import tables
from bol_service.storage.audit_book import SqlBook, open_book
from bol_service.storage.codec import encode_facts
from bol_service.storage.engine import is_sqlite, open_engine
from bol_service.storage.kept_connection import KeptConnection
from bol_service.storage.reading import SqlReading
from bol_service.storage.recent import STATES
from bol_service.storage.statements import Statements
from bol_service.storage.writing import SqlWriting

_BEARER: Final = text(
    "SELECT t.party, t.kid, t.expires, s.state FROM access_tokens t "
    "LEFT JOIN states s ON s.stream = 'party:' || t.party WHERE t.token_hash = :token_hash"
)


class WrongDatabase(RuntimeError):  # noqa: N818 - says what is the matter
    """The database is not set up, or belongs to another log."""


class SqlStore:
    """Implements `application.ports.Store`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changing = engine.execution_options(writing=True)
        self._writers = KeptConnection(engine)
        self._snapshots = self._single = engine  # SQLite's transactions are snapshots by themselves
        if not is_sqlite(engine):
            self._snapshots = engine.execution_options(isolation_level="REPEATABLE READ")
            # For one statement a transaction would be two round trips more.
            self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        # SQLite takes one writer at a time and lets others poll, unfairly; ours wait in turn.
        self._turn: AbstractContextManager[Any] = Lock() if is_sqlite(engine) else nullcontext()

    @property
    def engine(self) -> Engine:
        return self._engine

    def create_log(self, origin: str) -> None:
        """Name the log of a fresh database; does nothing if it has this name already.

        Raises:
            WrongDatabase: The database belongs to another origin.
        """
        with self.changing() as connection:
            if connection.execute(select(tables.log.c.origin)).first() is None:
                connection.execute(
                    insert(tables.log).values(
                        id=1, origin=origin, size=0, frontier=Frontier().to_bytes()
                    )
                )
        self.require_origin(origin)

    def require_origin(self, origin: str) -> None:
        """Raises WrongDatabase unless this database is the log of `origin`."""
        if not inspect(self._engine).has_table("log"):
            raise WrongDatabase("the database has no tables; run: bol db upgrade")
        with self._engine.begin() as connection:
            found = connection.execute(select(tables.log.c.origin)).scalar_one_or_none()
        if found is None:
            raise WrongDatabase("the database names no log; run: bol db upgrade")
        if found != origin:
            raise WrongDatabase(
                f"the database is the log of {found}, the settings say {origin}; an origin never "
                "changes, so point BOL_DATABASE_URL at another database"
            )

    @contextmanager
    def reading(self) -> Iterator[SqlReading]:
        """One snapshot for the whole block."""
        with reached(), self._snapshots.begin() as connection:
            yield SqlReading(connection)

    @contextmanager
    def writing(self, expected: Expected = NOTHING_EXPECTED) -> Iterator[SqlWriting]:
        connection = self._writers.take()
        try:
            with self._turn, connection.begin():
                writing = SqlWriting(connection, expected)
                try:
                    yield writing
                except BaseException:
                    writing.give_up()
                    raise
                writing.finish()
        except BaseException:
            # Whether a failed commit reached the disk is unknown; nothing may go on with what this
            # connection believes. The next one reads the head again.
            connection.invalidate()
            raise
        finally:
            self._writers.give_back(connection)

    def audit_book(self, file: Path | None) -> AbstractContextManager[SqlBook]:
        return open_book(file)

    def opener(self) -> Callable[[], SqlStore]:
        return partial(_opened, self._engine.url.render_as_string(hide_password=False))

    def add_document(self, row: DocumentRow) -> None:
        """Keep an upload; the same bytes are kept once, with their facts if anybody has read them,
        and with all who have sent them.

        Without the second part, whoever uploads a draft's bytes as mere instructions first could
        keep its carrier from ever publishing it. `uploaded_by` and `uploaded_at` stay the first's.
        """
        values = {
            "digest": row.digest,
            "checksum": row.checksum,
            "kind": row.kind,
            "content": row.content,
            "facts": encode_facts(row.facts) if row.facts is not None else None,
            "uploaded_by": row.uploaded_by,
            "uploaded_at": row.uploaded_at,
        }
        if not self._insert_once(tables.documents, values) and row.facts is not None:
            self._learn(row.digest, {name: values[name] for name in ("checksum", "kind", "facts")})
        sender = {"digest": row.digest, "party": row.uploaded_by}
        self._insert_once(tables.document_uploaders, sender)

    def add_token(self, token_hash: str, party: str, kid: str, jti: str, expires: str) -> bool:
        values = {
            "token_hash": token_hash,
            "party": party,
            "kid": kid,
            "jti": jti,
            "expires": expires,
        }
        return self._insert_once(tables.access_tokens, values)

    def bearer(self, token_hash: str) -> Bearer | None:
        with reached(), self._single.begin() as connection:
            found = Statements(connection).ask(_BEARER, {"token_hash": token_hash})
        if not found:
            return None
        [(party, kid, expires, stored)] = found
        state = STATES.read("party", stored) if stored is not None else None
        return Bearer(party=party, kid=kid, expires=expires, state=state)

    def end_token(self, token_hash: str, at: str) -> None:
        table = tables.access_tokens
        mine = table.c.token_hash == token_hash
        with self.changing() as connection:
            row = connection.execute(select(table).where(mine)).one_or_none()
            if row is None or row.expires <= at:
                return
            # The service has no right to change a row: it writes another in its place.
            connection.execute(delete(table).where(mine))
            connection.execute(insert(table).values(**{**row._mapping, "expires": at}))

    def forget_tokens(self, before: str) -> None:
        with self.changing() as connection:
            connection.execute(
                delete(tables.access_tokens).where(tables.access_tokens.c.expires < before)
            )

    @contextmanager
    def changing(self) -> Iterator[Connection]:
        """A transaction that writes what is not in the log, in turn with those that do."""
        with reached(), self._turn, self._changing.begin() as connection:
            yield connection

    def _learn(self, digest: str, read: Mapping[str, object]) -> None:
        table = tables.documents
        with self.changing() as connection:
            connection.execute(
                update(table).where(table.c.digest == digest, table.c.facts.is_(None)).values(read)
            )

    def _insert_once(self, table: Table, values: Mapping[str, object]) -> bool:
        try:
            with self.changing() as connection:
                connection.execute(insert(table).values(values))
        except IntegrityError:
            return False
        return True


@contextmanager
def reached() -> Iterator[None]:
    """A connection that is lost, or a disk that is full, told in our own words."""
    try:
        yield
    except OperationalError as error:
        raise Unavailable(f"the database does not answer: {error.orig}") from error


def _opened(url: str) -> SqlStore:
    return SqlStore(open_engine(url))
