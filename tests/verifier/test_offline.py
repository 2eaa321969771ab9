"""Offline means offline: the page from disk and `bol verify`, both with the network taken away.

The page runs in Chromium, opened from file:// as somebody would who has kept it beside a bill for
years; both run in a network namespace in which not even the loopback is up.
"""

from __future__ import annotations

import json
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bol_service.copy.printing import print_copy
from bol_service.verification.report import VERDICT_ZH, Verdict
from tests import bundle_case
from tests.bundle_case import Case
from tests.cut_off import can_reach, run_cut_off
from tests.node_verifier import PAGE, ROOT, trust_file

VECTORS = ROOT / "tests" / "vectors"
FLIPS = 12


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    yield from bundle_case.one_bill(tmp_path_factory.mktemp("one-bill"))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server that answers on this machine, to prove that inside it cannot be reached."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def kept(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What somebody has kept: page, trust file, bill, and copies with one byte flipped."""
    folder = tmp_path_factory.mktemp("kept")
    shutil.copy(PAGE, folder / "ebl-verifier.html")
    (folder / "trust.json").write_bytes(trust_file(case.trust))
    (folder / "bill.ebl.json").write_bytes(case.content)
    (folder / "copy.pdf").write_bytes(print_copy(case.content))
    (folder / "other.pdf").write_bytes(b"%PDF-1.7\nnothing")
    size = len(case.content)
    for number in range(FLIPS):
        changed = bytearray(case.content)
        changed[number * size // FLIPS + 7] ^= 1
        (folder / f"flipped-{number}.ebl.json").write_bytes(changed)
    return folder


def visit(folder: Path, files: list[str], port: int, **more: str) -> dict[str, Any]:
    """What the page in `folder` shows for `files`, in a browser without network."""
    asked = {
        "page": str(folder / "ebl-verifier.html"),
        "trust": str(folder / "trust.json"),
        "files": [str(folder / name) for name in files],
        "locale": "en-GB",
        "port": port,
        **more,
    }
    done = run_cut_off([sys.executable, "-m", "tests.cut_off"], stdin=json.dumps(asked))
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def seen(kept: Path, port: int) -> dict[str, Any]:
    flipped = [f"flipped-{number}.ebl.json" for number in range(FLIPS)]
    return visit(kept, ["bill.ebl.json", *flipped, "copy.pdf", "other.pdf"], port)


def test_there_is_no_network_where_the_page_is_tried(seen: dict[str, Any], port: int) -> None:
    assert can_reach(port)
    assert seen["reached"] is False


def test_the_page_from_disk_tells_the_verdict_in_both_languages(seen: dict[str, Any]) -> None:
    genuine = seen["told"][0]
    assert genuine["en"] == Verdict.CURRENT
    assert genuine["zh"] == VERDICT_ZH[Verdict.CURRENT]
    assert len(genuine["codes"]) == 10


def test_a_flipped_byte_is_not_genuine(seen: dict[str, Any]) -> None:
    assert len(seen["told"]) == FLIPS + 3
    for told in seen["told"][1 : FLIPS + 1]:
        assert told["en"] == Verdict.NOT_GENUINE
        assert told["zh"] == VERDICT_ZH[Verdict.NOT_GENUINE]
        assert "切勿信赖此文件" in told["next"]


def test_a_printed_copy_is_judged_by_what_is_attached_to_it(seen: dict[str, Any]) -> None:
    *_, copy, other = seen["told"]
    assert (copy["en"], copy["codes"]) == (Verdict.CURRENT, seen["told"][0]["codes"])
    assert "不具证明力" in copy["summary"]
    assert "不具证明力" not in seen["told"][0]["summary"]
    assert (other["en"], other["codes"]) == (Verdict.NOT_GENUINE, ["bad_file"])
    assert "切勿信赖此文件" not in other["next"]


def test_the_page_asks_for_nothing_and_complains_of_nothing(
    seen: dict[str, Any], kept: Path
) -> None:
    assert seen["requests"] == [(kept / "ebl-verifier.html").as_uri()]
    assert seen["complaints"] == []


def test_a_bill_that_was_saved_long_ago_is_verified_by_a_chinese_reader(
    tmp_path: Path, port: int
) -> None:
    shutil.copy(PAGE, tmp_path / "ebl-verifier.html")
    shutil.copy(VECTORS / "voyage-v1.trust.json", tmp_path / "trust.json")
    shutil.copy(VECTORS / "voyage-v1.ebl.json", tmp_path / "提单 <b>418.ebl.json")

    seen = visit(tmp_path, ["提单 <b>418.ebl.json"], port, locale="zh-CN")

    assert seen["language"] == "zh-CN"
    assert seen["told"][0]["zh"] == VERDICT_ZH[Verdict.ENDED]
    assert (seen["reached"], seen["complaints"]) == (False, [])


# -- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "code", "verdict"),
    [
        ("bill.ebl.json", 0, Verdict.CURRENT),
        ("flipped-5.ebl.json", 1, Verdict.NOT_GENUINE),
        ("copy.pdf", 0, Verdict.CURRENT),
    ],
    ids=["a genuine bill", "a flipped byte", "a printed copy"],
)
def test_bol_verify_needs_no_network(kept: Path, file: str, code: int, verdict: Verdict) -> None:
    words = ["-m", "bol_service", "verify", "--json", "--trust", "trust.json", file]

    done = run_cut_off([sys.executable, *words], folder=kept)

    assert done.returncode == code, done.stderr
    [told] = json.loads(done.stdout)["files"]
    assert (told["verdict"], told["verdictZh"]) == (verdict, VERDICT_ZH[verdict])


def test_taking_the_network_away_really_does(port: int) -> None:
    """The same question outside and inside; or all that is said here would prove nothing."""
    ask = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
    done = run_cut_off([sys.executable, "-c", ask])
    assert done.returncode == 1
    assert "unreachable" in done.stderr
