"""Runs the tests under a mutant, each in a forked process of its own.

1. `record` runs the tests once in a child and notes for each its seconds and the lines it reaches;
   lines reached at import, or while tests are collected, stand apart.
2. A mutant inside a function is *hot*: a process that has collected the tests forks, the child
   swaps the function's code object and runs the tests that reach the line. A few milliseconds.
3. All others are *cold*: a process that has imported nothing of the project forks, and the child
   imports the faulty module in place of the real one and collects anew.
4. In a child the first failing test ends the run. CPU time and memory are bounded, so that a loop
   without end counts as noticed.

The tests run in the order of how few lines they reach: the closest to the fault come first.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

PASSED, NOTICED, BROKEN = 0, 1, 3
_OPTIONS = ["-p", "no:cacheprovider", "-p", "no:xdist", "-q", "-s", "-m", "not torture"]
_CALLS_WITHOUT_NEWS = 100
_MEMORY = 3 * 2**30
_WALL_SECONDS = 180.0
_PRELOADED = (
    "hypothesis.stateful",
    "cryptography.hazmat.primitives.asymmetric.ec",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.serialization",
    "joserfc.jws",
    "joserfc.jwk",
    "rfc8785",
    "marshmallow",
    "msgspec",
    "flask_smorest",
    "sqlalchemy.orm",
    "alembic.command",
    "structlog",
    "rich.console",
    "click",
    "prometheus_client",
    "jsonschema",
)


@dataclass(kw_only=True)
class Recording:
    """`reached[test]` holds file → lines; `at_import` the lines that ran outside every test."""

    seconds: dict[str, float] = field(default_factory=dict)
    reached: dict[str, dict[str, set[int]]] = field(default_factory=dict)
    at_import: dict[str, set[int]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One mutant to try: `code` is the faulty module, `tests` their ids, the closest first."""

    number: int
    path: Path
    code: CodeType
    function: tuple[str, int] | None
    tests: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Result:
    """`outcome` is killed, timeout or survived; `by` the id of the test that failed."""

    number: int
    outcome: str
    by: str
    seconds: float


# -- recording ---------------------------------------------------------------------------------


class Recorder:
    """A pytest plugin that follows the lines of the files it is given."""

    def __init__(self, paths: set[str]) -> None:
        self.recording = Recording()
        self._paths = paths
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

        def follow(frame: FrameType, event: str, arg: object) -> Any:
            if frame.f_lineno not in lines:
                lines.add(frame.f_lineno)
                calls[frame.f_code] = 0
            return follow

        return follow

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        _forget_cached()
        self._begin(self.recording.reached.setdefault(item.nodeid, {}))
        started = time.process_time()
        yield
        self.recording.seconds[item.nodeid] = time.process_time() - started
        self._begin(self.recording.at_import)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.recording.failed.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.recording.failed.append(report.nodeid)


def _forget_cached() -> None:
    """Tests share what they have made; each shall reach all the lines it rests on."""
    for name, module in list(sys.modules.items()):
        if name.startswith("tests."):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def record(paths: set[str], arguments: list[str]) -> Recording:
    """Runs all tests once, in this process: call it in a child."""
    _settle()
    recorder = Recorder(paths)
    recorder.start()
    with _silence():
        pytest.main(
            [*_OPTIONS, "--continue-on-collection-errors", *arguments], plugins=[recorder]
        )
    sys.settrace(None)
    return recorder.recording


def _settle() -> None:
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


# -- a pool of forked children -----------------------------------------------------------------


class Pool:
    """At most `size` children at once; `done` is told of each result."""

    def __init__(self, size: int, done: Callable[[Result], None]) -> None:
        self._size, self._done = size, done
        self._running: dict[int, tuple[int, int, float]] = {}

    def run(self, task: Task, work: Callable[[Task, int], int]) -> None:
        while len(self._running) >= self._size:
            self._collect()
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            _become_child()
            os._exit(_guarded(work, task, write))
        os.close(write)
        self._running[pid] = (task.number, read, time.monotonic())

    def finish(self) -> None:
        while self._running:
            self._collect()

    def _collect(self) -> None:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            self._stop_the_stuck()
            time.sleep(0.002)
            return
        number, read, started = self._running.pop(pid)
        with os.fdopen(read, "rb") as pipe:
            by = pipe.read().decode("utf-8", "replace")
        code = os.waitstatus_to_exitcode(status)
        outcome = {PASSED: "survived", NOTICED: "killed"}.get(code, "timeout")
        if code == BROKEN:
            raise RuntimeError(f"mutant {number} could not be tried: {by}")
        elapsed = time.monotonic() - started
        self._done(Result(number=number, outcome=outcome, by=by, seconds=elapsed))

    def _stop_the_stuck(self) -> None:
        for pid, (_, _, started) in self._running.items():
            if time.monotonic() - started > _WALL_SECONDS:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _become_child() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)


def _guarded(work: Callable[[Task, int], int], task: Task, write: int) -> int:
    try:
        return work(task, write)
    except BaseException as error:
        os.write(write, repr(error).encode()[:4000])
        return BROKEN


def _bound_cpu(seconds: float) -> None:
    """The process dies of SIGPROF when it has used that much CPU time from now on."""
    signal.setitimer(signal.ITIMER_PROF, 3 + 20 * seconds)


# -- hot mutants -------------------------------------------------------------------------------


class HotRunner:
    """A pytest plugin: in place of the test loop it tries all mutants inside functions."""

    def __init__(
        self, tasks: list[Task], seconds: dict[str, float], workers: int, done: Any
    ) -> None:
        self._tasks, self._seconds = tasks, seconds
        self._pool = Pool(workers, done)
        self._items: dict[str, pytest.Item] = {}
        self._functions: dict[tuple[str, str, int], list[FunctionType]] = {}
        self.not_swapped: list[Task] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        self._functions = _functions({str(task.path) for task in self._tasks})
        gc.collect()
        gc.freeze()
        for task in self._tasks:
            if self._swaps(task):
                self._pool.run(task, self._try)
            else:
                self.not_swapped.append(task)
        self._pool.finish()
        return True

    def _swaps(self, task: Task) -> list[tuple[FunctionType, CodeType]]:
        assert task.function is not None
        code = _code_named(task.code, *task.function)
        found = self._functions.get((str(task.path), *task.function), [])
        if code is None or any(f.__code__.co_freevars != code.co_freevars for f in found):
            return []
        return [(function, code) for function in found]

    def _try(self, task: Task, write: int) -> int:
        for function, code in self._swaps(task):
            function.__code__ = code
        items = [self._items[test] for test in task.tests if test in self._items]
        for item, following in zip(items, [*items[1:], None], strict=True):
            _bound_cpu(self._seconds.get(item.nodeid, 1.0))
            reports = runtestprotocol(item, log=False, nextitem=following)
            if any(report.failed for report in reports):
                os.write(write, item.nodeid.encode()[:4000])
                return NOTICED
        return PASSED


def run_hot(
    tasks: list[Task],
    seconds: dict[str, float],
    arguments: list[str],
    workers: int,
    done: Callable[[Result], None],
) -> list[int]:
    """Call it in a child. Returns the numbers of those that have to be tried cold."""
    _settle()
    runner = HotRunner(tasks, seconds, workers, done)
    pytest.main([*_OPTIONS, *arguments], plugins=[runner])
    return [task.number for task in runner.not_swapped]


def _functions(paths: set[str]) -> dict[tuple[str, str, int], list[FunctionType]]:
    found: dict[tuple[str, str, int], list[FunctionType]] = {}
    for value in gc.get_objects():
        if isinstance(value, FunctionType) and value.__code__.co_filename in paths:
            code = value.__code__
            key = (code.co_filename, code.co_qualname, code.co_firstlineno)
            found.setdefault(key, []).append(value)
    return found


def _code_named(code: CodeType, name: str, line: int) -> CodeType | None:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if (constant.co_qualname, constant.co_firstlineno) == (name, line):
                return constant
            if (found := _code_named(constant, name, line)) is not None:
                return found
    return None


# -- cold mutants ------------------------------------------------------------------------------


class _FaultyModule(importlib.machinery.SourceFileLoader):
    """Loads prepared code in place of what the file holds."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._faulty = code

    def get_code(self, fullname: str) -> CodeType:
        return self._faulty


class _Finder:
    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self._name, self._path, self._code = name, str(path), code

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        loader = _FaultyModule(name, self._path, self._code)
        return importlib.util.spec_from_file_location(name, self._path, loader=loader)


class _Chosen:
    """A pytest plugin: keeps the chosen tests, in their order, and says which one failed."""

    def __init__(self, tests: tuple[str, ...], seconds: dict[str, float], write: int) -> None:
        self._rank = {test: rank for rank, test in enumerate(tests)}
        self._seconds, self._write = seconds, write

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._rank]
        items.sort(key=lambda item: self._rank[item.nodeid])

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        _bound_cpu(self._seconds.get(item.nodeid, 1.0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os.write(self._write, report.nodeid.encode()[:4000])


def run_cold(
    tasks: list[Task],
    seconds: dict[str, float],
    root: Path,
    workers: int,
    done: Callable[[Result], None],
) -> None:
    """Call it in a process that has imported nothing of the project."""
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    _settle()
    pool = Pool(workers, done)

    def attempt(task: Task, write: int) -> int:
        name = ".".join(task.path.relative_to(root).with_suffix("").parts)
        sys.meta_path.insert(0, _Finder(name, task.path, task.code))  # type: ignore[arg-type]
        _bound_cpu(5)
        files = list(dict.fromkeys(test.partition("::")[0] for test in task.tests))
        chosen = _Chosen(task.tests, seconds, write)
        # 5 is "nothing left to run": the tests that would have met the fault were not even made.
        return {0: PASSED}.get(pytest.main([*_OPTIONS, "-x", *files], plugins=[chosen]), NOTICED)

    for task in tasks:
        pool.run(task, attempt)
    pool.finish()
