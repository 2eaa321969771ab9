"""A greenlet that waits for PostgreSQL lets the others go on, and is not lost when it dies."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEFORE = """
from gevent import monkey
monkey.patch_all()
import sys, time, gevent
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from bol_service.storage.engine import open_engine
engine = open_engine(sys.argv[1])
"""
OTHERS_GO_ON = """
turns = 0
def others():
    global turns
    while True:
        gevent.sleep(0.01)
        turns += 1
beside = gevent.spawn(others)
with engine.connect() as connection:
    assert type(connection.connection.driver_connection).__name__ == "GreenConnection"
    connection.execute(text("SELECT pg_sleep(0.5)"))
assert turns >= 5, turns
"""
BOTH_WAYS = """
much = "x" * 40_000_000
with engine.connect() as connection:
    assert connection.execute(text("SELECT CAST(:much AS text)"), {"much": much}).scalar() == much
"""
TOGETHER = """
with engine.connect() as connection:
    driver = connection.connection.driver_connection
    with driver.pipeline():
        sent = [driver.cursor().execute("SELECT %s::int", [number]) for number in range(300)]
    assert [each.fetchone()[0] for each in sent] == list(range(300))
"""
DYING = """
with engine.connect() as connection, engine.connect() as other:
    pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    waiting = gevent.spawn(connection.execute, text("SELECT pg_sleep(60)"))
    gevent.sleep(0.1)
    other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    try:
        waiting.get(timeout=20)
    except OperationalError:
        pass
    else:
        raise AssertionError("the dead connection answered")
"""


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(OTHERS_GO_ON, id="others go on while one waits"),
        pytest.param(BOTH_WAYS, id="more than a socket holds goes out and comes back"),
        pytest.param(TOGETHER, id="what is sent together is answered in its order"),
        pytest.param(DYING, id="a connection that is ended while it waits raises"),
    ],
)
def test_in_a_process_of_greenlets(postgres_url: str, what: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", BEFORE + what, postgres_url],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
