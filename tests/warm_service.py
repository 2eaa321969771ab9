"""`bol serve` without the second that its imports take: forked from a process that has them.

For tests that start a server again and again. The child is the very command, in a process group of
its own, with its own environment; only the imports were made before it began. Run as a module this
is the process that forks; it is told what to start in lines of JSON.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from gevent import monkey

ROOT = Path(__file__).parent.parent
IMPORTED = (
    "bol_service.cli.main",
    "bol_service.cli.serve",
    "bol_service.cli.server",
    "gunicorn.workers.ggevent",
    "psycopg",
)


class Launcher:
    """Make it with `launcher`; `launch` may be called from one thread at a time.

    `before` is a function, as `module:name`, that the child calls first.
    """

    def __init__(self, process: subprocess.Popen[str], before: str | None = None) -> None:
        self._process = process
        self._before = before

    def after(self, before: str) -> Launcher:
        """The same launcher, whose children call `before` first."""
        return Launcher(self._process, before)

    def launch(
        self, arguments: Sequence[str], environment: Mapping[str, str], output: Path
    ) -> Forked:
        """`bol` with these arguments; it has already begun."""
        told = {
            "arguments": arguments,
            "environment": environment,
            "output": str(output),
            "before": self._before,
        }
        return Forked(self, int(self.ask(told)))

    def ask(self, value: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(value, default=list) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class Forked:
    """What `subprocess.Popen` would be for it, as far as the tests need that."""

    def __init__(self, launcher: Launcher, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._launcher = launcher
        self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, negative for a signal; raises subprocess.TimeoutExpired."""
        if self.returncode is not None:
            return self.returncode
        ended = select.poll()
        ended.register(self._handle, select.POLLIN)
        if not ended.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired("bol", timeout or 0)
        self.returncode = int(self._launcher.ask({"reap": self.pid}))
        os.close(self._handle)  # once: its number may be another file's by the next time
        return self.returncode

    def terminate(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGTERM)


@contextmanager
def launcher() -> Iterator[Launcher]:
    """A process that has imported the service; what it started ends with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm_service"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Launcher(process)


def _serve_launches() -> None:
    fork, reap = os.fork, os.waitpid  # gevent's own would begin its loop before the fork
    monkey.patch_all()  # as `bol serve` does before these imports
    for module in IMPORTED:
        import_module(module)
    alive: set[int] = set()
    for line in sys.stdin:
        told = json.loads(line)
        if "reap" in told:
            _, status = reap(told["reap"], 0)
            alive.discard(told["reap"])
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = fork()
            if answer == 0:
                _become(told)
            alive.add(answer)
        print(json.dumps(answer), flush=True)
    for pid in alive:
        os.killpg(pid, signal.SIGKILL)


def _become(told: dict[str, Any]) -> NoReturn:
    from bol_service.cli.main import main

    os.setsid()
    written = os.open(told["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for handle, place in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(handle, place)
    os.environ.clear()
    os.environ.update(told["environment"])
    sys.argv = ["bol", *told["arguments"]]
    code: object = 1
    try:
        if told["before"] is not None:
            module, _, name = told["before"].partition(":")
            getattr(import_module(module), name)()
        main()
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    _serve_launches()
