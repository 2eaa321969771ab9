"""What the service may do in a PostgreSQL database that another role owns (docs/adr/0021).

1. The owner migrates; the service has the rights of `RIGHTS` and no other: nothing that changes or
   removes an entry, no table, trigger or temporary table of its own.
2. `grant` is run by the owner after a migration: it takes everything from the role and gives it
   `RIGHTS`, so that the rights are those of this version, whatever was granted before.
3. `require_service` looks, at every start, at the role that logged in, since an injected RESET ROLE
   comes back to it: its attributes, the roles it may become, and each right on each column.

Triggers stop mistakes of the owner, rights stop the service; neither stops the owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, text

from bol_service.storage.schema import SchemaError

_READ: Final = ("SELECT",)
_ADD: Final = ("SELECT", "INSERT")
_CHANGE: Final = ("SELECT", "INSERT", "UPDATE")
_REPLACE: Final = ("SELECT", "INSERT", "DELETE")
_MANAGE: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")

RIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "entries": _ADD,
    "nodes": _ADD,
    "checkpoints": _ADD,
    "cosignatures": _ADD,
    "log": ("SELECT", "UPDATE (size, frontier, recorded_at, note)"),
    "witnessed": ("SELECT", "INSERT", "UPDATE (size, root, note)"),
    "disputes": _ADD,
    "states": _CHANGE,
    "claims": _REPLACE,
    "keys": _ADD,
    "bills": _CHANGE,
    "bill_parties": _ADD,
    "bill_containers": _ADD,
    "draft_parties": _ADD,
    "mandates": _REPLACE,
    "documents": _CHANGE,
    "document_uploaders": _ADD,
    "notices": _ADD,
    "access_tokens": _REPLACE,
    "webhooks": _MANAGE,
    "deliveries": _MANAGE,
    "inbound_transfers": _REPLACE,
    "inbound_documents": _ADD,
    "outbound_transfers": _CHANGE,
    "flows": _ADD,
    "peer_applications": _ADD,
    "evidence_followed": _CHANGE,
    "evidence_offers": _CHANGE,
    "parties_abroad": _ADD,
    "kept_evidence": _CHANGE,
    "kept_boxes": _ADD,
    "kept_checkpoints": _ADD,
    "registrations": _MANAGE,
    "alembic_version": _READ,
}
_SEQUENCES: Final[Mapping[str, tuple[str, ...]]] = {
    "notices_number_seq": ("USAGE",),
    "flows_number_seq": ("USAGE",),
    "peer_applications_number_seq": ("USAGE",),
}
_BY_COLUMN: Final = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
_BY_TABLE: Final = ("DELETE", "TRUNCATE", "TRIGGER")
_BY_SEQUENCE: Final = ("USAGE", "SELECT", "UPDATE")
_ATTRIBUTES: Final = {
    "rolsuper": "a superuser",
    "rolcreaterole": "allowed to make roles",
    "rolcreatedb": "allowed to make databases",
    "rolreplication": "allowed to replicate",
    "rolbypassrls": "allowed to bypass row security",
}

log = structlog.get_logger()


SHOWN: Final = 8  # rights, in a message


class RoleError(SchemaError):
    """The role cannot be the service's; the message names it and says what to do."""


def grant(engine: Engine, role: str) -> None:
    """Give `role` exactly the service's rights; PostgreSQL, as owner of the tables.

    Raises:
        RoleError: SQLite has no roles; the role does not exist, or owns the tables itself.
    """
    if engine.dialect.name == "sqlite":
        raise RoleError(f"SQLite has no roles; leave out the service role {role}")
    quote = engine.dialect.identifier_preparer.quote
    with engine.begin() as connection:
        _require_other(connection, role)
        name = quote(role)
        for table, rights in RIGHTS.items():
            _run(connection, f"REVOKE ALL ON {table} FROM PUBLIC, {name}")
            _run(connection, f"GRANT {', '.join(rights)} ON {table} TO {name}")
        for sequence, rights in _SEQUENCES.items():
            _run(connection, f"REVOKE ALL ON SEQUENCE {sequence} FROM PUBLIC, {name}")
            _run(connection, f"GRANT {', '.join(rights)} ON SEQUENCE {sequence} TO {name}")
        _close_the_rest(connection, name)


def require_service(engine: Engine, *, strict: bool) -> None:
    """Look at the rights of this connection's role; nothing to do on SQLite.

    Without `strict` a role that may do too much is only told to the log.

    Raises:
        RoleError: A right is lacking; or, with `strict`, the role has one that `RIGHTS` does not.
    """
    if engine.dialect.name == "sqlite":
        return
    with engine.begin() as connection:
        role = connection.execute(text("SELECT session_user")).scalar_one()
        held = _held(connection)
        beyond = _named(right for right, has in held.items() if has and not _given(*right))
        lacking = _named(right for right, has in held.items() if not has and _given(*right))
        excess = _powers(connection) or [*beyond, *_places(connection)]
    if lacking:
        raise RoleError(
            f"the database role {role} lacks {_few(lacking)}; as owner of the tables run: "
            f"bol db upgrade --service-role {role}"
        )
    if excess and strict:
        raise RoleError(
            f"the database role {role} may do more than the service should: {', '.join(excess)}. "
            "Serve with a role of its own, made with CREATE ROLE … LOGIN and given its rights by "
            "the owner with `bol db upgrade --service-role …` (docs/operations.md, Database roles)"
        )
    if excess:
        log.warning("database role has too many rights", role=role, excess=excess)


def _few(rights: Sequence[str]) -> str:
    """A fresh role lacks all of them: nobody looks through seventy."""
    more = len(rights) - SHOWN
    return ", ".join(rights[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _require_other(connection: Connection, role: str) -> None:
    found = connection.execute(
        text("SELECT rolname = current_user FROM pg_roles WHERE rolname = :role"), {"role": role}
    ).scalar_one_or_none()
    if found is None:
        raise RoleError(
            f"the database knows no role {role}; make it first: CREATE ROLE {role} LOGIN PASSWORD …"
        )
    if found:
        raise RoleError(
            f"{role} is the role that migrates; name another one for the service, which must not "
            "own the tables"
        )


def _close_the_rest(connection: Connection, name: str) -> None:
    """Nobody but the owner makes tables here; a temporary one could stand before a real one."""
    database, schema, owns_database, owns_schema = connection.execute(
        text(
            "SELECT quote_ident(datname), quote_ident(nspname), "
            "pg_has_role(current_user, datdba, 'USAGE'), "
            "pg_has_role(current_user, nspowner, 'USAGE') "
            "FROM pg_database, pg_namespace "
            "WHERE datname = current_database() AND nspname = current_schema()"
        )
    ).one()
    if owns_database:
        _run(connection, f"REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC, {name}")
        _run(connection, f"GRANT CONNECT ON DATABASE {database} TO {name}")
    if owns_schema:
        _run(connection, f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {name}")
        _run(connection, f"GRANT USAGE ON SCHEMA {schema} TO {name}")


def _powers(connection: Connection) -> list[str]:
    """What stands above all rights: being a superuser or the owner, or being able to become one."""
    attributes = ", ".join(_ATTRIBUTES)
    rows = connection.execute(
        text(
            f"SELECT rolname, rolname = session_user AS itself, {attributes}, "  # noqa: S608
            "EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid AND relname = ANY(:tables) "
            "AND pg_table_is_visible(pg_class.oid)) AS owns "
            "FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER') "
            "ORDER BY rolname <> session_user, rolname"
        ),
        {"tables": list(RIGHTS)},
    ).all()
    found = []
    for row in rows:
        holder = "it is" if row.itself else f"it may become {row.rolname}, which is"
        words = [word for name, word in _ATTRIBUTES.items() if getattr(row, name)]
        words += ["owner of the tables"] if row.owns else []
        found += [f"{holder} {' and '.join(words)}"] if words else []
        if row.rolsuper:  # which may become anybody
            break
    return found


def _held(connection: Connection) -> dict[tuple[str, str, str], bool]:
    """By table, column (empty where it is none's) and verb: whether the role has that right."""
    rows = connection.execute(
        text(
            "SELECT relname, attname, verb, "
            "has_column_privilege(session_user, pg_class.oid, attnum, verb) AS held "
            "FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, "
            "unnest(CAST(:by_column AS text[])) AS verb "
            "WHERE relname = ANY(:tables) AND pg_table_is_visible(pg_class.oid) "
            "AND attnum > 0 AND NOT attisdropped "
            "UNION ALL "
            "SELECT relname, '', verb, has_table_privilege(session_user, oid, verb) "
            "FROM pg_class, unnest(CAST(:by_table AS text[])) AS verb "
            "WHERE relname = ANY(:tables) AND pg_table_is_visible(oid) "
            "UNION ALL "
            "SELECT relname, '', verb, has_sequence_privilege(session_user, oid, verb) "
            "FROM pg_class, unnest(CAST(:by_sequence AS text[])) AS verb "
            "WHERE relname = ANY(:sequences) AND pg_table_is_visible(oid)"
        ),
        {
            "tables": list(RIGHTS),
            "by_column": list(_BY_COLUMN),
            "by_table": list(_BY_TABLE),
            "sequences": list(_SEQUENCES),
            "by_sequence": list(_BY_SEQUENCE),
        },
    )
    return {(row.relname, row.attname, row.verb): row.held for row in rows}


def _named(rights: Iterable[tuple[str, str, str]]) -> list[str]:
    return sorted({f"{verb} on {table}" for table, _, verb in rights})


def _given(table: str, column: str, verb: str) -> bool:
    for right in {**RIGHTS, **_SEQUENCES}[table]:
        allowed, _, columns = right.partition(" (")
        if allowed == verb:
            return not columns or column in columns.rstrip(")").split(", ")
    return False


def _places(connection: Connection) -> list[str]:
    """Where the role could make tables."""
    row = connection.execute(
        text(
            "SELECT has_database_privilege(session_user, current_database(), 'CREATE'), "
            "has_database_privilege(session_user, current_database(), 'TEMPORARY'), "
            "has_schema_privilege(session_user, current_schema(), 'CREATE')"
        )
    ).one()
    names = ("CREATE on the database", "TEMPORARY on the database", "CREATE on the schema")
    return [name for name, held in zip(names, row, strict=True) if held]


def _run(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
