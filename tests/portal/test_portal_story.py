"""A bill on its way by clicks: keys made and imported in the browser, acts signed there.

One story, told in steps that go on where the one before ended; so it is one test.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.browser import Computers, Visitor
from tests.portal_stage import PASSPHRASE, Stage, registration


def test_a_bill_goes_from_a_new_key_to_its_release_by_clicks_alone(
    stage: Stage, computers: Computers, tmp_path: Path
) -> None:
    mill = computers.new()
    a_key_is_made_in_the_browser_registered_and_is_the_log_in(stage, mill)
    the_private_key_cannot_be_copied_out_of_the_browser(mill)
    the_session_cookie_is_not_for_scripts_and_not_for_other_sites(mill)
    the_rulebook_is_accepted_with_the_browser_s_key(stage, mill)
    shipper = with_imported_key(stage, computers, "yunling")
    a_bill_is_endorsed_and_handed_over_in_one_act(stage, shipper)
    the_receiver_sees_it_to_do_and_refuses_it_with_a_reason(stage, mill, shipper)
    an_act_that_came_too_late_is_refused_in_words_with_what_to_do(stage, shipper)
    an_act_whose_answer_was_lost_is_sent_again_and_recorded_once(stage, shipper)
    carrier = with_imported_key(stage, computers, "xlsc")
    the_holder_surrenders_and_the_carrier_accepts(stage, mill, carrier)
    the_release_code_is_made_in_the_browser_and_never_sent(stage, carrier)
    the_evidence_of_a_click_verifies_on_the_public_page(stage, computers, carrier, tmp_path)
    a_file_with_one_changed_letter_is_not_genuine(stage, computers, tmp_path)
    logging_out_ends_the_session_and_keeps_the_key(mill)


def with_imported_key(stage: Stage, computers: Computers, party: str) -> Visitor:
    visitor = computers.new()
    kid = visitor.import_key(party, stage.key_file(party), PASSPHRASE)
    assert kid == stage.platform.signers[party].public.kid
    visitor.log_in(party)
    return visitor


def a_key_is_made_in_the_browser_registered_and_is_the_log_in(stage: Stage, mill: Visitor) -> None:
    kid = mill.make_key("mill")
    page = mill.page
    page.fill("#legal-name", "Mill Trading Pte. Ltd.")
    page.fill("#local-name", "磨坊贸易")
    page.fill("#country", "SG")
    page.select_option("#id-type", "AUTHORITY")
    page.fill("#id-value", "mill")
    page.click("#register-form button")
    page.wait_for_selector("#register-done:not([hidden])")
    asked = registration(page.input_value("#register-proof"))
    stage.register(asked, ["CONSIGNEE"])

    page = mill.log_in("mill")

    assert "Mill Trading Pte. Ltd. · 磨坊贸易" in page.inner_text(".who")
    assert stage.clients["operator"].get("/v1/parties/mill")["keys"][0]["kid"] == kid


def the_private_key_cannot_be_copied_out_of_the_browser(mill: Visitor) -> None:
    refused = mill.page.evaluate(
        """async () => {
            const { all } = await import("/portal/static/any/keystore.js");
            const [key] = await all("keys");
            const exported = crypto.subtle.exportKey("jwk", key.privateKey);
            return exported.then(() => "exported", (error) => error.name);
        }"""
    )
    assert refused == "InvalidAccessError"


def the_session_cookie_is_not_for_scripts_and_not_for_other_sites(mill: Visitor) -> None:
    cookies = {cookie["name"]: cookie for cookie in mill.context.cookies()}
    session = cookies["ebl-session"]
    assert session["httpOnly"]
    assert session["sameSite"] == "Strict"
    assert "ebl-session" not in mill.page.evaluate("document.cookie")


def the_rulebook_is_accepted_with_the_browser_s_key(stage: Stage, mill: Visitor) -> None:
    page = mill.go("/portal/to-do")
    page.get_by_role("link", name="Accept the rulebook").click()
    page.get_by_role("link", name="Accept this rulebook").click()
    assert "accepts the rulebook" in page.inner_text("#sheet .says")
    mill.sign()

    rulebooks = stage.clients["operator"].get("/v1/parties/mill")["acceptedRulebooks"]
    assert len(rulebooks) == 1
    assert "Accept the rulebook" not in mill.go("/portal/to-do").inner_text("main")


def a_bill_is_endorsed_and_handed_over_in_one_act(stage: Stage, shipper: Visitor) -> None:
    page = shipper.go("/portal/bills?tab=held")
    page.get_by_role("link", name="XLSC2703CQSG00417").click()
    page.get_by_role("link", name="Endorse to order").click()
    page.select_option("#field-recipient", "mill")
    page.select_option("#field-transferTo", "mill")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    said = page.inner_text("#sheet")
    assert "to the order of Mill Trading Pte. Ltd. · 磨坊贸易 (mill)" in said
    assert "XLSC2703CQSG00417" in said
    assert "cannot be undone" in page.inner_text("#act-sign")
    shipper.sign()

    control = stage.clients["xlsc"].get(f"/v1/bills/{stage.bill_b}")["control"]
    assert control == {"possessor": "mill", "titleHolder": "mill", "final": False}


def the_receiver_sees_it_to_do_and_refuses_it_with_a_reason(
    stage: Stage, mill: Visitor, shipper: Visitor
) -> None:
    page = mill.go("/portal/to-do")
    page.get_by_role("link", name="A bill came to you").click()
    page.get_by_role("link", name="Refuse").click()
    page.fill("#field-reason", "price not agreed")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    assert "price not agreed" in page.inner_text("#sheet")
    mill.sign()

    control = stage.clients["xlsc"].get(f"/v1/bills/{stage.bill_b}")["control"]
    assert control["possessor"] == "yunling"
    assert "Bill refused" in shipper.go("/portal/to-do").inner_text("main")
    chain = shipper.go(f"/portal/bills/{stage.bill_b}").inner_text(".chain")
    assert "price not agreed" in chain


def an_act_that_came_too_late_is_refused_in_words_with_what_to_do(
    stage: Stage, shipper: Visitor
) -> None:
    page = shipper.go(f"/portal/bills/{stage.bill_b}/acts/TRANSFER")
    page.select_option("#field-recipient", "mill")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    stage.clients["yunling"].act("SIGN", f"bill:{stage.bill_b}", {})
    page.click("#sign")
    page.wait_for_selector("#act-fault:not([hidden])")

    said = page.inner_text("#act-fault")
    assert "Someone acted first" in said
    assert "sign again if still meant" in said


def an_act_whose_answer_was_lost_is_sent_again_and_recorded_once(
    stage: Stage, shipper: Visitor
) -> None:
    page = shipper.go(f"/portal/bills/{stage.bill_b}/acts/ENDORSE_TO_ORDER")
    page.select_option("#field-recipient", "mill")
    page.select_option("#field-transferTo", "mill")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    before = len(stage.clients["xlsc"].get(f"/v1/bills/{stage.bill_b}/events")["items"])

    def lose(route: object) -> None:
        route.fetch()  # type: ignore[attr-defined]  # it arrives; the answer does not
        route.abort()  # type: ignore[attr-defined]

    page.route("**/v1/events", lose)
    page.click("#sign")
    page.wait_for_selector("#act-fault:not([hidden])")
    assert "not known whether the act is recorded" in page.inner_text("#act-fault")
    page.unroute("**/v1/events")
    shipper.complaints.clear()  # the browser tells of the answer that was taken away
    page.get_by_role("button", name="Send it again").last.click()
    page.wait_for_selector("#act-done:not([hidden])")

    after = stage.clients["xlsc"].get(f"/v1/bills/{stage.bill_b}/events")["items"]
    assert len(after) == before + 1


def the_holder_surrenders_and_the_carrier_accepts(
    stage: Stage, mill: Visitor, carrier: Visitor
) -> None:
    page = mill.go(f"/portal/bills/{stage.bill_b}")
    page.get_by_role("link", name="Surrender for delivery").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    mill.sign()
    page = carrier.go("/portal/to-do")
    page.get_by_role("link", name="Answer a surrender").click()
    page.get_by_role("link", name="Accept the surrender").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    assert "can never be transferred again" in page.inner_text("#sheet .says")
    carrier.sign()

    assert stage.clients["xlsc"].get(f"/v1/bills/{stage.bill_b}")["status"] == (
        "SURRENDERED_FOR_DELIVERY"
    )


def the_release_code_is_made_in_the_browser_and_never_sent(stage: Stage, carrier: Visitor) -> None:
    sent: list[str] = []
    carrier.page.on("request", lambda request: sent.append(request.post_data or ""))
    page = carrier.go("/portal/to-do")
    page.get_by_role("link", name="Order the cargo out").click()
    page.fill("#field-pickUpName", "Bukit Haulage Pte. Ltd.")
    page.fill("#field-pickUpReference", "VEHICLE XD5521K")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_selector("#act-sign:not([hidden])")
    code = page.inner_text("#release-code")
    carrier.sign()

    order = stage.clients["xlsc"].get(f"/v1/bills/{stage.bill_b}")["deliveryOrders"][0]
    assert order["pickUp"]["name"] == "Bukit Haulage Pte. Ltd."
    assert len(code) == 22
    assert not [body for body in sent if code in body]


def the_evidence_of_a_click_verifies_on_the_public_page(
    stage: Stage, computers: Computers, carrier: Visitor, tmp_path: Path
) -> None:
    page = carrier.go(f"/portal/bills/{stage.bill_b}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download evidence").click()
    file = tmp_path / "bill.ebl.json"
    download.value.save_as(file)
    anyone = computers.new()
    page = anyone.go("/portal/verify")
    page.set_input_files("#file", file)
    page.get_by_role("button", name="Check this file").click()

    assert page.inner_text(".verdict h2").strip().endswith("GENUINE AND CURRENT")
    assert "green" in (page.get_attribute(".verdict", "class") or "")
    assert "Surrender accepted" in page.inner_text("main")


def a_file_with_one_changed_letter_is_not_genuine(
    stage: Stage, computers: Computers, tmp_path: Path
) -> None:
    content = (
        stage.clients["xlsc"]
        .request(
            "GET", f"/v1/bills/{stage.bill_b}/evidence", None, None, stage.clients["xlsc"].token()
        )
        .content
    )
    value = json.loads(content)
    value["document"] = value["document"].replace("MOTORCYCLE", "MOTORBOATS")
    file = tmp_path / "forged.ebl.json"
    file.write_text(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    page = computers.new().go("/portal/verify")
    page.set_input_files("#file", file)
    page.get_by_role("button", name="Check this file").click()

    assert page.inner_text(".verdict h2").strip().endswith("NOT GENUINE")
    assert "red" in (page.get_attribute(".verdict", "class") or "")
    assert "Do not rely" in page.inner_text(".verdict")


def logging_out_ends_the_session_and_keeps_the_key(mill: Visitor) -> None:
    page = mill.go("/portal/to-do")
    page.get_by_role("button", name="Log out").click()
    assert "log-in" in mill.go("/portal/bills").url
    page.wait_for_selector("#login-keys button")
    mill.log_in("mill")
