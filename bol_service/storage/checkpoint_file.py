"""The last checkpoint in a file beside the database, kept so that it survives a crash.

A database restored from last night's backup knows nothing of what was signed since; this file does.
Keep it on another disk, and let the backup of the database not restore it.

The file has two halves of 4,096 bytes, and a checkpoint goes over the older one: whatever happens
meanwhile, the other is whole. That is one flush of the disk for each group; a new file that takes
the place of the old one is two commits of the file system's journal besides (docs/adr/0039). Both
halves are text: the note, empty lines, and a last line with the number of the replacement and the
SHA-256 of number and note; a half in which they do not agree counts for nothing. A bare note, as
parties and witnesses keep it, is read as well.

Each process has a folder of its own. Two that wrote one file would put an older checkpoint over a
newer one; `FolderLock` keeps the second one out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final
from weakref import finalize

from bol_service.storage.held_file import HeldFile

_HALF: Final = 4096
_LAST_LINE: Final = re.compile(rb"([0-9]{20}) ([0-9a-f]{64})\n")
_LAST_LENGTH: Final = 86


@dataclass(frozen=True, kw_only=True)
class _Half:
    number: int
    note: str

    def __bytes__(self) -> bytes:
        text, number = self.note.encode(), b"%020d" % self.number
        if len(text) + _LAST_LENGTH > _HALF or not self.note.endswith("\n"):
            raise ValueError(f"a note of {len(text)} bytes does not fit in {_HALF}, or has no end")
        last = number + b" " + _digest(number, text) + b"\n"
        return text.ljust(_HALF - _LAST_LENGTH, b"\n") + last


def note_in(content: bytes) -> str:
    """The newest note of a checkpoint file. What is not one of ours is given back as text: whoever
    opens it finds out whether it is a note."""
    halves = [half for half in _halves(content) if half is not None]
    if not halves:
        return content.decode(errors="replace")
    return max(halves, key=lambda half: half.number).note


class CheckpointFileError(OSError):
    """The checkpoint cannot be kept; the message names the file."""


class FileCheckpoint:
    """Implements `application.ports.CheckpointFile`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "checkpoint"
        self._halves: _Halves | None = None

    @property
    def path(self) -> Path:
        return self._path

    def read(self) -> str | None:
        try:
            return note_in(self._path.read_bytes())
        except FileNotFoundError:
            return None

    def replace(self, note: str) -> None:
        """After a crash the file holds this note or the one before. Raises CheckpointFileError."""
        try:
            if not self._overwrite(note):
                self._begin(note)
        except OSError as error:
            raise CheckpointFileError(
                error.errno,
                f"{error.strerror or error}: the checkpoint cannot be kept as {self._path}, and "
                "without it nothing is acknowledged; see to the folder BOL_STATE_DIR and its disk",
            ) from error

    def _overwrite(self, note: str) -> bool:
        """False if there is no file with two halves."""
        if self._halves is None or not self._halves.are_in(self._path):
            self._halves = _Halves.of(self._path)
        if self._halves is None:
            return False
        self._halves.overwrite(note)
        return True

    def _begin(self, note: str) -> None:
        """A file with both halves, in the place of a bare note or of nothing."""
        fresh = self._path.with_suffix(".new")
        with _opened(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as file:
            _write(file, bytes(_Half(number=1, note=note)) + bytes(_HALF), 0)
            os.fsync(file)
        os.replace(fresh, self._path)
        with _opened(self._path.parent, os.O_RDONLY) as folder:
            os.fsync(folder)


class FolderLock(HeldFile):
    """Held for the life of the process whose checkpoint lies in `folder`."""

    def __init__(self, folder: Path) -> None:
        path = folder / "checkpoint.lock"
        super().__init__(
            path,
            f"another process keeps its checkpoint beside {path}. Give each process a "
            "BOL_STATE_DIR of its own, with a copy of the checkpoint file of one that runs",
        )


class _Halves:
    """A file that is kept open, and what nobody else changes: which half is the newer one.

    A write that fails leaves it so: the next one goes over the same half, which may be damaged, and
    not over the one that is known to be on the disk.
    """

    def __init__(self, file: int, newer: int, number: int) -> None:
        self._file = file
        self._newer = newer
        self._number = number
        self._identity = _identity(os.fstat(file))
        finalize(self, os.close, file)

    @classmethod
    def of(cls, path: Path) -> _Halves | None:
        """None if the file has not two halves of which one is whole."""
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        halves = _halves(os.pread(file, 2 * _HALF + 1, 0))
        newer = 0 if _number(halves[0]) >= _number(halves[1]) else 1
        half = halves[newer]
        if half is None:
            os.close(file)
            return None
        return cls(file, newer, half.number)

    def are_in(self, path: Path) -> bool:
        """Whether it is still this file that has the name."""
        try:
            return _identity(os.stat(path)) == self._identity
        except FileNotFoundError:
            return False

    def overwrite(self, note: str) -> None:
        number, older = self._number + 1, 1 - self._newer
        _write(self._file, bytes(_Half(number=number, note=note)), older * _HALF)
        os.fdatasync(self._file)
        self._number, self._newer = number, older


def _identity(found: os.stat_result) -> tuple[int, int, int]:
    """A file by its place, as long as it keeps its size."""
    return found.st_dev, found.st_ino, found.st_size


def _halves(content: bytes) -> tuple[_Half | None, _Half | None]:
    if len(content) != 2 * _HALF:
        return None, None
    return _half(content[:_HALF]), _half(content[_HALF:])


def _half(content: bytes) -> _Half | None:
    """None if it was never written, or not to its end."""
    last = _LAST_LINE.fullmatch(content, _HALF - _LAST_LENGTH)
    if last is None:
        return None
    text = content[: _HALF - _LAST_LENGTH].rstrip(b"\n") + b"\n"
    if _digest(last[1], text) != last[2]:
        return None
    return _Half(number=int(last[1]), note=text.decode())


def _number(half: _Half | None) -> int:
    return half.number if half is not None else 0


def _digest(number: bytes, text: bytes) -> bytes:
    return sha256(number + text).hexdigest().encode()


def _write(file: int, content: bytes, offset: int) -> None:
    written = os.pwrite(file, content, offset)
    if written != len(content):
        raise OSError(f"{written} of {len(content)} bytes of the checkpoint were written")


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    file = os.open(path, flags | os.O_CLOEXEC, 0o666)
    try:
        yield file
    finally:
        os.close(file)
