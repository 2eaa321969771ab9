"""What PostgreSQL does for the statements of the hot transaction, from the first entry on."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from bol_service.storage import schema
from bol_service.storage.engine import open_engine

ASKED_FOR_EACH_GROUP = {
    "resends": "SELECT * FROM entries WHERE payload_digest = ANY(CAST(:names AS text[]))",
    "ids": "SELECT * FROM entries WHERE event_id = ANY(CAST(:names AS text[]))",
    "states": "SELECT * FROM states WHERE stream = ANY(CAST(:names AS text[]))",
}
NAMES = [f"name {number}" for number in range(64)]  # as many as a group has


@pytest.mark.parametrize("statement", ASKED_FOR_EACH_GROUP.values(), ids=ASKED_FOR_EACH_GROUP)
def test_no_table_is_read_whole_although_the_log_is_empty_yet(
    statement: str, postgres_url: str
) -> None:
    engine = open_engine(postgres_url)
    schema.upgrade(engine)
    with engine.connect() as connection:
        rows = connection.execute(text(f"EXPLAIN {statement}"), {"names": NAMES})
        plan = "\n".join(row[0] for row in rows)
    engine.dispose()

    assert "Index" in plan
    assert "Seq Scan" not in plan
