"""From the booking to the issued bill by clicks: two parties, each in its own browser; then what
the carrier committed to at issue is disclosed by the holder, and verified by a stranger.

One story, told in steps that go on where the one before ended; so it is one test.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from playwright.sync_api import Page

from bol_service.verification.report import Verdict
from bol_service.wire.disclosure import parse, parse_full
from tests import verifier_disclosures
from tests.browser import PHONE, Computers, Visitor
from tests.command_line import run, write_json
from tests.portal_stage import PASSPHRASE, Stage
from tests.trust_file import trust_value

BOXES = ("XLCU7001148", "XLCU7001153")
NUMBER = "XLSC2703CQSG00777"
BOOKING = "XLB-PORTAL-1"


@dataclass
class Told:
    """What the story has come to."""

    shipment: str = ""
    bill: str = ""
    fields: int = 0


def test_a_bill_comes_into_the_world_by_clicks(
    stage: Stage, computers: Computers, tmp_path: Path
) -> None:
    carrier = with_key(stage, computers, "xlsc")
    shipper = with_key(stage, computers, "yunling")
    told = Told()
    the_carrier_books(stage, carrier, told)
    the_shipper_is_asked_for_instructions_and_gives_them(stage, shipper, told)
    the_form_of_the_draft_begins_with_what_is_known(carrier, told)
    a_broken_rule_is_told_beside_its_field(carrier)
    the_draft_is_published_as_it_was_checked(stage, carrier, told)
    the_shipper_asks_for_a_change(stage, shipper, told)
    the_carrier_writes_another_version_over_the_first(carrier, told)
    the_shipper_sees_what_changed_and_approves(stage, shipper, told)
    no_bill_is_issued_before_the_goods_are_received(stage, carrier, told)
    the_carrier_issues_with_the_day_that_custody_proves(stage, carrier, told)
    the_carrier_keeps_the_file_of_all_fields(carrier, told)
    the_shipper_holds_it(stage, shipper, told)
    the_shipper_discloses_to_customs_in_chinese(shipper, told, tmp_path)
    customs_verifies_what_it_was_given(computers, told, tmp_path)
    so_do_the_command_line_and_the_offline_page(stage, tmp_path)


def with_key(stage: Stage, computers: Computers, party: str) -> Visitor:
    visitor = computers.new()
    visitor.import_key(party, stage.key_file(party), PASSPHRASE)
    visitor.log_in(party)
    return visitor


def checked(visitor: Visitor) -> str:
    """On a check page: what is said to be signed."""
    visitor.page.wait_for_selector("#act-sign:not([hidden])")
    return visitor.page.inner_text("#sheet")


def payload(page: Page) -> dict[str, Any]:
    """The exact content that the check page shows."""
    page.wait_for_selector("#act-sign:not([hidden])")
    value: dict[str, Any] = json.loads(
        page.locator("#sheet > details pre").last.text_content() or ""
    )
    return value


def the_carrier_books(stage: Stage, carrier: Visitor, told: Told) -> None:
    page = carrier.go("/portal/shipments")
    page.get_by_role("link", name="Confirm a booking").click()
    fill = {"carrierBookingReference": BOOKING, "boxes": f"{BOXES[0]}, {BOXES[1].lower()}"}
    for name, value in fill.items():
        page.fill(f"[name='{name}']", value)
    chosen = {
        "shipper": "yunling",
        "leg.receipt": "guoyuan",
        "leg.rail": "wrail",
        "leg.loading": "qinzhou",
        "leg.discharge": "sgterm",
        "customs": "sgcus",
    }
    for name, value in chosen.items():
        page.select_option(f"[name='{name}']", value)
    carrier.photograph("booking")
    page.get_by_role("button", name="Continue").click()
    said = checked(carrier)
    assert f"confirms booking {BOOKING} for Chongqing Yunling" in said
    carrier.photograph("booking-check")
    carrier.sign()
    lines = stage.clients["xlsc"].get("/v1/drafts")["items"]
    draft = next(one for one in lines if one["carrierBookingReference"] == BOOKING)
    assert draft["containers"] == list(BOXES)
    assert draft["custodians"]["rail"] == "wrail"
    told.shipment = draft["shipment"]


def the_shipper_is_asked_for_instructions_and_gives_them(
    stage: Stage, shipper: Visitor, told: Told
) -> None:
    page = shipper.go("/portal/to-do")
    page.get_by_role("link", name="Give shipping instructions").last.click()
    page.get_by_role("link", name="Submit instructions").click()
    page.fill("#instructions", "SI-777")
    page.fill("#shipper-street", "Tongmao Avenue")
    page.fill("#shipper-city", "Chongqing")
    page.fill("#shipper-country", "CN")
    page.fill("#notify-name", "Straits Cycle Trading Pte. Ltd.")
    page.select_option("#notify-party", "straits")
    page.fill(
        "#goods-0-description", "MOTORCYCLE PARTS AND ACCESSORIES, PACKED IN CARTONS\n摩托车零件"
    )
    page.fill("#goods-0-hs", "871410")
    for number, weight in enumerate(("18450", "17,980.5")):
        page.fill(f"#box-{number}-seals", f"XL009823{number}")
        page.fill(f"#box-{number}-packages", "640")
        page.fill(f"#box-{number}-packageKind", "Carton")
        page.fill(f"#box-{number}-weight", weight)
    shipper.photograph("instructions")
    page.get_by_role("button", name="Continue").last.click()
    said = checked(shipper)
    assert "submits shipping instructions SI-777" in said
    assert "17980.5 kg" in said
    shipper.sign()
    draft = stage.clients["xlsc"].get(f"/v1/drafts/{told.shipment}")
    assert draft["status"] == "INSTRUCTED"


def the_form_of_the_draft_begins_with_what_is_known(carrier: Visitor, told: Told) -> None:
    page = carrier.go("/portal/to-do")
    page.get_by_role("link", name="Write a draft").last.click()
    assert "SI-777" in page.inner_text("main")
    page.get_by_role("link", name="Write a draft").click()
    known = {
        "#box-1-container": BOXES[1],
        "#box-1-weight": "17980.5",
        "#loadingCode": "CNQZH",
        "#dischargeCode": "SGSIN",
        "#preCarriage": "RAIL",
        "#shipper-city": "Chongqing",
        "#shipper-streetNumber": "",  # the shipper gave another address than before
        "#loadingName": "Qinzhou",
        "#carrier-street": "Jiangbeizui Square",  # from an earlier draft of this carrier
        "#contactEmail": "documents@xlsc.example",
    }
    assert {field: page.input_value(field) for field in known} == known
    assert "governed by the law of Singapore" in page.input_value("#terms")


def a_broken_rule_is_told_beside_its_field(carrier: Visitor) -> None:
    page = carrier.page
    page.fill("#number", NUMBER)
    page.fill("#vessel", "XIN HE GUOYUAN")
    page.fill("#voyage", "031S")
    page.fill("#departure", "2027-03-08")
    page.fill("#arrival", "2027-03-05")
    page.fill("#box-0-container", "XLCU7001149")
    page.get_by_role("button", name="Continue").last.click()
    page.wait_for_selector("#faults")
    assert "2 fields are not right yet" in page.inner_text("#faults")
    beside = page.locator(".field", has=page.locator("#box-0-container")).inner_text()
    assert "check digit does not fit" in beside
    assert "iso-6346" in beside
    beside = page.locator(".field", has=page.locator("#arrival")).inner_text()
    assert "arrives before it departs" in beside
    carrier.photograph("draft-faults")
    page.get_by_role("link", name="Container line 1").click()
    assert page.evaluate("document.activeElement.id") == "box-0-container"


def the_draft_is_published_as_it_was_checked(stage: Stage, carrier: Visitor, told: Told) -> None:
    page = carrier.page
    page.fill("#box-0-container", BOXES[0])
    page.fill("#departure", "2027-03-05")
    page.fill("#arrival", "2027-03-08")
    page.get_by_role("button", name="Continue").last.click()
    said = checked(carrier)
    assert f"publishes version 1 of the draft of bill {NUMBER}" in said
    assert "to order" in said
    page.click("#every-member summary")
    assert "MOTORCYCLE PARTS AND ACCESSORIES," in page.inner_text("#every-member")
    carrier.photograph("draft-check")
    # What was typed is not lost by looking.
    page.get_by_role("button", name="Change something").click()
    assert page.input_value("#voyage") == "031S"
    page.get_by_role("button", name="Continue").last.click()
    shown = payload(page)
    carrier.sign()
    draft = stage.clients["yunling"].get(f"/v1/drafts/{told.shipment}")
    assert (draft["status"], draft["version"]) == ("DRAFT", 1)
    assert draft["contentDigest"] == shown["details"]["contentDigest"]
    document = stage.clients["yunling"].get(f"/v1/drafts/{told.shipment}/document")
    lines = document["consignmentItems"][0]["descriptionOfGoods"]
    assert lines == ["MOTORCYCLE PARTS AND ACCESSORIES,", "PACKED IN CARTONS", "摩托车零件"]
    codes = document["documentParties"]["shipper"]["identifyingCodes"]
    assert [code["partyCode"] for code in codes] == ["yunling", "ZZZZ00SHIPPERYUNL031"]


def the_shipper_asks_for_a_change(stage: Stage, shipper: Visitor, told: Told) -> None:
    page = shipper.go("/portal/to-do")
    page.get_by_role("link", name="Approve a draft").last.click()
    shipper.photograph("shipment")
    page.get_by_role("link", name="Ask for a change").click()
    page.fill("#field-comment", "Weight of the second container is 17,990 kg; add marks")
    page.get_by_role("button", name="Continue").click()
    assert "asks the carrier to change version 1" in checked(shipper)
    shipper.sign()
    assert stage.clients["xlsc"].get(f"/v1/drafts/{told.shipment}")["status"] == "CHANGE_REQUESTED"


def the_carrier_writes_another_version_over_the_first(carrier: Visitor, told: Told) -> None:
    page = carrier.go("/portal/to-do")
    page.get_by_role("link", name="Change a draft").last.click()
    assert "Weight of the second container" in page.inner_text("main .note.amber")
    page.get_by_role("link", name="Write a draft").click()
    assert page.input_value("#number") == NUMBER
    page.fill("#box-1-weight", "17990")
    page.fill("#goods-0-marks", "YL\nC/NO. 1-1280")
    page.get_by_role("button", name="Continue").last.click()
    assert "publishes version 2" in checked(carrier)
    carrier.sign()


def the_shipper_sees_what_changed_and_approves(stage: Stage, shipper: Visitor, told: Told) -> None:
    page = shipper.go(f"/portal/shipments/{told.shipment}")
    page.get_by_role("link", name="Changes since version 1").click()
    rows = page.locator(".changes tbody tr").all_inner_texts()
    shipper.photograph("draft-changes")
    assert len(rows) == 2
    assert f"Container {BOXES[1]}" in rows[1]
    assert "Gross weight" in rows[1]
    assert "17,980.500 kg" in rows[1]
    assert "17,990.000 kg" in rows[1]
    assert "Marks and numbers" in rows[0]
    page.get_by_role("link", name="Approve this draft").click()
    said = checked(shipper)
    assert "approves version 2" in said
    assert "17990 kg" in said
    content = stage.clients["yunling"].get(f"/v1/drafts/{told.shipment}")["contentDigest"]
    assert payload(page)["details"] == {"version": 2, "contentDigest": content}
    shipper.photograph("approve-check")
    shipper.sign()
    assert stage.clients["xlsc"].get(f"/v1/drafts/{told.shipment}")["status"] == "APPROVED"


def no_bill_is_issued_before_the_goods_are_received(
    stage: Stage, carrier: Visitor, told: Told
) -> None:
    page = carrier.go(f"/portal/shipments/{told.shipment}/issue")
    assert BOXES[0] in page.inner_text("main .note.amber")
    assert "gate-in" in page.inner_text("main .note.amber")
    now = stage.clients["guoyuan"].now().astimezone(UTC)
    details = {
        "occurredAt": f"{now:%Y-%m-%dT%H:%M:%S}.000Z",
        "localDate": f"{now.astimezone(stage.platform.script.zone):%Y-%m-%d}",
    }
    for box in BOXES:
        stream = f"custody:{told.shipment}:{box}"
        stage.clients["guoyuan"].act("GATE_IN", stream, details, after=None)


def the_carrier_issues_with_the_day_that_custody_proves(
    stage: Stage, carrier: Visitor, told: Told
) -> None:
    page = carrier.go("/portal/to-do")
    page.get_by_role("link", name="Issue a bill").last.click()
    page.get_by_role("link", name="Issue the bill").click()
    day = f"{stage.clients['guoyuan'].now().astimezone(stage.platform.script.zone):%Y-%m-%d}"
    assert f"Received for shipment on {day}" in page.inner_text("#field-shipped")
    carrier.photograph("issue")
    page.get_by_role("button", name="Continue").click()
    said = checked(carrier)
    assert f"issues bill {NUMBER} to Chongqing Yunling" in said
    carrier.photograph("issue-check")
    shown = payload(page)
    told.bill = shown["stream"].removeprefix("bill:")
    page.get_by_text("Signed besides: the DCSA issuance manifest").click()
    page.get_by_text("Signed besides: the commitment to each field").click()
    manifest, claims = map(json.loads, page.locator("#sheet pre.break").all_inner_texts())
    assert manifest["documentChecksum"] == told.bill
    assert claims["statusAt"] == f"{stage.base_url}/v1/bills/{told.bill}"
    told.fields = len(claims["_sd"])
    assert f"you commit to each of the {told.fields} fields" in said
    carrier.sign()
    document = stage.clients["yunling"].get(f"/v1/bills/{told.bill}/document")
    assert hashlib.sha256(rfc8785.dumps(document)).hexdigest() == told.bill
    assert document["receivedForShipmentDate"] == day
    assert document["transportDocumentStatus"] == "ISSUED"


def the_carrier_keeps_the_file_of_all_fields(carrier: Visitor, told: Told) -> None:
    page = carrier.page
    carrier.photograph("issued")
    kept = taken(page, page.get_by_role("link", name="Save the file of all fields").click)
    full = parse_full(kept.decode().strip())
    assert (full.claims.bill, full.claims.carrier) == (told.bill, "xlsc")
    assert len(full.disclosed) == told.fields
    page.get_by_role("link", name="Go on").click()
    assert NUMBER in page.inner_text("h1")
    page.get_by_role("link", name="Disclose single fields").click()
    button = page.get_by_role("link", name="Download all fields")
    assert taken(page, button.click) == kept


def the_shipper_holds_it(stage: Stage, shipper: Visitor, told: Told) -> None:
    page = shipper.go(f"/portal/shipments/{told.shipment}")
    assert page.locator(".acts").count() == 0
    page.get_by_role("link", name="To the bill").click()
    assert "Chongqing Yunling Motor Parts" in page.inner_text("main")
    control = stage.clients["xlsc"].get(f"/v1/bills/{told.bill}")["control"]
    assert control == {"possessor": "yunling", "titleHolder": "yunling", "final": False}
    assert BOOKING not in shipper.go("/portal/to-do").inner_text(".tasks")


def the_shipper_discloses_to_customs_in_chinese(shipper: Visitor, told: Told, folder: Path) -> None:
    page = shipper.go(f"/portal/bills/{told.bill}")
    page.get_by_role("button", name="中文").click()
    page.get_by_role("link", name="选择性披露").click()
    shipper.photograph("disclose-issued-here")
    customs = taken(page, page.get_by_role("button", name="下载海关用文件").click)
    evidence = taken(page, page.get_by_role("link", name="下载披露用证据").click)
    (folder / "customs.sdjwt").write_bytes(customs)
    (folder / "issue.ebl.json").write_bytes(evidence)
    shown = {piece.pointer for piece in parse(customs.decode().strip()).disclosed}
    assert "/consignmentItems/0/descriptionOfGoods" in shown
    assert not [pointer for pointer in shown if "documentParties" in pointer]


def customs_verifies_what_it_was_given(computers: Computers, told: Told, folder: Path) -> None:
    visitor = computers.new(locale="zh-CN", viewport=PHONE)
    page = visitor.go("/portal/verify")
    page.set_input_files("#file", folder / "customs.sdjwt")
    page.set_input_files("#beside", folder / "issue.ebl.json")
    page.locator(".drop button").click()
    page.wait_for_selector(".verdict.green")
    assert NUMBER in page.inner_text("main")
    assert "MOTORCYCLE PARTS AND ACCESSORIES" in page.inner_text("table.disclosed")


def so_do_the_command_line_and_the_offline_page(stage: Stage, folder: Path) -> None:
    fields, evidence = folder / "customs.sdjwt", folder / "issue.ebl.json"
    trust = write_json(folder / "trust.json", trust_value(stage.platform.trust()))
    ran = run("verify", fields, "--evidence", evidence, "--trust", trust, "--as-of-statement")
    assert (ran.code, ran.err) == (0, "")
    question = verifier_disclosures.Question(
        name="what the portal disclosed",
        fields=fields.read_bytes(),
        evidence=evidence.read_bytes(),
        trust=trust.read_bytes(),
        now=stage.clients["xlsc"].now(),
    )
    [answer], disagreements = verifier_disclosures.compared([question])
    assert (answer["verdict"], disagreements) == (str(Verdict.CURRENT), [])


def taken(page: Page, click: Callable[[], object]) -> bytes:
    """What a click hands out as a file."""
    with page.expect_download() as download:
        click()
    return download.value.path().read_bytes()


pytestmark = pytest.mark.filterwarnings("error")
