"""The migrations make exactly the tables that the code declares, and leave nothing behind."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from bol_service.storage import schema
from bol_service.storage.engine import open_engine
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


def test_a_downgrade_leaves_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    schema.downgrade(engine, "base")
    assert inspect(engine).get_table_names() == LEFT_BY_ALEMBIC
    assert guards(engine) == []


def test_a_database_that_went_down_comes_up_again(engine: Engine) -> None:
    schema.upgrade(engine)
    before = sorted(guards(engine))
    schema.downgrade(engine, "base")
    schema.upgrade(engine)
    assert sorted(guards(engine)) == before
    schema.require_current(engine)


def test_upgrading_a_current_database_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    before = sorted(guards(engine))
    schema.upgrade(engine)
    assert sorted(guards(engine)) == before
