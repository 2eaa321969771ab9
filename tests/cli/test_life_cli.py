"""A bill's whole life with nothing but `bol`: each party at its own desk, with its own key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bol_service.cli.voyage_script import Script
from tests import kit
from tests.command_line import Office, in_environment, run, write_json

BOXES = ("XLCU7001127", "XLCU7001132")
BOTH = [word for box in BOXES for word in ("--container", box)]
SEALS = ["--seal", f"{BOXES[0]}=XL0098231", "--seal", f"{BOXES[1]}=XL0098232"]
TRAIN = ("--train", "LSC-0301A")
SAILING = ("--vessel", "XIN HE GUOYUAN", "--voyage", "027S")
PLACE = timezone(timedelta(hours=8))
PASSPHRASE = "only for this test"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kit.Platform]:
    with kit.platform(tmp_path_factory.mktemp("platform")) as started:
        yield started


@pytest.fixture(scope="module")
def office(platform: kit.Platform, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The log is opened and every party of the cast registered, all through `bol`."""
    folder = tmp_path_factory.mktemp("keys")
    office = Office(url=platform.base_url)
    office.keys["operator"] = in_environment(platform.signers["operator"])
    cast = {member["party"]: member for member in platform.script.parties}
    identity = write_json(folder / "operator.json", cast.pop("operator")["identity"])
    office.done("operator", "party", "init", "--identity", identity)
    office.done("operator", "party", "accept-rulebook")
    for slug, member in cast.items():
        register(office, folder, slug, member)
        office.done(slug, "party", "accept-rulebook")
    return office


def register(office: Office, folder: Path, slug: str, member: Any) -> None:
    """As it goes in life: the party makes key and proof, the operator registers them."""
    key, secret = folder / f"{slug}.pem", {"BOL_KEY_PASSPHRASE": PASSPHRASE}
    made = run("keys", "generate", key, "--alg", member["alg"], **secret)
    assert made.code == 0, made.err
    office.keys[slug] = {"BOL_KEY": f"file:{key}", **secret}
    identity = write_json(folder / f"{slug}.json", member["identity"])
    proof = office.done(slug, "keys", "proof", "--identity", identity)
    words: list[object] = ["--slug", slug, "--identity", identity]
    words += ["--proof", write_json(folder / f"{slug}.proof.json", proof)]
    words += [word for role in member["roles"] for word in ("--roles", role)]
    if "carrierCode" in member:
        code = member["carrierCode"]
        words += ["--carrier-code", code["code"], "--carrier-code-list", code["codeListProvider"]]
    if "facilities" in member:
        words += ["--facilities", write_json(folder / f"{slug}.places.json", member["facilities"])]
    office.done("operator", "party", "register", *words)


def document_of(script: Script, **changes: str) -> dict[str, Any]:
    today = datetime.now(PLACE).date().isoformat()
    text = json.dumps(script.document, ensure_ascii=False)
    document: dict[str, Any] = json.loads(text)
    days = {"issueDate": today, "receivedForShipmentDate": today}
    return with_planned_dates({**document, **days, **changes}, today)


def with_planned_dates(document: dict[str, Any], today: str) -> dict[str, Any]:
    transports = document["transports"]
    transports.update(plannedDepartureDate=today, plannedArrivalDate=today)
    return document


def test_a_bill_lives_from_booking_to_delivery_through_the_command_line(
    office: Office, platform: kit.Platform, tmp_path: Path
) -> None:
    script = platform.script
    issued = document_of(script)
    draft = {k: v for k, v in issued.items() if k not in ("issueDate", "receivedForShipmentDate")}
    draft["transportDocumentStatus"] = "DRAFT"
    draft_file = write_json(tmp_path / "draft.json", draft)
    issued_file = write_json(tmp_path / "issued.json", issued)
    booking = issued["consignmentItems"][0]["carrierBookingReference"]
    number = issued["transportDocumentReference"]

    # booking, instructions, draft, change, approval
    legs = ["--receipt", "guoyuan", "--rail", "wrail", "--loading", "qinzhou"]
    booked = office.done(
        "xlsc", "draft", "book", "--reference", booking, "--shipper", "yunling",
        "--forwarder", "qiaolian", *legs, "--discharge", "sgterm", *BOTH,
        "--customs", "cqcus", "--customs", "sgcus", "--customs-release",
    )  # fmt: skip
    shipment = booked["shipment"]
    office.done("yunling", "party", "grant-mandate", "qiaolian")
    instructions = write_json(tmp_path / "si.json", {"shippingInstructionsReference": "SI-1"})
    office.done("qiaolian", "draft", "instruct", booking, instructions)
    assert office.done("xlsc", "draft", "publish", booking, draft_file)["version"] == "1"
    office.done(
        "qiaolian", "draft", "request-change", booking, "--version", 1, "--comment", "check weight"
    )
    assert office.done("xlsc", "draft", "publish", booking, draft_file)["version"] == "2"
    assert office("yunling", "draft", "approve", booking, "--version", 1).code == 1
    approved = office("yunling", "draft", "approve", booking, "--version", 2)
    assert approved.code == 0, approved.err
    assert number in approved.err
    assert "content digest" in approved.err
    assert office.done("yunling", "draft", "list")["items"][0]["status"] == "APPROVED"

    # received and issued
    at_place = ["--shipment", shipment, *BOTH]
    assert len(office.done("guoyuan", "custody", "gate-in", *at_place, *SEALS)["receipts"]) == len(
        BOXES
    )
    picture, packing = tmp_path / "bill.pdf", tmp_path / "packing.pdf"
    picture.write_bytes(b"%PDF-1.7 the carrier's picture of the bill")
    packing.write_bytes(b"%PDF-1.7 packing list")
    issue = ["bill", "issue", issued_file, "--shipment", booking, "--visualisation", picture]
    bill = office.done("xlsc", *issue)["bill"]
    office.done("yunling", "bill", "attach", bill, packing)
    assert (office("yunling", "bill", "attach", bill, issued_file)).code == 1  # no PDF
    kept = office.done("xlsc", "bill", "files", bill, "--save", tmp_path / "files")["items"]
    assert [item["role"] for item in kept] == ["visualisation", "supporting-document"]
    assert [Path(item["file"]).read_bytes() for item in kept] == [
        picture.read_bytes(),
        packing.read_bytes(),
    ]
    assert "supporting-document" in office("xlsc", "bill", "files", bill).out

    # by rail and sea; the notation is told from the terminals' events
    waybill = ["--waybill", "R7781203"]
    office.done("wrail", "custody", "load-rail", *at_place, *TRAIN, *waybill)
    office.done("wrail", "custody", "rail-depart", *at_place, *TRAIN)
    office.done("wrail", "custody", "rail-arrive", *at_place, *TRAIN)
    office.done("qinzhou", "custody", "receive", *at_place, *SEALS)
    assert office("xlsc", "bill", "notate", number).code == 2  # not loaded: nothing to tell it from
    office.done("qinzhou", "custody", "load-vessel", *at_place, *SAILING)
    office.done("qinzhou", "custody", "depart", *at_place, *SAILING)
    office.done("xlsc", "bill", "notate", number)

    # endorsed, presented, refused, handed on
    office.done("yunling", "bill", "endorse", number, "--to", "banksg")
    office.done(
        "yunling", "bill", "transfer", number, "--to", "bankcq", "--lc", "LC-418", "--complete"
    )
    office.done("bankcq", "bill", "transfer", bill[:12], "--to", "banksg")
    office.done("banksg", "bill", "sign", bill)
    office.done("banksg", "bill", "endorse", bill, "--to", "straits", "--transfer-to", "straits")
    office.done("straits", "bill", "endorse", bill, "--blank", "--transfer-to", "nusantara")
    office.done("nusantara", "bill", "refuse", bill, "--reason", "price not agreed")

    # surrendered, rejected, surrendered again, accepted
    office.done("straits", "bill", "surrender", bill, "--for-amendment", "--reason-code", "COD")
    office.done("xlsc", "bill", "reject", bill, "--reason", "no change of destination")
    office.done("straits", "bill", "surrender", bill)
    office.done("xlsc", "bill", "accept", bill)

    # ordered out, released, delivered
    office.done("sgterm", "custody", "discharge", *at_place)
    pick_up = ["--pick-up-name", "Bukit Haulage Pte. Ltd.", "--pick-up-reference", "XD5521K"]
    expires = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="seconds")
    order = [*BOTH, *pick_up, "--terminal", "sgterm", "--expires", expires]
    lost = office.done("xlsc", "bill", "release-order", bill, *order)
    office.done("xlsc", "bill", "cancel-order", bill, "--reason", "code sent to the wrong haulier")
    code = office.done("xlsc", "bill", "release-order", bill, *order)["releaseCode"]
    assert code != lost["releaseCode"]
    collected = ["--collector-name", pick_up[1], "--collector-reference", pick_up[3]]
    out = ["custody", "gate-out", *at_place, *collected]
    held = office("sgterm", *out, "--code", code)
    assert (held.code, "customs" in held.err) == (1, True)
    assert office("sgterm", "bill", "release-check", BOXES[0]).code == 1
    office.done("sgcus", "custody", "customs-release", *at_place, "--reference", "IG7C2700418")
    assert office("sgterm", "bill", "release-check", BOXES[0]).code == 0
    wrong = office("sgterm", *out, "--code", lost["releaseCode"])
    assert (wrong.code, "wrong_code" in wrong.err) == (1, True)
    office.done("sgterm", *out, "--code", code)
    office.done("xlsc", "bill", "confirm", bill)

    shown = office.done("straits", "bill", "show", number)
    assert shown["status"] == "ACCOMPLISHED"
    acts = [item["action"] for item in office.done("xlsc", "bill", "history", bill)["items"]]
    assert acts == [
        "ISSUE", "ON_BOARD_NOTATION", "ENDORSE_TO_ORDER", "TRANSFER", "TRANSFER", "SIGN",
        "ENDORSE_TO_ORDER", "BLANK_ENDORSE", "REFUSE", "SURRENDER_FOR_AMENDMENT", "SREJ",
        "SURRENDER_FOR_DELIVERY", "SACC", "DELIVERY_ORDER", "CANCEL_DELIVERY_ORDER",
        "DELIVERY_ORDER", "CONFIRM_DELIVERY",
    ]  # fmt: skip
    assert "sgterm" in office("straits", "bill", "show", number).out
    alarms = office.done("xlsc", "bill", "notices")["items"]
    assert "RELEASE_ALARM" in {item["kind"] for item in alarms}

    # the document comes back byte for byte, the evidence verifies
    received = tmp_path / "received.json"
    office.done("straits", "bill", "document", bill, "--out", received)
    assert received.read_bytes() == issued_file.read_bytes()
    evidence = tmp_path / "bill.ebl.json"
    office.done("xlsc", "bill", "evidence", bill, "--out", evidence)
    assert run("verify", evidence).code == 3
