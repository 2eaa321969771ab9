"""The Verify page in a browser: findings in 中文, the map in print, the verifier to take away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser import PHONE, Computers
from tests.node_verifier import PAGE
from tests.portal_stage import Stage


@pytest.fixture(scope="module")
def evidence(stage: Stage) -> Path:
    client = stage.clients["bankcq"]
    path = f"/v1/bills/{stage.bill_a}/evidence"
    file = stage.folder / "a.ebl.json"
    file.write_bytes(client.request("GET", path, None, None, client.token()).content)
    return file


@pytest.fixture(scope="module")
def altered(evidence: Path) -> Path:
    """One character of a proof is another one: the longest words that a finding can have."""
    content = evidence.read_bytes()
    place = content.index(b'"proof":["') + 14
    other = b"B" if content[place : place + 1] == b"A" else b"A"
    file = evidence.with_name("altered.ebl.json")
    file.write_bytes(content[:place] + other + content[place + 1 :])
    return file


def verified(page: Page, file: Path) -> Page:
    page.set_input_files("#file", file)
    page.locator(".drop button").click()
    page.wait_for_selector(".verdict")
    return page


def barriers(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]


@pytest.mark.parametrize("kind", ["genuine", "altered"])
def test_a_chinese_reader_on_a_phone_reads_every_finding(
    evidence: Path, altered: Path, computers: Computers, kind: str
) -> None:
    visitor = computers.new(locale="zh-CN", viewport=PHONE)
    page = verified(visitor.go("/portal/verify"), evidence if kind == "genuine" else altered)
    visitor.photograph(f"verified {kind}")
    findings = page.locator(".checks li").all()
    assert len(findings) == (10 if kind == "genuine" else 5)
    for finding in findings:
        words = finding.locator("span:not([lang]):not([aria-hidden])").all_inner_texts()
        assert words
        assert all(re.search("[\u4e00-\u9fff]", text) for text in words)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert barriers(page) == []
    if kind == "altered":
        assert "请勿依赖" in page.inner_text(".verdict")
        assert "有记录不在日志中" in page.inner_text(".checks")
        assert page.locator(".corridor").count() == 0


def test_the_map_of_a_verified_file_shows_its_acts_of_custody(
    evidence: Path, computers: Computers
) -> None:
    visitor = computers.new()
    page = verified(visitor.go("/portal/verify"), evidence)
    visitor.photograph("verified")
    assert page.get_by_role("img", name="Custody on the map of the corridor").count() == 1
    rows = page.locator("section[aria-labelledby=custody] tbody tr").count()
    assert page.locator(".corridor > svg .step, .corridor > svg .customs").count() == rows > 10


def test_in_print_and_on_screen_a_route_is_a_line_and_land_is_whole(
    evidence: Path, computers: Computers
) -> None:
    page = verified(computers.new().go("/portal/verify"), evidence)
    for media in ("screen", "print"):
        page.emulate_media(media=media)  # type: ignore[arg-type]
        fills = page.eval_on_selector_all(
            ".corridor .route", "lines => lines.map((line) => getComputedStyle(line).fill)"
        )
        assert fills == ["none", "none"]
        dot = page.eval_on_selector(".corridor .step", "dot => getComputedStyle(dot).fill")
        land = page.eval_on_selector(".corridor .land", "land => getComputedStyle(land).fill")
        assert dot != land


@pytest.mark.parametrize("path", ["/portal/verify", "/portal/bills/{A}"])
def test_the_offline_verifier_is_taken_away_as_a_file_and_not_opened_here(
    stage: Stage, computers: Computers, path: str
) -> None:
    visitor = computers.new()
    visitor.carry(stage.cookie("bankcq"))
    page = visitor.go(path.replace("{A}", stage.bill_a))
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download the offline verifier").click()
    assert saved.value.path().read_bytes() == PAGE.read_bytes()
    answer = stage.request("GET", "/portal/verifier.html")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ebl-verifier.html"'
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
