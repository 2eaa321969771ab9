"""My keys in the portal: added, replaced, revoked and watched; a log-out that is one; mandates."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page

from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.portal.desk import EXTENSION
from bol_service.wire import drafting
from tests import kit
from tests.browser import PHONE, Computers, Visitor
from tests.portal_screens import barriers, is_too_wide
from tests.portal_stage import PASSPHRASE, Stage


def test_keys_are_added_replaced_and_revoked_by_clicks(stage: Stage, computers: Computers) -> None:
    desk = computers.new()
    first = desk.import_key("straits", stage.key_file("straits"), PASSPHRASE)
    desk.log_in("straits")
    second = a_key_of_a_second_computer_is_added(stage, computers, desk)
    third = the_key_that_signs_is_replaced_by_one_made_in_the_browser(stage, desk, first)
    a_key_is_revoked_and_its_log_in_ends(stage, computers, desk, second)
    the_new_key_signs_and_the_last_key_is_warned_of(stage, desk, third)


def keys_of(stage: Stage, party: str) -> dict[str, bool]:
    """The party's keys, and whether each has not ended."""
    found = stage.clients["operator"].get(f"/v1/parties/{party}")["keys"]
    return {key["kid"]: "endedAt" not in key for key in found}


def checked(page: Page) -> str:
    page.wait_for_selector("#act-sign:not([hidden])")
    return page.inner_text("#sheet")


def a_key_of_a_second_computer_is_added(stage: Stage, computers: Computers, desk: Visitor) -> str:
    other = computers.new()
    kid = other.make_key("straits")
    other.page.get_by_role("button", name="Bring it to a registered party").click()
    other.page.wait_for_selector("#bring:not([hidden])")
    proof = other.page.input_value("#bring-proof")
    assert '"d"' not in proof
    page = desk.go("/portal/keys")
    page.get_by_role("link", name="Add a key").click()
    page.select_option("#field-made", "elsewhere")
    page.fill("#field-proof", proof)
    page.fill("#field-validUntil", "2099-01-01T00:00")
    desk.photograph("key-add")
    page.get_by_role("button", name="Continue").click()
    assert kid in checked(page)
    assert "adds a key that can sign for it" in page.inner_text("#sheet .says")
    desk.photograph("key-add-check")
    desk.sign()
    assert keys_of(stage, "straits")[kid]
    other.log_in("straits")
    return kid


def the_key_that_signs_is_replaced_by_one_made_in_the_browser(
    stage: Stage, desk: Visitor, first: str
) -> str:
    page = desk.go("/portal/keys")
    page.get_by_role("link", name="Replace the key that signs").click()
    page.get_by_role("button", name="Continue").click()
    checked(page)
    kid = page.inner_text("#new-kid")
    desk.sign()
    known = keys_of(stage, "straits")
    assert (known[first], known[kid]) == (False, True)
    # The log-in with the old key has ended; the page has logged in anew with the new one.
    page.get_by_role("link", name="Go on").click()
    assert kid in page.inner_text("main")
    assert "Key replaced" in page.inner_text("main table")
    return kid


def a_key_is_revoked_and_its_log_in_ends(
    stage: Stage, computers: Computers, desk: Visitor, second: str
) -> None:
    page = desk.page
    page.locator("tr", has_text=second).get_by_role("link", name="Revoke").click()
    assert "LAST KEY" not in page.inner_text("main")
    page.fill("#field-reason", "the second computer was sold")
    page.get_by_role("button", name="Continue").click()
    assert second in checked(page)
    desk.sign()
    assert not keys_of(stage, "straits")[second]
    other = next(visitor for visitor in computers.visitors if visitor is not desk)
    assert "/portal/log-in" in other.go("/portal/bills").url


def the_new_key_signs_and_the_last_key_is_warned_of(
    stage: Stage, desk: Visitor, third: str
) -> None:
    page = desk.go(f"/portal/keys/{third}/revoke")
    assert "THIS IS YOUR LAST KEY" in page.inner_text("main")
    page = desk.go("/portal/rulebook/accept")
    assert third in checked(page)
    assert keys_of(stage, "straits")[third]


def test_a_key_whose_answer_is_lost_is_kept_in_the_browser(
    stage: Stage, computers: Computers
) -> None:
    visitor = computers.new()
    first = visitor.import_key("sgcus", stage.key_file("sgcus"), PASSPHRASE)
    page = visitor.log_in("sgcus")
    page = visitor.go("/portal/keys/add")
    page.get_by_role("button", name="Continue").click()
    checked(page)
    kid = page.inner_text("#new-kid")
    page.route("**/v1/events", lambda route: (route.fetch(), route.abort()))
    page.click("#sign")
    page.wait_for_selector("#act-fault:not([hidden])")
    page.unroute("**/v1/events")
    visitor.complaints.clear()  # of the answer that was taken away
    page.get_by_role("button", name="Send it again").last.click()
    page.wait_for_selector("#act-done:not([hidden])")
    page = visitor.go("/portal/keys")
    page.wait_for_selector("#keys-list li")
    assert {first, kid} <= set(page.locator("#keys-list code").all_inner_texts())
    # The key that was preferred goes on signing.
    page = visitor.go("/portal/rulebook/accept")
    assert first in checked(page)


FAULTS = {
    "no proof": ({"made": "elsewhere"}, "is not the text"),
    "no JSON": ({"made": "elsewhere", "proof": "abc"}, "is not the text"),
    "no key in it": ({"made": "elsewhere", "proof": "{}"}, "is not the text"),
    "of another party": ({"made": "elsewhere", "proof": "{other}"}, "made for another party"),
    "no place": ({}, "Fill this in"),
    "ends before it begins": (
        {"made": "ES256", "validFrom": "2099-01-02T00:00", "validUntil": "2099-01-01T00:00"},
        "before the beginning",
    ),
}


@pytest.mark.parametrize(("form", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_a_new_key_that_could_not_be_added_is_not_checked(
    stage: Stage, form: dict[str, str], said: str
) -> None:
    signer = LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(signer, origin=kit.ORIGIN, party="banksg")
    text = json.dumps({**proof, "party": "banksg"})
    sent = {name: value.replace("{other}", text) for name, value in form.items()}
    answer = stage.request(
        "POST",
        "/portal/keys/add",
        party="bankcq",
        body=urlencode(sent).encode(),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": stage.base_url,
        },
    )
    assert answer.status == 422
    assert said in answer.body.decode()


def test_logging_out_kills_the_token_on_the_server(stage: Stage) -> None:
    client = stage.clients["bankcq"]
    client._token = None
    stolen = stage.cookie("bankcq")
    assert stage.request("GET", "/portal/bills", headers={"Cookie": stolen}).status == 200
    headers = {"Origin": stage.base_url, "Sec-Fetch-Site": "same-origin", "Cookie": stolen}
    ended = stage.request("POST", "/portal/session/end", body=b"", headers=headers)
    assert ended.status == 303
    again = stage.request("GET", "/portal/bills", headers={"Cookie": stolen})
    assert again.status == 303
    assert again.headers["Location"].startswith("/portal/log-in")
    client._token = None


def test_the_assertion_of_an_ended_log_in_stays_used(stage: Stage) -> None:
    headers = {"Content-Type": "application/json", "Origin": stage.base_url}
    body = json.dumps({"assertion": stage.clients["bankcq"].assertion()}).encode()
    opened = stage.request("POST", "/portal/session", body=body, headers=headers)
    cookie = opened.headers["Set-Cookie"].split(";")[0]
    own = {"Origin": stage.base_url, "Cookie": cookie}
    stage.request("POST", "/portal/session/end", body=b"", headers=own)
    replayed = stage.request("POST", "/portal/session", body=body, headers=headers)
    assert replayed.status == 401


def test_the_log_out_of_one_ends_no_other_log_in(stage: Stage) -> None:
    tokens = stage.platform.running.app.extensions[EXTENSION].tokens
    mine = tokens.exchange(stage.clients["bankcq"].assertion()).token
    other = tokens.exchange(stage.clients["bankcq"].assertion()).token
    tokens.end(mine)
    tokens.end("unknown")
    assert tokens.party_of(other) == "bankcq"


# -- mandates and the watch for keys --------------------------------------------------------------


def clerk(stage: Stage, computers: Computers, party: str, **options: object) -> Visitor:
    visitor = computers.new(**options)
    visitor.import_key(party, stage.key_file(party), PASSPHRASE)
    visitor.log_in(party)
    return visitor


def mandates_of(stage: Stage, party: str) -> str:
    return stage.request("GET", "/portal/mandates", party=party).body.decode()


def test_a_mandate_is_given_and_ended_by_clicks(stage: Stage, computers: Computers) -> None:
    desk = clerk(stage, computers, "bankcq")
    page = desk.go("/portal/mandates")
    assert "You gave no mandate" in page.inner_text("main")
    page.get_by_role("link", name="Give a mandate").click()
    page.select_option("#field-forwarder", "qiaolian")
    page.fill("#field-validUntil", "2020-01-01T00:00")
    page.get_by_role("button", name="Continue").click()
    assert "lies in the past" in page.inner_text("#faults")
    page.fill("#field-validUntil", "2099-01-01T00:00")
    page.get_by_role("button", name="Continue").click()
    assert "lets" in checked(page)
    assert "qiaolian" in page.inner_text("#sheet")
    desk.photograph("mandate check")
    desk.sign()
    page = desk.go("/portal/mandates")
    desk.photograph("mandates given")
    assert "in force" in page.inner_text("main table")
    assert barriers(page) == []
    assert "bankcq" in mandates_of(stage, "qiaolian")
    assert "bankcq" not in mandates_of(stage, "yunling")
    page.get_by_role("link", name="End this mandate").click()
    assert "ends the mandate" in checked(page)
    desk.sign()
    assert "You gave no mandate" in desk.go("/portal/mandates").inner_text("main")
    assert "bankcq" not in mandates_of(stage, "qiaolian")


def test_only_forwarders_are_offered(stage: Stage) -> None:
    page = stage.request("GET", "/portal/mandates/give", party="bankcq").body.decode()
    options = page[page.index("<select") : page.index("</select>")]
    assert 'value="qiaolian"' in options
    assert 'value="yunling"' not in options


def test_a_key_that_this_browser_never_saw_is_told_until_it_is_known_or_revoked(
    stage: Stage, computers: Computers
) -> None:
    desk = clerk(stage, computers, "guoyuan", locale="zh-CN", viewport=PHONE)
    page = desk.go("/portal/keys")
    page.wait_for_selector("#keys-list li")
    assert not page.is_visible("#unseen")
    thief, colleague = added(stage, "guoyuan"), added(stage, "guoyuan")
    page = desk.go("/portal/to-do")
    page.wait_for_selector("#unseen:not([hidden])")
    desk.photograph("to do with an unknown key")
    assert barriers(page) == []
    assert thief in page.inner_text("main")  # the notice that it was added
    page.locator("#unseen a").click()
    page.wait_for_selector(f"tr[data-kid='{thief}'] .unseen:not([hidden])")
    desk.photograph("keys with two unknown ones")
    assert not is_too_wide(page)
    assert barriers(page) == []
    row = page.locator(f"tr[data-kid='{colleague}']")
    assert stage.platform.signers["guoyuan"].public.kid in row.inner_text()  # by whose hand
    row.get_by_role("button").click()
    assert not row.locator(".unseen").is_visible()
    page = desk.go("/portal/keys")
    page.wait_for_selector(f"tr[data-kid='{thief}'] .unseen:not([hidden])")
    assert not page.locator(f"tr[data-kid='{colleague}'] .unseen").is_visible()
    page.locator(f"tr[data-kid='{thief}']").get_by_role("link").click()
    page.fill("#field-reason", "nobody of ours made it")
    page.get_by_role("button", name="继续").click()
    assert thief in checked(page)
    desk.sign()
    page = desk.go("/portal/keys")
    page.wait_for_selector("#keys-list li")
    assert not page.is_visible("#unseen")


def added(stage: Stage, party: str) -> str:
    """A key that somebody with the party's present key adds elsewhere."""
    signer = LocalSigner(generate(Algorithm.ED25519))
    proof = drafting.prove_key(signer, origin=kit.ORIGIN, party=party)
    stage.clients[party].act("ADD_KEY", f"party:{party}", proof)
    return signer.public.kid


def test_a_party_is_told_of_each_key_that_comes_or_goes_in_its_name(stage: Stage) -> None:
    client = stage.clients["banksg"]
    kid = added(stage, "banksg")
    client.act("REVOKE_KEY", "party:banksg", {"kid": kid, "reason": "a test"})
    told = [one for one in client.get("/v1/notices")["items"] if "kid" in one["facts"]]
    assert [(one["kind"], one["facts"]["kid"]) for one in told[-2:]] == [
        ("ADD_KEY", kid),
        ("REVOKE_KEY", kid),
    ]
