"""What must never be in this repository, and what must fit together; run by `make lint`.

- no private key, no address of a package registry, no `uv.lock` (it names registries);
- every vendored file has the checksum that its VENDORED.json states;
- the lock files cover what pyproject.toml asks for.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE" rb" KEY-----\s+[A-Za-z0-9+/]")
REGISTRY = re.compile(rb"https?://[^\s)\"']*(?:/simp" rb"le\b|regis" rb"try\.|/pool/ma" rb"in)")


def main() -> int:
    problems = [*_forbidden(), *_vendored(), *_locks()]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name]


def _forbidden() -> list[str]:
    problems = []
    for path in _tracked():
        if not path.is_file():
            continue
        name = path.relative_to(ROOT)
        if path.name == "uv.lock":
            problems.append(f"{name} names registries; keep requirements*.lock only")
        content = path.read_bytes()
        if PRIVATE_KEY.search(content):
            problems.append(f"{name} holds a private key")
        if REGISTRY.search(content) and "static" not in name.parts:
            problems.append(f"{name} names the address of a registry")
    return problems


def _vendored() -> list[str]:
    problems = []
    for manifest in ROOT.glob("bol_service/**/VENDORED.json"):
        stated = json.loads(manifest.read_text(encoding="utf-8"))["sha256"]
        found = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in manifest.parent.iterdir()
            if path != manifest
        }
        if stated != found:
            problems.append(f"{manifest.relative_to(ROOT)} does not state the files beside it")
    return problems


def _locks() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {
        "requirements.lock": project["dependencies"],
        "requirements-dev.lock": project["dependencies"] + extras["dev"],
    }
    problems = []
    for name, requirements in wanted.items():
        locked = {
            line.split("==")[0].lower()
            for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
            if "==" in line and not line.startswith((" ", "#"))
        }
        for requirement in requirements:
            package = re.split(r"[\[<>=!~ ]", requirement)[0].lower()
            if package not in locked:
                problems.append(f"{name} lacks {package}; make it again with uv pip compile")
    oldest = (ROOT / "requirements-oldest.lock").read_text(encoding="utf-8")
    floor = next(line for line in project["dependencies"] if line.startswith("sqlalchemy"))
    version = floor.partition(">=")[2].partition(",")[0]
    if f"\nsqlalchemy=={version} " not in oldest:
        problems.append(f"requirements-oldest.lock has another SQLAlchemy than {floor}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
