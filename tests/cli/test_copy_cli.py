"""`bol copy`, `bol bill copy`, and `bol verify` of what they print."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import kit
from tests.cli.test_cli_start import HEAVY, loaded
from tests.command_line import Ran, office_of, run, write_json
from tests.trust_file import trust_value

OFFLINE_HEAVY = {*HEAVY, "typst", "pypdf", "segno"}


@dataclass(frozen=True, kw_only=True)
class Files:
    evidence: Path
    trust: Path
    platform: kit.Platform
    bill: str


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    folder = tmp_path_factory.mktemp("copies")
    platform = kit.start(tmp_path_factory.mktemp("platform"))
    try:
        voyage = platform.voyage()
        voyage.open()
        for played in voyage.play():
            assert played.as_expected, played
        evidence = folder / "bill.ebl.json"
        evidence.write_bytes(platform.running.services.evidence.bundle(voyage.bill, "xlsc"))
        trust = write_json(folder / "trust.json", trust_value(platform.trust()))
        yield Files(evidence=evidence, trust=trust, platform=platform, bill=voyage.bill)
    finally:
        platform.stop()


def copy(files: Files, evidence: Path, out: Path, *more: object) -> Ran:
    return run("copy", evidence, "--trust", files.trust, "-o", out, *more)


def test_a_copy_is_printed_from_evidence_and_verifies_as_that_evidence(
    files: Files, tmp_path: Path
) -> None:
    out = tmp_path / "copy.pdf"
    made = copy(files, files.evidence, out, "--json")
    assert made.code == 0, made.err
    assert made.json()["bytes"] == out.stat().st_size
    ran = run("verify", out, "--trust", files.trust)
    assert ran.code == 0
    assert "GENUINE, ENDED · 真实,已终结" in ran.out
    assert "Only the evidence attached to this PDF was checked" in ran.out
    assert "印刷内容不具证明力" in ran.out


def test_the_report_on_a_copy_is_that_on_its_evidence_with_a_notice(
    files: Files, tmp_path: Path
) -> None:
    out = tmp_path / "copy.pdf"
    copy(files, files.evidence, out)
    both = run("verify", out, files.evidence, "--trust", files.trust, "--json").json()["files"]
    printed, itself = both
    assert "proves nothing" in printed.pop("notice")
    assert printed.pop("noticeZh")
    assert printed.pop("file") != itself.pop("file")
    assert printed == itself


def test_of_a_forged_file_no_copy_is_made(files: Files, tmp_path: Path) -> None:
    content = bytearray(files.evidence.read_bytes())
    content[content.index(b'"event":"ey') + 40] ^= 1
    forged, out = tmp_path / "forged.ebl.json", tmp_path / "copy.pdf"
    forged.write_bytes(content)
    made = copy(files, forged, out, "--json")
    assert made.code == 1
    assert made.problem()["code"] == "not_genuine"
    assert "NOT GENUINE" in made.problem()["title"]
    assert not out.exists()


def test_under_another_platform_s_trust_no_copy_is_made(files: Files, tmp_path: Path) -> None:
    value = json.loads(files.trust.read_text(encoding="utf-8"))
    other = write_json(tmp_path / "trust.json", {**value, "origin": "demo.other/ebl"})
    made = run("copy", files.evidence, "--trust", other, "-o", tmp_path / "c.pdf", "--json")
    assert made.code == 1
    assert "CANNOT SAY" in made.problem()["title"]


@pytest.mark.parametrize("address", ["verify.example", "https://a b", "javascript:alert(1)"])
def test_an_address_to_print_must_be_one_of_the_web(
    files: Files, tmp_path: Path, address: str
) -> None:
    made = copy(files, files.evidence, tmp_path / "c.pdf", "--verify-at", address)
    assert made.code == 2
    assert "is no http or https address" in made.err


def test_a_pdf_without_evidence_is_not_genuine(files: Files, tmp_path: Path) -> None:
    file = tmp_path / "x.pdf"
    file.write_bytes(b"%PDF-1.7\nnothing")
    ran = run("verify", file, "--trust", files.trust)
    assert ran.code == 1
    assert "no evidence in this PDF" in ran.out
    assert "NOT GENUINE" in ran.out


def test_a_party_gets_the_platform_s_copy_of_its_bill(files: Files, tmp_path: Path) -> None:
    files.platform.set_clock(None)
    out = tmp_path / "copy.pdf"
    value = office_of(files.platform).done("xlsc", "bill", "copy", files.bill, "-o", out)
    assert value["bytes"] == out.stat().st_size
    ran = run("verify", out, "--trust", files.trust)
    assert "GENUINE, ENDED" in ran.out


def test_verifying_a_json_file_loads_nothing_that_prints_or_reads_pdf(tmp_path: Path) -> None:
    file = tmp_path / "x.ebl.json"
    file.write_text("{}")
    code, modules = loaded("verify", file)
    assert code == 1
    assert not modules & OFFLINE_HEAVY


def test_verifying_a_copy_reads_it_in_another_process(files: Files, tmp_path: Path) -> None:
    out = tmp_path / "copy.pdf"
    copy(files, files.evidence, out)
    code, modules = loaded("verify", out, "--trust", files.trust)
    assert code == 0
    assert not modules & OFFLINE_HEAVY
