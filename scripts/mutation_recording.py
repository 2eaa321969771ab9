"""Which test reaches which line, and how long it takes: the tests run once, traced.

Lines that run at import, or while tests are collected, stand apart: no single test reaches them.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import pytest

OPTIONS = ("-p", "no:cacheprovider", "-p", "no:xdist", "-q", "-s", "-m", "not torture")
_CALLS_WITHOUT_NEWS = 1000


@dataclass(kw_only=True)
class Recording:
    """`reached[test]` holds file → lines; `at_import` the lines that ran outside every test."""

    seconds: dict[str, float] = field(default_factory=dict)
    reached: dict[str, dict[str, set[int]]] = field(default_factory=dict)
    at_import: dict[str, set[int]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


class Recorder:
    """A pytest plugin that follows the lines of the files it is given."""

    def __init__(self, paths: set[str]) -> None:
        self.recording = Recording()
        self._paths = paths
        self._kept: set[int] = set()
        self._begin(self.recording.at_import)

    def start(self) -> None:
        threading.settrace(self._trace)
        sys.settrace(self._trace)

    def _begin(self, reached: dict[str, set[int]]) -> None:
        self._reached = reached
        self._calls: dict[CodeType, int] = {}
        self._followers: dict[str, Callable[..., Any]] = {}

    def _trace(self, frame: FrameType, event: str, arg: object) -> Any:
        """Follows a function until it has shown nothing new for many calls in this test."""
        code = frame.f_code
        if code.co_filename not in self._paths:
            return None
        calls = self._calls[code] = self._calls.get(code, 0) + 1
        if calls > _CALLS_WITHOUT_NEWS:
            return None
        follower = self._followers.get(code.co_filename)
        if follower is None:
            follower = self._followers[code.co_filename] = self._follower(code.co_filename)
        return follower(frame, event, arg)

    def _follower(self, path: str) -> Callable[..., Any]:
        lines, calls = self._reached.setdefault(path, set()), self._calls

        def follow(frame: FrameType, _event: str, _arg: object) -> Any:
            if frame.f_lineno not in lines:
                lines.add(frame.f_lineno)
                calls[frame.f_code] = 0
            return follow

        return follow

    def pytest_collection_finish(self) -> None:
        """What was cached by now stays: parameters hold it, and another key of the same name would
        not be theirs."""
        self._kept = {id(cached) for cached in _caches() if cached.cache_info().currsize}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._forget_cached()
        self._begin(self.recording.reached.setdefault(item.nodeid, {}))
        self.start()  # some tests take the tracer away
        started = time.process_time()
        yield
        self.recording.seconds[item.nodeid] = time.process_time() - started
        self._begin(self.recording.at_import)

    def _forget_cached(self) -> None:
        """Tests share what they have made; each shall reach all the lines it rests on."""
        for cached in _caches():
            if id(cached) not in self._kept:
                cached.cache_clear()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.recording.failed.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.recording.failed.append(report.nodeid)


def _caches() -> Iterator[Any]:
    for name, module in list(sys.modules.items()):
        if name.startswith("tests."):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    yield value


def record(paths: set[str], arguments: list[str]) -> Recording:
    """Runs all tests once, in this process: call it in a child."""
    settle()
    recorder = Recorder(paths)
    recorder.start()
    with _silence():
        pytest.main([*OPTIONS, "--continue-on-collection-errors", *arguments], plugins=[recorder])
    sys.settrace(None)
    return recorder.recording


def settle() -> None:
    """The same examples every time, none remembered on disk."""
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutants")


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    kept = os.dup(1), os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    sys.stdout.flush()
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for handle in (*kept, null):
            os.close(handle)
