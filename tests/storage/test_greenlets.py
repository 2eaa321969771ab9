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
    turns = 0
    connection.execute(text("SELECT pg_sleep(0.5)"))
    assert turns, "nobody else had a turn"
"""
BOTH_WAYS = """
much = "x" * 40_000_000
with engine.connect() as connection:
    assert connection.execute(text("SELECT CAST(:much AS text)"), {"much": much}).scalar() == much
"""
TOGETHER = """
from bol_service.storage.round_trip import RoundTrip
with engine.connect() as connection:
    trip = RoundTrip(connection.connection.driver_connection)
    sent = [trip.send("SELECT CAST($1 AS integer)", [number]) for number in range(300)]
    trip.depart()
    trip.arrive()
    assert [each.fetchall() for each in sent] == [[(number,)] for number in range(300)]
"""
DYING = """
with engine.connect() as connection, engine.connect() as other:
    pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    waiting = gevent.spawn(connection.execute, text("SELECT pg_sleep(60)"))
    gevent.sleep(0.1)
    other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    try:
        waiting.get(timeout=60)
    except OperationalError:
        pass
    else:
        raise AssertionError("the dead connection answered")
"""
ALIVE = """
from types import SimpleNamespace
from bol_service.application.sequencer import Sequencer
unused = SimpleNamespace()
sequencer = Sequencer(unused, unused, unused, unused, unused)
sequencer.start()
turns = []
gevent.spawn(turns.append, "somebody else's turn")
assert sequencer.alive
assert turns == []
sequencer.stop()
assert turns and not sequencer.alive
"""


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(OTHERS_GO_ON, id="others go on while one waits"),
        pytest.param(BOTH_WAYS, id="more than a socket holds goes out and comes back"),
        pytest.param(TOGETHER, id="what is sent together is answered in its order"),
        pytest.param(ALIVE, id="to ask whether the sequencer lives is no turn of all others"),
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
