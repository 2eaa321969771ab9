"""The printed copy in the portal: a download on the bill's page, and a PDF that can be verified."""

from __future__ import annotations

import html

import pytest

from tests.bill_scene import Answer
from tests.portal_stage import Stage

BOUNDARY = "----copy"


def upload(stage: Stage, content: bytes, language: str = "en") -> Answer:
    head = (
        f"--{BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="file"; filename="copy.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    )
    return stage.request(
        "POST",
        "/portal/verify",
        body=head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode(),
        headers={
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Origin": stage.base_url,
        },
        language=language,
    )


@pytest.fixture(scope="module")
def printed(stage: Stage) -> bytes:
    """The bill whose goods are full of hostile text."""
    answer = stage.request("GET", f"/portal/bills/{stage.bill_a}/copy", party="bankcq")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    return answer.body


def test_the_bill_s_page_offers_the_copy_beside_the_evidence(stage: Stage) -> None:
    page = stage.request("GET", f"/portal/bills/{stage.bill_a}", party="bankcq").body.decode()
    evidence = page.index(f"/portal/bills/{stage.bill_a}/evidence")
    assert evidence < page.index(f"/portal/bills/{stage.bill_a}/copy") < evidence + 400


@pytest.mark.parametrize(
    ("language", "verdict", "notice"),
    [
        ("en", "GENUINE AND CURRENT", "Only the evidence attached inside the PDF was checked"),
        ("zh", "真实", "仅核验了PDF内附的证据"),
    ],
)
def test_a_copy_is_verified_by_its_evidence_and_says_that_the_print_proves_nothing(
    stage: Stage, printed: bytes, language: str, verdict: str, notice: str
) -> None:
    answer = upload(stage, printed, language)
    page = html.unescape(answer.body.decode())
    assert answer.status == 200
    assert verdict.upper() in page.upper()
    assert notice in page


def test_a_pdf_without_evidence_is_not_genuine_and_has_no_notice(stage: Stage) -> None:
    page = html.unescape(upload(stage, b"%PDF-1.7\nnothing").body.decode())
    assert "no evidence in this PDF" in page
    assert "Only the evidence attached" not in page
    assert "verdict red" in page


def test_when_too_many_files_are_opened_the_page_says_to_come_back(
    stage: Stage, printed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkers = stage.platform.running.app.extensions["bol-portal"].checkers
    monkeypatch.setattr("bol_service.copy.checking_apart.PATIENCE", 0.05)
    taken = 0
    while checkers._free.acquire(blocking=False):
        taken += 1
    try:
        answer = upload(stage, printed)
    finally:
        checkers._free.release(taken)
    assert answer.status == 429
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "No copy can be printed of this bill"), ("zh", "此提单无法生成打印副本")],
)
def test_a_bill_that_no_page_has_a_place_for_is_no_failure_of_the_service(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    """Such as a document of another platform, which that one has not checked."""
    monkeypatch.setattr("bol_service.copy.apart.PATIENCE", 0.001)
    path = f"/portal/bills/{stage.bill_a}/copy"
    answer = stage.request("GET", path, party="bankcq", language=language)
    assert answer.status == 406
    assert words in html.unescape(answer.body.decode())
