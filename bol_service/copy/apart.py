"""Printed copies made and opened in a process of its own, with bounds on time and memory.

Setting pages takes a tenth of a second and more of a whole core, and a hostile PDF may take as much
as it is given. Neither may happen in a process where others wait for a release check. So:

1. each job is one short-lived process: bytes in through a pipe, bytes out, nothing else; it gets
   none of our environment but what Python needs to start, and so no key and no passphrase;
2. it gives way to other processes, ends by itself after some seconds of work or too much memory,
   and is ended after `PATIENCE`;
3. at most `at_once` of them run at a time; whoever waits longer than `PATIENCE` is told to return.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from enum import StrEnum
from threading import BoundedSemaphore
from typing import Final

from bol_service.copy.faults import Busy, NoCopy, NoEvidence

PATIENCE: Final = 30.0
AT_ONCE: Final = 2
_REFUSED: Final = 3
_GIGABYTE: Final = 1 << 30
_SECONDS: Final = 20
_POLITE: Final = 5
_PASSED_ON: Final = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")


class _Job(StrEnum):
    PRINT = "print"
    OPEN = "open"


class Copies:
    """Makes copies that name `address` as the place to verify them, and opens copies."""

    def __init__(self, address: str | None = None, at_once: int = AT_ONCE) -> None:
        self.address = address or ""
        self._free = BoundedSemaphore(at_once)

    def printed(self, bundle: bytes) -> bytes:
        """The printed copy of a bundle; raises NoCopy, Busy."""
        return self._run(_Job.PRINT, self.address, bundle, NoCopy)

    def evidence(self, pdf: bytes, limit: int) -> bytes:
        """The bundle inside a copy, at most `limit` bytes, not verified; raises NoEvidence, Busy.

        Its bytes are the attachment's and nothing else's: the pages are not looked at.
        """
        return self._run(_Job.OPEN, str(limit), pdf, NoEvidence)

    def _run(
        self, job: _Job, argument: str, content: bytes, fault: type[NoCopy | NoEvidence]
    ) -> bytes:
        if not self._free.acquire(timeout=PATIENCE):
            raise Busy(f"no place became free in {PATIENCE:.0f} s; come back a little later")
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and module
                # -P: what lies in the folder where somebody opens a file is not ours to import.
                [sys.executable, "-P", "-m", __name__, job, argument],
                input=content,
                capture_output=True,
                timeout=PATIENCE,
                env=environment(),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise fault(f"it took longer than {PATIENCE:.0f} s and was given up") from None
        finally:
            self._free.release()
        if done.returncode == 0:
            return done.stdout
        if done.returncode == _REFUSED:
            raise fault(done.stderr.decode("utf-8", "replace"))
        raise fault(f"it took too much time or memory, or failed (exit {done.returncode})")


def environment() -> dict[str, str]:
    """Of ours only what Python needs to start."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    places = os.pathsep.join(place or os.getcwd() for place in sys.path)
    return {**kept, "PYTHONPATH": places, "PYTHONUTF8": "1", "RAYON_NUM_THREADS": "1"}


# -- inside the process --------------------------------------------------------------------------


def main() -> None:
    """`print ADDRESS` or `open LIMIT`; content on stdin, result on stdout, refusal on stderr."""
    bound_process()
    job, argument = sys.argv[1:3]
    content = sys.stdin.buffer.read()
    try:
        result = _do(_Job(job), argument, content)
    except (NoCopy, NoEvidence) as refused:
        sys.stderr.buffer.write(str(refused).encode("utf-8", "replace"))
        sys.exit(_REFUSED)
    sys.stdout.buffer.write(result)


def _do(job: _Job, argument: str, content: bytes) -> bytes:
    if job is _Job.PRINT:
        from bol_service.copy.printing import print_copy

        return print_copy(content, argument or None)
    from bol_service.copy.reading import attached_bundle

    return attached_bundle(content, int(argument))


def bound_process() -> None:
    """Give way to others; end by itself after too much work, or with too much memory."""
    with suppress(ImportError):  # where there is no such thing, the wall clock alone bounds
        import resource

        os.nice(_POLITE)
        resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (2 * _GIGABYTE, 2 * _GIGABYTE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
