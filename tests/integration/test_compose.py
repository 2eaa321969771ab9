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

from bol_service.settings import from_environment
from scripts import compose_file
from scripts.compose_dryrun import DryRun, prepare
from scripts.compose_file import FILE, DryRunFailed

ROOT = FILE.parent
WHOLE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = WHOLE["services"]
PLATFORMS = ("chongqing", "singapore")


def changed(folder: Path, old: str, new: str) -> Path:
    """The file with one thing changed."""
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = folder / "docker-compose.yml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_the_whole_file_runs_from_the_databases_to_a_delivery_across_the_border() -> None:
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
        "chongqing-db: service_healthy",
        "singapore-db: service_healthy",
        "chongqing-migrate: service_completed_successfully",
        "singapore-migrate: service_completed_successfully",
        "chongqing: ready",
        "singapore: ready",
        "chongqing recorded entry 0, receipt verified",
        "singapore recorded entry 0, receipt verified",
        "singapore says by mutual TLS who banksg is: Straits Commercial Bank Ltd",
        "chongqing registered sgterm, which applied through singapore",
        "the original left chongqing and is ISSUED at singapore",
        "the gate at singapore hears: DO NOT RELEASE (no_delivery_order)",
        "with a delivery order it hears: RELEASE (release)",
        "chongqing recorded the GATE_OUT that was signed at singapore, receipt verified",
        "singapore cosigned the checkpoint of chongqing",
        "chongqing cosigned the checkpoint of singapore",
        "chongqing: ended with 0",
        "singapore: ended with 0",
        "chongqing-db: ended",
        "singapore-db: ended",
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param("service_healthy }", "service_helthy }", "service_helthy", id="a condition"),
        pytest.param("  image:", "  imgae:", "imgae", id="a member"),
    ],
)
def test_a_mistyped_name_is_found_by_the_schema(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    with pytest.raises(DryRunFailed, match=words):
        compose_file.validate(changed(tmp_path, old, new))


@pytest.mark.parametrize(
    ("text", "variables", "filled"),
    [
        pytest.param("${A:-b}", {}, "b", id="a default where nothing is set"),
        pytest.param("${A:-b}", {"A": "c"}, "c", id="what is set instead of the default"),
        pytest.param("${A:+b}", {"A": "c"}, "b", id="the other word where something is set"),
        pytest.param("${A:+b}", {"A": ""}, "", id="nothing where it is empty"),
        pytest.param("x ${A} y", {"A": "c"}, "x c y", id="a plain name"),
    ],
)
def test_variables_are_filled_in_as_compose_does(
    text: str, variables: dict[str, str], filled: str
) -> None:
    assert compose_file.filled({"a": [text, 1]}, variables) == {"a": [filled, 1]}


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(DryRunFailed, match="A is not set: the reason"):
        compose_file.fill("${A:?the reason}", {"A": ""})


def test_services_that_wait_for_each_other_are_refused() -> None:
    circle = {"a": {"depends_on": {"b": {}}}, "b": {"depends_on": {"a": {}}}}
    with pytest.raises(DryRunFailed, match="depend on each other"):
        compose_file.in_stages(circle)


def test_services_start_after_what_they_depend_on_and_both_platforms_at_once() -> None:
    assert compose_file.in_stages(SERVICES) == [
        ["chongqing-db", "singapore-db"],
        ["chongqing-migrate", "singapore-migrate"],
        ["chongqing", "singapore"],
    ]


# -- one platform alone --------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLATFORMS)
def test_one_platform_starts_without_anything_of_the_other(name: str) -> None:
    parts = compose_file.wanted(SERVICES, [name])
    assert sorted(parts) == [name, f"{name}-db", f"{name}-migrate"]
    (other,) = set(PLATFORMS) - {name}
    assert other not in str(parts)


@pytest.mark.parametrize("name", PLATFORMS)
def test_one_platform_alone_needs_neither_peers_nor_witnesses(tmp_path: Path, name: str) -> None:
    run = DryRun(
        composed=compose_file.filled(WHOLE, {}), platforms=prepare(tmp_path, [name]), root=tmp_path
    )
    settings = from_environment(run.environment(name))
    assert (settings.peers, settings.pint_key, settings.peer_listen) == (None, None, None)
    assert (settings.witnesses, settings.witness_key) == (None, None)
    assert not list((tmp_path / "secrets" / name / "exchange").iterdir())


def test_both_platforms_get_all_that_exchange_needs_and_the_files_are_there(tmp_path: Path) -> None:
    run = DryRun(
        composed=compose_file.filled(WHOLE, {"BOL_EXCHANGE": "1"}),
        platforms=prepare(tmp_path, []),
        root=tmp_path,
    )
    for name in PLATFORMS:
        settings = from_environment(run.environment(name))
        assert settings.peer_listen is not None
        files = (settings.peers, settings.witnesses, settings.witnessed_logs)
        for file in (*files, settings.pint_certificate, settings.pint_certificate_key):
            assert file is not None
            assert file.is_file()


def test_a_platform_whose_settings_are_not_there_says_what_it_needs(tmp_path: Path) -> None:
    platforms = prepare(tmp_path, ["chongqing"])
    (tmp_path / "secrets" / "chongqing" / "platform.env").unlink()
    run = DryRun(composed=compose_file.filled(WHOLE, {}), platforms=platforms, root=tmp_path)
    with pytest.raises(DryRunFailed, match="BOL_ORIGIN is not set"):
        run._run_once("chongqing-migrate", run.composed["services"]["chongqing-migrate"])


def test_a_service_that_names_a_secret_it_is_not_given_is_refused(tmp_path: Path) -> None:
    composed = compose_file.filled(WHOLE, {})
    composed["services"]["chongqing"]["secrets"].pop()
    run = DryRun(composed=composed, platforms=prepare(tmp_path, ["chongqing"]), root=tmp_path)
    with pytest.raises(DryRunFailed, match="passphrase, which is none of its secrets"):
        run.environment("chongqing")


def test_a_service_that_is_not_in_the_file_is_refused() -> None:
    with pytest.raises(DryRunFailed, match="'lagos'"):
        compose_file.wanted(SERVICES, ["lagos"])


# -- what the file grants ------------------------------------------------------------------------


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
            assert re.search(r"/run/(secrets|exchange)/", value), name
        if name == "BOL_DATABASE_URL":
            assert re.search(r"//bol_(owner|service)@.*passfile=/run/secrets/\1\.pgpass", value)
    for name in PLATFORMS:
        options = SERVICES[f"{name}-db"]["environment"]["POSTGRES_INITDB_ARGS"]
        assert "--data-checksums" in options


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_service_has_neither_the_owners_nor_the_superusers_password(name: str) -> None:
    migrate, service = SERVICES[f"{name}-migrate"], SERVICES[name]
    assert _user(migrate) == "bol_owner"
    assert _user(service) == "bol_service"
    assert {"owner.pgpass", "owner-password", "database-password"}.isdisjoint(
        secret["target"] for secret in service["secrets"]
    )
    assert migrate["command"][-2:] == ["--service-role", "bol_service"]


def _user(service: dict[str, Any]) -> str:
    url: str = service["environment"]["BOL_DATABASE_URL"]
    return url.partition("@")[0].rpartition("/")[2]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_only_secrets_and_folders_of_its_own_platform(name: str) -> None:
    platform, service = name.partition("-")[0], SERVICES[name]
    for secret in service["secrets"]:
        assert secret["source"] == f"{platform}-{secret['target']}"
        file = WHOLE["secrets"][secret["source"]]["file"]
        assert file == f"./secrets/{platform}/{secret['target']}"
    for listed in service.get("env_file", []):
        assert listed == {"path": f"./secrets/{platform}/platform.env", "required": False}
    for volume in service.get("volumes", []):
        assert volume.startswith((f"{platform}-", f"./secrets/{platform}/exchange:")), volume
        assert volume.startswith(f"{platform}-") or volume.endswith(":ro")


def test_each_database_is_reached_by_its_own_platform_alone() -> None:
    for name in PLATFORMS:
        reached = _networks(f"{name}-db")
        assert reached == {f"{name}-inside"}
        assert {other for other in SERVICES if _networks(other) & reached} == {
            name,
            f"{name}-db",
            f"{name}-migrate",
        }
        assert WHOLE["networks"][f"{name}-inside"] == {"internal": True}


def test_only_the_two_services_meet_and_only_on_the_border() -> None:
    assert _networks("chongqing") & _networks("singapore") == {"border"}
    assert [name for name in SERVICES if "border" in _networks(name)] == list(PLATFORMS)
    assert WHOLE["networks"]["border"] == {"internal": True}


def _networks(name: str) -> set[str]:
    return set(SERVICES[name]["networks"])


def test_the_two_platforms_say_the_same_but_for_their_names() -> None:
    for part in ("", "-db", "-migrate"):
        chongqing = {**SERVICES[f"chongqing{part}"], "ports": None}
        singapore = {**SERVICES[f"singapore{part}"], "ports": None}
        assert str(chongqing).replace("chongqing", "singapore") == str(singapore)
    assert SERVICES["chongqing"]["ports"] != SERVICES["singapore"]["ports"]


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
