"""A platform for the tests of the command line: the voyage up to the issue of its bill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bol_service.cli.voyage import Voyage
from tests import kit
from tests.command_line import Office, office_of


@dataclass(frozen=True, kw_only=True)
class Port:
    """`bill` and `other` are both held by their shipper yunling, to its own order."""

    platform: kit.Platform
    voyage: Voyage
    office: Office

    @property
    def bill(self) -> str:
        return self.voyage.bill

    @property
    def other(self) -> str:
        return str(self.voyage.saved["s417-issued"]["checksum"])

    @property
    def shipment(self) -> str:
        return str(self.voyage.saved["shipment"])

    def events(self, bill: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = self.office.done("yunling", "bill", "history", bill)[
            "items"
        ]
        return found


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """Today's Chongqing: the bill is issued, its containers stand in the terminal."""
    ends = datetime.now(UTC) + timedelta(days=7, hours=8)  # the issue falls on this very moment
    platform = kit.start(tmp_path_factory.mktemp("platform"), ends=ends)
    try:
        voyage = platform.voyage()
        voyage.open()
        for played in voyage.play():
            assert played.as_expected, played
            if (played.step, played.action) == ("5", "ISSUE"):
                break
        platform.set_clock(None)
        yield Port(platform=platform, voyage=voyage, office=office_of(platform))
    finally:
        platform.stop()
