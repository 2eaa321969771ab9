"""The migrations make exactly the tables that the code declares, and leave nothing behind."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Engine, insert, inspect, text

from bol_service.storage import schema
from bol_service.storage.engine import open_engine
from bol_service.storage.schema import SchemaError
from bol_service.storage.tables import metadata

LEFT_BY_ALEMBIC = ["alembic_version"]


@pytest.fixture
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


def guards(engine: Engine) -> list[str]:
    """The triggers and functions of ours in the database."""
    if engine.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = (
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal UNION ALL "
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        )
    with engine.begin() as connection:
        return [row[0] for row in connection.execute(text(query))]


def steps() -> list[str]:
    """All revisions, the oldest first, and `base` before them."""
    found = ScriptDirectory.from_config(schema._config()).walk_revisions()
    return [*(script.revision for script in found), "base"][::-1]


def inventory(engine: Engine) -> dict[str, list[str]]:
    """Columns and indexes by table, and what guards them; not how wide a text may be."""
    found, made = inspect(engine), sorted(guards(engine))
    tables = {
        table: [column["name"] for column in found.get_columns(table)]
        + sorted(str(index["name"]) for index in found.get_indexes(table))
        for table in found.get_table_names()
        if table not in LEFT_BY_ALEMBIC
    }
    return {**tables, "guards": made}


def fill(engine: Engine) -> None:
    """One row in each table, each text as long as it may be."""
    with engine.execution_options(writing=True).begin() as connection:
        for table in metadata.sorted_tables:
            row = {column.name: longest(column) for column in table.columns}
            connection.execute(insert(table), [row])


def counted(engine: Engine, table: str) -> int:
    with engine.begin() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def longest(column: Column[Any]) -> object:
    kind = column.type.python_type
    if kind is not str:
        return kind(1) if kind is bytes else 0
    return "x" * (getattr(column.type, "length", None) or 1000)


def test_an_upgraded_database_is_what_the_tables_declare(engine: Engine) -> None:
    schema.upgrade(engine)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
    schema.require_current(engine)


def test_the_uploader_of_a_document_stays_its_reader(engine: Engine) -> None:
    schema.upgrade(engine, "0004")
    row = {"digest": "d" * 64, "party": "qiaolian", "at": "2027-03-01T04:00:00.000Z"}
    with engine.execution_options(writing=True).begin() as connection:
        connection.execute(
            text(
                "INSERT INTO documents (digest, kind, content, uploaded_by, uploaded_at) "
                "VALUES (:digest, 'instructions', :content, :party, :at)"
            ),
            {**row, "content": b"{}"},
        )
    schema.upgrade(engine)
    with engine.begin() as connection:
        found = connection.execute(text("SELECT digest, party FROM document_uploaders")).all()
    assert [tuple(each) for each in found] == [("d" * 64, "qiaolian")]


def test_each_step_down_undoes_its_step_up_also_over_rows_as_long_as_they_may_be(
    engine: Engine,
) -> None:
    before = {}
    for revision in steps()[1:]:
        schema.upgrade(engine, revision)
        before[revision] = inventory(engine)
    schema.require_current(engine)
    fill(engine)
    for revision, older in pairwise(reversed(steps())):
        schema.downgrade(engine, older)
        schema.upgrade(engine, revision)
        assert inventory(engine) == before[revision]
        assert counted(engine, "bill_parties") == (0 if older == "base" else 1)
        schema.downgrade(engine, older)
        assert inventory(engine) == before.get(older, {"guards": []})


def test_upgrading_a_current_database_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    before = sorted(guards(engine))
    schema.upgrade(engine)
    assert sorted(guards(engine)) == before


def test_a_database_of_a_newer_version_is_not_told_to_be_upgraded(engine: Engine) -> None:
    schema.upgrade(engine)
    with engine.execution_options(writing=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    newest = steps()[-1]
    go_back = partial(schema.go_back, revision="0007")
    for use in (schema.require_current, schema.upgrade, go_back):
        with pytest.raises(SchemaError, match=f"schema 9999, this version knows 0001 to {newest}"):
            use(engine)


def test_going_back_names_the_tables_that_went_and_keeps_the_log(engine: Engine) -> None:
    schema.upgrade(engine)
    assert schema.go_back(engine, "0007") == ["disputes", "registrations"]
    with pytest.raises(SchemaError, match="schema 0007, 0007 is not below it"):
        schema.go_back(engine, "0007")
    schema.upgrade(engine)
    schema.require_current(engine)


def test_going_back_never_takes_the_log_or_its_guards(engine: Engine) -> None:
    schema.upgrade(engine)
    for revision in ("base", "0002", "0001", "9999", "-1"):
        with pytest.raises(SchemaError, match=f"{revision} is no schema to go back to"):
            schema.go_back(engine, revision)
    schema.require_current(engine)
