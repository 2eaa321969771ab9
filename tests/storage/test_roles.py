"""The service's role on PostgreSQL: it can do the service's work, and nothing else.

A role of each test's own serves; the tables belong to the administrator. What is refused here is
refused by rights (SQLSTATE 42501), not by a trigger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from structlog.testing import capture_logs

from bol_service import bootstrap
from bol_service.application.witness_ports import Cosignature, Witnessed
from bol_service.storage import roles, tables
from bol_service.storage.engine import open_engine
from bol_service.storage.roles import RIGHTS, RoleError
from bol_service.storage.store import SqlStore
from bol_service.storage.witnessing import SqlWitnessing
from tests import kit
from tests.parted_roles import Parted, divided, plain


@pytest.fixture
def parted(new_postgres_database: Callable[[], str]) -> Iterator[Parted]:
    with divided(new_postgres_database()) as made:
        yield made


@pytest.fixture(scope="module")
def standing(new_postgres_database: Callable[[], str]) -> Iterator[Parted]:
    """One that no test changes."""
    with divided(new_postgres_database()) as made:
        with made.as_owner.begin() as connection:
            connection.execute(insert(tables.checkpoints), [{"size": 0, "note": "n"}])
        yield made


# -- what the service does -----------------------------------------------------------------------


def test_a_whole_voyage_is_written_by_the_service_role(tmp_path: Path, parted: Parted) -> None:
    with capture_logs() as logged:
        platform = kit.start(tmp_path, database_url=plain(parted.service_url))
        try:
            voyage = platform.voyage()
            voyage.open()
            surprises = [line for line in voyage.play() if not line.as_expected]
        finally:
            platform.stop()
    assert surprises == []
    assert [line for line in logged if line["log_level"] in ("warning", "error")] == []


def test_the_service_role_keeps_what_witnesses_need(parted: Parted) -> None:
    engine = parted.as_service
    with engine.begin() as connection:
        connection.execute(insert(tables.checkpoints), [{"size": 1, "note": "n"}])
    book = SqlWitnessing(SqlStore(engine))
    book.add_cosignature(Cosignature(size=1, witness="w", line="l"))
    for size in (3, 5):
        kept = Witnessed(origin="other.example/ebl", size=size, root=b"r", note=f"{size}")
        assert book.advance(kept.origin, lambda _, kept=kept: kept) == kept


def test_the_service_role_forgets_tokens_and_learns_what_a_document_says(parted: Parted) -> None:
    store = SqlStore(parted.as_service)
    assert store.add_token("t" * 64, "xlsc", "k" * 43, "jti", "2027-03-01T00:00:00.000Z")
    store.forget_tokens("2027-03-02T00:00:00.000Z")
    assert store.bearer("t" * 64) is None


def test_every_table_has_its_row_of_rights() -> None:
    assert set(RIGHTS) == {*tables.metadata.tables, "alembic_version"}
    for table in tables.APPEND_ONLY:
        assert RIGHTS[table] == ("SELECT", "INSERT")


# -- what it cannot do ---------------------------------------------------------------------------


HEADS = {
    "the head bears another origin": "UPDATE log SET origin = 'demo.other.example/ebl'",
    "the head gets a second row": "INSERT INTO log SELECT 2, origin, 0, frontier FROM log",
    "the head is removed": "DELETE FROM log",
    "the head is emptied": "TRUNCATE log",
    "what was cosigned is removed": "DELETE FROM witnessed",
    "what was cosigned bears another name": "UPDATE witnessed SET origin = 'x'",
    "what was cosigned is emptied": "TRUNCATE witnessed",
}
KEPT = {
    f"{table}: {what}": statement.format(table=table, column=column)
    for table, column in {
        "entries": "event",
        "nodes": "hash",
        "checkpoints": "note",
        "cosignatures": "line",
    }.items()
    for what, statement in {
        "a row is changed": "UPDATE {table} SET {column} = {column}",
        "a row is removed": "DELETE FROM {table}",
        "all rows are removed": "TRUNCATE {table} CASCADE",
        "a row is overwritten": (
            "INSERT INTO {table} SELECT * FROM {table} "
            "ON CONFLICT ON CONSTRAINT {table}_pkey DO UPDATE SET {column} = excluded.{column}"
        ),
        "rows are merged": (
            "MERGE INTO {table} USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE"
        ),
        "its triggers are disabled": "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "a trigger is dropped": "DROP TRIGGER {table}_no_update ON {table}",
        "a trigger of its own": (
            "CREATE TRIGGER mine BEFORE INSERT ON {table} FOR EACH ROW "
            "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        ),
        "a rule of its own": "CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING",
        "the table is dropped": "DROP TABLE {table} CASCADE",
        "the table is renamed": "ALTER TABLE {table} RENAME TO other",
    }.items()
}
MAKING = {
    "a table": "CREATE TABLE mine (id integer)",
    "a temporary table that stands before the real one": "CREATE TEMPORARY TABLE entries (id text)",
    "a function": "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "a trigger's function": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RETURN NEW; END'"
    ),
    "a schema": "CREATE SCHEMA mine",
    "itself a replica": "SET session_replication_role = replica",
    "itself the owner": "SET ROLE {owner}",
    "itself a superuser": "ALTER ROLE {service} SUPERUSER",
    "the schema's version": "UPDATE alembic_version SET version_num = '0001'",
}


@pytest.mark.parametrize("statement", (HEADS | KEPT | MAKING).values(), ids=HEADS | KEPT | MAKING)
def test_rights_alone_refuse_the_service_role(standing: Parted, statement: str) -> None:
    told = statement.format(owner=standing.owner, service=standing.service)
    with (
        pytest.raises(ProgrammingError, match="InsufficientPrivilege"),
        standing.as_service.begin() as connection,
    ):
        connection.execute(text(told))


def test_the_triggers_stand_behind_the_rights(parted: Parted) -> None:
    with parted.as_owner.connect() as connection:
        connection.execute(insert(tables.checkpoints), [{"size": 1, "note": "n"}])
        with pytest.raises(DBAPIError, match="checkpoints is append-only"):
            connection.execute(text("DELETE FROM checkpoints"))


# -- the check at every start --------------------------------------------------------------------


EXCESS = {
    "it owns the tables": (
        "ALTER TABLE entries OWNER TO {service}",
        "it is owner of the tables",
    ),
    "it may become the owner": (
        "GRANT {owner} TO {service}",
        "it may become {owner}, which is owner of the tables",
    ),
    "it is a superuser": ("ALTER ROLE {service} SUPERUSER", "it is a superuser"),
    "it may make roles": ("ALTER ROLE {service} CREATEROLE", "it is allowed to make roles"),
    "it may replicate": ("ALTER ROLE {service} REPLICATION", "it is allowed to replicate"),
    "it may change one column of the entries": (
        "GRANT UPDATE (event) ON entries TO {service}",
        "UPDATE on entries",
    ),
    "everybody may empty a table": ("GRANT TRUNCATE ON nodes TO PUBLIC", "TRUNCATE on nodes"),
    "it may rename the log": ("GRANT UPDATE (origin) ON log TO {service}", "UPDATE on log"),
    "it may name a second log": ("GRANT INSERT ON log TO {service}", "INSERT on log"),
    "it may add triggers": ("GRANT TRIGGER ON entries TO {service}", "TRIGGER on entries"),
    "it may count notices anew": (
        "GRANT UPDATE ON SEQUENCE notices_number_seq TO {service}",
        "UPDATE on notices_number_seq",
    ),
    "it may write everywhere": (
        "GRANT pg_write_all_data TO {service}",
        "DELETE on checkpoints",
    ),
    "it may make tables": (
        "GRANT CREATE ON SCHEMA public TO {service}",
        "CREATE on the schema",
    ),
    "everybody may make temporary tables": (
        'GRANT TEMPORARY ON DATABASE "{database}" TO PUBLIC',
        "TEMPORARY on the database",
    ),
    "it may make schemas": (
        'GRANT CREATE ON DATABASE "{database}" TO {service}',
        "CREATE on the database",
    ),
}


@pytest.mark.parametrize(("statement", "words"), EXCESS.values(), ids=EXCESS)
def test_a_service_role_is_refused_when(parted: Parted, statement: str, words: str) -> None:
    roles.require_service(parted.as_service, strict=True)
    parted.as_admin(statement.replace("{database}", str(parted.service_url.database)))
    expected = words.format(owner=parted.owner)
    with pytest.raises(RoleError, match=f"{parted.service} may do more .*{expected}"):
        roles.require_service(parted.as_service, strict=True)
    with capture_logs() as logged:
        roles.require_service(parted.as_service, strict=False)
    assert [line["log_level"] for line in logged] == ["warning"]
    assert expected in logged[0]["excess"]


@pytest.mark.parametrize(
    "words",
    [
        "UPDATE (event) ON entries TO {service}",
        "TRUNCATE, DELETE ON nodes TO PUBLIC",
        "UPDATE ON SEQUENCE notices_number_seq TO {service}",
        "CREATE ON SCHEMA public TO {service}",
    ],
)
def test_granting_again_takes_away_what_is_too_much(parted: Parted, words: str) -> None:
    parted.as_admin(f"GRANT {words}")
    roles.grant(parted.as_owner, parted.service)
    roles.require_service(parted.as_service, strict=True)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        pytest.param(
            "REVOKE INSERT ON entries FROM {service}", "INSERT on entries", id="one right"
        ),
        pytest.param("REVOKE ALL ON log FROM {service}", "SELECT on log, UPDATE on log", id="all"),
        pytest.param(
            "REVOKE ALL ON SEQUENCE notices_number_seq FROM {service}",
            "USAGE on notices_number_seq",
            id="a counter",
        ),
    ],
)
def test_a_service_role_that_lacks_a_right_is_told_how_to_get_it(
    parted: Parted, statement: str, words: str
) -> None:
    parted.as_admin(statement)
    remedy = f"lacks {words}; .*bol db upgrade --service-role {parted.service}"
    for strict in (True, False):
        with pytest.raises(RoleError, match=remedy):
            roles.require_service(parted.as_service, strict=strict)


def test_only_a_demonstration_is_served_by_the_owner(tmp_path: Path, parted: Parted) -> None:
    owned = kit.start(tmp_path, database_url=plain(parted.owner_url))
    owned.stop()
    real = replace(owned.settings, origin="cq.example/ebl", clock_file=None)
    with pytest.raises(RoleError, match="owner of the tables"):
        bootstrap.start(real)


def test_nothing_is_asked_of_sqlite(tmp_path: Path) -> None:
    roles.require_service(open_engine(f"sqlite:///{tmp_path / 'ledger.db'}"), strict=True)


# -- granting ------------------------------------------------------------------------------------


def test_a_role_that_does_not_exist_is_named(parted: Parted) -> None:
    with pytest.raises(RoleError, match="knows no role nobody_here; make it first: CREATE ROLE"):
        roles.grant(parted.as_owner, "nobody_here")


def test_the_owner_cannot_be_the_service_role(parted: Parted) -> None:
    with pytest.raises(RoleError, match=f"{parted.owner} is the role that migrates"):
        roles.grant(parted.as_owner, parted.owner)


def test_sqlite_has_no_roles_to_grant_to(tmp_path: Path) -> None:
    with pytest.raises(RoleError, match="SQLite has no roles; leave out the service role x"):
        roles.grant(open_engine(f"sqlite:///{tmp_path / 'ledger.db'}"), "x")


def test_a_role_with_a_strange_name_is_no_statement(parted: Parted) -> None:
    strange = f"{parted.service}; DROP TABLE log"
    with parted.admin.begin() as connection:
        quoted = parted.admin.dialect.identifier_preparer.quote(strange)
        connection.execute(text(f"ALTER ROLE {parted.service} RENAME TO {quoted}"))
    try:
        roles.grant(parted.as_owner, strange)
    finally:
        with parted.admin.begin() as connection:
            connection.execute(text(f"ALTER ROLE {quoted} RENAME TO {parted.service}"))
    with parted.admin.begin() as connection:
        assert connection.execute(select(tables.log.c.size)).scalar_one() == 0
