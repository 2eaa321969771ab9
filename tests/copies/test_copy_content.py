"""What a printed copy shows: the signed data, all of it, marked on every page as no original."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any, get_args

import pytest
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from bol_service.copy import wording
from bol_service.copy.faults import NoCopy
from bol_service.copy.history import History, read_history
from bol_service.copy.ink import BREAK, printable
from bol_service.copy.printing import _sheet, print_copy, set_copy
from bol_service.copy.sheet import attachment_name, check, sheet
from bol_service.domain.document import BillKind
from bol_service.domain.events import BillEvent, CustodyEvent, ExchangeEvent
from bol_service.domain.states import Status
from tests.complete_document import complete_document
from tests.hostile_payloads import PAYLOADS as HOSTILE_TEXTS
from tests.voyage_evidence import Evidence

MARK = "COPY – NOT AN ORIGINAL · 副本 非正本"
ADDRESS = "https://cq.example/portal/verify"


def pages(pdf: bytes) -> list[str]:
    """The text of each page, on one line, without places where a line may end."""
    reader = PdfReader(io.BytesIO(pdf))
    texts = (page.extract_text().replace(BREAK, "") for page in reader.pages)
    return [re.sub(r"\s+", " ", text) for text in texts]


def whole(pdf: bytes) -> str:
    return " ".join(pages(pdf))


def tight(text: str) -> str:
    """Without any space: where lines end, extracted text loses or gains some."""
    return re.sub(r"\s+", "", text)


def altered(content: bytes, **members: object) -> History:
    """A bundle's history with other members in its document, which nobody signed."""
    history = read_history(content)
    history.document = {**deepcopy(history.document or {}), **members}
    return history


# -- what stands on it ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def printed(evidence: Evidence) -> str:
    return tight(whole(print_copy(evidence.ended, ADDRESS)))


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param("Jialing Land-Sea Line Co., Ltd.", id="the carrier"),
        pytest.param("嘉陵陆海航运有限公司", id="the carrier in its own script"),
        pytest.param("XLSC2703CQSG00418", id="the B/L number"),
        pytest.param("Chongqing Yunling Motor Parts Co., Ltd.", id="the shipper"),
        pytest.param("Non-negotiable copy, no original 不可转让副本，非正本", id="what it is"),
        pytest.param("USCC 91500112MA60EBL160", id="the shipper's registration"),
        pytest.param("TO THE ORDER OF", id="to whose order"),
        pytest.param("Straits Cycle Trading Pte. Ltd.", id="the notify party"),
        pytest.param("XLB2702240017", id="the booking"),
        pytest.param("XIN HE GUOYUAN / 027S", id="vessel and voyage"),
        pytest.param("GUOYUAN PORT, CHONGQING, CHINA", id="the place of receipt"),
        pytest.param("QINZHOU, CHINA", id="the port of loading"),
        pytest.param("SGSIN", id="the port of discharge"),
        pytest.param("MOTORCYCLE PARTS AND ACCESSORIES 摩托车零件及附件", id="the goods"),
        pytest.param("HS 871410", id="the commodity code"),
        pytest.param("C/NO. 1-1280", id="the marks"),
        pytest.param("XLCU7001127", id="a container"),
        pytest.param("XL0098231 CAR, CQC77120 CUS", id="its seals"),
        pytest.param("17,980.500 kg", id="a weight to the gram"),
        pytest.param("648 Carton", id="the packages"),
        pytest.param("Freight prepaid 运费预付", id="the freight"),
        pytest.param("SHIPPER'S LOAD, STOW, COUNT AND SEAL.", id="the clauses"),
        pytest.param("governed by the law of Singapore", id="the terms"),
        pytest.param("Shipped on board 已装船", id="the on-board notation"),
        pytest.param("Accomplished: all cargo delivered 已完结：货物全部交付", id="the state"),
        pytest.param("Refused what was received 拒收", id="a refusal"),
        pytest.param("price not agreed", id="the reason of a refusal"),
        pytest.param("L/C SCB-LC-2027-00418", id="a presentation under a credit"),
        pytest.param("Endorsed in blank 空白背书", id="an endorsement in blank"),
        pytest.param("Surrender rejected 拒绝交单", id="a rejected surrender"),
        pytest.param("Bank of Two Rivers, Chongqing Branch", id="a former holder"),
        pytest.param("Gate-out 已提离", id="where the containers were last"),
        pytest.param(ADDRESS, id="where to verify"),
        pytest.param("XLSC2703CQSG00418.ebl.json", id="the attached file"),
        pytest.param("DEMO · 演示", id="that it is a demonstration"),
    ],
)
def test_the_copy_shows(printed: str, shown: str) -> None:
    assert tight(shown) in printed


def test_the_copy_names_the_platform_and_the_time_of_its_statement(
    evidence: Evidence, printed: str
) -> None:
    statement = read_history(evidence.ended).statement
    assert tight(f"{statement.origin} at 截至 {statement.at:%Y-%m-%d %H:%M:%S} UTC") in printed
    assert statement.bill in printed
    assert check(statement.bill) in printed


@pytest.mark.parametrize("name", ["living", "ended", "partial"])
def test_every_page_says_that_it_is_no_original(evidence: Evidence, name: str) -> None:
    for text in pages(print_copy(getattr(evidence, name))):
        assert tight(MARK) in tight(text)
        assert "This print proves nothing" in text


def test_only_a_demonstration_is_marked_as_one(evidence: Evidence) -> None:
    value = sheet(read_history(evidence.living), None)
    assert value["demo"] is True
    history = read_history(evidence.living)
    object.__setattr__(history.statement, "origin", "cq.example/ebl")
    assert sheet(history, None)["demo"] is False
    assert "DEMO" not in whole(set_copy(history, evidence.living))


def test_a_partial_copy_shows_what_its_reader_may_see_and_no_more(evidence: Evidence) -> None:
    text = tight(whole(print_copy(evidence.partial)))
    assert tight("Not for this reader to see 该读者无权查看") in text
    assert tight("Not for this reader to know") in text
    assert tight("Surrender accepted 接受交单") in text
    assert "XLCU7001127" in text
    for secret in ("Straits", "Nusantara", "MOTORCYCLE", "Bank", "XLSC2703CQSG00418"):
        assert secret not in text


def test_no_release_code_and_no_collector_is_printed(evidence: Evidence, printed: str) -> None:
    orders = [turn for turn in read_history(evidence.ended).turns if turn is not None]
    order = next(turn.event for turn in orders if turn.event.action == "DELIVERY_ORDER")
    assert order.code_hash not in printed  # type: ignore[union-attr]
    assert tight(order.pick_up.reference) not in printed  # type: ignore[union-attr]


def test_every_member_of_the_standard_that_names_a_party_or_danger_is_shown(
    evidence: Evidence,
) -> None:
    history = read_history(evidence.living)
    history.document = complete_document()
    text = tight(whole(set_copy(history, evidence.living)))
    for shown in (
        "On behalf of the shipper",
        "Carrier's agent at destination",
        "Further party (SCO)",
        "UN 3480, LITHIUM ION BATTERIES, Lithium ion, class 9, PG 2",
        "-18.5 °C",
        "USD 286400.5",
        "Rail haulage",
        "Onward inland routing",
    ):
        assert tight(shown).upper() in text.upper()


def test_a_cell_of_the_chain_is_filled_only_when_it_changed(evidence: Evidence) -> None:
    moving = {
        row["act"][0]: (bool(row["possessor"]), bool(row["title"]))
        for row in sheet(read_history(evidence.ended), None)["turns"]
    }
    assert moving["Issued"] == (True, True)
    assert moving["On-board notation"] == (False, False)
    assert moving["Control transferred"] == (True, False)
    assert moving["Endorsed in blank"] == (False, True)
    assert moving["Surrender accepted"] == (False, False)


# -- the same bytes ------------------------------------------------------------------------------


def test_the_same_bundle_makes_the_same_bytes(evidence: Evidence) -> None:
    assert print_copy(evidence.ended, ADDRESS) == print_copy(evidence.ended, ADDRESS)


def test_the_copy_is_tagged_archivable_and_dated_by_the_statement(evidence: Evidence) -> None:
    reader = PdfReader(io.BytesIO(print_copy(evidence.living)))
    metadata = reader.xmp_metadata
    assert metadata is not None
    assert (metadata.pdfaid_part, metadata.pdfaid_conformance) == ("3", "A")
    assert reader.root_object["/MarkInfo"]["/Marked"] == True  # type: ignore[index]  # noqa: E712
    statement = read_history(evidence.living).statement
    assert reader.metadata is not None
    assert reader.metadata.creation_date == statement.at.replace(microsecond=0)


def dictionaries(reader: PdfReader) -> list[dict[str, Any]]:
    """Every dictionary of a file, whatever refers to it."""
    numbers = sorted({*reader.xref.get(0, {}), *reader.xref_objStm})
    found = [IndirectObject(number, 0, reader).get_object() for number in numbers]
    return [one for one in found if isinstance(one, dict)]


@pytest.mark.parametrize("name", ["living", "ended", "partial"])
def test_a_copy_needs_nothing_that_is_not_in_it(evidence: Evidence, name: str) -> None:
    """What PDF/A-3a asks for and a reader can look up without being a validator."""
    reader = PdfReader(io.BytesIO(print_copy(getattr(evidence, name), ADDRESS)))
    root, found = reader.root_object, dictionaries(reader)
    fonts = [one for one in found if one.get("/Type") == "/FontDescriptor"]
    files = [one for one in found if one.get("/Type") == "/Filespec"]
    states = [one for one in found if one.get("/Type") == "/ExtGState"]
    [intent] = root["/OutputIntents"]  # type: ignore[attr-defined]
    assert intent.get_object()["/DestOutputProfile"].get_object().get_data()
    assert root["/StructTreeRoot"]["/K"]  # type: ignore[index]
    assert root["/Lang"]
    assert len(fonts) >= 2
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & font.keys() for font in fonts)
    assert [file["/AFRelationship"] for file in files] == ["/Source"]
    assert [one.get_object() for one in root["/AF"]] == files  # type: ignore[attr-defined]
    assert all(state.get("/ca", 1) == state.get("/CA", 1) == 1 for state in states)
    assert not [one for one in found if {"/JS", "/Launch", "/URI", "/SMask"} & one.keys()]
    assert not {"/OpenAction", "/AA", "/AcroForm"} & root.keys()


# -- nothing in the data is markup ----------------------------------------------------------------

PAYLOADS = [
    pytest.param('#panic("x")', id="a typst function"),
    pytest.param('#read("/etc/passwd")', id="a typst file access"),
    pytest.param("*bold* _slanted_ `raw` $x^2$", id="typst emphasis and maths"),
    pytest.param("] #set page(header: none) [", id="a typst block that ends"),
    pytest.param("<label> @reference // comment /* more */", id="typst labels and comments"),
    pytest.param("= Heading - list + list / term: x", id="typst headings and lists"),
    pytest.param("\\u{41} \\# \\", id="typst escapes"),
    pytest.param("<script>alert(1)</script> &amp; <b>x</b>", id="HTML"),
    pytest.param("{{ 7*7 }} {% raw %} ${7*7} #{7*7}", id="templates of others"),
    pytest.param('") /AA << /JS (x) >> (', id="PDF syntax"),
    pytest.param("=HYPERLINK(1)@SUM(1)+1", id="a spreadsheet formula"),
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markup_in_the_goods_and_in_a_name_is_printed_as_text(
    evidence: Evidence, payload: str
) -> None:
    history = read_history(evidence.living)
    document = deepcopy(history.document)
    assert document is not None
    document["consignmentItems"][0]["descriptionOfGoods"] = [payload]
    document["documentParties"]["shipper"]["partyName"] = payload
    history.document = document
    found = pages(set_copy(history, evidence.living))
    assert tight(" ".join(found)).count(tight(payload)) == 2
    assert all(tight(MARK) in tight(text) for text in found)


def test_sixty_attacks_on_screens_are_text_in_every_place_of_the_copy(evidence: Evidence) -> None:
    """In goods, marks, clauses, terms and every party's name and address."""
    history = read_history(evidence.living)
    document = deepcopy(history.document)
    assert document is not None
    item, parties = document["consignmentItems"][0], document["documentParties"]
    item["descriptionOfGoods"] = item["shippingMarks"] = list(HOSTILE_TEXTS)
    document["carrierClauses"] = list(HOSTILE_TEXTS)
    document["termsAndConditions"] = "\n".join(HOSTILE_TEXTS)
    document["transportDocumentReference"] = HOSTILE_TEXTS[0]
    for text, party in zip(HOSTILE_TEXTS, parties.values(), strict=False):
        if isinstance(party, dict):
            party["partyName"] = party.setdefault("address", {})["city"] = text
    history.document = document
    pdf = set_copy(history, evidence.living)
    found = tight(whole(pdf))
    shown = {text: tight(printable(text).replace(BREAK, "")) for text in HOSTILE_TEXTS}
    assert [text for text, ink in shown.items() if found.count(ink) < 4] == []
    assert not {"/OpenAction", "/AA"} & PdfReader(io.BytesIO(pdf)).root_object.keys()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a\u202eb", "a[U+202E]b", id="an override is spelled out"),
        pytest.param("a\u2066b\u2069", "a[U+2066]b[U+2069]", id="isolates are spelled out"),
        pytest.param("\u05d0\u0627", "[U+05D0][U+0627]", id="what runs right to left is, too"),
        pytest.param("a\x00\x07\x1bb", "a[U+0000][U+0007][U+001B]b", id="controls are, too"),
        pytest.param("\ue000\ufffe", "[U+E000][U+FFFE]", id="private and no characters are, too"),
        pytest.param("\U0001f6a2", "[U+1F6A2]", id="what the fonts lack is, too"),
        pytest.param("e\u0301\u0301\u0301", "e\u0301[U+0301][U+0301]", id="marks do not pile up"),
        pytest.param("a\u200bb\ufeff", "a[U+200B]b[U+FEFF]", id="nothing hides"),
        pytest.param("one\ntwo\tthree", "one two three", id="lines and tabs are spaces"),
        pytest.param(
            "Łódź Đặng Ελλάδα 重庆 한국어", "Łódź Đặng Ελλάδα 重庆 한국어", id="names stay"
        ),
    ],
)
def test_what_would_mislead_a_reader_is_spelled_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_every_kind_of_character_can_be_set(evidence: Evidence) -> None:
    """PDF/A takes none without a glyph; typst would refuse the page."""
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    sample = "".join(every[:0x3000] + every[0xD7F0:0xE800] + every[0xFE00:0x10100:7])
    history = altered(evidence.living, carrierClauses=[sample], shippingMarks=[])
    assert set_copy(history, evidence.living)


def test_a_word_without_spaces_stays_in_its_box(evidence: Evidence) -> None:
    assert printable("A" * 60).split(BREAK) == ["A" * 12] * 5
    history = altered(evidence.living, transportDocumentReference="x", carrierClauses=["W" * 500])
    assert "W" * 500 in tight(whole(set_copy(history, evidence.living)))


def test_lone_surrogates_do_not_break_the_copy(evidence: Evidence) -> None:
    assert printable("a\ud800") == "a[U+D800]"


# -- long bills ----------------------------------------------------------------------------------


def test_a_bill_of_500_containers_and_pages_of_goods_is_printed_whole(evidence: Evidence) -> None:
    history = read_history(evidence.living)
    document = deepcopy(history.document)
    assert document is not None
    item, used = document["consignmentItems"][0], document["utilizedTransportEquipments"]
    cargo, equipment = item["cargoItems"][0], used[0]
    numbers = [f"XLCU{number:07}" for number in range(500)]
    item["cargoItems"] = [{**cargo, "equipmentReference": number} for number in numbers]
    document["utilizedTransportEquipments"] = [
        {**equipment, "equipment": {"equipmentReference": number}} for number in numbers
    ]
    item["descriptionOfGoods"] = [f"line {number} of the goods" for number in range(1000)]
    history.document = document
    found = pages(set_copy(history, evidence.living))
    text = " ".join(found)
    assert all(number in text for number in numbers)
    assert "line 999 of the goods" in text
    assert all(tight(MARK) in tight(page) for page in found)
    assert len(found) > 20


@pytest.mark.parametrize(
    ("member", "value"),
    [
        pytest.param("termsAndConditions", "船 a " * 600, id="in one text"),
        pytest.param("termsAndConditions", "。（1）" * 600, id="by punctuation"),
        pytest.param("carrierClauses", ["件a"] * 600, id="in many lines"),
        pytest.param("carrierClauses", ["件a" * 90] * 8, id="in long lines"),
    ],
)
def test_a_text_may_change_its_script_as_often_as_it_likes(
    evidence: Evidence, member: str, value: str | list[str]
) -> None:
    """typst gives up at what goes to and fro between two scripts more than 512 times."""
    text = tight(whole(set_copy(altered(evidence.living, **{member: value}), evidence.living)))
    assert text.count(tight("".join(value))[:2]) >= 600


# -- names ---------------------------------------------------------------------------------------


def test_the_attachment_has_the_b_l_number_for_a_name_where_that_is_safe(
    evidence: Evidence,
) -> None:
    history = read_history(evidence.living)
    assert attachment_name(history) == "XLSC2703CQSG00417.ebl.json"
    object.__setattr__(history.facts, "reference", "../B L/1")
    assert attachment_name(history) == f"{history.statement.bill[:16]}.ebl.json"


FAMILIES = {
    "states": (wording.STATUSES, set(Status)),
    "kinds": (wording.TYPES, set(BillKind)),
    "acts": (
        wording.ACTS,
        {kind.action for kind in (*get_args(BillEvent), *get_args(ExchangeEvent))},
    ),
    "custody": (wording.CUSTODY, {kind.action for kind in get_args(CustodyEvent)}),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_code_of_a_family_has_words_in_both_languages(family: str) -> None:
    words, codes = FAMILIES[family]
    assert words.keys() == codes
    assert all(
        english and re.search("[\u4e00-\u9fff]", chinese) for english, chinese in words.values()
    )


# -- documents from abroad -----------------------------------------------------------------------

STRANGE = [None, 0, True, "text", ["text"], {"value": "x"}, [[]]]


def places(value: object) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) below a JSON value."""
    pairs = enumerate(value) if isinstance(value, list) else ()
    for key, member in value.items() if isinstance(value, dict) else pairs:
        yield value, key
        yield from places(member)


def test_a_member_of_any_form_makes_a_page_or_is_refused(evidence: Evidence) -> None:
    """Documents from abroad are read for their facts only; nothing else must come of them."""
    history = read_history(evidence.living)
    history.document = complete_document()
    refused = made = 0
    for number, (container, key) in enumerate(list(places(history.document))):
        kept = container[key]
        container[key] = STRANGE[number % len(STRANGE)]
        try:
            _sheet(history, None)
            made += 1
        except NoCopy:
            refused += 1
        if number % 75 == 0:
            with suppress(NoCopy):
                assert set_copy(history, evidence.living)
        container[key] = kept
    assert made > refused > 0
