"""Reading a Compose file as the engine would, for `scripts/compose_dryrun.py`.

1. It can be validated against the Compose Specification (the copy that check-jsonschema brings).
2. `${NAME:-default}`, `${NAME:+if set}` and `${NAME:?why}` are filled in, in values only.
3. Services start in stages: each after all those it depends on.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).resolve().parents[1] / "docker-compose.yml"
Json = dict[str, Any]


class DryRunFailed(RuntimeError):  # noqa: N818 - says what happened
    """The file is wrong, or a service did not do what the file expects of it."""


def read(file: Path, variables: Mapping[str, str]) -> Json:
    """The file with its variables filled in, not validated; raises DryRunFailed."""
    composed: Json = filled(yaml.safe_load(file.read_text(encoding="utf-8")), variables)
    return composed


def validate(file: Path) -> None:
    """Raises DryRunFailed with the place that is wrong."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DryRunFailed(f"{file.name} is no valid Compose file: {done.stdout}{done.stderr}")


def filled(value: Any, variables: Mapping[str, str]) -> Any:
    """`value` with all strings in it filled in; raises DryRunFailed with the why."""
    if isinstance(value, dict):
        return {name: filled(member, variables) for name, member in value.items()}
    if isinstance(value, list):
        return [filled(item, variables) for item in value]
    if isinstance(value, str):
        return fill(value, variables)
    return value


def fill(text: str, variables: Mapping[str, str]) -> str:
    """A variable that is empty counts as not set; raises DryRunFailed with the why."""
    pattern = r"\$\{([A-Z_]+)(?:(:[?+-])([^}]*))?\}"
    return re.sub(pattern, lambda found: _filled(found, variables), text)


def _filled(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, kind, rest = found.groups()
    value = variables.get(name, "")
    if kind == ":+":
        return str(rest) if value else ""
    if value:
        return value
    if kind == ":-":
        return str(rest)
    raise DryRunFailed(f"{name} is not set: {rest}")


def wanted(services: Mapping[str, Json], names: Iterable[str]) -> dict[str, Json]:
    """What `docker compose up NAME...` starts: these and all that they depend on."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in services:
            raise DryRunFailed(f"no service {name!r} is named, only {', '.join(services)}")
        if name not in found:
            found.add(name)
            waiting += services[name].get("depends_on", {})
    return {name: service for name, service in services.items() if name in found}


def in_stages(services: Mapping[str, Json]) -> list[list[str]]:
    """Who can start at once, after all of the stages before; raises DryRunFailed."""
    stages: list[list[str]] = []
    started: set[str] = set()
    while len(started) < len(services):
        free = [
            name
            for name, service in services.items()
            if name not in started and set(service.get("depends_on", {})) <= started
        ]
        if not free:
            raise DryRunFailed(f"services depend on each other: {set(services) - started}")
        stages.append(free)
        started.update(free)
    return stages


def waited_for(services: Mapping[str, Json], name: str) -> str:
    """What the services after this one wait for."""
    conditions = {
        service["depends_on"][name]["condition"]
        for service in services.values()
        if name in service.get("depends_on", {})
    }
    return ", ".join(sorted(conditions)) or "ready"
