"""Bundles that the tests of this folder tamper with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import bundle_case
from tests.bundle_case import Case


@pytest.fixture(scope="module")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    yield from bundle_case.one_bill(tmp_path_factory.mktemp("minimal"))


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    yield from bundle_case.two_bills(tmp_path_factory.mktemp("two-bills"))
