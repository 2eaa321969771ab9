"""The screens of bookings, drafts and my keys: without barriers, on a phone, in both languages, and
a bill issued with the keyboard alone."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser import PHONE, Computers, Visitor
from tests.many_bills import container
from tests.portal_shipment import Shipment, drafted
from tests.portal_stage import PASSPHRASE, Stage

OF_SHIPPER = {
    "list": "/portal/shipments",
    "shipment": "{S}",
    "changes": "{S}/drafts/2",
    "first version": "{S}/drafts/1",
    "instructions": "{S}/instructions",
    "change": "{S}/acts/REQUEST_CHANGE",
    "approval": "{S}/acts/APPROVE_DRAFT",
    "my keys": "/portal/keys",
    "new key": "/portal/keys/rotate",
}
OF_CARRIER = {
    "list": "/portal/shipments",
    "booking": "/portal/shipments/new",
    "shipment": "{S}",
    "draft": "{S}/draft",
    "appoint": "{S}/acts/APPOINT",
    "not now": "{S}/issue",
    "to do": "/portal/to-do",
}


@pytest.fixture(scope="module")
def shipment(stage: Stage) -> Shipment:
    return drafted(stage, "XLB-SCREENS", ("XLCU7001148", "XLCU7001153"))


@pytest.fixture(scope="module")
def shipper(stage: Stage, computers: Computers) -> Visitor:
    """The shipper's clerk with a phone, in Chinese."""
    visitor = computers.new(locale="zh-CN", viewport=PHONE)
    visitor.import_key("yunling", stage.key_file("yunling"), PASSPHRASE)
    visitor.log_in("yunling")
    return visitor


@pytest.fixture(scope="module")
def carrier(stage: Stage, computers: Computers) -> Visitor:
    """The carrier's desk, in English."""
    visitor = computers.new()
    visitor.import_key("xlsc", stage.key_file("xlsc"), PASSPHRASE)
    visitor.log_in("xlsc")
    return visitor


def opened(visitor: Visitor, shipment: Shipment, path: str) -> Page:
    page = visitor.go(path.replace("{S}", shipment.path))
    if page.locator("#sheet").count():
        page.wait_for_selector("#act-sign:not([hidden])")
    if page.locator("#keys-list").count():
        page.wait_for_selector("#keys-list li")
    visitor.photograph(f"draft-screen-{path}")
    return page


def assert_open_to_all(page: Page) -> None:
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    found = Axe().run(page).response["violations"]
    assert [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found] == []


@pytest.mark.parametrize("path", OF_SHIPPER.values(), ids=OF_SHIPPER.keys())
def test_a_screen_of_the_shipper_fits_a_phone(
    shipper: Visitor, shipment: Shipment, path: str
) -> None:
    page = opened(shipper, shipment, path)
    assert page.get_attribute("html", "lang") == "zh-Hans"
    assert_open_to_all(page)


@pytest.mark.parametrize("path", OF_CARRIER.values(), ids=OF_CARRIER.keys())
def test_a_screen_of_the_carrier_has_no_barrier(
    carrier: Visitor, shipment: Shipment, path: str
) -> None:
    assert_open_to_all(opened(carrier, shipment, path))


def test_a_form_with_faults_has_no_barrier(carrier: Visitor, shipment: Shipment) -> None:
    page = opened(carrier, shipment, "{S}/draft")
    page.fill("#number", "")
    page.fill("#terms", "")
    page.get_by_role("button", name="Continue").last.click()
    page.wait_for_selector("#faults")
    assert_open_to_all(page)


def test_the_whole_document_can_be_looked_through_before_it_is_approved(
    shipper: Visitor, shipment: Shipment
) -> None:
    page = opened(shipper, shipment, "{S}/acts/APPROVE_DRAFT")
    page.click("#every-member summary")
    said = page.inner_text("#every-member")
    assert "XIN HE QINZHOU" in said
    assert "ZZZZ00BUYERMERLION44" in said
    assert_open_to_all(page)


def test_nothing_is_approved_when_another_document_is_shown(
    stage: Stage, shipper: Visitor, shipment: Shipment
) -> None:
    """Who shows one draft and asks to approve another finds a signature under what was shown."""
    page = shipper.page
    shown = dict(shipment.documents[-1], transportDocumentReference="ANOTHER")
    page.route("**/drafts/2/document", lambda route: route.fulfill(json=shown))
    opened(shipper, shipment, "{S}/acts/APPROVE_DRAFT")
    page.click("#sign")
    page.wait_for_selector("#act-fault:not([hidden])")
    page.unroute("**/drafts/2/document")
    assert stage.clients["yunling"].get(f"/v1/drafts/{shipment.shipment}")["status"] == "DRAFT"


def test_nothing_is_signed_when_the_platform_kept_another_document(
    stage: Stage, carrier: Visitor, shipment: Shipment
) -> None:
    page = opened(carrier, shipment, "{S}/draft")
    page.get_by_role("button", name="Continue").last.click()
    page.wait_for_selector("#act-sign:not([hidden])")
    page.route("**/portal/documents*", lambda route: route.fulfill(json={"digest": "0" * 64}))
    page.click("#sign")
    page.wait_for_selector("#act-fault:not([hidden])")
    page.unroute("**/portal/documents*")
    assert "Nothing was sent" in page.inner_text("#act-fault")
    assert stage.clients["xlsc"].get(f"/v1/drafts/{shipment.shipment}")["version"] == 2


@pytest.fixture(scope="module")
def approved(shipment: Shipment) -> Shipment:
    shipment.approve()
    shipment.receive()
    return shipment


def at_the_check_of_issue(carrier: Visitor, shipment: Shipment) -> Page:
    page = carrier.go(f"{shipment.path}/issue")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    return page


def test_no_bill_is_issued_when_the_platform_kept_another_commitment(
    stage: Stage, carrier: Visitor, approved: Shipment
) -> None:
    page = at_the_check_of_issue(carrier, approved)
    kept = "**/portal/documents?kind=disclosure"
    page.route(kept, lambda route: route.fulfill(json={"digest": "0" * 64}))
    page.click("#sign")
    page.wait_for_selector("#act-fault:not([hidden])")
    page.unroute(kept)
    assert "Nothing was sent" in page.inner_text("#act-fault")
    assert stage.clients["xlsc"].get(f"/v1/drafts/{approved.shipment}")["status"] == "APPROVED"


def test_a_document_that_cannot_be_cut_is_issued_without_a_commitment_and_that_is_said(
    stage: Stage, carrier: Visitor
) -> None:
    boxes = (container(20_000), container(20_001))
    made = Shipment(stage=stage, reference="XLB-UNCUT", boxes=boxes)
    made.book()
    made.publish({**made.document(), "_sd": ["a member of somebody's own"]})
    made.approve()
    made.receive()
    page = at_the_check_of_issue(carrier, made)
    assert "Not possible for this bill" in page.inner_text("#sheet")
    assert page.locator("#sheet pre.break").count() == 1
    carrier.sign()
    assert page.get_by_role("link", name="Save the file of all fields").count() == 0
    page.get_by_role("link", name="Go on").click()
    page.get_by_role("link", name="Disclose single fields").click()
    assert "issued without a commitment" in page.inner_text("main")
    path = f"{urlsplit(page.url).path}/all"
    assert stage.request("GET", path, party="xlsc").status == 404


def test_a_bill_is_issued_with_the_keyboard_alone(carrier: Visitor, approved: Shipment) -> None:
    page = carrier.go(approved.path)
    press_until(page, "Issue the bill")
    page.keyboard.press("Enter")
    page.wait_for_url("**/issue")
    assert_open_to_all(page)
    press_until(page, "Continue")
    page.keyboard.press("Enter")
    page.wait_for_selector("#act-sign:not([hidden])")
    carrier.photograph("draft-screen-issue-check")
    assert_open_to_all(page)
    press_until(page, "Sign and send")
    page.keyboard.press("Enter")
    page.wait_for_selector("#act-done:not([hidden])")
    press_until(page, "Go on")
    page.keyboard.press("Enter")
    page.wait_for_url("**/portal/bills/*")
    assert "BXLB-SCREENS" in page.inner_text("h1")


def press_until(page: Page, name: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"no way to {name} by Tab")
