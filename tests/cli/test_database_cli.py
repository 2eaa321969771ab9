"""`bol db` as the owner of the tables runs it, and what it says to anybody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bol_service.storage import roles, schema
from bol_service.storage.engine import open_engine
from bol_service.storage.roles import RoleError
from tests.command_line import Ran, run
from tests.desk import ORIGIN
from tests.parted_roles import Parted, divided, plain

NOT_SET_UP = 4


@pytest.fixture
def parted(new_postgres_database: Callable[[], str]) -> Iterator[Parted]:
    """Migrated, but without any right of the service role."""
    with divided(new_postgres_database()) as made:
        made.as_admin("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {service}")
        yield made


def db(url: str, *words: str, **settings: str) -> Ran:
    return run("db", *words, BOL_ORIGIN=ORIGIN, BOL_DATABASE_URL=url, **settings)


def test_the_owner_gives_the_service_role_its_rights(parted: Parted) -> None:
    ran = db(plain(parted.owner_url), "upgrade", "--service-role", parted.service, "--json")
    assert ran.json() == {"origin": ORIGIN, "schema": "current", "serviceRole": parted.service}
    roles.require_service(parted.as_service, strict=True)


def test_the_service_role_may_be_a_setting(parted: Parted) -> None:
    ran = db(plain(parted.owner_url), "upgrade", BOL_SERVICE_ROLE=parted.service)
    assert ran.out == f"{ORIGIN}: schema is current; {parted.service} has the service's rights\n"
    roles.require_service(parted.as_service, strict=True)


def test_nothing_is_granted_unless_a_role_is_named(parted: Parted) -> None:
    ran = db(plain(parted.owner_url), "upgrade")
    assert ran.out == f"{ORIGIN}: schema is current\n"
    with pytest.raises(RoleError, match=r"lacks (\w+ on \w+, ){7}\w+ on \w+ and [0-9]+ more; as"):
        roles.require_service(parted.as_service, strict=True)


def test_a_role_that_does_not_exist_is_told_to_be_made(parted: Parted) -> None:
    ran = db(plain(parted.owner_url), "upgrade", "--service-role", "nobody_here", "--json")
    assert ran.code == NOT_SET_UP
    assert "make it first: CREATE ROLE nobody_here LOGIN" in ran.problem()["detail"]


@pytest.mark.parametrize("command", ["upgrade", "restore-triggers"])
def test_who_does_not_own_the_tables_is_told_so(parted: Parted, command: str) -> None:
    ran = db(plain(parted.service_url), command, "--json")
    assert ran.code == NOT_SET_UP
    assert "permission denied" in ran.problem()["detail"]
    assert "the role that owns the tables" in ran.problem()["nextStep"]


def test_a_database_that_does_not_answer_is_told_without_a_trace(parted: Parted) -> None:
    away = parted.owner_url.set(database="nobody_made_this_one")
    ran = db(plain(away), "upgrade", "--json")
    assert ran.code == NOT_SET_UP
    assert 'database "nobody_made_this_one" does not exist' in ran.problem()["detail"]
    assert str(parted.owner_url.password) not in ran.err


def test_triggers_are_put_back_and_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    assert db(url, "upgrade").code == 0
    engine = open_engine(url)
    with engine.execution_options(writing=True).begin() as connection:
        connection.execute(text("DROP TRIGGER nodes_no_delete"))
    assert "nodes_no_delete (missing)" in db(url, "upgrade", "--json").problem()["detail"]
    ran = db(url, "restore-triggers", "--json")
    assert ran.json() == {"origin": ORIGIN, "restored": ["nodes_no_delete (missing)"]}
    schema.require_current(engine)
    assert db(url, "restore-triggers").out == f"{ORIGIN}: restored: nothing was missing\n"


def test_sqlite_is_told_that_it_has_no_roles(tmp_path: Path) -> None:
    ran = db(f"sqlite:///{tmp_path / 'ledger.db'}", "upgrade", "--service-role", "x", "--json")
    assert ran.code == NOT_SET_UP
    assert "SQLite has no roles" in ran.problem()["detail"]


def test_going_back_asks_first_and_names_what_goes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    assert db(url, "upgrade").code == 0
    refused = db(url, "downgrade", "0007", "--json")
    assert refused.code == NOT_SET_UP
    assert "--yes" in refused.problem()["nextStep"]
    schema.require_current(open_engine(url))

    told = db(url, "downgrade", "0007", "--yes", "--json").json()
    assert told == {"origin": ORIGIN, "schema": "0007", "removed": ["disputes", "registrations"]}
    assert "is not below it" in db(url, "downgrade", "0007", "--yes", "--json").problem()["detail"]
    assert db(url, "upgrade").code == 0


@pytest.mark.parametrize("revision", ["0002", "9999", "base"])
def test_a_schema_that_nobody_goes_back_to_is_named_at_once(tmp_path: Path, revision: str) -> None:
    refused = db(f"sqlite:///{tmp_path / 'none.db'}", "downgrade", revision, "--json")
    assert refused.code == NOT_SET_UP
    assert f"{revision} is no schema to go back to" in refused.problem()["detail"]


def test_a_sqlite_database_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    assert db(f"sqlite:///{file}", "upgrade").code == 0
    assert file.stat().st_mode & 0o777 == 0o600
