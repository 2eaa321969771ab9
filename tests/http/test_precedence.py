"""Who writes lets those finish who read, but is never kept for longer than a moment."""

from __future__ import annotations

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
