"""`bol demo` and `bol seed` as commands: they prove the voyage, and notice when it differs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bol_service.client import Client, Unreachable
from tests.demo_run import Played, bol
from tests.desk import SEEDS
from tests.service_process import free_port

CHANGED = ("1n", "3n")  # the steps below that come out otherwise than the script then says


def test_the_demo_plays_the_voyage_and_leaves_evidence_that_anyone_can_check(
    demonstration: Played, tmp_path: Path
) -> None:
    for words in (
        "Chongqing – Qinzhou – Singapore  重庆 – 钦州 – 新加坡",
        "duplicate_cargo",
        "stale_head",
        "verifies offline: exit code 0",
        "cannot say without a trust file: exit code 3",
        "one flipped byte is detected: exit code 1",
        "The voyage went as written",
    ):
        assert words in demonstration.printed
    [evidence] = demonstration.out.glob("*.ebl.json")
    trust = demonstration.out / "trust.json"
    assert bol(tmp_path, "verify", str(evidence), "--trust", str(trust)).returncode == 0
    assert bol(tmp_path, "verify", str(evidence)).returncode == 3


def test_a_seed_leaves_keys_trust_and_the_bill(tmp_path: Path) -> None:
    done = bol(tmp_path, "seed", "--no-serve", "--folder", "platform", "--port", "0", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told["bill"]) == 64
    assert (tmp_path / "platform" / "trust.json").exists()
    assert (tmp_path / "platform" / "keys" / "straits.pem").exists()


def test_sigterm_to_a_seed_ends_the_server_that_it_started(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name[:4] != "BOL_"}
    command = [sys.executable, "-u", "-m", "bol_service", "seed", "--folder", "platform"]
    with subprocess.Popen(
        [*command, "--port", str(free_port()), "--json"],
        env=environment | {"PYTHONPATH": str(SEEDS.parents[1])},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    ) as seed:
        assert seed.stdout is not None
        url = json.loads(seed.stdout.readline())["url"]
        seed.terminate()
        assert seed.wait(120) == 0

    with pytest.raises(Unreachable):
        Client(base_url=url, origin="demo.cq.example/ebl").get("/readyz")


def is_needed(step: str) -> bool:
    """The bill's own way, without the frauds beside it."""
    return step in CHANGED or not step.endswith("n")


def test_the_demo_fails_when_the_script_expects_something_else(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    shutil.copytree(SEEDS, seeds)
    script = seeds / "voyage.json"
    voyage = json.loads(script.read_text(encoding="utf-8"))
    refusals = {step["expect"]: step for step in voyage["steps"] if "expect" in step}
    refusals["no_mandate"]["expect"] = "not_holder"
    del refusals["stale_draft"]["expect"]
    voyage["steps"] = [step for step in voyage["steps"] if is_needed(step["step"])]
    script.write_text(json.dumps(voyage), encoding="utf-8")
    border = json.loads((seeds / "border.json").read_text(encoding="utf-8"))
    (seeds / "border.json").write_text(json.dumps(border | {"checks": []}), encoding="utf-8")
    done = bol(tmp_path, "demo", "--out", "out", "--seeds", str(seeds), "--json")
    assert done.returncode == 1
    surprises = json.loads(done.stdout)["surprises"]
    assert [each.partition("came out as ")[2] for each in surprises] == [
        "no_mandate, expected not_holder",
        "stale_draft, expected recorded",
    ]
