"""What the first screen of README.md shows is what the commands print."""

from __future__ import annotations

import re
from pathlib import Path

from tests.demo_run import Played, bol

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


def test_the_demo_prints_the_time_line_that_the_readme_shows(demonstration: Played) -> None:
    acts = [found for line in shown("make demo") if (found := ACT.fullmatch(line.rstrip()))]
    assert len(acts) >= 8
    lines = demonstration.printed.splitlines()
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


def test_the_demo_ends_as_the_readme_shows(demonstration: Played) -> None:
    ends = [line for line in shown("make demo") if line.startswith("  ")]
    assert len(ends) == 5
    for line in ends:
        assert line in demonstration.printed.splitlines()


def test_verify_prints_what_the_readme_shows(demonstration: Played) -> None:
    out = demonstration.out
    bundles = [str(path) for path in out.glob("*.ebl.json")]
    done = bol(out, "verify", *bundles, "--trust", str(out / "trust.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.splitlines()
    lines = shown(".venv/bin/bol verify demo-out/*.ebl.json --trust demo-out/trust.json")
    assert len(lines) == 6
    # How many entries there are depends on who wins the race of step 14.
    alike = {re.sub(r"[0-9]+", "#", line) for line in printed}
    for line in lines:
        assert re.sub(r"[0-9]+", "#", line) in alike
