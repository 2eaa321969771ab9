"""Every screen for everybody: without barriers, on a phone, in both languages, harmed by no text.

What a browser complains of, and any request that leaves the platform, fails every test here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from playwright.sync_api import Page

from bol_service.application.webhook_ports import Outcome, Webhook
from bol_service.application.webhook_ports import Stage as Delivered
from bol_service.crypto import base64url
from bol_service.portal.desk import EXTENSION
from bol_service.storage.webhook_queue import SqlWebhookQueue
from bol_service.storage.webhooks import SqlWebhooks
from tests.browser import PHONE, Computers, Visitor
from tests.portal_screens import barriers, is_too_wide
from tests.portal_stage import EVIL_NAME, PASSPHRASE, PAYLOADS, Stage

BOX = "XLCU7001127"
HOOK = "00000000-0000-7000-8000-000000000002"
# All of them are tried in test_portal_payloads.py.
SOME = PAYLOADS[::5]
SCREENS = {
    "first page": "/portal/",
    "log in": "/portal/log-in",
    "to do": "/portal/to-do",
    "bills": "/portal/bills",
    "nothing found": "/portal/bills?q=nothing",
    "bill": "/portal/bills/{A}",
    "events": "/portal/bills/{A}/events",
    "files": "/portal/bills/{A}/files",
    "disclose": "/portal/bills/{A}/disclose",
    "evidence of others": "/portal/abroad",
    "questions": "/portal/bills/{A}/acts/TRANSFER",
    "check": "/portal/bills/{A}/acts/SIGN",
    "gate": f"/portal/gate?container={BOX}",
    "verify": "/portal/verify",
    "parties": "/portal/parties",
    "party": "/portal/parties/xlsc",
    "keys": "/portal/keys",
    "rulebook": "/portal/rulebook",
    "ledger": "/portal/ledger",
    "webhooks": "/portal/webhooks",
    "what was sent": f"/portal/webhooks/{HOOK}",
    "remove a webhook": f"/portal/webhooks/{HOOK}/remove",
    "mandates": "/portal/mandates",
    "give a mandate": "/portal/mandates/give",
    "unknown page": "/portal/nowhere",
}


@pytest.fixture(scope="module", autouse=True)
def _has_a_webhook(stage: Stage) -> None:
    """The bank's, with a notice that its receiver has refused once."""
    store = stage.platform.running.store
    hook = Webhook(
        id=HOOK,
        party="bankcq",
        url=f"https://erp.example/{'hook' * 20}",
        kinds=("TRANSFER", "ISSUED"),
        kid="k",
        since=0,
        created="2027-03-01T00:00:00.000Z",
    )
    SqlWebhooks(store).add(hook, since=0)
    queue, now = SqlWebhookQueue(store), datetime(2027, 3, 1, tzinfo=UTC)
    task = queue.claim(now, now)
    assert task is not None
    refused = Outcome(
        stage=Delivered.WAITING,
        tried="2027-03-01T00:00:00.000Z",
        due="2027-03-01T00:00:05.000Z",
        status=500,
        fault="the receiver answered 500",
        answer=PAYLOADS[0] + "x" * 200,
    )
    queue.settle(task, refused)


@pytest.fixture(scope="module")
def phone(stage: Stage, computers: Computers) -> Visitor:
    """The bank's clerk with a phone, in Chinese."""
    visitor = computers.new(locale="zh-CN", viewport=PHONE)
    visitor.import_key("bankcq", stage.key_file("bankcq"), PASSPHRASE)
    visitor.log_in("bankcq")
    return visitor


@pytest.fixture(scope="module")
def clerk(stage: Stage, computers: Computers) -> Visitor:
    """The shipper's clerk at a desk, in English, whose bills are full of hostile text."""
    visitor = computers.new()
    visitor.import_key("yunling", stage.key_file("yunling"), PASSPHRASE)
    visitor.log_in("yunling")
    stream = f"bill:{stage.bill_b}"
    for payload in SOME:
        credit = {"presentation": {"lc": payload, "complete": True}}
        stage.clients["yunling"].act("TRANSFER", stream, credit, recipient="evil")
        stage.clients["evil"].act("REFUSE", stream, {"reason": payload})
    return visitor


def opened(stage: Stage, visitor: Visitor, path: str) -> Page:
    page = visitor.go(path.replace("{A}", stage.bill_a))
    if page.locator("#sheet").count():
        page.wait_for_selector("#act-sign:not([hidden])")
    if page.locator("#keys-list").count():
        page.wait_for_selector("#keys-list li")
    visitor.photograph(path)
    return page


@pytest.mark.parametrize("path", SCREENS.values(), ids=SCREENS.keys())
def test_a_screen_has_no_barrier_and_fits_a_phone(stage: Stage, phone: Visitor, path: str) -> None:
    page = opened(stage, phone, path)
    assert not is_too_wide(page)
    assert barriers(page) == []
    assert page.get_attribute("html", "lang") == "zh-Hans"


@pytest.mark.parametrize("screen", ["to do", "bills", "bill", "disclose", "check", "gate"])
def test_a_screen_has_no_barrier_at_a_desk(stage: Stage, clerk: Visitor, screen: str) -> None:
    path = SCREENS[screen].replace("{A}", stage.bill_b)
    page = opened(stage, clerk, path)
    assert not is_too_wide(page)
    assert barriers(page) == []


def test_adding_a_webhook_has_no_barrier_and_says_what_is_wrong(
    stage: Stage, phone: Visitor, clerk: Visitor
) -> None:
    extensions = stage.platform.running.app.extensions
    silent = extensions[EXTENSION]
    sending = replace(silent.webhooks, public_key="whpk_of_a_test")
    extensions[EXTENSION] = replace(silent, webhooks=sending)
    try:
        for visitor in (phone, clerk):
            page = visitor.go("/portal/webhooks")
            page.locator("summary").click()
            page.fill("#url", "https://10.0.0.7/hook")
            page.locator("input[name=kinds]").first.check()
            page.locator("form[action='/portal/webhooks'] button").click()
            page.wait_for_selector("#faults")
            visitor.photograph("a webhook that is refused")
            assert page.locator("input[name=kinds]:checked").count() == 1
            assert page.input_value("#url") == "https://10.0.0.7/hook"
            assert not is_too_wide(page)
            assert barriers(page) == []
    finally:
        extensions[EXTENSION] = silent
    assert "Nothing may be sent" in page.inner_text("#faults")


def test_the_language_is_changed_by_one_button_and_stays(
    stage: Stage, computers: Computers
) -> None:
    page = computers.new().go("/portal/verify")
    assert "Check a bill" in page.inner_text("h1")
    page.get_by_role("button", name="中文").click()
    assert "提单验真" in page.inner_text("h1")
    page.goto(f"{stage.base_url}/portal/parties")
    assert "嘉陵陆海航运有限公司" in page.inner_text("main")
    page.get_by_role("button", name="English").click()
    assert page.get_attribute("html", "lang") == "en"


def test_times_are_shown_in_the_reader_s_own_zone_and_in_utc(
    stage: Stage, computers: Computers
) -> None:
    visitor = computers.new(timezone_id="Europe/London")
    page = visitor.go("/portal/parties/xlsc")
    page.goto(f"{stage.base_url}/portal/verify")
    page.set_input_files("#file", _evidence(stage))
    page.get_by_role("button", name="Check this file").click()
    time = page.locator("main time").first
    assert "(UTC+0)" in time.inner_text()
    assert (time.get_attribute("title") or "").endswith(" UTC")
    assert not is_too_wide(page)
    assert barriers(page) == []


def _evidence(stage: Stage) -> Path:
    client = stage.clients["bankcq"]
    path = f"/v1/bills/{stage.bill_a}/evidence"
    file = stage.folder / "<img src=x onerror=window.pwned=1>.ebl.json"
    file.write_bytes(client.request("GET", path, None, None, client.token()).content)
    return file


# -- hostile text --------------------------------------------------------------------------------


def assert_inert(page: Page) -> None:
    assert page.evaluate("window.pwned") is None
    assert page.locator("#injected, img[src=x], main svg[onload]").count() == 0


def test_hostile_text_of_others_is_shown_as_text_on_every_screen(
    stage: Stage, clerk: Visitor
) -> None:
    page = clerk.go(f"/portal/bills/{stage.bill_b}")
    shown = page.locator("main").inner_text()
    assert_inert(page)
    for payload in SOME:
        assert shown.count(payload) >= 3, payload  # goods, reason, letter of credit
    assert EVIL_NAME in shown
    for path in ("/portal/to-do", "/portal/bills", f"/portal/bills/{stage.bill_b}/events"):
        page = clerk.go(path)
        assert_inert(page)
    assert PAYLOADS[0] in (page.text_content("main") or "")
    for path in ("/portal/parties", "/portal/parties/evil"):
        assert EVIL_NAME in clerk.go(path).inner_text("main")
        assert_inert(page)


@pytest.mark.parametrize("payload", PAYLOADS[:5])
def test_hostile_text_that_is_typed_comes_back_as_text(
    stage: Stage, clerk: Visitor, payload: str
) -> None:
    page = clerk.go("/portal/bills?tab=held")
    page.fill("#q", payload)
    page.press("#q", "Enter")
    page.wait_for_url("**/bills?q=*")
    assert page.input_value("#q") == payload
    assert_inert(page)


def test_hostile_text_is_signed_as_text_and_shown_on_the_check_page(
    stage: Stage, clerk: Visitor
) -> None:
    page = clerk.go(f"/portal/bills/{stage.bill_b}/acts/TRANSFER")
    page.select_option("#field-recipient", "evil")
    page.fill("#field-lc", PAYLOADS[5])
    page.get_by_role("button", name="Continue").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    said = page.inner_text("#sheet")
    assert PAYLOADS[5] in said
    assert EVIL_NAME in said
    assert_inert(page)


# -- keys ----------------------------------------------------------------------------------------


def test_keys_come_in_every_form_that_the_page_names(
    stage: Stage, computers: Computers, tmp_path: Path
) -> None:
    visitor = computers.new()
    for party in ("banksg", "xlsc"):  # Ed25519 and ES256
        signer = stage.platform.signers[party]
        pem = signer._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "plain.pem").write_bytes(pem)
        assert visitor.import_key(party, tmp_path / "plain.pem") == signer.public.kid
    secret = dict(signer.public.to_jwk())
    secret["d"] = base64url.encode(signer._key.private_numbers().private_value.to_bytes(32))
    (tmp_path / "key.jwk").write_text(json.dumps(secret))
    assert visitor.import_key("xlsc", tmp_path / "key.jwk") == signer.public.kid


def test_a_key_file_that_does_not_do_says_why(
    stage: Stage, computers: Computers, tmp_path: Path
) -> None:
    visitor = computers.new()
    public = tmp_path / "public.jwk"
    public.write_text(json.dumps(stage.platform.signers["banksg"].public.to_jwk()))
    other = tmp_path / "notes.txt"
    other.write_text("no key")
    cases = [
        (stage.key_file("banksg"), "", "Type its passphrase"),
        (stage.key_file("banksg"), "wrong", "does not open this file"),
        (public, "", "public half only"),
        (other, "", "no Ed25519 or P-256 private key"),
    ]
    for file, passphrase, said in cases:
        page = visitor.go("/portal/keys")
        page.fill("#import-party", "banksg")
        page.set_input_files("#import-file", file)
        page.fill("#import-secret", passphrase)
        page.click("#import-key button")
        page.wait_for_selector("#keys-fault:not([hidden])")
        assert said in page.inner_text("#keys-fault")


def test_a_browser_without_ed25519_makes_es256_keys(computers: Computers) -> None:
    visitor = computers.new()
    visitor.context.add_init_script(
        """const make = SubtleCrypto.prototype.generateKey;
        SubtleCrypto.prototype.generateKey = function (how, ...rest) {
          const name = how.name ?? how;
          if (name === "Ed25519") return Promise.reject(new DOMException("", "NotSupportedError"));
          return make.call(this, how, ...rest);
        };"""
    )
    page = visitor.go("/portal/keys")
    page.wait_for_selector("#make-alg option[value=Ed25519]", state="detached")
    page.fill("#make-party", "oldbrowser")
    page.click("#make-key button")
    page.wait_for_selector("#keys-list li")
    assert "ES256" in page.inner_text("#keys-list")


def test_canonical_json_of_the_browser_is_that_of_the_platform(phone: Visitor) -> None:
    values = [
        {"b": 1, "a": [True, None, 'é\u4e2d\U0001f6a2\n"\\/'], "\u20ac": {"\r": 0.1, "1": 1e-21}},
        {"\ue000": 1, "\U0001f600": 2, "": 3},
        [64.2, 17980.5, 1e-7, 5e-324, 123456789.12345678, -0.5, 9007199254740991],
    ]
    page = phone.go("/portal/parties")
    for value in values:
        made = page.evaluate(
            """async (value) => {
                const { canonical } = await import("/portal/static/any/jcs.js");
                return canonical(value);
            }""",
            value,
        )
        assert made.encode() == rfc8785.dumps(value)


# -- what the signing page refuses ---------------------------------------------------------------


def test_nothing_is_signed_when_the_document_is_not_the_one_that_is_named(
    stage: Stage, phone: Visitor
) -> None:
    page = phone.page
    other = stage.clients["xlsc"].get(f"/v1/bills/{stage.bill_b}/document")
    page.route("**/document", lambda route: route.fulfill(json=other))
    phone.go(f"/portal/bills/{stage.bill_a}/acts/SIGN")
    page.wait_for_selector("#act-fault:not([hidden])")
    page.unroute("**/document")
    assert "文件与所签提单不符" in page.inner_text("#act-fault")
    assert not page.is_visible("#sign")


def test_nothing_is_signed_without_the_party_s_key(stage: Stage, computers: Computers) -> None:
    visitor = computers.new()
    visitor.carry(stage.cookie("bankcq"))
    page = visitor.go(f"/portal/bills/{stage.bill_a}/acts/SIGN")
    page.wait_for_selector("#act-fault:not([hidden])")
    assert "no key of bankcq in this browser" in page.inner_text("#act-fault")
    assert not page.is_visible("#sign")


# -- the log-in while the page is open -----------------------------------------------------------


def test_the_log_in_is_renewed_while_the_page_is_open(stage: Stage, clerk: Visitor) -> None:
    def token() -> str:
        return next(c["value"] for c in clerk.context.cookies() if c["name"] == "ebl-session")

    page = clerk.go("/portal/bills")
    before = token()
    page.evaluate("localStorage.setItem('ebl-until-yunling', String(Date.now() + 1000))")
    with page.expect_response(lambda answer: answer.url.endswith("/portal/session")) as renewed:
        page.reload()
    assert renewed.value.ok
    page.evaluate(
        """() => new Promise((done) => {
            const until = () => Number(localStorage.getItem("ebl-until-yunling"));
            const look = () => until() > Date.now() + 9e4 ? done() : requestAnimationFrame(look);
            look();
        })"""
    )
    assert token() != before
    assert not page.is_visible("#session-ended")


def test_a_log_in_that_has_ended_is_said_plainly(stage: Stage, clerk: Visitor) -> None:
    page = clerk.go("/portal/bills")
    page.evaluate("localStorage.setItem('ebl-until-yunling', '0')")
    page.route("**/portal/session", lambda route: route.abort())
    page.reload()
    page.wait_for_selector("#session-ended:not([hidden])")
    page.unroute("**/portal/session")
    clerk.complaints.clear()  # of the connection that was cut on purpose
    assert "Your log-in has ended" in page.inner_text("#session-ended")


# -- without scripts, by keyboard, in print ------------------------------------------------------


def test_reading_and_verifying_work_without_scripts(stage: Stage, computers: Computers) -> None:
    visitor = computers.new(java_script_enabled=False)
    visitor.carry(stage.cookie("bankcq"))
    page = visitor.go("/portal/bills")
    page.get_by_role("link", name="XLSC2703CQSG00418").click()
    assert "To the order of" in page.inner_text("main")
    page.goto(f"{stage.base_url}/portal/bills")
    page.fill("#q", "nothing of this name")
    page.press("#q", "Enter")
    assert "No bill here fits" in page.inner_text("main")
    page.goto(f"{stage.base_url}/portal/gate")
    page.fill("#container", BOX)
    page.get_by_role("button", name="Ask").click()
    assert "DO NOT RELEASE" in page.inner_text(".verdict")
    page.goto(f"{stage.base_url}/portal/bills/{stage.bill_a}/acts/SIGN")
    assert "needs JavaScript" in page.inner_text("main")
    page.goto(f"{stage.base_url}/portal/verify")
    page.set_input_files("#file", _evidence(stage))
    page.get_by_role("button", name="Check this file").click()
    assert "GENUINE AND CURRENT" in page.inner_text(".verdict")
    assert_is_text_only(page)


def test_a_key_form_cannot_be_sent_by_a_browser_that_does_not_run_its_scripts(
    stage: Stage, computers: Computers
) -> None:
    page = computers.new(java_script_enabled=False).go("/portal/keys")
    buttons = page.locator("main form button")
    assert buttons.count() == 3
    # The registration form is hidden until a script shows it; the other two hold a passphrase or
    # would lose what was typed.
    for form in ("#make-key", "#import-key"):
        assert page.locator(f"{form} button").is_disabled()


def assert_is_text_only(page: Page) -> None:
    assert page.locator("img, iframe, object, embed").count() == 0


def test_a_transfer_is_signed_with_the_keyboard_alone(stage: Stage, clerk: Visitor) -> None:
    page = clerk.go(f"/portal/bills/{stage.bill_b}")

    def press_until(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            focused = page.evaluate("document.activeElement.textContent.trim()")
            if focused == name:
                return
        raise AssertionError(f"no way to {name} by Tab")

    press_until("Transfer")
    page.keyboard.press("Enter")
    page.wait_for_url("**/acts/TRANSFER")
    page.focus("#field-recipient")
    page.keyboard.type("Bank")
    press_until("Continue")
    page.keyboard.press("Enter")
    page.wait_for_selector("#act-sign:not([hidden])")
    press_until("Sign and send")
    page.keyboard.press("Enter")
    page.wait_for_selector("#act-done:not([hidden])")
    control = stage.clients["xlsc"].get(f"/v1/bills/{stage.bill_b}")["control"]
    assert control["possessor"] == "bankcq"


def test_a_print_shows_the_bill_and_no_buttons(stage: Stage, phone: Visitor) -> None:
    page = phone.go(f"/portal/bills/{stage.bill_a}")
    page.emulate_media(media="print")
    assert page.is_visible(".paper")
    assert page.is_visible("footer")
    assert not page.is_visible("nav")
    assert not page.is_visible(".acts")
    page.emulate_media(media="screen")


# -- the gate ------------------------------------------------------------------------------------


def test_the_terminal_discharges_and_hands_out_a_container_by_clicks(
    stage: Stage, computers: Computers
) -> None:
    stream = f"bill:{stage.bill_a}"
    code = "Zm9yLXRoaXMtdGVzdC1ydW4"
    _order_out(stage, stream, code)
    visitor = computers.new(viewport=PHONE)
    visitor.import_key("sgterm", stage.key_file("sgterm"), PASSPHRASE)
    page = visitor.log_in("sgterm")
    page = visitor.go("/portal/gate")
    page.fill("#container", "xlcu 700112-7")
    page.get_by_role("button", name="Ask").click()
    assert "DO NOT RELEASE" in page.inner_text(".verdict")
    assert "customs" in page.inner_text(".verdict")
    page.get_by_role("link", name="Discharged").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    assert "has discharged container XLCU7001127" in page.inner_text("#sheet")
    visitor.sign()
    _release_by_customs(stage)
    page.get_by_role("link", name="Go on").click()
    assert "RELEASE" in page.inner_text(".verdict h2")
    assert "DO NOT" not in page.inner_text(".verdict h2")
    assert not is_too_wide(page)
    assert barriers(page) == []
    page.get_by_role("link", name="Gate-out").click()
    page.fill("#field-code", code)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    visitor.sign()
    page.get_by_role("link", name="Go on").click()
    assert "DO NOT RELEASE" in page.inner_text(".verdict")
    assert "was used" in page.inner_text(".verdict")


def _order_out(stage: Stage, stream: str, code: str) -> None:
    act = {party: client.act for party, client in stage.clients.items()}
    act["bankcq"]("TRANSFER", stream, {}, recipient="banksg")
    act["banksg"]("SURRENDER_FOR_DELIVERY", stream, {})
    act["xlsc"]("SACC", stream, {})
    order = {
        "terminal": "sgterm",
        "containers": [BOX],
        "pickUp": {"name": "Bukit Haulage Pte. Ltd.", "reference": "VEHICLE XD5521K"},
        "codeHash": hashlib.sha256(code.encode()).hexdigest(),
        "expires": "2099-01-01T00:00:00.000Z",
    }
    act["xlsc"]("DELIVERY_ORDER", stream, order)


def _release_by_customs(stage: Stage) -> None:
    client = stage.clients["sgcus"]
    now = client.now().astimezone(UTC)
    details = {
        "customsReference": "IG7C2700418",
        "occurredAt": f"{now:%Y-%m-%dT%H:%M:%S}.000Z",
        "localDate": f"{now:%Y-%m-%d}",
    }
    client.act("CUSTOMS_RELEASE", f"custody:{stage.voyage.saved['shipment']}:{BOX}", details)
