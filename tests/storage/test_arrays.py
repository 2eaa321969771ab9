"""Columns reach PostgreSQL as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, Text, text

from bol_service.storage.arrays import Bytes, Integers, Texts, column
from bol_service.storage.engine import open_engine

COLUMNS = [
    pytest.param(Texts([]), "text", id="no texts"),
    pytest.param(Texts(["", " ", "NULL", '{"a",\\}', "提单", "\U0001f6a2"]), "text", id="texts"),
    pytest.param(Texts(["a", None, "b"]), "text", id="a text that is missing"),
    pytest.param(Bytes([]), "bytea", id="no bytes"),
    pytest.param(Bytes([b"", b"\x00\xff", None, b"x" * 70_000]), "bytea", id="bytes"),
    pytest.param(Integers([]), "bigint", id="no numbers"),
    pytest.param(Integers([0, -1, 2**63 - 1, -(2**63), None]), "bigint", id="numbers"),
    pytest.param(Integers([3, None, -7]), "integer", id="small numbers"),
]


@pytest.fixture
def connection(postgres_url: str) -> Iterator[Connection]:
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize(("values", "kind"), COLUMNS)
def test_the_server_reads_what_was_sent(connection: Connection, values: Any, kind: str) -> None:
    asked = text(f"SELECT value FROM unnest(CAST(:values AS {kind}[])) AS rows(value)")
    found = [row.value for row in connection.execute(asked, {"values": values})]
    assert found == list(values)


def test_a_number_that_is_too_large_is_refused_before_it_is_sent(connection: Connection) -> None:
    with pytest.raises(Exception, match="too large"):
        connection.execute(text("SELECT CAST(:v AS bigint[])"), {"v": Integers([2**63])})
    connection.rollback()


@pytest.mark.parametrize(
    ("kind", "made"),
    [(Text(), Texts), (LargeBinary(), Bytes), (Integer(), Integers), (BigInteger(), Integers)],
    ids=["text", "bytes", "integer", "bigint"],
)
def test_a_tables_column_says_what_it_holds(kind: Any, made: type) -> None:
    assert type(column(kind, [])) is made
