"""Evidence of the demonstration's voyage, for copies to be printed from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bol_service.verification.trust import Trust
from tests import kit


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """`living` is of a bill just issued, `ended` of the voyage's own once all was delivered;
    `partial` is what the terminal of discharge gets of the latter."""

    living: bytes
    ended: bytes
    partial: bytes
    trust: Trust
    now: datetime


def gather(folder: Path) -> Evidence:
    """Play the whole voyage on a platform of its own."""
    platform = kit.start(folder, ends=datetime.now(UTC) - timedelta(hours=1))
    try:
        voyage = platform.voyage()
        voyage.open()
        for played in voyage.play():
            assert played.as_expected, played
        made = platform.running.services.evidence
        other = str(voyage.saved["s417-issued"]["checksum"])
        return Evidence(
            living=made.bundle(other, "yunling"),
            ended=made.bundle(voyage.bill, "xlsc"),
            partial=made.bundle(voyage.bill, "sgterm"),
            trust=platform.trust(),
            now=datetime.now(UTC),
        )
    finally:
        platform.stop()
