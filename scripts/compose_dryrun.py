"""Runs what `docker-compose.yml` says, without an engine: python -m scripts.compose_dryrun [NAME…]

1. The file is validated, and read as Compose does; secrets and certificates are made for this run.
2. The services (all, or what NAME needs) are started stage by stage as processes on loopback, each
   with its own command, environment and healthcheck. What the engine would map is mapped: host
   names, published ports, secrets, folders and named volumes; PostgreSQL comes from the development
   wheel, initialised and named as the file says, with the same script that makes the roles. It
   fails where a service names a secret that it is not given.
3. Each operator's registration is posted and its receipt verified. Between both platforms an
   original crosses, its cargo is handed out in Singapore, and each cosigns the other's checkpoint:
   `scripts/compose_border.py`.
4. Everything that was started is ended by its process id.

What this does not show: the images are not built and not pulled, and no container runs. Users,
capabilities, read-only root, tmpfs and networks of the file are checked by the schema only.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from scripts import compose_border, compose_parties, local_postgres
from scripts.compose_file import (
    FILE,
    DryRunFailed,
    Json,
    in_stages,
    read,
    validate,
    waited_for,
    wanted,
)
from scripts.compose_platform import (
    CODES,
    SECRETS_IN_CONTAINER,
    Platform,
    introduce,
    platform_and_role,
)
from scripts.local_postgres import LocalPostgres, PostgresFailed

READY_SECONDS = 60.0


@dataclass(kw_only=True)
class DryRun:
    """`up` starts what is wanted; `down` ends what was started, whatever happened."""

    composed: Json
    platforms: Mapping[str, Platform]
    root: Path
    _databases: dict[str, LocalPostgres] = field(default_factory=dict)
    _services: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def up(self, names: Sequence[str] = ()) -> None:
        services = self.composed["services"]
        if names:
            services = wanted(services, names)
        for stage in in_stages(services):
            with ThreadPoolExecutor(len(stage)) as pool:
                list(pool.map(self._start, stage))
            for name in stage:
                print(f"{name}: {waited_for(services, name)}")

    def down(self) -> None:
        for process in self._services.values():
            process.send_signal(signal.SIGTERM)
        for name, process in sorted(self._services.items()):
            try:
                print(f"{name}: ended with {process.wait(30)}")
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        with ThreadPoolExecutor(len(self._databases) or 1) as pool:
            list(pool.map(LocalPostgres.stop, self._databases.values()))
        for name in sorted(self._databases):
            print(f"{name}: ended")

    # -- what a container sees, on this machine ----------------------------------------------------

    def here(self, name: str, text: str) -> str:
        """`text` of the service `name`; raises DryRunFailed for a secret that it is not given."""
        for secret in self.composed["services"][name].get("secrets", []):
            file = self.composed["secrets"][secret["source"]]["file"]
            text = text.replace(f"{SECRETS_IN_CONTAINER}/{secret['target']}", self.file(file))
        if SECRETS_IN_CONTAINER in text:
            raise DryRunFailed(f"{name} names {text}, which is none of its secrets")
        return self._platform(name).here(text)

    def command(self, name: str, words: Sequence[str]) -> list[str]:
        """`bol` and `python` are this environment's."""
        first, *rest = (self.here(name, word) for word in words)
        programs = {"bol": [sys.executable, "-m", "bol_service"], "python": [sys.executable]}
        return [*programs.get(first, [first]), *rest]

    def environment(self, name: str) -> dict[str, str]:
        """The service's own, and of ours only what any process needs."""
        service = self.composed["services"][name]
        told: dict[str, str] = {}
        for listed in service.get("env_file", []):
            told |= self._listed(name, listed)
        told |= {variable: str(value) for variable, value in service["environment"].items()}
        own = {variable: self.here(name, value) for variable, value in told.items()}
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {**inherited, "PYTHONPATH": str(FILE.parent), **own}

    def file(self, path: str) -> str:
        """A file beside the Compose file; what is secret was made for this run."""
        root = self.root if path.startswith("./secrets/") else FILE.parent
        return str(root / path)

    def _listed(self, name: str, listed: Json) -> dict[str, str]:
        path = Path(self.file(listed["path"]))
        if not path.exists():
            if listed.get("required", True):
                raise DryRunFailed(f"{name} needs {listed['path']}, which is not there")
            return {}
        lines = path.read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if line)

    def _platform(self, name: str) -> Platform:
        return self.platforms[platform_and_role(name)[0]]

    # -- starting ----------------------------------------------------------------------------------

    def _start(self, name: str) -> None:
        role = platform_and_role(name)[1]
        starters = {"db": self._start_db, "migrate": self._run_once, "service": self._serve}
        if role not in starters:
            raise DryRunFailed(f"{name} is named, {sorted(starters)} of a platform are known here")
        starters[role](name, self.composed["services"][name])

    def _start_db(self, name: str, service: Json) -> None:
        own = self.environment(name)
        password = Path(own["POSTGRES_PASSWORD_FILE"]).read_text(encoding="ascii").strip()
        database = self._databases[name] = local_postgres.start(
            port=self._platform(name).database_port,
            user=own["POSTGRES_USER"],
            password=password,
            initdb_options=shlex.split(own["POSTGRES_INITDB_ARGS"]),
        )
        database.create_database(own["POSTGRES_DB"])
        address = {"PGHOST": "127.0.0.1", "PGPORT": str(database.port)}
        path = {"PATH": f"{database.programs}:{os.environ['PATH']}"}
        self._initialise(service, own | address | path | {"PGPASSWORD": password})
        program, *rest = service["healthcheck"]["test"][1:]
        self._await_healthy(name, [str(database.programs / program), *rest], address)

    def _initialise(self, service: Json, environment: Mapping[str, str]) -> None:
        """What the image does with scripts in its /docker-entrypoint-initdb.d: run them once."""
        for mounted in service["configs"]:
            script = self.file(self.composed["configs"][mounted["source"]]["file"])
            done = subprocess.run(
                ["sh", script], env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                raise DryRunFailed(f"{script} ended with {done.returncode}: {done.stderr}")

    def _run_once(self, name: str, service: Json) -> None:
        done = subprocess.run(
            self.command(name, service["command"]),
            env=self.environment(name),
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise DryRunFailed(f"{name} ended with {done.returncode}: {done.stderr}")

    def _serve(self, name: str, service: Json) -> None:
        environment = self.environment(name)
        with open(self._log(name), "wb") as log:
            self._services[name] = subprocess.Popen(
                self.command(name, service["command"]),
                env=environment,
                cwd=self.root,
                stdout=log,
                stderr=log,
            )
        check = self.command(name, service["healthcheck"]["test"][1:])
        self._await_healthy(name, check, environment)

    def _await_healthy(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        deadline = time.monotonic() + READY_SECONDS
        process = self._services.get(name)
        while time.monotonic() < deadline and (process is None or process.poll() is None):
            if subprocess.run(command, env=environment, capture_output=True).returncode == 0:
                return
            time.sleep(0.4)  # each try is a process, and takes from those that start
        log = self._log(name)
        words = log.read_text(errors="replace") if log.exists() else ""
        raise DryRunFailed(f"{name} did not become healthy: {words}")

    def _log(self, name: str) -> Path:
        return self.root / f"{name}.log"


def prepare(root: Path, names: Sequence[str]) -> dict[str, Platform]:
    """The platforms that `names` need, introduced to each other if there are two."""
    wanted_platforms = sorted({platform_and_role(name)[0] for name in names or CODES})
    platforms = {
        name: Platform(name=name, folder=root / "secrets" / name) for name in wanted_platforms
    }
    if len(platforms) == 2:
        introduce(*platforms.values(), carriers=compose_parties.cast_of(platforms))
    return platforms


def main(names: Sequence[str] = (), file: Path = FILE) -> int:
    with tempfile.TemporaryDirectory(prefix="bol-compose-") as folder:
        run = None
        try:
            platforms = prepare(Path(folder), names)
            variables = {"BOL_EXCHANGE": "1"} if len(platforms) == 2 else {}
            composed = read(file, variables)
            run = DryRun(composed=composed, platforms=platforms, root=Path(folder))
            with ThreadPoolExecutor(1) as pool:
                starting = pool.submit(run.up, names)
                validate(file)  # meanwhile; what is wrong here is told first
                starting.result()
            for line in compose_border.play(platforms):
                print(line)
        except (*compose_border.FAULTS, PostgresFailed) as failure:
            print(failure, file=sys.stderr)
            return 1
        finally:
            if run is not None:
                run.down()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
