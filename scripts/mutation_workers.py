"""Runs the tests under a mutant, each in a forked process of its own.

1. A mutant inside a function is tried *hot*: a process that has collected the tests forks, the
   child swaps the function's code object and runs the tests that reach the line.
2. All others, and survivors whose line also runs at import, are tried *cold*: a process that has
   imported nothing of the project forks, and the child imports the faulty module in place of the
   real one and collects anew.
3. In a child the first failing test ends the run. CPU time and memory are bounded, so that a loop
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
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import pytest
from _pytest.runner import runtestprotocol
from mutation_recording import OPTIONS, settle

PASSED, NOTICED, BROKEN, NOT_SWAPPED, OVERFLOWN = 0, 1, 3, 4, 5
_OUTCOMES = {PASSED: "survived", NOTICED: "killed", NOT_SWAPPED: "survived", BROKEN: "survived"}
_MEMORY = 3 * 2**30
_WALL_SECONDS = 120.0
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


@dataclass(frozen=True, kw_only=True)
class Task:
    """One mutant to try: `code` makes the faulty module, `tests` are ids, the closest first."""

    number: int
    path: Path
    code: Callable[[], CodeType]
    function: tuple[str, int] | None
    tests: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Result:
    """`outcome` is killed, timeout or survived; `by` the id of the test that failed."""

    number: int
    outcome: str
    by: str
    seconds: float


Done = Callable[[Result], object]


# -- a pool of forked children -----------------------------------------------------------------


class Pool:
    """At most `size` children at once; `done` is told of each result."""

    def __init__(self, size: int, done: Done) -> None:
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
        outcome = _OUTCOMES.get(code, "timeout")
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
    except MemoryError:
        return OVERFLOWN
    except BaseException as error:
        os.write(write, f"could not be tried: {error!r}".encode()[:4000])
        return BROKEN


def _bound_cpu(seconds: float) -> None:
    """The process dies of SIGPROF when it uses far more CPU time from now on than the traced run
    did, which was several times slower than this one."""
    signal.setitimer(signal.ITIMER_PROF, 2 + 2 * seconds)


# -- hot mutants -------------------------------------------------------------------------------


class HotRunner:
    """A pytest plugin: in place of the test loop it tries all mutants inside functions."""

    def __init__(
        self, tasks: list[Task], seconds: dict[str, float], workers: int, done: Done
    ) -> None:
        self._tasks, self._seconds = tasks, seconds
        self._pool = Pool(workers, done)
        self._items: dict[str, pytest.Item] = {}
        self._functions: dict[tuple[str, str, int], list[FunctionType]] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        self._functions = _functions({str(task.path) for task in self._tasks})
        gc.collect()
        gc.freeze()
        for task in self._tasks:
            self._pool.run(task, self._try)
        self._pool.finish()
        return True

    def _swaps(self, task: Task) -> list[tuple[FunctionType, CodeType]]:
        assert task.function is not None
        code = _code_named(task.code(), *task.function)
        found = self._functions.get((str(task.path), *task.function), [])
        if code is None or any(f.__code__.co_freevars != code.co_freevars for f in found):
            return []
        return [(function, code) for function in found]

    def _try(self, task: Task, write: int) -> int:
        swaps = self._swaps(task)
        if not swaps:
            os.write(write, b"not swapped")
            return NOT_SWAPPED
        for function, code in swaps:
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
    done: Done,
) -> dict[int, Result]:
    """Call it in a child. Survivors `by` "not swapped" are to be tried cold; so are survivors that
    ran at import, whose traces a swap comes too late for."""
    settle()
    results: dict[int, Result] = {}

    def both(result: Result) -> None:
        results[result.number] = result
        done(result)

    pytest.main([*OPTIONS, *arguments], plugins=[HotRunner(tasks, seconds, workers, both)])
    return results


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
    done: Done,
) -> None:
    """Call it in a process that has imported nothing of the project."""
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    settle()
    pool = Pool(workers, done)

    def attempt(task: Task, write: int) -> int:
        name = ".".join(task.path.relative_to(root).with_suffix("").parts)
        sys.meta_path.insert(0, _Finder(name, task.path, task.code()))
        _bound_cpu(5)
        files = list(dict.fromkeys(test.partition("::")[0] for test in task.tests))
        chosen = _Chosen(task.tests, seconds, write)
        # 5 is "nothing left to run": the tests that would have met the fault were not even made.
        return {0: PASSED}.get(pytest.main([*OPTIONS, "-x", *files], plugins=[chosen]), NOTICED)

    for task in tasks:
        pool.run(task, attempt)
    pool.finish()
