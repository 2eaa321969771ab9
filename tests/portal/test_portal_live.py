"""Parts of pages that renew themselves: search while typing, what waits, and the gate desk's field.

Each works without scripts as well; here it is the script that is looked at, and that nothing stays
on the screen which is no longer so.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import Computers, Visitor
from tests.portal_screens import barriers
from tests.portal_stage import Stage

ASKED = re.compile(r"/portal/to-do\?seen=")
BOX, OTHER = "XLCU7001127", "XLCU7001132"


@pytest.fixture(scope="module")
def clerk(stage: Stage, computers: Computers) -> Visitor:
    visitor = computers.new()
    visitor.carry(stage.cookie("bankcq"))
    return visitor


def test_bills_are_found_while_typing(stage: Stage, clerk: Visitor) -> None:
    page = clerk.go("/portal/bills")
    page.evaluate("window.same = true")
    page.locator("#q").press_sequentially("00418")
    page.wait_for_url("**/bills?q=00418")
    assert page.locator("#found tbody tr").count() == 1
    assert "1 bills found" in (page.text_content("#found [role=status]") or "")
    page.locator("#q").press_sequentially("x")
    page.wait_for_selector("#found .empty")
    assert page.evaluate("window.same && document.activeElement.id") == "q"
    assert barriers(page) == []


def test_what_waits_renews_itself_only_when_it_changed(stage: Stage, clerk: Visitor) -> None:
    page = clerk.go("/portal/to-do")
    with page.expect_response(ASKED) as unchanged:
        poll(page)
    assert unchanged.value.status == 204
    stage.clients["bankcq"].act("GRANT_MANDATE", "party:bankcq", {}, recipient="qiaolian")
    with page.expect_response(ASKED) as still:
        poll(page)
    assert still.value.status == 204  # nobody is told of its own mandate
    stream = f"bill:{stage.bill_b}"
    stage.clients["yunling"].act("TRANSFER", stream, {}, recipient="bankcq")
    with page.expect_response(ASKED) as changed:
        poll(page)
    assert changed.value.status == 200
    page.wait_for_selector("#waiting a >> text=A bill came to you")
    assert page.locator("#waiting").count() == 1
    assert page.locator("#waiting time").first.inner_text().endswith("(UTC+8)")
    with page.expect_response(ASKED) as calm:
        poll(page)
    assert calm.value.status == 204
    stage.clients["bankcq"].act("REFUSE", stream, {"reason": "a test"})


def poll(page: Page) -> None:
    """Let the page ask at once, as it does by itself every minute."""
    page.evaluate(
        """() => {
            const asks = document.querySelector("[hx-trigger='every 60s']");
            htmx.ajax("GET", asks.getAttribute("hx-get"), { source: asks });
        }"""
    )


def test_what_waits_stays_as_it_is_when_the_log_in_has_ended(
    stage: Stage, computers: Computers
) -> None:
    visitor = computers.new()
    visitor.carry(stage.cookie("bankcq"))
    page = visitor.go("/portal/to-do")
    before = page.inner_text("#waiting")
    visitor.context.clear_cookies()
    told = page.expect_console_message(lambda message: "Response Status" in message.text)
    with told, page.expect_response(ASKED) as answer:
        poll(page)
    assert answer.value.status == 401
    assert page.inner_text("#waiting") == before
    visitor.complaints.clear()  # htmx tells the console of the 401


def test_the_gate_desk_answers_one_number_after_the_other_in_place(
    stage: Stage, clerk: Visitor
) -> None:
    page = clerk.go("/portal/gate")
    page.evaluate("window.same = true")
    page.fill("#container", BOX)
    page.press("#container", "Enter")
    page.wait_for_selector(".verdict")
    assert BOX in page.inner_text(".verdict")
    page.keyboard.type("XLCU7001128")  # the number before is selected and is typed over
    page.keyboard.press("Enter")
    page.wait_for_selector("#gate-fault")
    assert page.locator(".verdict").count() == 0
    assert page.evaluate("window.same")
    assert barriers(page) == []


def test_an_answer_leaves_the_screen_when_another_number_is_asked(
    stage: Stage, clerk: Visitor
) -> None:
    page = clerk.go(f"/portal/gate?container={BOX}")
    assert page.locator(".verdict").count() == 1
    held: list[Route] = []
    page.route(re.compile("container="), lambda route: held.append(route))
    page.fill("#container", OTHER)
    page.press("#container", "Enter")
    page.wait_for_selector("#answer >> text=Asking the platform")
    assert page.locator(".verdict").count() == 0
    held[0].abort()
    page.wait_for_selector("#answer .verdict.red")
    page.unroute(re.compile("container="))
    clerk.complaints.clear()  # of the connection that was cut on purpose
    shown = page.inner_text("#answer")
    assert "DO NOT RELEASE" in shown
    assert "gave no answer" in shown
    clerk.photograph("gate without an answer")
    assert barriers(page) == []


def test_another_page_than_ours_is_no_answer(stage: Stage, clerk: Visitor) -> None:
    """A hotel's log-in page, say: it comes with 200, and nothing of it may stand in ours."""
    asks = re.compile("container=|seen=")
    page = clerk.go(f"/portal/gate?container={BOX}")
    page.route(asks, lambda route: route.fulfill(body="<p>Welcome to our network</p>"))
    page.press("#container", "Enter")
    page.wait_for_selector("#answer .verdict.red >> text=gave no answer")
    page = clerk.go("/portal/to-do")
    before = page.inner_text("#waiting")
    with page.expect_response(ASKED):
        poll(page)
    expect(page.locator(".htmx-request")).to_have_count(0)
    assert page.inner_text("#waiting") == before
    page.unroute(asks)
    clerk.complaints.clear()  # the library tells the console of an answer that is none


def test_the_library_evaluates_no_text_and_makes_no_style(clerk: Visitor) -> None:
    page = clerk.go("/portal/to-do")
    config = page.evaluate("[htmx.config.allowEval, htmx.config.includeIndicatorStyles]")
    assert config == [False, False]
    assert page.evaluate("document.querySelectorAll('style').length") == 0
    assert page.evaluate("localStorage.getItem('htmx-history-cache')") is None
