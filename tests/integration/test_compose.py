"""`docker-compose.yml` is valid, hardened, and its commands work: the dry run starts them all.

The images themselves are neither built nor pulled here.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import compose_dryrun
from scripts.compose_dryrun import FILE, DryRunFailed

VARIABLES = dict.fromkeys(
    ("BOL_ORIGIN", "BOL_PLATFORM_CODE", "BOL_BASE_URL", "BOL_REGISTRAR_KIDS"), "x"
)
ROOT = FILE.parent
SERVICES: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]


def changed(folder: Path, old: str, new: str) -> Path:
    """The file with one thing changed."""
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = folder / "docker-compose.yml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_the_whole_file_runs_from_the_database_to_a_recorded_event() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.compose_dryrun"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "db: service_healthy",
        "migrate: service_completed_successfully",
        "service: ready",
        "recorded entry 0 of demo.compose.example/ebl, receipt verified",
        "service: ended with 0",
        "db: ended",
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param("service_healthy }", "service_helthy }", "service_helthy", id="a condition"),
        pytest.param("    image:", "    imgae:", "imgae", id="a member"),
    ],
)
def test_a_mistyped_name_is_found_by_the_schema(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    with pytest.raises(DryRunFailed, match=words):
        compose_dryrun.validate(changed(tmp_path, old, new))


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_that_is_not_set_is_named(name: str) -> None:
    others = {other: value for other, value in VARIABLES.items() if other != name}
    with pytest.raises(DryRunFailed, match=rf"{name} is not set: the "):
        compose_dryrun.fill(FILE.read_text(encoding="utf-8"), others)


def test_services_that_wait_for_each_other_are_refused() -> None:
    circle = {"a": {"depends_on": {"b": {}}}, "b": {"depends_on": {"a": {}}}}
    with pytest.raises(DryRunFailed, match="depend on each other"):
        compose_dryrun.in_order(circle)


def test_services_start_after_what_they_depend_on() -> None:
    assert compose_dryrun.in_order(SERVICES) == ["db", "migrate", "service"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_locked_down(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", service["user"])
    assert any(mount.startswith("/tmp:") for mount in service["tmpfs"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "privileged" not in service


def test_no_secret_stands_in_the_file() -> None:
    told = [pair for each in SERVICES.values() for pair in each["environment"].items()]
    for name, value in told:
        if re.search(r"PASS|KEY$|PASSWORD", name):
            assert "/run/secrets/" in value, name
        if name == "BOL_DATABASE_URL":
            assert re.search(r"//bol_(owner|service)@.*passfile=/run/secrets/\1\.pgpass", value)
    assert "--data-checksums" in SERVICES["db"]["environment"]["POSTGRES_INITDB_ARGS"]


def test_the_service_has_neither_the_owners_nor_the_superusers_password() -> None:
    assert (
        SERVICES["migrate"]["environment"]["BOL_DATABASE_URL"]
        .partition("@")[0]
        .endswith("//bol_owner")
    )
    assert (
        SERVICES["service"]["environment"]["BOL_DATABASE_URL"]
        .partition("@")[0]
        .endswith("//bol_service")
    )
    assert {"owner.pgpass", "owner-password", "database-password"}.isdisjoint(
        SERVICES["service"]["secrets"]
    )
    assert SERVICES["migrate"]["command"][-2:] == ["--service-role", "bol_service"]


def test_the_image_leaves_root_and_installs_only_what_is_hashed() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "USER 10001:10001" in lines
    assert any(
        "--require-hashes" in line and "requirements-postgres.lock" in line for line in lines
    )
    locked = (ROOT / "requirements-postgres.lock").read_text(encoding="utf-8")
    assert re.search(r"^psycopg-binary==", locked, re.MULTILINE)
    for requirement in re.findall(r"^[a-z0-9][^ ]*==[^ ]+.*$", locked, re.MULTILINE):
        assert requirement.endswith("\\"), requirement


def test_the_image_is_built_from_the_named_files_only() -> None:
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in kept
    copied = set()
    for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            copied |= set(line.split()[1:-1])
    assert {f"!{name}" for name in copied} <= set(kept)
