"""Drafts without a browser: the form and its document, sheets and files, and what others may do."""

from __future__ import annotations

import io
import json
import re
import zipfile
from copy import deepcopy
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from openpyxl import Workbook, load_workbook

from bol_service.application import portal_drafts
from bol_service.application.portal_drafts import PortalDrafts
from bol_service.application.rates import Buckets, Rate
from bol_service.domain.events import Action
from bol_service.domain.identifiers import check_container
from bol_service.portal import document_answers, spreadsheet
from bol_service.portal.desk import EXTENSION
from bol_service.portal.document_changes import changes
from bol_service.portal.document_form import Around, faults, write
from bol_service.portal.document_questions import OF_BOX
from bol_service.portal.forms import Given
from bol_service.portal.words import ENGLISH
from bol_service.wire import drafting
from bol_service.wire.events import issue_to_checksum
from tests import kit
from tests.bill_scene import Answer
from tests.portal_shipment import Shipment, drafted
from tests.portal_stage import PAYLOADS, Stage

Json = dict[str, Any]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def shipment(stage: Stage) -> Shipment:
    return drafted(stage, "XLB-DRAFTS", ("XLCU7001148", "XLCU7001153"))


def post(stage: Stage, path: str, form: Given | Json, party: str = "xlsc") -> Answer:
    return stage.request(
        "POST",
        path,
        party=party,
        body=urlencode(list(form.items())).encode(),
        headers={**FORM, "Origin": stage.base_url, "Sec-Fetch-Site": "same-origin"},
    )


def send_file(stage: Stage, path: str, content: bytes, party: str = "xlsc") -> Answer:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Origin": stage.base_url}
    body = head + content + b"\r\n--b--\r\n"
    return stage.request("POST", f"{path}/import", party=party, body=body, headers=headers)


def about(answer: Answer) -> Json:
    found = re.search(rb'id="about">(.*?)</script>', answer.body)
    assert found is not None, answer.body.decode()[-3000:]
    value: Json = json.loads(found[1])
    return value


def payload(answer: Answer) -> Json:
    found = re.search(rb'id="payload">(.*?)</script>', answer.body)
    assert found is not None
    value: Json = json.loads(found[1])
    return value


def around(shipment: Shipment) -> Around:
    desk = shipment.stage.platform.running.app.extensions[EXTENSION]
    carrier = desk.views.names(["xlsc"])["xlsc"]
    return Around(booking=shipment.reference, parties={}, platform_code="CQGY", carrier=carrier)


# -- the form and its document -------------------------------------------------------------------


def test_a_document_goes_through_the_form_unchanged(shipment: Shipment) -> None:
    document = shipment.document()
    given = document_answers.of_document(document)
    assert write(given, document, around(shipment)).document == document


def test_what_the_form_does_not_ask_is_kept_from_the_version_before(shipment: Shipment) -> None:
    document = shipment.document()
    document["exportLicense"] = {"isRequired": True, "reference": "EX-1"}
    document["utilizedTransportEquipments"][0]["references"] = [{"type": "CR", "value": "7"}]
    given = document_answers.of_document(document)
    given["vessel"] = "ANOTHER"
    made = write(given, document, around(shipment)).document
    assert made["exportLicense"] == {"isRequired": True, "reference": "EX-1"}
    assert made["utilizedTransportEquipments"][0]["references"] == [{"type": "CR", "value": "7"}]
    assert [change.after for change in changes(document, made)] == ["ANOTHER"]


def test_a_seal_that_is_blanked_is_gone_and_told(shipment: Shipment) -> None:
    document = shipment.document()
    given = document_answers.of_document(document)
    given["box-1-seals"] = ""
    written = write(given, document, around(shipment))
    assert "seals" not in written.document["utilizedTransportEquipments"][1]
    assert "box-1-seals" in faults(written, whole=True)


def test_a_container_that_is_taken_out_changes_nothing_of_the_others(shipment: Shipment) -> None:
    document = shipment.document()
    given = document_answers.of_document(document)
    for question in OF_BOX:
        given.pop(f"box-0-{question.name}", None)
    made = write(given, document, around(shipment)).document
    told = {(change.place.part, change.place.which) for change in changes(document, made)}
    assert told == {("container", shipment.boxes[0])}
    assert all(change.after is None for change in changes(document, made))


def test_one_container_with_goods_of_two_kinds_takes_two_lines(shipment: Shipment) -> None:
    document = shipment.document()
    given = document_answers.of_document(document)
    given.update({"goods-1-description": "TOOLS", "goods-1-hs": "820559"})
    for name in ("packages", "packageKind", "weight"):
        given[f"box-2-{name}"] = given[f"box-0-{name}"]
    given.update({"box-2-container": shipment.boxes[0], "box-2-goods": "2"})
    written = write(given, document, around(shipment))
    items = written.document["consignmentItems"]
    assert [len(item["cargoItems"]) for item in items] == [2, 1]
    assert len(written.document["utilizedTransportEquipments"]) == 2
    assert written.document["utilizedTransportEquipments"] == sorted(
        written.document["utilizedTransportEquipments"],
        key=lambda used: shipment.boxes.index(used["equipment"]["equipmentReference"]),
    )
    assert document_answers.of_document(written.document)["box-1-goods"] == "1"


def with_parties(shipment: Shipment) -> Around:
    desk = shipment.stage.platform.running.app.extensions[EXTENSION]
    found = desk.views.names(["yunling", "straits", "bankcq", "xlsc"])
    return replace(around(shipment), parties=found)


def test_another_party_comes_with_its_own_name_and_codes_and_no_address_of_the_first(
    shipment: Shipment,
) -> None:
    document = shipment.document()
    given = document_answers.of_document(document)
    given["to-was"], given["to-party"] = "yunling", "bankcq"
    found = write(given, document, with_parties(shipment)).document["documentParties"]["endorsee"]
    assert found["partyName"] == with_parties(shipment).parties["bankcq"].identity.legal_name
    assert found["identifyingCodes"][0]["partyCode"] == "bankcq"
    assert "address" not in found
    assert "yunling" not in json.dumps(found).lower()


def test_a_party_that_is_not_registered_keeps_no_codes_of_one_that_is(shipment: Shipment) -> None:
    document = shipment.document()
    given = document_answers.of_document(document)
    given["notify-was"], given["notify-party"] = "straits", ""
    given["notify-name"] = "Unregistered Trading"
    notify = write(given, document, with_parties(shipment)).document["documentParties"]
    assert notify["notifyParties"][0]["partyName"] == "Unregistered Trading"
    assert not {"identifyingCodes", "taxLegalReferences"} & notify["notifyParties"][0].keys()


def test_a_name_that_is_another_party_s_is_told(shipment: Shipment) -> None:
    """As a sheet may say it, in which nothing tells who was chosen before."""
    given = document_answers.of_document(shipment.document())
    given["to-party"] = "bankcq"
    found = faults(write(given, {}, with_parties(shipment)), whole=True)
    assert [problem.rule for problem in found["to-name"]] == ["name-of-party"]


BROKEN = {
    "no B/L number": ({"number": ""}, "number", "required"),
    "too long a B/L number": ({"number": "X" * 21}, "number", "max-length"),
    "no container number": ({"box-0-container": "XLCU7001149"}, "box-0-container", "iso-6346"),
    "a container twice": ({"box-1-container": "XLCU7001148"}, "", ""),
    "no seal": ({"box-0-seals": ""}, "box-0-seals", "required"),
    "no number": ({"box-0-weight": "heavy"}, "box-0-weight", "type"),
    "a negative weight": ({"box-0-weight": "-4"}, "box-0-weight", "minimum"),
    "no HS code": ({"goods-0-hs": ""}, "goods-0-hs", "required"),
    "a short HS code": ({"goods-0-hs": "87"}, "goods-0-hs", "pattern"),
    "no such place": ({"loadingCode": "QINZHOU"}, "loadingCode", "pattern"),
    "no day": ({"arrival": "2027-02-30"}, "arrival", "type"),
    "arrival before departure": ({"arrival": "2020-01-01"}, "arrival", "departure-before-arrival"),
    "no consignee on a straight bill": (
        {"kind": "STRAIGHT", "to-party": "", "to-name": "", "to-street": "", "to-streetNumber": "",
         "to-city": "", "to-country": "", "to-postCode": ""},
        "to-party",
        "C2.1",
    ),
    "no notify party on an order bill": (
        {f"notify-{name}": "" for name in
         ("party", "name", "street", "streetNumber", "postCode", "city", "country")},
        "notify-name",
        "C2.13",
    ),
    "a carriage mode that is none": ({"preCarriage": "BICYCLE"}, "preCarriage", "C2.6"),
    "text that turns its direction": ({"vessel": "A\u202eB"}, "vessel", "text"),
}  # fmt: skip


@pytest.mark.parametrize(("said", "field", "rule"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_rule_is_found_at_its_field(
    shipment: Shipment, said: dict[str, str], field: str, rule: str
) -> None:
    document = shipment.document()
    given = document_answers.of_document(document)
    for name, value in said.items():
        given[name] = value
    found = faults(write(given, document, around(shipment)), whole=True)
    if field:
        assert rule in [problem.rule for problem in found[field]]
        assert "" not in found
    else:
        assert found == {}  # both lines are of one container: its goods are in two lots


def test_every_rule_that_a_form_can_break_has_words(shipment: Shipment) -> None:
    rules = {rule for _, _, rule in BROKEN.values() if rule} | {"name-of-party", "draft"}
    assert {f"rule.{rule}" for rule in rules} <= ENGLISH.keys()


def test_hostile_text_is_text_in_the_form_and_on_the_check_page(
    stage: Stage, shipment: Shipment
) -> None:
    given = document_answers.of_document(shipment.document())
    for payload_text in PAYLOADS:
        given["contactName"] = payload_text[:35]
        given["goods-0-description"] = payload_text
        answer = post(stage, f"{shipment.path}/draft", given)
        body = answer.body.decode()
        assert "<script>window.pwned" not in body
        assert "<img src=x" not in body


def test_lines_of_goods_are_broken_between_words(shipment: Shipment) -> None:
    given = document_answers.of_document(shipment.document())
    given["goods-0-description"] = "MOTORCYCLE PARTS AND ACCESSORIES, PACKED IN CARTONS"
    made = write(given, {}, around(shipment)).document
    lines = made["consignmentItems"][0]["descriptionOfGoods"]
    assert lines == ["MOTORCYCLE PARTS AND ACCESSORIES,", "PACKED IN CARTONS"]


def test_more_lines_are_given_and_nothing_typed_is_lost(stage: Stage, shipment: Shipment) -> None:
    form = {"number": "KEPT-1", "do": "box", "box-0-container": "X"}
    answer = post(stage, f"{shipment.path}/draft", form)
    body = answer.body.decode()
    assert answer.status == 200
    assert 'value="KEPT-1"' in body
    assert 'id="box-3-container"' in body
    assert 'id="box-4-container"' not in body


# -- files ---------------------------------------------------------------------------------------


def test_a_json_document_is_taken_byte_for_byte(stage: Stage, shipment: Shipment) -> None:
    content = json.dumps(shipment.document(), ensure_ascii=False, indent=3).encode()
    answer = send_file(stage, f"{shipment.path}/draft", content)
    assert answer.status == 200
    assert about(answer)["text"].encode() == content
    assert about(answer)["makes"] == "draft"
    assert payload(answer)["details"] == {"version": 3}


def test_a_json_document_that_breaks_rules_is_told_with_every_place(
    stage: Stage, shipment: Shipment
) -> None:
    document = shipment.document()
    document["carrierCode"] = "TOO LONG"
    del document["termsAndConditions"]
    document["transportDocumentStatus"] = "ISSUED"
    answer = send_file(stage, f"{shipment.path}/draft", json.dumps(document).encode())
    body = answer.body.decode()
    assert answer.status == 422
    for place in ("/carrierCode", "/termsAndConditions", "/transportDocumentStatus"):
        assert place in body
    assert b'id="payload"' not in answer.body


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"a":1,"a":2}', b"\xff\xfe", b"{", b"PK\x03\x04"]
)
def test_a_file_that_is_none_is_refused_with_the_form_beside_it(
    stage: Stage, shipment: Shipment, content: bytes
) -> None:
    answer = send_file(stage, f"{shipment.path}/draft", content)
    assert answer.status == 422
    assert b"This file was not taken" in answer.body
    assert b'id="number"' in answer.body


def test_the_sheet_that_is_handed_out_is_taken_back_as_it_was(
    stage: Stage, shipment: Shipment
) -> None:
    sheet = stage.request("GET", f"{shipment.path}/draft.xlsx", party="xlsc")
    assert sheet.headers["Content-Disposition"].startswith("attachment")
    given = spreadsheet.read(sheet.body)
    known = document_answers.of_document(shipment.documents[-1])
    assert {name: value.strip() for name, value in given.items()} == {
        name: value.strip() for name, value in known.items() if value
    }
    answer = send_file(stage, f"{shipment.path}/draft", sheet.body)
    assert answer.status == 200
    assert b"The sheet is read into the form below" in answer.body
    assert b'id="faults"' not in answer.body


def test_the_sheet_says_in_words_what_every_code_means(stage: Stage, shipment: Shipment) -> None:
    sheet = stage.request("GET", f"{shipment.path}/draft.xlsx", party="xlsc")
    book = load_workbook(io.BytesIO(sheet.body))
    assert book.sheetnames == ["Bill", "Goods", "Containers", "Read me"]
    told = {row[0].value for row in book["Read me"].iter_rows()}
    assert {"number", "shipper-city", "Containers: seals", "Goods: hs"} <= told


def test_an_answer_that_looks_like_a_formula_is_written_as_text() -> None:
    content = spreadsheet.write(Given({"number": "=1+1", "vessel": "@SUM(A1)"}), str)
    cells = {row[0].value: row[2] for row in load_workbook(io.BytesIO(content))["Bill"].iter_rows()}
    assert (cells["number"].data_type, cells["number"].value) == ("s", "=1+1")
    assert spreadsheet.read(content)["number"] == "=1+1"


def workbook(change: Any) -> bytes:
    book = load_workbook(io.BytesIO(spreadsheet.write(Given(), str)))
    change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _formula(book: Workbook) -> None:
    book["Goods"]["B3"] = "=HYPERLINK(1)"


def _unknown(book: Workbook) -> None:
    book["Bill"]["A3"] = "colour"


def _unknown_column(book: Workbook) -> None:
    book["Containers"]["A1"] = "colour"


def _no_bill(book: Workbook) -> None:
    del book["Bill"]


def _many(book: Workbook) -> None:
    for row in range(3, 70):
        book["Containers"].cell(row=row, column=1).value = "XLCU7001148"


def _far(book: Workbook) -> None:
    book["Bill"]["A1048576"] = "number"


def _error(book: Workbook) -> None:
    book["Bill"]["C3"].value = "#REF!"
    book["Bill"]["C3"].data_type = "e"


SHEETS = {
    "a formula": (_formula, "formula", "Goods!B3"),
    "an unknown code": (_unknown, "unknown", "Bill!A3"),
    "an unknown column": (_unknown_column, "unknown", "Containers!1"),
    "no sheet of the bill": (_no_bill, "no_bill", ""),
    "more containers than a form has": (_many, "too_many", "Containers!63"),
    "a cell at the end of the world": (_far, "too_many", "Bill!201"),
    "an error of Excel": (_error, "broken_cell", "Bill!C3"),
}


@pytest.mark.parametrize(("change", "key", "cell"), SHEETS.values(), ids=SHEETS.keys())
def test_a_sheet_is_refused_with_the_cell_and_the_reason(change: Any, key: str, cell: str) -> None:
    with pytest.raises(spreadsheet.SheetError) as refused:
        spreadsheet.read(workbook(change))
    assert (refused.value.key, refused.value.cell) == (key, cell)
    assert f"sheet.{key}" in ENGLISH


def archive(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return file.getvalue()


def with_part(name: str, content: bytes) -> bytes:
    sound = zipfile.ZipFile(io.BytesIO(spreadsheet.write(Given(), str)))
    parts = {part: sound.read(part) for part in sound.namelist()}
    return archive({**parts, name: content})


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'


def broken(byte: bytes, packing: int) -> bytes:
    """An archive whose one part cannot be unpacked: the middle of its bytes is overwritten."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", packing) as file:
        file.writestr("xl/workbook.xml", "<a>" + "x" * 2000)
    content = bytearray(written.getvalue())
    begin = content.index(b"xl/workbook.xml") + len("xl/workbook.xml")
    content[begin : begin + 12] = byte * 12
    return bytes(content)


def unknown_packing() -> bytes:
    """Both headers name a compression method that nobody has."""
    content = bytearray(archive({"xl/workbook.xml": b"<a/>"}))
    for magic, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = content.index(magic) + offset
        content[place : place + 2] = (97).to_bytes(2, "little")
    return bytes(content)


HOSTILE = {
    "an archive that unpacks without end": (archive({"bomb": b"0" * 9_000_000}), "too_large"),
    "half a million cells, small when packed": (
        with_part("xl/worksheets/sheet1.xml", b"<c><v>1</v></c>" * 500_000),
        "too_large",
    ),
    "very many parts": (archive({f"part{n}": b"" for n in range(100)}), "too_large"),
    "a large file": (b"PK" + b"0" * 1_000_001, "too_large"),
    "XML that declares entities": (with_part("xl/sharedStrings.xml", LAUGHS), "declares"),
    "the same in UTF-16": (
        with_part("xl/workbook.xml", LAUGHS.decode().encode("utf-16")),
        "declares",
    ),
    "macros": (with_part("xl/vbaProject.bin", b"macro"), "macros"),
    "an archive of something else": (archive({"a.txt": b"hello"}), "unreadable"),
    "half a sheet": (spreadsheet.write(Given(), str)[:2000], "no_sheet"),
    "a part whose packing is broken": (broken(b"\xff", zipfile.ZIP_DEFLATED), "no_sheet"),
    "a part whose LZMA is broken": (broken(b"\xff", zipfile.ZIP_LZMA), "no_sheet"),
    "a part packed in a way of its own": (unknown_packing(), "no_sheet"),
    "no archive": (b"PK\x03\x04 but no more", "no_sheet"),
}


@pytest.mark.parametrize(("content", "key"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused_in_words(content: bytes, key: str) -> None:
    with pytest.raises(spreadsheet.SheetError) as refused:
        spreadsheet.read(content)
    assert refused.value.key == key
    assert f"sheet.{key}" in ENGLISH


def test_a_bomb_gets_an_answer_of_the_page(stage: Stage, shipment: Shipment) -> None:
    content = archive({"bomb": b"0" * 9_000_000})
    answer = send_file(stage, f"{shipment.path}/draft", content)
    assert answer.status == 422
    assert b"unpacks to more" in answer.body


def test_a_party_that_sends_sheet_after_sheet_is_told_when_to_come_back(
    stage: Stage, shipment: Shipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = stage.platform.running.services.rates
    slow = Buckets(Rate(burst=1, per_second=0.01))
    monkeypatch.setattr(counted, "_party_sheets", slow)
    content = archive({"a.txt": b"hello"})
    answers = [send_file(stage, f"{shipment.path}/draft", content) for _ in range(2)]
    assert [answer.status for answer in answers] == [422, 429]
    assert int(answers[1].headers["Retry-After"]) <= 100


# -- instructions, issue, who may do what --------------------------------------------------------


def test_instructions_in_any_form_are_shown_without_harm(stage: Stage) -> None:
    made = Shipment(stage=stage, reference="XLB-ODD", boxes=("XLCU7001148", "XLCU7001153"))
    made.book()
    shipper = stage.clients["yunling"]
    for number, odd in enumerate(
        (
            {"documentParties": "x", "consignmentItems": 7},
            {"consignmentItems": [{"cargoItems": [{"equipmentReference": {"a": 1}}]}]},
            {"utilizedTransportEquipments": [{"equipment": [], "seals": [1]}], "isToOrder": "no"},
            {"transports": {"vesselVoyages": {"0": 1}}, "documentParties": {"shipper": [1]}},
        )
    ):
        uploaded = shipper.upload(json.dumps(odd).encode(), "shipping-instructions")
        details = {
            "shippingInstructionsReference": f"SI-{number}",
            "document": uploaded["digest"],
        }
        shipper.act("SUBMIT_INSTRUCTIONS", made.stream, details)
        for path, party in (("", "xlsc"), ("/draft", "xlsc"), ("/instructions", "yunling")):
            assert stage.request("GET", f"{made.path}{path}", party=party).status == 200
        for what, party in (("draft", "xlsc"), ("instructions", "yunling")):
            assert post(stage, f"{made.path}/{what}", {"number": "1"}, party).status == 422
            assert stage.request("GET", f"{made.path}/{what}.xlsx", party=party).status == 200


def test_issue_signs_the_days_that_custody_proves(stage: Stage) -> None:
    made = drafted(stage, "XLB-ISSUE", ("XLCU7001148", "XLCU7001153"))
    made.approve()
    made.receive()
    form = {"shipped": "RECEIVED", "issueTo": "yunling"}
    answer = post(stage, f"{made.path}/issue", form)
    document = json.loads(about(answer)["text"])
    today = stage.clients["xlsc"].now().astimezone(stage.platform.script.zone).date().isoformat()
    assert document["receivedForShipmentDate"] == today
    assert document["issueDate"] == today
    assert document["transportDocumentStatus"] == "ISSUED"
    assert payload(answer)["details"]["parties"] == {
        "shipper": "yunling",
        "titleHolder": "yunling",
        "notify": ["straits"],
    }
    refused = post(stage, f"{made.path}/issue", {"shipped": "ON_BOARD", "issueTo": "yunling"})
    assert refused.status == 422  # custody does not prove it
    assert post(stage, f"{made.path}/issue", {**form, "issueTo": "xlsc"}).status == 422


def test_what_is_offered_is_what_the_law_accepts(stage: Stage) -> None:
    """For every state of a draft and each of its parties."""
    made = Shipment(stage=stage, reference="XLB-LAW", boxes=("XLCU7001148", "XLCU7001153"))
    made.book()
    assert offered(stage, made, "xlsc") == {"PUBLISH_DRAFT", "APPOINT"}
    assert offered(stage, made, "yunling") == {"SUBMIT_INSTRUCTIONS"}
    made.publish(made.document())
    asks = {"APPROVE_DRAFT", "REQUEST_CHANGE", "SUBMIT_INSTRUCTIONS"}
    assert offered(stage, made, "yunling") == asks
    made.approve()
    assert offered(stage, made, "xlsc") == {"ISSUE", "PUBLISH_DRAFT", "APPOINT"}
    assert offered(stage, made, "yunling") == {"REQUEST_CHANGE", "SUBMIT_INSTRUCTIONS"}
    # A forwarder with a mandate may what the shipper may.
    stage.clients["yunling"].act("GRANT_MANDATE", "party:yunling", {}, recipient="qiaolian")
    assert offered(stage, made, "qiaolian") == {"REQUEST_CHANGE", "SUBMIT_INSTRUCTIONS"}


def test_a_forwarder_under_a_mandate_finds_the_shipments_in_its_list(stage: Stage) -> None:
    made = Shipment(stage=stage, reference="XLB-LIST", boxes=("XLCU7001148", "XLCU7001153"))
    made.book()
    stage.clients["yunling"].act("GRANT_MANDATE", "party:yunling", {}, recipient="qiaolian")
    assert made.shipment in [line.shipment for line in views(stage).shipments("qiaolian").lines]
    stage.clients["yunling"].act("REVOKE_MANDATE", "party:yunling", {}, recipient="qiaolian")
    assert made.shipment not in [line.shipment for line in views(stage).shipments("qiaolian").lines]


def test_a_long_list_shows_the_latest_shipments_and_says_that_it_is_cut(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Shipment(stage=stage, reference="XLB-LATEST", boxes=("XLCU7001148", "XLCU7001153"))
    made.book()
    assert not views(stage).shipments("xlsc").cut
    monkeypatch.setattr(portal_drafts, "SCAN", 1)
    monkeypatch.setattr(portal_drafts, "_PART", 2)
    found = views(stage).shipments("xlsc")
    assert ([line.reference for line in found.lines], found.cut) == (["XLB-LATEST"], True)


def views(stage: Stage) -> PortalDrafts:
    queries = stage.platform.running.services.queries
    return PortalDrafts(stage.platform.running.store, queries._clock, kit.ORIGIN)


def offered(stage: Stage, made: Shipment, party: str) -> set[str]:
    return {str(act) for act in views(stage).shipment(made.shipment, party).acts}


def test_an_act_that_is_not_open_is_said_so(stage: Stage, shipment: Shipment) -> None:
    for path, party in (
        ("issue", "xlsc"),
        ("draft", "yunling"),
        (f"acts/{Action.APPROVE_DRAFT}", "xlsc"),
        ("instructions", "xlsc"),
    ):
        answer = stage.request("GET", f"{shipment.path}/{path}", party=party)
        assert answer.status == 409
        assert b"is not open to you on booking XLB-DRAFTS" in answer.body


def test_only_documents_of_drafts_come_in_by_the_page(stage: Stage) -> None:
    headers = {"Content-Type": "application/json", "Origin": stage.base_url}
    for kind, status in (
        ("shipping-instructions", 201),
        ("transport-document", 422),
        ("disclosure", 422),
        ("anything", 422),
    ):
        path = f"/portal/documents?kind={kind}"
        answer = stage.request("POST", path, party="yunling", body=b"{}", headers=headers)
        assert answer.status == status
    instructions = "/portal/documents?kind=shipping-instructions"
    otherwise = {**headers, "Content-Type": "application/sd-jwt"}
    refused = stage.request("POST", instructions, party="yunling", body=b"{}", headers=otherwise)
    assert refused.status == 422
    anybody = stage.request("POST", instructions, body=b"{}", headers=headers)
    assert anybody.status == 303


def test_a_booking_is_checked_as_the_law_checks_it(stage: Stage) -> None:
    sound = {
        "shipment": "00000000-0000-7000-8000-000000000001",
        "carrierBookingReference": "B-1",
        "shipper": "yunling",
        "leg.receipt": "guoyuan",
        "leg.loading": "guoyuan",
        "leg.discharge": "sgterm",
    }
    assert post(stage, "/portal/shipments/new", sound).status == 200
    for wrong, said in (
        ({"boxes": "XLCU7001149"}, "check digit does not fit"),
        ({"boxes": "XLCU7001148 XLCU7001148"}, "named twice"),
        ({"leg.loading": "qinzhou"}, "the same terminal receives and loads"),
        ({"customsRelease": "yes"}, "Fill this in"),
        ({"shipper": "xlsc"}, "Choose one from the list"),
        ({"shipper": "operator"}, "Choose one from the list"),
    ):
        answer = post(stage, "/portal/shipments/new", {**sound, **wrong})
        assert answer.status == 422
        assert said in answer.body.decode()
    assert post(stage, "/portal/shipments/new", {**sound, "shipment": "x"}).status == 404


def test_changes_are_told_of_documents_that_are_alike() -> None:
    before = {"a": 1, "transportDocumentStatus": "DRAFT", "seals": []}
    after = deepcopy(before) | {"transportDocumentStatus": "ISSUED"}
    assert changes(before, after) == []


def test_personal_data_in_free_text_is_warned_of_before_it_is_signed(
    stage: Stage, shipment: Shipment
) -> None:
    document = shipment.document()
    document["carrierClauses"] = ["CALL MR LI, TEL 13812345678"]
    answer = send_file(stage, f"{shipment.path}/draft", json.dumps(document).encode())
    assert "/carrierClauses/0: a telephone number" in answer.body.decode()
    plain = send_file(stage, f"{shipment.path}/draft", json.dumps(shipment.document()).encode())
    assert "a telephone number" not in plain.body.decode()


# -- every kind of bill --------------------------------------------------------------------------

KINDS = {
    "to the shipper's order": ({"kind": "ORDER"}, ("yunling", None)),
    "to another's order": ({"kind": "ORDER", "to-party": "bankcq"}, ("bankcq", None)),
    "straight": ({"kind": "STRAIGHT", "to-party": "straits"}, ("straits", "straits")),
    "in blank": ({"kind": "BLANK"}, (None, None)),
}


@pytest.mark.parametrize(("said", "held"), KINDS.values(), ids=KINDS.keys())
def test_each_kind_of_bill_that_the_form_makes_is_issued(
    stage: Stage, said: dict[str, str], held: tuple[str | None, str | None]
) -> None:
    number = list(KINDS.values()).index((said, held))
    boxes = (_box(800_000 + 2 * number), _box(800_001 + 2 * number))
    made = Shipment(stage=stage, reference=f"XLB-KIND-{number}", boxes=boxes)
    made.book()
    given = document_answers.of_document(made.document())
    for name in ("name", "street", "streetNumber", "postCode", "city", "country"):
        given[f"to-{name}"] = ""
    for name, value in {**said, "vessel": f"SHIP {number}"}.items():
        given[name] = value
    written = post(stage, f"{made.path}/draft", given)
    made.publish(json.loads(about(written)["text"]))
    made.approve()
    made.receive()
    form = {"shipped": "RECEIVED", "issueTo": "yunling"}
    bill = issued(stage, post(stage, f"{made.path}/issue", form))
    parties = stage.clients["xlsc"].get(f"/v1/bills/{bill}")["parties"]
    control = stage.clients["xlsc"].get(f"/v1/bills/{bill}")["control"]
    assert (control.get("titleHolder"), parties.get("consignee")) == held


def test_a_bill_is_issued_on_board_with_the_day_of_loading(stage: Stage) -> None:
    boxes = (_box(810_000), _box(810_001))
    made = drafted(stage, "XLB-ONBOARD", boxes)
    made.approve()
    made.receive()
    made.load()
    form = stage.request("GET", f"{made.path}/issue", party="xlsc").body.decode()
    assert "Shipped on board on" in form
    answer = post(stage, f"{made.path}/issue", {"shipped": "ON_BOARD", "issueTo": "yunling"})
    bill = issued(stage, answer)
    document = stage.clients["xlsc"].get(f"/v1/bills/{bill}/document")
    today = stage.clients["xlsc"].now().astimezone(stage.platform.script.zone).date().isoformat()
    assert document["shippedOnBoardDate"] == today
    assert "receivedForShipmentDate" not in document
    assert stage.clients["xlsc"].get(f"/v1/bills/{bill}")["onBoardDate"] == today


def _box(number: int) -> str:
    """A container number with its check digit."""

    def fits(text: str) -> bool:
        try:
            check_container(text)
        except ValueError:
            return False
        return True

    return next(text for digit in range(10) if fits(text := f"XLCU{number}{digit}"))


def issued(stage: Stage, answer: Answer) -> str:
    """Sign what the check page of ISSUE was given, as its script does; the bill's id."""
    prepared, content = payload(answer), about(answer)["text"].encode()
    carrier = stage.clients["xlsc"]
    uploaded = carrier.upload(content)
    details = prepared["details"]
    manifest = drafting.issuance_manifest(
        stage.platform.signers["xlsc"],
        document_checksum=uploaded["checksum"],
        issue_to_checksum=issue_to_checksum(details["issueToParty"]),
    )
    details |= {
        "contentDigest": uploaded["contentDigest"],
        "receivedBytes": uploaded["digest"],
        "issuanceManifestSignedContent": manifest,
    }
    carrier.act("ISSUE", f"bill:{uploaded['checksum']}", details, after=None)
    return str(uploaded["checksum"])


@pytest.mark.parametrize(
    "odd",
    [{"value": "x", "unit": "y"}, {"value": 1, "unit": {"a": 2}}, {"value": True, "unit": "z"}],
)
def test_a_member_that_only_looks_like_a_quantity_is_told_by_its_members(odd: Json) -> None:
    told = changes({}, {"extra": odd})
    assert len(told) == 2
