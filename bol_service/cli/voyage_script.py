"""The script of a voyage, its cast and its document: `seeds/demo`.

All times are shifted so that the voyage ends at a chosen moment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(kw_only=True)
class Script:
    """The script and its cast, with times shifted to end in the 24 hours before `ends` (aware)."""

    folder: Path
    ends: datetime
    voyage: Json = field(init=False)
    parties: list[Json] = field(init=False)
    document: Json = field(init=False)
    shift: timedelta = field(init=False)

    def __post_init__(self) -> None:
        self.voyage = _read(self.folder / "voyage.json")
        self.parties = _read(self.folder / "parties.json")
        self.document = _read(self.folder / "document.json")
        # By whole days: the dates on documents are local dates, and acts that the story has on one
        # day must not come to lie on both sides of midnight.
        whole = (self.ends - self._scenario(self.voyage["ends"])) // timedelta(days=1)
        self.shift = timedelta(days=whole)

    def when(self, text: str) -> datetime:
        """The shifted moment of a scenario time such as `2027-03-05T07:00`."""
        return (self._scenario(text) + self.shift).astimezone(self.zone)

    @property
    def zone(self) -> tzinfo:
        """The zone of the story's places, in which all its local dates are."""
        zone = datetime.fromisoformat(f"2000-01-01T00:00{self.voyage['zone']}").tzinfo
        assert zone is not None
        return zone

    def _scenario(self, text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=self.zone)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
