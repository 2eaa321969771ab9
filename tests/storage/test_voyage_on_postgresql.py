"""The whole voyage on PostgreSQL: the same acts, the same refusals, the same sound ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bol_service import bootstrap
from bol_service.application.audit import audit
from bol_service.verification.verifier import verify
from tests import kit


def test_the_whole_voyage_goes_as_written_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    platform = kit.start(tmp_path, database_url=postgres_url)
    try:
        voyage = platform.voyage()
        voyage.open()
        surprises = [line for line in voyage.play() if not line.as_expected]
        assert surprises == []
        evidence = platform.client("straits").fetch(f"/v1/bills/{voyage.bill}/evidence").content
        assert verify(evidence, platform.trust(), datetime.now(UTC)).verdict == "GENUINE, ENDED"
        log_key = bootstrap.log_verifier_key(kit.ORIGIN, platform.log_signer)
        report = audit(platform.running.store, [log_key])
        assert report.problems == []
        assert report.entries == platform.running.services.ledger.size() > 50
    finally:
        platform.stop()
