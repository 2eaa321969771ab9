"""The page takes a printed copy itself, and says to any PDF what `bol verify` says to it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from bol_service.copy.apart import Copies
from bol_service.copy.checking import NOTICE, verify_copy
from bol_service.copy.printing import print_copy
from bol_service.copy.reading import attached_bundle
from bol_service.verification.bundle import MAX_BUNDLE_BYTES
from bol_service.verification.report import ASK_AGAIN, Verdict
from scripts.build_verifier import SOURCE
from tests.browser import PHONE
from tests.hostile_copies import HOSTILE, RESAVED, with_attachments
from tests.node_verifier import PAGE, Question, ask, summary, theirs, trust_file
from tests.voyage_evidence import Evidence, gather

SEED = 20270308
CUTS, CHANGES = 8, 30


class Here(Copies):
    """Opens copies in this process, which is quicker; tests/copies has those of its own."""

    def evidence(self, pdf: bytes, limit: int) -> bytes:
        return attached_bundle(pdf, limit)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return gather(tmp_path_factory.mktemp("voyage"))


def question(evidence: Evidence, name: str, content: bytes) -> Question:
    trust = trust_file(evidence.trust)
    return Question(name=name, content=content, trust=trust, now=evidence.now)


def compared(evidence: Evidence, questions: list[Question]) -> tuple[list[str], list[str]]:
    """Python's verdicts, and a line for each question to which the page says otherwise."""
    here = [
        summary(
            verify_copy(
                one.content, evidence.trust, one.now, copies=Here(), limit=MAX_BUNDLE_BYTES
            ).report
        )
        for one in questions
    ]
    pairs = zip(questions, here, theirs(questions, "--page", str(PAGE)), strict=True)
    differing = [f"{one.name}: {ours} but {other}" for one, ours, other in pairs if ours != other]
    return [answer["verdict"] for answer in here], differing


def test_both_engines_say_the_same_to_good_copies_however_they_were_saved(
    evidence: Evidence,
) -> None:
    copies = {
        "living": print_copy(evidence.living, "https://cq.example/portal/verify"),
        "ended": print_copy(evidence.ended),
        "partial": print_copy(evidence.partial),
        **{name: make(evidence) for name, make in RESAVED.items()},
    }
    verdicts, differing = compared(
        evidence, [question(evidence, name, pdf) for name, pdf in copies.items()]
    )
    assert differing == []
    assert verdicts[1:3] == [Verdict.ENDED, Verdict.ENDED]
    assert {verdicts[0], *verdicts[3:]} == {Verdict.CURRENT}


def test_both_engines_say_the_same_to_hostile_files(evidence: Evidence) -> None:
    files = {name: make(evidence) for name, make in HOSTILE.items()}
    verdicts, differing = compared(
        evidence, [question(evidence, name, pdf) for name, pdf in files.items()]
    )
    assert differing == []
    assert set(verdicts) == {Verdict.NOT_GENUINE}


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("more bytes than are read", "at most 20000000 are read"),
        ("a password", "the PDF is encrypted"),
        ("two bundles", "2 of 2 attachments are named"),
        ("no attachment", "0 of 0 attachments are named"),
        ("a decompression bomb", "the attached bundle has more than 20000000 bytes"),
    ],
)
def test_a_refusal_says_why(evidence: Evidence, tmp_path: Path, kind: str, why: str) -> None:
    file = tmp_path / "x.pdf"
    file.write_bytes(HOSTILE[kind](evidence))
    [report] = ask([], "--page", str(PAGE), str(file), whole=True)
    [finding] = report["findings"]
    assert finding["message"].startswith("no evidence in this PDF: ")
    assert why in finding["message"]
    assert finding["nextStep"] == ASK_AGAIN


def attachments(evidence: Evidence) -> Iterator[tuple[str, bytes, Verdict]]:
    other = evidence.ended.replace(b'"document":"', b'"document":"x', 1)
    spliced = {**json.loads(evidence.living), "statement": json.loads(evidence.ended)["statement"]}
    yield "the bundle of another bill", evidence.ended, Verdict.ENDED
    yield "a changed bundle", other, Verdict.NOT_GENUINE
    yield (
        "entries of one bill and the statement of another",
        json.dumps(spliced, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode(),
        Verdict.NOT_GENUINE,
    )
    yield "half a bundle", evidence.living[: len(evidence.living) // 2], Verdict.NOT_GENUINE
    yield "nothing", b"", Verdict.NOT_GENUINE


def test_both_engines_judge_the_attachment_and_nothing_else(evidence: Evidence) -> None:
    cases = list(attachments(evidence))
    asked = [
        question(evidence, name, with_attachments(("x.ebl.json", content)))
        for name, content, _ in cases
    ]
    verdicts, differing = compared(evidence, asked)
    assert differing == []
    assert verdicts == [verdict for _, _, verdict in cases]


def test_both_engines_say_the_same_to_a_copy_that_was_damaged(evidence: Evidence) -> None:
    """Cut anywhere, and any byte another one; how a broken table is mended is no standard."""
    pdf, chance = print_copy(evidence.living), random.Random(SEED)
    asked = [
        question(evidence, f"cut at {at}", pdf[:at])
        for at in (chance.randrange(len(pdf)) for _ in range(CUTS))
    ]
    for _ in range(CHANGES):
        at, byte = chance.randrange(len(pdf)), chance.randrange(256)
        changed = pdf[:at] + bytes([byte]) + pdf[at + 1 :]
        asked.append(question(evidence, f"byte {at} is {byte}", changed))
    verdicts, differing = compared(evidence, asked)
    assert {Verdict.CURRENT, Verdict.NOT_GENUINE} == set(verdicts)
    assert differing == []


def test_a_way_of_packing_that_the_page_does_not_know_is_no_forgery(evidence: Evidence) -> None:
    pdf = RESAVED["not packed"](evidence)
    for name in (b"LZWDecode", b"Nonsense"):
        other = pdf.replace(b"<</Length", b"<</Filter/%s/Length" % name)
        assert other != pdf
        [told] = theirs([question(evidence, name.decode(), other)])
        assert told["verdict"] == Verdict.CANNOT_SAY
        assert told["findings"] == [["file", "UNKNOWN", "unknown_version"]]


def test_the_page_says_of_a_copy_what_the_command_says() -> None:
    words = (SOURCE / "words.js").read_text(encoding="utf-8")
    assert all(f'"{notice}"' in words for notice in NOTICE)


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_the_page_shows_a_copy_on_a_phone_without_barriers(
    evidence: Evidence, chromium: Browser, tmp_path: Path, locale: str
) -> None:
    (tmp_path / "trust.json").write_bytes(trust_file(evidence.trust))
    (tmp_path / "copy.pdf").write_bytes(print_copy(evidence.ended))
    # The barrier check is a script of its own, which the page's policy would not let in.
    context = chromium.new_context(locale=locale, viewport=PHONE, bypass_csp=True)
    page = context.new_page()
    page.goto(PAGE.as_uri())
    page.set_input_files("#trust", tmp_path / "trust.json")
    page.set_input_files("#bundle", tmp_path / "copy.pdf")
    page.wait_for_selector("#verdict strong")
    assert NOTICE[locale == "zh-CN"] in page.inner_text("#summary")
    assert page.inner_text("#bundle-state") == "copy.pdf"
    assert Axe().run(page).response["violations"] == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    context.close()
