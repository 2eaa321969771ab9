"""One voyage for all tests of printed copies."""

from __future__ import annotations

import pytest

from tests.voyage_evidence import Evidence, gather


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return gather(tmp_path_factory.mktemp("voyage"))
