"""N30: evidence that an earlier version made still verifies, to the letter, with this one.

The files under `tests/vectors/` were left by `make demo` of version 0.1.0 and never change. A
change that makes this test fail has changed a signed format.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from bol_service.verification.bundle import read_bundle
from bol_service.verification.report import Outcome, Verdict
from bol_service.verification.trust import read_trust
from bol_service.verification.verifier import verify

VECTORS = Path(__file__).parent.parent / "vectors"
YEARS_LATER = datetime(2046, 1, 1, tzinfo=UTC)


def test_evidence_of_version_0_1_0_verifies_years_later() -> None:
    content = (VECTORS / "voyage-v1.ebl.json").read_bytes()
    trust = read_trust((VECTORS / "voyage-v1.trust.json").read_bytes())

    report = verify(content, trust, YEARS_LATER)

    assert report.verdict is Verdict.ENDED
    assert {finding.outcome for finding in report.findings} == {Outcome.VALID}
    assert report.title is not None
    assert (report.title.status, report.title.title_holder) == ("ACCOMPLISHED", "straits")


def test_reading_and_writing_a_bundle_gives_the_same_bytes() -> None:
    content = (VECTORS / "voyage-v1.ebl.json").read_bytes()

    assert read_bundle(content).to_bytes() == content


def test_the_trust_file_is_public_and_names_no_secret() -> None:
    trust = json.loads((VECTORS / "voyage-v1.trust.json").read_bytes())

    assert trust["demo"] is True
    assert all("d" not in key for key in trust["statementKeys"])
