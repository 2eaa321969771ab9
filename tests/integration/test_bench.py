"""`make bench` in its smallest size: every row runs and tells its figures as promised.

What the figures are is not looked at: speed is told, never asserted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import load
from bench.figures import Figure, Target
from bench.http_rows import all_recorded
from tests import kit

ROOT = Path(__file__).parent.parent.parent
ASKED = {
    "http-postgresql",
    "http-sqlite",
    "batch-postgresql",
    "append-postgresql",
    "append-ordered",
    "issue",
    "flat-write",
    "flat-read",
    "evidence-500",
    "verify-500",
    "audit",
    "release-check",
    "bill-page-500",
    "first-screen",
}
MEMBERS = {"bench", "value", "unit", "against", "baseline", "ratio", "ok", "samples"}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "bench/run.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def smallest(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], str, str]:
    """The figures, the table printed after them, and the page it was written into."""
    page = tmp_path_factory.mktemp("bench") / "page.md"
    page.write_text("before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nafter\n")
    done = bench("--size", "tiny", "--write", str(page))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    figures = [json.loads(line) for line in lines if line.startswith("{")]
    table = "\n".join(line for line in lines if line.startswith("|"))
    return figures, table, page.read_text(encoding="utf-8")


def test_every_row_that_is_asked_for_tells_its_figure(
    smallest: tuple[list[dict[str, Any]], str, str],
) -> None:
    figures, table, _ = smallest
    told = [figure["bench"] for figure in figures]
    assert set(told) >= ASKED
    assert len(told) == len(set(told))
    for name in told:
        assert f"| {name} " in table


def test_every_figure_stands_beside_the_limit_it_is_compared_to(
    smallest: tuple[list[dict[str, Any]], str, str],
) -> None:
    for figure in smallest[0]:
        assert figure.keys() >= MEMBERS, figure
        assert ("least" in figure) != ("most" in figure), figure
        value, baseline = figure["value"], figure["baseline"]["value"]
        assert value > 0, figure
        assert baseline > 0, figure
        assert figure["ratio"] == pytest.approx(value / baseline, rel=0.01, abs=0.001), figure
        limit = figure["least"] if "least" in figure else figure["most"]
        met = figure["ratio"] >= limit if "least" in figure else figure["ratio"] <= limit
        is_at_the_limit = abs(figure["ratio"] - limit) < 0.001  # the ratio that is told is rounded
        assert is_at_the_limit or figure["ok"] is met, figure


def test_the_table_is_written_between_the_marks_of_a_page(
    smallest: tuple[list[dict[str, Any]], str, str],
) -> None:
    _, table, page = smallest
    assert table in page
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "old" not in page


def test_a_row_that_does_not_exist_is_named_with_those_that_do() -> None:
    done = bench("http-oracle")
    assert done.returncode == 2
    assert "http-oracle" in done.stderr
    assert "http-sqlite" in done.stderr


# -- what would make a figure worthless ----------------------------------------------------------


def test_an_answer_that_was_not_expected_ends_the_load_with_the_servers_words(
    tmp_path: Path,
) -> None:
    with kit.platform(tmp_path) as platform:
        port = int(platform.base_url.rpartition(":")[2])
        with pytest.raises(load.UnexpectedAnswer, match=r"422 where 201 was expected: .*bad_event"):
            load.run(port, [[load.event("no event")]])


def test_a_batch_with_one_refusal_does_not_count() -> None:
    recorded, refused = {"status": 201}, {"status": 409, "problem": {"code": "stale_head"}}
    with pytest.raises(load.UnexpectedAnswer, match="stale_head"):
        all_recorded([json.dumps({"items": [recorded, refused]}).encode()], 2)
    assert all_recorded([json.dumps({"items": [recorded, recorded]}).encode()], 2) == 2


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        pytest.param(Target(least=0.5), 50.0, True, id="at least half, exactly half"),
        pytest.param(Target(least=0.5), 49.0, False, id="at least half, less"),
        pytest.param(Target(most=1.3), 130.0, True, id="at most 1.3, exactly"),
        pytest.param(Target(most=1.3), 131.0, False, id="at most 1.3, more"),
    ],
)
def test_a_missed_target_is_marked(target: Target, value: float, met: bool) -> None:
    figure = Figure(
        bench="row",
        value=value,
        unit="ms",
        against="",
        baseline=100.0,
        baseline_unit="ms",
        target=target,
    )
    assert figure.ok is met
