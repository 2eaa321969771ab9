"""One platform and one browser for the portal's tests of a module.

The voyage is played as far as `tests.bill_scene` plays it, but its document is full of hostile
text: every screen that any test opens has to show it as what it is, text.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests import portal_stage
from tests.browser import Computers, browser_with_camera
from tests.portal_stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with portal_stage.stage(tmp_path_factory.mktemp("portal")) as ready:
        yield ready


@pytest.fixture(scope="module")
def computers(stage: Stage, chromium: Browser) -> Iterator[Computers]:
    made = Computers(browser=chromium, base_url=stage.base_url)
    yield made
    for visitor in made.visitors:
        visitor.context.close()


@pytest.fixture(scope="module")
def scanners(stage: Stage, chromium: Browser) -> Iterator[Computers]:
    """Computers with a camera."""
    with browser_with_camera(chromium) as launched:
        made = Computers(browser=launched, base_url=stage.base_url)
        yield made
        for visitor in made.visitors:
            visitor.context.close()


@pytest.fixture(autouse=True)
def _nothing_leaves_and_nothing_complains(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test with a browser: no complaint of it, no request to another place."""
    yield
    for name in {"computers", "scanners"} & {*request.fixturenames}:
        made: Computers = request.getfixturevalue(name)
        assert [visitor.complaints for visitor in made.visitors if visitor.complaints] == []
        assert [visitor.outside for visitor in made.visitors if visitor.outside] == []
