"""Who writes lets those finish who read, but is never kept for longer than a moment."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import pytest
from flask import Flask

from bol_service.http import precedence


class Desk:
    """An app with a question that is answered when the test says so, and a writing route."""

    def __init__(self) -> None:
        self.app = Flask("desk")
        precedence.install(self.app)
        self.asked, self.answered, self.written = (threading.Event() for _ in range(3))
        self.app.add_url_rule("/ask", view_func=self._ask)
        self.app.add_url_rule("/fail", view_func=self._fail)
        self.app.add_url_rule("/write", view_func=self._write, methods=["POST"])

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Somebody reads, for the length of the block."""
        reader = threading.Thread(target=self.app.test_client().get, args=("/ask",))
        reader.start()
        assert self.asked.wait(60)
        try:
            yield
        finally:
            self.answered.set()
            reader.join(60)

    def write(self) -> threading.Thread:
        writer = threading.Thread(target=self.app.test_client().post, args=("/write",))
        writer.start()
        return writer

    def _ask(self) -> str:
        self.asked.set()
        assert self.answered.wait(60)
        return "answer"

    def _fail(self) -> str:
        raise RuntimeError("a question that cannot be answered")

    def _write(self) -> str:
        precedence.give_way()
        self.written.set()
        return "written"


def test_a_writer_waits_until_the_reader_has_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "PATIENCE", 60)
    monkeypatch.setattr(precedence, "_LATELY", 60)  # a thread may begin late
    desk = Desk()
    with desk.asking():
        writer = desk.write()
        assert not desk.written.wait(0.1)
    writer.join(50)
    assert desk.written.is_set()


def test_a_reader_that_stays_keeps_no_writer_for_longer_than_its_patience() -> None:
    desk = Desk()
    with desk.asking():
        desk.write().join(50)
        assert desk.written.is_set()


def test_nobody_waits_for_a_question_that_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "PATIENCE", 60)
    desk = Desk()
    assert desk.app.test_client().get("/fail").status_code == 500
    started = monotonic()
    desk.write().join(50)
    assert desk.written.is_set()
    assert monotonic() - started < 50


def test_writers_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "PATIENCE", 60)
    desk = Desk()
    for writer in [desk.write() for _ in range(3)]:
        writer.join(50)
        assert not writer.is_alive()


def test_who_has_written_is_not_counted_among_those_who_have_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precedence, "PATIENCE", 60)
    monkeypatch.setattr(precedence, "_LATELY", 60)
    desk = Desk()
    desk.write().join(50)
    desk.written.clear()
    with desk.asking():
        writer = desk.write()
        assert not desk.written.wait(0.1)
    writer.join(50)
    assert desk.written.is_set()


A_CROWD = """
from gevent import monkey
monkey.patch_all()
import time, gevent
from gevent.event import Event
from gevent.server import StreamServer
from flask import Flask
from bol_service.http import precedence

precedence.PATIENCE = precedence._LATELY = 60
app, answered = Flask("desk"), Event()
precedence.install(app)
written, accepted = [], []

@app.get("/ask")
def ask():
    answered.wait()
    return "answer"

@app.post("/write/<int:number>")
def write(number):
    precedence.give_way()
    written.append(number)
    until = time.perf_counter() + 0.002
    while time.perf_counter() < until:
        pass  # as who checks a signature
    return "written"

server = StreamServer(("127.0.0.1", 0), lambda *_: accepted.append(len(written)))
server.start()
reader = gevent.spawn(app.test_client().get, "/ask")
gevent.sleep(0.01)
writers = [gevent.spawn(app.test_client().post, f"/write/{n}") for n in range(20)]
gevent.sleep(0.05)
assert written == []
stranger = monkey.get_original("socket", "socket")()
stranger.connect(("127.0.0.1", server.server_port))
answered.set()
gevent.joinall([reader, *writers], timeout=60, raise_error=True)
assert written == list(range(20)), written
assert accepted[0] <= 2, accepted
"""

ONE_ENDS = """
from gevent import monkey
monkey.patch_all()
import gevent
from gevent.event import Event
from bol_service.http.precedence import _Queue

queue, first, had = _Queue(), Event(), []

def write(number):
    with queue.turn():
        first.wait()
        had.append(number)

writers = [gevent.spawn(write, number) for number in range(4)]
gevent.sleep(0.01)
writers[1].kill()
first.set()
gevent.joinall(writers, timeout=20, raise_error=True)
assert had == [0, 2, 3], had
"""


def test_one_that_ends_while_it_waits_holds_up_nobody() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ONE_ENDS], capture_output=True, text=True, timeout=100, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_those_that_waited_go_on_one_by_one_and_hear_who_comes_in_between() -> None:
    """Let go together, all 20 would compute before the new connection is so much as accepted."""
    ran = subprocess.run(
        [sys.executable, "-c", A_CROWD], capture_output=True, text=True, timeout=100, check=False
    )
    assert ran.returncode == 0, ran.stderr
