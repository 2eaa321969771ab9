"""`bol demo`, played once for all tests and all workers of a run: it takes half a minute."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.desk import SEEDS

SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class Played:
    """`out` is what the demonstration left behind, `printed` what it said."""

    out: Path
    printed: str


def bol(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, without settings of ours."""
    environment = {name: value for name, value in os.environ.items() if name[:4] != "BOL_"}
    return subprocess.run(
        [sys.executable, "-m", "bol_service", *arguments],
        env=environment | {"PYTHONPATH": str(SEEDS.parents[1])},
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=SECONDS,
    )


def played_in(folder: Path) -> Played:
    """Who comes first plays it in `folder`; who comes meanwhile waits."""
    folder.mkdir(exist_ok=True)
    printed = folder / "printed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            done = bol(folder, "demo", "--out", "out")
            assert done.returncode == 0, done.stdout + done.stderr
            printed.write_text(done.stdout, encoding="utf-8")
    return Played(out=folder / "out", printed=printed.read_text(encoding="utf-8"))
