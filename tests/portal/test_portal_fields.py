"""Disclosed fields in the portal: committed to by the carrier's browser, chosen by the holder,
checked by anybody; and a bill's files.

What both engines say to every forgery is in tests/verifier/test_disclosures.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from playwright.sync_api import Error, Page

from bol_service.crypto import jws
from bol_service.crypto.keys import Algorithm, PublicKey
from bol_service.portal import disclosed_fields
from bol_service.portal.words import CHINESE, ENGLISH
from bol_service.wire import disclosure_making
from bol_service.wire.disclosure import BadDisclosure, parse, parse_full
from bol_service.wire.disclosure_making import cuts
from bol_service.wire.field_classes import units
from tests import kit
from tests.bill_scene import Answer
from tests.browser import PHONE, Computers, Visitor
from tests.complete_document import complete_document
from tests.hostile_copies import packed
from tests.hostile_payloads import PAYLOADS
from tests.node_verifier import ask
from tests.portal_screens import barriers, is_too_wide
from tests.portal_stage import Stage

PICTURE = b"%PDF-1.7\n% the buyer's invoice\n"
BOUNDARY = "b0undary"


@pytest.fixture(scope="module")
def customs(stage: Stage) -> bytes:
    return disclosed(stage, b"for=customs").body


@pytest.fixture(scope="module")
def evidence(stage: Stage) -> bytes:
    path = f"/portal/bills/{stage.bill_a}/disclose/evidence"
    return stage.request("GET", path, party="bankcq").body


@pytest.fixture(scope="module")
def holder(stage: Stage, computers: Computers) -> Visitor:
    visitor = computers.new()
    visitor.carry(stage.cookie("bankcq"))
    return visitor


def disclosed(stage: Stage, form: bytes, bill: str | None = None, **who: str) -> Answer:
    path = f"/portal/bills/{bill or stage.bill_a}/disclose"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": stage.base_url}
    party = who.get("party", "bankcq")
    return stage.request("POST", path, party=party, body=form, headers=headers)


def sent(stage: Stage, path: str, files: Mapping[str, bytes], **who: str) -> Answer:
    body = b""
    for name, content in files.items():
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="x"\r\n\r\n'
        )
        body += head.encode() + content + b"\r\n"
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Origin": stage.base_url,
    }
    body += f"--{BOUNDARY}--\r\n".encode()
    return stage.request("POST", path, body=body, headers=headers, **who)  # type: ignore[arg-type]


def verdict(stage: Stage, **files: bytes) -> str:
    """What the Verify page says, as text."""
    answer = sent(stage, "/portal/verify", files)
    assert answer.status == 200
    return answer.body.decode()


# -- checking ------------------------------------------------------------------------------------


def test_a_customs_officer_on_a_phone_reads_what_the_holder_disclosed(
    customs: bytes, evidence: bytes, computers: Computers, tmp_path: Path
) -> None:
    (tmp_path / "fields.sdjwt").write_bytes(customs)
    (tmp_path / "issue.ebl.json").write_bytes(evidence)
    visitor = computers.new(locale="zh-CN", viewport=PHONE)
    page = visitor.go("/portal/verify")
    page.set_input_files("#file", tmp_path / "fields.sdjwt")
    page.set_input_files("#beside", tmp_path / "issue.ebl.json")
    page.locator(".drop button").click()
    page.wait_for_selector(".verdict.green")
    visitor.photograph("verified fields")
    shown = page.inner_text("table.disclosed")
    assert "货物 1 › HS 编码" in shown
    fields = parse(customs.decode().strip()).disclosed
    assert page.locator("table.disclosed tbody tr").count() == len(fields)
    for finding in page.locator(".checks li").all():
        assert any("\u4e00" <= sign <= "\u9fff" for sign in finding.inner_text())
    assert all(payload in shown for payload in PAYLOADS[::5])
    assert page.evaluate("window.pwned") is None
    assert not is_too_wide(page)
    assert barriers(page) == []


def test_who_signed_and_until_when_it_is_current_is_told_whichever_file_comes_first(
    stage: Stage, customs: bytes, evidence: bytes
) -> None:
    for files in ({"file": customs, "beside": evidence}, {"file": evidence, "beside": customs}):
        page = verdict(stage, **files)
        assert "GENUINE AND CURRENT" in page
        for told in ("Signed by the carrier", "Current until", "Goods 1 › HS codes", "Jialing"):
            assert told in page


def test_a_printed_copy_is_evidence_for_fields_too(stage: Stage, customs: bytes) -> None:
    path = f"/portal/bills/{stage.bill_a}/copy"
    copy = stage.request("GET", path, party="bankcq").body
    page = verdict(stage, file=customs, beside=copy)
    assert "GENUINE AND CURRENT" in page
    assert "Every disclosed value stands in the document" in page


def test_fields_alone_are_shown_and_called_unknown(stage: Stage, customs: bytes) -> None:
    page = verdict(stage, file=customs)
    assert "CANNOT SAY" in page
    assert f"/v1/bills/{stage.bill_a} and verify both together." in page
    assert "not verified" in page
    assert "Goods 1 › HS codes" in page
    assert "cannot be told" in page
    assert "holds</td>" not in page


def test_fields_that_were_changed_are_not_genuine(
    stage: Stage, customs: bytes, evidence: bytes
) -> None:
    signed, first, *rest = customs.decode().strip().split("~")
    forged = "~".join([signed, *rest[:-1], first, ""])
    page = verdict(stage, file=forged.encode(), beside=evidence)
    assert "NOT GENUINE" in page
    assert "Goods 1" not in page


def test_evidence_that_is_no_evidence_makes_fields_not_genuine(
    stage: Stage, customs: bytes
) -> None:
    page = verdict(stage, file=customs, beside=b"%PDF-1.7 nothing in it")
    assert "NOT GENUINE" in page
    assert "The evidence beside the fields is not genuine" in page


def test_two_files_of_one_kind_are_not_checked_as_one(
    stage: Stage, customs: bytes, evidence: bytes
) -> None:
    for file in (evidence, customs):
        assert "Check one at a time" in verdict(stage, file=file, beside=file)


def test_evidence_in_the_second_place_alone_is_checked(stage: Stage, evidence: bytes) -> None:
    assert "GENUINE AND CURRENT" in verdict(stage, beside=evidence)


def test_fields_that_would_keep_others_waiting_are_left_to_other_verifiers(
    stage: Stage, customs: bytes
) -> None:
    large = b"{" + b" " * 500_000
    for beside in (large, packed(large)):
        page = verdict(stage, file=customs, beside=beside)
        assert "up to 500,000 bytes together" in page
        assert 'class="verdict' not in page


# -- choosing ------------------------------------------------------------------------------------


def test_by_keyboard_a_single_field_is_ticked_and_nothing_else_is_disclosed(
    stage: Stage, holder: Visitor
) -> None:
    page = holder.go(f"/portal/bills/{stage.bill_a}")
    page.get_by_role("link", name="Disclose single fields").click()
    holder.photograph("disclose")
    page.get_by_role("button", name="Download the chosen fields").focus()
    page.keyboard.press("Enter")
    assert "Nothing was chosen" in page.inner_text("main [role=alert]")
    page.get_by_label("Goods 1 › HS codes").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Download the chosen fields").focus()
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    assert taken.value.suggested_filename == f"{stage.bill_a[:16]}-chosen.sdjwt"
    found = parse(taken.value.path().read_text().strip())
    assert [piece.pointer for piece in found.disclosed] == ["/consignmentItems/0/HSCodes"]


@pytest.mark.parametrize("party", ["bankcq", "xlsc"])
def test_holder_and_carrier_disclose_to_a_terminal_what_a_terminal_needs(
    stage: Stage, party: str
) -> None:
    answer = disclosed(stage, b"for=terminal", party=party)
    assert answer.headers["Content-Type"] == "application/sd-jwt"
    found = {piece.pointer for piece in parse(answer.body.decode().strip()).disclosed}
    assert "/utilizedTransportEquipments/0/seals" in found
    assert not [pointer for pointer in found if "documentParties" in pointer or "HS" in pointer]


@pytest.mark.parametrize("form", [b"", b"for=everything", b"field=/nothing/there", b"field="])
def test_a_choice_of_nothing_discloses_nothing(stage: Stage, form: bytes) -> None:
    answer = disclosed(stage, form)
    assert answer.status == 422
    assert b"Nothing was chosen" in answer.body


@pytest.mark.parametrize("party", ["yunling", "guoyuan", "shadow"])
def test_who_neither_issued_nor_holds_the_bill_discloses_nothing(stage: Stage, party: str) -> None:
    assert disclosed(stage, b"for=customs", party=party).status == 404


def test_a_bill_without_a_commitment_says_so(stage: Stage) -> None:
    path = f"/portal/bills/{stage.bill_b}/disclose"
    page = stage.request("GET", path, party="yunling")
    assert b"issued without a commitment" in page.body
    assert b'<form method="post" action="/portal/bills' not in page.body
    answer = disclosed(stage, b"for=customs", stage.bill_b, party="yunling")
    assert answer.status == 422


# -- committing ----------------------------------------------------------------------------------

COMMIT = """async ([document, checksum, pointers, who]) => {
    const { committed, fullFile, TYPE } = await import("/portal/static/any/commitment.js");
    const { keyOf, sign } = await import("/portal/static/any/keystore.js");
    const fields = await committed(document, checksum, pointers, who);
    const bytes = new TextEncoder().encode(fields.payload);
    return fullFile(await sign(await keyOf(who.carrier), TYPE, bytes), fields.texts);
}"""
KEY = """async () => {
    const { keyOf } = await import("/portal/static/any/keystore.js");
    return (await keyOf("xlsc")).jwk;
}"""


def commitment(visitor: Visitor, document: dict[str, Any], pointers: Sequence[str]) -> str:
    """What a browser that holds a key of `xlsc` makes of a document: the full file."""
    checksum = hashlib.sha256(rfc8785.dumps(document)).hexdigest()
    who = {"carrier": "xlsc", "origin": kit.ORIGIN, "at": "2027-03-05T08:00:00.000Z"}
    made: str = visitor.page.evaluate(COMMIT, [document, checksum, list(pointers), who])
    return made


@pytest.fixture(scope="module")
def desk(computers: Computers) -> Visitor:
    """A browser with a key in the carrier's name."""
    visitor = computers.new()
    visitor.make_key("xlsc")
    return visitor


@pytest.mark.parametrize("alg", list(Algorithm))
def test_a_browser_commits_to_every_member_as_the_command_line_does(
    desk: Visitor, alg: Algorithm
) -> None:
    kid = desk.make_key("xlsc", alg)
    document = complete_document()
    full = parse_full(commitment(desk, document, cuts(document)))
    assert full.signed.kid == kid
    jws.verify(full.signed, PublicKey.from_jwk(desk.page.evaluate(KEY)))
    assert full.document() == document
    assert full.claims.status_at == f"{desk.base_url}/v1/bills/{full.claims.bill}"
    again = parse_full(commitment(desk, document, cuts(document)))
    assert not set(full.committed) & set(again.committed), "salts are made anew"


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(lambda cut: cut[1:], id="a piece is left out"),
        pytest.param(lambda cut: (*cut, "/nothing"), id="a piece stands nowhere"),
        pytest.param(lambda cut: (*cut, "/documentParties"), id="one piece holds others"),
        pytest.param(lambda cut: (*cut, f"{cut[0]}/0"), id="one piece is inside another"),
    ],
)
def test_no_commitment_is_made_to_pieces_that_are_not_the_document(
    desk: Visitor, pieces: Callable[[Sequence[str]], Sequence[str]]
) -> None:
    document = complete_document()
    with pytest.raises(Error, match=r"document has nothing|no piece of the document"):
        commitment(desk, document, pieces(cuts(document)))


@pytest.mark.parametrize("limit", ["MAX_BYTES", "MAX_JWT_BYTES"])
def test_a_document_that_fits_no_file_is_cut_nowhere(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disclosure_making, limit, 8_000)
    with pytest.raises(BadDisclosure, match="are taken"):
        cuts(complete_document())


def test_a_document_with_a_name_that_the_format_reserves_is_cut_nowhere() -> None:
    with pytest.raises(BadDisclosure, match="reserves"):
        cuts({**complete_document(), "_sd": 1})


# -- files ---------------------------------------------------------------------------------------


def test_a_holder_attaches_a_document_and_the_carrier_gets_its_very_bytes(
    stage: Stage, holder: Visitor
) -> None:
    page = holder.go(f"/portal/bills/{stage.bill_a}")
    page.get_by_role("link", name="Files that go with it").click()
    assert "No file goes with this bill" in page.inner_text("main")
    attach(page, "notes.pdf", b"no PDF at all")
    page.wait_for_selector("#fault")
    assert "not attached" in page.inner_text("#fault")
    attach(page, "invoice.pdf", PICTURE)
    page.wait_for_selector("main table")
    holder.photograph("files")
    assert barriers(page) == []
    [item] = stage.clients["xlsc"].get(f"/v1/bills/{stage.bill_a}/files")["items"]
    path = f"/portal/bills/{stage.bill_a}/files/{item['digest']}"
    got = stage.request("GET", path, party="xlsc")
    assert got.body == PICTURE
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert stage.request("GET", path, party="guoyuan").status == 404


def attach(page: Page, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "application/pdf", "buffer": content}
    page.set_input_files("#file", file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Attach this file").click()


@pytest.mark.parametrize(
    ("party", "files", "status"),
    [
        pytest.param("bankcq", {}, 422, id="no file is chosen"),
        pytest.param("yunling", {"file": PICTURE}, 403, id="a former holder attaches"),
        pytest.param("guoyuan", {"file": PICTURE}, 404, id="a terminal attaches"),
        pytest.param("bankcq", {"file": PICTURE + b" " * 4_100_000}, 413, id="it is too large"),
    ],
)
def test_nothing_is_attached_if(
    stage: Stage, party: str, files: dict[str, bytes], status: int
) -> None:
    answer = sent(stage, f"/portal/bills/{stage.bill_a}/files", files, party=party)
    assert answer.status == status


# -- words ---------------------------------------------------------------------------------------

ODD = [
    ("/documentParties", {}),
    ("/a~1b/0/~0c", [None, True, 1.5, "x"]),
    ("/consignmentItems/9/x", {"value": 1e21, "unit": "KGM"}),
    ("/x", {"value": True, "unit": "KGM"}),
    ("/x", {"value": 1, "unit": None}),
    ("/0/1", [[1, [2]], {"seals": [{"number": "1"}, {"number": "2"}]}]),
]


def test_the_offline_verifier_calls_every_field_what_the_portal_calls_it() -> None:
    pieces = [*((unit.pointer, unit.value) for unit in units(complete_document())), *ODD]
    asked, here = [], []
    for language, words in (("en", ENGLISH), ("zh", CHINESE)):

        def word(member: str, words: dict[str, str] = words) -> str:
            own = {"yes": "check.yes", "no": "check.no"}.get(member, f"member.{member}")
            return words.get(own) or words.get(f"part.{member}") or member

        for pointer, value in pieces:
            question = {"part": "field", "language": language, "pointer": pointer, "value": value}
            asked.append(question)
            lines = disclosed_fields.lines_of(value, word)
            here.append([disclosed_fields.name_of(pointer, word), lines])
    assert json.loads(json.dumps(here)) == ask(asked, "--parts")


def test_every_member_of_a_complete_document_has_a_name_of_the_trade() -> None:
    names: set[str] = set()
    waiting: list[object] = [complete_document()]
    while waiting:
        found = waiting.pop()
        names |= found.keys() if isinstance(found, dict) else set()
        inside = found.values() if isinstance(found, dict) else found
        waiting += [one for one in inside if isinstance(one, dict | list)]  # type: ignore[attr-defined]
    known = {key.partition(".")[2] for key in ENGLISH if key.startswith(("member.", "part."))}
    assert names - known == set()


def test_the_tenth_container_stands_after_the_ninth() -> None:
    pointers = [f"/utilizedTransportEquipments/{number}/seals" for number in (9, 1, 10, 2)]
    ordered = sorted(pointers, key=disclosed_fields.order_of)
    assert [pointer.split("/")[2] for pointer in ordered] == ["1", "2", "9", "10"]
