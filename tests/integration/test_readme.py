"""What the first screen of README.md shows is what the commands print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ACT = re.compile(
    r" (?P<step>[0-9]+n?) +[0-9-]+ [0-9:]+ +(?P<actor>[a-z]+) +(?P<act>.+?) {2,}"
    r"✓ (?:refused: )?(?P<result>[a-z_]+) +(?P<holder>\S+) +(?P<title>in blank|\S+)"
)


def shown(command: str) -> list[str]:
    """The lines under `$ command` in README.md, without those that say that lines are left out."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"```console\n\$ {re.escape(command)}[^\n]*\n(.*?)```", text, flags=re.S)
    assert found, command
    return [line for line in found[1].splitlines() if line.strip() not in ("", "…")]


def bol(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bol_service", *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder and the output of a demonstration."""
    out = tmp_path_factory.mktemp("readme")
    return out, bol("demo", "--out", str(out))


def test_the_demo_prints_the_time_line_that_the_readme_shows(played: tuple[Path, str]) -> None:
    acts = [found for line in shown("make demo") if (found := ACT.fullmatch(line.rstrip()))]
    assert len(acts) >= 8
    lines = played[1].splitlines()
    for act in acts:
        # A cell that does not fit its column goes on in the next lines.
        assert any(
            re.match(rf" {act['step']} .* {act['actor']} .*{re.escape(act['act'])}", line)
            and all(
                word in " ".join(lines[number : number + 3])
                for word in (act["result"], act["holder"], act["title"])
            )
            for number, line in enumerate(lines)
        ), act[0]


def test_the_demo_ends_as_the_readme_shows(played: tuple[Path, str]) -> None:
    ends = [line for line in shown("make demo") if line.startswith("  ")]
    assert len(ends) == 5
    for line in ends:
        assert line in played[1].splitlines()


def test_verify_prints_what_the_readme_shows(played: tuple[Path, str]) -> None:
    out, _ = played
    bundles = [str(path) for path in out.glob("*.ebl.json")]
    printed = bol("verify", *bundles, "--trust", str(out / "trust.json")).splitlines()
    lines = shown(".venv/bin/bol verify demo-out/*.ebl.json --trust demo-out/trust.json")
    assert len(lines) == 6
    # How many entries there are depends on who wins the race of step 14.
    alike = {re.sub(r"[0-9]+", "#", line) for line in printed}
    for line in lines:
        assert re.sub(r"[0-9]+", "#", line) in alike
