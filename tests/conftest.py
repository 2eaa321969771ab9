"""Fixtures that tests of every folder may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Connection, Engine, event

from tests import compiled_routes
from tests.demo_run import Played, played_in
from tests.postgres import database_url, new_postgres_database, postgres_server, postgres_url

if TYPE_CHECKING:
    from playwright.sync_api import Browser

compiled_routes.remember()

# The same examples every time, however slow the machine is: what fails, fails again. To look for
# new ones: `pytest --hypothesis-profile=searching tests/properties`.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("searching", _PATIENT)
settings.register_profile("steady", _PATIENT, derandomize=True)
settings.load_profile("steady")

__all__ = ["database_url", "new_postgres_database", "postgres_server", "postgres_url"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a worker: a process can drive only one at a time."""
    from tests.browser import browser

    with browser() as launched:
        yield launched


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """What `bol demo` printed and left behind; played once for all workers."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return played_in(shared / "demonstration")


@pytest.fixture(scope="module", autouse=True)
def _databases_are_closed() -> Iterator[None]:
    """No connection of a module outlives it, whoever opened it.

    The engines are kept until then: one that is collected with a connection still open would be
    reported in some other test.
    """
    opened: dict[int, Engine] = {}

    def note(connection: Connection) -> None:
        opened[id(connection.engine)] = connection.engine

    event.listen(Engine, "engine_connect", note)
    yield
    event.remove(Engine, "engine_connect", note)
    for engine in opened.values():
        engine.dispose()
