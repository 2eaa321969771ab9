"""The triggers by which the database itself keeps the log append-only, and the check for them.

They make a slip of an administrator or an injected statement fail loudly. They are hygiene, not
proof: what an administrator can drop is caught by checkpoints, receipts and witnesses
(docs/verification.md).

1. Append-only tables refuse UPDATE, DELETE and (PostgreSQL) TRUNCATE.
2. The rows that hold a head (`log`, `witnessed`) may grow, never shrink, go, or change their name.
3. Entries are numbered without gap. PostgreSQL checks that once per statement: the check of a whole
   group then costs about as much as that of one row.
4. On PostgreSQL all are ENABLE ALWAYS, so that `session_replication_role` does not turn them off.

`faults` compares the definitions too: a trigger of the right name that does nothing is no guard,
and one that is not ours could swallow an INSERT.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from bol_service.storage.tables import APPEND_ONLY

GUARDED: Final = frozenset({*APPEND_ONLY, "log", "witnessed"})
_ALWAYS: Final = "A"
Found = dict[tuple[str, str], str]  # definitions by table and name


@dataclass(frozen=True, kw_only=True)
class Guard:
    """One trigger; `definition` is the text that the database gives back for it."""

    name: str
    table: str
    definition: str


_FUNCTIONS: Final = {
    "refuse_change": "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END",
    "refuse_gap": (
        "DECLARE added_rows bigint; lowest bigint; highest bigint; BEGIN "
        "SELECT count(*), min(idx), max(idx) INTO added_rows, lowest, highest FROM added; "
        "IF highest - lowest + 1 <> added_rows "
        "OR highest <> (SELECT max(idx) FROM entries) "
        "OR lowest <> (SELECT COALESCE(max(idx) + 1, 0) FROM entries WHERE idx < lowest) "
        "THEN RAISE EXCEPTION 'entries are contiguous'; END IF; RETURN NULL; END"
    ),
    "refuse_shrinking": (
        "BEGIN IF TG_OP = 'DELETE' OR NEW.size < OLD.size OR NEW.origin <> OLD.origin THEN "
        "RAISE EXCEPTION 'the log only grows'; END IF; RETURN NEW; END"
    ),
    "refuse_turning_back": (
        "BEGIN IF TG_OP = 'DELETE' OR NEW.size < OLD.size OR NEW.origin <> OLD.origin "
        "OR (NEW.size = OLD.size AND NEW.root <> OLD.root) THEN "
        "RAISE EXCEPTION 'what was cosigned only grows'; END IF; RETURN NEW; END"
    ),
}


def guards(dialect: str) -> tuple[Guard, ...]:
    """All triggers of this version for `sqlite` or `postgresql`."""
    return _SQLITE if dialect == "sqlite" else _POSTGRESQL


def put(connection: Connection, tables: Iterable[str]) -> None:
    """Make the triggers of these tables, in place of any of the same names."""
    wanted = set(tables)
    dialect = connection.dialect.name
    if dialect != "sqlite":
        for name, body in _FUNCTIONS.items():
            _run(
                connection,
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger "
                f"LANGUAGE plpgsql AS $${body}$$",
            )
    for guard in guards(dialect):
        if guard.table in wanted:
            _drop(connection, guard)
            _run(connection, guard.definition)
            if dialect != "sqlite":
                _run(connection, f"ALTER TABLE {guard.table} ENABLE ALWAYS TRIGGER {guard.name}")


def remove(connection: Connection, tables: Iterable[str]) -> None:
    """Undo `put`; the functions go too, so that nothing of ours is left behind."""
    wanted = set(tables)
    dialect = connection.dialect.name
    for guard in guards(dialect):
        if guard.table in wanted:
            _drop(connection, guard)
    if dialect != "sqlite":
        for name in _FUNCTIONS:
            _run(connection, f"DROP FUNCTION {name}()")


def faults(connection: Connection) -> list[str]:
    """What is wrong with triggers of guarded tables, each by its name and what is the matter."""
    if connection.dialect.name == "sqlite":
        return _compared(_sqlite_triggers(connection), _SQLITE)
    found, disabled = _postgresql_triggers(connection)
    return [*_compared(found, _POSTGRESQL), *disabled, *_function_faults(connection)]


def _sqlite_triggers(connection: Connection) -> Found:
    rows = connection.execute(
        text("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
    )
    return {(row.tbl_name, row.name): row.sql for row in rows if row.tbl_name in GUARDED}


def _postgresql_triggers(connection: Connection) -> tuple[Found, list[str]]:
    """Triggers and rules with their definitions; and which of them can be off."""
    rows = connection.execute(
        text(
            "SELECT relname, tgname AS name, tgenabled AS enabled, "
            "pg_get_triggerdef(pg_trigger.oid, true) AS definition "
            "FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE NOT tgisinternal AND pg_table_is_visible(tgrelid) AND relname = ANY(:tables) "
            "UNION ALL SELECT relname, rulename, ev_enabled, '' "
            "FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class "
            "WHERE pg_table_is_visible(ev_class) AND relname = ANY(:tables)"
        ),
        {"tables": sorted(GUARDED)},
    ).all()
    disabled = [
        f"{row.name} (disabled)" for row in rows if row.enabled != _ALWAYS and row.definition
    ]
    return {(row.relname, row.name): row.definition for row in rows}, disabled


def _function_faults(connection: Connection) -> list[str]:
    rows = connection.execute(
        text(
            "SELECT proname, prosrc FROM pg_proc "
            "WHERE proname = ANY(:names) AND pg_function_is_visible(oid)"
        ),
        {"names": list(_FUNCTIONS)},
    )
    found: dict[str, str] = {row.proname: row.prosrc for row in rows}
    return [f"{name}() (changed)" for name, body in found.items() if body != _FUNCTIONS[name]]


def _compared(found: Found, wanted: Iterable[Guard]) -> list[str]:
    ours = {(guard.table, guard.name): guard.definition for guard in wanted}
    missing = [f"{name} (missing)" for table, name in ours if (table, name) not in found]
    strange = [f"{name} (not ours)" for table, name in found if (table, name) not in ours]
    changed = [
        f"{place[1]} (changed)" for place in ours if found.get(place, ours[place]) != ours[place]
    ]
    return missing + strange + changed


def _drop(connection: Connection, guard: Guard) -> None:
    place = "" if connection.dialect.name == "sqlite" else f" ON {guard.table}"
    _run(connection, f"DROP TRIGGER IF EXISTS {guard.name}{place}")


def _run(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))


# -- the definitions, as each database gives them back -------------------------------------------


def _on_sqlite(table: str, name: str, moment: str, why: str, when: str = "") -> Guard:
    condition = f"WHEN {when} " if when else ""
    return Guard(
        name=f"{table}_{name}",
        table=table,
        definition=(
            f"CREATE TRIGGER {table}_{name} BEFORE {moment} ON {table} {condition}"
            f"BEGIN SELECT RAISE(ABORT, '{why}'); END"
        ),
    )


def _on_postgresql(
    table: str, name: str, moment: str, function: str, scope: str = "ROW", added: str = ""
) -> Guard:
    return Guard(
        name=f"{table}_{name}",
        table=table,
        definition=(
            f"CREATE TRIGGER {table}_{name} {moment} ON {table} {added}"
            f"FOR EACH {scope} EXECUTE FUNCTION {function}()"
        ),
    )


_SQLITE: Final = (
    *(
        _on_sqlite(table, f"no_{verb.lower()}", verb, f"{table} is append-only")
        for table in APPEND_ONLY
        for verb in ("UPDATE", "DELETE")
    ),
    _on_sqlite(
        "entries",
        "contiguous",
        "INSERT",
        "entries are contiguous",
        "NEW.idx <> (SELECT COALESCE(MAX(idx) + 1, 0) FROM entries)",
    ),
    _on_sqlite(
        "log",
        "only_grows",
        "UPDATE",
        "the log only grows",
        "NEW.size < OLD.size OR NEW.origin <> OLD.origin",
    ),
    _on_sqlite("log", "stays", "DELETE", "the log only grows"),
    _on_sqlite(
        "witnessed",
        "only_grows",
        "UPDATE",
        "what was cosigned only grows",
        "NEW.size < OLD.size OR NEW.origin <> OLD.origin "
        "OR (NEW.size = OLD.size AND NEW.root <> OLD.root)",
    ),
    _on_sqlite("witnessed", "stays", "DELETE", "what was cosigned only grows"),
)

_POSTGRESQL: Final = (
    *(
        _on_postgresql(table, f"no_{verb.lower()}", f"BEFORE {verb}", "refuse_change")
        for table in APPEND_ONLY
        for verb in ("UPDATE", "DELETE")
    ),
    *(
        _on_postgresql(table, "no_truncate", "BEFORE TRUNCATE", "refuse_change", "STATEMENT")
        for table in sorted(GUARDED)
    ),
    _on_postgresql(
        "entries",
        "contiguous",
        "AFTER INSERT",
        "refuse_gap",
        "STATEMENT",
        "REFERENCING NEW TABLE AS added ",
    ),
    _on_postgresql("log", "only_grows", "BEFORE DELETE OR UPDATE", "refuse_shrinking"),
    _on_postgresql("witnessed", "only_grows", "BEFORE DELETE OR UPDATE", "refuse_turning_back"),
)
