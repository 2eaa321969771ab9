"""Reading a printed copy back: the evidence inside it counts, and a hostile PDF does no harm."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from bol_service.copy import apart
from bol_service.copy.apart import Copies
from bol_service.copy.checking import NOTICE, is_copy, verify_copy
from bol_service.copy.faults import Busy, NoCopy, NoEvidence
from bol_service.copy.printing import print_copy
from bol_service.copy.reading import attached_bundle
from bol_service.verification.bundle import MAX_BUNDLE_BYTES
from bol_service.verification.report import Check, Report, Verdict
from tests.hostile_copies import HOSTILE, RESAVED, with_attachments
from tests.voyage_evidence import Evidence

LIMIT = MAX_BUNDLE_BYTES


def report_on(pdf: bytes, evidence: Evidence) -> Report:
    return verify_copy(pdf, evidence.trust, evidence.now, copies=Copies(), limit=LIMIT).report


# -- round trip ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["living", "ended", "partial"])
def test_the_evidence_comes_out_of_a_copy_byte_for_byte(evidence: Evidence, name: str) -> None:
    bundle = getattr(evidence, name)
    assert Copies().evidence(print_copy(bundle), LIMIT) == bundle


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("living", Verdict.CURRENT),
        ("ended", Verdict.ENDED),
        ("partial", Verdict.ENDED),
    ],
)
def test_a_copy_is_judged_like_its_evidence(
    evidence: Evidence, name: str, verdict: Verdict
) -> None:
    assert report_on(Copies().printed(getattr(evidence, name)), evidence).verdict is verdict


def test_a_copy_made_apart_is_the_copy_made_here(evidence: Evidence) -> None:
    address = "https://cq.example/verify"
    assert Copies(address).printed(evidence.living) == print_copy(evidence.living, address)


def test_one_changed_bit_in_the_attachment_is_not_genuine(evidence: Evidence) -> None:
    forged = bytearray(evidence.living)
    forged[forged.index(b'"event":"ey') + 40] ^= 1
    pdf = with_attachments(("x.ebl.json", bytes(forged)))
    report = report_on(pdf, evidence)
    assert report.verdict is Verdict.NOT_GENUINE


def test_a_changed_byte_anywhere_in_the_stored_attachment_is_not_genuine(
    evidence: Evidence,
) -> None:
    """The stream is compressed; most changes break it, and none passes."""
    pdf = print_copy(evidence.living)
    stream = pdf.index(b"stream\n", pdf.index(b"/Type/EmbeddedFile/")) + len(b"stream\n")
    end = pdf.index(b"endstream", stream)
    assert end - stream > 10_000
    for place in range(stream + 2, end - 8, 2_500):
        broken = bytearray(pdf)
        broken[place] ^= 0x10
        assert report_on(bytes(broken), evidence).verdict is Verdict.NOT_GENUINE


def test_what_is_printed_does_not_count(evidence: Evidence) -> None:
    """A page that says anything at all, with genuine evidence inside, is as good as that."""
    pdf = with_attachments(("other.ebl.json", evidence.ended))
    assert report_on(pdf, evidence).verdict is Verdict.ENDED
    assert "proves nothing" in NOTICE[0]


def test_only_what_begins_as_a_pdf_is_opened_as_one(evidence: Evidence) -> None:
    assert is_copy(print_copy(evidence.living))
    assert not is_copy(evidence.living)
    assert not is_copy(b"\n%PDF-1.7")


@pytest.mark.parametrize("kind", RESAVED)
def test_the_evidence_comes_out_of_a_copy_that_another_program_has_saved(
    evidence: Evidence, kind: str
) -> None:
    assert attached_bundle(RESAVED[kind](evidence), LIMIT) == evidence.living


# -- hostile files --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_pdf_that_holds_no_evidence_is_told_so_and_does_no_harm(
    evidence: Evidence, kind: str
) -> None:
    pdf = HOSTILE[kind](evidence)
    began = time.monotonic()
    report = report_on(pdf, evidence)
    assert time.monotonic() - began < apart.PATIENCE
    assert report.verdict is Verdict.NOT_GENUINE
    assert [(found.check, found.code) for found in report.findings] == [(Check.FILE, "bad_file")]
    assert report.findings[0].message.startswith("no evidence in this PDF: ")
    assert report.findings[0].next_step


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("more bytes than are read", "at most 20000000 are read"),
        ("a password", "the PDF is encrypted"),
        ("two bundles", "2 of 2 attachments are named"),
        ("no attachment", "0 of 0 attachments are named"),
    ],
)
def test_a_refusal_says_why(evidence: Evidence, kind: str, why: str) -> None:
    with pytest.raises(NoEvidence, match=why):
        attached_bundle(HOSTILE[kind](evidence), LIMIT)


def test_a_bundle_larger_than_wanted_is_not_taken_out(evidence: Evidence) -> None:
    pdf = print_copy(evidence.living)
    assert Copies().evidence(pdf, len(evidence.living)) == evidence.living
    with pytest.raises(NoEvidence, match=f"at most {len(evidence.living) - 1} are read"):
        Copies().evidence(pdf, len(evidence.living) - 1)


def test_the_parser_itself_never_raises_anything_else(evidence: Evidence) -> None:
    pdf = print_copy(evidence.living)
    for place in range(0, len(pdf), 1_500):
        broken = pdf[:place] + b"\0/<<[(" + pdf[place + 6 :]
        with suppress(NoEvidence):
            attached_bundle(broken, LIMIT)


# -- the process apart ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"{}", "not a bundle", id="an empty object"),
        pytest.param(b"", "not a bundle", id="nothing"),
        pytest.param(b"%PDF-1.7", "not a bundle", id="a PDF"),
    ],
)
def test_of_what_is_no_bundle_no_copy_is_made(content: bytes, why: str) -> None:
    with pytest.raises(NoCopy, match=why):
        Copies().printed(content)


def test_what_the_law_forbids_is_not_printed(evidence: Evidence) -> None:
    """Here: an act is missing from the middle, so that the next one continues nothing."""
    from bol_service.crypto import strictjson

    value = strictjson.loads_event(evidence.ended)
    assert isinstance(value, dict)
    entries = value["entries"]
    assert isinstance(entries, list)
    del entries[len(entries) // 2]
    with pytest.raises(NoCopy, match="no copy can be made of this file"):
        print_copy(strictjson.canonical(value))


def test_the_process_apart_gets_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOL_KEY_PASSPHRASE", "x")
    assert not [name for name in apart.environment() if name.startswith("BOL_")]


def test_a_process_that_takes_too_long_is_ended(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "PATIENCE", 0.05)
    with pytest.raises(NoCopy, match="took longer than"):
        Copies().printed(evidence.living)


def test_no_more_copies_are_made_at_a_time_than_allowed(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = Copies(at_once=1)
    assert copies._free.acquire()
    monkeypatch.setattr(apart, "PATIENCE", 0.05)
    with pytest.raises(Busy, match="come back"):
        copies.printed(evidence.living)
    monkeypatch.undo()
    waiting = threading.Thread(target=copies.printed, args=(evidence.living,))
    waiting.start()
    copies._free.release()
    waiting.join()
    assert copies._free.acquire(blocking=False)


def test_nothing_is_imported_from_the_folder_where_a_copy_is_opened(
    evidence: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdf = print_copy(evidence.living)
    (tmp_path / "pypdf.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [place for place in sys.path if place])
    assert Copies().evidence(pdf, LIMIT) == evidence.living
