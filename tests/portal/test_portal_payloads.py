"""Sixty attacks in every text that a screen can show: all of it stays text, on every screen.

The whole voyage is played with attacks in its document, in the names of its parties and in its
events; the screens are found by following every link, so that a new screen is tried by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page

from bol_service.crypto.signers import LocalSigner, write_private_key
from tests import portal_stage
from tests.browser import Computers, Visitor
from tests.hostile_payloads import PAYLOADS
from tests.node_verifier import PAGE, trust_file
from tests.poisoned_voyage import poison
from tests.portal_applications import hand_in, prepared
from tests.portal_stage import PASSPHRASE, Stage

NAV = ("/portal/", "/portal/verify", "/portal/keys", "/portal/ledger", "/portal/rulebook")
# Who has which screens: a holder, the carrier, a terminal, the operator, and anybody.
READERS = (
    *(("yunling", "en-GB"), ("xlsc", "zh-CN"), ("guoyuan", "zh-CN"), ("operator", "zh-CN")),
    ("", "en-GB"),
)
# Of pages that differ in what they are about only, as many of each as show all kinds.
OF_A_KIND = 2
# What is handed out to be kept is no screen.
FILES = ("/evidence", "/document", "/copy", ".xlsx", "/verifier.html")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with portal_stage.stage(tmp_path_factory.mktemp("poisoned"), poison) as ready:
        for payload in PAYLOADS:
            credit = {"presentation": {"lc": payload, "complete": True}}
            stream = f"bill:{ready.bill_b}"
            ready.clients["yunling"].act("TRANSFER", stream, credit, recipient="evil")
            ready.clients["evil"].act("REFUSE", stream, {"reason": payload})
        for number, typed in enumerate(joined(65)):
            name = f"applicant{number}"
            asked = prepared(name, legalName=typed.strip(), legalNameLocal=typed.strip())
            assert hand_in(ready, asked).status == 201
        yield ready


@pytest.fixture(scope="module")
def clerk(stage: Stage, computers: Computers) -> Visitor:
    visitor = computers.new()
    visitor.import_key("yunling", stage.key_file("yunling"), PASSPHRASE)
    visitor.log_in("yunling")
    return visitor


@pytest.fixture(scope="module")
def evidence(stage: Stage) -> Path:
    client = stage.clients["bankcq"]
    path = f"/v1/bills/{stage.bill_a}/evidence"
    file = stage.folder / "poisoned.ebl.json"
    file.write_bytes(client.request("GET", path, None, None, client.token()).content)
    return file


def rule_of(stage: Stage, path: str) -> str:
    adapter = stage.platform.running.app.url_map.bind("localhost")
    rule: str = adapter.match(urlsplit(path).path, method="GET", return_rule=True)[0].rule
    return rule


def screens(stage: Stage, visitor: Visitor) -> Iterator[tuple[str, Page]]:
    """Every page that can be reached by links, a few of each kind; files are left out."""
    waiting, kinds = list(NAV), Counter[str]()
    known = set(waiting)
    while waiting:
        path = waiting.pop(0)
        rule = rule_of(stage, path)
        kinds[rule] += 1
        if kinds[rule] > OF_A_KIND:
            continue
        if rule.endswith(FILES):
            continue
        page = visitor.go(path)
        yield path, page
        links = page.eval_on_selector_all(
            "a[href^='/portal/']:not([download])", "all => all.map((a) => a.getAttribute('href'))"
        )
        waiting += [link for link in dict.fromkeys(links) if link not in known]
        known.update(links)


def assert_inert(page: Page, where: str) -> None:
    """Nothing ran, nothing appeared; what the browser complains of fails the test by itself."""
    found = page.evaluate(
        """() => ({
            pwned: window.pwned ?? null,
            elements: [...document.querySelectorAll(
              "#injected, main img, main iframe, main object, main embed, main video, main audio,"
              + "main script:not([type='application/json']), main style, main link, main meta,"
              + "main base, main math, main marquee,"
              + "[onerror], [onload], [onfocus], [ontoggle], [onmouseover], [onstart], [style],"
              + "a[href^='javascript:' i], a[href^='data:' i], a[href^='//'], a[href^='http']"
            )].map((element) => element.outerHTML.slice(0, 200)),
            strange: [...document.querySelectorAll("main svg")]
              .filter((drawing) => !drawing.closest("figure.corridor")).length,
            broken: document.querySelectorAll("main, footer").length,
        })"""
    )
    assert found == {"pwned": None, "elements": [], "strange": 0, "broken": 2}, where


def test_there_are_sixty_and_they_stand_wherever_a_document_has_room(stage: Stage) -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) == 60
    script = stage.platform.script
    assert poison(script) > 40
    text = str(script.document) + str(script.parties) + str(script.voyage)
    assert all(repr(payload)[1:-1] in text for payload in PAYLOADS)


def test_every_screen_of_every_party_shows_attacks_as_text(
    stage: Stage, computers: Computers
) -> None:
    """Whatever a page links to is opened as well, in both languages."""
    seen: dict[str, set[str]] = {}
    for party, locale in READERS:
        visitor = computers.new(locale=locale)
        if party:
            visitor.carry(stage.cookie(party))
        for path, page in screens(stage, visitor):
            assert_inert(page, f"{party}: {path}")
            seen.setdefault(rule_of(stage, path), set()).add(page.inner_text("main"))
    assert len(seen) >= 15
    told = "\n".join(text for texts in seen.values() for text in texts)
    assert [payload for payload in PAYLOADS if payload not in told] == []


def test_a_bill_shows_each_attack_in_goods_marks_reasons_and_credits(
    stage: Stage, clerk: Visitor
) -> None:
    page = clerk.go(f"/portal/bills/{stage.bill_b}")
    assert_inert(page, "bill")
    shown = page.inner_text("main")
    for payload in PAYLOADS:
        assert shown.count(payload) >= 3, payload  # goods, reason, letter of credit
    page = clerk.go(f"/portal/bills/{stage.bill_b}/events")
    assert_inert(page, "events")


def test_what_is_typed_into_a_search_comes_back_as_text(clerk: Visitor) -> None:
    for typed in joined(95):
        page = clerk.go(f"/portal/bills?q={quote(typed)}")
        assert page.input_value("#q") == typed
        assert_inert(page, typed)
    for typed in joined(480):
        page = clerk.go(f"/portal/gate?container={quote(typed)}")
        assert_inert(page, typed)


def test_what_is_typed_or_scanned_as_a_code_comes_back_as_text(computers: Computers) -> None:
    """As no code at all, as the place that a print names, and behind the address of the page."""
    visitor = computers.new()
    unbroken = [payload for payload in PAYLOADS if not any(map(str.isspace, payload))]
    assert len(unbroken) >= 15
    places = [
        f"{'|'.join(unbroken[first::4]).replace('#', '')}#5c0e-9d31-7fab-2486" for first in range(4)
    ]
    for typed in (*joined(295), *places):
        page = visitor.go("/portal/verify")
        page.fill("#code", typed)
        page.locator(".drop button").click()
        page.wait_for_selector("#code-alone" if typed in places else "main [role=alert]")
        assert page.input_value("#code") == typed.strip()
        assert_inert(page, typed)
        if typed in places:
            assert page.inner_text(".note code") == typed.rpartition("#")[0]
    for typed in joined(1500):
        page = visitor.go(f"/portal/verify?{len(typed)}#{typed}")
        page.wait_for_selector("#scan:not([hidden])")
        assert page.input_value("#code") == ""
        assert_inert(page, typed)


def test_what_is_typed_into_an_act_is_text_on_the_sheet_that_is_signed(
    stage: Stage, computers: Computers, tmp_path: Path
) -> None:
    stage.clients["yunling"].act("TRANSFER", f"bill:{stage.bill_b}", {}, recipient="evil")
    signer = stage.clients["evil"].signer
    assert isinstance(signer, LocalSigner)
    write_private_key(tmp_path / "evil.key", signer._key, PASSPHRASE.encode())
    visitor = computers.new()
    visitor.import_key("evil", tmp_path / "evil.key", PASSPHRASE)
    visitor.log_in("evil")
    for typed in joined(480):
        page = visitor.go(f"/portal/bills/{stage.bill_b}/acts/REFUSE")
        page.fill("#field-reason", typed)
        page.get_by_role("button", name="Continue").click()
        page.wait_for_selector("#act-sign:not([hidden])")
        assert typed in page.inner_text("#sheet")
        assert_inert(page, typed)


def test_a_verified_file_and_its_name_are_text(computers: Computers, evidence: Path) -> None:
    visitor = computers.new()
    content, names = evidence.read_bytes(), [part.replace("/", "|") for part in joined(200)]
    for name in names:
        page = visitor.go("/portal/verify")
        named = f"{name}.ebl.json"
        file = {"name": named, "mimeType": "application/json", "buffer": content}
        page.set_input_files("#file", file)  # type: ignore[arg-type]
        page.locator(".drop button").click()
        page.wait_for_selector(".verdict")
        assert_inert(page, name)
        assert page.inner_text(".verdict p").startswith(name[:5])
        content = content[:4000]  # the first is genuine, the others are cut off


def test_the_offline_verifier_shows_attacks_as_text(
    stage: Stage, computers: Computers, evidence: Path, tmp_path: Path
) -> None:
    trust = tmp_path / "trust.json"
    trust.write_bytes(trust_file(stage.platform.trust()))
    visitor = computers.new()
    visitor.base_url = PAGE.as_uri()
    page = visitor.page
    page.goto(PAGE.as_uri())
    page.set_input_files("#trust", trust)
    page.set_input_files("#bundle", evidence)
    page.wait_for_selector("#verdict strong")
    for language in ("en", "zh"):
        page.click(f"#language-{language}")
        assert page.evaluate("window.pwned") is None
        assert page.locator("#injected, main img, main svg, main iframe, [onerror]").count() == 0
    shown = page.inner_text("main")
    assert [payload for payload in PAYLOADS if payload not in shown] == []


def test_the_guard_sees_what_it_guards_against(stage: Stage, computers: Computers) -> None:
    """Markup that does get in, on a page of the portal, is found and complained of."""
    visitor = computers.new()
    page = visitor.go("/portal/verify")
    page.evaluate("document.querySelector('main').innerHTML += '<img src=x onerror=pwned=1>'")
    # One that cannot be decoded has been loaded as far as it ever will be.
    page.locator("main img").evaluate("image => image.decode().catch(() => null)")
    assert visitor.complaints
    with pytest.raises(AssertionError):
        assert_inert(page, "with markup")
    assert page.evaluate("window.pwned ?? null") is None, "the content policy did not hold"
    visitor.complaints.clear()


def joined(longest: int) -> list[str]:
    """All payloads, as many in one text as it may have signs."""
    texts: list[str] = []
    for payload in PAYLOADS:
        if texts and len(texts[-1]) + len(payload) < longest:
            texts[-1] += f" {payload}"
        else:
            texts.append(payload)
    return texts
