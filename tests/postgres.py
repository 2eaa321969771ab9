"""A real PostgreSQL for tests: one server per run, a fresh database per test.

The server is the development wheel's, or the one that BOL_TEST_DATABASE_URL names (its user must be
allowed to create databases). There is no third way: where neither starts, the tests fail.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

from scripts import local_postgres

# No test pulls this server's plug; what survives that is PostgreSQL's own affair.
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The administrator's URL of the server."""
    given = os.environ.get("BOL_TEST_DATABASE_URL")
    if given:
        yield make_url(given)
        return
    server = local_postgres.start(settings=FAST)
    try:
        yield make_url(server.url())
    finally:
        server.stop()


@pytest.fixture(scope="session")
def new_postgres_database(postgres_server: URL) -> Iterator[Callable[[], str]]:
    """Makes a fresh, empty database at each call and returns its URL; all go at the end."""
    made: list[str] = []

    def make() -> str:
        name = f"bol_{secrets.token_hex(6)}"
        _administer(postgres_server, f'CREATE DATABASE "{name}"')
        made.append(name)
        return postgres_server.set(database=name).render_as_string(hide_password=False)

    yield make
    if "BOL_TEST_DATABASE_URL" in os.environ:  # our own server goes as a whole
        for name in made:
            _administer(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_url(new_postgres_database: Callable[[], str]) -> str:
    """The URL of a fresh, empty PostgreSQL database."""
    return new_postgres_database()


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh, empty database of either kind."""
    if request.param == "SQLite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    make: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return make()


def _administer(server: URL, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
