"""Files that one process holds for its whole life; the system lets go of them when it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class DatabaseBusy(RuntimeError):  # noqa: N818 - says what is the matter
    """Another process works where only one may."""


class HeldFile:
    """`why` is said to the second one."""

    def __init__(self, path: Path, why: str) -> None:
        self._path = path
        self._why = why
        self._handle: int | None = None

    def acquire(self) -> None:
        """Raises DatabaseBusy if another process holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise DatabaseBusy(self._why) from None
        self._handle = handle

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
