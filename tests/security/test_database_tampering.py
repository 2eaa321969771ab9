"""What the administrator of the database can change, and that the audit names it.

The triggers are dropped first, as only an administrator can: then every column of the log's tables
is changed, rows are deleted, exchanged and added. Two things an audit from inside cannot see, and
they have tests of their own: a checkpoint missing between others, and a history as a whole.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bol_service import bootstrap
from bol_service.application.audit import AuditReport, audit
from bol_service.application.startup import RollbackSuspected, require_continuity
from bol_service.ledger.note import VerifierKey
from bol_service.storage import tables
from bol_service.storage.checkpoint_file import FileCheckpoint
from bol_service.storage.engine import open_engine
from bol_service.storage.store import SqlStore
from tests import minimal_bill
from tests.superuser import flipped

ENTRIES = 10


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The database of a stopped service with one bill."""

    database: Path
    state_dir: Path
    log_key: VerifierKey

    def copy(self, folder: Path) -> Ledger:
        copied = folder / "copy.db"
        shutil.copy(self.database, copied)
        return Ledger(database=copied, state_dir=self.state_dir, log_key=self.log_key)

    def tamper(self, *statements: str) -> None:
        """As an administrator: without triggers and without foreign keys."""
        with closing(sqlite3.connect(self.database)) as connection:
            connection.create_function("flip", 1, flipped)
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in triggers.fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                assert connection.execute(statement).rowcount != 0, statement
            connection.commit()

    def engine(self) -> Engine:
        return open_engine(f"sqlite:///{self.database}")

    def audit(self) -> AuditReport:
        engine = self.engine()
        try:
            return audit(SqlStore(engine), [self.log_key])
        finally:
            engine.dispose()


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder = tmp_path_factory.mktemp("ledger")
    with minimal_bill.build(folder) as world:
        world.issue()
        key = bootstrap.log_verifier_key(minimal_bill.ORIGIN, world.log_signer)
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
    return Ledger(database=folder / "ledger.db", state_dir=folder / "state", log_key=key)


@pytest.fixture
def ledger(genuine: Ledger, tmp_path: Path) -> Ledger:
    return genuine.copy(tmp_path)


def test_an_honest_ledger_has_no_problems(ledger: Ledger) -> None:
    report = ledger.audit()
    assert (report.problems, report.entries) == ([], ENTRIES)


def test_dropping_the_triggers_alone_changes_nothing(ledger: Ledger) -> None:
    ledger.tamper()
    assert ledger.audit().problems == []


# -- every column --------------------------------------------------------------------------------

# Read by nobody: it says only with which entry the cache was written.
UNREAD = {"states.idx"}
LOG_TABLES = ("log", "entries", "nodes", "checkpoints", "states")


def columns() -> list[str]:
    return [
        f"{table}.{column.name}"
        for table in LOG_TABLES
        for column in tables.metadata.tables[table].columns
        if f"{table}.{column.name}" not in UNREAD | {"log.id"}
    ]


@pytest.mark.parametrize("column", columns())
@pytest.mark.parametrize("row", ["first", "last"])
def test_a_changed_column_is_named(ledger: Ledger, column: str, row: str) -> None:
    table, name = column.split(".")
    order = "ASC" if row == "first" else "DESC"
    # A key moves out of the way of its neighbours; any other value changes in one place.
    shift = f"{name} + 1000" if name in ("idx", "size", "level") else f"flip({name})"
    ledger.tamper(
        f"UPDATE {table} SET {name} = {shift} WHERE rowid = "
        f"(SELECT rowid FROM {table} ORDER BY rowid {order} LIMIT 1)"
    )
    report = ledger.audit()
    assert report.problems
    assert re.search(NAMED[table], report.problems[0]), report.problems


NAMED = {
    "log": r"head|entry 0 ",
    "entries": r"entry [0-9]+\b",
    "nodes": r"tree node",
    "checkpoints": r"checkpoint",
    "states": r"cached state",
}


@pytest.mark.parametrize("index", range(ENTRIES))
def test_an_event_changed_in_its_row_is_named_by_its_index(ledger: Ledger, index: int) -> None:
    ledger.tamper(f"UPDATE entries SET event = flip(event) WHERE idx = {index}")
    assert ledger.audit().problems[0].startswith(f"entry {index} ")


@pytest.mark.parametrize("index", range(ENTRIES))
def test_a_time_changed_in_its_row_is_found(ledger: Ledger, index: int) -> None:
    ledger.tamper(
        f"UPDATE entries SET recorded_at = substr(recorded_at, 1, 20) || "
        f"CASE substr(recorded_at, 21, 3) WHEN '000' THEN '001' ELSE '000' END || 'Z' "
        f"WHERE idx = {index}"
    )
    assert any(f"entry {index}" in problem for problem in ledger.audit().problems)


@pytest.mark.parametrize("value", ["''", "'x'", "x'00'", "'a.b.c'", "7"])
def test_a_row_that_is_no_entry_at_all_is_named(ledger: Ledger, value: str) -> None:
    ledger.tamper(f"UPDATE entries SET event = {value} WHERE idx = 4")
    assert ledger.audit().problems[0].startswith("entry 4 ")


@pytest.mark.parametrize("value", ["x''", "x'7b7d'", "x'00'", "'{}'", "'null'"])
def test_a_state_that_is_no_state_is_named(ledger: Ledger, value: str) -> None:
    ledger.tamper(f"UPDATE states SET state = {value} WHERE stream = 'party:ca'")
    assert "party:ca" in ledger.audit().problems[0]


def test_a_title_changed_in_the_cache_is_named(ledger: Ledger) -> None:
    """The one change that would pay: another possessor."""
    ledger.tamper(
        "UPDATE states SET state = CAST(replace(CAST(state AS TEXT), "
        '\'"possessor":"sh"\', \'"possessor":"xx"\') AS BLOB) WHERE kind = \'bill\''
    )
    problem = ledger.audit().problems[0]
    assert "cached state of bill:" in problem


def test_a_changed_document_is_found(ledger: Ledger) -> None:
    ledger.tamper("UPDATE documents SET content = flip(content)")
    assert "was changed" in ledger.audit().problems[0]


def test_changed_facts_of_a_document_are_found(ledger: Ledger) -> None:
    ledger.tamper(
        "UPDATE documents SET facts = CAST(replace(CAST(facts AS TEXT), 'N0', 'N1') AS BLOB)"
    )
    assert "cached facts" in ledger.audit().problems[0]


# -- rows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(ENTRIES))
def test_a_deleted_entry_is_named(ledger: Ledger, index: int) -> None:
    ledger.tamper(f"DELETE FROM entries WHERE idx = {index}")
    problems = ledger.audit().problems
    last = index == ENTRIES - 1
    expected = "the head says 10 entries, 9 rows are there" if last else f"entry {index} is missing"
    assert any(expected in problem for problem in problems), problems


def test_all_entries_deleted_are_missed(ledger: Ledger) -> None:
    ledger.tamper("DELETE FROM entries")
    assert "the head says 10 entries, 0 rows" in ledger.audit().problems[0]


@pytest.mark.parametrize("index", range(ENTRIES - 1))
def test_two_entries_exchanged_are_named(ledger: Ledger, index: int) -> None:
    other = index + 1
    ledger.tamper(
        f"UPDATE entries SET idx = -1 WHERE idx = {index}",
        f"UPDATE entries SET idx = {index} WHERE idx = {other}",
        f"UPDATE entries SET idx = {other} WHERE idx = -1",
    )
    problems = ledger.audit().problems
    assert re.search(rf"entry ({index}|{other})\b", problems[0]), problems


def test_an_added_entry_is_named(ledger: Ledger) -> None:
    ledger.tamper(
        "INSERT INTO entries SELECT 10, stream, sequence + 1, event, recorded_at, 'x', actor, "
        "action, kid, 'x' FROM entries WHERE idx = 9"
    )
    assert "entry 10" in ledger.audit().problems[0]


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("DELETE FROM nodes WHERE level = 0 AND idx = 3", "tree node 0/3"),
        ("DELETE FROM nodes WHERE level = 3", "tree node 3/0"),
        ("INSERT INTO nodes VALUES (0, 10, zeroblob(32))", "tree nodes are stored"),
        ("DELETE FROM checkpoints WHERE size = 10", "no checkpoint covers the head"),
        ("INSERT INTO checkpoints VALUES (11, 'x')", "more than the 10 entries"),
        ("UPDATE checkpoints SET size = 99 WHERE size = 10", "checkpoint"),
        ("DELETE FROM states WHERE stream = 'party:sh'", "party:sh is missing"),
        (
            "INSERT INTO states SELECT 'party:x', kind, state, sequence, digest, idx FROM states "
            "WHERE stream = 'party:sh'",
            "1 cached states belong to no entry",
        ),
        ("UPDATE log SET note = (SELECT note FROM checkpoints WHERE size = 9)", "own note"),
        ("UPDATE log SET recorded_at = '2999-01-01T00:00:00.000Z'", "the head was recorded at"),
        ("UPDATE log SET size = 9", "the head cannot be read"),
        ("UPDATE log SET frontier = x'00'", "the head cannot be read"),
        ("UPDATE log SET origin = 'demo.other/x'", "entry 0"),
    ],
)
def test_a_row_taken_added_or_exchanged_is_named(
    ledger: Ledger, statement: str, named: str
) -> None:
    ledger.tamper(statement)
    problems = ledger.audit().problems
    assert any(named in problem for problem in problems), problems


def test_two_notes_exchanged_are_named(ledger: Ledger) -> None:
    ledger.tamper(
        "UPDATE checkpoints SET size = -1 WHERE size = 5",
        "UPDATE checkpoints SET size = 5 WHERE size = 6",
        "UPDATE checkpoints SET size = 6 WHERE size = -1",
    )
    assert "the checkpoint of size 5 states" in ledger.audit().problems[0]


# -- what an audit from inside cannot see --------------------------------------------------------


def test_a_checkpoint_missing_between_others_changes_no_proof(ledger: Ledger) -> None:
    """Which sizes were signed is known only to those who kept a receipt; the tree is unharmed."""
    ledger.tamper("DELETE FROM checkpoints WHERE size = 5")
    assert ledger.audit().problems == []


def rolled_back(ledger: Ledger) -> None:
    """The log as it was an entry ago, consistent in itself: as a restored backup is."""
    with closing(sqlite3.connect(ledger.database)) as connection:
        note, recorded = connection.execute(
            "SELECT note, (SELECT recorded_at FROM entries WHERE idx = 8) FROM checkpoints "
            "WHERE size = 9"
        ).fetchone()
    ledger.tamper(
        "DELETE FROM entries WHERE idx = 9",
        "DELETE FROM nodes WHERE (idx + 1) << level > 9",
        "DELETE FROM checkpoints WHERE size = 10",
        "DELETE FROM states WHERE kind = 'bill'",
        "DELETE FROM claims WHERE owner LIKE 'bill:%'",
        "DELETE FROM bill_parties",
        "DELETE FROM bill_containers",
        "DELETE FROM bills",
    )
    with closing(sqlite3.connect(ledger.database)) as connection:
        leaf = connection.execute("SELECT hash FROM nodes WHERE level = 0 AND idx = 8").fetchone()[
            0
        ]
        top = connection.execute("SELECT hash FROM nodes WHERE level = 3 AND idx = 0").fetchone()[0]
        frontier = (9).to_bytes(8) + top + leaf
        connection.execute(
            "UPDATE log SET size = 9, frontier = ?, note = ?, recorded_at = ?",
            (frontier, note, recorded),
        )
        connection.commit()


def test_a_rolled_back_log_is_sound_in_itself_and_refused_at_the_start(ledger: Ledger) -> None:
    rolled_back(ledger)
    assert ledger.audit().problems == []
    engine = ledger.engine()
    try:
        checkpoint_file = FileCheckpoint(ledger.state_dir)
        with pytest.raises(RollbackSuspected, match="older than"):
            require_continuity(SqlStore(engine), checkpoint_file, [ledger.log_key])
    finally:
        engine.dispose()


# -- triggers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["entries", "nodes", "checkpoints"])
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "INSERT OR REPLACE"])
def test_the_database_itself_refuses_to_rewrite_the_log(
    ledger: Ledger, table: str, verb: str
) -> None:
    statement = {
        "UPDATE": f"UPDATE {table} SET rowid = rowid",
        "DELETE": f"DELETE FROM {table}",
        "INSERT OR REPLACE": f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
    }[verb]
    engine = ledger.engine()
    try:
        with (
            pytest.raises(Exception, match=r"append-only|contiguous"),
            engine.execution_options(writing=True).begin() as connection,
        ):
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
    assert ledger.audit().problems == []
