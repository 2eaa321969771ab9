"""The code of a printed copy: typed, scanned by a camera, or read from a picture of the print.

The camera is Chromium's own pretended one, which shows a film of a QR code made here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import segno
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from bol_service.copy.sheet import check
from bol_service.portal.copy_codes import MAX_SIGNS, read_code
from tests.browser import CAMERA, PHONE, Computers, Visitor
from tests.portal_stage import Stage

VERIFY = "/portal/verify"
DIGITS = "5c0e9d317fab2486"
CODE = "5c0e-9d31-7fab-2486"
FILM = (640, 480)


@pytest.fixture(scope="module")
def evidence(stage: Stage) -> Path:
    client = stage.clients["bankcq"]
    path = f"/v1/bills/{stage.bill_a}/evidence"
    file = stage.folder / "a.ebl.json"
    file.write_bytes(client.request("GET", path, None, None, client.token()).content)
    return file


@pytest.fixture
def visitor(computers: Computers) -> Visitor:
    return computers.new()


# -- what is a code ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(CODE, id="as it is printed"),
        pytest.param(f" {CODE}\n", id="with space around it"),
        pytest.param(DIGITS, id="without dashes"),
        pytest.param("5C0E 9D31 7FAB 2486", id="in capitals, with spaces"),
        pytest.param(f"https://cq.example/portal/verify#{CODE}", id="as it was scanned"),
    ],
)
def test_a_code_may_be_typed_in_several_ways(typed: str) -> None:
    code = read_code(typed)
    assert code is not None
    assert (code.digits, code.shown) == (DIGITS, CODE)
    assert code.fits(DIGITS + "0" * 48)
    assert not code.fits("6" + DIGITS[1:] + "0" * 48)
    assert code.place == ("https://cq.example/portal/verify" if "#" in typed else None)


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("", id="nothing"),
        pytest.param(CODE[:-1], id="too short"),
        pytest.param(CODE + "0", id="too long"),
        pytest.param("5c0g" + CODE[4:], id="a letter that is no digit"),
        pytest.param("０" + CODE[1:], id="a digit of another script"),
        pytest.param(f"a b#{CODE}", id="a place with a space"),
        pytest.param(f"https://x.example/#{CODE}#{CODE}", id="two number signs"),
        pytest.param("x" * MAX_SIGNS + f"#{CODE}", id="a place without end"),
        pytest.param(f"https://cq.example/portal/verify#{DIGITS * 4}", id="a whole id"),
    ],
)
def test_anything_else_is_no_code(typed: str) -> None:
    assert read_code(typed) is None


# -- what it shows to whom -----------------------------------------------------------------------


def sent(visitor: Visitor, code: str, file: Path | None = None) -> Page:
    page = visitor.go(VERIFY)
    page.fill("#code", code)
    if file is not None:
        page.set_input_files("#file", file)
    page.locator(".drop button").click()
    page.wait_for_load_state()
    return page


def test_nobody_learns_from_a_code_whether_there_is_such_a_bill(
    stage: Stage, visitor: Visitor
) -> None:
    told = {
        digits: sent(visitor, check(digits)).inner_text("main").replace(check(digits), "…")
        for digits in (stage.bill_a[:16], DIGITS)
    }
    assert told[stage.bill_a[:16]] == told[DIGITS]
    assert "proves nothing" in told[DIGITS]


@pytest.mark.parametrize(("party", "links"), [("bankcq", 1), ("yunling", 1), ("evil", 0)])
def test_a_party_is_led_to_the_bill_only_if_it_may_know_it(
    stage: Stage, visitor: Visitor, party: str, links: int
) -> None:
    visitor.carry(stage.cookie(party))
    page = sent(visitor, check(stage.bill_a[:16]))
    found = page.locator(f"main a[href='/portal/bills/{stage.bill_a}']")
    assert found.count() == links


def test_a_code_finds_the_bill_however_many_others_the_party_knows(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bol_service.application.portal_lists.SCAN", 0)
    lists = stage.platform.running.app.extensions["bol-portal"].lists
    assert lists.bills("yunling").lines == []
    for bill in (stage.bill_a, stage.bill_b):
        assert lists.bill_beginning("yunling", bill[:16]) == bill
        assert lists.bill_beginning("evil", bill[:16]) is None
        before, after = (f"{int(bill[:16], 16) + step:016x}" for step in (-1, 1))
        assert lists.bill_beginning("yunling", before) is None
        assert lists.bill_beginning("yunling", after) is None


def test_a_print_and_a_file_of_one_bill_are_told_to_be_so(
    stage: Stage, visitor: Visitor, evidence: Path
) -> None:
    page = sent(visitor, check(stage.bill_a[:16]), evidence)
    assert "are of the same bill" in page.inner_text(".note.blue")
    visitor.photograph("code fits")
    page = sent(visitor, check(stage.bill_b[:16]), evidence)
    assert "is of another bill than this file" in page.inner_text(".note.red")
    assert "GENUINE AND CURRENT" in page.inner_text(".verdict")
    forged = evidence.with_name("forged.ebl.json")
    forged.write_bytes(evidence.read_bytes()[:-1] + b" ")
    page = sent(visitor, check(stage.bill_a[:16]), forged)
    assert "NOT GENUINE" in page.inner_text(".verdict")
    assert page.locator(".note.blue").count() == 0


def test_a_print_that_names_another_place_is_told_of(stage: Stage, visitor: Visitor) -> None:
    ours = f"{stage.base_url}/portal/verify#{CODE}"
    assert sent(visitor, ours).locator(".note code").count() == 0
    page = sent(visitor, f"https://cq.example.evil/verify#{CODE}")
    assert page.inner_text(".note code") == "https://cq.example.evil/verify"
    assert page.locator("main a[href*='evil']").count() == 0


def test_what_is_no_code_is_told_and_stays_in_the_field(visitor: Visitor, evidence: Path) -> None:
    page = sent(visitor, "0a1b-2c3d", evidence)
    assert "16 digits" in page.inner_text("main [role=alert]")
    assert page.input_value("#code") == "0a1b-2c3d"
    assert page.get_attribute("#code", "aria-invalid") == "true"
    assert page.locator(".verdict").count() == 0


# -- scanning ------------------------------------------------------------------------------------


def modules(text: str) -> tuple[list[list[int]], int]:
    """The squares of a QR code with its border, and how many there are in a row."""
    code = segno.make_qr(text, error="m")
    rows = [list(row) for row in code.matrix_iter(border=4)]
    return rows, len(rows)


def film(text: str) -> bytes:
    """One picture of a QR code on grey, as the uncompressed video that Chromium takes."""
    rows, count = modules(text)
    width, height = FILM
    each = height // (count + 2)
    left, top = (width - each * count) // 2, (height - each * count) // 2
    light = bytearray(b"\x90" * (width * height))
    for y in range(count * each):
        for x in range(count * each):
            dark = rows[y // each][x // each]
            light[(top + y) * width + left + x] = 0x18 if dark else 0xE8
    head = b"YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\nFRAME\n" % (width, height)
    return head + bytes(light) + b"\x80" * (width * height // 2)


@pytest.fixture
def camera(stage: Stage) -> Iterator[str]:
    """The QR code of bill A's print before the camera; the code in it."""
    code = check(stage.bill_a[:16])
    CAMERA.write_bytes(film(f"{stage.base_url}/portal/verify#{code}"))
    yield code
    CAMERA.unlink()


def says(page: Page, words: str) -> None:
    """Wait until the page says so of what it scans."""
    page.locator("#scan-state", has_text=words).wait_for()


def barriers(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]


def test_the_camera_reads_the_code_by_keyboard_on_a_phone(
    scanners: Computers, stage: Stage, camera: str
) -> None:
    visitor = scanners.new(locale="zh-CN", viewport=PHONE)
    visitor.context.grant_permissions(["camera"], origin=stage.base_url)
    page = visitor.go(VERIFY)
    page.focus("#scan-start")
    page.keyboard.press("Enter")
    says(page, "编码已读取")
    assert page.input_value("#code") == camera
    assert page.evaluate("document.activeElement.id") == "code"
    assert page.locator("video").count() == 0
    page.keyboard.press("Enter")
    page.wait_for_selector("#code-alone")
    visitor.photograph("code alone")
    assert barriers(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_while_the_camera_is_open_there_is_a_picture_and_a_button_to_stop_it(
    scanners: Computers, stage: Stage
) -> None:
    CAMERA.write_bytes(film("https://other.example/"))
    visitor = scanners.new(viewport=PHONE)
    visitor.context.grant_permissions(["camera"], origin=stage.base_url)
    page = visitor.go(VERIFY)
    page.click("#scan-start")
    says(page, "not that of a printed copy")
    visitor.photograph("camera")
    assert barriers(page) == []
    assert page.get_by_label("What the camera sees").is_visible()
    assert page.evaluate("document.activeElement.id") == "scan-stop"
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.keyboard.press("Enter")
    assert page.locator("video").count() == 0
    assert page.evaluate("document.activeElement.id") == "scan-start"
    assert page.input_value("#code") == ""
    CAMERA.unlink()


def test_without_leave_to_use_the_camera_the_page_says_what_else_to_do(
    scanners: Computers,
) -> None:
    visitor = scanners.new()
    visitor.context.clear_permissions()
    page = visitor.go(VERIFY)
    page.click("#scan-start")
    says(page, "or type the code")
    assert page.is_visible("#scan-start")


def picture(text: str) -> dict[str, object]:
    made = io.BytesIO()
    segno.make_qr(text, error="m").save(made, kind="png", scale=7, border=4)
    return {"name": "print.png", "mimeType": "image/png", "buffer": made.getvalue()}


@pytest.mark.parametrize(
    ("text", "word", "value"),
    [
        (f"demo.cq/ebl#{CODE}", "was read", f"demo.cq/ebl#{CODE}"),
        ("javascript:window.pwned=1", "not that of a printed copy", ""),
        (f"https://x.example/{'x' * 300}#{CODE}", "not that of a printed copy", ""),
    ],
    ids=["a code", "another text", "a place without end"],
)
def test_a_code_is_read_from_a_picture(visitor: Visitor, text: str, word: str, value: str) -> None:
    page = visitor.go(VERIFY)
    page.set_input_files("#scan-photo", picture(text))  # type: ignore[arg-type]
    says(page, word)
    assert page.input_value("#code") == value


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"no picture", "cannot be opened"), (b"", "cannot be opened")],
    ids=["something else", "nothing"],
)
def test_what_is_no_picture_is_told_to_be_none(visitor: Visitor, content: bytes, word: str) -> None:
    page = visitor.go(VERIFY)
    file = {"name": "x.png", "mimeType": "image/png", "buffer": content}
    page.set_input_files("#scan-photo", file)  # type: ignore[arg-type]
    says(page, word)


def test_whoever_scans_the_print_with_a_phone_arrives_with_the_code(visitor: Visitor) -> None:
    page = visitor.go(f"{VERIFY}#{CODE}")
    says(page, "The code of your print")
    assert page.input_value("#code") == CODE
    page = visitor.go(f"{VERIFY}?x#<img src=x onerror=pwned=1>")
    page.wait_for_selector("#scan:not([hidden])")
    assert page.input_value("#code") == ""


def test_only_the_page_that_scans_may_ask_for_a_camera(stage: Stage) -> None:
    for path, camera in ((VERIFY, "camera=(self)"), ("/portal/", "camera=()")):
        policy = stage.request("GET", path).headers["Permissions-Policy"]
        assert policy.split(", ")[0] == camera
        assert "microphone=()" in policy
