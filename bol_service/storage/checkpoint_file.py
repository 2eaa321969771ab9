"""The last checkpoint in a file beside the database, replaced so that it survives a crash.

A database restored from last night's backup knows nothing of what was signed since; this file does.
Keep it on another disk, and let the backup of the database not restore it.
"""

from __future__ import annotations

import os
from pathlib import Path


class FileCheckpoint:
    """Implements `application.ports.CheckpointFile`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "checkpoint"

    @property
    def path(self) -> Path:
        return self._path

    def read(self) -> str | None:
        try:
            # What is not UTF-8 is no note; whoever opens it says so, with the way out.
            return self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None

    def replace(self, note: str) -> None:
        """Write, fsync, rename, fsync the folder: after a crash either note is whole."""
        fresh = self._path.with_suffix(".new")
        with open(fresh, "w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
