"""Runs what `docker-compose.yml` says, without an engine: python -m scripts.compose_dryrun

1. The file is validated against the Compose Specification (the copy that check-jsonschema brings).
2. `${NAME}` is filled in as Compose does; secrets are made for this run.
3. The services are started in dependency order as processes on loopback, each with its own command,
   environment and healthcheck. This script maps what the engine would map: host names, published
   ports, /run/secrets, named volumes; PostgreSQL comes from the development wheel, initialised and
   named as the file says, with the same script that makes the roles.
4. When the service is ready, the operator's registration is posted and its receipt verified.
5. Everything that was started is ended by its process id.

What this does not show: the images are not built and not pulled, and no container runs. Users,
capabilities, read-only root, tmpfs and networks of the file are checked by the schema only.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bol_service.cli.client import Client
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate, write_private_key
from bol_service.ledger import receipt as receipts
from bol_service.ledger.note import KeyType, VerifierKey
from bol_service.ledger.receipt import Receipt
from bol_service.wire import drafting
from scripts import local_postgres
from scripts.local_postgres import LocalPostgres, free_port

FILE = Path(__file__).resolve().parents[1] / "docker-compose.yml"
ORIGIN = "demo.compose.example/ebl"
STATE_IN_CONTAINER = "/var/lib/bol/state"
SECRETS_IN_CONTAINER = "/run/secrets"
READY_SECONDS = 60.0
Json = dict[str, Any]


class DryRunFailed(RuntimeError):  # noqa: N818 - says what happened
    """A service of the file did not do what the file expects of it."""


@dataclass(kw_only=True)
class Mapped:
    """What the engine would map, on this machine."""

    folder: Path
    database_port: int = field(default_factory=free_port)
    service_port: int = field(default_factory=free_port)
    operator: LocalSigner = field(default_factory=lambda: LocalSigner(generate(Algorithm.ED25519)))
    log: LocalSigner = field(init=False)

    def __post_init__(self) -> None:
        key, passphrase = generate(Algorithm.ED25519), secrets.token_urlsafe(16)
        self.log = LocalSigner(key)
        (self.folder / "state").mkdir()
        self.secrets.mkdir()
        write_private_key(self.secrets / "log.pem", key, passphrase.encode())
        statement = generate(Algorithm.ED25519)
        write_private_key(self.secrets / "statement.pem", statement, passphrase.encode())
        self._secret("passphrase", passphrase)
        self._secret("database-password", secrets.token_urlsafe(16))
        for role in ("owner", "service"):
            password = secrets.token_urlsafe(16)
            line = f"127.0.0.1:{self.database_port}:bol:bol_{role}:{password}"
            self._secret(f"{role}-password", password)
            self._secret(f"{role}.pgpass", line)

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.service_port}"

    @property
    def variables(self) -> dict[str, str]:
        """What an operator would put into `.env`."""
        return {
            "BOL_ORIGIN": ORIGIN,
            "BOL_PLATFORM_CODE": "DRYR",
            "BOL_BASE_URL": self.base_url,
            "BOL_REGISTRAR_KIDS": self.operator.public.kid,
        }

    def here(self, text: str) -> str:
        """A path, address or port of a container as it is on this machine."""
        for there, here in (
            (SECRETS_IN_CONTAINER, str(self.secrets)),
            (STATE_IN_CONTAINER, str(self.folder / "state")),
            ("@db:5432", f"@127.0.0.1:{self.database_port}"),
            ("127.0.0.1:8080", f"127.0.0.1:{self.service_port}"),
        ):
            text = text.replace(there, here)
        return {"8080": str(self.service_port), "0.0.0.0": "127.0.0.1"}.get(text, text)

    def command(self, words: Sequence[str]) -> list[str]:
        """`bol` and `python` are this environment's."""
        first, *rest = (self.here(word) for word in words)
        programs = {"bol": [sys.executable, "-m", "bol_service"], "python": [sys.executable]}
        return [*programs.get(first, [first]), *rest]

    def environment(self, service: Json) -> dict[str, str]:
        """The service's own, and of ours only what any process needs."""
        own = {name: self.here(str(value)) for name, value in service["environment"].items()}
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {**inherited, "PYTHONPATH": str(FILE.parent), **own}

    def _secret(self, name: str, content: str) -> None:
        path = self.secrets / name
        path.write_text(content + "\n", encoding="ascii")
        path.chmod(0o600)


# -- the file ------------------------------------------------------------------------------------


def read(file: Path, variables: Mapping[str, str]) -> Json:
    """The validated file with its variables filled in; raises DryRunFailed."""
    validate(file)
    composed: Json = yaml.safe_load(fill(file.read_text(encoding="utf-8"), variables))
    return composed


def fill(text: str, variables: Mapping[str, str]) -> str:
    """`${NAME:-default}` and `${NAME:?why}` filled in; raises DryRunFailed with the why."""
    pattern = r"\$\{([A-Z_]+)(?:(:[?-])([^}]*))?\}"
    return re.sub(pattern, lambda found: _filled(found, variables), text)


def validate(file: Path) -> None:
    """Raises DryRunFailed with the place that is wrong."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DryRunFailed(f"{file.name} is no valid Compose file: {done.stdout}{done.stderr}")


def _filled(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, kind, rest = found.groups()
    if name in variables:
        return variables[name]
    if kind == ":-":
        return str(rest)
    raise DryRunFailed(f"{name} is not set: {rest}")


def in_order(services: Mapping[str, Json]) -> list[str]:
    """The names so that every service comes after those it depends on; raises DryRunFailed."""
    ordered: list[str] = []
    while len(ordered) < len(services):
        free = [
            name
            for name, service in services.items()
            if name not in ordered and set(service.get("depends_on", {})) <= set(ordered)
        ]
        if not free:
            raise DryRunFailed(f"services depend on each other: {set(services) - set(ordered)}")
        ordered += free
    return ordered


# -- the services --------------------------------------------------------------------------------


@dataclass(kw_only=True)
class DryRun:
    """`up` starts everything; `down` ends what was started, whatever happened."""

    composed: Json
    mapped: Mapped
    _database: LocalPostgres | None = None
    _service: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        services = self.composed["services"]
        starters = {"db": self._start_db, "migrate": self._run_once, "service": self._serve}
        if set(services) != set(starters):
            raise DryRunFailed(f"{sorted(services)} are named, {sorted(starters)} are known here")
        for name in in_order(services):
            starters[name](services[name])
            print(f"{name}: {_condition(services, name)}")

    def down(self) -> None:
        if self._service is not None:
            self._service.send_signal(signal.SIGTERM)
            try:
                print(f"service: ended with {self._service.wait(30)}")
            except subprocess.TimeoutExpired:
                self._service.kill()
                self._service.wait()
        if self._database is not None:
            self._database.stop()
            print("db: ended")

    def _start_db(self, service: Json) -> None:
        own = service["environment"]
        password = Path(self.mapped.here(own["POSTGRES_PASSWORD_FILE"])).read_text().strip()
        self._database = local_postgres.start(
            port=self.mapped.database_port,
            user=own["POSTGRES_USER"],
            password=password,
            initdb_options=shlex.split(own["POSTGRES_INITDB_ARGS"]),
        )
        self._database.create_database(own["POSTGRES_DB"])
        self._run_initialisation(service, self._database, password)
        program, *rest = service["healthcheck"]["test"][1:]
        command = [str(self._database.programs / program), *rest]
        port = str(self.mapped.database_port)
        self._await_healthy("db", command, {"PGHOST": "127.0.0.1", "PGPORT": port})

    def _run_initialisation(self, service: Json, database: LocalPostgres, password: str) -> None:
        """What the image does with scripts in its /docker-entrypoint-initdb.d: run them once."""
        environment = self.mapped.environment(service) | {
            "PATH": f"{database.programs}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.mapped.database_port),
            "PGPASSWORD": password,
        }
        for mounted in service["configs"]:
            script = FILE.parent / self.composed["configs"][mounted["source"]]["file"]
            done = subprocess.run(
                ["sh", str(script)], env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                raise DryRunFailed(f"{script.name} ended with {done.returncode}: {done.stderr}")

    def _run_once(self, service: Json) -> None:
        done = subprocess.run(
            self.mapped.command(service["command"]),
            env=self.mapped.environment(service),
            cwd=self.mapped.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise DryRunFailed(f"migrate ended with {done.returncode}: {done.stderr}")

    def _serve(self, service: Json) -> None:
        environment = self.mapped.environment(service)
        with open(self.mapped.folder / "service.log", "wb") as log:
            self._service = subprocess.Popen(
                self.mapped.command(service["command"]),
                env=environment,
                cwd=self.mapped.folder,
                stdout=log,
                stderr=log,
            )
        check = self.mapped.command(service["healthcheck"]["test"][1:])
        self._await_healthy("service", check, environment)

    def _await_healthy(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._service is not None and self._service.poll() is not None:
                break
            if subprocess.run(command, env=environment, capture_output=True).returncode == 0:
                return
            time.sleep(0.2)
        log = self.mapped.folder / "service.log"
        words = log.read_text(errors="replace") if log.exists() else ""
        raise DryRunFailed(f"{name} did not become healthy: {words}")


def _condition(services: Json, name: str) -> str:
    """What the services after this one wait for."""
    waited = {
        service["depends_on"][name]["condition"]
        for service in services.values()
        if name in service.get("depends_on", {})
    }
    return ", ".join(sorted(waited)) or "ready"


# -- one event -----------------------------------------------------------------------------------


def open_the_log(mapped: Mapped) -> Receipt:
    """Post the operator's registration; the receipt is verified with the log's key."""
    identity = {
        "legalName": "Compose Dry Run Operator",
        "country": "SG",
        "identifiers": [{"type": "AUTHORITY", "value": "Compose Dry Run"}],
    }
    client = Client(
        base_url=mapped.base_url, origin=ORIGIN, party="operator", signer=mapped.operator
    )
    proof = drafting.prove_key(mapped.operator, origin=ORIGIN, party="operator", identity=identity)
    details = {**proof, "identity": identity, "roles": ["OPERATOR"]}
    answer = client.act("REGISTER", "party:operator", details, after=None)
    receipt = Receipt.from_value(answer)
    public = mapped.log.public.public_bytes_raw
    receipts.verify(receipt, [VerifierKey(name=ORIGIN, type=KeyType.ED25519, public=public)])
    return receipt


def main(file: Path = FILE) -> int:
    with tempfile.TemporaryDirectory(prefix="bol-compose-") as folder:
        mapped = Mapped(folder=Path(folder))
        run = None
        try:
            run = DryRun(composed=read(file, mapped.variables), mapped=mapped)
            run.up()
            receipt = open_the_log(mapped)
            print(f"recorded entry {receipt.index} of {ORIGIN}, receipt verified")
        except (DryRunFailed, local_postgres.PostgresFailed) as failure:
            print(failure, file=sys.stderr)
            return 1
        finally:
            if run is not None:
                run.down()
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
