"""Two engines, one answer about disclosed fields: verdict, findings, and each field by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from bol_service.crypto.keys import Algorithm
from bol_service.verification.report import Verdict
from bol_service.wire.disclosure_selection import select
from tests.browser import PHONE
from tests.disclosed_bill import disclosing
from tests.disclosure_forgeries import scene_of, under_another_key
from tests.node_verifier import PAGE
from tests.verifier_disclosures import Asking, Question, committed_to, compared

EVERYTHING = 3000


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """A carrier with ES256; the careless platform's has Ed25519."""
    with disclosing(tmp_path_factory.mktemp("world"), Algorithm.ES256) as world:
        yield Asking(scene_of(world), datetime.now(UTC))


def all_that_may_be_done(asking: Asking, count: int) -> list[Question]:
    return [
        *asking.genuine(),
        *asking.besides(),
        *asking.forgeries(),
        *asking.texts(),
        *asking.payloads(count),
        *asking.pieces(count),
        *asking.flips(count),
    ]


def test_both_engines_say_the_same_to_genuine_fields_and_to_forged_ones(asking: Asking) -> None:
    questions = all_that_may_be_done(asking, 20)
    assert len(questions) >= 160

    answers, disagreements = compared(questions)

    assert disagreements == []
    said = {answer["verdict"] for answer in answers}
    assert said == {str(one) for one in Verdict if one is not Verdict.ENDED}
    reasons = Counter(tuple(answer["findings"][-1][::2]) for answer in answers)
    assert len(reasons) >= 12, "the questions have become one-sided"
    assert {outcome for one in answers for _, _, outcome in one["fields"]} == {
        *("VALID", "INVALID", "UNKNOWN")
    }


def test_both_engines_find_out_what_only_a_careless_platform_lets_in(
    tmp_path: Path,
) -> None:
    with disclosing(tmp_path) as world:
        questions = list(committed_to(world, partial(datetime.now, UTC)))

    answers, disagreements = compared(questions)

    assert disagreements == []
    assert {answer["verdict"] for answer in answers} == {str(Verdict.NOT_GENUINE)}
    assert {tuple(answer["findings"][-1][::2]) for answer in answers} >= {
        ("signature", "wrong_key"),
        ("signature", "bad_signature"),
        ("document", "value_differs"),
    }


def test_the_built_page_judges_fields_as_the_modules_do(asking: Asking) -> None:
    questions = [*asking.genuine(), *asking.besides(), *asking.forgeries()]
    assert compared(questions, "--page", str(PAGE), "--own-arithmetic")[1] == []


@pytest.mark.torture
def test_both_engines_say_the_same_to_everything_done_to_fields(asking: Asking) -> None:
    assert compared(all_that_may_be_done(asking, EVERYTHING))[1] == []


# -- the page ------------------------------------------------------------------------------------


@pytest.fixture
def folder(asking: Asking, tmp_path: Path) -> Path:
    full = asking.scene.full
    (tmp_path / "trust.json").write_bytes(asking.trust)
    (tmp_path / "issue.ebl.json").write_bytes(asking.scene.issue_only())
    (tmp_path / "customs.sdjwt").write_text(select(full, ["customs"]).to_text())
    (tmp_path / "forged.sdjwt").write_text(under_another_key(full, asking.scene.world))
    return tmp_path


def test_the_page_shows_disclosed_fields_by_name_on_a_phone_without_barriers(
    asking: Asking, folder: Path, chromium: Browser
) -> None:
    # The barrier check is a script of its own, which the page's policy would not let in.
    context = chromium.new_context(locale="zh-CN", viewport=PHONE, bypass_csp=True)
    page = context.new_page()
    page.goto(PAGE.as_uri())
    page.set_input_files("#fields", folder / "customs.sdjwt")
    page.wait_for_selector(".verdict.cannot-say")
    where = asking.scene.full.claims.status_at
    assert f"请从 {where} 取得提单证据" in page.inner_text("#summary")
    page.set_input_files("#trust", folder / "trust.json")
    page.set_input_files("#bundle", folder / "issue.ebl.json")
    page.wait_for_selector(".verdict.current")
    shown = page.inner_text("#disclosed")
    assert "货物 1 › HS 编码" in shown
    assert "未披露字段数" in shown
    fields = select(asking.scene.full, ["customs"]).disclosed
    assert page.locator("#disclosed tbody tr").count() == len(fields)
    assert page.locator("#checks > li").count() == 5
    assert page.is_hidden("#bill-section")
    assert Axe().run(page).response["violations"] == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.click("#language-en")
    assert "Goods 1 › HS codes" in page.inner_text("#disclosed")
    page.set_input_files("#fields", folder / "forged.sdjwt")
    page.wait_for_selector(".verdict.not-genuine")
    page.click("#fields-away")
    page.wait_for_selector(".verdict.current")
    assert page.is_hidden("#disclosed-section")
    assert page.is_hidden("#fields-away")
    context.close()
