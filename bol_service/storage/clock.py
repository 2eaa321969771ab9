"""The time, as a port: the system's, or under `demo.` origins one that a file sets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bol_service.wire.event_fields import instant


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class FileClock:
    """Reads an instant like `2027-03-05T08:00:00.000Z` from a file at every question.

    While the file is missing or empty it is the system's time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        try:
            text = self._path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            text = ""
        return instant(text) if text else datetime.now(UTC)
