"""What the database itself refuses, whoever asks: changing, removing or skipping an entry."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError

from bol_service.storage import guards, schema, tables
from bol_service.storage.engine import open_engine
from bol_service.storage.schema import SchemaError
from bol_service.storage.store import SqlStore
from tests.fresh_database import migrate

ORIGIN = "demo.cq.example/ebl"
COLUMNS = {
    "stream": "party:operator",
    "event": "a.b.c",
    "recorded_at": "2027-03-01T00:00:00.000Z",
    "actor": "operator",
    "action": "REGISTER",
    "kid": "k" * 43,
}
WRITING = {
    "an entry is changed": "UPDATE entries SET event = 'x' WHERE idx = 0",
    "an entry is changed to the same": "UPDATE entries SET event = event",
    "an entry is removed": "DELETE FROM entries WHERE idx = 1",
    "a tree node is changed": "UPDATE nodes SET level = 7",
    "a tree node is removed": "DELETE FROM nodes",
    "a checkpoint is changed": "UPDATE checkpoints SET note = 'x'",
    "a checkpoint is removed": "DELETE FROM checkpoints",
    "the head shrinks": "UPDATE log SET size = 1",
    "the log is renamed": "UPDATE log SET origin = 'demo.other.example/ebl'",
    "the head is removed": "DELETE FROM log",
}
REPLACING = {
    "an entry is replaced": "INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE idx = 1",
    "a tree node is replaced": "INSERT OR REPLACE INTO nodes SELECT * FROM nodes",
    "a checkpoint is replaced": "REPLACE INTO checkpoints SELECT size, 'x' FROM checkpoints",
    "the head is replaced": (
        "INSERT OR REPLACE INTO log (id, origin, size, frontier) SELECT id, origin, 0, '' FROM log"
    ),
}
TRUNCATING = {
    f"{name} is emptied": f"TRUNCATE {name} CASCADE"
    for name in ("entries", "nodes", "checkpoints", "log")
}
UPSERTING = {
    "a checkpoint is overwritten": (
        "INSERT INTO checkpoints SELECT size, 'x' FROM checkpoints "
        "ON CONFLICT (size) DO UPDATE SET note = 'x'"
    ),
}


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """A log of two entries; what is refused leaves it as it is, so that all tests share it."""
    name = "sqlite" if request.param == "SQLite" else "postgresql"
    found: Engine = request.getfixturevalue(name)
    return found


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return filled(f"sqlite:///{tmp_path_factory.mktemp('log') / 'ledger.db'}")


@pytest.fixture(scope="module")
def postgresql(new_postgres_database: Callable[[], str]) -> Engine:
    return filled(new_postgres_database())


def filled(url: str) -> Engine:
    """A database with a log of two entries."""
    engine = open_engine(url)
    migrate(engine)
    SqlStore(engine).create_log(ORIGIN)
    with engine.execution_options(writing=True).begin() as connection:
        connection.execute(insert(tables.entries), [row(0), row(1)])
        connection.execute(insert(tables.nodes), [{"level": 0, "idx": 0, "hash": b"h"}])
        connection.execute(insert(tables.checkpoints), [{"size": 2, "note": "n"}])
        connection.execute(tables.log.update().values(size=2))
    return engine


def row(index: int) -> dict[str, object]:
    own = {"event_id": f"id-{index}", "payload_digest": f"{index:064}"}
    return {"idx": index, "sequence": index, **COLUMNS, **own}


def require_refused(engine: Engine, statement: str) -> None:
    with (
        pytest.raises(DBAPIError, match=r"append-only|only grows|contiguous"),
        engine.execution_options(writing=True).begin() as connection,
    ):
        connection.execute(text(statement))


@pytest.mark.parametrize("statement", WRITING.values(), ids=WRITING)
def test_both_databases_refuse_when(engine: Engine, statement: str) -> None:
    require_refused(engine, statement)


@pytest.mark.parametrize("statement", REPLACING.values(), ids=REPLACING)
def test_sqlite_refuses_when(sqlite: Engine, statement: str) -> None:
    require_refused(sqlite, statement)


@pytest.mark.parametrize(
    "statement", (TRUNCATING | UPSERTING).values(), ids=list(TRUNCATING | UPSERTING)
)
def test_postgresql_refuses_when(postgresql: Engine, statement: str) -> None:
    require_refused(postgresql, statement)


@pytest.mark.parametrize("index", [3, 4, -1], ids=["one skipped", "two skipped", "below zero"])
def test_a_gap_in_the_entries_is_refused(engine: Engine, index: int) -> None:
    with (
        pytest.raises(DBAPIError, match="contiguous"),
        engine.execution_options(writing=True).begin() as connection,
    ):
        connection.execute(insert(tables.entries), [row(index)])


def test_a_gap_inside_one_statement_is_refused(engine: Engine) -> None:
    with (
        engine.execution_options(writing=True).connect() as connection,
        pytest.raises(DBAPIError, match="contiguous"),
    ):
        connection.execute(insert(tables.entries).values([row(2), row(4)]))


def test_the_hole_that_a_removed_entry_left_is_not_filled(engine: Engine) -> None:
    place = "" if engine.dialect.name == "sqlite" else " ON entries"
    with engine.execution_options(writing=True).connect() as connection:
        connection.execute(insert(tables.entries).values([row(2), row(3)]))
        connection.execute(text(f"DROP TRIGGER entries_no_delete{place}"))
        connection.execute(text("DELETE FROM entries WHERE idx = 2"))
        with pytest.raises(DBAPIError, match="contiguous"):
            connection.execute(insert(tables.entries).values([row(2)]))
        connection.rollback()
    schema.require_current(engine)


def test_an_insert_of_nothing_is_no_gap(engine: Engine) -> None:
    with engine.execution_options(writing=True).begin() as connection:
        added = connection.execute(
            text("INSERT INTO entries SELECT * FROM entries WHERE idx > 100")
        )
        assert added.rowcount == 0


def test_the_next_entry_and_a_longer_head_are_accepted(database_url: str) -> None:
    engine = filled(database_url)
    with engine.execution_options(writing=True).begin() as connection:
        connection.execute(insert(tables.entries), [row(2), row(3)])
        connection.execute(tables.log.update().values(size=4))
        assert len(connection.execute(tables.entries.select()).all()) == 4


# -- the check before a service starts -----------------------------------------------------------


def test_a_current_database_with_all_guards_passes(engine: Engine) -> None:
    schema.require_current(engine)


def test_an_empty_database_is_told_to_upgrade(database_url: str) -> None:
    with pytest.raises(SchemaError, match=r"schema None, this version needs .*bol db upgrade"):
        schema.require_current(open_engine(database_url))


def test_an_older_schema_is_told_to_upgrade(database_url: str) -> None:
    engine = filled(database_url)
    schema.downgrade(engine, "base")
    with pytest.raises(SchemaError, match="bol db upgrade"):
        schema.require_current(engine)


def test_a_newer_schema_is_refused(database_url: str) -> None:
    engine = filled(database_url)
    with engine.execution_options(writing=True).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="schema 9999"):
        schema.require_current(engine)


GUARDED = {f"{table}_no_{verb}" for table in tables.APPEND_ONLY for verb in ("update", "delete")}
GROWING = {"entries_contiguous", "log_only_grows", "witnessed_only_grows"}
STAYING = {"log_stays", "witnessed_stays"}
TRUNCATED = {f"{table}_no_truncate" for table in (*tables.APPEND_ONLY, "log", "witnessed")}
SQLITE_TRIGGERS = sorted(GUARDED | GROWING | STAYING)
POSTGRESQL_TRIGGERS = sorted(GUARDED | GROWING | TRUNCATED)


def table_of(name: str) -> str:
    return next(table for table in sorted(guards.GUARDED) if name.startswith(f"{table}_"))


def require_refused_start(engine: Engine, *words: str) -> None:
    """The service would not start, and each of `words` is told as a fault."""
    with pytest.raises(SchemaError, match="bol db restore-triggers") as refused:
        schema.require_current(engine)
    faults = str(refused.value).partition(": ")[2].partition(". ")[0]
    assert faults.split(", ") == list(words)


def test_these_are_all_triggers(sqlite: Engine, postgresql: Engine) -> None:
    names = {guard.name for guard in guards.guards("sqlite")}
    assert sorted(names) == SQLITE_TRIGGERS
    names = {guard.name for guard in guards.guards("postgresql")}
    assert sorted(names) == POSTGRESQL_TRIGGERS


@pytest.mark.parametrize("name", SQLITE_TRIGGERS)
def test_sqlite_without_one_of_its_triggers_is_refused_until_it_is_restored(
    sqlite: Engine, name: str
) -> None:
    run(sqlite, f"DROP TRIGGER {name}")
    require_refused_start(sqlite, f"{name} (missing)")
    assert schema.restore_triggers(sqlite) == [f"{name} (missing)"]
    schema.require_current(sqlite)


@pytest.mark.parametrize("name", POSTGRESQL_TRIGGERS)
def test_postgresql_without_one_of_its_triggers_is_refused_until_it_is_restored(
    postgresql: Engine, name: str
) -> None:
    run(postgresql, f"DROP TRIGGER {name} ON {table_of(name)}")
    require_refused_start(postgresql, f"{name} (missing)")
    assert schema.restore_triggers(postgresql) == [f"{name} (missing)"]
    schema.require_current(postgresql)


@pytest.mark.parametrize("way", ["DISABLE", "ENABLE REPLICA", "ENABLE"])
@pytest.mark.parametrize("name", POSTGRESQL_TRIGGERS)
def test_postgresql_with_one_of_its_triggers_not_always_enabled_is_refused(
    postgresql: Engine, name: str, way: str
) -> None:
    run(postgresql, f"ALTER TABLE {table_of(name)} {way} TRIGGER {name}")
    require_refused_start(postgresql, f"{name} (disabled)")
    run(postgresql, f"ALTER TABLE {table_of(name)} ENABLE ALWAYS TRIGGER {name}")
    schema.require_current(postgresql)


def test_a_trigger_of_the_right_name_that_does_nothing_is_refused(sqlite: Engine) -> None:
    run(sqlite, "DROP TRIGGER entries_no_update")
    run(
        sqlite, "CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN SELECT 'fine'; END"
    )
    require_refused_start(sqlite, "entries_no_update (changed)")
    schema.restore_triggers(sqlite)
    schema.require_current(sqlite)


def test_a_trigger_that_fires_only_sometimes_is_refused(postgresql: Engine) -> None:
    run(postgresql, "DROP TRIGGER entries_no_update ON entries")
    run(
        postgresql,
        "CREATE TRIGGER entries_no_update BEFORE UPDATE OF idx ON entries "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    )
    run(postgresql, "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_no_update")
    require_refused_start(postgresql, "entries_no_update (changed)")
    schema.restore_triggers(postgresql)
    schema.require_current(postgresql)


def test_a_function_that_refuses_nothing_is_refused(postgresql: Engine) -> None:
    run(
        postgresql,
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN RETURN NEW; END $$",
    )
    require_refused_start(postgresql, "refuse_change() (changed)")
    schema.restore_triggers(postgresql)
    schema.require_current(postgresql)


def test_a_trigger_of_somebody_else_is_refused_and_left_for_its_maker_to_explain(
    sqlite: Engine,
) -> None:
    run(sqlite, "CREATE TRIGGER mine BEFORE INSERT ON entries BEGIN SELECT RAISE(IGNORE); END")
    require_refused_start(sqlite, "mine (not ours)")
    assert schema.restore_triggers(sqlite) == ["mine (not ours)"]
    require_refused_start(sqlite, "mine (not ours)")
    run(sqlite, "DROP TRIGGER mine")
    schema.require_current(sqlite)


def test_a_rule_that_swallows_entries_is_refused(postgresql: Engine) -> None:
    run(postgresql, "CREATE RULE swallow AS ON INSERT TO entries DO INSTEAD NOTHING")
    require_refused_start(postgresql, "swallow (not ours)")
    run(postgresql, "DROP RULE swallow ON entries")
    schema.require_current(postgresql)


@pytest.mark.parametrize(
    "statement", (WRITING | TRUNCATING).values(), ids=list(WRITING | TRUNCATING)
)
def test_the_replication_role_does_not_turn_the_triggers_off_when(
    postgresql: Engine, statement: str
) -> None:
    with postgresql.connect() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        with pytest.raises(DBAPIError, match=r"append-only|only grows|contiguous"):
            connection.execute(text(statement))


def run(engine: Engine, statement: str) -> None:
    with engine.execution_options(writing=True).begin() as connection:
        connection.execute(text(statement))
