"""`bol verify`: one of five verdicts, each with its exit code, and never more than was proven."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bol_service.cli.output import ExitCode
from bol_service.cli.verify import exit_code
from bol_service.verification.report import Verdict
from tests import kit
from tests.command_line import Ran, run, write_json
from tests.trust_file import trust_value


@dataclass(frozen=True, kw_only=True)
class Files:
    live: Path
    stale: Path
    ended: Path
    partial: Path
    trust: Path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    """Evidence of a voyage that ended an hour ago: of its bill, and of another that still lives."""
    folder = tmp_path_factory.mktemp("evidence")
    ended_at = datetime.now(UTC) - timedelta(hours=1)
    platform = kit.start(tmp_path_factory.mktemp("platform"), ends=ended_at)
    try:
        yield _written(platform, folder)
    finally:
        platform.stop()


def _written(platform: kit.Platform, folder: Path) -> Files:
    voyage = platform.voyage()
    voyage.open()
    for played in voyage.play():
        assert played.as_expected, played
    other = str(voyage.saved["s417-issued"]["checksum"])
    files = Files(
        live=folder / "live.ebl.json",
        stale=folder / "stale.ebl.json",
        ended=folder / "ended.ebl.json",
        partial=folder / "partial.ebl.json",
        trust=write_json(folder / "trust.json", trust_value(platform.trust())),
    )
    evidence = platform.running.services.evidence
    files.live.write_bytes(evidence.bundle(other, "yunling"))
    files.ended.write_bytes(evidence.bundle(voyage.bill, "xlsc"))
    files.partial.write_bytes(evidence.bundle(voyage.bill, "sgterm"))
    platform.set_clock(datetime.now(UTC) - timedelta(minutes=30))
    files.stale.write_bytes(evidence.bundle(other, "yunling"))
    return files


def verify(files: Files, *arguments: object) -> Ran:
    return run("verify", *arguments, "--trust", files.trust)


def flipped(file: Path, where: bytes, folder: Path) -> Path:
    """A copy with one bit changed in the value that follows `where`."""
    content = bytearray(file.read_bytes())
    place = content.index(where) + len(where)
    content[place] ^= 1
    copy = folder / "flipped.ebl.json"
    copy.write_bytes(content)
    return copy


# -- the five verdicts ---------------------------------------------------------------------------


def test_a_fresh_file_of_a_living_bill_is_genuine_and_current(files: Files) -> None:
    ran = verify(files, files.live)
    assert ran.code == 0
    assert "GENUINE AND CURRENT · 真实且现行有效" in ran.out


def test_a_file_of_an_accomplished_bill_is_genuine_and_ended(files: Files) -> None:
    ran = verify(files, files.ended)
    assert ran.code == 0
    assert "GENUINE, ENDED · 真实,已终结" in ran.out


def test_an_old_file_of_a_living_bill_is_not_known_to_be_current(files: Files) -> None:
    ran = verify(files, files.stale)
    assert ran.code == 3
    assert "GENUINE, NOT KNOWN TO BE CURRENT · 真实,是否现行有效未知" in ran.out
    assert "? UNKNOWN  currency" in ran.out


def test_one_flipped_bit_makes_a_file_not_genuine(files: Files, tmp_path: Path) -> None:
    ran = verify(files, flipped(files.live, b'"event":"ey', tmp_path))
    assert ran.code == 1
    assert "NOT GENUINE · 不真实" in ran.out
    assert "✗ INVALID" in ran.out
    assert "GENUINE AND" not in ran.out


def test_without_a_trust_file_nothing_can_be_said(files: Files) -> None:
    ran = run("verify", files.live)
    assert ran.code == 3
    assert "CANNOT SAY · 无法判断" in ran.out
    assert "pass it with --trust" in ran.out


def test_under_the_trust_file_of_another_platform_nothing_can_be_said(
    files: Files, tmp_path: Path
) -> None:
    value = json.loads(files.trust.read_text())
    vkey = value["logKeys"][0]["vkey"]
    other = write_json(tmp_path / "trust.json", {**value, "origin": "demo.other/ebl"})
    assert vkey.startswith("demo.cq.example/ebl+")
    assert run("verify", files.live, "--trust", other).code == 3


# -- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "plain", "as_of_statement", "require_live"),
    [
        pytest.param(Verdict.CURRENT, 0, 0, 0, id="current"),
        pytest.param(Verdict.ENDED, 0, 0, 1, id="ended fails only where a live bill is required"),
        pytest.param(
            Verdict.NOT_KNOWN_CURRENT, 3, 0, 3, id="not known current passes as of its statement"
        ),
        pytest.param(Verdict.NOT_GENUINE, 1, 1, 1, id="not genuine fails whatever is asked"),
        pytest.param(Verdict.CANNOT_SAY, 3, 3, 3, id="cannot say never passes"),
    ],
)
def test_every_verdict_has_its_exit_code(
    verdict: Verdict, plain: int, as_of_statement: int, require_live: int
) -> None:
    codes = (
        exit_code(verdict, as_of_statement=False, require_live=False),
        exit_code(verdict, as_of_statement=True, require_live=False),
        exit_code(verdict, as_of_statement=False, require_live=True),
    )
    assert codes == (plain, as_of_statement, require_live)


def test_as_of_statement_lets_an_old_file_pass(files: Files) -> None:
    assert verify(files, files.stale, "--as-of-statement").code == 0


def test_require_live_fails_an_ended_bill(files: Files) -> None:
    assert verify(files, files.ended, "--require-live").code == 1


@pytest.mark.parametrize(
    ("names", "code"),
    [
        pytest.param(("live", "ended"), 0, id="two good files are good"),
        pytest.param(("live", "stale"), 3, id="not known current outweighs current"),
        pytest.param(("forged", "stale", "live"), 1, id="not genuine outweighs everything"),
        pytest.param(("stale", "forged"), 1, id="whatever the order"),
    ],
)
def test_the_worst_of_several_files_counts(
    names: tuple[str, ...], code: int, files: Files, tmp_path: Path
) -> None:
    forged = flipped(files.live, b'"event":"ey', tmp_path)
    chosen = [forged if name == "forged" else getattr(files, name) for name in names]
    assert verify(files, *chosen).code == code


# -- wrong use -----------------------------------------------------------------------------------


def test_nothing_to_verify_is_wrong_use_and_not_valid(files: Files) -> None:
    assert verify(files).code == 2


def test_a_file_that_cannot_be_opened_is_wrong_use(files: Files, tmp_path: Path) -> None:
    ran = verify(files, files.live, tmp_path / "missing.ebl.json")
    assert (ran.code, ran.out) == (2, "")
    assert "missing.ebl.json cannot be opened" in ran.err


def test_a_folder_is_no_file(files: Files, tmp_path: Path) -> None:
    assert verify(files, tmp_path).code == 2


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="an empty trust file"),
        pytest.param("{}", id="a trust file without members"),
        pytest.param("not JSON", id="a trust file that is no JSON"),
    ],
)
def test_a_trust_file_that_cannot_be_read_is_wrong_use(
    content: str, files: Files, tmp_path: Path
) -> None:
    trust = tmp_path / "trust.json"
    trust.write_text(content)
    ran = run("verify", files.live, "--trust", trust)
    assert (ran.code, ran.out) == (2, "")


def test_an_empty_file_is_not_genuine(files: Files, tmp_path: Path) -> None:
    empty = tmp_path / "empty.ebl.json"
    empty.write_bytes(b"")
    assert verify(files, empty).code == 1


# -- what is told --------------------------------------------------------------------------------


def test_every_check_tells_its_outcome_in_a_word(files: Files) -> None:
    out = verify(files, files.live).out
    checks = "file trust statement checkpoint inclusion streams document signatures law currency"
    for check in checks.split():
        assert f"✓ VALID    {check}" in out


def test_the_acts_tell_who_signed_what_and_when(files: Files) -> None:
    out = verify(files, files.ended).out
    assert "Chongqing Yunling Motor Parts Co., Ltd. (yunling): endorse to order" in out
    assert "Guoyuan Intermodal Terminal (Demo) Co., Ltd. (guoyuan): gate-in XLCU7001127" in out
    assert "(operator): register a party yunling" in out


def test_the_title_is_told_in_a_sentence_of_each_language(files: Files) -> None:
    out = verify(files, files.live).out
    holder = "Chongqing Yunling Motor Parts Co., Ltd. (yunling)"
    assert f"live; held by {holder}, title with {holder}." in out
    assert f"有效;持有人 {holder},权利人 {holder}。" in out


def test_a_partial_file_tells_that_the_state_is_only_stated(files: Files) -> None:
    ran = verify(files, files.partial)
    assert ran.code == 0
    assert ", as stated by the platform." in ran.out
    assert "(据平台声明)" in ran.out


def test_a_demonstration_is_marked_as_one(files: Files) -> None:
    out = verify(files, files.live).out
    assert "DEMO: a demonstration without legal effect · 演示,无法律效力" in out
    assert "现行有效 · DEMO 演示" in out


def test_json_gives_one_value_with_the_same_exit_codes(files: Files, tmp_path: Path) -> None:
    forged = flipped(files.live, b'"event":"ey', tmp_path)
    ran = verify(files, files.live, forged, "--json")
    value = ran.json()
    assert ran.code == value["exitCode"] == 1
    assert [entry["exitCode"] for entry in value["files"]] == [0, 1]
    assert [entry["verdict"] for entry in value["files"]] == [
        "GENUINE AND CURRENT",
        "NOT GENUINE",
    ]
    assert value["files"][0]["title"]["possessor"] == "yunling"
    assert {finding["outcome"] for finding in value["files"][0]["findings"]} == {"VALID"}


def test_a_file_cannot_write_to_the_readers_terminal(files: Files, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.ebl.json"
    hostile.write_bytes(b'{"v":1,"\x7f\xc2\x9b2J\xe2\x80\xae":1}')
    ran = verify(files, hostile)
    assert ran.code == 1
    assert not {"\x7f", "\x9b", "\x1b", "\u202e"} & set(ran.out)
    assert "\\u202e" in ran.out


def test_the_exit_codes_are_those_that_the_help_documents() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "REFUSED": 1,
        "USAGE": 2,
        "UNCERTAIN": 3,
        "NOT_SET_UP": 4,
    }
