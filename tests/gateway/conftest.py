"""One platform for all tests of a module; each test issues bills of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway_stage import Pair, Stage, pair, stage


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("platform")) as made:
        yield made


@pytest.fixture
def both(on: Stage, tmp_path: Path) -> Iterator[Pair]:
    with pair(on, tmp_path / "state") as made:
        yield made
